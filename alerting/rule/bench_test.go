package rule

import (
	"fmt"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// bigCity has so many meters: of each 20, one is a feeder's, ten are plants'
// electricity, five their water, three tanks', one a main's.
func bigCity(b *testing.B, count int) *zone.Registry {
	b.Helper()
	f := &zone.File{City: zone.City{ID: "c"}, PumpingStations: []zone.PumpingStation{{ID: "ps"}}}
	measure := func(at, z string, u meter.Utility) { f.Meters = append(f.Meters, meterAt(at, z, u, "gw-"+z, false)) }
	var z, station string
	for i := range count / 20 {
		if i%50 == 0 {
			z, station = fmt.Sprintf("z%d", i/50), fmt.Sprintf("s%d", i/50)
			f.Zones = append(f.Zones, zone.Zone{ID: z})
			f.Substations = append(f.Substations, zone.Substation{ID: station})
		}
		feeder, line := fmt.Sprintf("f%d", i), fmt.Sprintf("w%d", i)
		f.Feeders = append(f.Feeders, zone.Feeder{ID: feeder, Zone: z, From: station, RatingA: 400})
		f.WaterLines = append(f.WaterLines, zone.WaterLine{ID: line, Zone: z, From: "ps"})
		measure(feeder, z, meter.Electricity)
		measure(line, z, meter.Water)
		for j := range 10 {
			plant := fmt.Sprintf("p%d-%d", i, j)
			f.Plants = append(f.Plants, zone.Plant{ID: plant, Zone: z, Feeder: feeder, WaterLine: line, Sector: zone.OtherSector, ContractKVA: 500,
				Requirement: zone.Requirement{PowerKW: 400, WaterM3PerD: 48}})
			measure(plant, z, meter.Electricity)
			if j < 5 {
				measure(plant+"w", z, meter.Water)
				f.Meters[len(f.Meters)-1].At = plant
			}
			if j < 3 {
				tank := "t" + plant
				f.Tanks = append(f.Tanks, zone.Tank{ID: tank, Zone: z, Plant: plant, Utility: meter.Fuel, Fuel: "mazut", CapacityM3: 50})
				measure(tank, z, meter.Fuel)
			}
		}
	}
	r, err := zone.New([]*zone.File{named(f)})
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// BenchmarkEval: the cost of a cycle grows with the number of meters, and a
// clear object allocates nothing. stormy: every tenth feeder is dead; silent:
// nothing was heard yet.
func BenchmarkEval(b *testing.B) {
	for _, count := range []int{10_000, 100_000} {
		reg := bigCity(b, count)
		set, err := New(Config{}, reg)
		if err != nil {
			b.Fatal(err)
		}
		for _, c := range []struct {
			name  string
			state func(*snapshot.Snapshot)
		}{{"clear", func(*snapshot.Snapshot) {}}, {"stormy", stormy}, {"silent", silent}} {
			b.Run(fmt.Sprintf("%d/%s", count, c.name), func(b *testing.B) {
				snap := well(reg, start)
				for i := range snap.Substations { // well leaves the second without a meter
					snap.Substations[i] = snap.Substations[0]
				}
				c.state(snap)
				found := set.Eval(nil, snap, start)
				b.ReportAllocs()
				for b.Loop() {
					found = set.Eval(found[:0], snap, start)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(snap.Meters)), "ns/meter")
				b.ReportMetric(float64(len(found)), "findings")
			})
		}
	}
}

func stormy(s *snapshot.Snapshot) {
	for i := range s.Feeders {
		if i%10 != 0 {
			continue
		}
		s.Feeders[i].VoltagePU, s.Feeders[i].Dead.Since = [3]snapshot.Value{}, s.Now-60_000
		for j := i * 10; j < i*10+10; j++ {
			p := &s.Plants[j]
			p.VoltagePU, p.Dead.Since, p.PowerKW = [3]snapshot.Value{}, s.Now-60_000, 0
			p.Capability, p.PowerCapability, p.Constrained = 0, 0, true
		}
	}
	for i := range s.Zones {
		s.Zones[i].AdequacyRatio, s.Zones[i].Affected = 0.75, 50
		s.Zones[i].Power.Settled, s.Zones[i].Power.Shortfall, s.Zones[i].Power.Constrained = 0.25, 0.25, true
	}
}

func silent(s *snapshot.Snapshot) {
	unknown := [3]snapshot.Value{snapshot.Unknown, snapshot.Unknown, snapshot.Unknown}
	for i := range s.Meters {
		s.Meters[i] = snapshot.Meter{Silent: true, Since: s.Now - 600_000, SkewS: snapshot.Unknown}
	}
	for i := range s.Feeders {
		s.Feeders[i].VoltagePU, s.Feeders[i].PowerKW = unknown, snapshot.Unknown
	}
	for i := range s.Plants {
		s.Plants[i].VoltagePU, s.Plants[i].PowerKW = unknown, snapshot.Unknown
	}
}
