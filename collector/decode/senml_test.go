package decode_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/meter"
)

var senmlSource = decode.Source{Name: "packs", Topics: []string{"senml/#"}, Profile: "senml", Zone: "sn-z1", Utility: "electricity"}

// The examples of RFC 8428, https://www.rfc-editor.org/rfc/rfc8428, sections 2 and
// 5.1, in the order in which they stand there. What is not relative to now is the
// same in their resolved form, and the others are resolved by the receipt.
var senmlExamples = []struct {
	name, pack, resolved, want string
}{
	{
		"2 two times", `[{"bn":"urn:dev:ow:10e2073a01080063","u":"Cel","t":1.276020076e+09,"v":23.5},{"u":"Cel","t":1.276020091e+09,"v":23.6}]`,
		`[{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","t":1.276020076e+09,"v":23.5},{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","t":1.276020091e+09,"v":23.6}]`,
		"sn-z1/electricity/urn:dev:ow:10e2073a01080063 1276020076000 temperature_c=23.5\nsn-z1/electricity/urn:dev:ow:10e2073a01080063 1276020091000 temperature_c=23.6",
	},
	{
		"5.1.1 single data point", `[{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1}]`, `[{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","t":1795421700,"v":23.1}]`,
		"sn-z1/electricity/urn:dev:ow:10e2073a01080063 received temperature_c=23.1",
	},
	{
		"5.1.2 voltage and current now", `[{"bn":"urn:dev:ow:10e2073a01080063:","n":"voltage","u":"V","v":120.1},{"n":"current","u":"A","v":1.2}]`,
		`[{"n":"urn:dev:ow:10e2073a01080063:voltage","u":"V","t":1795421700,"v":120.1},{"n":"urn:dev:ow:10e2073a01080063:current","u":"A","t":1795421700,"v":1.2}]`,
		"sn-z1/electricity/urn:dev:ow:10e2073a01080063 received voltage_v=120.1 current_a=1.2",
	},
	{
		"5.1.2 the seconds before",
		`[{"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},
		  {"n":"current","t":-5,"v":1.2},{"n":"current","t":-4,"v":1.3},{"n":"current","t":-3,"v":1.4},{"n":"current","t":-2,"v":1.5},{"n":"current","t":-1,"v":1.6},{"n":"current","v":1.7}]`,
		`[{"n":"urn:dev:ow:10e2073a0108006:current","u":"A","t":1276020071.001,"v":1.2},{"n":"urn:dev:ow:10e2073a0108006:current","u":"A","t":1276020072.001,"v":1.3},
		  {"n":"urn:dev:ow:10e2073a0108006:current","u":"A","t":1276020073.001,"v":1.4},{"n":"urn:dev:ow:10e2073a0108006:current","u":"A","t":1276020074.001,"v":1.5},
		  {"n":"urn:dev:ow:10e2073a0108006:current","u":"A","t":1276020075.001,"v":1.6},{"n":"urn:dev:ow:10e2073a0108006:voltage","u":"V","t":1276020076.001,"v":120.1},
		  {"n":"urn:dev:ow:10e2073a0108006:current","u":"A","t":1276020076.001,"v":1.7}]`,
		ofDevice("urn:dev:ow:10e2073a0108006", "1276020071001 current_a=1.2", "1276020072001 current_a=1.3", "1276020073001 current_a=1.4", "1276020074001 current_a=1.5",
			"1276020075001 current_a=1.6", "1276020076001 voltage_v=120.1 current_a=1.7"),
	},
	{
		"5.1.2 the stream, ended",
		`[{"bn":"urn:dev:ow:10e2073a01080063","bt":1.320067464e+09,"bu":"%RH","v":21.2},{"t":10,"v":21.3},{"t":20,"v":21.4},{"t":30,"v":21.4},{"t":40,"v":21.5},{"t":50,"v":21.5},{"t":60,"v":21.5},{"t":70,"v":21.6},{"t":80,"v":21.7}]`,
		`[{"n":"urn:dev:ow:10e2073a01080063","t":1320067464,"u":"%RH","v":21.2},{"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1320067474,"v":21.3},{"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1320067484,"v":21.4},
		  {"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1320067494,"v":21.4},{"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1320067504,"v":21.5},{"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1320067514,"v":21.5},
		  {"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1320067524,"v":21.5},{"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1320067534,"v":21.6},{"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1320067544,"v":21.7}]`,
		ofDevice("urn:dev:ow:10e2073a01080063", "1320067464000 humidity_pct=21.2", "1320067474000 humidity_pct=21.3", "1320067484000 humidity_pct=21.4", "1320067494000 humidity_pct=21.4",
			"1320067504000 humidity_pct=21.5", "1320067514000 humidity_pct=21.5", "1320067524000 humidity_pct=21.5", "1320067534000 humidity_pct=21.6", "1320067544000 humidity_pct=21.7"),
	},
	{
		"5.1.3 multiple measurements, and 5.1.4 resolved",
		`[{"bn":"urn:dev:ow:10e2073a01080063","bt":1.320067464e+09,"bu":"%RH","v":20},{"u":"lon","v":24.30621},{"u":"lat","v":60.07965},
		  {"t":60,"v":20.3},{"u":"lon","t":60,"v":24.30622},{"u":"lat","t":60,"v":60.07965},{"t":120,"v":20.7},{"u":"lon","t":120,"v":24.30623},{"u":"lat","t":120,"v":60.07966},
		  {"u":"%EL","t":150,"v":98},{"t":180,"v":21.2},{"u":"lon","t":180,"v":24.30628},{"u":"lat","t":180,"v":60.07967}]`,
		`[{"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1.320067464e+09,"v":20},{"n":"urn:dev:ow:10e2073a01080063","u":"lon","t":1.320067464e+09,"v":24.30621},
		  {"n":"urn:dev:ow:10e2073a01080063","u":"lat","t":1.320067464e+09,"v":60.07965},{"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1.320067524e+09,"v":20.3},
		  {"n":"urn:dev:ow:10e2073a01080063","u":"lon","t":1.320067524e+09,"v":24.30622},{"n":"urn:dev:ow:10e2073a01080063","u":"lat","t":1.320067524e+09,"v":60.07965},
		  {"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1.320067584e+09,"v":20.7},{"n":"urn:dev:ow:10e2073a01080063","u":"lon","t":1.320067584e+09,"v":24.30623},
		  {"n":"urn:dev:ow:10e2073a01080063","u":"lat","t":1.320067584e+09,"v":60.07966},{"n":"urn:dev:ow:10e2073a01080063","u":"%EL","t":1.320067614e+09,"v":98},
		  {"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1.320067644e+09,"v":21.2},{"n":"urn:dev:ow:10e2073a01080063","u":"lon","t":1.320067644e+09,"v":24.30628},
		  {"n":"urn:dev:ow:10e2073a01080063","u":"lat","t":1.320067644e+09,"v":60.07967}]`,
		ofDevice("urn:dev:ow:10e2073a01080063", "1320067464000 humidity_pct=20 longitude=24.30621 latitude=60.07965", "1320067524000 humidity_pct=20.3 longitude=24.30622 latitude=60.07965",
			"1320067584000 humidity_pct=20.7 longitude=24.30623 latitude=60.07966", "1320067614000 battery_pct=98", "1320067644000 humidity_pct=21.2 longitude=24.30628 latitude=60.07967"),
	},
	{
		"5.1.5 multiple data types",
		`[{"bn":"urn:dev:ow:10e2073a01080063:","n":"temp","u":"Cel","v":23.1},{"n":"label","vs":"Machine Room"},{"n":"open","vb":false},{"n":"nfv-reader","vd":"aGkgCg"}]`,
		`[{"n":"urn:dev:ow:10e2073a01080063:temp","u":"Cel","v":23.1,"t":1795421700},{"n":"urn:dev:ow:10e2073a01080063:label","vs":"Machine Room","t":1795421700},
		  {"n":"urn:dev:ow:10e2073a01080063:open","vb":false,"t":1795421700},{"n":"urn:dev:ow:10e2073a01080063:nfv-reader","vd":"aGkgCg","t":1795421700}]`,
		"sn-z1/electricity/urn:dev:ow:10e2073a01080063 received temperature_c=23.1 open=0",
	},
	{
		"5.1.6 collection of resources",
		`[{"bn":"2001:db8::2/","bt":1.320078429e+09,"n":"temperature","u":"Cel","v":25.2},{"n":"humidity","u":"%RH","v":30},{"bn":"2001:db8::1/","n":"temperature","u":"Cel","v":12.3},{"n":"humidity","u":"%RH","v":67}]`,
		`[{"n":"2001:db8::2/temperature","u":"Cel","t":1.320078429e+09,"v":25.2},{"n":"2001:db8::2/humidity","u":"%RH","t":1.320078429e+09,"v":30},
		  {"n":"2001:db8::1/temperature","u":"Cel","t":1.320078429e+09,"v":12.3},{"n":"2001:db8::1/humidity","u":"%RH","t":1.320078429e+09,"v":67}]`,
		ofDevice("2001:db8::2", "1320078429000 temperature_c=25.2 humidity_pct=30") + "\n" + ofDevice("2001:db8::1", "1320078429000 temperature_c=12.3 humidity_pct=67"),
	},
	{
		"5.1.7 thermostat", `[{"bn":"urn:dev:ow:10e2073a01080063:"},{"n":"temp","u":"Cel","v":23.1},{"n":"heat","u":"/","v":1},{"n":"fan","u":"/","v":0}]`,
		`[{"n":"urn:dev:ow:10e2073a01080063:temp","u":"Cel","v":23.1,"t":1795421700},{"n":"urn:dev:ow:10e2073a01080063:heat","u":"/","v":1,"t":1795421700},{"n":"urn:dev:ow:10e2073a01080063:fan","u":"/","v":0,"t":1795421700}]`,
		"sn-z1/electricity/urn:dev:ow:10e2073a01080063 received temperature_c=23.1 heat=1 fan=0",
	},
	{
		"5.1.7 two lights on", `[{"bt":1.320078429e+09,"bu":"/","n":"2001:db8::3","v":1},{"n":"2001:db8::4","v":1}]`,
		`[{"n":"2001:db8::3","u":"/","t":1320078429,"v":1},{"n":"2001:db8::4","u":"/","t":1320078429,"v":1}]`,
		ofDevice("2001:db8::3", "1320078429000 value=1") + "\n" + ofDevice("2001:db8::4", "1320078429000 value=1"),
	},
	{
		"5.1.7 two lights off", `[{"bt":1.320078429e+09,"bu":"/","n":"2001:db8::3","v":0.5},{"n":"2001:db8::4","v":0.5},{"n":"2001:db8::3","t":0.1,"v":0},{"n":"2001:db8::4","t":0.1,"v":0}]`,
		`[{"n":"2001:db8::3","u":"/","t":1320078429,"v":0.5},{"n":"2001:db8::4","u":"/","t":1320078429,"v":0.5},{"n":"2001:db8::3","u":"/","t":1320078429.1,"v":0},{"n":"2001:db8::4","u":"/","t":1320078429.1,"v":0}]`,
		ofDevice("2001:db8::3", "1320078429000 value=0.5") + "\n" + ofDevice("2001:db8::4", "1320078429000 value=0.5") + "\n" +
			ofDevice("2001:db8::3", "1320078429100 value=0") + "\n" + ofDevice("2001:db8::4", "1320078429100 value=0"),
	},
}

// ofDevice puts whose they are in front of readings.
func ofDevice(device string, readings ...string) string {
	lines := make([]string, len(readings))
	for i, r := range readings {
		lines[i] = "sn-z1/electricity/" + device + " " + r
	}
	return strings.Join(lines, "\n")
}

// Each example as the RFC prints it, in its resolved form, and both of them in
// CBOR.
func TestSenMLExamples(t *testing.T) {
	var tests []profileTest
	for _, e := range senmlExamples {
		section, _, _ := strings.Cut(e.name, " ")
		add := func(form, pack string) {
			tests = append(tests, profileTest{name: e.name + form, topic: "senml/x", payload: pack, source: "https://www.rfc-editor.org/rfc/rfc8428#section-" + section, want: e.want})
		}
		for form, pack := range map[string]string{"": e.pack, ", resolved": e.resolved} {
			add(form, pack)
			add(form+", CBOR", inCBOR(t, pack, nil))
			add(form+", CBOR with names", inCBOR(t, pack, senmlNames))
		}
	}
	testDocumented(t, senmlSource, tests)
}

// The dump of section 6 of RFC 8428.
func TestSenMLDump(t *testing.T) {
	dump, err := os.ReadFile("testdata/senml/rfc8428-6.hex")
	if err != nil {
		t.Fatal(err)
	}
	pack, err := hex.DecodeString(strings.Join(strings.Fields(string(dump)), ""))
	if err != nil {
		t.Fatal(err)
	}
	testProfile(t, senmlSource, []profileTest{{name: "section 6", topic: "senml/x", payload: string(pack), want: senmlExamples[3].want}})
}

// senmlLabels are the labels of table 4, and senmlNames those of table 2.
var (
	senmlLabels = map[string]any{"bver": -1, "bn": -2, "bt": -3, "bu": -4, "bv": -5, "bs": -6, "n": 0, "u": 1, "v": 2, "vs": 3, "vb": 4, "s": 5, "t": 6, "ut": 7, "vd": 8}
	senmlNames  = map[string]any{}
)

// inCBOR writes a pack of JSON in CBOR, with other labels than the integers if
// there are any: what a library for CBOR makes of it, not the code that is tested.
func inCBOR(t testing.TB, pack string, labels map[string]any) string {
	t.Helper()
	if labels == nil {
		labels = senmlLabels
	}
	var records []map[string]any
	if err := json.Unmarshal([]byte(pack), &records); err != nil {
		t.Fatal(err)
	}
	out := make([]map[any]any, len(records))
	for i, r := range records {
		out[i] = make(map[any]any)
		for name, v := range r {
			label, ok := labels[name]
			if !ok {
				label = name
			}
			if name == "vd" {
				v = []byte(v.(string))
			}
			if name == "bver" {
				v = uint64(v.(float64))
			}
			out[i][label] = v
		}
	}
	mode, err := cbor.EncOptions{ShortestFloat: cbor.ShortestFloat16}.EncMode()
	if err != nil {
		t.Fatal(err)
	}
	data, err := mode.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// What the units of the registry become, and what is kept as it was sent.
func TestSenMLUnits(t *testing.T) {
	pack := func(name, unit, value string) string {
		return fmt.Sprintf(`[{"n":"urn:dev:mac:0024befffe804ff1/%s","u":%q,"v":%s}]`, name, unit, value)
	}
	const mine = "/urn:dev:mac:0024befffe804ff1 received "
	for _, tt := range []struct {
		utility           meter.Utility
		name, unit, value string
		want              string
	}{
		{"electricity", "voltage", "V", "229.5", "voltage_v=229.5"},
		{"electricity", "voltage_l1", "mV", "229500", "voltage_l1_v=229.5"},
		{"electricity", "voltage/l2", "V", "230", "voltage_l2_v=230"},
		{"electricity", "current/L1", "mA", "1500", "current_l1_a=1.5"},
		{"electricity", "power", "W", "1500", "active_power_kw=1.5"},
		{"electricity", "power", "kW", "1.5", "active_power_kw=1.5"},
		{"electricity", "power", "MW", "1.5", "active_power_kw=1500"},
		{"electricity", "active_power_kw", "W", "1500", "active_power_kw=1.5"},
		{"electricity", "active_power_kw", "", "1.5", "active_power_kw=1.5"},
		{"electricity", "heater", "W", "1500", "heater_kw=1.5"},
		{"electricity", "power", "var", "1500", "reactive_power_kvar=1.5"},
		{"electricity", "apparent_power", "VA", "1500", "apparent_power_kva=1.5"},
		{"electricity", "energy", "J", "3.6e6", "energy_import_kwh=1"},
		{"electricity", "energy", "Wh", "1500", "energy_import_kwh=1.5"},
		{"electricity", "energy", "kWh", "1500", "energy_import_kwh=1500"},
		{"electricity", "energy_export", "Wh", "1500", "energy_export_kwh=1.5"},
		{"electricity", "reactive_energy", "vars", "3.6e6", "reactive_energy_import_kvarh=1"},
		{"electricity", "reactive_energy", "kvarh", "7", "reactive_energy_import_kvarh=7"},
		{"electricity", "apparent_energy", "VAs", "3.6e6", "apparent_energy_kvah=1"},
		{"electricity", "frequency", "Hz", "50.01", "frequency_hz=50.01"},
		{"electricity", "power_factor", "/", "0.97", "power_factor=0.97"},
		{"generator", "energy", "kWh", "12", "energy_export_kwh=12"},
		{"generator", "fuel_rate", "l/s", "0.01", "fuel_rate_lph=36"},
		{"generator", "run_hours", "s", "7200", "run_hours_h=2"},
		{"generator", "battery", "V", "12.7", "battery_v=12.7"},
		{"water", "volume", "m3", "12.5", "volume_m3=12.5"},
		{"water", "total", "l", "12500", "volume_m3=12.5"},
		{"water", "flow", "m3/s", "0.01", "flow_m3h=36"},
		{"water", "flow", "l/s", "10", "flow_m3h=36"},
		{"water", "flow", "l/min", "10", "flow_m3h=0.6"},
		{"water", "pressure", "Pa", "250000", "pressure_bar=2.5"},
		{"water", "pressure", "hPa", "2500", "pressure_bar=2.5"},
		{"water", "pressure", "bar", "2.5", "pressure_bar=2.5"},
		{"water", "temp", "K", "288.15", "temperature_c=15"},
		{"water", "level", "m", "2.5", "tank_level_m=2.5"},
		{"water", "level", "cm", "250", "tank_level_m=2.5"},
		{"fuel", "volume", "l", "12500", "volume_l=12500"},
		{"fuel", "volume", "m3", "12.5", "volume_l=12500"},
		{"fuel", "flow", "l/s", "0.01", "flow_lph=36"},
		{"fuel", "level", "m", "1.25", "level_mm=1250"},
		{"fuel", "level", "mm", "1250", "level_mm=1250"},
		{"water", "level", "mm", "1250", "tank_level_m=1.25"},
		{"water", "humidity", "%RH", "45", "humidity_pct=45"},
		{"water", "battery", "%EL", "98", "battery_pct=98"},
		{"water", "battery", "EL", "3600", "battery_s=3600"},
		{"water", "valve", "/", "0.5", "valve=0.5"},
		{"water", "valve", "%", "0.5", "valve=0.5"}, // note 2 of section 12.1: no percentage
		{"water", "valve_pct", "%", "0.5", "valve_pct=50"},
		{"water", "fill", "/100", "50", "fill_pct=50"},
		{"water", "position", "lat", "36.2", "position_latitude=36.2"},
		{"water", "longitude", "lon", "37.1", "longitude=37.1"},
		{"water", "pulses", "count", "4711", "pulses=4711"},
		{"water", "mass", "g", "1500", "mass_kg=1.5"},
		{"water", "run", "min", "2", "run_s=120"},
		// Units that are none of ours stay as sent, and their names say so.
		{"water", "speed", "m/s", "1.5", "speed_mps=1.5"},
		{"water", "charge", "C", "3", "charge_coulomb=3"},
		{"water", "x", "F", "3", "x_farad=3"},
		{"water", "x", "H", "3", "x_henry=3"},
		{"water", "conductivity", "S/m", "3", "conductivity_spm=3"},
		{"water", "light", "lx", "300", "light_lx=300"},
		{"water", "acidity", "pH", "7.2", "acidity_ph=7.2"},
		{"water", "shaft", "1/min", "1500", "shaft_rpm=1500"},
		{"water", "x", "furlong", "3", "x_furlong=3"},
		{"water", "x", "µ/M", "3", "x_pm=3"},
		{"water", "x", "L-", "3", "x_l_unit=3"}, // not litres
		// A name that carries another unit than the record.
		{"electricity", "active_power_kw", "V", "3", "active_power_kw_v=3"},
		{"water", "flow_a", "m3/s", "1", "flow_a_m3h=3600"},
		// Names that are no registers.
		{"water", "time", "", "3", "x_time=3"},
		{"water", "3", "", "3", "x_3=3"},
		{"water", "Hall.7-A", "Cel", "3", "hall_7_a_c=3"},
	} {
		source := senmlSource
		source.Utility = tt.utility
		t.Run(fmt.Sprintf("%s %s %s", tt.utility, tt.name, tt.unit), func(t *testing.T) {
			t.Parallel()
			d := decode.New([]decode.Source{source}, meter.NewCatalog(10))
			for range 2 {
				got := read(d, decode.Message{Topic: "senml/x", Payload: []byte(pack(tt.name, tt.unit, tt.value)), Received: arrived})
				if want := "sn-z1/" + string(tt.utility) + mine + tt.want; got != want {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			}
		})
	}
}
