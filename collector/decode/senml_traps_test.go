package decode_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/meter"
)

// The traps of DOMAIN.md.

func TestSenMLTimeBelow2To28IsRelative(t *testing.T) {
	testProfile(t, senmlSource, []profileTest{
		{name: "absent", topic: "senml/x", payload: `[{"n":"d/p","v":1}]`, want: "sn-z1/electricity/d received p=1"},
		{name: "zero", topic: "senml/x", payload: `[{"n":"d/p","t":0,"v":1}]`, want: "sn-z1/electricity/d received p=1"},
		{name: "the past", topic: "senml/x", payload: `[{"n":"d/p","t":-60.5,"v":1}]`, want: "sn-z1/electricity/d 1795421639500 p=1"},
		{name: "the future", topic: "senml/x", payload: `[{"n":"d/p","t":30,"v":1}]`, want: "sn-z1/electricity/d 1795421730000 p=1"},
		{name: "a relative base", topic: "senml/x", payload: `[{"bn":"d/","bt":-10,"n":"p","v":1},{"n":"p","t":5,"v":2}]`,
			want: "sn-z1/electricity/d 1795421690000 p=1\nsn-z1/electricity/d 1795421695000 p=2"},
		{name: "just below", topic: "senml/x", payload: `[{"n":"d/p","t":268435455,"v":1}]`, want: "sn-z1/electricity/d 2063857155000 p=1"},
		{name: "the first absolute", topic: "senml/x", payload: `[{"n":"d/p","t":268435456,"v":1}]`, want: "sn-z1/electricity/d 268435456000 p=1"},
		{name: "their sum decides", topic: "senml/x", payload: `[{"bn":"d/","bt":268435450,"n":"p","t":6,"v":1}]`, want: "sn-z1/electricity/d 268435456000 p=1"},
		{name: "to the millisecond", topic: "senml/x", payload: `[{"n":"d/p","t":1795421699.999,"v":1}]`, want: "sn-z1/electricity/d 1795421699999 p=1"},
		{name: "absurdly early", topic: "senml/x", payload: `[{"n":"d/p","t":-1e300,"v":1}]`, want: "sn-z1/electricity/d -9223370241433075808 p=1"},
		{name: "absurdly late", topic: "senml/x", payload: `[{"n":"d/p","t":1e300,"v":1}]`, want: "sn-z1/electricity/d 9223372036854775807 p=1"},
		// Retained, a time that is relative says nothing.
		{name: "retained", topic: "senml/x", payload: `[{"n":"d/p","v":1},{"n":"d/p","t":-5,"v":1}]`, retained: true, want: "ignored"},
		{name: "retained with a time", topic: "senml/x", payload: `[{"n":"d/p","v":1},{"n":"d/p","t":1795421640,"v":2}]`, retained: true, want: "sn-z1/electricity/d 1795421640000 p=2"},
	})
}

func TestSenMLBaseFieldsCarryOver(t *testing.T) {
	testProfile(t, senmlSource, []profileTest{
		{name: "all of them", topic: "senml/x",
			payload: `[{"bn":"d/","bt":1795421640,"bu":"W","bv":1000,"bs":3600000,"n":"a","v":500,"s":0},{"n":"b","v":-500,"s":3600000},{"n":"c","u":"kW","v":1}]`,
			want:    "sn-z1/electricity/d 1795421640000 a_kw=1.5 a_sum_kwh=1 b_kw=0.5 b_sum_kwh=2 c_kw=1001 c_sum_kwh=1000"},
		{name: "until the next of the same", topic: "senml/x",
			payload: `[{"bn":"d/","bu":"V","bt":1795421640},{"n":"a","v":1},{"bu":"A"},{"n":"b","v":2},{"bn":"e/","bt":1795421650},{"n":"c","v":3}]`,
			want:    "sn-z1/electricity/d 1795421640000 a_v=1 b_a=2\nsn-z1/electricity/e 1795421650000 c_a=3"},
		{name: "regular fields do not", topic: "senml/x", payload: `[{"n":"d/a","u":"V","t":-5,"v":1},{"n":"d/b","v":2}]`,
			want: "sn-z1/electricity/d 1795421695000 a_v=1\nsn-z1/electricity/d received b=2"},
		{name: "an empty unit is none", topic: "senml/x", payload: `[{"bn":"d/","bu":"V","n":"a","u":"","v":1}]`, want: "sn-z1/electricity/d received a=1"},
		{name: "a base value without a value", topic: "senml/x", payload: `[{"bn":"d/p","bt":1795421640,"bv":20,"v":0.5},{"t":1}]`,
			want: "sn-z1/electricity/d 1795421640000 p=20.5\nsn-z1/electricity/d 1795421641000 p=20"},
		{name: "not to texts", topic: "senml/x", payload: `[{"bn":"d/","bv":20,"bs":5,"n":"p","v":1},{"n":"q","vs":"on"},{"n":"r","vb":true},{"n":"s","vd":"aGkgCg"}]`,
			want: "sn-z1/electricity/d received p=21 p_sum=5 r=1"},
		{name: "base fields alone say nothing", topic: "senml/x", payload: `[{"bn":"d/","bv":20,"bs":5,"bt":1795421640,"bu":"V","bver":10}]`, want: "control"},
	})
}

func TestSenMLNamesConcatenate(t *testing.T) {
	testProfile(t, senmlSource, []profileTest{
		{name: "base and name", topic: "senml/x", payload: `[{"bn":"urn:dev:mac:0024befffe804ff1/","n":"voltage","u":"V","v":230}]`, want: "sn-z1/electricity/urn:dev:mac:0024befffe804ff1 received voltage_v=230"},
		{name: "name alone", topic: "senml/x", payload: `[{"n":"urn:dev:mac:0024befffe804ff1/voltage","u":"V","v":230}]`, want: "sn-z1/electricity/urn:dev:mac:0024befffe804ff1 received voltage_v=230"},
		{name: "in the middle of a word", topic: "senml/x", payload: `[{"bn":"hall7/vol","n":"tage","u":"V","v":230},{"n":"ume","u":"m3","v":1}]`, want: "sn-z1/electricity/hall7 received voltage_v=230 volume_m3=1"},
		{name: "base alone", topic: "senml/x", payload: `[{"bn":"urn:dev:mac:0024befffe804ff1","u":"V","v":230}]`, want: "sn-z1/electricity/urn:dev:mac:0024befffe804ff1 received voltage_v=230"},
		{name: "base alone, with its separator", topic: "senml/x", payload: `[{"bn":"urn:dev:mac:0024befffe804ff1:","u":"V","v":230}]`, want: "sn-z1/electricity/urn:dev:mac:0024befffe804ff1 received voltage_v=230"},
		{name: "a component of a device URN", topic: "senml/x", payload: `[{"n":"urn:dev:mac:0024befffe804ff1_battery_level","v":3}]`, want: "sn-z1/electricity/urn:dev:mac:0024befffe804ff1 received battery_level=3"},
		{name: "a URN of organizations", topic: "senml/x", payload: `[{"bn":"urn:dev:ops:32473-Meter-5002:","n":"power","u":"W","v":3}]`, want: "sn-z1/electricity/urn:dev:ops:32473-Meter-5002 received active_power_kw=0.003"},
		{name: "a UUID", topic: "senml/x", payload: `[{"bn":"urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6","v":3},{"n":"/power","u":"W","v":3}]`,
			want: "sn-z1/electricity/urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6 received value=3 active_power_kw=0.003"},
		{name: "meters behind a device", topic: "senml/x", payload: `[{"bn":"urn:dev:mac:0024befffe804ff1/","n":"m1/power","u":"W","v":3},{"n":"m2/power","u":"W","v":4}]`,
			want: "sn-z1/electricity/urn:dev:mac:0024befffe804ff1%2Fm1 received active_power_kw=0.003\nsn-z1/electricity/urn:dev:mac:0024befffe804ff1%2Fm2 received active_power_kw=0.004"},
		{name: "a MAC with colons", topic: "senml/x", payload: `[{"bn":"00:24:be:ff:fe:80:4f:f1","u":"V","v":3},{"n":":power","u":"W","v":3}]`,
			want: "sn-z1/electricity/00:24:be:ff:fe:80:4f:f1 received voltage_v=3 active_power_kw=0.003"},
		{name: "no border but that of the base", topic: "senml/x", payload: `[{"bn":"meter-7-","n":"power","u":"W","v":3}]`, want: "sn-z1/electricity/meter-7 received active_power_kw=0.003"},
		{name: "a name in one piece", topic: "senml/x", payload: `[{"n":"meter7","u":"kWh","v":3}]`, want: "sn-z1/electricity/meter7 received energy_import_kwh=3"},
		{name: "two units of one name", topic: "senml/x", payload: `[{"bn":"d/","n":"power","u":"W","v":1500},{"n":"power","u":"var","v":700}]`, want: "sn-z1/electricity/d received active_power_kw=1.5 reactive_power_kvar=0.7"},
		{name: "two names of one register", topic: "senml/x", payload: `[{"bn":"d/","n":"power","u":"W","v":1500},{"n":"active_power","u":"W","v":700}]`, want: "sn-z1/electricity/d received active_power_kw=1.5 d_active_power_kw=0.7"},
		{name: "two names of one sign", topic: "senml/x", payload: `[{"bn":"d/","n":"a.b","v":1},{"n":"a-b","v":2},{"n":"a_b","v":3}]`, want: "sn-z1/electricity/d received a_b=1 d_a_b_24db8bb0=2 d_a_b_3ded595a=3"},
		{name: "the same twice", topic: "senml/x", payload: `[{"bn":"d/","n":"a","v":1},{"bn":"d","n":"/a","v":1}]`, want: "sn-z1/electricity/d received a=1"},
		{name: "two values of one name", topic: "senml/x", payload: `[{"bn":"d/","n":"a","v":1},{"bn":"d","n":"/a","v":2}]`, want: "!duplicate_key"},
		{name: "two values of one time", topic: "senml/x", payload: `[{"bn":"d/","n":"a","v":1},{"n":"a","t":-1,"v":2},{"n":"a","t":-1,"v":3}]`, want: "!duplicate_key"},
		{name: "no name", topic: "senml/x", payload: `[{"v":1}]`, want: "!bad_name"},
		{name: "begins with a sign", topic: "senml/x", payload: `[{"n":"/3303/0/5700","v":1}]`, want: "!bad_name"},
		{name: "a sign that is none of theirs", topic: "senml/x", payload: `[{"bn":"hall 7/","n":"a","v":1}]`, want: "!bad_name"},
		{name: "not ASCII", topic: "senml/x", payload: `[{"n":"عداد","v":1}]`, want: "!bad_name"},
		{name: "not for texts alone", topic: "senml/x", payload: `[{"bn":"d/","n":"a","vs":"hall 7"}]`, want: "control"},
	})
}

// s is value · s: energy of power, volume of flow.
func TestSenMLSums(t *testing.T) {
	source := senmlSource
	source.Topics, source.Utility = []string{"senml/{utility}"}, ""
	testProfile(t, source, []profileTest{
		{name: "energy", topic: "senml/electricity", payload: `[{"n":"d/power","u":"W","v":1500,"s":7.2e6}]`, want: "sn-z1/electricity/d received active_power_kw=1.5 energy_import_kwh=2"},
		{name: "without the value", topic: "senml/electricity", payload: `[{"n":"d/power","u":"kW","s":7200}]`, want: "sn-z1/electricity/d received energy_import_kwh=2"},
		{name: "with a unit in its name", topic: "senml/electricity", payload: `[{"n":"d/active_power_kw","u":"kW","v":1,"s":7200}]`, want: "sn-z1/electricity/d received active_power_kw=1 energy_import_kwh=2"},
		{name: "reactive", topic: "senml/electricity", payload: `[{"n":"d/reactive_power","u":"var","s":3.6e6}]`, want: "sn-z1/electricity/d received reactive_energy_import_kvarh=1"},
		{name: "apparent", topic: "senml/electricity", payload: `[{"n":"d/apparent_power","u":"kVA","s":3600}]`, want: "sn-z1/electricity/d received apparent_energy_kvah=1"},
		{name: "of a part", topic: "senml/electricity", payload: `[{"n":"d/heater","u":"W","v":1000,"s":3.6e6}]`, want: "sn-z1/electricity/d received heater_kw=1 heater_sum_kwh=1"},
		{name: "generated", topic: "senml/generator", payload: `[{"n":"d/power","u":"W","s":3.6e6}]`, want: "sn-z1/generator/d received energy_export_kwh=1"},
		{name: "volume", topic: "senml/water", payload: `[{"n":"d/flow","u":"l/s","v":10,"s":5000}]`, want: "sn-z1/water/d received flow_m3h=36 volume_m3=5"},
		{name: "of fuel", topic: "senml/fuel", payload: `[{"n":"d/flow","u":"m3/s","s":0.5}]`, want: "sn-z1/fuel/d received volume_l=500"},
		{name: "of what has no integral of ours", topic: "senml/water", payload: `[{"n":"d/temp","u":"Cel","v":20,"s":400}]`, want: "sn-z1/water/d received temperature_c=20 temp_sum_cels=400"},
		{name: "of no unit", topic: "senml/water", payload: `[{"n":"d/x","s":400}]`, want: "sn-z1/water/d received x_sum=400"},
		{name: "of no name", topic: "senml/electricity", payload: `[{"bn":"d","bu":"W","s":3.6e6}]`, want: "sn-z1/electricity/d received energy_import_kwh=1"},
		{name: "base sum", topic: "senml/electricity", payload: `[{"bn":"d/","bs":3.6e6,"bu":"W","n":"power","s":3.6e6}]`, want: "sn-z1/electricity/d received energy_import_kwh=2"},
		{name: "another utility", topic: "senml/steam", payload: `[{"n":"d/x","v":4}]`, want: "!bad_topic"},
	})
}

// The source's registers go before what name and unit say.
func TestSenMLRegisters(t *testing.T) {
	source := senmlSource
	source.Names = map[string]string{"hall7": "h7"}
	source.Registers = []decode.Register{
		{Path: "urn:dev:ow:10e2073a01080063:P", Register: "active_power_l1_kw"},
		{Path: "P", Register: "active_power_l2_kw"},
		{Path: "P.s", Register: "energy_export_kwh"},
		{Path: "w", Register: "volume_m3", Utility: "water"},
		{Path: "q", Register: "flow_m3h", Unit: "l/min", Scale: 10},
		{Path: "valve", Register: "valve_open", Enum: map[string]float64{"open": 1, "closed": 0}},
		{Path: "quoted", Register: "energy_import_kwh", Unit: "Wh"},
		{Path: "internal", Register: "-"},
		{Path: "t", Register: "temperature_c", Offset: -1},
	}
	testProfile(t, source, []profileTest{
		{name: "whole name", topic: "senml/x", payload: `[{"bn":"urn:dev:ow:10e2073a01080063:","n":"P","u":"W","v":1500}]`, want: "sn-z1/electricity/urn:dev:ow:10e2073a01080063 received active_power_l1_kw=1.5"},
		{name: "last part, and the sum", topic: "senml/x", payload: `[{"n":"hall7/P","u":"W","v":1500,"s":3.6e6}]`, want: "sn-z1/electricity/h7 received active_power_l2_kw=1.5 energy_export_kwh=1"},
		{name: "unit of the source", topic: "senml/x", payload: `[{"n":"d/q","u":"furlong","v":1}]`, want: "sn-z1/electricity/d received flow_m3h=0.6"},
		{name: "utility", topic: "senml/x", payload: `[{"bn":"d/","n":"w","u":"l","v":1500},{"n":"P","u":"W","v":1}]`, want: "sn-z1/water/d received volume_m3=1.5\nsn-z1/electricity/d received active_power_l2_kw=0.001"},
		{name: "words", topic: "senml/x", payload: `[{"n":"d/valve","vs":"open"}]`, want: "sn-z1/electricity/d received valve_open=1"},
		{name: "an unknown word", topic: "senml/x", payload: `[{"n":"d/valve","vs":"ajar"}]`, want: "!bad_value"},
		{name: "a boolean", topic: "senml/x", payload: `[{"n":"d/valve","vb":true}]`, want: "sn-z1/electricity/d received valve_open=1"},
		{name: "a number in quotes", topic: "senml/x", payload: `[{"n":"d/quoted","vs":"1500"}]`, want: "sn-z1/electricity/d received energy_import_kwh=1.5"},
		{name: "nothing", topic: "senml/x", payload: `[{"bn":"d/","n":"internal","v":1},{"n":"b","v":2}]`, want: "sn-z1/electricity/d received b=2"},
		{name: "offset before the unit", topic: "senml/x", payload: `[{"n":"d/t","u":"K","v":289.15}]`, want: "sn-z1/electricity/d received temperature_c=15"},
		{name: "another dimension", topic: "senml/x", payload: `[{"n":"d/P","u":"V","v":230}]`, want: "!bad_unit"},
	})
}

// A topic that names the meter leaves the whole pack to it.
func TestSenMLMeterOfTheTopic(t *testing.T) {
	source := senmlSource
	source.Topics = []string{"plant/{meter}/senml"}
	testProfile(t, source, []profileTest{
		{name: "names without a device", topic: "plant/m1/senml", payload: `[{"n":"voltage","u":"V","v":230},{"n":"power","u":"W","v":1500}]`, want: "sn-z1/electricity/m1 received voltage_v=230 active_power_kw=1.5"},
		{name: "a device", topic: "plant/m1/senml", payload: `[{"bn":"urn:dev:ow:10e2073a01080063:","n":"voltage","u":"V","v":230}]`, want: "sn-z1/electricity/m1 received voltage_v=230"},
		{name: "a base name in one piece", topic: "plant/m1/senml", payload: `[{"bn":"box","n":"power","u":"W","v":1500}]`, want: "sn-z1/electricity/m1 received active_power_kw=1.5"},
		{name: "two devices", topic: "plant/m1/senml", payload: `[{"bn":"a/","n":"t","v":1},{"bn":"b/","n":"t","v":2}]`, want: "sn-z1/electricity/m1 received t=1 b_t=2"},
	})
}

// What is no pack of RFC 8428, and what may stand in one.
func TestSenMLRefused(t *testing.T) {
	h := func(text string) string {
		var b strings.Builder
		for _, x := range strings.Fields(text) {
			var c byte
			if _, err := fmt.Sscanf(x, "%02x", &c); err != nil {
				t.Fatal(err)
			}
			b.WriteByte(c)
		}
		return b.String()
	}
	const p = "63 64 2f 70" // the text d/p
	testProfile(t, senmlSource, []profileTest{
		{name: "empty", topic: "senml/x", payload: "", want: "!empty"},
		{name: "too large", topic: "senml/x", payload: strings.Repeat(" ", decode.MaxPayload+1), want: "!too_large"},
		{name: "no records", topic: "senml/x", payload: "[]", want: "!no_values"},
		{name: "an object", topic: "senml/x", payload: `{"n":"d/p","v":1}`, want: "!bad_json"},
		{name: "cut short", topic: "senml/x", payload: `[{"n":"d/p","v":1},`, want: "!bad_json"},
		{name: "a stream without end", topic: "senml/x", payload: `[{"n":"d/p","v":1}`, want: "!bad_json"},
		{name: "more behind it", topic: "senml/x", payload: `[{"n":"d/p","v":1}][]`, want: "!bad_json"},
		{name: "space before it", topic: "senml/x", payload: " \r\n\t[ {\"n\" : \"d/p\" , \"v\" : 1 } ] ", want: "sn-z1/electricity/d received p=1"},
		{name: "not UTF-8", topic: "senml/x", payload: "[{\"n\":\"d/p\xff\",\"v\":1}]", want: "!not_utf8"},
		{name: "version 10", topic: "senml/x", payload: `[{"bver":10,"n":"d/p","v":1}]`, want: "sn-z1/electricity/d received p=1"},
		{name: "version 11", topic: "senml/x", payload: `[{"bver":11,"n":"d/p","v":1}]`, want: "!bad_value"},
		{name: "version 26: secondary units, RFC 9100", topic: "senml/x", payload: `[{"bver":26,"n":"d/energy","u":"kWh","v":1}]`, want: "sn-z1/electricity/d received energy_import_kwh=1"},
		{name: "version 42", topic: "senml/x", payload: `[{"bver":42,"n":"d/p","v":1}]`, want: "!bad_value"},
		{name: "half a version", topic: "senml/x", payload: `[{"bver":9.5,"n":"d/p","v":1}]`, want: "!bad_value"},
		{name: "must be understood", topic: "senml/x", payload: `[{"n":"d/p","v":1,"x_":1}]`, want: "!bad_value"},
		{name: "unknown labels", topic: "senml/x", payload: `[{"n":"d/p","v":1,"x":[{"y_":null}],"b_x":"z"}]`, want: "sn-z1/electricity/d received p=1"},
		{name: "update time", topic: "senml/x", payload: `[{"n":"d/p","v":1,"ut":60}]`, want: "sn-z1/electricity/d received p=1"},
		{name: "a label twice", topic: "senml/x", payload: `[{"n":"d/p","v":1,"v":2}]`, want: "!duplicate_key"},
		{name: "two values", topic: "senml/x", payload: `[{"n":"d/p","v":1,"vb":true}]`, want: "!bad_value"},
		{name: "no value", topic: "senml/x", payload: `[{"n":"d/p","u":"V"},{"n":"d/q","v":1}]`, want: "sn-z1/electricity/d received q=1"},
		{name: "null", topic: "senml/x", payload: `[{"n":"d/p","v":null},{"n":"d/q","v":1}]`, want: "sn-z1/electricity/d received q=1"},
		{name: "a number in quotes", topic: "senml/x", payload: `[{"n":"d/p","v":"1"}]`, want: "!bad_value"},
		{name: "a boolean as number", topic: "senml/x", payload: `[{"n":"d/p","v":true}]`, want: "!bad_value"},
		{name: "a number as boolean", topic: "senml/x", payload: `[{"n":"d/p","vb":1}]`, want: "!bad_value"},
		{name: "a name that is a number", topic: "senml/x", payload: `[{"n":7,"v":1}]`, want: "!bad_value"},
		{name: "only words", topic: "senml/x", payload: `[{"n":"d/p","vs":"on"},{"n":"d/q","vd":"aGkgCg"}]`, want: "control"},
		{name: "only words, retained", topic: "senml/x", payload: `[{"n":"d/p","vs":"on"}]`, retained: true, want: "control"},
		{name: "NaN", topic: "senml/x", payload: `[{"n":"d/p","v":NaN}]`, want: "!not_finite"},
		{name: "beyond a double", topic: "senml/x", payload: `[{"n":"d/p","v":1e400}]`, want: "!not_finite"},
		{name: "their sum beyond a double", topic: "senml/x", payload: `[{"bn":"d/","bv":1.7e308,"n":"p","v":1.7e308}]`, want: "!not_finite"},
		{name: "beyond it in our unit", topic: "senml/x", payload: `[{"n":"d/power","u":"MW","v":1e308}]`, want: "!not_finite"},

		{name: "CBOR: integers", topic: "senml/x", payload: h("82 a2 00 " + p + " 02 18 64 a3 00 " + p + " 06 00 02 18 64"), want: "sn-z1/electricity/d received p=100"},
		{name: "CBOR: negative", topic: "senml/x", payload: h("81 a2 00 " + p + " 02 38 63"), want: "sn-z1/electricity/d received p=-100"},
		{name: "CBOR: 64 bits", topic: "senml/x", payload: h("81 a2 00 " + p + " 02 1b 00 00 00 e8 d4 a5 10 00"), want: "sn-z1/electricity/d received p=1e+12"},
		{name: "CBOR: half", topic: "senml/x", payload: h("81 a2 00 " + p + " 02 f9 c4 00"), want: "sn-z1/electricity/d received p=-4"},
		{name: "CBOR: the smallest half", topic: "senml/x", payload: h("81 a2 00 " + p + " 02 f9 00 01"), want: "sn-z1/electricity/d received p=5.96046447754e-08"},
		{name: "CBOR: single", topic: "senml/x", payload: h("81 a2 00 " + p + " 02 fa 47 c3 50 00"), want: "sn-z1/electricity/d received p=100000"},
		{name: "CBOR: decimal fraction", topic: "senml/x", payload: h("81 a2 00 " + p + " 02 c4 82 21 19 6a b3"), want: "sn-z1/electricity/d received p=273.15"},
		{name: "CBOR: negative decimal fraction", topic: "senml/x", payload: h("81 a2 00 " + p + " 02 c4 82 21 39 6a b2"), want: "sn-z1/electricity/d received p=-273.15"},
		{name: "CBOR: decimal fraction, to the power", topic: "senml/x", payload: h("81 a2 00 " + p + " 02 c4 82 03 07"), want: "sn-z1/electricity/d received p=7000"},
		{name: "CBOR: decimal fraction beyond a double", topic: "senml/x", payload: h("81 a2 00 " + p + " 02 c4 82 19 03 e8 07"), want: "!not_finite"},
		{name: "CBOR: decimal fraction next to nothing", topic: "senml/x", payload: h("81 a2 00 " + p + " 02 c4 82 3b 7f ff ff ff ff ff ff ff 07"), want: "sn-z1/electricity/d received p=0"},
		{name: "CBOR: decimal fraction of three", topic: "senml/x", payload: h("81 a2 00 " + p + " 02 c4 83 01 02 03"), want: "!bad_value"},
		{name: "CBOR: another tag", topic: "senml/x", payload: h("81 a2 00 " + p + " 02 c5 82 01 02"), want: "!bad_value"},
		{name: "CBOR: a text for a number", topic: "senml/x", payload: h("81 a2 00 " + p + " 02 61 31"), want: "!bad_value"},
		{name: "CBOR: NaN", topic: "senml/x", payload: h("81 a2 00 " + p + " 02 f9 7e 00"), want: "!not_finite"},
		{name: "CBOR: infinite", topic: "senml/x", payload: h("81 a2 00 " + p + " 02 f9 7c 00"), want: "!not_finite"},
		{name: "CBOR: true", topic: "senml/x", payload: h("81 a2 00 " + p + " 04 f5"), want: "sn-z1/electricity/d received p=1"},
		{name: "CBOR: one for true", topic: "senml/x", payload: h("81 a2 00 " + p + " 04 01"), want: "!bad_value"},
		{name: "CBOR: bytes and text", topic: "senml/x", payload: h("82 a2 00 " + p + " 08 42 01 02 a2 00 " + p + " 03 62 6f 6e"), want: "control"},
		{name: "CBOR: null", topic: "senml/x", payload: h("81 a3 00 " + p + " 02 01 06 f6"), want: "sn-z1/electricity/d received p=1"},
		{name: "CBOR: indefinite array and map", topic: "senml/x", payload: h("9f bf 00 " + p + " 02 01 ff ff"), want: "sn-z1/electricity/d received p=1"},
		{name: "CBOR: self-described", topic: "senml/x", payload: h("d9 d9 f7 81 a2 00 " + p + " 02 01"), want: "sn-z1/electricity/d received p=1"},
		{name: "CBOR: names for labels", topic: "senml/x", payload: h("81 a2 61 6e " + p + " 61 76 01"), want: "sn-z1/electricity/d received p=1"},
		{name: "CBOR: a label twice, in both ways", topic: "senml/x", payload: h("81 a3 00 " + p + " 02 01 61 76 02"), want: "!duplicate_key"},
		{name: "CBOR: must be understood", topic: "senml/x", payload: h("81 a3 00 " + p + " 02 01 62 78 5f 01"), want: "!bad_value"},
		{name: "CBOR: unknown labels", topic: "senml/x", payload: h("81 a6 00 " + p + " 02 01 18 64 9f 01 a1 02 7f 61 61 ff ff 61 78 c1 1a 00 00 00 01 29 83 01 02 03 0b 5f 41 01 ff"), want: "sn-z1/electricity/d received p=1"},
		{name: "CBOR: version 11", topic: "senml/x", payload: h("81 a3 20 0b 00 " + p + " 02 01"), want: "!bad_value"},
		{name: "CBOR: a text in pieces", topic: "senml/x", payload: h("81 a2 00 7f 61 64 ff 02 01"), want: "!bad_value"},
		{name: "CBOR: not UTF-8", topic: "senml/x", payload: h("81 a2 00 61 ff 02 01"), want: "!not_utf8"},
		{name: "CBOR: cut short", topic: "senml/x", payload: h("82 a2 00 " + p + " 02 01"), want: "!bad_cbor"},
		{name: "CBOR: more behind it", topic: "senml/x", payload: h("81 a2 00 " + p + " 02 01 80"), want: "!bad_cbor"},
		{name: "CBOR: no array in it", topic: "senml/x", payload: h("d9 d9 f7 a2 00 " + p + " 02 01"), want: "!bad_cbor"},
		{name: "CBOR: no map in it", topic: "senml/x", payload: h("81 01"), want: "!bad_cbor"},
		{name: "CBOR: a label of bytes", topic: "senml/x", payload: h("81 a1 41 01 01"), want: "!bad_cbor"},
		{name: "CBOR: no records", topic: "senml/x", payload: h("80"), want: "!no_values"},
	})
}

// Nobody knows when such a pack came.
func TestSenMLWithoutReceipt(t *testing.T) {
	t.Parallel()
	d := decode.New([]decode.Source{senmlSource}, meter.NewCatalog(10))
	for payload, want := range map[string]string{`[{"n":"d/p","v":1}]`: "!no_time", `[{"n":"d/p","v":1,"t":1795421640}]`: "sn-z1/electricity/d 1795421640000 p=1"} {
		if got := read(d, decode.Message{Topic: "senml/x", Payload: []byte(payload)}); got != want {
			t.Errorf("%s: got %s, want %s", payload, got, want)
		}
	}
}

// What is made to cost most: 16 times the payload and the constant, no more.
func TestSenMLWorstPayloads(t *testing.T) {
	var names, cased, times strings.Builder
	for i := range 1020 {
		fmt.Fprintf(&names, `{"n":"d/k%d","v":1},`, i)
		fmt.Fprintf(&times, `{"n":"d/k%d","t":%d,"v":1},`, i%7, -i)
		// One register's name for all of them, but for the case of its letters.
		name := []byte("abcdefghijklmnop")
		for bit := range name {
			if i>>bit&1 == 1 {
				name[bit] -= 'a' - 'A'
			}
		}
		fmt.Fprintf(&cased, `{"n":"d/%s","v":%d},`, name, i)
	}
	tests := map[string]struct{ payload, want string }{
		"many registers":    {"[" + names.String() + `{"n":"d/z","v":1}]`, ""},
		"one name for many": {"[" + cased.String() + `{"n":"d/z","v":1}]`, ""},
		"many times":        {"[" + times.String() + `{"n":"d/z","v":1}]`, ""},
		"many records":      {"[{\"bn\":\"d\"}" + strings.Repeat(`,{"v":1}`, 32_000) + "]", "!too_large"},
		"many of CBOR":      {"\x9f\xa1\x21ad" + strings.Repeat("\xa1\x02\x01", 80_000) + "\xff", "!too_large"},
		"many empty ones":   {"\x9f" + strings.Repeat("\xa0", 200_000) + "\xff", "control"},
		"a long name":       {`[{"n":"` + strings.Repeat("a", 600) + `","v":1}]`, "!bad_name"},
		"a long unit":       {`[{"n":"d/p","u":"` + strings.Repeat("a", 600) + `","v":1}]`, "!bad_unit"},
		"deep":              {"\x81\xa1\x61x" + strings.Repeat("\x81", 40) + "\x01", "!bad_cbor"},
		"deep in JSON":      {`[{"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}]`, "!too_deep"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := decode.New([]decode.Source{senmlSource}, meter.NewCatalog(1<<16))
			m := decode.Message{Topic: "senml/x", Payload: []byte(tt.payload), Received: arrived}
			var out decode.Readings
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := d.Decode(m, &out)
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > 16*uint64(len(m.Payload))+constant {
				t.Errorf("%d bytes allocated for %d", n, len(m.Payload))
			} else {
				t.Logf("%d bytes allocated for %d", n, len(m.Payload))
			}
			if got := read(d, m); tt.want != "" && got != tt.want || tt.want == "" && err != nil {
				t.Errorf("got %.80s, %v; want %s", got, err, tt.want)
			}
		})
	}
}

func FuzzSenML(f *testing.F) {
	for _, e := range senmlExamples {
		f.Add("senml/x", []byte(e.pack), false)
		f.Add("senml/x", []byte(inCBOR(f, e.pack, nil)), false)
	}
	f.Add("senml/x", []byte("\x81\xa4\x00\x63d/p\x01\x61W\x02\xc4\x82\x21\x19\x6a\xb3\x05\xf9\x3e\x00"), true)
	fuzzProfile(f, senmlSource, "senml/x")
}

// BenchmarkSenML decodes a pack of twelve records: two times of six values.
func BenchmarkSenML(b *testing.B) {
	const pack = `[{"bn":"urn:dev:mac:0024befffe804ff1/","bt":1795421640,"bver":10,"n":"voltage","u":"V","v":229.5},{"n":"current","u":"A","v":12.25},{"n":"power","u":"W","v":2750.5,"s":98765432.5},
{"n":"reactive_power","u":"var","v":310},{"n":"frequency","u":"Hz","v":50.01},{"n":"power_factor","u":"/","v":0.97},
{"n":"voltage","u":"V","t":60,"v":229.25},{"n":"current","u":"A","t":60,"v":12.5},{"n":"power","u":"W","t":60,"v":2760,"s":98931032.5},
{"n":"reactive_power","u":"var","t":60,"v":312.5},{"n":"frequency","u":"Hz","t":60,"v":50},{"n":"power_factor","u":"/","t":60,"v":0.97}]`
	for name, payload := range map[string]string{"JSON": pack, "CBOR": inCBOR(b, pack, nil)} {
		b.Run(name, func(b *testing.B) {
			d := decode.New([]decode.Source{senmlSource}, meter.NewCatalog(10))
			var out decode.Readings
			m := decode.Message{Topic: "senml/x", Payload: []byte(payload), Received: arrived}
			b.ReportAllocs()
			b.SetBytes(int64(len(m.Payload)))
			readings := 0
			for b.Loop() {
				if _, err := d.Decode(m, &out); err != nil {
					b.Fatal(err)
				}
				readings += len(out.All())
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(readings), "ns/reading")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*12), "ns/record")
		})
	}
}
