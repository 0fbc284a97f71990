package live_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// largeCity has n meters at objects of their own, in the proportions of the
// shipped city: of ten plants' seventy meters, ten measure electricity, ten
// water, forty tanks and generators.
func largeCity(tb testing.TB, meters int) *zone.Registry {
	tb.Helper()
	name := zone.Name{En: "x", Ar: "س"}
	f := &zone.File{
		City: zone.City{ID: "c", Name: name}, Zones: []zone.Zone{{ID: "z", Name: name}},
		Substations:     []zone.Substation{{ID: "ss", Name: name, RatingMVA: 1e6}},
		PumpingStations: []zone.PumpingStation{{ID: "ps", Name: name, CapacityM3H: 1e6}},
	}
	at := func(u meter.Utility, object string) {
		f.Meters = append(f.Meters, zone.Meter{ID: fmt.Sprintf("m%d", len(f.Meters)), Zone: "z", Utility: u, At: object, IntervalS: 60})
	}
	for p := 0; len(f.Meters) < meters; p++ {
		if p%4 == 0 {
			feeder, line := fmt.Sprintf("f%d", p/4), fmt.Sprintf("w%d", p/4)
			f.Feeders = append(f.Feeders, zone.Feeder{ID: feeder, Name: name, Zone: "z", From: "ss", RatingA: 400})
			f.WaterLines = append(f.WaterLines, zone.WaterLine{ID: line, Name: name, Zone: "z", From: "ps"})
			at(meter.Electricity, feeder)
			at(meter.Water, line)
		}
		id := fmt.Sprintf("p%d", p)
		f.Plants = append(f.Plants, zone.Plant{
			ID: id, Name: name, Zone: "z", Feeder: fmt.Sprintf("f%d", p/4), WaterLine: fmt.Sprintf("w%d", p/4), Sector: zone.DyeHouse,
			ContractKVA: 600, Requirement: zone.Requirement{PowerKW: 400, WaterM3PerD: 600, FuelLPerD: 3000},
			Shifts: []zone.Shift{{From: 6 * 60, To: 22 * 60}},
		})
		at(meter.Electricity, id)
		at(meter.Water, id)
		at(meter.Fuel, id)
		at(meter.Generator, id)
		for i, u := range []meter.Utility{meter.Water, meter.Fuel} {
			tank := zone.Tank{ID: fmt.Sprintf("t%d-%d", p, i), Name: name, Zone: "z", Plant: id, Utility: u, CapacityM3: 30}
			if u == meter.Fuel {
				tank.Fuel = "mazut"
			}
			f.Tanks = append(f.Tanks, tank)
			at(u, tank.ID)
		}
	}
	f.Meters = f.Meters[:meters]
	r, err := zone.New([]*zone.File{f})
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// speakers are the readings of all meters of a registry, to be sent again and
// again.
func speakers(r *zone.Registry) []meter.Reading {
	catalog := meter.NewCatalog(len(r.Meters()))
	registers := map[meter.Utility][]string{
		meter.Electricity: {"active_power_kw", "reactive_power_kvar", "energy_import_kwh", "voltage_l1_v", "voltage_l2_v", "voltage_l3_v", "current_l1_a", "frequency_hz"},
		meter.Water:       {"volume_m3", "flow_m3h", "pressure_bar", "temperature_c"},
		meter.Fuel:        {"volume_l", "volume15_l", "temperature_c", "consumed_l", "flow_lph"},
		meter.Generator:   {"running", "active_power_kw", "fuel_rate_lph", "battery_v"},
	}
	var out []meter.Reading
	for _, m := range r.Meters() {
		reading := meter.Reading{Series: catalog.Get(m.Zone, m.Utility, m.ID)}
		for _, name := range registers[m.Utility] {
			reading.Values = append(reading.Values, meter.Value{Register: name, Value: 230})
		}
		out = append(out, reading)
	}
	return out
}

// talk lets every meter speak once a minute for so many minutes.
func talk(f *feed, readings []meter.Reading, minutes int) {
	for range minutes {
		f.now = f.now.Add(time.Minute)
		for i := range readings {
			readings[i].Time = f.now.UnixMilli()
			f.Update(&readings[i], f.now.UnixMilli())
		}
	}
}

// BenchmarkSnapshot must grow linearly, and stay below 100 ms at 100,000
// meters.
func BenchmarkSnapshot(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := largeCity(b, n)
			f := newFeed(r)
			talk(f, speakers(r), 3)
			var snap snapshot.Snapshot
			b.ReportAllocs()
			for b.Loop() {
				f.now = f.now.Add(time.Second)
				f.Snapshot(&snap)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/meter")
		})
	}
}

// BenchmarkUpdateFollowed is what a reading costs with and without windows that
// follow it.
func BenchmarkUpdateFollowed(b *testing.B) {
	none, err := zone.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	r := largeCity(b, 10_000)
	readings := speakers(r)
	for name, registry := range map[string]*zone.Registry{"unregistered": none, "registered": r} {
		b.Run(name, func(b *testing.B) {
			f := newFeed(registry)
			talk(f, readings, 2)
			start := f.now.UnixMilli()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				reading := &readings[i%len(readings)]
				reading.Time = start + int64(i/len(readings)+1)*60_000
				f.Update(reading, reading.Time)
			}
		})
	}
}

// BenchmarkMemory says what a meter costs after an hour, the snapshot included.
func BenchmarkMemory(b *testing.B) {
	const n = 100_000
	r := largeCity(b, n)
	readings := speakers(r)
	none, err := zone.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	heap := func(registry *zone.Registry) (uint64, *feed) {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		f := newFeed(registry)
		talk(f, readings, 60)
		var snap snapshot.Snapshot
		f.Snapshot(&snap)
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(&snap)
		return after.HeapAlloc - before.HeapAlloc, f
	}
	for b.Loop() {
		plain, _ := heap(none)
		all, f := heap(r)
		b.ReportMetric(float64(plain)/n, "B/meter-unregistered")
		b.ReportMetric(float64(all-plain)/n, "B/meter-added")
		var saved countingWriter
		begun := time.Now()
		if err := f.Save(&saved); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(saved)/1e6, "MB-saved")
		b.ReportMetric(time.Since(begun).Seconds(), "s-to-save")
	}
}

type countingWriter int

func (w *countingWriter) Write(p []byte) (int, error) {
	*w += countingWriter(len(p))
	return len(p), nil
}
