package vet_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/vet"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// watchedTown has a feeder of 400 A, so of 13,856 kVA, a plant of 630 kVA, and a
// water line, each with a meter of a minute that is called as they are.
func watchedTown(t testing.TB) *zone.Registry {
	t.Helper()
	name := zone.Name{En: "a", Ar: "ا"}
	oil := dieselTank
	oil.Name, oil.Zone = name, "z"
	r, err := zone.New([]*zone.File{{
		City: zone.City{ID: "c", Name: name}, Zones: []zone.Zone{{ID: "z", Name: name}},
		Substations:     []zone.Substation{{ID: "station", Name: name, RatingMVA: 60}},
		Feeders:         []zone.Feeder{{ID: "feeder", Name: name, Zone: "z", From: "station", RatingA: 400}},
		PumpingStations: []zone.PumpingStation{{ID: "pumps", Name: name, CapacityM3H: 600}},
		WaterLines:      []zone.WaterLine{{ID: "line", Name: name, Zone: "z", From: "pumps"}},
		Plants:          []zone.Plant{{ID: "plant", Name: name, Zone: "z", Feeder: "feeder", WaterLine: "line", Sector: zone.Weaving, ContractKVA: 630}},
		Tanks:           []zone.Tank{oil},
		Meters: []zone.Meter{
			{ID: "feeder", Zone: "z", Utility: meter.Electricity, At: "feeder"},
			{ID: "plant", Zone: "z", Utility: meter.Electricity, At: "plant"},
			{ID: "line", Zone: "z", Utility: meter.Water, At: "line"},
			{ID: "diesel", Zone: "z", Utility: meter.Fuel, At: "diesel"},
			{ID: "boiler", Zone: "z", Utility: meter.Fuel, At: "plant"},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// watcher hands readings of one meter to a vetter.
type watcher struct {
	t      testing.TB
	v      *vet.Vetter
	series *meter.Series
	at     int64
}

func newWatcher(t testing.TB, u meter.Utility, id string) *watcher {
	t.Helper()
	return &watcher{t: t, v: vet.New(watchedTown(t)), series: &meter.Series{Zone: "z", Utility: u, Meter: id}, at: received}
}

// take checks a reading so many seconds after the last and returns it.
func (w *watcher) take(seconds float64, values []meter.Value) *meter.Reading {
	w.at += int64(1000 * seconds)
	return w.check(&meter.Reading{Time: w.at, Values: slices.Clone(values)})
}

func (w *watcher) check(r *meter.Reading) *meter.Reading {
	w.t.Helper()
	r.Series = w.series
	if verdict, _ := w.v.Check(r, w.at, nil); verdict != vet.Store {
		w.t.Fatalf("verdict %d of %+v", verdict, r)
	}
	return r
}

// electric are the registers of a three-phase meter.
func electric(volts, hertz, amps, kw, kwh float64) []meter.Value {
	return say("active_power_kw", kw, "energy_import_kwh", kwh,
		"voltage_l1_v", volts, "voltage_l2_v", volts, "voltage_l3_v", volts,
		"current_l1_a", amps, "current_l2_a", amps, "current_l3_a", amps, "frequency_hz", hertz)
}

func water(m3, m3h, bar float64) []meter.Value {
	return say("volume_m3", m3, "flow_m3h", m3h, "pressure_bar", bar)
}

func round(x float64, decimals int) float64 {
	scale := math.Pow10(decimals)
	return math.Round(x*scale) / scale
}

// Each story is told by readings a minute apart; stuck is the first that is
// marked, 0 for none.
func TestStuck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		utility meter.Utility
		meter   string
		at      func(i int, noise *rand.Rand) []meter.Value
		stuck   int
	}{
		{"everything repeated", meter.Electricity, "plant",
			func(int, *rand.Rand) []meter.Value { return electric(229.83, 50.012, 41.27, 24.11, 1000) }, 6},
		{"only the counter goes on", meter.Electricity, "plant",
			func(i int, _ *rand.Rand) []meter.Value {
				return electric(229.83, 50.012, 41.27, 24.11, 1000+float64(i))
			}, 6},
		{"one phase, shown finely", meter.Electricity, "plant",
			func(int, *rand.Rand) []meter.Value { return say("voltage_l1_v", 229.83, "current_l1_a", 4.029) }, 6},
		{"values that were converted", meter.Electricity, "plant",
			func(int, *rand.Rand) []meter.Value {
				return electric(229.8312345, 50.0123456, 41.2712345, 24.1112345, 1000)
			}, 6},
		{"medium voltage", meter.Electricity, "feeder",
			func(int, *rand.Rand) []meter.Value { return electric(11547.3, 50, 0, 0, 1000) }, 6},
		{"repeated after a day of life", meter.Electricity, "plant",
			func(i int, noise *rand.Rand) []meter.Value {
				if i > 1440 {
					return electric(229.83, 50.012, 41.27, 24.11, 1000)
				}
				return electric(round(230+noise.NormFloat64(), 2), 50, 41.3, 24, 1000)
			}, 1447},

		{"idle, in whole volts", meter.Electricity, "plant",
			func(int, *rand.Rand) []meter.Value { return electric(230, 50, 0, 0, 1000) }, 0},
		{"idle, in tenths of a volt", meter.Electricity, "plant",
			func(int, *rand.Rand) []meter.Value { return electric(230.4, 50, 0, 0, 1000) }, 0},
		{"under load, in whole volts and amperes", meter.Electricity, "plant",
			func(i int, _ *rand.Rand) []meter.Value { return electric(230, 50, 41, 24, 1000+0.4*float64(i)) }, 0},
		{"dead", meter.Electricity, "plant",
			func(int, *rand.Rand) []meter.Value { return electric(0, 0, 0, 0, 1000) }, 0},
		{"fine values that move", meter.Electricity, "plant",
			func(i int, noise *rand.Rand) []meter.Value {
				return electric(round(230+noise.NormFloat64(), 2), 50, 41.27, 24, 1000+0.4*float64(i))
			}, 0},
		{"one frequency to three decimals", meter.Electricity, "plant",
			func(int, *rand.Rand) []meter.Value { return say("frequency_hz", 49.998) }, 0},
		{"means of 5 minutes, every minute", meter.Electricity, "plant",
			func(i int, _ *rand.Rand) []meter.Value {
				return electric(229.83+0.01*float64(i/5%7), 50, 41.27, 24, 1000+0.4*float64(i))
			}, 0},
		{"a pressure that stands while nothing flows", meter.Water, "line",
			func(int, *rand.Rand) []meter.Value { return water(1000, 0, 3.4127) }, 0},
		{"a pressure that stands while water flows", meter.Water, "line",
			func(i int, _ *rand.Rand) []meter.Value { return water(1000+0.6*float64(i), 36, 9.4127) }, 6},
		{"a coarse pressure while water flows", meter.Water, "line",
			func(i int, _ *rand.Rand) []meter.Value { return water(1000+0.6*float64(i), 36, 3.4) }, 0},
		{"a converted pressure while water flows", meter.Water, "line",
			func(i int, _ *rand.Rand) []meter.Value { return water(1000+0.6*float64(i), 36, 50*0.0689475729) }, 0},

		{"a counter that stands after an hour of counting", meter.Water, "line",
			func(i int, noise *rand.Rand) []meter.Value {
				return water(round(1000+0.6*float64(min(i, 60)), 2), 36+noise.NormFloat64(), round(3+0.1*noise.NormFloat64(), 1))
			}, 66},
		{"a coarse counter", meter.Water, "line", // 36 m³/h, one pulse in 10 m³: 17 minutes
			func(i int, noise *rand.Rand) []meter.Value {
				return water(10*math.Floor(0.06*float64(i)), 36+noise.NormFloat64(), round(3+0.1*noise.NormFloat64(), 1))
			}, 0},
		{"a coarse counter that stands", meter.Water, "line",
			func(i int, noise *rand.Rand) []meter.Value {
				return water(10*math.Floor(0.06*float64(min(i, 100))), 36+noise.NormFloat64(), round(3+0.1*noise.NormFloat64(), 1))
			}, 169},
		{"a counter behind transformers", meter.Electricity, "feeder", // steps of 16 MWh at 2 MW: 8 h
			func(i int, noise *rand.Rand) []meter.Value {
				return say("active_power_kw", 2000+10*noise.NormFloat64(), "energy_import_kwh", 4_800_000+16000*math.Floor(float64(i)/480))
			}, 0},
		{"a counter that never moved, in kWh", meter.Electricity, "plant",
			func(_ int, noise *rand.Rand) []meter.Value {
				return say("active_power_kw", 100+noise.NormFloat64(), "energy_import_kwh", 4711)
			}, 604},
		{"nothing flows", meter.Water, "line",
			func(_ int, noise *rand.Rand) []meter.Value {
				return water(1000, 0, round(3+0.1*noise.NormFloat64(), 1))
			}, 0},
		{"a trickle below what starts the counter", meter.Water, "line",
			func(i int, noise *rand.Rand) []meter.Value {
				if i < 600 {
					return water(1000+0.6*float64(i), 36, round(3+0.1*noise.NormFloat64(), 1))
				}
				return water(1360, 0.3, round(3+0.1*noise.NormFloat64(), 1))
			}, 0},
		{"export beside import", meter.Electricity, "plant",
			func(i int, noise *rand.Rand) []meter.Value {
				return say("active_power_kw", -100+noise.NormFloat64(), "energy_import_kwh", 4711, "energy_export_kwh", 100+1.6*float64(i))
			}, 0},
		{"an export that stands", meter.Electricity, "plant",
			func(i int, noise *rand.Rand) []meter.Value {
				return say("active_power_kw", -100+noise.NormFloat64(), "energy_import_kwh", 4711, "energy_export_kwh", 100+1.6*float64(min(i, 30)))
			}, 36},
		{"fuel burnt that is not counted", meter.Fuel, "boiler",
			func(i int, noise *rand.Rand) []meter.Value {
				return say("flow_lph", 120+noise.NormFloat64(), "consumed_l", 5000+2*float64(min(i, 30)))
			}, 41},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWatcher(t, tt.utility, tt.meter)
			noise := rand.New(rand.NewPCG(1, 2))
			first, marked := 0, int64(0)
			for i := range 1500 {
				r := w.take(60, tt.at(i, noise))
				if got := r.Reason == "stuck"; got != (r.Quality == meter.Suspect) || !got && r.Quality != meter.Good {
					t.Fatalf("reading %d: quality %s, reason %q", i, r.Quality, r.Reason)
				} else if got && first == 0 {
					first = i
				}
				if r.Reason == "stuck" {
					marked++
				}
			}
			if first != tt.stuck {
				t.Errorf("reading %d is the first that is marked, want %d", first, tt.stuck)
			}
			if got := w.v.Findings()["stuck"]; got != marked {
				t.Errorf("%d counted, %d marked", got, marked)
			}
		})
	}
}

// Many readings within one interval do not make a stuck meter, nor does a meter
// that tells the same for a while make later ones be overlooked.
func TestStuckTakesTime(t *testing.T) {
	t.Parallel()
	w := newWatcher(t, meter.Electricity, "plant")
	same := electric(229.83, 50.012, 41.27, 24.11, 1000)
	for i := range 50 {
		if r := w.take(2, same); r.Quality != meter.Good {
			t.Fatalf("after %d s: %s", 2*i, r.Reason)
		}
	}
	for i := range 4 {
		w.take(60, same)
		if r := w.take(60, same); i == 3 && r.Reason != "stuck" {
			t.Errorf("quality %s, reason %q", r.Quality, r.Reason)
		}
	}
	for i := range 60 {
		if r := w.take(60, electric(229.83+0.01*float64(i), 50, 41.27, 24.11, 1000+float64(i))); r.Quality != meter.Good {
			t.Fatalf("alive again: %s", r.Reason)
		}
	}
	stuck := false
	for range 10 {
		stuck = w.take(60, electric(229.83, 50.012, 41.27, 24.11, 1060)).Reason == "stuck"
	}
	if !stuck {
		t.Error("stuck again, and not seen")
	}
}

// Single registers, backfill and late readings are not judged.
func TestStuckSparesParts(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*meter.Reading){
		"a part":   func(r *meter.Reading) { r.Partial = true },
		"backfill": func(r *meter.Reading) { r.Historical = true },
		"late":     func(r *meter.Reading) { r.Time -= 2 * hour },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWatcher(t, meter.Electricity, "plant")
			for range 30 {
				w.at += minute
				r := meter.Reading{Time: w.at, Values: electric(229.83, 50.012, 41.27, 24.11, 1000)}
				change(&r)
				if w.check(&r); r.Reason != "" {
					t.Fatalf("marked: %s", r.Reason)
				}
			}
		})
	}
}
