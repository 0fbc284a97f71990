package main

import (
	"math"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/configs"
)

// extremes is the least and the most that a register showed.
type extremes struct{ least, most float64 }

// TestQuietDay: on a day on which nothing is wrong, nothing that the meters say
// comes near what an alarm could be about.
func TestQuietDay(t *testing.T) {
	t.Parallel()
	s := watch(t, "00-quiet-day")
	reg := prepare(t, "00-quiet-day", 1).Registry
	days := make(map[string]float64) // of fuel in all of a plant's tanks
	for _, m := range reg.Meters() {
		check := func(register string, x float64, least, most float64) {
			if x < least || x > most {
				t.Errorf("%s shows %s %.3f, want %v to %v", m.ID, register, x, least, most)
			}
		}
		shown := s.extremes(m.ID)
		if v, ok := shown["voltage_l1_v"]; ok {
			nominal := 230.94
			if p, ok := reg.Plant(m.At); !ok {
				nominal = 11547
			} else {
				check("demand by contract", shown["demand_kw"].most/p.ContractKVA, 0, 0.9)
			}
			check("voltage", v.least/nominal, 0.94, 1.06)
			check("voltage", v.most/nominal, 0.94, 1.06)
			check("frequency", shown["frequency_hz"].least, 49.8, 50.2)
		}
		if f, ok := reg.Feeder(m.At); ok {
			check("loading", shown["current_l1_a"].most/f.RatingA, 0, 0.8)
		}
		if bar, ok := shown["pressure_bar"]; ok {
			check("pressure", bar.least, 3, 7)
		}
		tank, ok := reg.Tank(m.At)
		if !ok {
			continue
		}
		p, ok := reg.Plant(tank.Plant)
		switch {
		case ok && tank.Utility == meter.Water:
			check("water, h", 24*(shown["tank_volume_m3"].least-tank.DeadM3)/p.Requirement.WaterM3PerD, 8.1, math.Inf(1))
		case ok && tank.Fuel != "diesel" && p.Requirement.FuelLPerD > 0:
			days[p.ID] += (shown["volume15_l"].least - 1000*tank.DeadM3) / p.Requirement.FuelLPerD
		}
	}
	for plant, d := range days {
		if d < 4 {
			t.Errorf("%s has fuel for %.1f days", plant, d)
		}
	}
}

func (s *stageplay) extremes(meter string) map[string]extremes {
	shown := make(map[string]extremes)
	for _, x := range s.said[meter] {
		for register, v := range x.values {
			e, known := shown[register]
			if !known {
				e = extremes{v, v}
			}
			shown[register] = extremes{math.Min(e.least, v), math.Max(e.most, v)}
		}
	}
	return shown
}

// TestSeeds: every shipped scenario can be made ready for any seed, and expects
// no less than when it is played as written. It may expect more, where a cause
// hides another only as written.
func TestSeeds(t *testing.T) {
	t.Parallel()
	for _, name := range configs.ShippedScenarios() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := -1
			for seed := int64(1); seed <= 25; seed++ {
				n := 0
				for _, e := range prepare(t, name, seed).Events() {
					n += len(e.Expect)
					if e.End.Before(e.Start) {
						t.Errorf("seed %d: %s ends at %v, before %v", seed, e.Cause, e.End, e.Start)
					}
				}
				if want < 0 {
					want = n
				}
				if n < want {
					t.Errorf("seed %d: %d alarms expected, as written %d", seed, n, want)
				}
			}
		})
	}
}

// BenchmarkDay plays a day of the shipped city.
func BenchmarkDay(b *testing.B) {
	for b.Loop() {
		p := play(b, prepare(b, "00-quiet-day", 1), nil)
		b.ReportMetric(float64(p.deliveries), "deliveries")
	}
}
