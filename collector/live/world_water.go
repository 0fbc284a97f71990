package live

import (
	"fmt"
	"slices"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

func (w *world) placeWater(old *memory) {
	r := w.registry
	w.stations = make([]pipeAt, len(r.PumpingStations()))
	for i, s := range r.PumpingStations() {
		o, _ := r.Object(s.ID)
		w.stations[i] = pipeAt{meter: w.meterOf(meter.Water, s.ID), zone: -1, source: -1, station: -1}
		w.stations[i].p = w.pipeOf(old, s.ID, w.stations[i].meter, w.index(zone.CityKind, o.City), true)
	}
	w.lines = make([]pipeAt, len(r.WaterLines()))
	for i, l := range r.WaterLines() {
		at := pipeAt{
			meter: w.meterOf(meter.Water, l.ID), zone: w.zoneOf(l.Zone),
			source: w.index(zone.WaterLineKind, l.From), station: w.index(zone.PumpingStationKind, l.From),
		}
		at.p = w.pipeOf(old, l.ID, at.meter, w.zones[at.zone].city, true)
		w.lines[i] = at
	}
	for i := range w.lines {
		l := &w.lines[i]
		from := int32(-1)
		if l.source >= 0 {
			from = w.lines[l.source].zone
		}
		if from == l.zone {
			continue
		}
		w.zones[l.zone].lines = append(w.zones[l.zone].lines, int32(i))
		if from >= 0 {
			w.zones[from].drained = append(w.zones[from].drained, int32(i))
		}
	}
}

func (w *world) pipeOf(old *memory, id string, m, city int32, main bool) *pipe {
	p := keep(w.memory.Pipes, old.Pipes, id, func() *pipe { return newPipe(main) })
	p.local = &w.cities[city].local
	p.limits = meter.CounterLimits{PerH: w.rating(m).FlowM3H, Digits: w.digits(m)}
	return p
}

func (w *world) placeTanks(old *memory) {
	w.tanks = make([]tankAt, len(w.registry.Tanks()))
	defs := w.registry.Tanks()
	for i := range defs {
		def := &defs[i]
		z := &w.zones[w.zoneOf(def.Zone)]
		at := tankAt{
			meter: w.meterOf(def.Utility, def.ID), plant: w.index(zone.PlantKind, def.Plant), dead: 1000 * def.DeadM3,
			k: keep(w.memory.Tanks, old.Tanks, def.ID, newTank),
		}
		k := at.k
		k.capacity, k.fuel, k.local = 1000*def.CapacityM3, def.Utility == meter.Fuel, &w.cities[z.city].local
		k.litres, k.group = litresOf(def), nil
		k.locate(def, w.registry.Cities()[z.city].ID, w.memory.Events)
		w.tanks[i] = at
		if at.plant >= 0 {
			w.plants[at.plant].addTank(int32(i), def)
		} else if !k.fuel {
			z.tanks = append(z.tanks, int32(i))
		}
	}
	w.groupTanks(old)
}

// litresOf returns how the content of a tank is read, in litres, at 15 °C for
// fuel: the best of what the meter says. What is net of the water at the bottom
// or corrected to 15 °C already, by the meter or by vetting, stays as it is.
func litresOf(def *zone.Tank) func(s *scratch, celsius, waterMM float64) float64 {
	at15 := func(litres, celsius float64) float64 {
		if celsius != celsius { // unknown: as it is
			return litres
		}
		return def.Volume15(litres, celsius)
	}
	level := func(mm float64) float64 {
		if litres, ok := def.Shape.OfLevel(mm); ok {
			return litres
		}
		return nan
	}
	product := func(litres, waterMM float64) float64 {
		if water, ok := def.Shape.OfLevel(waterMM); ok && def.Utility == meter.Fuel {
			return max(0, litres-water)
		}
		return litres
	}
	return func(s *scratch, celsius, waterMM float64) float64 {
		switch {
		case s.got(volume15):
			return s.values[volume15]
		case s.got(productVolume):
			return at15(s.values[productVolume], celsius)
		case s.got(tankVolume):
			return at15(product(1000*s.values[tankVolume], waterMM), celsius)
		case s.got(volume):
			return at15(product(s.values[volume], waterMM), celsius)
		case s.got(levelMM):
			return at15(product(level(s.values[levelMM]), waterMM), celsius)
		case s.got(tankLevel):
			return at15(product(level(1000*s.values[tankLevel]), waterMM), celsius)
		}
		return nan
	}
}

// groupTanks joins tanks with what fills and empties them.
func (w *world) groupTanks(old *memory) {
	join := func(owner, content string, city int32, declared float64, tanks []int32, burners []*burner, pipes []*pipe, names ...string) {
		if len(tanks) == 0 {
			return
		}
		g := keep(w.memory.Groups, old.Groups, groupKey{owner, content}, func() *group { return new(group) })
		g.tanks, g.burners, g.pipes, g.local = nil, burners, pipes, &w.cities[city].local
		g.piped = true
		for _, i := range tanks {
			g.tanks = append(g.tanks, w.tanks[i].k)
			w.tanks[i].k.group = g
			names = append(names, fmt.Sprint(w.registry.Tanks()[i].ID, " ", w.tanks[i].k.capacity))
		}
		g.made(names)
		g.declare(declared, content == "standby")
	}
	for i := range w.zones {
		z := &w.zones[i]
		var pipes []*pipe
		var names []string
		declared := 0.0
		for _, p := range z.plants {
			declared += 1000 * w.plants[p].needs.WaterM3PerD
		}
		for _, l := range z.lines {
			pipes = append(pipes, w.lines[l].p)
			names = append(names, w.registry.WaterLines()[l].ID)
		}
		join(w.registry.Zones()[i].ID, "water", z.city, declared, z.tanks, nil, pipes, names...)
	}
	for i := range w.plants {
		p := &w.plants[i]
		id, city := w.registry.Plants()[i].ID, w.zones[p.zone].city
		join(id, "water", city, 1000*p.needs.WaterM3PerD, p.waterTanks, nil, []*pipe{p.water})
		for _, i := range p.waterTanks {
			w.tanks[i].k.group.piped = p.line >= 0 || p.waterMeter >= 0
		}
		if p.oneFuel() {
			join(id, "fuel", city, p.needs.FuelLPerD, p.standbyTanks, slices.Concat(p.fuel.all, p.sets.all), nil)
		} else {
			join(id, "fuel", city, p.needs.FuelLPerD, p.boilerTanks, p.fuel.all, nil)
			join(id, "standby", city, 0, p.standbyTanks, p.sets.all, nil)
		}
		p.group(w)
	}
	for i := range w.tanks { // of a zone's fuel, which nothing meters
		if w.tanks[i].k.group == nil {
			def := &w.registry.Tanks()[i]
			join(def.ID, "store", w.zones[w.zoneOf(def.Zone)].city, 0, []int32{int32(i)}, nil, nil)
		}
	}
}
