package decode_test

import (
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
)

var dsmrSource = decode.Source{Name: "dsmr", Topics: []string{"dsmr/#"}, Profile: "dsmr", Zone: "sn-z1", Meter: "p1"}

// Topics and payloads after https://dsmr-reader.readthedocs.io/en/v5/tutorial/mqtt.html.
func TestDSMR(t *testing.T) {
	testProfile(t, dsmrSource, []profileTest{
		{name: "JSON", topic: "dsmr/json",
			payload: `{"id":1234,"timestamp":"2020-12-01T10:00:00+01:00","electricity_delivered_1":"1234.567","electricity_returned_1":"0.000","electricity_delivered_2":"2000.433","electricity_returned_2":"1.5","electricity_currently_delivered":"0.250","electricity_currently_returned":"0.000","phase_currently_delivered_l1":"0.100","phase_currently_delivered_l2":"0.050","phase_currently_delivered_l3":"0.100","extra_device_timestamp":"2020-12-01T10:00:00+01:00","extra_device_delivered":"456.789","phase_voltage_l1":"230.1","phase_voltage_l2":null,"phase_power_current_l1":1}`,
			want:    "sn-z1/electricity/p1 1606813200000 energy_import_t1_kwh=1234.567 energy_import_kwh=3235 energy_export_t1_kwh=0 energy_export_kwh=1.5 energy_import_t2_kwh=2000.433 energy_export_t2_kwh=1.5 active_power_kw=0.25 active_power_export_kw=0 active_power_l1_kw=0.1 active_power_l2_kw=0.05 active_power_l3_kw=0.1 extra_device_delivered_m3=456.789 voltage_l1_v=230.1 current_l1_a=1"},
		{name: "tariff 1", topic: "dsmr/reading/electricity_delivered_1", payload: "1234.567", want: "sn-z1/electricity/p1 received energy_import_t1_kwh=1234.567"},
		{name: "tariff 2 returned", topic: "dsmr/reading/electricity_returned_2", payload: "0.5", want: "sn-z1/electricity/p1 received energy_export_t2_kwh=0.5"},
		{name: "power", topic: "dsmr/reading/electricity_currently_delivered", payload: "0.412", want: "sn-z1/electricity/p1 received active_power_kw=0.412"},
		{name: "power returned", topic: "dsmr/reading/electricity_currently_returned", payload: "0.000", want: "sn-z1/electricity/p1 received active_power_export_kw=0"},
		{name: "phase 3", topic: "dsmr/reading/phase_currently_delivered_l3", payload: "0.050", want: "sn-z1/electricity/p1 received active_power_l3_kw=0.05"},
		{name: "phase 2 returned", topic: "dsmr/reading/phase_currently_returned_l2", payload: "0.1", want: "sn-z1/electricity/p1 received active_power_export_l2_kw=0.1"},
		{name: "voltage", topic: "dsmr/reading/phase_voltage_l2", payload: "231.2", want: "sn-z1/electricity/p1 received voltage_l2_v=231.2"},
		{name: "current", topic: "dsmr/reading/phase_power_current_l1", payload: "4", want: "sn-z1/electricity/p1 received current_l1_a=4"},
		{name: "gas", topic: "dsmr/reading/extra_device_delivered", payload: "1234.567", want: "sn-z1/electricity/p1 received extra_device_delivered_m3=1234.567"},
		{name: "no gas", topic: "dsmr/reading/extra_device_delivered", payload: "None", want: "control"},
		{name: "day totals", topic: "dsmr/day-consumption/electricity1", payload: "3.5", want: "sn-z1/electricity/p1 received day_consumption_electricity1=3.5"},
		{name: "statistics", topic: "dsmr/meter-stats/power_failure_count", payload: "7", want: "sn-z1/electricity/p1 received meter_stats_power_failure_count=7"},
		{name: "meter id", topic: "dsmr/meter-stats/dsmr_meter_id", payload: "E0012345", want: "control"},
		{name: "nonsense", topic: "dsmr/reading/electricity_delivered_1", payload: "lots", want: "!bad_value"},
		{name: "retained", topic: "dsmr/reading/electricity_delivered_1", payload: "1", retained: true, want: "ignored"},
	})
}

// The trap of DOMAIN.md: values of one reading come one by one, and its time as
// well; each is a partial reading until they are joined, and no sum is made of
// half of the tariffs.
func TestDSMRValuesComeOneByOne(t *testing.T) {
	testProfile(t, dsmrSource, []profileTest{
		{name: "timestamp", topic: "dsmr/reading/timestamp", payload: "2020-12-01T10:00:00+01:00", want: "control"},
		{name: "one tariff", topic: "dsmr/json", payload: `{"timestamp":"2020-12-01T10:00:00+01:00","electricity_delivered_1":"1"}`, want: "sn-z1/electricity/p1 1606813200000 energy_import_t1_kwh=1"},
	})
}
