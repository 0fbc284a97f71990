package decode_test

import (
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
)

var victronSource = decode.Source{Name: "gx", Topics: []string{"N/#"}, Profile: "victron", Zone: "sn-z1"}

// Topics after https://github.com/victronenergy/dbus-flashmq and
// https://github.com/victronenergy/venus/wiki/dbus.
func TestVictron(t *testing.T) {
	testProfile(t, victronSource, []profileTest{
		{name: "grid power", topic: "N/e0ff50a097c0/grid/30/Ac/Power", payload: `{"value": 1205.5}`, want: "sn-z1/electricity/e0ff50a097c0:grid:30 received active_power_kw=1.2055"},
		{name: "phase", topic: "N/e0ff50a097c0/grid/30/Ac/L2/Voltage", payload: `{"value": 231.4}`, want: "sn-z1/electricity/e0ff50a097c0:grid:30 received voltage_l2_v=231.4"},
		{name: "phase energy", topic: "N/e0ff50a097c0/grid/30/Ac/L3/Energy/Forward", payload: `{"value": 4.5}`, want: "sn-z1/electricity/e0ff50a097c0:grid:30 received energy_import_l3_kwh=4.5"},
		{name: "energy", topic: "N/e0ff50a097c0/grid/30/Ac/Energy/Forward", payload: `{"value": 1234.5}`, want: "sn-z1/electricity/e0ff50a097c0:grid:30 received energy_import_kwh=1234.5"},
		{name: "inverter's energy", topic: "N/e0ff50a097c0/pvinverter/20/Ac/Energy/Forward", payload: `{"value": 1234.5}`, want: "sn-z1/electricity/e0ff50a097c0:pvinverter:20 received energy_export_kwh=1234.5"},
		{name: "genset", topic: "N/e0ff50a097c0/genset/0/Engine/OperatingHours", payload: `{"value": 7200}`, want: "sn-z1/generator/e0ff50a097c0:genset:0 received run_hours_h=2"},
		{name: "genset power", topic: "N/e0ff50a097c0/genset/0/Ac/L1/Power", payload: `{"value": 5000}`, want: "sn-z1/generator/e0ff50a097c0:genset:0 received active_power_l1_kw=5"},
		{name: "tank", topic: "N/e0ff50a097c0/tank/3/Remaining", payload: `{"value": 0.85}`, want: "sn-z1/fuel/e0ff50a097c0:tank:3 received volume_l=850"},
		{name: "tank level", topic: "N/e0ff50a097c0/tank/3/Level", payload: `{"value": 42.5}`, want: "sn-z1/fuel/e0ff50a097c0:tank:3 received level_pct=42.5"},
		{name: "battery", topic: "N/e0ff50a097c0/battery/512/Soc", payload: `{"value": 82}`, want: "sn-z1/electricity/e0ff50a097c0:battery:512 received soc_pct=82"},
		{name: "battery voltage", topic: "N/e0ff50a097c0/battery/512/Dc/0/Voltage", payload: `{"max":null,"min":null,"value":52.1}`, want: "sn-z1/electricity/e0ff50a097c0:battery:512 received dc_voltage_v=52.1"},
		{name: "solar", topic: "N/e0ff50a097c0/solarcharger/258/Yield/User", payload: `{"value": 99.5}`, want: "sn-z1/electricity/e0ff50a097c0:solarcharger:258 received energy_export_kwh=99.5"},
		{name: "system", topic: "N/e0ff50a097c0/system/0/Ac/Consumption/L1/Power", payload: `{"value": 321}`, want: "sn-z1/electricity/e0ff50a097c0:system:0 received ac_consumption_l1_power_kw=0.321"},
		{name: "multi's output", topic: "N/e0ff50a097c0/vebus/276/Ac/Out/L1/P", payload: `{"value": 1500}`, want: "sn-z1/electricity/e0ff50a097c0:vebus:276 received ac_out_l1_p_kw=1.5"},
		{name: "a text", topic: "N/e0ff50a097c0/system/0/Serial", payload: `{"value": "e0ff50a097c0"}`, want: "control"},
		{name: "a list", topic: "N/e0ff50a097c0/system/0/X", payload: `{"value": []}`, want: "control"},
		{name: "keepalive", topic: "N/e0ff50a097c0/keepalive", payload: `{"value": 1}`, want: "control"},
	})
}

// The traps of DOMAIN.md.
func TestVictronNullIsNoValue(t *testing.T) {
	testProfile(t, victronSource, []profileTest{
		{name: "null", topic: "N/e0ff50a097c0/grid/30/Ac/Power", payload: `{"value": null}`, want: "control"},
	})
}

func TestVictronHasNoTime(t *testing.T) {
	testProfile(t, victronSource, []profileTest{
		{name: "now", topic: "N/e0ff50a097c0/grid/30/Ac/Power", payload: `{"value": 1000}`, want: "sn-z1/electricity/e0ff50a097c0:grid:30 received active_power_kw=1"},
		{name: "retained", topic: "N/e0ff50a097c0/grid/30/Ac/Power", payload: `{"value": 1000}`, retained: true, want: "ignored"},
	})
}
