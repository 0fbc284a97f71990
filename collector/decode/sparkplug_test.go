package decode_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
)

const (
	specTime = `"timestamp":1486144502122`
)

// Payloads that others document, in the notation of the specification.
func TestSparkplugDocumentedPayloads(t *testing.T) {
	t.Parallel()
	group := "Sparkplug%20B%20Devices"
	tests := []struct{ name, topic, payload, want string }{
		// https://github.com/eclipse-sparkplug/sparkplug/blob/master/specification/src/main/asciidoc/chapters/Sparkplug_6_Payloads.adoc
		{name: "specification, NBIRTH", topic: "spBv1.0/Sparkplug B Devices/NBIRTH/Raspberry Pi", payload: `{` + specTime + `,"metrics":[
			{"name":"bdSeq",` + specTime + `,"dataType":"UInt64","value":0},
			{"name":"Node Control/Reboot",` + specTime + `,"dataType":"Boolean","value":false},
			{"name":"Node Control/Rebirth",` + specTime + `,"dataType":"Boolean","value":false},
			{"name":"Node Control/Next Server",` + specTime + `,"dataType":"Boolean","value":false},
			{"name":"Node Control/Scan Rate",` + specTime + `,"dataType":"Int64","value":3000},
			{"name":"Properties/Hardware Make",` + specTime + `,"dataType":"String","value":"Raspberry Pi"},
			{"name":"Properties/Hardware Model",` + specTime + `,"dataType":"String","value":"Pi 3 Model B"},
			{"name":"Properties/OS",` + specTime + `,"dataType":"String","value":"Raspbian"},
			{"name":"Supply Voltage",` + specTime + `,"dataType":"Float","value":12.1}],"seq":0}`,
			want: "gateway " + group + "/Raspberry%20Pi online=true\n" + group + "/electricity/Raspberry%20Pi 1486144502122 supply_voltage=12.1000003815"},
		{name: "specification, DBIRTH", topic: "spBv1.0/Sparkplug B Devices/DBIRTH/Raspberry Pi/Pibrella", payload: `{` + specTime + `,"metrics":[
			{"name":"Inputs/A",` + specTime + `,"dataType":"Boolean","value":false},
			{"name":"Inputs/Button",` + specTime + `,"dataType":"Boolean","value":false},
			{"name":"Outputs/LEDs/Green",` + specTime + `,"dataType":"Boolean","value":true},
			{"name":"Outputs/Buzzer",` + specTime + `,"dataType":"Boolean","value":false},
			{"name":"Properties/Hardware Make",` + specTime + `,"dataType":"String","value":"Pibrella"}],"seq":1}`,
			want: group + "/electricity/Pibrella 1486144502122 inputs_a_state=0 inputs_button=0 outputs_leds_green=1 outputs_buzzer=0"},
		{name: "specification, NDATA", topic: "spBv1.0/Sparkplug B Devices/NDATA/Raspberry Pi",
			payload: `{` + specTime + `,"metrics":[{"name":"Supply Voltage",` + specTime + `,"dataType":"Float","value":12.3}],"seq":2}`,
			want:    group + "/electricity/Raspberry%20Pi 1486144502122 partial supply_voltage=12.3000001907"},
		{name: "specification, DDATA", topic: "spBv1.0/Sparkplug B Devices/DDATA/Raspberry Pi/Pibrella",
			payload: `{` + specTime + `,"metrics":[{"name":"Inputs/A",` + specTime + `,"dataType":"Boolean","value":true},{"name":"Inputs/C",` + specTime + `,"dataType":"Boolean","value":true}],"seq":0}`,
			want:    group + "/electricity/Pibrella 1486144502122 partial inputs_a_state=1 inputs_c_state=1"},
		{name: "specification, NCMD", topic: "spBv1.0/Sparkplug B Devices/NCMD/Raspberry Pi",
			payload: `{` + specTime + `,"metrics":[{"name":"Node Control/Rebirth",` + specTime + `,"dataType":"Boolean","value":true}]}`, want: "control"},
		{name: "specification, DCMD", topic: "spBv1.0/Sparkplug B Devices/DCMD/Raspberry Pi/Pibrella",
			payload: `{` + specTime + `,"metrics":[{"name":"Outputs/LEDs/Green",` + specTime + `,"dataType":"Boolean","value":true}]}`, want: "control"},
		{name: "specification, NDEATH", topic: "spBv1.0/Sparkplug B Devices/NDEATH/Raspberry Pi",
			payload: `{` + specTime + `,"metrics":[{"name":"bdSeq",` + specTime + `,"dataType":"UInt64","value":0}]}`, want: "control"},
		{name: "specification, DDEATH", topic: "spBv1.0/Sparkplug B Devices/DDEATH/Raspberry Pi/Pibrella", payload: `{` + specTime + `,"seq":123}`, want: "control"},
		// https://manualshive.com/ru/manual/ydoc/ml-17-series/3232609?page=115
		{name: "YDOC ML-x17, NBIRTH with aliases", topic: "spBv1.0/sp-grp-x/NBIRTH/5025064", payload: `{"timestamp":1486144902122,"metrics":[
			{"name":"bdSeq","timestamp":1486144902122,"dataType":"UInt64","value":0},
			{"name":"Properties/Hardware Make","timestamp":1486144902122,"dataType":"String","value":"YDOC"},
			{"name":"System/Battery","alias":1,"timestamp":1486144902122,"dataType":"Double","value":3.3},
			{"name":"Inputs/AI1","alias":2,"timestamp":1486144902122,"dataType":"Double","value":14.2},
			{"name":"Counters/CNT1","alias":4,"timestamp":1486144902122,"dataType":"Double","value":1234567},
			{"name":"Calculations/FLW1","alias":5,"timestamp":1486144902122,"dataType":"Double","value":84.7}],"seq":0}`,
			want: "gateway sp-grp-x/5025064 online=true\nsp-grp-x/electricity/5025064 1486144902122 system_battery=3.3 inputs_ai1=14.2 counters_cnt1=1234567 calculations_flw1=84.7"},
		// https://docs.chariot.io/x/OYvBDQ (Ignition's MQTT modules)
		{name: "Ignition, NBIRTH with quality", topic: "spBv1.0/G1/NBIRTH/E1", payload: `{"timestamp":1638223073190,"metrics":[
			{"name":"bdSeq","timestamp":1638223073187,"dataType":"Int64","value":5},
			{"name":"Tag 4","timestamp":1638223073156,"dataType":"Int32","properties":{"Quality":{"type":"Int32","value":192}},"value":100},
			{"name":"Tag 5","timestamp":1638223073001,"dataType":"Boolean","properties":{"Quality":{"type":"Int32","value":192}},"value":false}],"seq":0}`,
			want: "gateway G1/E1 online=true\nG1/electricity/E1 1638223073001 partial tag_5=0\nG1/electricity/E1 1638223073156 partial tag_4=100"},
		// https://docs.chariot.io/x/tQEqDg
		{name: "Ignition, DDATA by name", topic: "spBv1.0/Site 1/DDATA/Area 1/Line 1",
			payload: `{"timestamp":1643823757750,"metrics":[{"name":"Conveyer/Batch/Quantity","timestamp":1643823756467,"dataType":"Double","value":33.02}],"seq":23}`,
			want:    "Site%201/electricity/Line%201 1643823756467 partial conveyer_batch_quantity=33.02"},
		// https://ssot.fi/?p=288
		{name: "two times in one message", topic: "spBv1.0/vesi/NDATA/kaivo", payload: `{"timestamp":1486144502122,"metrics":[
			{"name":"Kaivon kuivavara","timestamp":1484123452194,"dataType":"Int32","value":50},
			{"name":"Kaivon luukku kiinni","timestamp":1479123452194,"dataType":"Boolean","value":true}],"seq":2}`,
			want: "vesi/electricity/kaivo 1479123452194 partial kaivon_luukku_kiinni=1\nvesi/electricity/kaivo 1484123452194 partial kaivon_kuivavara=50"},
		// https://github.com/thomassorensen2650/node-red-contrib-mqtt-sparkplug-plus/issues/93
		{name: "Node-RED, NBIRTH without the metrics' times", topic: "spBv1.0/g/NBIRTH/n",
			payload: `{"timestamp":1754733323655,"metrics":[{"name":"Node Control/Rebirth","dataType":"Boolean","value":false},{"name":"bdSeq","dataType":"Int64","value":0}],"seq":0}`,
			want:    "gateway g/n online=true"},
		// https://github.com/thomassorensen2650/node-red-contrib-mqtt-sparkplug-plus/issues/7
		{name: "Node-RED, a unit in a property", topic: "spBv1.0/g/DBIRTH/n/d",
			payload: `{"timestamp":1754733323655,"metrics":[{"name":"test","dataType":"Int32","properties":{"engUnit":{"type":"String","value":"volts"}},"value":230}],"seq":1}`,
			want:    "g/electricity/d 1754733323655 test_v=230"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			newPlant(t, sparkplugSource).expect(tt.topic, tt.payload, tt.want)
		})
	}
}

func TestSparkplugNames(t *testing.T) {
	t.Parallel()
	rules := sparkplugSource
	rules.Registers = []decode.Register{
		{Path: "Meters.*.P", Register: "p_{key}_kw", Unit: "W"},
		{Path: "Secret", Register: "-"},
		{Path: `Gas\.total`, Register: "gas_m3", Scale: 0.1, Utility: "fuel"},
		{Path: "Breaker", Register: "breaker_closed", Enum: map[string]float64{"OPEN": 0, "CLOSED": 1}},
	}
	water := sparkplugSource
	water.Utility = "water"
	named := sparkplugSource
	named.Topics, named.Zone, named.Meter = []string{"spBv1.0/{zone}/+/{gw}/#"}, "city-{zone}", "{gw}.{device}"
	named.Names = map[string]string{"n.d": "hall-7"}
	unit := func(name, unit, value string) string {
		return `{"name":"` + name + `","dataType":"Double","properties":{"` + "engUnit" + `":{"type":"String","value":"` + unit + `"}},"value":` + value + `}`
	}
	tests := []struct {
		name, metrics, want string
		source              decode.Source
	}{
		{"ours by its last words", unit("Electricity/Active Power", "W", "431200"), "g/electricity/d received active_power_kw=431.2", sparkplugSource},
		{"ours by all its words", unit("Energy/Import", "MWh", "1.5"), "g/electricity/d received energy_import_kwh=1500", sparkplugSource},
		{"ours as it is", `{"name":"Load/active_power_kw","dataType":"Float","value":1.5}`, "g/electricity/d received active_power_kw=1.5", sparkplugSource},
		{"called by its unit", `{"name":"kW","dataType":"Float","value":1.5},{"name":"kWh","dataType":"UInt64","value":7}`, "g/electricity/d received active_power_kw=1.5 energy_import_kwh=7", sparkplugSource},
		{"two of a name keep their whole names", unit("A/Active Power", "kW", "1") + "," + unit("B/Active Power", "kW", "2"),
			"g/electricity/d received a_active_power_kw=1 b_active_power_kw=2", sparkplugSource},
		{"names that differ in what a register cannot have", `{"name":"T-1","dataType":"Float","value":1},{"name":"T 1","dataType":"Float","value":2}`,
			"g/electricity/d received t_1_d73f0481=1 t_1_5323f138=2", sparkplugSource},
		{"a unit of another dimension", unit("active_power_kw", "kWh", "5"), "g/electricity/d received active_power_kw_kwh=5", sparkplugSource},
		{"a unit nobody knows", unit("Speed", "furlongs", "5"), "g/electricity/d received speed=5", sparkplugSource},
		{"a folder named after a utility", unit("Water/Flow", "l/min", "10") + "," + unit("Fuel/Volume", "m3", "2") + `,{"name":"Generator/Running","dataType":"Boolean","value":true}`,
			"g/water/d received flow_m3h=0.6\ng/fuel/d received volume_l=2000\ng/generator/d received running=1", sparkplugSource},
		{"the source's utility", unit("Volume", "l", "1500") + "," + unit("Level", "%", "12"), "g/water/d received volume_m3=1.5 level_pct=12", water},
		{"temperature", unit("Temp", "°F", "212"), "g/electricity/d received temp_c=100", sparkplugSource},
		{"power factor in percent", unit("Power Factor", "%", "97"), "g/electricity/d received power_factor=0.97", sparkplugSource},
		{"a moment", `{"name":"Last Restart","dataType":"DateTime","value":1795421700000}`, "g/electricity/d received last_restart_ms=1.7954217e+12", sparkplugSource},
		{"numeric properties of a device", `{"name":"Properties/Firmware","dataType":"Int32","value":12}`, "g/electricity/d received properties_firmware=12", sparkplugSource},
		{"control metrics", `{"name":"Device Control/Scan Rate","dataType":"Int32","value":12}`, "control", sparkplugSource},
		{"rules", `{"name":"Meters/l1/P","dataType":"Int32","value":2500},{"name":"Secret","dataType":"Int32","value":1},{"name":"Gas.total","dataType":"Int32","value":70},{"name":"Breaker","dataType":"String","value":"CLOSED"}`,
			"g/electricity/d received p_l1_kw=2.5 breaker_closed=1\ng/fuel/d received gas_m3=7", rules},
		{"whose it is", `{"name":"x","dataType":"Int32","value":1}`, "city-g/electricity/hall-7 received x=1", named},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			newPlant(t, tt.source).expect("spBv1.0/g/DBIRTH/n/d", `{"timestamp":1795421700000,"seq":1,"metrics":[`+tt.metrics+`]}`, tt.want)
		})
	}
}

// The property that names a unit has no fixed name.
func TestSparkplugUnitProperties(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"engUnit": "p_kw=0.5", "Engineering Units": "p_kw=0.5", "Eng Unit": "p_kw=0.5", "EngUnits": "p_kw=0.5", "unit": "p_kw=0.5", "UOM": "p_kw=0.5",
		"engLow": "p=500", "Description of the unit of measure": "p=500",
	} {
		newPlant(t, sparkplugSource).expect("spBv1.0/g/DBIRTH/n/d", `{"timestamp":1795421700000,"seq":1,"metrics":[
			{"name":"P","dataType":"Double","properties":{"`+key+`":{"type":"String","value":"W"},"Quality":{"type":"Int32","value":192}},"value":500}]}`,
			"g/electricity/d received "+want)
	}
}

// A controller with thousands of tags, each of which changed at a time of its own.
func TestSparkplugLargeBirth(t *testing.T) {
	t.Parallel()
	const tags = 10_000
	var metrics []string
	for i := range tags {
		metrics = append(metrics, fmt.Sprintf(`{"name":"Line %d/Station %d/Tag %d","alias":%d,"timestamp":%d,"dataType":"Double","value":%d.5}`, i%7, i%11, i, i, arrived-i, i))
	}
	p := newPlant(t, sparkplugSource)
	got := strings.Split(p.gets("spBv1.0/g/NBIRTH/n", nbirth(strings.Join(metrics, ","))), "\n")
	if last := "g/electricity/n received partial line_0_station_0_tag_0=0.5"; len(got) != 1+tags || got[tags] != last {
		t.Fatalf("%d lines, the last of them %s; want %s", len(got), got[len(got)-1], last)
	}
	p.expect("spBv1.0/g/NDATA/n", `{"timestamp":1795421700000,"seq":1,"metrics":[{"alias":9999,"as":"Double","value":1.5}]}`,
		"g/electricity/n received partial line_3_station_0_tag_9999=1.5")
}

func TestSparkplugSignedIntegers(t *testing.T) {
	t.Parallel()
	p := newPlant(t, sparkplugSource)
	p.expect("spBv1.0/g/NBIRTH/n", nbirth(`
		{"name":"i8","alias":1,"dataType":"Int8","value":-5},{"name":"i16","alias":2,"dataType":"Int16","value":-300},
		{"name":"i32","alias":3,"dataType":"Int32","value":-70000},{"name":"i64","alias":4,"dataType":"Int64","value":-5000000000},
		{"name":"u32","alias":5,"dataType":"UInt32","value":4294967295},{"name":"u64","alias":6,"dataType":"UInt64","value":18446744073709551615}`),
		"gateway g/n online=true\ng/electricity/n received i8=-5 i16=-300 i32=-70000 i64=-5000000000 u32=4294967295 u64=1.84467440737e+19")
	// The datatype is the birth's; eight bits or all of them, the number is the same.
	p.expect("spBv1.0/g/NDATA/n", `{"timestamp":1795421700000,"seq":1,"metrics":[
		{"alias":1,"as":"Int32","value":251},{"alias":2,"as":"Int64","value":-300},{"alias":3,"as":"Int64","value":-70000},{"alias":5,"as":"UInt64","value":7}]}`,
		"g/electricity/n received partial i8=-5 i16=-300 i32=-70000 u32=7")
}

func TestSparkplugTimes(t *testing.T) {
	t.Parallel()
	p := newPlant(t, sparkplugSource)
	p.gets("spBv1.0/g/NBIRTH/n", nbirth(`{"name":"x","alias":1,"dataType":"Int32","value":1},{"name":"y","alias":2,"dataType":"Int32","value":1}`))
	p.expect("spBv1.0/g/NDATA/n", `{"timestamp":1795421699000,"seq":1,"metrics":[
		{"alias":1,"timestamp":1795421698000,"as":"Int32","value":2},{"alias":2,"as":"Int32","value":3},
		{"alias":1,"timestamp":1795421697000,"isHistorical":true,"as":"Int32","value":4},{"alias":2,"timestamp":1795421697000,"isHistorical":true,"as":"Int32","value":5},
		{"alias":1,"timestamp":1795421698000,"as":"Int32","value":6}]}`,
		"g/electricity/n 1795421697000 historical partial x=4 y=5\ng/electricity/n 1795421698000 partial x=6\ng/electricity/n 1795421699000 partial y=3")
	p.expect("spBv1.0/g/NDATA/n", `{"seq":2,"metrics":[{"alias":1,"as":"Int32","value":7}]}`, "g/electricity/n received partial x=7")
	timeless := decode.Message{Topic: "spBv1.0/g/NDATA/n", Payload: encode(t, `{"seq":3,"metrics":[{"alias":1,"as":"Int32","value":7}]}`)}
	if got := p.take(timeless); got != "!no_time" {
		t.Error(got)
	}
}

func TestSparkplugSkipsWithACount(t *testing.T) {
	t.Parallel()
	p := newPlant(t, sparkplugSource)
	p.expect("spBv1.0/g/NBIRTH/n", nbirth(`
		{"name":"table","alias":1,"dataType":"DataSet","value":"x"},{"name":"motor","alias":2,"dataType":"Template","value":"x"},
		{"name":"curve","alias":3,"dataType":"FloatArray","value":"0123"},{"name":"firmware","alias":4,"dataType":"Bytes","value":"x"},
		{"name":"brief","alias":5,"dataType":"Int32","isTransient":true,"value":1},{"name":"void","alias":6,"dataType":"Int32","isNull":true},
		{"name":"words","alias":7,"dataType":"String","value":"1"},{"name":"x","alias":8,"dataType":"Int32","value":1}`),
		"gateway g/n online=true\ng/electricity/n received x=1")
	if n := p.d.Skipped(); n != 5 {
		t.Errorf("%d skipped, want the table, the template, the array, the bytes and the transient one", n)
	}
	p.expect("spBv1.0/g/NDATA/n", `{"timestamp":1795421700000,"seq":1,"metrics":[{"alias":1,"as":"DataSet","value":"x"},{"alias":6,"as":"Int32","value":3}]}`,
		"g/electricity/n received partial void=3")
	if n := p.d.Skipped(); n != 6 {
		t.Errorf("%d skipped, want 6", n)
	}
}

func TestSparkplugQuality(t *testing.T) {
	t.Parallel()
	p := newPlant(t, sparkplugSource)
	p.gets("spBv1.0/g/NBIRTH/n", nbirth(`{"name":"x","alias":1,"dataType":"Int32","value":1}`))
	for i, tt := range []struct{ code, want string }{{"192", ""}, {"0", " suspect"}, {"500", " suspect"}} {
		p.expect("spBv1.0/g/NDATA/n", `{"timestamp":1795421700000,"seq":`+string(rune('1'+i))+`,"metrics":[{"alias":1,"as":"Int32","properties":{"Quality":{"type":"Int32","value":`+tt.code+`}},"value":3}]}`,
			"g/electricity/n received partial"+tt.want+" x=3")
	}
}

func TestSparkplugRefuses(t *testing.T) {
	t.Parallel()
	p := newPlant(t, sparkplugSource)
	for name, tt := range map[string]struct {
		topic   string
		payload []byte
		want    string
	}{
		"cut short":         {"spBv1.0/g/NDATA/n", []byte{0x0a, 0x05, 1}, "!bad_protobuf"},
		"cut short, within": {"spBv1.0/g/NDATA/n", []byte{0x12, 0x02, 0x0a, 0x09}, "!bad_protobuf"},
		"JSON":              {"spBv1.0/g/NDATA/n", []byte(`{"value": 1}`), "!bad_protobuf"},
		"nothing":           {"spBv1.0/g/NDATA/n", nil, "!empty"},
		"too long":          {"spBv1.0/g/NDATA/n", make([]byte, 2<<20+1), "!too_large"},
		"no such verb":      {"spBv1.0/g/NDATE/n", []byte{8, 1}, "!bad_topic"},
		"a device's node":   {"spBv1.0/g/NDATA/n/d", []byte{8, 1}, "!bad_topic"},
		"no device":         {"spBv1.0/g/DDATA/n", []byte{8, 1}, "!bad_topic"},
		"empty level":       {"spBv1.0/g/NDATA/", []byte{8, 1}, "!bad_topic"},
	} {
		if got := p.take(decode.Message{Topic: tt.topic, Payload: tt.payload, Received: arrived}); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

func TestSparkplugSourceMistakes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		source decode.Source
		want   string
	}{
		"host elsewhere": {decode.Source{Name: "x", Topics: []string{"tele/{meter}/+"}, Profile: "tasmota", Zone: "z", Host: "imdad"}, "host: goes with the profile sparkplug-b"},
		"host of native": {decode.Source{Name: "x", Topics: []string{"imdad/v1/#"}, Profile: "imdad", Host: "imdad"}, "host: the profile imdad takes this from its own topics and payloads"},
		"slash":          {decode.Source{Name: "x", Topics: []string{"spBv1.0/#"}, Profile: "sparkplug-b", Host: "a/b"}, "host: want 1 to 128 bytes of UTF-8 without + / #"},
		"no capture":     {decode.Source{Name: "x", Topics: []string{"spBv1.0/#"}, Profile: "sparkplug-b", Zone: "{city}"}, "zone: {city} is captured by no topic of this source, or not by all"},
	} {
		errs := tt.source.Validate()
		if len(errs) != 1 || errs[0].Error() != tt.want {
			t.Errorf("%s: %v, want %s", name, errs, tt.want)
		}
	}
}
