package live

import (
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// plantAt is a plant with what is followed of it.
type plantAt struct {
	def   *zone.Plant
	needs zone.Requirement
	zone  int32

	meter, waterMeter int32
	feeder, line      int32

	e            *electric
	water        *pipe
	fuel, sets   burners
	waterTanks   []int32
	boilerTanks  []int32
	standbyTanks []int32 // diesel, for the generators
	waterGroup   *group
	fuelGroup    *group
	book         *plantBook
	work         zone.Work
	workUntil    int64 // ms; 0: work is to be looked up
	workSince    int64
}

func (w *world) placePlants(old *memory) {
	plants := w.registry.Plants()
	w.plants = make([]plantAt, len(plants))
	for i := range plants {
		def := &plants[i]
		p := plantAt{
			def: def, needs: def.Needs(), zone: w.zoneOf(def.Zone),
			meter: w.meterOf(meter.Electricity, def.ID), waterMeter: w.meterOf(meter.Water, def.ID),
			feeder: w.index(zone.FeederKind, def.Feeder), line: w.index(zone.WaterLineKind, def.WaterLine),
			book: keep(w.memory.Plants, old.Plants, def.ID, func() *plantBook { return new(plantBook) }),
			e:    w.electricOf(old, def.ID, w.meterOf(meter.Electricity, def.ID), lowNominal),
		}
		z := &w.zones[p.zone]
		p.water = w.pipeOf(old, def.ID, p.waterMeter, z.city, false)
		z.plants = append(z.plants, int32(i))
		if f := p.feeder; f >= 0 {
			p.e.parent = w.feeders[f].gap
			w.feeders[f].below = append(w.feeders[f].below, p.e)
			w.feeders[f].unmetered = w.feeders[f].unmetered || p.meter < 0
		}
		w.plants[i] = p
	}
	w.placeBurners(old)
}

// burners are all boilers, or all generators, of a plant with their meters.
type burners struct {
	meters []int32
	all    []*burner
}

func (w *world) placeBurners(old *memory) {
	meters := w.registry.Meters()
	for i := range meters {
		m := &meters[i]
		plant := w.index(zone.PlantKind, m.At)
		if plant < 0 || m.Utility != meter.Fuel && m.Utility != meter.Generator {
			continue
		}
		to := &w.plants[plant].fuel
		if m.Utility == meter.Generator {
			to = &w.plants[plant].sets
		}
		b := keep(w.memory.Burners, old.Burners, burnerKey{m.Zone, m.Utility, m.ID}, newBurner)
		b.digits = m.Digits
		to.meters, to.all = append(to.meters, int32(i)), append(to.all, b)
	}
}

// addTank files a tank by what it is for: diesel is for the generators.
func (p *plantAt) addTank(i int32, def *zone.Tank) {
	switch {
	case def.Utility == meter.Water:
		p.waterTanks = append(p.waterTanks, i)
	case def.Fuel == "diesel":
		p.standbyTanks = append(p.standbyTanks, i)
	default:
		p.boilerTanks = append(p.boilerTanks, i)
	}
}

// oneFuel tells that boilers and generators burn out of the same tanks.
func (p *plantAt) oneFuel() bool { return len(p.boilerTanks) == 0 && p.needs.FuelLPerD > 0 }

// fuelTanks are those that the boilers burn from.
func (p *plantAt) fuelTanks() []int32 {
	if p.oneFuel() {
		return p.standbyTanks
	}
	return p.boilerTanks
}

// group finds the groups whose consumption is the plant's.
func (p *plantAt) group(w *world) {
	p.waterGroup, p.fuelGroup = nil, nil
	if len(p.waterTanks) > 0 {
		p.waterGroup = w.tanks[p.waterTanks[0]].k.group
	}
	if tanks := p.fuelTanks(); len(tanks) > 0 {
		p.fuelGroup = w.tanks[tanks[0]].k.group
	}
}
