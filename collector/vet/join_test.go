package vet_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/vet"
)

// part is one partial reading of a story, so many ms after its beginning.
type part struct {
	at     int64
	values []meter.Value
	stored []meter.Value // with what was added; nil: as sent
	whole  []meter.Value
	entire bool // it is not partial
}

func TestJoin(t *testing.T) {
	t.Parallel()
	const s = int64(1000)
	tests := []struct {
		name  string
		meter string
		parts []part
	}{
		// https://shelly-api-docs.shelly.cloud/gen2/General/Notifications: a status notice has what has changed
		{"a notice of what changed", "stranger", []part{
			{at: 0, values: say("voltage_l1_v", 236.1, "current_l1_a", 4.029, "power_factor_l1", 1), entire: true,
				whole: say("voltage_l1_v", 236.1, "current_l1_a", 4.029, "power_factor_l1", 1)},
			{at: 10 * s, values: say("current_l1_a", 4.1), whole: say("current_l1_a", 4.1, "voltage_l1_v", 236.1, "power_factor_l1", 1)},
			{at: 20 * s, values: say("voltage_l1_v", 235), whole: say("voltage_l1_v", 235, "current_l1_a", 4.1, "power_factor_l1", 1)},
		}},
		{"what stood too long", "stranger", []part{
			{at: 0, values: say("voltage_l1_v", 236.1), whole: say("voltage_l1_v", 236.1)},
			{at: 15 * minute, values: say("current_l1_a", 4), whole: say("current_l1_a", 4, "voltage_l1_v", 236.1)},
			{at: 15*minute + 1, values: say("current_l1_a", 4), whole: say("current_l1_a", 4)},
		}},
		{"what comes later does not complete what was earlier", "stranger", []part{
			{at: 10 * s, values: say("voltage_l1_v", 236.1), whole: say("voltage_l1_v", 236.1)},
			{at: 9 * s, values: say("current_l1_a", 4), whole: say("current_l1_a", 4)},
			{at: 11 * s, values: say("frequency_hz", 50), whole: say("frequency_hz", 50, "voltage_l1_v", 236.1, "current_l1_a", 4)},
		}},
		{"what is older does not take the place of what is newer", "stranger", []part{
			{at: 10 * s, values: say("voltage_l1_v", 236.1), whole: say("voltage_l1_v", 236.1)},
			{at: 5 * s, values: say("voltage_l1_v", 200), whole: say("voltage_l1_v", 200)},
			{at: 11 * s, values: say("current_l1_a", 4), whole: say("current_l1_a", 4, "voltage_l1_v", 236.1)},
		}},
		{"counters do not stand", "stranger", []part{
			{at: 0, values: say("energy_import_kwh", 100, "voltage_l1_v", 230), whole: say("energy_import_kwh", 100, "voltage_l1_v", 230)},
			{at: s, values: say("current_l1_a", 4), whole: say("current_l1_a", 4, "voltage_l1_v", 230)},
		}},
		{"what is out of its range does not stand", "stranger", []part{
			{at: 0, values: say("frequency_hz", 500, "voltage_l1_v", 230), whole: say("frequency_hz", 500, "voltage_l1_v", 230)},
			{at: s, values: say("current_l1_a", 4), whole: say("current_l1_a", 4, "voltage_l1_v", 230)},
		}},

		// DSMR-reader, a field a topic: https://dsmr-reader.readthedocs.io/en/v5/tutorial/mqtt.html
		{"tariffs in messages of their own", "stranger", []part{
			{at: 0, values: say("energy_import_t1_kwh", 1234.567), whole: say("energy_import_t1_kwh", 1234.567)},
			{at: 5, values: say("energy_import_t2_kwh", 2000.433), stored: say("energy_import_t2_kwh", 2000.433, "energy_import_kwh", 3235),
				whole: say("energy_import_t2_kwh", 2000.433, "energy_import_kwh", 3235)},
			{at: 9, values: say("active_power_kw", 0.25), whole: say("active_power_kw", 0.25)},
			{at: 10 * s, values: say("energy_import_t1_kwh", 1235.567), stored: say("energy_import_t1_kwh", 1235.567, "energy_import_kwh", 3236),
				whole: say("energy_import_t1_kwh", 1235.567, "energy_import_kwh", 3236, "active_power_kw", 0.25)},
		}},
		{"a tariff that does not count for hours", "stranger", []part{
			{at: 0, values: say("energy_export_t1_kwh", 10), whole: say("energy_export_t1_kwh", 10)},
			{at: 12 * hour, values: say("energy_export_t2_kwh", 20), stored: say("energy_export_t2_kwh", 20, "energy_export_kwh", 30),
				whole: say("energy_export_t2_kwh", 20, "energy_export_kwh", 30)},
			{at: 36*hour + 1, values: say("energy_export_t1_kwh", 11), whole: say("energy_export_t1_kwh", 11)},
		}},
		{"three tariffs", "stranger", []part{
			{at: 0, values: say("energy_import_t3_kwh", 5, "energy_import_t1_kwh", 1), whole: say("energy_import_t3_kwh", 5, "energy_import_t1_kwh", 1)},
			{at: 5, values: say("energy_import_t2_kwh", 2), stored: say("energy_import_t2_kwh", 2, "energy_import_kwh", 8),
				whole: say("energy_import_t2_kwh", 2, "energy_import_kwh", 8)},
		}},
		{"phases in messages of their own", "stranger", []part{
			{at: 0, values: say("active_power_l1_kw", 1), whole: say("active_power_l1_kw", 1)},
			{at: 1, values: say("active_power_l3_kw", -3), whole: say("active_power_l3_kw", -3, "active_power_l1_kw", 1)},
			{at: 2, values: say("active_power_l2_kw", 4), stored: say("active_power_l2_kw", 4, "active_power_kw", 2),
				whole: say("active_power_l2_kw", 4, "active_power_kw", 2, "active_power_l1_kw", 1, "active_power_l3_kw", -3)},
			{at: 3, values: say("voltage_l1_v", 230),
				whole: say("voltage_l1_v", 230, "active_power_l1_kw", 1, "active_power_l3_kw", -3, "active_power_l2_kw", 4, "active_power_kw", 2)},
		}},
		{"a phase that was not heard for long", "stranger", []part{
			{at: 0, values: say("active_power_l1_kw", 1, "active_power_l2_kw", 1), whole: say("active_power_l1_kw", 1, "active_power_l2_kw", 1)},
			{at: 16 * minute, values: say("active_power_l3_kw", 1), whole: say("active_power_l3_kw", 1)},
		}},
		{"a total of its own", "stranger", []part{
			{at: 0, values: say("active_power_kw", 7), whole: say("active_power_kw", 7)},
			{at: 1, values: say("active_power_l1_kw", 1, "active_power_l2_kw", 1, "active_power_l3_kw", 1),
				whole: say("active_power_l1_kw", 1, "active_power_l2_kw", 1, "active_power_l3_kw", 1, "active_power_kw", 7)},
		}},
		{"a total of its own, that came late", "stranger", []part{
			{at: 0, values: say("active_power_l1_kw", 1, "active_power_l2_kw", 1, "active_power_l3_kw", 1),
				stored: say("active_power_l1_kw", 1, "active_power_l2_kw", 1, "active_power_l3_kw", 1, "active_power_kw", 3),
				whole:  say("active_power_l1_kw", 1, "active_power_l2_kw", 1, "active_power_l3_kw", 1, "active_power_kw", 3)},
			{at: 1, values: say("active_power_kw", 7), whole: say("active_power_kw", 7, "active_power_l1_kw", 1, "active_power_l2_kw", 1, "active_power_l3_kw", 1)},
			{at: 2, values: say("active_power_l1_kw", 2), whole: say("active_power_l1_kw", 2, "active_power_l2_kw", 1, "active_power_l3_kw", 1, "active_power_kw", 7)},
		}},
		{"a whole reading is stored and told as sent", "stranger", []part{
			{at: 0, values: say("active_power_l1_kw", 1), whole: say("active_power_l1_kw", 1)},
			{at: 1, values: say("active_power_l2_kw", 1, "active_power_l3_kw", 1), entire: true, whole: say("active_power_l2_kw", 1, "active_power_l3_kw", 1)},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWatcher(t, meter.Electricity, tt.meter)
			for i, p := range tt.parts {
				w.at = max(w.at, received+p.at)
				r := w.check(&meter.Reading{Time: received + p.at, Values: slices.Clone(p.values), Partial: !p.entire, ByException: true})
				if p.stored == nil {
					p.stored = p.values
				}
				if !slices.Equal(r.Values, p.stored) {
					t.Errorf("%d: stored is %v, want %v", i, r.Values, p.stored)
				}
				whole := w.v.Whole(r)
				if !slices.Equal(whole.Values, p.whole) {
					t.Errorf("%d: the whole is %v, want %v", i, whole.Values, p.whole)
				}
				if whole.Partial || whole.Series != r.Series || whole.Time != r.Time || whole.Quality != r.Quality {
					t.Errorf("%d: the whole is %+v", i, whole)
				}
			}
		})
	}
}

// A meter that is planned to speak every hour is believed for three.
func TestJoinByTheInterval(t *testing.T) {
	t.Parallel()
	slow := dieselTank
	r := depot(t, slow)
	r.Meters()[0].IntervalS = 3600
	v := vet.New(r)
	s := &meter.Series{Zone: "z", Utility: meter.Fuel, Meter: "diesel"}
	for i, want := range []int{1, 2, 2, 2, 1} {
		at := received + int64(i)*hour
		values := say("temperature_c", 20)
		if i > 0 {
			values = say("flow_lph", i)
		}
		reading := meter.Reading{Series: s, Time: at, Values: values, Partial: true}
		v.Check(&reading, at, nil)
		if got := v.Whole(&reading).Values; len(got) != want {
			t.Errorf("after %d h: %v", i, got)
		}
	}
}

func TestForget(t *testing.T) {
	t.Parallel()
	w := newWatcher(t, meter.Electricity, "stranger")
	tell := func(partial bool, values []meter.Value) []meter.Value {
		w.at += 1000
		return w.v.Whole(w.check(&meter.Reading{Time: w.at, Values: values, Partial: partial, ByException: true})).Values
	}
	tell(false, say("voltage_l1_v", 230, "current_l1_a", 4))
	if got := tell(true, say("current_l1_a", 5)); len(got) != 2 {
		t.Errorf("before the death: %v", got)
	}
	w.v.Forget(w.series)
	if got := tell(true, say("current_l1_a", 6)); len(got) != 1 {
		t.Errorf("after the death: %v", got)
	}
	w.v.Forget(w.series)
	tell(false, say("voltage_l1_v", 231, "current_l1_a", 4))
	if got := tell(true, say("current_l1_a", 5)); len(got) != 2 {
		t.Errorf("after the next birth: %v", got)
	}
	w.v.Forget(series(7)) // never seen
}

// Nothing is kept of the meters that only send whole readings: they are most.
func TestWholeReadingsAreNotKept(t *testing.T) {
	t.Parallel()
	w := newWatcher(t, meter.Electricity, "stranger")
	w.check(&meter.Reading{Time: w.at, Values: say("voltage_l1_v", 230, "current_l1_a", 4)})
	w.at += 1000
	r := w.check(&meter.Reading{Time: w.at, Values: say("current_l1_a", 5), Partial: true})
	if got := w.v.Whole(r).Values; len(got) != 1 {
		t.Errorf("the first partial one is completed: %v", got)
	}
	w.at += 1000
	w.check(&meter.Reading{Time: w.at, Values: say("voltage_l1_v", 231, "current_l1_a", 4)})
	w.at += 1000
	r = w.check(&meter.Reading{Time: w.at, Values: say("current_l1_a", 6), Partial: true})
	if got := w.v.Whole(r).Values; len(got) != 2 {
		t.Errorf("it has shown that it sends partial ones: %v", got)
	}
}

// The registers of one meter are bounded; those beyond are stored and not
// joined.
func TestJoinIsBounded(t *testing.T) {
	t.Parallel()
	w := newWatcher(t, meter.Electricity, "stranger")
	for i := range 1000 {
		w.at++
		r := meter.Reading{Time: w.at, Values: say(fmt.Sprintf("r%d", i), i), Partial: true}
		if got := len(w.v.Whole(w.check(&r)).Values); got > 65 {
			t.Fatalf("%d registers", got)
		}
	}
}

// Whatever comes in whatever order, a whole reading has what was sent as it was
// sent, each register once, and no value that its meter did not say of late.
func TestWholeIsMadeOfWhatWasSaid(t *testing.T) {
	t.Parallel()
	names := []string{"voltage_l1_v", "current_l1_a", "active_power_l1_kw", "active_power_l2_kw", "active_power_l3_kw", "frequency_hz", "other"}
	rapid.Check(t, func(rt *rapid.T) {
		w := newWatcher(t, meter.Electricity, "stranger")
		said := map[meter.Value]int64{}
		for i, ms := range rapid.SliceOfNDistinct(rapid.Int64Range(0, 40*minute), 1, 40, rapid.ID[int64]).Draw(rt, "times") {
			at := received + ms
			w.at = max(w.at, at)
			var values []meter.Value
			for _, n := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, 3, rapid.ID[string]).Draw(rt, "registers") {
				values = append(values, meter.Value{Register: n, Value: 10 + float64(i)/1000})
				said[values[len(values)-1]] = at
			}
			r := w.check(&meter.Reading{Time: at, Values: slices.Clone(values), Partial: true})
			whole := w.v.Whole(r)
			if !slices.Equal(whole.Values[:len(r.Values)], r.Values) || !slices.Equal(r.Values[:len(values)], values) {
				rt.Fatalf("%v does not begin with %v", whole.Values, values)
			}
			seen := map[string]bool{}
			for _, v := range whole.Values {
				if seen[v.Register] {
					rt.Fatalf("%s twice", v.Register)
				}
				seen[v.Register] = true
				then, ok := said[v]
				if v.Register != "active_power_kw" && (!ok || then > at || at-then > 15*minute) {
					rt.Fatalf("%v was said at %d, it is %d", v, then, at)
				}
			}
		}
	})
}

// notices are those of a device with three phases, one phase after the other.
func notices() [][]meter.Value {
	var all [][]meter.Value
	for _, p := range []string{"l1", "l2", "l3"} {
		all = append(all, say("voltage_"+p+"_v", 230.1, "current_"+p+"_a", 4.1, "active_power_"+p+"_kw", 0.9, "apparent_power_"+p+"_kva", 0.95, "power_factor_"+p, 0.95))
	}
	return append(all, say("energy_import_kwh", 1000), say("frequency_hz", 50))
}

func TestWholeDoesNotAllocate(t *testing.T) {
	w := newWatcher(t, meter.Electricity, "stranger")
	all := notices()
	values := make([]meter.Value, 0, 16)
	prints := make([]byte, 0, 64)
	i := 0
	tell := func() {
		i++
		w.at += 100
		r := meter.Reading{Series: w.series, Time: w.at, Values: append(values, all[i%len(all)]...), Partial: true}
		w.v.Check(&r, w.at, prints)
		w.v.Whole(&r)
	}
	for range 1000 {
		tell()
	}
	if n := testing.AllocsPerRun(300, tell); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkJoin(b *testing.B) {
	w := newWatcher(b, meter.Electricity, "stranger")
	all := notices()
	values := make([]meter.Value, 0, 16)
	prints := make([]byte, 0, 64)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		w.at += 100
		r := meter.Reading{Series: w.series, Time: w.at, Values: append(values, all[i%len(all)]...), Partial: true}
		w.v.Check(&r, w.at, prints)
		w.v.Whole(&r)
	}
}
