package live

import (
	"math"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// world is a registry with what is followed of each of its objects. Slices are
// parallel to the registry's lists; -1 is none.
type world struct {
	registry *zone.Registry
	memory   *memory
	facts    []facts
	meters   []meterAt
	first    map[slotKey]int32 // the meter that stands for an object; while building

	cities      []cityAt
	zones       []zoneAt
	substations []substationAt
	feeders     []feederAt
	downward    []int32 // the feeders, each after the one it branches from
	stations    []pipeAt
	lines       []pipeAt
	tanks       []tankAt
	plants      []plantAt
	gateways    []gatewayAt
	hushes      []hush // of the feeders, for reuse
}

// meterAt is where a meter stands.
type meterAt struct {
	track    tracker
	main     uint8 // in mains
	interval int64 // ms
	silence  int64 // ms
	gateway  int32
	feeder   int32 // that it lives on, if it has no battery
}

type cityAt struct {
	local
	loc   *time.Location
	zones []int32
}

type zoneAt struct {
	city             int32
	book             *zoneBook
	contract         [3]float64 // kW, m³/h, l/h; +Inf: none
	plants           []int32
	feeders, lines   []int32 // that feed it
	leaving, drained []int32 // feeders and lines that take some of it elsewhere
	tanks            []int32 // its own, of water
}

type substationAt struct {
	meter   int32
	e       *electric
	feeders []int32
	silence *silence
	city    int32
}

type feederAt struct {
	meter, zone, city int32
	e                 *electric
	parent            int32 // feeder
	substation        int32
	cursor            *zone.Cursor
	gap               *gap
	below             []*electric // all that must be metered for the gap to be known
	unmetered         bool        // something below has no meter
	silence           *silence
}

type pipeAt struct {
	meter, zone int32
	p           *pipe
	source      int32 // the line it branches from
	station     int32
}

type tankAt struct {
	meter, plant int32
	k            *tank
	dead         float64 // l
}

// build makes the world of a registry out of what is remembered.
func build(r *zone.Registry, old *memory, facts []facts) *world {
	w := &world{registry: r, memory: newMemory(), facts: facts}
	w.memory.Stages, w.memory.Events = old.Stages, old.Events
	for _, t := range r.Tankers() {
		if o, ok := old.Orders[t.ID]; ok && o.Tank == t.Tank {
			w.memory.Orders[t.ID] = o
		}
	}
	w.placeMeters(old)
	w.placeZones(old)
	w.placeElectricity(old)
	w.placeWater(old)
	w.placePlants(old)
	w.placeTanks(old)
	w.trackMeters()
	w.first = nil // it is large
	return w
}

// index returns where an object of a kind stands, -1 if there is none.
func (w *world) index(kind zone.Kind, id string) int32 {
	if i, ok := w.registry.Index(kind, id); ok {
		return int32(i)
	}
	return -1
}

// meterOf returns the meter that stands for an object: the first one listed.
func (w *world) meterOf(u meter.Utility, object string) int32 {
	if i, ok := w.first[slotKey{u, object}]; ok {
		return i
	}
	return -1
}

// digits are those of a meter's counters; 0: not known.
func (w *world) digits(m int32) int {
	if m < 0 {
		return 0
	}
	return w.registry.Meters()[m].Digits
}

// rating is what a meter's object is built for; zero: not known.
func (w *world) rating(m int32) zone.Rating {
	if m < 0 {
		return zone.Rating{}
	}
	return w.registry.Rating(&w.registry.Meters()[m])
}

func (w *world) placeMeters(old *memory) {
	meters := w.registry.Meters()
	w.meters = make([]meterAt, len(meters))
	w.first = make(map[slotKey]int32)
	gateways := make(map[gatewayKey]int32)
	for i := range meters {
		m := &meters[i]
		o, _ := w.registry.Object(m.At)
		at := meterAt{
			main: mainOf(m.Utility, o.Kind), interval: int64(m.IntervalS * 1000), silence: silenceOf(m), gateway: -1, feeder: -1,
		}
		if m.Gateway != "" {
			key := gatewayKey{m.Zone, m.Gateway}
			if _, ok := gateways[key]; !ok {
				gateways[key] = int32(len(w.gateways))
				w.gateways = append(w.gateways, gatewayAt{gatewayKey: key})
			}
			at.gateway = gateways[key]
		}
		if !m.Backup {
			at.feeder = w.feederOf(o)
		}
		w.meters[i] = at
		if k := (slotKey{m.Utility, m.At}); w.meterOf(k.utility, k.object) < 0 {
			w.first[k] = int32(i)
		}
	}
	w.placeGateways(old, gateways)
}

// placeGateways gives the gateways that meters name what they have said, and
// adds those that no meter names but that have spoken.
func (w *world) placeGateways(old *memory, listed map[gatewayKey]int32) {
	for key, g := range old.Gateways {
		w.memory.Gateways[key] = g
		if i, ok := listed[key]; ok {
			w.gateways[i].said = g
		} else if w.registry.CityOf(key.Zone) != "" {
			w.gateways = append(w.gateways, gatewayAt{key, g})
		}
	}
}

// feederOf returns the feeder that powers what stands at an object.
func (w *world) feederOf(o zone.Object) int32 {
	switch o.Kind {
	case zone.FeederKind:
		return w.index(zone.FeederKind, o.ID)
	case zone.PlantKind:
		p, _ := w.registry.Plant(o.ID)
		return w.index(zone.FeederKind, p.Feeder)
	case zone.TankKind:
		if t, _ := w.registry.Tank(o.ID); t.Plant != "" {
			p, _ := w.registry.Plant(t.Plant)
			return w.index(zone.FeederKind, p.Feeder)
		}
	}
	return -1
}

func (w *world) placeZones(old *memory) {
	cities := w.registry.Cities()
	w.cities = make([]cityAt, len(cities))
	for i := range cities {
		w.cities[i].loc = w.registry.Location(cities[i].ID)
	}
	zones := w.registry.Zones()
	w.zones = make([]zoneAt, len(zones))
	for i := range zones {
		z, _ := w.registry.Zone(zones[i].ID)
		at := zoneAt{city: w.index(zone.CityKind, zones[i].City), book: keep(w.memory.Zones, old.Zones, z.ID, newZoneBook)}
		at.contract = [3]float64{
			orInf(z.Contract.PowerKW), orInf(z.Contract.WaterM3PerD / 24), orInf(z.Contract.FuelLPerD / 24),
		}
		w.zones[i] = at
		w.cities[at.city].zones = append(w.cities[at.city].zones, int32(i))
	}
}

func orInf(v float64) float64 {
	if v == 0 {
		return math.Inf(1)
	}
	return v
}

func (w *world) zoneOf(id string) int32 { return w.index(zone.ZoneKind, id) }

// trackMeters gives the meters that stand for objects their trackers.
func (w *world) trackMeters() {
	set := func(i int32, t tracker) {
		if i >= 0 {
			w.meters[i].track = t
		}
	}
	for i := range w.substations {
		set(w.substations[i].meter, w.substations[i].e)
	}
	for i := range w.feeders {
		set(w.feeders[i].meter, w.feeders[i].e)
	}
	for i := range w.stations {
		set(w.stations[i].meter, w.stations[i].p)
	}
	for i := range w.lines {
		set(w.lines[i].meter, w.lines[i].p)
	}
	for i := range w.tanks {
		set(w.tanks[i].meter, w.tanks[i].k)
	}
	for i := range w.plants {
		p := &w.plants[i]
		set(p.meter, p.e)
		set(p.waterMeter, p.water)
		for k, b := range p.fuel.all {
			set(p.fuel.meters[k], b)
		}
		for k, b := range p.sets.all {
			set(p.sets.meters[k], b)
		}
	}
}

// tell brings what depends on the time of day up to now, in ms.
func (w *world) tell(now int64) {
	t := time.UnixMilli(now)
	for i := range w.cities {
		_, seconds := t.In(w.cities[i].loc).Zone()
		w.cities[i].offset = int64(seconds) * secondMS
	}
}
