package decode_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/meter"
)

var victronSource = decode.Source{Name: "gx", Topics: []string{"N/#"}, Profile: "victron", Zone: "sn-z1"}

func TestVictron(t *testing.T) {
	const (
		flashmq = "https://github.com/victronenergy/dbus-flashmq/blob/master/README.md"
		ha      = "https://github.com/tomer-w/ha-victron-mqtt/issues/"
		loader  = "https://github.com/victronenergy/venus-influx-loader/issues/233"
	)
	testDocumented(t, victronSource, []profileTest{
		{name: "an inverter's power", source: flashmq, topic: "N/e0ff50a097c0/pvinverter/20/Ac/Power", payload: `{"value": 936}`, want: "sn-z1/electricity/e0ff50a097c0:pvinverter:20 received partial active_power_kw=0.936"},
		{name: "solar charger's voltage", source: flashmq, topic: "N/e0ff50a097c0/solarcharger/279/Dc/0/Voltage", payload: `{"value":20.43000030517578}`, want: "sn-z1/electricity/e0ff50a097c0:solarcharger:279 received partial dc_voltage_v=20.4300003052"},
		{name: "solar charger's current", source: flashmq, topic: "N/e0ff50a097c0/solarcharger/279/Dc/0/Current", payload: `{"value":0.0}`, want: "sn-z1/electricity/e0ff50a097c0:solarcharger:279 received partial dc_current_a=0"},
		{name: "a setting with its bounds", source: flashmq, topic: "N/e0ff50a097c0/settings/0/Settings/Vrmlogger/Logmode", payload: `{"max":2,"min":0,"value":1}`, want: "sn-z1/electricity/e0ff50a097c0:settings:0 received partial settings_vrmlogger_logmode_max=2 settings_vrmlogger_logmode_min=0 settings_vrmlogger_logmode=1"},
		{name: "a text", source: flashmq, topic: "N/e0ff50a097c0/settings/0/Settings/Vrmlogger/Url", payload: `{"value":""}`, want: "control"},
		{name: "a phase that is not there", source: flashmq, topic: "N/e0ff50a097c0/pvinverter/20/Ac/L2/Power", payload: `{"value": null}`, want: "control"},
		{name: "all has been sent", source: flashmq, topic: "N/e0ff50a097c0/full_publish_completed", payload: `{"value":1702459522}`, want: "control"},
		{name: "state of charge", source: ha + "58", topic: "N/e0ff50a097c0/system/0/Dc/Battery/Soc", payload: `{"value":84.5}`, want: "sn-z1/electricity/e0ff50a097c0:system:0 received partial dc_battery_soc_pct=84.5"},
		{name: "auxiliary battery", source: ha + "110", topic: "N/e0ff50a097c0/battery/277/Dc/1/Voltage", payload: `{"value":13.579999923706055}`, want: "sn-z1/electricity/e0ff50a097c0:battery:277 received partial dc_1_voltage_v=13.5799999237"},
		{name: "mid-point voltage", source: ha + "230", topic: "N/e0ff50a097c0/battery/277/Dc/0/MidVoltage", payload: `{"value":13.5}`, want: "sn-z1/electricity/e0ff50a097c0:battery:277 received partial dc_0_midvoltage_v=13.5"},
		{name: "mid-point deviation", source: ha + "230", topic: "N/e0ff50a097c0/battery/277/Dc/0/MidVoltageDeviation", payload: `{"value":0.10000000149011612}`, want: "sn-z1/electricity/e0ff50a097c0:battery:277 received partial dc_0_midvoltagedeviation=0.10000000149"},
		{name: "a list of batteries", source: loader, topic: "N/c0619ab2f10b/system/0/Batteries",
			payload: `{"value":[{"active_battery_service":true,"current":-10.699999809265137,"id":"com.victronenergy.battery.socketcan_can1","instance":512,"name":"Pylontech battery","power":-532,"soc":74.0,"state":2,"temperature":12.399999618530273,"voltage":49.810001373291016}]}`,
			want:    "sn-z1/electricity/c0619ab2f10b:system:0 received partial batteries_0_active_battery_service=1 batteries_0_current=-10.6999998093 batteries_0_instance=512 batteries_0_power=-532 batteries_0_soc=74 batteries_0_state=2 batteries_0_temperature=12.3999996185 batteries_0_voltage=49.8100013733"},
	})
}

// Paths and units after https://github.com/victronenergy/venus/wiki/dbus and
// https://github.com/victronenergy/node-red-contrib-victron src/services/services.json.
func TestVictronUnits(t *testing.T) {
	tests := []profileTest{}
	for _, tt := range []struct{ path, value, want string }{
		{"grid/30/Ac/Power", "1205.5", "electricity grid:30 active_power_kw=1.2055"},
		{"grid/30/Ac/L2/Voltage", "231.4", "electricity grid:30 voltage_l2_v=231.4"},
		{"grid/30/Ac/L3/Energy/Forward", "4.5", "electricity grid:30 energy_import_l3_kwh=4.5"},
		{"grid/30/Ac/Energy/Forward", "1234.5", "electricity grid:30 energy_import_kwh=1234.5"},
		{"grid/30/Ac/Energy/Reverse", "12.5", "electricity grid:30 energy_export_kwh=12.5"},
		{"grid/30/Ac/Frequency", "50.01", "electricity grid:30 frequency_hz=50.01"},
		{"grid/30/Ac/L1/PowerFactor", "0.98", "electricity grid:30 power_factor_l1=0.98"},
		{"pvinverter/20/Ac/Energy/Forward", "1234.5", "electricity pvinverter:20 energy_export_kwh=1234.5"},
		{"pvinverter/20/Ac/L2/Energy/Forward", "400", "electricity pvinverter:20 energy_export_l2_kwh=400"},
		{"pvinverter/20/Ac/MaxPower", "8200", "electricity pvinverter:20 ac_maxpower_kw=8.2"}, // in W, as the wiki says and drivers do
		{"genset/0/Engine/OperatingHours", "7200", "generator genset:0 run_hours_h=2"},
		{"genset/0/Engine/OilPressure", "400", "generator genset:0 oil_pressure_bar=4"},
		{"genset/0/Engine/CoolantTemperature", "82", "generator genset:0 engine_coolanttemperature_c=82"},
		{"genset/0/Engine/Speed", "1500", "generator genset:0 engine_speed=1500"},
		{"genset/0/StarterVoltage", "13.2", "generator genset:0 battery_v=13.2"},
		{"genset/0/Ac/L1/Power", "5000", "generator genset:0 active_power_l1_kw=5"},
		{"genset/0/Ac/L2/Frequency", "50", "generator genset:0 frequency_l2_hz=50"},
		{"genset/0/Ac/Energy/Forward", "99", "generator genset:0 energy_export_kwh=99"},
		{"generator/0/Runtime", "90", "generator generator:0 runtime_s=90"},
		{"tank/3/Remaining", "0.85", "fuel tank:3 volume_l=850"},
		{"tank/3/Capacity", "2", "fuel tank:3 capacity_l=2000"},
		{"tank/3/Level", "42.5", "fuel tank:3 level_pct=42.5"},
		{"tank/3/FluidType", "7", "fuel tank:3 fluidtype=7"},
		{"tank/3/Temperature", "21", "fuel tank:3 temperature_c=21"},
		{"pulsemeter/2/Aggregate", "12.5", "water pulsemeter:2 volume_m3=12.5"},
		{"battery/512/Soc", "82", "electricity battery:512 soc_pct=82"},
		{"battery/512/Dc/0/Power", "-1500", "electricity battery:512 dc_power_kw=-1.5"},
		{"battery/512/TimeToGo", "3600", "electricity battery:512 timetogo_s=3600"},
		{"solarcharger/258/Yield/User", "99.5", "electricity solarcharger:258 energy_export_kwh=99.5"},
		{"solarcharger/258/Pv/0/P", "321", "electricity solarcharger:258 pv_0_p_kw=0.321"},
		{"system/0/Ac/Consumption/L1/Power", "321", "electricity system:0 ac_consumption_l1_power_kw=0.321"},
		{"vebus/276/Ac/Out/L1/P", "1500", "electricity vebus:276 ac_out_l1_p_kw=1.5"},
		{"vebus/276/Alarms/HighTemperature", "2", "electricity vebus:276 alarms_hightemperature=2"},
		{"multi/0/Energy/InverterToAcOut", "12.5", "electricity multi:0 energy_invertertoacout_kwh=12.5"},
		{"temperature/24/Temperature", "21.5", "electricity temperature:24 temperature_c=21.5"},
		{"temperature/24/Pressure", "101.3", "electricity temperature:24 pressure_bar=1.013"},
		{"temperature/24/Humidity", "45", "electricity temperature:24 humidity_pct=45"},
		{"meteo/0/CellTemperature", "31", "electricity meteo:0 celltemperature_c=31"},
	} {
		var utility, service, register string
		if _, err := fmt.Sscan(tt.want, &utility, &service, &register); err != nil {
			t.Fatal(err)
		}
		tests = append(tests, profileTest{
			name: tt.path, topic: "N/e0ff50a097c0/" + tt.path, payload: `{"value": ` + tt.value + `}`,
			want: "sn-z1/" + utility + "/e0ff50a097c0:" + service + " received partial " + register,
		})
	}
	testProfile(t, victronSource, tests)
}

// The traps of DOMAIN.md.

func TestVictronTrapNull(t *testing.T) {
	testProfile(t, victronSource, []profileTest{
		{name: "null", topic: "N/e0ff50a097c0/grid/30/Ac/Power", payload: `{"value": null}`, want: "control"},
		{name: "an empty list", topic: "N/e0ff50a097c0/system/0/X", payload: `{"value": []}`, want: "control"},
	})
}

func TestVictronTrapNoTime(t *testing.T) {
	testProfile(t, victronSource, []profileTest{
		{name: "now", topic: "N/e0ff50a097c0/grid/30/Ac/Power", payload: `{"value": 1000}`, want: "sn-z1/electricity/e0ff50a097c0:grid:30 received partial active_power_kw=1"},
		{name: "retained", topic: "N/e0ff50a097c0/grid/30/Ac/Power", payload: `{"value": 1000}`, retained: true, want: "ignored"},
	})
}

// A service that leaves the bus empties its topics.
func TestVictronServiceIsGone(t *testing.T) {
	t.Parallel()
	d := decode.New([]decode.Source{victronSource}, meter.NewCatalog(10))
	for _, step := range []struct{ topic, payload, want string }{
		{"N/p/pvinverter/20/Ac/Power", "", "control"},
		{"N/p/pvinverter/20/Ac/Power", `{"value": 936}`, "sn-z1/electricity/p:pvinverter:20 received partial active_power_kw=0.936"},
		{"N/p/pvinverter/20/Ac/Voltage", "", "control p:pvinverter:20"},
		{"N/p/grid/30/Ac/Voltage", "", "control"},
	} {
		if got := read(d, decode.Message{Topic: step.topic, Payload: []byte(step.payload), Received: arrived}); got != step.want {
			t.Errorf("%s %s: got %s, want %s", step.topic, step.payload, got, step.want)
		}
	}
}

// The device falls silent unless it is told to go on at least once a minute.
func TestVictronTrapKeepAlive(t *testing.T) {
	t.Parallel()
	source := victronSource
	source.Topics = []string{"N/aaa/#", "N/aaa/+/+/Soc", "site/N/+/#"}
	d := decode.New([]decode.Source{source}, meter.NewCatalog(10))
	const go_ = `{"keepalive-options":["suppress-republish"]}`
	for _, step := range []struct {
		at    int64  // s
		heard string // of whom a message comes first
		want  []string
	}{
		{0, "", []string{"R/aaa/keepalive "}}, // at once, for everything
		{10, "N/aaa/grid/30/Ac/Power", nil},
		{29, "", nil},
		{30, "N/aaa/grid/30/Ac/Power", []string{"R/aaa/keepalive " + go_}},
		{31, "site/N/bbb/grid/30/Ac/Power", []string{"site/R/bbb/keepalive "}}, // learnt
		{60, "N/aaa/keepalive", []string{"R/aaa/keepalive " + go_}},
		{61, "site/N/bbb/grid/30/Ac/Power", []string{"site/R/bbb/keepalive " + go_}},
		{130, "", []string{"R/aaa/keepalive ", "site/R/bbb/keepalive "}}, // both were silent
		{131, "", nil},
		{61 + 3600, "", []string{"R/aaa/keepalive ", "site/R/bbb/keepalive "}},
		{61 + 3631, "", []string{"R/aaa/keepalive "}}, // the one that nobody named is forgotten
	} {
		now := arrived + step.at*1000
		if step.heard != "" {
			read(d, decode.Message{Topic: step.heard, Payload: []byte(`{"value":1}`), Received: now})
		}
		var got []string
		for _, c := range d.Commands(now, nil) {
			got = append(got, c.Topic+" "+string(c.Payload))
		}
		if !slices.Equal(got, step.want) {
			t.Errorf("after %d s: got %q, want %q", step.at, got, step.want)
		}
	}
}

// Portals that nobody named are bounded in number.
func TestVictronPortalsAreBounded(t *testing.T) {
	t.Parallel()
	d := decode.New([]decode.Source{victronSource}, meter.NewCatalog(1000))
	for i := range 1000 {
		read(d, decode.Message{Topic: fmt.Sprintf("N/p%d/grid/30/Ac/Power", i), Payload: []byte(`{"value":1}`), Received: arrived})
	}
	if n := len(d.Commands(arrived, nil)); n != 256 {
		t.Errorf("%d portals, want 256", n)
	}
}
