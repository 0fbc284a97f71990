package meter_test

import (
	"testing"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// The codes are stored: they must never change.
func TestQualityCodes(t *testing.T) {
	t.Parallel()
	want := []string{"good", "estimated", "late", "suspect", "clock_invalid", "reset", "out_of_range", "missing"}
	if meter.Qualities != len(want) {
		t.Fatalf("%d qualities, want %d", meter.Qualities, len(want))
	}
	for code, name := range want {
		if got := meter.Quality(code).String(); got != name {
			t.Errorf("code %d is %s, want %s", code, got, name)
		}
	}
	if got := meter.Quality(200).String(); got != "quality(200)" {
		t.Errorf("code 200 is %s", got)
	}
}

func TestWorst(t *testing.T) {
	t.Parallel()
	tests := []struct{ a, b, want meter.Quality }{
		{meter.Good, meter.Good, meter.Good},
		{meter.Good, meter.Estimated, meter.Estimated},
		{meter.Late, meter.Estimated, meter.Late},
		{meter.ClockInvalid, meter.OutOfRange, meter.OutOfRange},
		{meter.Missing, meter.Reset, meter.Missing},
	}
	for _, tt := range tests {
		if got := tt.a.Worst(tt.b); got != tt.want {
			t.Errorf("%s and %s: %s, want %s", tt.a, tt.b, got, tt.want)
		}
		if got := tt.b.Worst(tt.a); got != tt.want {
			t.Errorf("%s and %s: %s, want %s", tt.b, tt.a, got, tt.want)
		}
	}
}

func TestUtilities(t *testing.T) {
	t.Parallel()
	for _, u := range meter.Utilities {
		if !u.Valid() {
			t.Errorf("%s is not valid", u)
		}
	}
	for _, u := range []meter.Utility{"", "steam", "Water", "gateway", "water "} {
		if u.Valid() {
			t.Errorf("%q is valid", u)
		}
	}
}
