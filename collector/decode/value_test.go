package decode_test

import (
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
)

var valueSource = decode.Source{
	Name: "values", Topics: []string{"plant/{zone}/{utility}/{meter}/{register}"}, Profile: "value",
	Registers: []decode.Register{
		{Path: "P", Register: "active_power_kw", Unit: "W"},
		{Path: "valve", Register: "valve", Enum: map[string]float64{"open": 1, "shut": 0}},
	},
}

func TestValue(t *testing.T) {
	const base = "plant/sn-z1/electricity/m1/"
	testProfile(t, valueSource, []profileTest{
		{name: "native name", topic: base + "active_power_kw", payload: "431.2", want: "sn-z1/electricity/m1 received partial active_power_kw=431.2"},
		{name: "mapped", topic: base + "P", payload: "431200", want: "sn-z1/electricity/m1 received partial active_power_kw=431.2"},
		{name: "whole number", topic: base + "n", payload: "7", want: "sn-z1/electricity/m1 received partial n=7"},
		{name: "negative with exponent", topic: base + "n", payload: "-1.5e3", want: "sn-z1/electricity/m1 received partial n=-1500"},
		{name: "space around", topic: base + "n", payload: " 7\n", want: "sn-z1/electricity/m1 received partial n=7"},
		{name: "foreign name", topic: base + "Flow Rate", payload: "7", want: "sn-z1/electricity/m1 received partial flow_rate=7"},
		{name: "own words", topic: base + "valve", payload: "open", want: "sn-z1/electricity/m1 received partial valve=1"},
		{name: "other utility", topic: "plant/sn-z1/water/m1/n", payload: "7", want: "sn-z1/water/m1 received partial n=7"},
		{name: "unknown utility", topic: "plant/sn-z1/gas/m1/n", payload: "7", want: "!bad_topic"},
		{name: "JSON", topic: base + "n", payload: `{"value":7}`, want: "!bad_value"},
		{name: "NaN", topic: base + "n", payload: "NaN", want: "!not_finite"},
		{name: "infinite", topic: base + "n", payload: "-inf", want: "!not_finite"},
		{name: "beyond a double", topic: base + "n", payload: "1e400", want: "!not_finite"},
		{name: "empty", topic: base + "n", payload: "", want: "!empty"},
		{name: "retained", topic: base + "n", payload: "7", retained: true, want: "ignored"},
	})
}

// The traps of DOMAIN.md.
func TestValueTrapWords(t *testing.T) {
	const topic = "plant/sn-z1/generator/g1/running"
	testProfile(t, valueSource, []profileTest{
		{name: "true", topic: topic, payload: "true", want: "sn-z1/generator/g1 received partial running=1"},
		{name: "false", topic: topic, payload: "false", want: "sn-z1/generator/g1 received partial running=0"},
		{name: "on", topic: topic, payload: "on", want: "sn-z1/generator/g1 received partial running=1"},
		{name: "OFF", topic: topic, payload: "OFF", want: "sn-z1/generator/g1 received partial running=0"},
		{name: "other", topic: topic, payload: "yes", want: "!bad_value"},
	})
}

func TestValueTrapThousandsSeparators(t *testing.T) {
	const topic = "plant/sn-z1/water/m1/volume_m3"
	var tests []profileTest
	for _, payload := range []string{"1,234.5", "1 234", "1'234", "1_234", "12,5", "1.234,5", "0x10", "+7", "٧", "7 m3"} {
		tests = append(tests, profileTest{name: payload, topic: topic, payload: payload, want: "!bad_value"})
	}
	testProfile(t, valueSource, tests)
}

func TestValueOfOneRegister(t *testing.T) {
	testProfile(t, decode.Source{
		Name: "v", Topics: []string{"tank/{meter}"}, Profile: "value", Zone: "z", Utility: "fuel",
		Registers: []decode.Register{{Register: "level_mm", Unit: "cm"}},
	}, []profileTest{{name: "level", topic: "tank/t1", payload: "150", want: "z/fuel/t1 received partial level_mm=1500"}})
}

func TestValueNeedsARegister(t *testing.T) {
	t.Parallel()
	source := decode.Source{Name: "v", Topics: []string{"tank/{meter}"}, Profile: "value", Zone: "z", Utility: "fuel"}
	if errs := source.Validate(); len(errs) != 1 {
		t.Errorf("%v, want one mistake", errs)
	}
}
