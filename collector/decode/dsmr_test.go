package decode_test

import (
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/meter"
)

var dsmrSource = decode.Source{Name: "dsmr", Topics: []string{"dsmr/#"}, Profile: "dsmr", Zone: "sn-z1", Meter: "p1"}

// Topics are the defaults of DSMR-reader, payloads those of its own tests.
func TestDSMR(t *testing.T) {
	const (
		repo     = "https://github.com/dsmrreader/dsmr-reader/blob/v5/"
		readings = repo + "dsmr_mqtt/tests/services/test_telegram.py"
		days     = repo + "dsmr_mqtt/tests/services/test_day_totals.py"
		stats    = repo + "dsmr_mqtt/tests/services/test_meter_statistics.py"
		gas      = repo + "dsmr_mqtt/tests/services/test_consumption.py"
	)
	testDocumented(t, dsmrSource, []profileTest{
		{name: "JSON", source: readings, topic: "dsmr/json",
			payload: `{"id":1,"timestamp":"2018-01-01T00:00:00Z","electricity_delivered_1":1,"electricity_returned_1":2,"electricity_delivered_2":3,"electricity_returned_2":4,"electricity_currently_delivered":5,"electricity_currently_returned":6,"phase_currently_delivered_l1":0.25,"phase_currently_delivered_l2":0.35,"phase_currently_delivered_l3":0.3,"phase_currently_returned_l1":0.5,"phase_currently_returned_l2":0.75,"phase_currently_returned_l3":1.25,"extra_device_timestamp":"2018-01-01T12:00:00Z","extra_device_delivered":null}`,
			want:    "sn-z1/electricity/p1 1514764800000 energy_import_t1_kwh=1 energy_import_kwh=4 energy_export_t1_kwh=2 energy_export_kwh=6 energy_import_t2_kwh=3 energy_export_t2_kwh=4 active_power_kw=5 active_power_export_kw=6 active_power_l1_kw=0.25 active_power_l2_kw=0.35 active_power_l3_kw=0.3 active_power_export_l1_kw=0.5 active_power_export_l2_kw=0.75 active_power_export_l3_kw=1.25"},
		{name: "JSON, local time and decimals", source: "https://dsmr-reader.readthedocs.io/en/v5/", topic: "dsmr/json",
			payload: `{"id":1234,"timestamp":"2020-12-01T10:00:00+01:00","electricity_delivered_1":"1234.567","electricity_returned_1":"0.000","electricity_delivered_2":"2000.433","electricity_returned_2":"1.5","electricity_currently_delivered":"0.250","electricity_currently_returned":"0.000","phase_currently_delivered_l1":"0.100","extra_device_timestamp":"2020-12-01T10:00:00+01:00","extra_device_delivered":"456.789","phase_voltage_l1":"230.1","phase_voltage_l2":null,"phase_power_current_l1":1}`,
			want:    "sn-z1/electricity/p1 1606813200000 energy_import_t1_kwh=1234.567 energy_import_kwh=3235 energy_export_t1_kwh=0 energy_export_kwh=1.5 energy_import_t2_kwh=2000.433 energy_export_t2_kwh=1.5 active_power_kw=0.25 active_power_export_kw=0 active_power_l1_kw=0.1 extra_device_delivered_m3=456.789 voltage_l1_v=230.1 current_l1_a=1"},
		{name: "tariff 1", source: readings, topic: "dsmr/reading/electricity_delivered_1", payload: "1", want: "sn-z1/electricity/p1 received partial energy_import_t1_kwh=1"},
		{name: "tariff 2 returned", source: readings, topic: "dsmr/reading/electricity_returned_2", payload: "4", want: "sn-z1/electricity/p1 received partial energy_export_t2_kwh=4"},
		{name: "power", source: readings, topic: "dsmr/reading/electricity_currently_delivered", payload: "5", want: "sn-z1/electricity/p1 received partial active_power_kw=5"},
		{name: "phase 3 returned", source: readings, topic: "dsmr/reading/phase_currently_returned_l3", payload: "1.25", want: "sn-z1/electricity/p1 received partial active_power_export_l3_kw=1.25"},
		{name: "no gas", source: readings, topic: "dsmr/reading/extra_device_delivered", payload: "None", want: "control"},
		{name: "timestamp", source: readings, topic: "dsmr/reading/timestamp", payload: "2018-01-01T01:00:00+01:00", want: "control"},
		{name: "day, JSON", source: days, topic: "dsmr/day-consumption",
			payload: `{"electricity1":"12.000","electricity2":"14.000","electricity1_returned":"3.000","electricity2_returned":"5.000","electricity_merged":"26.000","electricity_returned_merged":"8.000","electricity1_cost":"33.00","electricity2_cost":"60.00","electricity_cost_merged":"93.00","gas":"4.500","gas_cost":"36.00","total_cost":"136.00","energy_supplier_price_electricity_delivered_1":"3.000000","fixed_cost":"7.00"}`,
			want:    "sn-z1/electricity/p1 received energy_today_t1_kwh=12 energy_today_t2_kwh=14 energy_today_export_t1_kwh=3 energy_today_export_t2_kwh=5 energy_today_kwh=26 energy_today_export_kwh=8 day_consumption_electricity1_cost=33 day_consumption_electricity2_cost=60 day_consumption_electricity_cost_merged=93 gas_today_m3=4.5 day_consumption_gas_cost=36 day_consumption_total_cost=136 day_consumption_energy_supplier_price_electricity_delivered_1=3 day_consumption_fixed_cost=7"},
		{name: "day, a topic", source: days, topic: "dsmr/day-consumption/electricity1", payload: "12.000", want: "sn-z1/electricity/p1 received partial energy_today_t1_kwh=12"},
		{name: "day, as before version 4", source: days, topic: "dsmr/day-totals/electricity_returned_merged", payload: "8.000", want: "sn-z1/electricity/p1 received partial energy_today_export_kwh=8"},
		{name: "day, cost", source: days, topic: "dsmr/day-consumption/total_cost", payload: "136.00", want: "sn-z1/electricity/p1 received partial day_consumption_total_cost=136"},
		{name: "statistics", source: stats, topic: "dsmr/meter-stats/power_failure_count", payload: "5", want: "sn-z1/electricity/p1 received partial meter_stats_power_failure_count=5"},
		{name: "version", source: stats, topic: "dsmr/meter-stats/dsmr_version", payload: "42", want: "sn-z1/electricity/p1 received partial meter_stats_dsmr_version=42"},
		{name: "gas, JSON", source: gas, topic: "dsmr/consumption/gas/json", payload: `{"read_at":"2020-01-01T01:00:00+01:00","delivered":1500,"currently_delivered":0.75}`, want: "sn-z1/electricity/p1 1577836800000 gas_delivered_m3=1500 gas_currently_delivered=0.75"},
		{name: "gas, a topic", source: gas, topic: "dsmr/consumption/gas/delivered", payload: "1500", want: "sn-z1/electricity/p1 received partial gas_delivered_m3=1500"},
	})
}

func TestDSMRVariants(t *testing.T) {
	testProfile(t, dsmrSource, []profileTest{
		{name: "voltage", topic: "dsmr/reading/phase_voltage_l2", payload: "231.2", want: "sn-z1/electricity/p1 received partial voltage_l2_v=231.2"},
		{name: "current", topic: "dsmr/reading/phase_power_current_l1", payload: "4", want: "sn-z1/electricity/p1 received partial current_l1_a=4"},
		{name: "extra device", topic: "dsmr/reading/extra_device_delivered", payload: "1234.567", want: "sn-z1/electricity/p1 received partial extra_device_delivered_m3=1234.567"},
		{name: "month", topic: "dsmr/current-month/electricity_merged", payload: "126.5", want: "sn-z1/electricity/p1 received partial energy_month_kwh=126.5"},
		{name: "year, in JSON", topic: "dsmr/current-period", payload: `{"current_month_electricity1":"1.5","current_year_gas":"2.5","current_year_total_cost":"3.5"}`, want: "sn-z1/electricity/p1 received energy_month_t1_kwh=1.5 gas_year_m3=2.5 current_period_current_year_total_cost=3.5"},
		{name: "quarter of an hour", topic: "dsmr/consumption/quarter-hour-peak-electricity/json", payload: `{"read_at_start":"2023-01-01T00:00:00+01:00","read_at_end":"2023-01-01T00:15:00+01:00","average_delivered":"1.234"}`, want: "sn-z1/electricity/p1 1672528500000 demand_kw=1.234"},
		{name: "the telegram itself", topic: "dsmr/raw", payload: "/ISK5\\2M550E-1012\r\n\r\n1-3:0.2.8(50)\r\n", want: "control"},
		{name: "meter id", topic: "dsmr/meter-stats/dsmr_meter_id", payload: "E0012345", want: "control"},
		{name: "null", topic: "dsmr/reading/phase_voltage_l3", payload: "", want: "control"},
		{name: "nonsense", topic: "dsmr/reading/electricity_delivered_1", payload: "lots", want: "!bad_value"},
		{name: "retained", topic: "dsmr/reading/electricity_delivered_1", payload: "1", retained: true, want: "ignored"},
		{name: "an absurd time", topic: "dsmr/reading/timestamp", payload: "soon", want: "!no_time"},
		// No sum is made of half of the tariffs.
		{name: "one tariff in JSON", topic: "dsmr/json", payload: `{"timestamp":"2020-12-01T10:00:00+01:00","electricity_delivered_1":"1"}`, want: "sn-z1/electricity/p1 1606813200000 energy_import_t1_kwh=1"},
	})
}

// The trap of DOMAIN.md: values of one reading come one by one, and its time as
// well: what follows the time within a minute has it, so that they meet in one
// point.
func TestDSMRTrapReadingsJoinedByTime(t *testing.T) {
	t.Parallel()
	d := decode.New([]decode.Source{dsmrSource}, meter.NewCatalog(10))
	const p1 = "sn-z1/electricity/p1 "
	for _, step := range []struct {
		after          int64 // ms since the first message
		topic, payload string
		retained       bool
		want           string
	}{
		{0, "dsmr/reading/electricity_delivered_1", "10", false, p1 + "received partial energy_import_t1_kwh=10"},
		{0, "dsmr/reading/timestamp", "2026-11-23T09:14:58+01:00", false, "control"},
		{10, "dsmr/reading/electricity_delivered_1", "11", false, p1 + "1795421698000 partial energy_import_t1_kwh=11"},
		{20, "dsmr/reading/electricity_delivered_2", "22", false, p1 + "1795421698000 partial energy_import_t2_kwh=22"},
		{30, "dsmr/reading/phase_voltage_l1", "230", false, p1 + "1795421698000 partial voltage_l1_v=230"},
		// Another group has another time, or none.
		{40, "dsmr/consumption/gas/read_at", "2026-11-23T09:00:00+01:00", false, "control"},
		{50, "dsmr/consumption/gas/delivered", "5.5", false, p1 + "1795420800000 partial gas_delivered_m3=5.5"},
		{0, "dsmr/meter-stats/power_failure_count", "5", false, p1 + "received partial meter_stats_power_failure_count=5"},
		// The next telegram.
		{10_000, "dsmr/reading/timestamp", "2026-11-23T09:15:08+01:00", false, "control"},
		{10_010, "dsmr/reading/electricity_delivered_1", "12", false, p1 + "1795421708000 partial energy_import_t1_kwh=12"},
		{10_020, "dsmr/reading/electricity_delivered_1", "12", true, p1 + "1795421708000 partial energy_import_t1_kwh=12"},
		{70_000, "dsmr/reading/electricity_delivered_2", "23", false, p1 + "1795421708000 partial energy_import_t2_kwh=23"},
		// A minute later its time is lost.
		{70_001, "dsmr/reading/electricity_delivered_2", "24", false, p1 + "1795421770001 partial energy_import_t2_kwh=24"},
		{70_002, "dsmr/reading/electricity_delivered_2", "24", true, "ignored"},
		// A message of before the time, sent again.
		{5_000, "dsmr/reading/electricity_delivered_2", "21", false, p1 + "1795421705000 partial energy_import_t2_kwh=21"},
		// JSON has a time of its own.
		{10_030, "dsmr/json", `{"timestamp":"2026-11-23T09:15:09+01:00","electricity_delivered_1":"13"}`, false, p1 + "1795421709000 energy_import_t1_kwh=13"},
	} {
		got := read(d, decode.Message{Topic: step.topic, Payload: []byte(step.payload), Retained: step.retained, Received: arrived + step.after})
		if got != step.want {
			t.Errorf("%d %s %s: got %s, want %s", step.after, step.topic, step.payload, got, step.want)
		}
	}
}
