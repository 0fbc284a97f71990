package decode_test

import (
	"strings"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/meter"
)

// jsonSource maps several meters of one gateway, with times of its own make.
var jsonSource = decode.Source{
	Name: "gateways", Topics: []string{"city/{zone}/{gateway}"}, Profile: "json", Meter: "{gateway}.{device}", Utility: "electricity",
	Registers: []decode.Register{
		{Path: "meters.*.e", Register: "energy_import_kwh", Unit: "MWh"},
		{Path: "meters.*.p.*", Register: "active_power_{key}_kw", Unit: "W"},
		{Path: "meters.*.valve", Register: "valve_open", Enum: map[string]float64{"open": 1, "closed": 0}},
		{Path: "meters.*.t", Register: "temperature_c", Unit: "°F"},
		{Path: "meters.*.water", Register: "volume_m3", Unit: "l", Scale: 10, Offset: 5, Utility: "water"},
		{Path: "meters.*.internal", Register: "-"},
		{Path: "hz", Register: "frequency_hz", Scale: 0.01},
	},
	JSON: &decode.Mapping{Each: "meters.*", Device: "meters.*.sn", Time: "at", Layout: "02.01.2006 15:04:05"},
}

func TestJSONMapping(t *testing.T) {
	testProfile(t, jsonSource, []profileTest{
		{name: "several meters", topic: "city/sn-z1/gw7",
			payload: `{"at":"23.11.2026 11:15:00","meters":[{"sn":"4711","e":12.5,"p":{"l1":100,"l2":200,"l3":300}},{"sn":4712,"e":13.5}]}`,
			want: "sn-z1/electricity/gw7.4711 received energy_import_kwh=12500 active_power_l1_kw=0.1 active_power_l2_kw=0.2 active_power_l3_kw=0.3\n" +
				"sn-z1/electricity/gw7.4712 received energy_import_kwh=13500"},
		{name: "members instead of elements", topic: "city/sn-z1/gw7", payload: `{"at":"23.11.2026 11:15:00","meters":{"x":{"sn":"a","e":1},"y":{"sn":"b","e":2}}}`,
			want: "sn-z1/electricity/gw7.a received energy_import_kwh=1000\nsn-z1/electricity/gw7.b received energy_import_kwh=2000"},
		{name: "time after the readings", topic: "city/sn-z1/gw7", payload: `{"meters":[{"sn":"a","e":1}],"at":"23.11.2026 11:15:00"}`,
			want: "sn-z1/electricity/gw7.a received energy_import_kwh=1000"},
		{name: "words", topic: "city/sn-z1/gw7", payload: `{"at":"23.11.2026 11:15:00","meters":[{"sn":"a","valve":"open"},{"sn":"b","valve":"closed"}]}`,
			want: "sn-z1/electricity/gw7.a received valve_open=1\nsn-z1/electricity/gw7.b received valve_open=0"},
		{name: "an unknown word", topic: "city/sn-z1/gw7", payload: `{"at":"23.11.2026 11:15:00","meters":[{"sn":"a","valve":"ajar"}]}`, want: "!bad_value"},
		{name: "number in quotes", topic: "city/sn-z1/gw7", payload: `{"at":"23.11.2026 11:15:00","meters":[{"sn":"a","e":"1.5"}]}`,
			want: "sn-z1/electricity/gw7.a received energy_import_kwh=1500"},
		{name: "offset", topic: "city/sn-z1/gw7", payload: `{"at":"23.11.2026 11:15:00","meters":[{"sn":"a","t":212}]}`,
			want: "sn-z1/electricity/gw7.a received temperature_c=100"},
		{name: "scale, offset, unit and utility", topic: "city/sn-z1/gw7", payload: `{"at":"23.11.2026 11:15:00","meters":[{"sn":"a","e":1,"water":100}]}`,
			want: "sn-z1/electricity/gw7.a received energy_import_kwh=1000\nsn-z1/water/gw7.a received volume_m3=1.005"},
		{name: "unknown numbers stay", topic: "city/sn-z1/gw7", payload: `{"at":"23.11.2026 11:15:00","meters":[{"sn":"a","Foo Bar":{"Baz":[7,8]},"internal":3}]}`,
			want: "sn-z1/electricity/gw7.a received foo_bar_baz_0=7 foo_bar_baz_1=8"},
		{name: "shared by all", topic: "city/sn-z1/gw7", payload: `{"at":"23.11.2026 11:15:00","hz":5001,"meters":[{"sn":"a","e":1},{"sn":"b","e":2}]}`,
			want: "sn-z1/electricity/gw7.a received energy_import_kwh=1000 frequency_hz=50.01\nsn-z1/electricity/gw7.b received energy_import_kwh=2000 frequency_hz=50.01"},
		{name: "a name that is no id", topic: "city/sn-z1/gw7", payload: `{"at":"23.11.2026 11:15:00","meters":[{"sn":"hall 1/é","e":1}]}`,
			want: "sn-z1/electricity/gw7.hall%201%2F%C3%A9 received energy_import_kwh=1000"},
		{name: "no time", topic: "city/sn-z1/gw7", payload: `{"meters":[{"sn":"a","e":1}]}`, want: "!no_time"},
		{name: "another layout", topic: "city/sn-z1/gw7", payload: `{"at":"2026-11-23","meters":[{"sn":"a","e":1}]}`, want: "!no_time"},
		{name: "no readings", topic: "city/sn-z1/gw7", payload: `{"at":"23.11.2026 11:15:00","meters":[]}`, want: "!no_values"},
		{name: "filled up with zeros", topic: "city/sn-z1/gw7", payload: `{"at":"23.11.2026 11:15:00","meters":[{"sn":"a","e":"0001.500","t":"00","other":"0001"}]}`,
			want: "sn-z1/electricity/gw7.a received energy_import_kwh=1500 temperature_c=-17.7777777778"},
		{name: "true where a measurement is due", topic: "city/sn-z1/gw7", payload: `{"at":"23.11.2026 11:15:00","meters":[{"sn":"a","e":true}]}`, want: "!bad_value"},
		{name: "beyond a double", topic: "city/sn-z1/gw7", payload: `{"at":"23.11.2026 11:15:00","meters":[{"sn":"a","e":1e308}]}`, want: "!not_finite"},
	})
}

// Members that are named after their meters.
func TestJSONKeysAreMeters(t *testing.T) {
	testProfile(t, decode.Source{
		Name: "s", Topics: []string{"gw/{zone}"}, Profile: "json", Utility: "water",
		Registers: []decode.Register{{Path: "data.*.vol.total", Register: "volume_m3", Unit: "l"}},
		JSON:      &decode.Mapping{Each: "data.*", Device: "{key}", Time: "data.*.at", Layout: "unix"},
	}, []profileTest{
		{name: "two", topic: "gw/z", payload: `{"data":{"w1":{"vol":{"total":1500},"at":1795421700},"w\u0032":{"at":1795421700,"vol":{"total":2500}}}}`,
			want: "z/water/w1 received volume_m3=1.5\nz/water/w2 received volume_m3=2.5"},
		{name: "an array has no keys", topic: "gw/z", payload: `{"data":[{"vol":{"total":1500},"at":1795421700}]}`, want: "!bad_name"},
		{name: "beside the readings", topic: "gw/z", payload: `{"count":2,"data":{"w1":{"vol":{"total":1500},"at":1795421700}}}`, want: "z/water/w1 received volume_m3=1.5"},
	})
}

// A path may lead into some of the readings only: gas is no electricity.
// https://docs.smart-tech.live/api/data_format
func TestJSONBranches(t *testing.T) {
	testProfile(t, decode.Source{
		Name: "s", Topics: []string{"gw/{zone}"}, Profile: "json", Utility: "electricity",
		Registers: []decode.Register{
			{Path: "payload.readouts.electricity.*.value", Register: "energy_import_kwh"},
			{Path: "payload.readouts.gas.*.value", Register: "volume_m3", Utility: "fuel"},
			{Path: "payload.readouts.water.*.value", Register: "volume_m3", Utility: "water"},
		},
		JSON: &decode.Mapping{Each: "payload.readouts.*.*", Device: "payload.readouts.*.*.uuid", Time: "payload.readouts.*.*.timestamp"},
	}, []profileTest{
		{name: "every medium", topic: "gw/z", payload: `{"version":"0.2.0","payload":{"timestamp":"2024-09-12T15:06:23+02:00","readouts":{"electricity":[{"uuid":"RDNP3kXyncj8YIt2wS7G8","what":"active","timestamp":"2024-09-12T15:06:23+02:00","value":1.23}],"gas":[{"uuid":"8YIt2wS7G8RDNP3kXyncj","timestamp":"2024-09-12T15:07:23+02:00","value":2.34}],"water":[{"uuid":"Xyncj8YIt2wS7G8RDNP3k","timestamp":"2024-09-12T15:08:23+02:00","value":3.45}],"heat":[{"uuid":"t2wS7G8RDNP3kXyncj8YI","timestamp":"2024-09-12T15:09:23+02:00","value":4.56}]}}}`,
			want: "z/electricity/RDNP3kXyncj8YIt2wS7G8 1726146383000 energy_import_kwh=1.23\nz/fuel/8YIt2wS7G8RDNP3kXyncj 1726146443000 volume_m3=2.34\n" +
				"z/water/Xyncj8YIt2wS7G8RDNP3k 1726146503000 volume_m3=3.45\nz/electricity/t2wS7G8RDNP3kXyncj8YI 1726146563000 value=4.56"},
	})
}

// What says something of some readings holds for them alone.
func TestJSONBranchesOfTime(t *testing.T) {
	testProfile(t, decode.Source{
		Name: "s", Topics: []string{"gw/{zone}"}, Profile: "json", Utility: "water",
		Registers: []decode.Register{{Path: "*.v", Register: "volume_m3", Unit: "l"}},
		JSON:      &decode.Mapping{Each: "*", Device: "{key}", Time: "*.at", Seq: "a.n", Unit: "b.unit", Layout: "unix"},
	}, []profileTest{
		{name: "number and unit", topic: "gw/z", payload: `{"a":{"at":1795421700,"n":7,"v":500,"unit":"hl"},"b":{"at":1795421700,"n":8,"v":5,"unit":"hl"}}`,
			want: "z/water/a received seq=7 volume_m3=0.5\nz/water/b received n=8 volume_m3=0.5"},
	})
}

// namedSource has a reading for each value, names beside them, and branches.
var namedSource = decode.Source{
	Name: "s", Topics: []string{"gw/{zone}/{meter}"}, Profile: "json", Utility: "water",
	Registers: []decode.Register{{Path: "k1.v", Register: "volume_m3", Unit: "l"}},
	JSON:      &decode.Mapping{Each: "*", Time: "*.t", Layout: "unix", Name: "*.n"},
}

// Many gateways say the names of values beside them.
func TestJSONNames(t *testing.T) {
	// https://docs.emqx.com/en/neuron/v2.2/reference/mqtt-api.html
	t.Run("in one reading", func(t *testing.T) {
		testProfile(t, decode.Source{
			Name: "s", Topics: []string{"neuron/+/{meter}/+"}, Profile: "json", Zone: "z", Utility: "electricity",
			Registers: []decode.Register{{Path: "tags.data1.value", Register: "active_power_kw", Unit: "W"}, {Path: "tags.*.error", Register: "-"}, {Path: "tags.30001.value", Register: "frequency_hz", Scale: 0.01}},
			JSON:      &decode.Mapping{Time: "timestamp", Layout: "unix_ms", Name: "tags.*.name"},
		}, []profileTest{
			{name: "the name behind the value", topic: "neuron/n/modbus/g", payload: `{"node":"modbus-tcp-2","group":"group-1","timestamp":1647497389075,"tags":[{"value":123,"name":"data1"},{"name":"data2","error":2014}]}`, want: "z/electricity/modbus 1647497389075 active_power_kw=0.123"},
			{name: "another order", topic: "neuron/n/modbus/g", payload: `{"timestamp":1647497389075,"tags":[{"name":"data3","value":7.5},{"name":"data1","value":123}]}`, want: "z/electricity/modbus 1647497389075 tags_data3_value=7.5 active_power_kw=0.123"},
			{name: "a number for a name", topic: "neuron/n/modbus/g", payload: `{"timestamp":1647497389075,"tags":[{"name":30001,"value":5001}]}`, want: "z/electricity/modbus 1647497389075 frequency_hz=50.01"},
			{name: "no name", topic: "neuron/n/modbus/g", payload: `{"timestamp":1647497389075,"tags":[{"value":1},{"name":"","value":2},{"name":null,"value":3},4]}`, want: "z/electricity/modbus 1647497389075 tags_0_value=1 tags_1_value=2 tags_2_value=3 tags_3=4"},
			{name: "one name twice", topic: "neuron/n/modbus/g", payload: `{"timestamp":1647497389075,"tags":[{"name":"data1","value":1},{"name":"data1","value":2}]}`, want: "!duplicate_key"},
			{name: "cut", topic: "neuron/n/modbus/g", payload: `{"timestamp":1647497389075,"tags":[{"name":"data1","value":1},{"name":"da`, want: "!bad_json"},
		})
	})
	// https://docs.clarify.io/developers/tools/mqtt-broker/formats/kepserver
	t.Run("a reading each", func(t *testing.T) {
		testProfile(t, decode.Source{
			Name: "s", Topics: []string{"kepserver/{meter}"}, Profile: "json", Zone: "z", Utility: "water",
			Registers: []decode.Register{{Path: `Group A\.Device C - D\.Tag 42.value`, Register: "volume_m3", Unit: "l"}},
			JSON:      &decode.Mapping{Each: "*", Time: "*.timestamp", Layout: "unix_ms", Name: "*.tagname"},
		}, []profileTest{
			{name: "two times", topic: "kepserver/w1", payload: `[{"tagname":"Group A.Device C - D.Tag 42","timestamp":1651604184861,"value":1291},{"tagname":"Group B.Device A - F.Tag 7","timestamp":1651604185020,"value":185.2}]`,
				want: "z/water/w1 1651604184861 partial volume_m3=1.291\nz/water/w1 1651604185020 partial group_b_device_a_f_tag_7_value=185.2"},
		})
	})
}

// A dot in a key, and a wildcard that names the register.
func TestJSONPaths(t *testing.T) {
	testProfile(t, decode.Source{
		Name: "s", Topics: []string{"a/{meter}"}, Profile: "json", Zone: "z", Utility: "electricity", JSON: &decode.Mapping{},
		Registers: []decode.Register{
			{Path: `p\.sum`, Register: "active_power_kw", Unit: "W"},
			{Path: "u.*", Register: "voltage_l{n}_v"},
			{Path: "i.*.rms", Register: "current_{key}_a", Unit: "mA"},
		},
	}, []profileTest{
		{name: "all", topic: "a/m", payload: `{"p.sum":1000,"u":[229,230],"i":{"l1":{"rms":500},"L 2":{"rms":700}}}`,
			want: "z/electricity/m received active_power_kw=1 voltage_l1_v=229 voltage_l2_v=230 current_l1_a=0.5 current_l_2_a=0.7"},
		{name: "two that want one name", topic: "a/m", payload: `{"a.b":1,"a":{"b":2},"A_B":3}`, want: "z/electricity/m received a_b=1 a_b_2=2 a_b_3=3"},
	})
}

func TestJSONTimes(t *testing.T) {
	for layout, payload := range map[string]string{
		"unix": `{"t":1795421700,"v":1}`, "unix_ms": `{"t":1795421700000,"v":1}`, "unix_us": `{"t":1795421700000000,"v":1}`,
		"unix_ns": `{"t":1795421700000000000,"v":1}`, "": `{"t":"2026-11-23T08:15:00Z","v":1}`, "rfc3339": `{"t":"2026-11-23T11:15:00","v":1}`,
		"2006-01-02 15:04:05 -0700": `{"t":"2026-11-23 10:15:00 +0200","v":1}`, "02/01/06 15:04": `{"t":"23/11/26 11:15","v":1}`, "20060102150405": `{"t":20261123111500,"v":1}`,
	} {
		t.Run(layout, func(t *testing.T) {
			testProfile(t, decode.Source{
				Name: "s", Topics: []string{"a/{meter}"}, Profile: "json", Zone: "z", Utility: "fuel", JSON: &decode.Mapping{Time: "t", Layout: layout},
			}, []profileTest{{name: "same", topic: "a/m", payload: payload, want: "z/fuel/m received v=1"}})
		})
	}
}

// What is no time, or may be two, is refused.
func TestJSONBadTimes(t *testing.T) {
	source := decode.Source{Name: "s", Topics: []string{"a/{meter}"}, Profile: "json", Zone: "z", Utility: "fuel", JSON: &decode.Mapping{Time: "t", Seq: "n"}}
	testProfile(t, source, []profileTest{
		{name: "a number is no rfc3339", topic: "a/m", payload: `{"t":1795421700,"v":1}`, want: "!no_time"},
		{name: "true", topic: "a/m", payload: `{"t":true,"v":1}`, want: "!no_time"},
		{name: "twice", topic: "a/m", payload: `{"t":"2026-11-23T08:15:00Z","t":"2026-11-23T08:16:00Z","v":1}`, want: "!duplicate_key"},
		{name: "the number twice", topic: "a/m", payload: `{"t":"2026-11-23T08:15:00Z","n":1,"n":2,"v":1}`, want: "!duplicate_key"},
		{name: "a number in quotes", topic: "a/m", payload: `{"t":"2026-11-23T08:15:00Z","n":"7","v":1}`, want: "z/fuel/m received seq=7 v=1"},
		{name: "numbers that count no messages", topic: "a/m", payload: `{"t":"2026-11-23T08:15:00Z","n":1e23,"v":1}`, want: "z/fuel/m received v=1"},
		{name: "half a number", topic: "a/m", payload: `{"t":"2026-11-23T08:15:00Z","n":1.5,"v":1}`, want: "z/fuel/m received v=1"},
		{name: "less than none", topic: "a/m", payload: `{"t":"2026-11-23T08:15:00Z","n":-1,"v":1}`, want: "z/fuel/m received v=1"},
	})
}

// What can be known to be wrong is said when the configuration is loaded.
func TestMappingMistakes(t *testing.T) {
	t.Parallel()
	good := func() decode.Source {
		return decode.Source{
			Name: "s", Topics: []string{"a/{meter}"}, Profile: "json", Zone: "z", Utility: "fuel",
			Registers: []decode.Register{{Path: "v", Register: "volume_l"}}, JSON: &decode.Mapping{},
		}
	}
	tests := []struct {
		name   string
		change func(*decode.Source)
		want   string
	}{
		{"nothing", func(*decode.Source) {}, ""},
		{"other dimension", func(s *decode.Source) { s.Registers[0].Unit = "bar" }, "registers[0].unit: register volume_l: bar measures pressure"},
		{"unknown unit", func(s *decode.Source) { s.Registers[0].Unit = "cubit" }, "registers[0].unit: unknown unit"},
		{"register without a unit", func(s *decode.Source) { s.Registers[0] = decode.Register{Path: "v", Register: "running", Unit: "W"} }, "registers[0].unit: "},
		{"illegal register", func(s *decode.Source) { s.Registers[0].Register = "Volume" }, "registers[0].register: "},
		{"register's utility", func(s *decode.Source) { s.Registers[0].Utility = "gas" }, "registers[0].utility: "},
		{"layout", func(s *decode.Source) { s.JSON = &decode.Mapping{Time: "t", Layout: "15:04"} }, "json.layout: "},
		{"key of no reading", func(s *decode.Source) { s.JSON = &decode.Mapping{Device: "{key}"} }, "json.device: "},
		{"name without a *", func(s *decode.Source) { s.JSON = &decode.Mapping{Name: "tags.name"} }, "json.name: "},
		{"layout without time", func(s *decode.Source) { s.JSON = &decode.Mapping{Layout: "unix"} }, "json.layout: "},
		{"no mapping", func(s *decode.Source) { s.JSON = nil }, "json: "},
		{"no utility", func(s *decode.Source) { s.Utility = "" }, "utility: "},
		{"unknown utility", func(s *decode.Source) { s.Utility = "gas" }, "utility: "},
		{"no zone", func(s *decode.Source) { s.Zone = "" }, "zone: {zone} is captured by no topic"},
		{"unknown capture", func(s *decode.Source) { s.Meter = "{serial}" }, "meter: {serial} is captured by no topic"},
		{"open brace", func(s *decode.Source) { s.Meter = "{serial" }, "meter: "},
		{"captured by one of two", func(s *decode.Source) { s.Topics = append(s.Topics, "b/+") }, "meter: "},
		{"time zone", func(s *decode.Source) { s.Timezone = "Asia/Nowhere" }, "timezone: "},
		{"quality", func(s *decode.Source) { s.Quality = "late" }, "quality: "},
		{"half a level", func(s *decode.Source) { s.Topics[0] = "a/x{meter}" }, "topics[0]: "},
		{"twice the same", func(s *decode.Source) { s.Topics[0] = "{meter}/{meter}" }, "topics[0]: "},
		{"rest in the middle", func(s *decode.Source) { s.Topics[0] = "{meter#}/a" }, "topics[0]: "},
		{"illegal name", func(s *decode.Source) { s.Names = map[string]string{"a": "b c"} }, "names.a: "},
		{"native with a zone", func(s *decode.Source) {
			*s = decode.Source{Name: "n", Topics: []string{"imdad/v1/#"}, Profile: "imdad", Zone: "z"}
		}, "zone: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			source := good()
			tt.change(&source)
			errs := source.Validate()
			if tt.want == "" {
				if len(errs) > 0 {
					t.Error(errs)
				}
				return
			}
			if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), tt.want) {
				t.Errorf("got %v, want one error at %q", errs, tt.want)
			}
		})
	}
}

// The escape hatch: what a profile makes of a message, a mapping can make too.
func TestJSONReachesWhatProfilesDo(t *testing.T) {
	t.Parallel()
	mapped := func(topic string, utility meter.Utility, m decode.Mapping, registers ...decode.Register) decode.Source {
		return decode.Source{Name: "s", Topics: []string{topic}, Profile: "json", Zone: "sn-z1", Utility: utility, JSON: &m, Registers: registers}
	}
	switches := map[string]float64{"ON": 1, "OFF": 0}
	tests := []struct {
		profile        decode.Source
		topic, payload string // empty: the typical ones
		mapped         decode.Source
	}{
		{profile: tasmotaSource, mapped: mapped("tele/{meter}/SENSOR", "electricity", decode.Mapping{Time: "Time"},
			decode.Register{Path: "ENERGY.Total", Register: "energy_import_kwh"}, decode.Register{Path: "ENERGY.Yesterday", Register: "energy_yesterday_kwh"},
			decode.Register{Path: "ENERGY.Today", Register: "energy_today_kwh"}, decode.Register{Path: "ENERGY.Period", Register: "energy_period_kwh", Unit: "Wh"},
			decode.Register{Path: "ENERGY.Power", Register: "active_power_kw", Unit: "W"}, decode.Register{Path: "ENERGY.ApparentPower", Register: "apparent_power_kva", Unit: "VA"},
			decode.Register{Path: "ENERGY.ReactivePower", Register: "reactive_power_kvar", Unit: "var"}, decode.Register{Path: "ENERGY.Factor", Register: "power_factor"},
			decode.Register{Path: "ENERGY.Voltage", Register: "voltage_l1_v"}, decode.Register{Path: "ENERGY.Current", Register: "current_l1_a"})},
		{profile: tasmotaSource, topic: "tele/p/SENSOR", payload: `{"Time":"2026-11-23T11:15:00","ENERGY":{"Voltage":[229,230,231]},"AM2301":{"Temperature":68},"TempUnit":"F"}`,
			mapped: mapped("tele/{meter}/SENSOR", "electricity", decode.Mapping{Time: "Time"},
				decode.Register{Path: "ENERGY.Voltage.*", Register: "voltage_l{n}_v"}, decode.Register{Path: "*.Temperature", Register: "am2301_temperature_c", Unit: "°F"})},
		{profile: shellySource, topic: "d/events/rpc", payload: `{"src":"d","params":{"ts":1675072985.86,"em:0":{"total_act_power":100,"n_current":null}}}`,
			mapped: mapped("{meter}/events/rpc", "electricity", decode.Mapping{Time: "params.ts", Layout: "unix"},
				decode.Register{Path: "params.em:0.total_act_power", Register: "active_power_kw", Unit: "W"})},
		{profile: wmbusSource, mapped: mapped("wmbusmeters/#", "water", decode.Mapping{Time: "timestamp", Device: "id"}, decode.Register{Path: "total_m3", Register: "volume_m3"})},
		{profile: zigbeeSource, mapped: mapped("zigbee2mqtt/{meter}", "electricity", decode.Mapping{},
			decode.Register{Path: "current", Register: "current_l1_a"}, decode.Register{Path: "energy", Register: "energy_import_kwh"},
			decode.Register{Path: "power", Register: "active_power_kw", Unit: "W"}, decode.Register{Path: "voltage", Register: "voltage_l1_v"},
			decode.Register{Path: "state", Register: "state", Enum: switches})},
		{profile: tbDevice, mapped: mapped("{meter}/v1/devices/me/telemetry", "water", decode.Mapping{Time: "ts", Layout: "unix_ms"},
			decode.Register{Path: "values.press", Register: "pressure_bar", Unit: "kPa"}, decode.Register{Path: "values.m3/h", Register: "flow_m3h"},
			decode.Register{Path: "values.*", Register: "{key}"})},
		{profile: tbGateway, mapped: mapped("v1/gateway/telemetry", "water", decode.Mapping{Each: "*.*", Device: "{key}", Time: "*.*.ts", Layout: "unix_ms"},
			decode.Register{Path: "*.*.values.*", Register: "{key}"})},
		{profile: chirpstackSource, mapped: mapped("application/+/device/+/event/up", "water", decode.Mapping{Device: "deviceInfo.devEui", Time: "time", Seq: "fCnt"},
			decode.Register{Path: "object.pulses", Register: "volume_m3", Unit: "l", Scale: 10}, decode.Register{Path: "object.battery", Register: "battery_pct"},
			decode.Register{Path: "object.status", Register: "-"}, decode.Register{Path: "object.*", Register: "{key}"},
			decode.Register{Path: "fPort", Register: "-"}, decode.Register{Path: "rxInfo.*.*", Register: "-"}, decode.Register{Path: "txInfo.frequency", Register: "-"},
			decode.Register{Path: "txInfo.modulation.lora.*", Register: "-"})},
		{profile: ttnSource, mapped: mapped("v3/+/devices/+/up", "water", decode.Mapping{Device: "end_device_ids.device_id", Time: "received_at", Seq: "uplink_message.f_cnt"},
			decode.Register{Path: "uplink_message.decoded_payload.waterLevelCm", Register: "tank_level_m", Unit: "cm"},
			decode.Register{Path: "uplink_message.decoded_payload.distanceCm", Register: "distancecm"}, decode.Register{Path: "uplink_message.decoded_payload.batteryV", Register: "batteryv"},
			decode.Register{Path: "uplink_message.f_port", Register: "-"}, decode.Register{Path: "uplink_message.rx_metadata.*.*", Register: "-"},
			decode.Register{Path: "uplink_message.settings.*", Register: "-"}, decode.Register{Path: "uplink_message.settings.data_rate.lora.*", Register: "-"})},
	}
	for _, tt := range tests {
		for _, usual := range typical {
			if tt.payload == "" && usual.source.Name == tt.profile.Name {
				tt.topic, tt.payload = usual.topic, usual.payload
			}
		}
		t.Run(tt.profile.Profile+" "+tt.topic, func(t *testing.T) {
			t.Parallel()
			if errs := tt.mapped.Validate(); len(errs) > 0 {
				t.Fatal(errs)
			}
			m := decode.Message{Topic: tt.topic, Payload: []byte(tt.payload), Received: arrived}
			// That a message leaves out what stands is no value of it.
			want := strings.ReplaceAll(read(decode.New([]decode.Source{tt.profile}, meter.NewCatalog(10)), m), " partial", "")
			if got := read(decode.New([]decode.Source{tt.mapped}, meter.NewCatalog(10)), m); got != want || !strings.Contains(want, "=") {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// The payload names the unit of what it carries.
func TestJSONUnits(t *testing.T) {
	source := func(m decode.Mapping, registers ...decode.Register) decode.Source {
		return decode.Source{Name: "s", Topics: []string{"a/{meter}"}, Profile: "json", Zone: "z", Utility: "water", JSON: &m, Registers: registers}
	}
	const m = "z/water/m received "
	for _, tt := range []struct {
		name   string
		source decode.Source
		tests  []profileTest
	}{
		{"beside the value", source(decode.Mapping{Unit: "unit"}, decode.Register{Path: "value", Register: "flow_m3h", Unit: "l/s"}), []profileTest{
			{name: "litres a minute", payload: `{"name":"flow","value":3.2,"unit":"l/min"}`, want: m + "flow_m3h=0.192"},
			{name: "before the value", payload: `{"unit":"l/min","value":3.2}`, want: m + "flow_m3h=0.192"},
			{name: "another", payload: `{"value":3.2,"unit":"m³/h"}`, want: m + "flow_m3h=3.2"},
			{name: "left out", payload: `{"value":10}`, want: m + "flow_m3h=36"},
			{name: "null", payload: `{"value":10,"unit":null}`, want: m + "flow_m3h=36"},
			{name: "unknown", payload: `{"value":3.2,"unit":"furlong"}`, want: "!bad_unit"},
			{name: "of something else", payload: `{"value":3.2,"unit":"bar"}`, want: "!bad_unit"},
			{name: "twice", payload: `{"value":3.2,"unit":"l/h","unit":"l/h"}`, want: "!duplicate_key"},
			{name: "beyond a double", payload: `{"value":1e308,"unit":"m3/s"}`, want: "!not_finite"},
		}},
		{"each its own", source(decode.Mapping{Unit: "*.unit"}, decode.Register{Path: "flow.value", Register: "flow_m3h"},
			decode.Register{Path: "p.value", Register: "pressure_bar", Scale: 10, Offset: 5}, decode.Register{Path: "valve.value", Register: "valve"}), []profileTest{
			{name: "both", payload: `{"flow":{"value":60,"unit":"l/min"},"p":{"value":250,"unit":"hPa"}}`, want: m + "flow_m3h=3.6 pressure_bar=2.505"},
			{name: "one of them", payload: `{"flow":{"value":60,"unit":"l/min"},"p":{"value":0}}`, want: m + "flow_m3h=3.6 pressure_bar=5"},
			{name: "a register without a unit", payload: `{"valve":{"value":1,"unit":"open"}}`, want: m + "valve=1"},
		}},
		{"in readings", source(decode.Mapping{Each: "r.*", Device: "r.*.id", Unit: "r.*.u"}, decode.Register{Path: "r.*.v", Register: "volume_m3"}), []profileTest{
			{name: "two", payload: `{"r":[{"id":"a","v":1500,"u":"l"},{"id":"b","u":"m3","v":2},{"id":"c","v":3}]}`,
				want: m[:8] + "m received volume_m3=1.5\n" + m + "volume_m3=2\n" + m + "volume_m3=3"},
		}},
		{"outside of readings", source(decode.Mapping{Each: "r.*", Unit: "u"}, decode.Register{Path: "r.*.v", Register: "volume_m3"}, decode.Register{Path: "sum", Register: "volume_l"}), []profileTest{
			{name: "before", payload: `{"u":"l","sum":1,"r":[{"v":1500},{"v":500}]}`, want: m + "volume_m3=1.5 volume_l=1\n" + m + "volume_m3=0.5 volume_l=1"},
			{name: "after", payload: `{"r":[{"v":1500}],"sum":2,"u":"gal"}`, want: m + "volume_m3=5.678117676 volume_l=7.570823568"},
			{name: "no reading", payload: `{"u":"l","r":[]}`, want: "!no_values"},
			{name: "twice", payload: `{"u":"l","r":[{"v":1}],"u":"l"}`, want: "!duplicate_key"},
		}},
	} {
		for i := range tt.tests {
			tt.tests[i].topic = "a/m"
		}
		t.Run(tt.name, func(t *testing.T) { testProfile(t, tt.source, tt.tests) })
	}
}

// A key names the meter, whatever stands below it.
func TestJSONKeysAboveArrays(t *testing.T) {
	testProfile(t, decode.Source{
		Name: "s", Topics: []string{"gw/{zone}"}, Profile: "json", Utility: "water",
		Registers: []decode.Register{{Path: "*.readings.*.v", Register: "volume_m3"}},
		JSON:      &decode.Mapping{Each: "*.readings.*", Device: "{key}", Time: "*.readings.*.t", Layout: "unix"},
	}, []profileTest{
		{name: "arrays of keys", topic: "gw/z", payload: `{"w1":{"readings":[{"t":1795421640,"v":1},{"t":1795421700,"v":2}]},"w2":{"readings":[{"t":1795421700,"v":3}]}}`,
			want: "z/water/w1 1795421640000 volume_m3=1\nz/water/w1 received volume_m3=2\nz/water/w2 received volume_m3=3"},
		{name: "an array of arrays", topic: "gw/z", payload: `[{"readings":[{"t":1795421700,"v":1}]}]`, want: "!bad_name"},
	})
}
