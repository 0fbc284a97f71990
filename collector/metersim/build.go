package metersim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// point is what a meter is attached to.
type point struct {
	utility meter.Utility
	at      string
}

// builder turns a registry into a model.
type builder struct {
	*model
	reg *zone.Registry
}

// newModel builds the physics of the registry's objects, as of start. What
// refers to what has been checked with the registry.
func newModel(reg *zone.Registry, seed int64, start time.Time) (*model, error) {
	b := builder{
		model: &model{
			rand:    rand.New(rand.NewPCG(uint64(seed), 0x1badad)),
			sources: make(map[point]source),
			byCity:  make(map[string]*town),
			nodes:   make(map[string]*node),
			lines:   make(map[string]*waterMain),
			byPlant: make(map[string]*plant),
		},
		reg: reg,
	}
	// Three steps before start, so that three advances give the present step both
	// ends: plants see the pressure that their lines had a step before.
	b.now = start.UnixMilli() - start.UnixMilli()%stepMS - 3*stepMS
	for _, c := range reg.Cities() {
		if err := b.city(c); err != nil {
			return nil, err
		}
	}
	b.electricity()
	b.water()
	for _, def := range reg.Plants() {
		b.plant(def)
	}
	for _, def := range reg.Tanks() {
		b.tank(def)
	}
	b.estimate()
	for range 3 {
		b.advance()
	}
	return b.model, nil
}

func (b *builder) city(c zone.City) error {
	loc, err := time.LoadLocation(c.Timezone)
	if err != nil {
		return fmt.Errorf("load time zone of %s: %w", c.ID, err)
	}
	t := &town{now: newMoment(b.now, loc), loc: loc, sway: newNoise(0.025, 120, b.rand.NormFloat64())}
	t.hertz.start(50, 0)
	b.towns = append(b.towns, t)
	b.byCity[c.ID] = t
	return nil
}

// town returns the town that an object lies in.
func (b *builder) town(id string) *town {
	o, _ := b.reg.Object(id)
	return b.byCity[o.City]
}

// electricity makes substations and feeders and puts children before parents.
func (b *builder) electricity() {
	var roots []*node
	for _, def := range b.reg.Substations() {
		n := b.node(def.ID, positive(900*def.RatingMVA, 40000))
		n.sway = newNoise(0.006, 900, b.rand.NormFloat64())
		roots = append(roots, n)
	}
	for _, def := range b.reg.Feeders() {
		b.node(def.ID, root3*mediumVolts/1000*positive(def.RatingA, 300))
	}
	for _, def := range b.reg.Feeders() {
		n, parent := b.nodes[def.ID], b.nodes[def.From]
		n.parent = parent
		parent.children = append(parent.children, n)
	}
	b.grid = leavesFirst(roots, func(n *node) []*node { return n.children })
}

func (b *builder) node(id string, ratedKW float64) *node {
	n := &node{load: newLoad(mediumVolts, ratedKW, &b.town(id).hertz, b.rand)}
	n.full = true
	b.nodes[id] = n
	b.sources[point{meter.Electricity, id}] = &n.load
	return n
}

// water makes pumping stations and lines and puts children before parents.
func (b *builder) water() {
	var roots []*waterMain
	for _, def := range b.reg.PumpingStations() {
		w := b.main(def.ID)
		w.designM3 = def.CapacityM3H
		w.sway = newNoise(0.05, 600, b.rand.NormFloat64())
		pumps := newLoad(lowVolts, pumpKWh*positive(def.CapacityM3H, 100), &w.town.hertz, b.rand)
		w.pumps = &pumps
		b.sources[point{meter.Electricity, def.ID}] = w.pumps
		roots = append(roots, w)
	}
	for _, def := range b.reg.WaterLines() {
		b.main(def.ID)
	}
	for _, def := range b.reg.WaterLines() {
		w, parent := b.lines[def.ID], b.lines[def.From]
		w.parent = parent
		parent.children = append(parent.children, w)
	}
	b.mains = leavesFirst(roots, func(w *waterMain) []*waterMain { return w.children })
}

func (b *builder) main(id string) *waterMain {
	t := b.town(id)
	w := &waterMain{pipe: pipe{celsius: &t.water}, town: t}
	b.lines[id] = w
	b.sources[point{meter.Water, id}] = &w.pipe
	return w
}

func (b *builder) plant(def zone.Plant) {
	t := b.town(def.ID)
	pf := 0.9 + 0.07*b.rand.Float64()
	p := &plant{
		def:     def,
		town:    t,
		shape:   shapeOf(def.Sector),
		cycle:   cycle{phase: b.rand.Float64()},
		sway:    newNoise(0.04, 300, b.rand.NormFloat64()),
		load:    newLoad(lowVolts, positive(def.ContractKVA, def.Requirement.PowerKW+1), &t.hertz, b.rand),
		tanPhi:  math.Tan(math.Acos(pf)),
		far:     0.3 + 0.7*b.rand.Float64(),
		feeder:  b.nodes[def.Feeder],
		line:    b.lines[def.WaterLine],
		meanM3H: def.Requirement.WaterM3PerD / 24,
		meanLPH: def.Requirement.FuelLPerD / 24,
	}
	p.feeder.plants = append(p.feeder.plants, p)
	if p.line != nil {
		p.line.plants = append(p.line.plants, p)
	}
	p.intake.celsius = &t.water
	p.burn.celsius = &t.water
	b.plants = append(b.plants, p)
	b.byPlant[def.ID] = p
	b.sources[point{meter.Electricity, def.ID}] = &p.load
	b.sources[point{meter.Water, def.ID}] = &p.intake
	b.sources[point{meter.Fuel, def.ID}] = &p.burn
}

func (b *builder) tank(def zone.Tank) {
	p := b.byPlant[def.Plant]
	if def.Utility == meter.Fuel {
		o := newOilTank(def, b.town(def.ID), b.rand)
		if p != nil {
			p.oil = append(p.oil, o)
		} else {
			b.depots = append(b.depots, o)
		}
		b.sources[point{meter.Fuel, def.ID}] = o
		return
	}
	level := 0.7 + 0.15*b.rand.Float64()
	if p != nil {
		level = floatLevel
	}
	w := newWaterTank(def, b.town(def.ID), level)
	if p != nil {
		p.water = append(p.water, w)
	} else if line := b.freeLine(def.Zone); line != nil {
		line.tank = w
	}
	b.sources[point{meter.Water, def.ID}] = w
}

// freeLine returns the zone's first water line that has no tank yet.
func (b *builder) freeLine(zoneID string) *waterMain {
	for _, def := range b.reg.WaterLines() {
		if def.Zone == zoneID && b.lines[def.ID].tank == nil {
			return b.lines[def.ID]
		}
	}
	return nil
}

// estimate sizes lines by what hangs on them and lets every counter begin as
// if it had run for some time.
func (b *builder) estimate() {
	for _, p := range b.plants {
		p.onlyStandby = true
		for _, t := range p.oil {
			p.onlyStandby = p.onlyStandby && t.standby
		}
		p.load.begin(p.def.Requirement.PowerKW/2, b.rand)
		days := 100 + 900*b.rand.Float64()
		p.intake.flow.start(0, days*24*p.meanM3H)
		p.burn.flow.start(0, days*24*p.meanLPH)
	}
	for _, n := range b.grid {
		kw := 0.0
		for _, c := range n.children {
			kw += c.demandKW
			n.ironKW += c.ironKW / 2 // its share of what is above
		}
		for _, p := range n.plants {
			kw += p.load.demandKW
			n.ironKW += 0.002 * p.load.ratedKW // its transformer centre
		}
		n.copper = 0.025
		if n.parent == nil {
			n.copper = 0.005
		}
		n.begin(kw, b.rand)
	}
	for _, w := range b.mains {
		mean := 0.0
		for _, c := range w.children {
			mean += c.designM3 / 2
		}
		for _, p := range w.plants {
			mean += p.meanM3H
		}
		w.designM3 = positive(w.designM3, 2*mean+1)
		w.flow.start(0, 24*mean*(100+900*b.rand.Float64()))
		if w.pumps != nil {
			w.pumps.begin(mean*pumpKWh, b.rand)
		}
	}
}

// source returns what writes the meter's registers. Each generator meter has a
// generator of its own.
func (m *model) source(def zone.Meter) (source, error) {
	if def.Utility == meter.Generator {
		g := newGenerator(m.rand)
		m.generators = append(m.generators, g)
		if p := m.byPlant[def.At]; p != nil {
			p.generators = append(p.generators, g)
		}
		return g, nil
	}
	s := m.sources[point{def.Utility, def.At}]
	if s == nil {
		return nil, fmt.Errorf("simulate meter %s: no %s at %q", def.ID, def.Utility, def.At)
	}
	return s, nil
}

// positive returns x, or otherwise where the registry does not say.
func positive(x, otherwise float64) float64 {
	if x > 0 {
		return x
	}
	return otherwise
}

// leavesFirst lists the trees under roots with every child before its parent.
func leavesFirst[T any](roots []T, children func(T) []T) []T {
	var list []T
	for _, r := range roots {
		list = append(list, leavesFirst(children(r), children)...)
		list = append(list, r)
	}
	return list
}
