package forecast

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// line is a history of n quarters that ends with volume at now and has lost lph.
func line(now int64, n int, volume, lph float64) []snapshot.Sample {
	var h []snapshot.Sample
	for i := n - 1; i >= 0; i-- {
		h = append(h, snapshot.Sample{Time: now - int64(i)*quarterMS, Value: volume + lph*float64(i)/4})
	}
	return h
}

// tank adds a tank to the plant.
func tank(id string, u meter.Utility, fuel string) func(*zone.File) {
	return func(f *zone.File) {
		f.Tanks = append(f.Tanks, zone.Tank{
			ID: id, Name: zone.Name{En: "n", Ar: "ا"}, Zone: "zone", Plant: "mill", Utility: u, Fuel: fuel, CapacityM3: 100,
		})
	}
}

func needsWater(f *zone.File) {
	name := zone.Name{En: "n", Ar: "ا"}
	f.PumpingStations = []zone.PumpingStation{{ID: "pumps", Name: name}}
	f.WaterLines = []zone.WaterLine{{ID: "main", Name: name, Zone: "zone", From: "pumps"}}
	f.Plants[0].WaterLine, f.Plants[0].Requirement.WaterM3PerD = "main", 24
}

func text(s snapshot.Stall) string {
	switch {
	case !s.P50H.Known():
		return "unknown"
	case math.IsInf(float64(s.P10H), 1) && math.IsInf(float64(s.P90H), 1):
		return "never"
	}
	if s.P50H > 200 {
		return "far"
	}
	return fmt.Sprintf("%.0f", float64(s.P50H))
}

func TestFill(t *testing.T) {
	t.Parallel()
	const oil = 0 // index of the mazut tank
	flat := new(snapshot.Profile)
	for i := range flat {
		flat[i] = 400
	}
	// A level is a compromise of what was expected and what was seen.
	tests := []struct {
		name   string
		mutate []func(*zone.File)
		set    func(*snapshot.Snapshot, *snapshot.Plant)
		want   string // power, water, fuel
	}{
		{"nothing is known", nil, func(*snapshot.Snapshot, *snapshot.Plant) {}, "never never unknown"},
		{"as declared", nil, func(s *snapshot.Snapshot, _ *snapshot.Plant) { s.Tanks[oil].UsableL = 4000 }, "never never 10"},
		{"as in the last days", nil, func(s *snapshot.Snapshot, _ *snapshot.Plant) {
			s.Tanks[oil].UsableL, s.Tanks[oil].DailyL = 4000, 4800
		}, "never never 20"},
		{"as learned", nil, func(s *snapshot.Snapshot, p *snapshot.Plant) {
			s.Tanks[oil].UsableL, s.Tanks[oil].DailyL, p.FuelProfileLPH = 4000, 4800, flat
		}, "never never 10"},
		{"as its history says, nothing being learned", nil, func(s *snapshot.Snapshot, _ *snapshot.Plant) {
			s.Tanks[oil].UsableL, s.Tanks[oil].History = 4000, line(s.Now, 64, 5000, 200)
		}, "never never 19"},
		{"empty down to the dead stock", nil, func(s *snapshot.Snapshot, _ *snapshot.Plant) { s.Tanks[oil].UsableL = 0 }, "never never 0"},
		{"not drawn from for 16 h, which may change", nil, func(s *snapshot.Snapshot, _ *snapshot.Plant) {
			s.Tanks[oil].UsableL, s.Tanks[oil].History = 4000, line(s.Now, 64, 5000, 0)
		}, "never never far"},
		{"nothing needed", []func(*zone.File){func(f *zone.File) { f.Plants[0].Requirement.FuelLPerD = 0 }},
			func(s *snapshot.Snapshot, _ *snapshot.Plant) { s.Tanks[oil].UsableL = 0 }, "never never never"},
		{"two tanks add up", []func(*zone.File){tank("oil2", meter.Fuel, "fuel_oil")}, func(s *snapshot.Snapshot, _ *snapshot.Plant) {
			for i, lph := range []float64{50, 150} {
				s.Tanks[i].UsableL, s.Tanks[i].History = 2000, line(s.Now, 64-10*i, 2500, lph)
			}
		}, "never never 19"},
		{"one of two is silent", []func(*zone.File){tank("oil2", meter.Fuel, "fuel_oil")},
			func(s *snapshot.Snapshot, _ *snapshot.Plant) { s.Tanks[oil].UsableL = 2000 }, "never never unknown"},
		{"a delivery that nobody cut", nil, func(s *snapshot.Snapshot, _ *snapshot.Plant) {
			h := line(s.Now, 64, 4000, 200)
			for i := range h[:20] {
				h[i].Value -= 9000
			}
			s.Tanks[oil].UsableL, s.Tanks[oil].History = 4000, h
		}, "never never 19"},

		{"water from the mains keeps the tank full", []func(*zone.File){needsWater, tank("cistern", meter.Water, "")},
			func(s *snapshot.Snapshot, p *snapshot.Plant) {
				p.WaterM3H, s.Tanks[1].UsableL, s.Tanks[1].History = 1, 5000, line(s.Now, 64, 5000, 0)
			}, "never never unknown"},
		{"the mains run, nothing more is known", []func(*zone.File){needsWater, tank("cistern", meter.Water, "")},
			func(s *snapshot.Snapshot, p *snapshot.Plant) { p.WaterM3H, s.Tanks[1].UsableL = 1, 5000 }, "never unknown unknown"},
		{"the mains run, but too little: Holt", []func(*zone.File){needsWater, tank("cistern", meter.Water, "")},
			func(s *snapshot.Snapshot, p *snapshot.Plant) {
				p.WaterM3H, s.Tanks[1].UsableL, s.Tanks[1].History = 0.5, 5000, line(s.Now, 5, 5000, 500)
			}, "never 10 unknown"},
		{"the mains stand", []func(*zone.File){needsWater, tank("cistern", meter.Water, "")},
			func(s *snapshot.Snapshot, p *snapshot.Plant) { p.WaterM3H, s.Tanks[1].UsableL = 0, 5000 }, "never 5 unknown"},
		{"no tank for water", []func(*zone.File){needsWater}, func(*snapshot.Snapshot, *snapshot.Plant) {}, "never unknown unknown"},

		{"the grid is there, the generator's tank empty", []func(*zone.File){tank("gen", meter.Fuel, "diesel")},
			func(s *snapshot.Snapshot, _ *snapshot.Plant) { s.Tanks[1].UsableL = 0 }, "never never unknown"},
		{"a silent grid", nil, func(_ *snapshot.Snapshot, p *snapshot.Plant) {
			p.PowerKW, p.VoltagePU[0] = snapshot.Unknown, snapshot.Unknown
		}, "unknown never unknown"},
		{"the generator runs", []func(*zone.File){tank("gen", meter.Fuel, "diesel")}, func(s *snapshot.Snapshot, p *snapshot.Plant) {
			p.Dead.Since, p.GeneratorKW, s.Tanks[1].UsableL = s.Now-hourMS, 100, 270
		}, "10 never unknown"},
		{"its history tells better", []func(*zone.File){tank("gen", meter.Fuel, "diesel")}, func(s *snapshot.Snapshot, p *snapshot.Plant) {
			p.Dead.Since, p.GeneratorKW, s.Tanks[1].UsableL = s.Now-12*hourMS, 100, 540
			s.Tanks[1].History = line(s.Now, 64, 600, 54)
		}, "11 never unknown"},
		{"what was before the cut is another matter", []func(*zone.File){tank("gen", meter.Fuel, "diesel")}, func(s *snapshot.Snapshot, p *snapshot.Plant) {
			p.Dead.Since, p.GeneratorKW, s.Tanks[1].UsableL = s.Now-hourMS, 100, 270
			s.Tanks[1].History = line(s.Now, 64, 600, 0)
		}, "10 never unknown"},
		{"a planned cut ends before", []func(*zone.File){tank("gen", meter.Fuel, "diesel")}, func(s *snapshot.Snapshot, p *snapshot.Plant) {
			p.Dead = snapshot.Dead{Since: s.Now - hourMS, Planned: true, Return: s.Now + 2*hourMS}
			p.GeneratorKW, s.Tanks[1].UsableL = 100, 270
		}, "never never unknown"},
		{"a planned cut that outlasts the tank", []func(*zone.File){tank("gen", meter.Fuel, "diesel")}, func(s *snapshot.Snapshot, p *snapshot.Plant) {
			p.Dead = snapshot.Dead{Since: s.Now - hourMS, Planned: true, Return: s.Now + 20*hourMS}
			p.GeneratorKW, s.Tanks[1].UsableL = 100, 270
		}, "10 never unknown"},
		{"no generator", []func(*zone.File){func(f *zone.File) { f.Plants[0].StandbyKW = 0 }},
			func(s *snapshot.Snapshot, p *snapshot.Plant) { p.Dead.Since = s.Now }, "unknown never unknown"},
		{"diesel for boilers, where there is nothing else", []func(*zone.File){func(f *zone.File) { f.Tanks[0].Fuel = "diesel" }},
			func(s *snapshot.Snapshot, _ *snapshot.Plant) { s.Tanks[oil].UsableL = 4000 }, "never never 10"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := plantOf(t, tt.mutate...)
			tt.set(s, &s.Plants[0])
			New(DefaultConfig()).Fill(s)
			var got []string
			for _, stall := range s.Plants[0].Stall {
				got = append(got, text(stall))
				if stall.P10H > stall.P50H || stall.P50H > stall.P90H {
					t.Errorf("quantiles %v", stall)
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %v, want %s; %v", got, tt.want, s.Plants[0].Stall)
			}
		})
	}
}

// TestNight: a day shift's tank that would be empty two working hours after the
// evening is empty in the morning.
func TestNight(t *testing.T) {
	t.Parallel()
	s := plantOf(t)
	p := new(snapshot.Profile)
	for h := range p {
		p[h] = float32(100 * span(h%24, 7, 15))
	}
	s.Plants[0].FuelProfileLPH = p
	s.Now = epoch + 14*hourMS // Sunday 14:00
	s.Tanks[0].UsableL = 300
	New(DefaultConfig()).Fill(s)
	got := s.Plants[0].Stall[Fuel]
	if !near(float64(got.P50H), 1+16+2, 0.01) || got.P10H < 17 || got.P90H > 22 {
		t.Errorf("%v", got)
	}
	s.Tanks[0].UsableL = 800*5 + 300 // and five days on
	New(DefaultConfig()).Fill(s)
	if got := s.Plants[0].Stall[Fuel]; !near(float64(got.P50H), 5*24+19, 0.01) {
		t.Errorf("%v", got)
	}
	s.Tanks[0].UsableL = 1e9
	New(DefaultConfig()).Fill(s)
	if got := s.Plants[0].Stall[Fuel]; text(got) != "never" {
		t.Errorf("%v", got)
	}
}

func TestShiftProfile(t *testing.T) {
	t.Parallel()
	night := []zone.Shift{{Days: []zone.Weekday{6}, From: 22 * 60, To: 2*60 + 30}}
	p := shiftProfile(night, 450)
	for h, want := range map[int]float32{166: 1, 167: 1, 0: 1, 1: 1, 2: 0.5, 3: idleUse, 165: idleUse} {
		if got := p[h] / p[166]; !near(float64(got), float64(want), 1e-6) {
			t.Errorf("hour %d: %v of the full, want %v", h, got, want)
		}
	}
	if shiftProfile(nil, 450) != nil || shiftProfile(night, 0) != nil {
		t.Error("a profile of nothing")
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	err := Config{DayNoise: math.NaN()}.Validate()
	for _, key := range []string{"day_noise: ", "level_noise: ", "declared_noise: ", "generator_l_per_kwh: "} {
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%v does not name %s", err, key)
		}
	}
}

// BenchmarkFill is one plant with a full history of its tank.
func BenchmarkFill(b *testing.B) {
	s := plantOf(b)
	simulate(shapes[0], 0.25, 0.9, 1).at(s, 6*weekQ+50, 30000, 1000, true)
	f := New(DefaultConfig())
	f.Fill(s)
	b.ReportAllocs()
	for b.Loop() {
		f.Fill(s)
	}
}
