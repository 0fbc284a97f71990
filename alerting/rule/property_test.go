package rule

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
)

// scramble draws every number and flag of a snapshot anew. Lists keep their
// lengths, and indexes into them their values.
func scramble(t *rapid.T, v reflect.Value, now int64) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			switch v.Type().Field(i).Name {
			case "Registry", "Now", "Meter", "Gateway", "Zone", "ID", "Name", "History":
			default:
				scramble(t, v.Field(i), now)
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			scramble(t, v.Index(i), now)
		}
	case reflect.Float64:
		v.SetFloat(rapid.SampledFrom([]float64{0, 0.03, 0.3, 0.6, 0.88, 0.91, 1, 1.12, 3, 49, 300, 5000, math.NaN(), math.Inf(1), -2}).Draw(t, "number"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "flag"))
	case reflect.Int64:
		v.SetInt(rapid.SampledFrom([]int64{0, now, now - 60_000, now - 1_800_000, now - 90_000_000}).Draw(t, "moment"))
	case reflect.Int:
		v.SetInt(int64(rapid.IntRange(0, 8).Draw(t, "count")))
	case reflect.String:
		v.SetString(rapid.SampledFrom([]string{"", "fault"}).Draw(t, "text"))
	}
}

// TestProperties: for any state there is one finding a condition, none is
// clear, none is its own cause however far the causes are followed, and the
// same state gives the same findings and is left as it was.
func TestProperties(t *testing.T) {
	t.Parallel()
	reg := testRegistry(t)
	set, err := New(read(t, `custom: [{id: own.rule, for_each: plant, when: 'power_kw < 1', clear: 'power_kw > 2', severity: low, to: [plant], text: {en: e, ar: a}}]`), reg)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		snap := well(reg, start)
		scramble(t, reflect.ValueOf(snap).Elem(), snap.Now)
		before := fmt.Sprintf("%+v", *snap)
		found := set.Eval(nil, snap, start)
		again := set.Eval(make([]Finding, 0, 10), snap, start)
		if fmt.Sprintf("%+v", *snap) != before {
			t.Fatal("the snapshot was changed")
		}
		if fmt.Sprintf("%+v", found) != fmt.Sprintf("%+v", again) {
			t.Fatal("the same state gave other findings")
		}
		checkJudge(t, set, snap, found)
		causes := make(map[Key]Key)
		for _, f := range found {
			if _, twice := causes[f.Key]; twice {
				t.Fatalf("two findings for %s", f.ID())
			}
			causes[f.Key] = f.Cause
			if f.State == Clear {
				t.Fatalf("%s is clear, and told", f.ID())
			}
		}
		for key := range causes {
			at := key
			for range len(causes) + 1 {
				at = causes[at]
			}
			if at != (Key{}) {
				t.Fatalf("%s is its own cause", key.ID())
			}
		}
	})
}

// TestUnknown: nothing that nobody measured raises an alarm.
func TestUnknown(t *testing.T) {
	t.Parallel()
	reg := testRegistry(t)
	set, err := New(Config{}, reg)
	if err != nil {
		t.Fatal(err)
	}
	snap := well(reg, start)
	blank(reflect.ValueOf(snap).Elem())
	unknown := make(map[string]bool)
	for _, f := range set.Eval(nil, snap, start) {
		if f.State == Raised {
			t.Errorf("raised: %s", tell(f))
		}
		unknown[f.Kind] = f.State == Unknown
	}
	for _, kind := range []string{"elec.outage", "elec.phase_loss", "elec.voltage_low", "elec.voltage_high", "elec.unbalance", "elec.frequency",
		"elec.shortfall", "elec.demand_high", "elec.feeder_overload", "water.pressure_low", "water.stopped", "water.shortfall", "water.tank_low",
		"water.burst", "water.night_leak", "fuel.cover_low", "fuel.loss", "fuel.reconcile", "plant.stall_forecast", "plant.stalled",
		"zone.inadequate", "balance.gap", "meter.clock"} {
		if !unknown[kind] {
			t.Errorf("%s is not unknown", kind)
		}
	}
}

// blank makes every value unknown.
func blank(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "Registry" {
				blank(v.Field(i))
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			blank(v.Index(i))
		}
	case reflect.Float64:
		if v.Type() == reflect.TypeFor[snapshot.Value]() {
			v.SetFloat(math.NaN())
		}
	}
}

// checkJudge: of what is not raised, Judge leaves out what nobody follows, and
// nothing else; it counts everything.
func checkJudge(t *rapid.T, set *Set, snap *snapshot.Snapshot, found []Finding) {
	follows := rapid.SampledFrom([]string{"", "e", "o", "meter"}).Draw(t, "followed")
	followed := func(k Key) bool { return strings.Contains(k.Kind, follows) && follows != "" }
	var want []Finding
	var tally Tally
	for _, f := range found {
		tally[f.State]++
		if f.State == Raised || followed(f.Key) {
			want = append(want, f)
		}
	}
	if got, counted := set.Judge(nil, snap, start, followed); fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) || counted != tally {
		t.Fatalf("judged %d conditions, counted %v, want %d, %v", len(got), counted, len(want), tally)
	}
}
