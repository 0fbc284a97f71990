package vet_test

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

func TestGaps(t *testing.T) {
	t.Parallel()
	every := func(seconds float64, n int) []float64 {
		all := make([]float64, n)
		for i := range all {
			all[i] = seconds
		}
		return all
	}
	tests := []struct {
		name         string
		meter        string
		seconds      []float64 // between readings
		gaps, absent int64
	}{
		{"none", "feeder", every(60, 30), 0, 0},
		{"one lost", "feeder", []float64{60, 60, 120, 60}, 1, 1},
		{"ten lost", "feeder", []float64{60, 60, 660, 60}, 1, 10},
		{"a little late", "feeder", []float64{60, 85, 60}, 0, 0},
		{"much later than planned", "feeder", []float64{60, 95, 60}, 1, 1},
		{"more often than planned", "feeder", every(5, 30), 0, 0},
		{"a meter that nobody knows, not learnt yet", "stranger", append(every(300, 10), 600), 0, 0},
		{"a meter that nobody knows", "stranger", append(every(300, 20), 600, 300), 1, 1},
		{"a day of a meter that nobody knows", "stranger", append(every(300, 20), 86_400, 300), 1, 287},
		{"slower from some day on", "stranger", append(every(60, 20), every(120, 100)...), 6, 6},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWatcher(t, meter.Electricity, tt.meter)
			w.take(60, power(1))
			marked := int64(0)
			for i, s := range tt.seconds {
				r := w.take(s, power(float64(i)))
				if r.Reason == "gap" {
					marked++
				}
				if r.Quality != meter.Good {
					t.Errorf("a gap has made reading %d %s", i, r.Quality)
				}
			}
			found := w.v.Findings()
			if found["gap"] != tt.gaps || found["absent"] != tt.absent || marked != tt.gaps {
				t.Errorf("%d gaps of %d readings, %d marked; want %d of %d", found["gap"], found["absent"], marked, tt.gaps, tt.absent)
			}
		})
	}
}

// A meter with messages of two kinds, or of many, has the pause between them for
// its interval.
func TestGapsBetweenPairs(t *testing.T) {
	t.Parallel()
	for _, together := range []int{2, 3, 10} {
		w := newWatcher(t, meter.Electricity, "stranger")
		for i := range 200 {
			seconds := 0.02
			if i%together == 0 {
				seconds = 60
			}
			w.take(seconds, power(float64(i)))
		}
		if got := w.v.Findings()["gap"]; got != 0 {
			t.Errorf("%d together: %d gaps", together, got)
		}
	}
}

// Readings that come later than others of their meter, parts, backfill and such
// as have no time of their own are no gaps.
func TestNoGaps(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*meter.Reading){
		"older than the last": func(r *meter.Reading) { r.Time = received - 10*minute },
		"a part":              func(r *meter.Reading) { r.Partial = true },
		"backfill":            func(r *meter.Reading) { r.Historical = true },
		"no clock":            func(r *meter.Reading) { r.Time = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWatcher(t, meter.Electricity, "feeder")
			w.take(60, power(1))
			w.at += hour / 2
			r := meter.Reading{Time: w.at, Values: power(2)}
			change(&r)
			w.check(&r)
			if got := w.v.Findings()["gap"]; got != 0 || r.Reason == "gap" {
				t.Errorf("%d gaps, reason %q", got, r.Reason)
			}
		})
	}
}

// What was buffered while the way was cut, and comes in order, leaves no gap.
func TestBufferedReadingsAreNoGap(t *testing.T) {
	t.Parallel()
	w := newWatcher(t, meter.Electricity, "feeder")
	w.take(60, power(1))
	since := w.at
	w.at += 3 * hour
	for at := since + minute; at <= w.at; at += minute {
		w.check(&meter.Reading{Time: at, Values: power(float64(at % 1000))})
	}
	if got := w.v.Findings()["gap"]; got != 0 {
		t.Errorf("%d gaps", got)
	}
}

// Whatever the interval, with a tenth of jitter and one in twenty lost, a meter
// that nobody knows is found to miss about what it misses.
func TestGapsOfUnknownMeters(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		interval := rapid.Float64Range(2, 3600).Draw(rt, "interval")
		noise := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		w := newWatcher(t, meter.Electricity, "stranger")
		lost := int64(0)
		for i := range 1000 {
			seconds := interval * (1 + 0.1*(noise.Float64()-0.5))
			if noise.Float64() < 0.05 {
				seconds += interval
				if i > 100 {
					lost++
				}
			}
			w.take(seconds, power(float64(i)))
		}
		if got := w.v.Findings()["absent"]; got < lost-3 || got > lost*3/2+12 {
			rt.Fatalf("%d absent, %d were lost", got, lost)
		}
	})
}
