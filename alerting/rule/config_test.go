package rule

import (
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

func read(t *testing.T, text string) Config {
	t.Helper()
	var c Config
	if err := yaml.UnmarshalWithOptions([]byte(text), &c, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	const custom = `for_each: plant, when: power_kw > 1, severity: low, to: [plant], text: {en: x, ar: y}`
	for _, c := range []struct{ name, text, want string }{
		{"none", `rules: []`, ``},
		{"kind missing", `rules: [{on: 1}]`, `rules[0].kind: missing`},
		{"kind misspelt", `rules: [{kind: elec.voltage_lo}]`, `rules[0].kind: there is no kind "elec.voltage_lo"; did you mean "elec.voltage_low"?`},
		{"param misspelt", `rules: [{kind: elec.phase_loss, params: {othrs: 1}}]`, `rules[0].params.othrs: elec.phase_loss has no parameter "othrs"; did you mean "others"?`},
		{"param out of range", `rules: [{kind: elec.phase_loss, params: {others: 2}}]`, `rules[0].params.others: 2 is out of range; use 0 to 1`},
		{"on above clear", `rules: [{kind: elec.voltage_low, on: 0.95}]`, `rules[0]: elec.voltage_low: on (0.95) must be below clear (0.92), or it would chatter`},
		{"on below clear", `rules: [{kind: elec.voltage_high, on: 1.05}]`, `rules[0]: elec.voltage_high: on (1.05) must be above clear (1.08), or it would chatter`},
		{"severe on the wrong side", `rules: [{kind: water.tank_low, severe: 9}]`, `rules[0]: water.tank_low: severe (9) must be below on (8)`},
		{"out of range", `rules: [{kind: elec.voltage_low, on: 88}]`, `rules[0].on: 88 is out of range; use 0 to 1 (of nominal voltage)`},
		{"no such threshold", `rules: [{kind: meter.reset, on: 1}]`, `rules[0].on: meter.reset has no such threshold`},
		{"severity", `rules: [{kind: meter.reset, severity: urgent}]`, `rules[0].severity: there is no severity "urgent"; use low, medium, high or critical`},
		{"delay", `rules: [{kind: meter.reset, on_delay: -1s}]`, `rules[0].on_delay: -1s; use 0s to 168h0m0s`},
		{"place", `rules: [{kind: elec.outage, at: f11}]`, `rules[0].at: there is no city, zone, object or meter "f11"; did you mean "f1"?`},
		{"place of another kind", `rules: [{kind: elec.outage, at: wt}]`, `rules[0].at: elec.outage is judged for a substation, a feeder or a plant; "wt" is none, nor has any in it`},
		{"city kind at a zone", `rules: [{kind: elec.frequency, at: z1}]`, `rules[0].at: elec.frequency is judged for a city; "z1" is none, nor has any in it`},
		{"nowhere", `rules: [{kind: pipeline.fault, at: z1}]`, `rules[0].at: pipeline.fault is judged for a part, which lies nowhere; leave ` + "`at`" + ` out; "z1" is none, nor has any in it`},
		{"order at a place", `rules: [{kind: elec.voltage_low, at: z1, on: 0.95}]`, `rules[0]: elec.voltage_low: on (0.95) must be below clear (0.92), or it would chatter`},
		{"order of two rules", `rules: [{kind: elec.voltage_low, on: 0.95, clear: 0.99}, {kind: elec.voltage_low, clear: 0.91}]`, `rules[1]: elec.voltage_low: on (0.95) must be below clear (0.91), or it would chatter`},
		{"order in a city", `rules: [{kind: elec.voltage_low, at: z1, clear: 0.99}, {kind: elec.voltage_low, at: c, on: 0.95}]`, `rules[1]: elec.voltage_low: on (0.95) must be below clear (0.92), or it would chatter`},
		{"custom id", `custom: [{id: Bad, ` + custom + `}]`, `custom[0].id: "Bad"; use two or more words of small letters, digits and _ joined by dots, such as dye.cold_water`},
		{"custom id taken", `custom: [{id: elec.outage, ` + custom + `}]`, `custom[0].id: "elec.outage" is a kind of the catalogue; use rules to change it`},
		{"custom twice", `custom: [{id: a.b, ` + custom + `}, {id: a.b, ` + custom + `}]`, `custom[1].id: "a.b" is custom[0] already`},
		{"custom empty", `custom: [{id: a.b}]`, `custom[0].severity: missing; use low, medium, high or critical
custom[0].to: missing; use some of zone_manager, plant, utility, ministry or operations
custom[0].text.en: missing; an alarm is told in both languages
custom[0].text.ar: missing; an alarm is told in both languages
custom[0].for_each: missing; use city, feeder, meter, plant, pumping_station, substation, tank, water_line or zone`},
		{"custom role", `custom: [{id: a.b, for_each: plant, when: dead, severity: low, to: [plnt], text: {en: x, ar: y}}]`, `custom[0].to[0]: there is no role "plnt"; did you mean "plant"?`},
		{"custom place", `custom: [{id: a.b, at: ps, ` + custom + `}]`, `custom[0].at: "ps" holds no plant`},
		{"field misspelt", expression(`powr_kw > 1`), `custom[0].when: 1:1 unknown name powr_kw; did you mean "power_kw"?`},
		{"field of another object", expression(`power_kw > 1 and cover_h < 3`), `custom[0].when: 1:18 unknown name cover_h`},
		{"no condition", expression(`power_kw + 1`), `custom[0].when: 1:1 expected bool, but got float64`},
		{"types", expression(`power_kw > "a"`), `custom[0].when: 1:10 invalid operation: > (mismatched types float64 and string)`},
		{"syntax", expression(`power_kw >`), `custom[0].when: 1:10 unexpected token EOF`},
		{"loop", expression(`all(1..1000000, # > 0)`), `custom[0].when: 1:6 lists are not for rules`},
		{"function", expression(`len(id) > 3`), `custom[0].when: 1:1 unknown name len`},
		{"predicate", expression(`count(id, # > 3) > 1`), `custom[0].when: 1:7 builtin count takes only array (got string)`},
		{"list", expression(`3 in 1..5`), `custom[0].when: 1:7 lists are not for rules`},
		{"long", expression(strings.Repeat("dead and ", 120) + "dead"), `custom[0].when: 1084 bytes long; use at most 1000`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := New(read(t, c.text), testRegistry(t))
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func expression(when string) string {
	return `custom: [{id: a.b, for_each: plant, when: '` + when + `', severity: low, to: [plant], text: {en: x, ar: y}}]`
}

// TestInheritance: everywhere, city, zone, object, meter; the later of equals.
func TestInheritance(t *testing.T) {
	t.Parallel()
	set, err := New(read(t, `
rules:
  - {kind: elec.voltage_low, at: p1, on: 0.80, severe: 0.7}
  - {kind: elec.voltage_low, at: z1, on: 0.85, severe: 0.8}
  - {kind: elec.voltage_low, at: c, clear: 0.95, severity: critical}
  - {kind: elec.voltage_low, at: z1, on: 0.86, on_delay: 3m}
  - {kind: elec.voltage_low, off_delay: 1m, params: {severe_delay_s: 5}}
  - {kind: elec.voltage_low, at: f4, enabled: false}
  - {kind: meter.offline, at: p1, on: 5}
  - {kind: meter.offline, at: z1/water/m-wt, on: 7}
  - {kind: meter.offline, at: z2, on: 9}
  - {kind: gateway.offline, at: z1, on_delay: 9m}
  - {kind: water.pressure_low, on: 2.5, clear: 2.8}
  - {kind: water.pressure_low, at: z2, on: 2.2, clear: 2.6}
`), testRegistry(t))
	if err != nil {
		t.Fatal(err)
	}
	find := func(k kindIndex, id string) *setting {
		if r := set.net.find(id); r.class != noClass {
			return set.at(k, r.class, r.index)
		}
		for i := range set.net.registry.Meters() {
			if set.net.registry.Meters()[i].ID == id {
				return set.at(k, meterClass, int32(i))
			}
		}
		t.Fatalf("no %s", id)
		return nil
	}
	for _, c := range []struct {
		id                string
		on, clear, severe float64
		delay             time.Duration
		enabled           bool
	}{
		{"p1", 0.80, 0.95, 0.7, 3 * time.Minute, true},
		{"p2", 0.86, 0.95, 0.8, 3 * time.Minute, true},
		{"f4", 0.90, 0.95, 0.85, 0, false},
		{"p5", 0.90, 0.95, 0.85, 0, true},
	} {
		s := find(voltageLow, c.id)
		if s.on != c.on || s.clear != c.clear || s.severe != c.severe || s.onDelay != c.delay || s.enabled != c.enabled {
			t.Errorf("%s: %+v", c.id, *s)
		}
		if s.severity != Critical || s.stepped != Critical || s.offDelay != time.Minute || s.params[severeDelay] != 5 {
			t.Errorf("%s: %+v", c.id, *s)
		}
	}
	for id, on := range map[string]float64{"m-p1": 5, "m-wt": 7, "m-p2": 3, "m-p5": 9} {
		if got := find(meterOffline, id).on; got != on {
			t.Errorf("meter.offline on at %s: %v, want %v", id, got, on)
		}
	}
	for id, on := range map[string]float64{"w1": 2.5, "p1": 2.5, "w2": 2.2, "p5": 3} {
		if got := find(pressureLow, id); got.on != on || got.clear <= on {
			t.Errorf("water.pressure_low at %s: %v to %v, want %v", id, got.on, got.clear, on)
		}
	}
	if got := find(gatewayOffline, "z1").onDelay; got != 9*time.Minute {
		t.Errorf("gateway.offline in z1: %v", got)
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	kinds := Kinds()
	if len(kinds) != 33 {
		t.Errorf("%d kinds, want 33", len(kinds))
	}
	seen := make(map[string]bool)
	for i, k := range kinds {
		if k.ID == "" || seen[k.ID] || k.Severity < Low || len(k.To) == 0 || len(k.About) == 0 || len(k.Params) > len(setting{}.params) {
			t.Errorf("kind %d is incomplete or a duplicate: %+v", i, k)
		}
		seen[k.ID] = true
		if has(k.Severe) && k.Stepped <= k.Severity {
			t.Errorf("%s: severe does not step up", k.ID)
		}
	}
	kinds[0].To[0] = "changed"
	if catalogue[0].To[0] == "changed" {
		t.Error("Kinds hands out the table itself")
	}
	for _, word := range severityWords {
		if s, ok := ParseSeverity(word); !ok || s.String() != word {
			t.Errorf("severity %s: %v", word, s)
		}
	}
}
