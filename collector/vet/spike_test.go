package vet_test

import (
	"slices"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// Each story has one value a reading, a minute apart; spikes are the readings
// that are marked.
func TestSpikes(t *testing.T) {
	t.Parallel()
	power := func(kw float64) []meter.Value { return say("active_power_kw", kw, "energy_import_kwh", 1000) }
	celsius := func(c float64) []meter.Value { return say("temperature_c", c) }
	bar := func(p float64) []meter.Value { return say("pressure_bar", p) }
	litres := func(l float64) []meter.Value { return say("volume_l", l) }
	level := func(mm float64) []meter.Value { return say("level_mm", mm) }
	tests := []struct {
		name    string
		utility meter.Utility
		meter   string
		values  func(float64) []meter.Value
		story   []float64
		spikes  []int
	}{
		{"a power beyond the rating", meter.Electricity, "plant", power, []float64{400, 960, 410}, []int{1}},
		{"a power just below", meter.Electricity, "plant", power, []float64{400, 940, 410}, nil},
		{"fed back beyond the rating", meter.Electricity, "plant", power, []float64{400, -960, 410}, []int{1}},
		{"a rating that is wrong", meter.Electricity, "plant", power, []float64{400, 1000, 1010, 990, 1020, 400, 1000}, []int{1}},
		{"twice, hours apart", meter.Electricity, "plant", power, []float64{400, 9000, 400, 400, 9000, 400}, []int{1, 4}},
		{"a cut and the return to full load", meter.Electricity, "feeder", power, []float64{13000, 0, 0, 13000, 13500}, nil},
		{"the first reading of all", meter.Electricity, "plant", power, []float64{9000, 400}, []int{0}},
		{"a meter that nobody knows", meter.Electricity, "stranger", power, []float64{400, 900_000, 400}, nil},

		{"a temperature", meter.Water, "line", celsius, []float64{18, 85, 18.1}, []int{1}},
		{"a temperature that stays", meter.Water, "line", celsius, []float64{18, 85, 86, 87}, []int{1}},
		{"a sensor gone mad", meter.Water, "line", celsius, []float64{18, 85, 140, 18}, []int{1, 2}},
		{"a temperature that rises fast", meter.Water, "line", celsius, []float64{18, 37, 56, 75}, nil},
		{"a pump that starts and stops", meter.Water, "line", bar, []float64{0, 12, 12.1, 0}, nil},
		{"a pressure", meter.Water, "line", bar, []float64{5, 60, 5.1}, []int{1}},
		{"a pressure that stays", meter.Water, "line", bar, []float64{5, 60, 61}, []int{1}},
		{"no pressure at the first", meter.Water, "line", bar, []float64{60, 60}, nil},

		{"a tank filled by two tankers", meter.Fuel, "diesel", litres, []float64{10_000, 14_000, 18_000, 22_000}, nil},
		{"a content", meter.Fuel, "diesel", litres, []float64{10_000, 40_000, 10_010}, []int{1}},
		{"a content that is gone", meter.Fuel, "diesel", litres, []float64{40_000, 0, 40_000}, []int{1}},
		{"a level", meter.Fuel, "diesel", level, []float64{600, 2100, 601}, []int{1}},
		{"a level that stays", meter.Fuel, "diesel", level, []float64{600, 2100, 2101}, []int{1}},
		{"a level that moves", meter.Fuel, "diesel", level, []float64{600, 900, 1200, 1100}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWatcher(t, tt.utility, tt.meter)
			var spikes []int
			for i, v := range tt.story {
				r := w.take(60, tt.values(v))
				if got := r.Reason == "spike"; got != (r.Quality == meter.Suspect) {
					t.Errorf("reading %d: quality %s, reason %q", i, r.Quality, r.Reason)
				} else if got {
					spikes = append(spikes, i)
				}
			}
			if !slices.Equal(spikes, tt.spikes) {
				t.Errorf("marked are %v, want %v", spikes, tt.spikes)
			}
			if got := w.v.Findings()["spike"]; got != int64(len(tt.spikes)) {
				t.Errorf("%d counted", got)
			}
		})
	}
}

// What had a long time to change may have done so.
func TestNoSpikeAfterHours(t *testing.T) {
	t.Parallel()
	w := newWatcher(t, meter.Fuel, "diesel")
	w.take(60, say("volume_l", 1000, "temperature_c", 5))
	if r := w.take(6*3600, say("volume_l", 45_000, "temperature_c", 48)); r.Quality != meter.Good {
		t.Errorf("marked: %s", r.Reason)
	}
}

// A value out of its range has been marked as such; it is nothing to compare
// later ones with.
func TestSpikeOutOfRange(t *testing.T) {
	t.Parallel()
	w := newWatcher(t, meter.Water, "line")
	w.take(60, say("temperature_c", 18))
	if r := w.take(60, say("temperature_c", 850)); r.Quality != meter.OutOfRange || r.Reason == "spike" {
		t.Errorf("quality %s, reason %q", r.Quality, r.Reason)
	}
	if r := w.take(60, say("temperature_c", 18.2)); r.Quality != meter.Good {
		t.Errorf("quality %s, reason %q", r.Quality, r.Reason)
	}
}

// The parts of a meter's readings are looked at as they come.
func TestSpikeInPart(t *testing.T) {
	t.Parallel()
	w := newWatcher(t, meter.Water, "line")
	for i, tt := range []struct {
		values []meter.Value
		reason string
	}{
		{say("temperature_c", 18), ""}, {say("pressure_bar", 5), ""}, {say("temperature_c", 60), "spike"},
		{say("pressure_bar", 5.1), ""}, {say("temperature_c", 18), ""},
	} {
		w.at += 1000
		r := meter.Reading{Time: w.at, Values: tt.values, Partial: true}
		if w.check(&r); r.Reason != tt.reason {
			t.Errorf("reading %d: reason %q, want %q", i, r.Reason, tt.reason)
		}
	}
}
