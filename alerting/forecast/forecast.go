package forecast

import (
	"math"
	"time"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// The resources, as Plant.Stall counts them.
const (
	Power = iota // generator fuel, while the grid is away
	Water
	Fuel
)

// Forecaster fills in the times to stall. It remembers nothing of the past but
// the layout of the registry, and uses its memory again: one goroutine at a
// time.
type Forecaster struct {
	config   Config
	registry *zone.Registry
	plants   []plant
	offsets  map[string]int64 // ms of local time, by city
	history  history
}

// plant is what the registry says that a forecast needs.
type plant struct {
	def      *zone.Plant
	city     string
	tanks    [3][]int // of each resource, indexes in Registry.Tanks
	declared [3]*snapshot.Profile
}

// New returns a forecaster; c is valid.
func New(c Config) *Forecaster { return &Forecaster{config: c} }

// Fill sets Stall of every plant. It takes 5 µs a plant.
func (f *Forecaster) Fill(snap *snapshot.Snapshot) {
	if f.registry != snap.Registry {
		f.layOut(snap.Registry)
	}
	now := time.UnixMilli(snap.Now)
	for _, city := range snap.Registry.Cities() {
		_, offset := now.In(snap.Registry.Location(city.ID)).Zone()
		f.offsets[city.ID] = 1000 * int64(offset)
	}
	for i := range f.plants {
		p := &snap.Plants[i]
		for resource := range p.Stall {
			p.Stall[resource] = f.stall(snap, i, resource)
		}
	}
}

// layOut finds each plant's tanks. Diesel is for generators; boilers burn it
// only where there is nothing else, and generators other fuel as little.
func (f *Forecaster) layOut(r *zone.Registry) {
	f.registry, f.offsets = r, make(map[string]int64)
	f.plants = make([]plant, len(r.Plants()))
	for i := range f.plants {
		def := &r.Plants()[i]
		f.plants[i].def = def
		f.plants[i].declared[Water] = shiftProfile(def.Shifts, 1000*def.Requirement.WaterM3PerD)
		f.plants[i].declared[Fuel] = shiftProfile(def.Shifts, def.Requirement.FuelLPerD)
		if o, ok := r.Object(def.ID); ok {
			f.plants[i].city = o.City
		}
	}
	for i, t := range r.Tanks() {
		at, ok := r.Index(zone.PlantKind, t.Plant)
		if !ok {
			continue
		}
		p := &f.plants[at]
		switch {
		case t.Utility == meter.Water:
			p.tanks[Water] = append(p.tanks[Water], i)
		case t.Fuel == "diesel":
			p.tanks[Power] = append(p.tanks[Power], i)
		case t.Utility == meter.Fuel:
			p.tanks[Fuel] = append(p.tanks[Fuel], i)
		}
	}
	for i := range f.plants {
		p := &f.plants[i]
		if len(p.tanks[Fuel]) == 0 {
			p.tanks[Fuel] = p.tanks[Power]
		} else if len(p.tanks[Power]) == 0 && p.def.StandbyKW > 0 {
			p.tanks[Power] = p.tanks[Fuel]
		}
	}
}

var (
	unknown = snapshot.Stall{P10H: snapshot.Unknown, P50H: snapshot.Unknown, P90H: snapshot.Unknown}
	never   = stallAt([3]float64{math.Inf(1), math.Inf(1), math.Inf(1)})
)

func stallAt(h [3]float64) snapshot.Stall {
	return snapshot.Stall{P10H: snapshot.Value(h[0]), P50H: snapshot.Value(h[1]), P90H: snapshot.Value(h[2])}
}

func (f *Forecaster) stall(snap *snapshot.Snapshot, i, resource int) snapshot.Stall {
	p, now := &f.plants[i], &snap.Plants[i]
	switch resource {
	case Power:
		return f.power(snap, p, now)
	case Water:
		if p.def.Requirement.WaterM3PerD <= 0 {
			return never
		}
		e := f.prior(now.WaterProfileLPH, p, Water, snap)
		if flows(now, p) {
			// What the tank loses is not what the plant uses: only its own
			// history tells.
			e.level.variance = math.Inf(1)
		}
		return f.empty(snap, p.tanks[Water], e, 0)
	}
	if p.def.Requirement.FuelLPerD <= 0 {
		return never
	}
	return f.empty(snap, p.tanks[Fuel], f.prior(now.FuelProfileLPH, p, Fuel, snap), 0)
}

// flows tells that the mains fill the plant's tank.
func flows(now *snapshot.Plant, p *plant) bool {
	return p.def.WaterLine != "" && float64(now.WaterM3H) > 0.05*p.def.Requirement.WaterM3PerD/24
}

// power is threatened by an empty tank only while the generators run for want
// of the grid, and not beyond the end of a planned cut.
func (f *Forecaster) power(snap *snapshot.Snapshot, p *plant, now *snapshot.Plant) snapshot.Stall {
	runs := now.GeneratorKW > 1
	switch {
	case now.Dead.Since == 0 && !runs:
		if now.PowerKW.Known() || now.VoltagePU[0].Known() {
			return never
		}
		return unknown
	case p.def.StandbyKW <= 0 && !runs:
		return unknown // it has no generator: it stands still already, or rides through
	}
	load := float64(now.GeneratorKW)
	if !now.GeneratorKW.Known() {
		load = min(p.def.StandbyKW, p.def.Requirement.PowerKW)
	}
	e := prior{evenly(max(load, 1) * f.config.GeneratorLPerKWh), level{share: 1, variance: square(loadNoise)}}
	e.expectNoise(f.config.DayNoise, 0)
	s := f.empty(snap, p.tanks[Power], e, now.Dead.Since)
	if now.Dead.Planned && now.Dead.Return > snap.Now {
		s = notAfter(s, float64(now.Dead.Return-snap.Now)/hourMS)
	}
	return s
}

// loadNoise is by how much a generator's load differs from the present one†.
const loadNoise = 0.25

// notAfter leaves what comes after some hours out of sight.
func notAfter(s snapshot.Stall, hours float64) snapshot.Stall {
	for _, q := range []*snapshot.Value{&s.P10H, &s.P50H, &s.P90H} {
		if float64(*q) >= hours {
			*q = snapshot.Value(math.Inf(1))
		}
	}
	return s
}

// empty forecasts when tanks will be empty down to their dead stock, from a
// history that begins no earlier than from.
func (f *Forecaster) empty(snap *snapshot.Snapshot, tanks []int, e prior, from int64) snapshot.Stall {
	if len(tanks) == 0 {
		return unknown
	}
	volume := 0.0
	for _, t := range tanks {
		usable := snap.Tanks[t].UsableL
		if !usable.Known() {
			return unknown
		}
		volume += max(0, float64(usable))
	}
	if volume == 0 {
		return stallAt([3]float64{})
	}
	f.history.gather(tanks, snap, from)
	f.history.measure(&e.usual)
	e.observe(&f.history)
	if math.IsInf(e.level.variance, 1) {
		return unknown
	}
	return stallAt(e.usual.hours(snap.Now, e.level.emptied(volume)))
}
