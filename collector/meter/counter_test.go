package meter_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

func TestCounter(t *testing.T) {
	t.Parallel()
	const hour = 3_600_000
	rated := meter.CounterLimits{PerH: 100}
	six := meter.CounterLimits{Digits: 6, PerH: 100}
	tests := []struct {
		name     string
		old, new float64
		ms       int64 // between the two
		replaced bool
		limits   meter.CounterLimits
		want     meter.Increment
		value    float64 // remembered afterwards
		epoch    int32
	}{
		{"goes on", 1000, 1080, hour, false, rated, meter.Increment{Amount: 80, Event: meter.CounterForward}, 1080, 0},
		{"stands still", 1000, 1000, hour, false, rated, meter.Increment{Event: meter.CounterForward}, 1000, 0},
		{"at one and a half times the rating", 1000, 1150, hour, false, rated, meter.Increment{Amount: 150, Event: meter.CounterForward}, 1150, 0},
		{"above it", 1000, 1151, hour, false, rated, meter.Increment{Missing: true, Event: meter.CounterImplausible}, 1151, 0},
		{"any rate, if none is known", 1000, 9e9, hour, false, meter.CounterLimits{}, meter.Increment{Amount: 9e9 - 1000, Event: meter.CounterForward}, 9e9, 0},
		{"older", 1000, 1080, -hour, false, rated, meter.Increment{Event: meter.CounterOld}, 1000, 0},
		{"of the same time", 1000, 1080, 0, false, rated, meter.Increment{Event: meter.CounterOld}, 1000, 0},
		{"rolls over", 999_950, 40, hour, false, six, meter.Increment{Amount: 90, Event: meter.CounterRollover}, 40, 0},
		{"would roll over too fast: a reset", 999_950, 140, hour, false, six, meter.Increment{Amount: 140, Event: meter.CounterReset}, 140, 1},
		{"digits unknown: a reset", 999_950, 40, hour, false, rated, meter.Increment{Amount: 40, Event: meter.CounterReset}, 40, 1},
		{"not near its end: a reset", 900_000, 40, hour, false, six, meter.Increment{Amount: 40, Event: meter.CounterReset}, 40, 1},
		{"a reset to too much", 900_000, 5000, hour, false, six, meter.Increment{Missing: true, Event: meter.CounterReset}, 5000, 1},
		{"a reset without a rating", 900_000, 5, hour, false, meter.CounterLimits{}, meter.Increment{Missing: true, Event: meter.CounterReset}, 5, 1},
		{"a dip", 1000, 999, hour, false, rated, meter.Increment{Event: meter.CounterDip}, 1000, 0},
		{"the deepest dip", 1000, 900, hour, false, rated, meter.Increment{Event: meter.CounterDip}, 1000, 0},
		{"just a reset", 1000, 899, 10 * hour, false, rated, meter.Increment{Amount: 899, Event: meter.CounterReset}, 899, 1},
		{"replaced", 1000, 1010, hour, true, rated, meter.Increment{Missing: true, Event: meter.CounterReplaced}, 1010, 1},
		{"replaced comes before rollover", 999_950, 40, hour, true, six, meter.Increment{Missing: true, Event: meter.CounterReplaced}, 40, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			const begin = 100 * hour
			var c meter.Counter
			if first := c.Next(tt.old, begin, false, tt.limits); first != (meter.Increment{Event: meter.CounterFirst}) {
				t.Errorf("the first: %+v", first)
			}
			if got := c.Next(tt.new, begin+tt.ms, tt.replaced, tt.limits); got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
			if c.Value != tt.value || c.Epoch != tt.epoch {
				t.Errorf("remembers %v in epoch %d, want %v in %d", c.Value, c.Epoch, tt.value, tt.epoch)
			}
		})
	}
}

// The way back up from a dip is not consumption.
func TestADipCountsNothing(t *testing.T) {
	t.Parallel()
	var c meter.Counter
	sum := 0.0
	for i, v := range []float64{1000, 995, 998, 1003} {
		sum += c.Next(v, int64(i+1)*1000, false, meter.CounterLimits{}).Amount
	}
	if sum != 3 {
		t.Errorf("counted %v, want 3", sum)
	}
}

func TestAnIncrementIsNeverNegative(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var c meter.Counter
		l := meter.CounterLimits{Digits: rapid.IntRange(0, 7).Draw(t, "digits"), PerH: rapid.Float64Range(0, 1e4).Draw(t, "rating")}
		for range rapid.IntRange(1, 20).Draw(t, "readings") {
			i := c.Next(rapid.Float64Range(0, 1e7).Draw(t, "value"), rapid.Int64Range(1, 1e9).Draw(t, "time"), rapid.Bool().Draw(t, "replaced"), l)
			if !(i.Amount >= 0) || i.Missing && i.Amount != 0 {
				t.Fatalf("%+v", i)
			}
		}
	})
}
