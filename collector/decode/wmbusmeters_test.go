package decode_test

import (
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
)

var wmbusSource = decode.Source{Name: "wmbus", Topics: []string{"wmbusmeters/#"}, Profile: "wmbusmeters", Zone: "sn-z1"}

// Payloads after the tests of the drivers in
// https://github.com/wmbusmeters/wmbusmeters, with a time of our own.
func TestWmbusmeters(t *testing.T) {
	const at = `"timestamp":"2026-11-23T08:15:00Z"}`
	testProfile(t, wmbusSource, []profileTest{
		{name: "cold water", topic: "wmbusmeters/MyWater",
			payload: `{"_":"telegram","media":"cold water","meter":"multical21","name":"MyWater","id":"76348799","status":"DRY","total_m3":6.408,"target_m3":6.408,"flow_temperature_c":127,"external_temperature_c":19,"current_status":"DRY","time_dry":"22-31 days","time_reversed":"",` + at,
			want:    "sn-z1/water/76348799 received volume_m3=6.408 target_m3=6.408 flow_temperature_c=127 external_temperature_c=19"},
		{name: "electricity", topic: "wmbusmeters/x",
			payload: `{"_":"telegram","media":"electricity","meter":"amiplus","name":"MyElectricity1","id":"10101010","total_energy_consumption_kwh":15694.05,"current_power_consumption_kw":0.33,"total_energy_production_kwh":7.48,"current_power_production_kw":0,"voltage_at_phase_1_v":236,"device_date_time":"2019-03-20 12:57:00",` + at,
			want:    "sn-z1/electricity/10101010 received energy_import_kwh=15694.05 active_power_kw=0.33 energy_export_kwh=7.48 active_power_export_kw=0 voltage_l1_v=236"},
		{name: "izar water", topic: "wmbusmeters/x",
			payload: `{"_":"telegram","media":"water","driver":"izarv2","name":"IzarWater","id":"21242472","prefix":"C19UA","serial_number":"145842","manufacture_y":"2019","total_m3":3.488,"target_m3":3.486,"target_date":"2019-09-30","battery_y":14.5,"transmit_period_s":8,"status":"METER_BLOCKED UNDERFLOW",` + at,
			want:    "sn-z1/water/21242472 received volume_m3=3.488 target_m3=3.486 battery_y=14.5 transmit_period_s=8"},
		{name: "hydrodigit", topic: "wmbusmeters/x",
			payload: `{"_":"telegram","media":"water","meter":"hydrodigit","name":"preview_12345678","id":"12345678","total_m3":12.5,` + at,
			want:    "sn-z1/water/12345678 received volume_m3=12.5"},
		{name: "warm water", topic: "wmbusmeters/x",
			payload: `{"_":"telegram","media":"warm water","meter":"apator162","name":"w","id":"03410514","total_m3":0.4,"max_flow_m3h":1.25,"device":"rtlwmbus[00000001]","rssi_dbm":-54,` + at,
			want:    "sn-z1/water/03410514 received volume_m3=0.4 max_flow_m3h=1.25 rssi_dbm=-54"},
		{name: "three phases", topic: "wmbusmeters/x",
			payload: `{"_":"telegram","media":"electricity","meter":"iem3000","name":"e","id":"00213a7b","total_energy_consumption_kwh":3.5,"voltage_at_phase_1_v":232,"voltage_at_phase_2_v":231.5,"voltage_at_phase_3_v":233,"current_at_phase_1_a":1.5,"current_at_phase_2_a":0,"current_at_phase_3_a":2,` + at,
			want:    "sn-z1/electricity/00213a7b received energy_import_kwh=3.5 voltage_l1_v=232 voltage_l2_v=231.5 voltage_l3_v=233 current_l1_a=1.5 current_l2_a=0 current_l3_a=2"},
		{name: "other units", topic: "wmbusmeters/x",
			payload: `{"_":"telegram","media":"water","name":"u","id":"1","volume_flow_lh":1200,"supply_temperature_f":50,"line_pressure_pa":250000,` + at,
			want:    "sn-z1/water/1 received flow_m3h=1.2 supply_temperature_c=10 line_pressure_bar=2.5"},
		{name: "gas", topic: "wmbusmeters/x", payload: `{"_":"telegram","media":"gas","meter":"unismart","name":"g","id":"00003122","total_m3":917,` + at, want: "sn-z1/fuel/00003122 received volume_m3=917"},
		{name: "no timestamp", topic: "wmbusmeters/x", payload: `{"_":"telegram","media":"water","id":"7","total_m3":1}`, want: "sn-z1/water/7 received volume_m3=1"},
		{name: "heat is nothing of ours", topic: "wmbusmeters/x", payload: `{"_":"telegram","media":"heat","id":"7","total_energy_consumption_kwh":1,` + at, want: "!bad_topic"},
		{name: "no id", topic: "wmbusmeters/x", payload: `{"_":"telegram","media":"water","total_m3":1,` + at, want: "!bad_name"},
		{name: "only words", topic: "wmbusmeters/x", payload: `{"_":"telegram","media":"water","id":"7","status":"OK",` + at, want: "!no_values"},
	})
}

// The traps of DOMAIN.md.
func TestWmbusmetersKeepsLeadingZeros(t *testing.T) {
	testProfile(t, wmbusSource, []profileTest{
		{name: "zeros", topic: "wmbusmeters/x", payload: `{"media":"water","id":"00012345","total_m3":1}`, want: "sn-z1/water/00012345 received volume_m3=1"},
	})
}

func TestWmbusmetersExtraKey(t *testing.T) {
	testProfile(t, wmbusSource, []profileTest{
		{name: "with", topic: "wmbusmeters/x", payload: `{"_":"telegram","media":"water","id":"1","total_m3":1}`, want: "sn-z1/water/1 received volume_m3=1"},
		{name: "without", topic: "wmbusmeters/x", payload: `{"media":"water","id":"1","total_m3":1}`, want: "sn-z1/water/1 received volume_m3=1"},
	})
}

func TestWmbusmetersUtilityOfTheSource(t *testing.T) {
	source := wmbusSource
	source.Utility = "electricity"
	testProfile(t, source, []profileTest{
		{name: "heat", topic: "wmbusmeters/x", payload: `{"media":"heat","id":"7","total_energy_consumption_kwh":1}`, want: "sn-z1/electricity/7 received energy_import_kwh=1"},
	})
}
