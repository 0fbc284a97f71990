package metersim

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/imdad-telemetry/imdad/collector/zone"
)

// model is the fleet's physics over one step: what the plants ask for, and what
// therefore passes each feeder, substation, line and station.
//
// advance computes in the direction in which causes run: plants ask, networks
// add up with their losses from the leaves to the roots, and voltage and
// pressure come back from the roots to the leaves. A cut, a leak or a theft is
// a change to one of these parts between two steps.
type model struct {
	now   int64 // start of the present step, ms since the epoch
	rand  *rand.Rand
	towns []*town

	plants     []*plant
	grid       []*node      // children before their parents
	mains      []*waterMain // children before their parents
	depots     []*oilTank   // fuel tanks of no plant
	generators []*generator

	sources map[point]source
	byCity  map[string]*town
	nodes   map[string]*node
	lines   map[string]*waterMain
	byPlant map[string]*plant

	troubles *troubles // what a scenario does to it; nil: all goes well
}

// source writes the registers of the meters at one object, at the part x of
// the present step.
type source interface {
	appendTo(v *values, x float64)
}

// town is what all of a city has in common.
type town struct {
	loc   *time.Location
	now   moment // the end of the present step
	hertz flow
	water flow // temperature of the mains, °C
	sway  noise
	drift float64 // Hz by which the grid is off its frequency
}

func (t *town) next(ms int64, r *rand.Rand) {
	t.now = newMoment(ms, t.loc)
	t.hertz.next(50 + t.drift + t.sway.next(r.NormFloat64()))
	t.water.next(13 + 11*t.now.summer)
}

// node is a substation or a feeder.
type node struct {
	load
	parent   *node // nil for a substation
	children []*node
	plants   []*plant
	sway     noise   // of a substation's voltage, as a share of nominal
	ironKW   float64 // what it loses even without load
	copper   float64 // what it loses at its rating, as a share of that
	cut      int     // how many causes hold it off
	dead     bool    // it or what feeds it is off
	held     float64 // the voltage that a brownout holds it at, as a share of nominal; 0: none
}

func (n *node) nextLoad(ms int64) {
	if n.dead {
		n.next(ms, 0, 0)
		return
	}
	kw, kvar := 0.0, 0.0
	for _, c := range n.children {
		kw += c.active.to
		kvar += c.reactive.to
	}
	for _, p := range n.plants {
		kw += p.load.active.to
		kvar += p.load.reactive.to
	}
	lost := n.ironKW + n.copper*kw*kw/n.ratedKW
	n.next(ms, kw+lost, kvar+2*lost)
}

func (n *node) nextVoltage(r *rand.Rand) {
	sway := 0.0
	if n.parent == nil {
		sway = n.sway.next(r.NormFloat64())
	}
	switch {
	case n.dead:
		n.perUnit.next(0)
	case n.held > 0:
		n.perUnit.next(n.held)
	case n.parent == nil:
		n.perUnit.next(1.01 + sway - 0.02*n.loading())
	default:
		n.perUnit.next(n.parent.perUnit.to - n.parent.drop()/2)
	}
}

// drop is the voltage lost along a whole feeder, as a share of nominal.
func (n *node) drop() float64 {
	if n.parent == nil {
		return 0
	}
	return 0.045 * n.loading()
}

// plant is one consumer.
type plant struct {
	def   zone.Plant
	town  *town
	shape shape
	cycle cycle
	sway  noise

	load   load
	tanPhi float64 // kvar per kW
	far    float64 // how far along its feeder and line it is, 0 to 1
	feeder *node

	intake  pipe
	line    *waterMain
	meanM3H float64
	water   []*waterTank

	burn        burner
	meanLPH     float64
	oil         []*oilTank
	onlyStandby bool
	generators  []*generator

	trouble *plantTrouble // nil: all goes well
}

// demand is what a plant asks for at one moment.
type demand struct{ kw, m3h, lph float64 }

// nextDemand lets the plant ask for the end of the step that begins at ms.
func (p *plant) nextDemand(ms int64, r *rand.Rand) {
	u := p.shape(p.town.now, &p.cycle, r)
	sway := max(0, 1+p.sway.next(r.NormFloat64()))
	now := demand{p.def.Requirement.PowerKW * u.power * sway, p.meanM3H * u.water * sway, p.meanLPH * u.burn * sway}
	if p.trouble != nil {
		now = p.endure(ms, now)
	}
	p.load.next(ms, now.kw, now.kw*p.tanPhi)
	p.nextWater(now.m3h, r)
	p.nextBurn(now.lph, r)
}

func (p *plant) nextVoltage() {
	if p.trouble != nil && p.trouble.setVoltage(p) {
		return
	}
	lost := 0.015 * p.load.loading() // in its transformer
	p.load.perUnit.next(p.feeder.perUnit.to - p.far*p.feeder.drop() - lost)
}

// advance goes on by one step.
func (m *model) advance() {
	m.now += stepMS
	if m.troubles != nil {
		m.troubles.before(m)
	}
	for _, t := range m.towns {
		t.next(m.now+stepMS, m.rand)
	}
	for _, p := range m.plants {
		p.nextDemand(m.now, m.rand)
	}
	for _, n := range m.grid {
		n.nextLoad(m.now)
	}
	for _, w := range m.mains {
		w.nextFlow(m.now)
	}
	for i := len(m.grid) - 1; i >= 0; i-- {
		m.grid[i].nextVoltage(m.rand)
	}
	for i := len(m.mains) - 1; i >= 0; i-- {
		m.mains[i].nextPressure(m.rand)
	}
	for _, p := range m.plants {
		p.nextVoltage()
	}
	for _, t := range m.depots {
		t.next(0, m.rand)
	}
	for _, g := range m.generators {
		g.next(m.rand)
	}
	if m.troubles != nil {
		m.troubles.after(m)
	}
}

// advanceTo brings ms, in milliseconds since the epoch, into the present step
// and returns which part of it has gone by. Time never goes back: a moment
// before the step counts as its start.
func (m *model) advanceTo(ms float64) float64 {
	for ms >= float64(m.now+stepMS) {
		m.advance()
	}
	return math.Max(0, (ms-float64(m.now))/stepMS)
}
