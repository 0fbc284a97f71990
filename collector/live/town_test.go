package live_test

import (
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// town has two substations. Feeders f1 and f2 hang on ss1, fb is a branch of
// f1, f3 hangs on ss2. Plants p1 to p3 are on f1, p4 on fb, p5 on f2, p6 on f3;
// p1 needs water from w1 and mazut from t1, and has a generator. Feeders'
// meters live on batteries, the others on their feeder; those of p5 speak
// through gateway g.
func town(t *testing.T, change ...func(*zone.File)) *zone.Registry {
	t.Helper()
	name := zone.Name{En: "x", Ar: "س"}
	f := &zone.File{
		City:        zone.City{ID: "c", Name: name, Timezone: "Asia/Damascus"},
		Zones:       []zone.Zone{{ID: "z", Name: name}},
		Substations: []zone.Substation{{ID: "ss1", Name: name, RatingMVA: 30}, {ID: "ss2", Name: name, RatingMVA: 30}},
		Feeders: []zone.Feeder{
			{ID: "fb", Name: name, Zone: "z", From: "f1", RatingA: 100},
			{ID: "f1", Name: name, Zone: "z", From: "ss1", RatingA: 400}, {ID: "f2", Name: name, Zone: "z", From: "ss1", RatingA: 400},
			{ID: "f3", Name: name, Zone: "z", From: "ss2", RatingA: 400},
		},
		PumpingStations: []zone.PumpingStation{{ID: "ps", Name: name, CapacityM3H: 200}},
		WaterLines:      []zone.WaterLine{{ID: "w1", Name: name, Zone: "z", From: "ps"}},
		Tanks: []zone.Tank{
			{ID: "t1", Name: name, Zone: "z", Plant: "p1", Utility: meter.Fuel, Fuel: "mazut", CapacityM3: 30, DeadM3: 1},
			{ID: "tz", Name: name, Zone: "z", Utility: meter.Water, CapacityM3: 500},
		},
	}
	feeders := []string{"f1", "f1", "f1", "fb", "f2", "f3"}
	for i, feeder := range feeders {
		id := "p" + string(rune('1'+i))
		p := zone.Plant{ID: id, Name: name, Zone: "z", Feeder: feeder, Sector: zone.OtherSector, ContractKVA: 500, Requirement: zone.Requirement{PowerKW: 400}}
		m := zone.Meter{ID: "e-" + id, Zone: "z", Utility: meter.Electricity, At: id, IntervalS: 60}
		if id == "p5" {
			m.Gateway = "g"
		}
		f.Plants, f.Meters = append(f.Plants, p), append(f.Meters, m)
	}
	p1 := &f.Plants[0]
	p1.WaterLine, p1.StandbyKW = "w1", 300
	p1.Requirement = zone.Requirement{PowerKW: 400, WaterM3PerD: 240, WaterM3H: 8, PressureBar: 2, FuelLPerD: 2400, VoltageMinPct: 88, HoldUpMin: 10}
	for _, id := range []string{"f1", "f2", "f3", "fb"} {
		f.Meters = append(f.Meters, zone.Meter{ID: "e-" + id, Zone: "z", Utility: meter.Electricity, At: id, IntervalS: 60, Backup: true})
	}
	f.Meters = append(f.Meters,
		zone.Meter{ID: "w-p1", Zone: "z", Utility: meter.Water, At: "p1", IntervalS: 60},
		zone.Meter{ID: "w-w1", Zone: "z", Utility: meter.Water, At: "w1", IntervalS: 60, Backup: true},
		zone.Meter{ID: "b-p1", Zone: "z", Utility: meter.Fuel, At: "p1", IntervalS: 60},
		zone.Meter{ID: "g-p1", Zone: "z", Utility: meter.Generator, At: "p1", IntervalS: 60, Backup: true},
		zone.Meter{ID: "t-t1", Zone: "z", Utility: meter.Fuel, At: "t1", IntervalS: 60, Backup: true},
		zone.Meter{ID: "t-tz", Zone: "z", Utility: meter.Water, At: "tz", IntervalS: 60, Backup: true},
	)
	for _, c := range change {
		c(f)
	}
	r, err := zone.New([]*zone.File{f})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// play is a town whose meters speak once a minute, as told.
type play struct {
	*feed
	t        *testing.T
	registry *zone.Registry
	begin    time.Time
	volts    map[string]float64 // by object: share of nominal; 1 if not said
	power    map[string]float64 // kW
	quiet    map[string]bool    // meters that do not speak
	flow     map[string]float64 // m³/h
	bar      map[string]float64
	energy   map[string]float64 // kWh
	burnLPH  float64
	litres   float64 // in t1
	burnt    float64
	genKW    float64
	snap     snapshot.Snapshot
}

// newPlay is all well: plants draw 300 kW, water presses with 4 bar.
func newPlay(t *testing.T, r *zone.Registry) *play {
	p := &play{
		feed: newFeed(r), t: t, registry: r, volts: map[string]float64{}, power: map[string]float64{}, quiet: map[string]bool{},
		flow: map[string]float64{"w1": 60, "p1": 10}, bar: map[string]float64{"w1": 4, "p1": 3.5}, energy: map[string]float64{},
		burnLPH: 100, litres: 20_000, burnt: 50_000,
	}
	p.begin = p.now
	return p
}

func (p *play) object(m *zone.Meter) []meter.Value {
	v, ok := p.volts[m.At]
	if !ok {
		v = 1
	}
	value := func(name string, x float64) meter.Value { return meter.Value{Register: name, Value: x} }
	switch {
	case m.Utility == meter.Electricity:
		kw, nominal := 300.0, 230.0
		if m.At[0] == 'f' || m.At[0] == 's' {
			kw, nominal = 1000, 20_000/1.7320508075688772
		}
		if given, ok := p.power[m.At]; ok {
			kw = given
		}
		if v < 0.05 {
			kw = 0
		}
		p.energy[m.At] += kw / 60
		return []meter.Value{
			value("active_power_kw", kw), value("energy_import_kwh", 1000+p.energy[m.At]), value("frequency_hz", 50),
			value("voltage_l1_v", v*nominal), value("voltage_l2_v", v*nominal), value("voltage_l3_v", v*nominal),
			value("current_l1_a", 10), value("current_l2_a", 20), value("current_l3_a", 30),
		}
	case m.ID == "t-t1":
		return []meter.Value{value("volume15_l", p.litres), value("volume_l", p.litres*1.01)}
	case m.ID == "t-tz":
		return []meter.Value{value("tank_volume_m3", 400)}
	case m.Utility == meter.Fuel:
		return []meter.Value{value("flow_lph", p.burnLPH), value("consumed_l", p.burnt)}
	case m.Utility == meter.Generator:
		return []meter.Value{value("active_power_kw", p.genKW), value("fuel_rate_lph", 0)}
	}
	return []meter.Value{value("flow_m3h", p.flow[m.At]), value("pressure_bar", p.bar[m.At])}
}

// minute lets a minute pass, at whose end every meter speaks and the snapshot
// is taken.
func (p *play) minute() {
	p.now = p.now.Add(time.Minute)
	p.litres -= p.burnLPH / 60
	p.burnt += p.burnLPH / 60
	for _, m := range p.registry.Meters() {
		if !p.quiet[m.ID] {
			p.tell(&m, p.now, p.object(&m))
		}
	}
	p.Snapshot(&p.snap)
}

func (p *play) tell(m *zone.Meter, at time.Time, values []meter.Value, change ...func(*meter.Reading)) {
	r := meter.Reading{Series: p.catalog.Get(m.Zone, m.Utility, m.ID), Time: at.UnixMilli(), Values: values}
	for _, c := range change {
		c(&r)
	}
	p.Update(&r, p.now.UnixMilli())
}

func (p *play) minutes(n int) *play {
	for range n {
		p.minute()
	}
	return p
}

func (p *play) meter(id string) *zone.Meter {
	for _, m := range p.registry.Meters() {
		if m.ID == id {
			return &m
		}
	}
	p.t.Fatalf("no meter %s", id)
	return nil
}

func (p *play) feeder(id string) *snapshot.Feeder {
	i, _ := p.registry.Index(zone.FeederKind, id)
	return &p.snap.Feeders[i]
}

func (p *play) plant(id string) *snapshot.Plant {
	i, _ := p.registry.Index(zone.PlantKind, id)
	return &p.snap.Plants[i]
}

func (p *play) facts(id string) *snapshot.Meter {
	m := p.meter(id)
	i, _ := p.registry.MeterIndex(m.Zone, m.Utility, m.ID)
	return &p.snap.Meters[i]
}

// after is a time in ms, so many minutes after the play began.
func (p *play) after(minutes int) int64 {
	return p.begin.Add(time.Duration(minutes) * time.Minute).UnixMilli()
}

// cut takes the power of feeders and what hangs on them.
func (p *play) cut(objects ...string) {
	for _, o := range objects {
		p.volts[o] = 0
	}
}

// mute silences meters.
func (p *play) mute(ids ...string) {
	for _, id := range ids {
		p.quiet[id] = true
	}
}

func near(a snapshot.Value, b float64) bool {
	return float64(a) > b-1e-6-1e-4*abs(b) && float64(a) < b+1e-6+1e-4*abs(b)
}

func abs(x float64) float64 { return max(x, -x) }
