package vet_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// story is what one counter shows and when it is heard of.
type story struct {
	interval     int64 // ms
	kva          float64
	digits       int
	replacements []zone.Replacement
	told         []heard // in order of receipt
	truth        []heard // what was consumed by when
	resolution   float64
	events       bool
	late         bool
}

type heard struct {
	time, received int64 // ms
	value          float64
}

// rules continues a counter over its samples, in order of device time, as
// DOMAIN has it. A dip leaves it where it was.
func (s *story) rules(samples []heard) []float64 {
	totals := make([]float64, len(samples))
	last, moved, total := samples[0], samples[0].time, samples[0].value
	for i, x := range samples {
		amount, dip := s.increment(last, x, moved)
		total += amount
		if totals[i] = total; dip {
			continue
		}
		if x.value != last.value {
			moved = x.time
		}
		last = x
	}
	return totals
}

// increment is what a counter that stood still since moved, but a day at most,
// has counted from one sample to the next.
func (s *story) increment(from, to heard, moved int64) (amount float64, dip bool) {
	limit := s.kva
	if limit == 0 {
		limit = 1e6
	}
	hours := float64(to.time-min(from.time, max(moved, from.time-24*hour))) / hour
	plausible := func(amount float64) float64 {
		if amount > 1.5*limit*hours+1e-9 {
			return 0
		}
		return amount
	}
	shown, full := from.value, math.Pow10(s.digits)
	exchanged, known := false, true
	for _, e := range s.replacements {
		if at := e.At.UnixMilli(); at <= from.time || at > to.time {
			continue
		}
		exchanged = true
		if final, ok := e.Final["energy_import_kwh"]; ok && known && final >= shown {
			amount += final - shown
		}
		shown, known = e.Initial["energy_import_kwh"], e.Initial != nil
	}
	switch {
	case exchanged && known && to.value >= shown:
		amount += to.value - shown
		fallthrough
	case exchanged:
		if s.kva == 0 {
			return amount, false
		}
		return plausible(amount), false
	case to.value >= shown:
		return plausible(to.value - shown), false
	case s.digits > 0 && shown > 0.95*full && plausible(full-shown+to.value) > 0:
		return full - shown + to.value, false
	case to.value >= 0.9*shown:
		return 0, true
	case s.kva == 0:
		return 0, false
	}
	return plausible(to.value), false
}

// oracle is the blocks that all samples together make.
func (s *story) oracle() map[int64]float64 {
	samples := slices.Clone(s.told)
	slices.SortStableFunc(samples, func(a, b heard) int { return cmp.Compare(a.time, b.time) })
	samples = slices.CompactFunc(samples, func(a, b heard) bool { return a.time == b.time })
	totals := s.rules(samples)
	at := func(t int64) float64 {
		i, found := slices.BinarySearchFunc(samples, t, func(x heard, t int64) int { return cmp.Compare(x.time, t) })
		switch {
		case found:
			return totals[i]
		case i == 0:
			return totals[0]
		case i == len(samples):
			return totals[i-1]
		}
		a, b := samples[i-1], samples[i]
		return totals[i-1] + (totals[i]-totals[i-1])*float64(t-a.time)/float64(b.time-a.time)
	}
	blocks := make(map[int64]float64)
	first, last := samples[0].time, samples[len(samples)-1].time
	for start := first / block * block; start+block <= last; start += block {
		blocks[start] = at(start+block) - at(start)
	}
	return blocks
}

func drawStory(rt *rapid.T, events, late bool) *story {
	s := &story{events: events, late: late}
	s.interval = rapid.SampledFrom([]int64{10_000, minute, 5 * minute, 15 * minute, hour}).Draw(rt, "interval")
	if rapid.Bool().Draw(rt, "rated") {
		s.kva = 600
	}
	value := rapid.SampledFrom([]float64{0, 0.004, 12, 500, 1e5, 999_990, 1e9}).Draw(rt, "from")
	if events {
		value = rapid.SampledFrom([]float64{1e5, 999_990, 5e5}).Draw(rt, "start")
		s.digits = rapid.SampledFrom([]int{0, 6}).Draw(rt, "digits")
	}
	resolution := rapid.SampledFrom([]float64{0, 0.01, 1}).Draw(rt, "resolution")
	now := quarter + rapid.SampledFrom([]int64{0, 0, 1, 7*minute + 123, block - 1}).Draw(rt, "offset")
	n := rapid.IntRange(2, 60).Draw(rt, "readings")
	outage := -1
	if late {
		outage = rapid.IntRange(-1, n).Draw(rt, "outage")
	}
	var back int64
	consumed := 0.0
	s.resolution = resolution
	for i := range n {
		shown := value
		s.truth = append(s.truth, heard{time: now, value: consumed})
		if resolution > 0 {
			shown = math.Floor(value/resolution) * resolution
		}
		received := now + 200
		if late {
			switch rapid.IntRange(0, 12).Draw(rt, "lateness") {
			case 0:
				received += rapid.Int64Range(0, 3*s.interval).Draw(rt, "by little")
			case 1:
				received += rapid.Int64Range(0, 30*hour).Draw(rt, "by much")
			}
			if i <= outage {
				if back == 0 {
					back = now + rapid.Int64Range(0, 8*hour).Draw(rt, "outage until")
				}
				received = max(received, back)
			}
		}
		if i == 0 || i == n-1 || !late || rapid.IntRange(0, 19).Draw(rt, "lost") > 0 {
			s.told = append(s.told, heard{now, received, shown})
		}
		if late && rapid.IntRange(0, 15).Draw(rt, "double") == 0 {
			s.told = append(s.told, heard{now, received + rapid.Int64Range(0, 2*hour).Draw(rt, "again"), shown})
		}
		if i == n-1 {
			break
		}
		step := s.interval
		switch rapid.IntRange(0, 20).Draw(rt, "step") {
		case 0:
			if late {
				break // beside a usual step nothing late counts
			}
			step = rapid.Int64Range(1000, s.interval).Draw(rt, "soon")
		case 1:
			step = s.interval * rapid.Int64Range(2, 30).Draw(rt, "gap")
		case 2:
			step = rapid.Int64Range(hour, 70*hour).Draw(rt, "long gap")
		case 3, 4, 5:
			step += rapid.Int64Range(-s.interval/5, s.interval/5).Draw(rt, "jitter")
		}
		kw := rapid.SampledFrom([]float64{0, 1, 100, 400}).Draw(rt, "kw")
		value += kw * float64(step) / hour
		consumed += kw * float64(step) / hour
		now += step
		if s.digits == 6 && value >= 1e6 {
			value -= 1e6
		}
		if !events {
			continue
		}
		switch rapid.IntRange(0, 30).Draw(rt, "event") {
		case 0:
			if value < 60_000 || s.digits == 6 && value >= 950_000 {
				break // it may come to overtake itself
			}
			value = 0.3 * kw * float64(step) / hour // reset
		case 1:
			e := zone.Replacement{At: time.UnixMilli(now - rapid.Int64Range(0, step-1).Draw(rt, "exchanged"))}
			if rapid.Bool().Draw(rt, "final known") {
				e.Final = map[string]float64{"energy_import_kwh": value}
			}
			value = rapid.SampledFrom([]float64{0, 20, 7e5}).Draw(rt, "initial")
			if rapid.Bool().Draw(rt, "initial known") {
				e.Initial = map[string]float64{"energy_import_kwh": value}
			}
			s.replacements = append(s.replacements, e)
		}
	}
	slices.SortStableFunc(s.told, func(a, b heard) int { return cmp.Compare(a.received, b.received) })
	end := now - now%block + 2*block // what was put off comes out
	last := s.told[len(s.told)-1]
	for _, x := range s.told {
		if x.time > last.time {
			last = x
		}
	}
	for m := last.time + s.interval; ; m += max(s.interval, 5*minute) {
		s.told = append(s.told, heard{m, max(m, s.told[len(s.told)-1].received), last.value})
		if m >= end {
			break
		}
	}
	return s
}

// tell lets the vetter hear the story.
func (s *story) tell(t *testing.T, rt *rapid.T) *stream {
	t.Helper()
	registry := every(t, s.interval, s.kva, s.digits, s.replacements...)
	st := newStream(registry)
	latest := int64(0)
	for _, x := range s.told {
		if rapid.IntRange(0, 9).Draw(rt, "restart") == 0 {
			st.restart(t, registry)
		}
		latest = max(latest, x.time)
		r := meter.Reading{Series: st.series, Time: x.time, Values: []meter.Value{{Register: st.register, Value: x.value}}}
		st.vetter.Check(&r, x.received, nil)
		st.take(t)
		for _, b := range st.vetter.Intervals() {
			if b.Start+block > latest {
				rt.Fatalf("block %d has not ended at %d", b.Start, latest)
			}
		}
	}
	return st
}

func (s *story) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "every %d s, %v kVA, %d digits\n", s.interval/1000, s.kva, s.digits)
	for _, e := range s.replacements {
		fmt.Fprintf(&out, "  exchange %.3f min %v %v\n", float64(e.At.UnixMilli()-quarter)/minute, e.Final, e.Initial)
	}
	for _, x := range s.told {
		fmt.Fprintf(&out, "  %10.3f min (heard %10.3f) %v\n", float64(x.time-quarter)/minute, float64(x.received-quarter)/minute, x.value)
	}
	return out.String()
}

// slack is what rounding makes of the story's values.
func (s *story) slack() float64 {
	scale := 1.0
	for _, x := range s.told {
		scale = max(scale, x.value)
	}
	return 1e-9 * scale
}

// compare holds the blocks against those of the oracle.
func (s *story) compare(rt *rapid.T, got *stream) {
	want := s.oracle()
	if len(got.blocks) != len(want) {
		rt.Errorf("%d blocks, want %d\n%s", len(got.blocks), len(want), s)
	}
	for start, amount := range want {
		if b, ok := got.blocks[start]; !ok || math.Abs(b.Amount-amount) > s.slack() {
			rt.Fatalf("block %d (there: %v): %+v, want %v\n%s", (start-quarter)/block, ok, b, amount, s)
		}
	}
}

// trueAt is what was consumed by a time.
func (s *story) trueAt(t int64) float64 {
	i, found := slices.BinarySearchFunc(s.truth, t, func(x heard, t int64) int { return cmp.Compare(x.time, t) })
	switch {
	case found || i == 0:
		return s.truth[i].value
	case i == len(s.truth):
		return s.truth[i-1].value
	}
	a, b := s.truth[i-1], s.truth[i]
	return a.value + (b.value-a.value)*float64(t-a.time)/float64(b.time-a.time)
}

// sound holds the blocks against what was consumed: a good one is right, the
// totals go on, nothing is counted that was not consumed, and little comes out
// again.
func (s *story) sound(rt *rapid.T, got *stream) {
	sum, slack := 0.0, s.slack()
	for start, b := range got.blocks {
		sum += b.Amount
		truth := s.trueAt(start+block) - s.trueAt(start)
		if b.Quality == meter.Good && math.Abs(b.Amount-truth) > s.resolution*1.001+0.002*truth+slack {
			rt.Errorf("block %d is good: %+v, truly %v\n%s", (start-quarter)/block, b, truth, s)
		}
		before, ok := got.blocks[start-block]
		if ok && (!s.events || !s.late) && math.Abs(b.Total-before.Total-b.Amount) > slack {
			rt.Errorf("block %d: %+v after a total of %v\n%s", (start-quarter)/block, b, before.Total, s)
		}
	}
	if end := s.truth[len(s.truth)-1].value; sum > end+2*s.resolution+slack {
		rt.Errorf("%v of %v\n%s", sum, end, s)
	}
	if got.emitted > 2*len(got.blocks)+8*len(s.told) {
		rt.Errorf("%d blocks came out %d times\n%s", len(got.blocks), got.emitted, s)
	}
}

// Whatever a counter shows and whenever it is heard of, the blocks are those that
// DOMAIN's rules make of all readings in order of device time. Where readings are
// late and the counter began anew, no more can be said than that nothing is
// counted that was not consumed, and that good blocks are right.
func TestOracle(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name         string
		events, late bool
	}{{"in order", false, false}, {"late", false, true}, {"resets and exchanges", true, false}, {"all of it", true, true}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) {
				s := drawStory(rt, tt.events, tt.late)
				got := s.tell(t, rt)
				if !tt.events || !tt.late {
					s.compare(rt, got)
				}
				s.sound(rt, got)
			})
		})
	}
}
