package rule

import (
	"reflect"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// start is a Monday noon in Damascus.
var start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// testCity is a small city:
//
//	s1 ┬ f1 (z1) ┬ p1, p2          ps ─ w1 (z1) ┬ p1, p2, p4
//	   │         └ f3 (z1) ─ p3                 └ w3 (z1) ─ p3
//	   ├ f2 (z1) ─ p4              ps ─ w2 (z2) ─ p5
//	   └ f4 (z2) ─ p5
//	s2 ┬ f5 (z2)                   (s2 has no meter)
//	   └ f6 (z2) ─ p6
//
// The meters of p1 speak through gateway g1; those of plants live on the mains.
func testCity() *zone.File {
	f := &zone.File{
		City:            zone.City{ID: "c"},
		Zones:           []zone.Zone{{ID: "z1"}, {ID: "z2"}},
		Substations:     []zone.Substation{{ID: "s1"}, {ID: "s2"}},
		PumpingStations: []zone.PumpingStation{{ID: "ps"}},
		Feeders: []zone.Feeder{
			{ID: "f1", Zone: "z1", From: "s1", RatingA: 400}, {ID: "f2", Zone: "z1", From: "s1"}, {ID: "f3", Zone: "z1", From: "f1"},
			{ID: "f4", Zone: "z2", From: "s1"}, {ID: "f5", Zone: "z2", From: "s2"}, {ID: "f6", Zone: "z2", From: "s2"},
		},
		WaterLines: []zone.WaterLine{{ID: "w1", Zone: "z1", From: "ps"}, {ID: "w2", Zone: "z2", From: "ps"}, {ID: "w3", Zone: "z1", From: "w1"}},
		Tanks: []zone.Tank{
			{ID: "wt", Zone: "z1", Plant: "p1", Utility: meter.Water, CapacityM3: 100},
			{ID: "ft", Zone: "z1", Plant: "p1", Utility: meter.Fuel, Fuel: "mazut", CapacityM3: 50},
		},
		Tankers: []zone.Tanker{{ID: "o1", Tank: "ft", ETA: start.Add(time.Hour), VolumeL: 20_000}},
	}
	for _, p := range []struct{ id, zone, feeder, line string }{
		{"p1", "z1", "f1", "w1"}, {"p2", "z1", "f1", "w1"}, {"p3", "z1", "f3", "w3"}, {"p4", "z1", "f2", "w1"}, {"p5", "z2", "f4", "w2"}, {"p6", "z2", "f6", ""},
	} {
		f.Plants = append(f.Plants, zone.Plant{
			ID: p.id, Zone: p.zone, Feeder: p.feeder, WaterLine: p.line, Sector: zone.OtherSector, ContractKVA: 500,
			Requirement: zone.Requirement{PowerKW: 400, WaterM3PerD: 48},
		})
	}
	f.Plants[4].Requirement.PressureBar = 3
	measure := func(at, zone string, u meter.Utility, gateway string, backup bool) {
		f.Meters = append(f.Meters, meterAt(at, zone, u, gateway, backup))
	}
	measure("s1", "z1", meter.Electricity, "", true)
	for _, o := range f.Feeders {
		measure(o.ID, o.Zone, meter.Electricity, "", true)
	}
	for _, o := range f.WaterLines {
		measure(o.ID, o.Zone, meter.Water, "", true)
	}
	for _, o := range f.Plants {
		gateway := ""
		if o.ID == "p1" {
			gateway = "g1"
		}
		measure(o.ID, o.Zone, meter.Electricity, gateway, false)
	}
	measure("wt", "z1", meter.Water, "g1", false)
	measure("ft", "z1", meter.Fuel, "g1", false)
	return f
}

func meterAt(at, zoneID string, u meter.Utility, gateway string, backup bool) zone.Meter {
	return zone.Meter{ID: "m-" + at, Zone: zoneID, Utility: u, At: at, IntervalS: 60, Gateway: gateway, Backup: backup}
}

func testRegistry(t testing.TB) *zone.Registry {
	t.Helper()
	r, err := zone.New([]*zone.File{named(testCity())})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// named names every object after its id.
func named(f *zone.File) *zone.File {
	name(reflect.ValueOf(f).Elem())
	return f
}

func name(v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			name(v.Index(i))
		}
	case reflect.Struct:
		if id, n := v.FieldByName("ID"), v.FieldByName("Name"); id.IsValid() && n.IsValid() {
			n.Set(reflect.ValueOf(zone.Name{En: id.String(), Ar: id.String()}))
		}
		for i := range v.NumField() {
			name(v.Field(i))
		}
	}
}

// well is a snapshot in which all is well.
func well(r *zone.Registry, now time.Time) *snapshot.Snapshot {
	ms := now.UnixMilli()
	s := &snapshot.Snapshot{
		Now: ms, Registry: r,
		Cities: make([]snapshot.City, len(r.Cities())), Zones: make([]snapshot.Zone, len(r.Zones())),
		Substations: make([]snapshot.Substation, len(r.Substations())), Feeders: make([]snapshot.Feeder, len(r.Feeders())),
		PumpingStations: make([]snapshot.WaterFlow, len(r.PumpingStations())), WaterLines: make([]snapshot.WaterLine, len(r.WaterLines())),
		Tanks: make([]snapshot.Tank, len(r.Tanks())), Plants: make([]snapshot.Plant, len(r.Plants())),
		Meters: make([]snapshot.Meter, len(r.Meters())), Tankers: make([]snapshot.Tanker, len(r.Tankers())),
		Parts: []snapshot.Part{{Name: "broker"}, {Name: "database"}},
	}
	wellSupply(s, ms)
	for i, m := range r.Meters() {
		s.Meters[i] = snapshot.Meter{Heard: ms, Time: ms, Recent: 1000, SkewS: 1, Flowing: true, Gateway: -1}
		if m.Gateway != "" {
			s.Meters[i].Gateway = 0
			s.Gateways = append(s.Gateways[:0], snapshot.Gateway{Zone: m.Zone, ID: m.Gateway, Online: true, Since: ms - 1e9, Meters: 3})
		}
	}
	for i := range s.PumpingStations {
		s.PumpingStations[i] = wellFlow(-1)
	}
	for i := range s.WaterLines {
		s.WaterLines[i] = snapshot.WaterLine{WaterFlow: wellFlow(0), NightM3H: [3]snapshot.Value{10, 10, 10}, NightUsualM3H: 10}
	}
	for i := range s.Tanks {
		s.Tanks[i] = snapshot.Tank{
			VolumeL: 40_000, UsableL: 39_000, DailyL: 3000, DailySigma: 300, CoverH: 312, LossL: 0, LossSigmaL: 50,
			VarianceL: 100, ThroughputL: 90_000,
		}
	}
	balance := snapshot.Balance{Required: 1600, Gross: 1600, Delivered: 1600, SettledAt: ms, KnownShare: 1, CoverH: snapshot.Unknown}
	for i := range s.Zones {
		s.Zones[i] = snapshot.Zone{Power: balance, Water: balance, Fuel: balance, AdequacyRatio: 1, WaterHours: true}
	}
	return s
}

func wellFlow(meter int) snapshot.WaterFlow {
	return snapshot.WaterFlow{Meter: meter, FlowM3H: 40, PressureBar: 4, FlowMean5: 40, PressMean5: 4, FlowExpected: 40}
}

func wellSupply(s *snapshot.Snapshot, ms int64) {
	full := [3]snapshot.Value{1, 1, 1}
	el := snapshot.Electricity{
		Time: ms, PowerKW: 400, VoltagePU: full, VoltageMean: full, Unbalance: 0.005, UnbalanceMean: 0.005, FrequencyHz: 50,
		CurrentA: [3]snapshot.Value{100, 100, 100}, CurrentMeanA: 100,
		Block: snapshot.Block{Start: ms - 600_000, EnergyKWh: 60, ProjectedKW: 400, LastMeanKW: 400},
	}
	for i := range s.Substations {
		s.Substations[i].Electricity = el
	}
	unmeasured := snapshot.Electricity{Meter: -1, FrequencyHz: snapshot.Unknown}
	unmeasured.VoltagePU = [3]snapshot.Value{snapshot.Unknown, snapshot.Unknown, snapshot.Unknown}
	if len(s.Substations) > 1 {
		s.Substations[1].Electricity = unmeasured
	}
	for i := range s.Feeders {
		s.Feeders[i] = snapshot.Feeder{Electricity: el, GapRatio: 0.05}
	}
	far := snapshot.Stall{P10H: 1e6, P50H: 1e6, P90H: 1e6}
	for i := range s.Plants {
		s.Plants[i] = snapshot.Plant{
			Electricity: el, WaterM3H: 2, PressureBar: 4, GeneratorKW: snapshot.Unknown, InShift: true, ShiftSince: ms - 4*3_600_000,
			RequiredKW: 400, RequiredGrossKW: 400, PowerCapability: 1, WaterCapability: 1, FuelCapability: 1, Capability: 1,
			Stall: [3]snapshot.Stall{far, far, far},
		}
	}
}
