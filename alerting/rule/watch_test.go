package rule

import (
	"strings"
	"testing"
)

func TestWatches(t *testing.T) {
	t.Parallel()
	set, err := New(read(t, `
rules:
  - {kind: elec.voltage_low, at: z1, enabled: false}
  - {kind: elec.voltage_low, at: p1, enabled: true}
  - {kind: meter.offline, at: z2, enabled: false}
  - {kind: gateway.offline, at: z2, enabled: false}
  - {kind: pipeline.fault, enabled: false}
custom:
  - {id: own.low, for_each: plant, at: z1, when: 'power_kw < 1', severity: low, to: [plant], text: {en: e, ar: a}}
  - {id: own.meter, for_each: meter, when: 'silent_s > 9', severity: low, to: [plant], text: {en: e, ar: a}}
`), testRegistry(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		key  Key
		want bool
	}{
		{"an object", Key{Kind: "elec.outage", Object: "f1"}, true},
		{"no such object", Key{Kind: "elec.outage", Object: "f99"}, false},
		{"an object of another kind", Key{Kind: "elec.outage", Object: "wt"}, false},
		{"no such kind", Key{Kind: "elec.gone", Object: "f1"}, false},
		{"disabled in its zone", Key{Kind: "elec.voltage_low", Object: "p2"}, false},
		{"enabled at itself", Key{Kind: "elec.voltage_low", Object: "p1"}, true},
		{"enabled elsewhere", Key{Kind: "elec.voltage_low", Object: "p5"}, true},
		{"a meter", Key{Kind: "meter.offline", Zone: "z1", Utility: "electricity", Object: "m-p1"}, true},
		{"a meter of another utility", Key{Kind: "meter.offline", Zone: "z1", Utility: "water", Object: "m-p1"}, false},
		{"a meter where it is disabled", Key{Kind: "meter.offline", Zone: "z2", Utility: "electricity", Object: "m-p5"}, false},
		{"a gateway", Key{Kind: "gateway.offline", Zone: "z1", Object: "g1"}, true},
		{"a gateway of an unknown zone", Key{Kind: "gateway.offline", Zone: "zx", Object: "gx"}, true},
		{"a gateway where it is disabled", Key{Kind: "gateway.offline", Zone: "z2", Object: "g2"}, false},
		{"a part", Key{Kind: "pipeline.fault", Object: "broker"}, false},
		{"a person", Key{Kind: "alarm.flood", Object: "samir"}, true},
		{"a custom rule", Key{Kind: "own.low", Object: "p1"}, true},
		{"a custom rule elsewhere", Key{Kind: "own.low", Object: "p5"}, false},
		{"a custom rule of meters", Key{Kind: "own.meter", Zone: "z2", Utility: "electricity", Object: "m-p5"}, true},
	} {
		if got := set.Watches(c.key); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// Whatever Eval finds is watched: otherwise a reload would end it.
func TestFoundIsWatched(t *testing.T) {
	t.Parallel()
	reg := testRegistry(t)
	set, err := New(Config{}, reg)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, reg: reg, now: start, Snapshot: well(reg, start)}
	for _, word := range strings.Fields("dead:s1@-1m dead:f5@-1m g1.Online=false g1.Since=-5m m-p4.SkewS=90 s1.FrequencyHz=40") {
		s.do("watched", word)
	}
	for _, f := range set.Eval(nil, s.Snapshot, s.now) {
		if !set.Watches(f.Key) {
			t.Errorf("%s is not watched", f.ID())
		}
	}
}
