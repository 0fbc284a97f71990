package metersim

import "math/rand/v2"

// troubles is what a scenario does to a model: incidents that begin and end at
// the boundaries of steps.
//
// A rate runs straight within a step, which would smear a cut over five
// seconds. In the step in which something begins or ends every rate therefore
// jumps to its new value at the step's start and stays there.
type troubles struct {
	incidents []*incident
	jump      bool
	rand      *rand.Rand // of its own, so that trouble leaves the rest of the city's noise alone
}

// afflict prepares every part of the model for trouble.
func (m *model) afflict(incidents []*incident, seed int64) {
	m.troubles = &troubles{incidents: incidents, rand: rand.New(rand.NewPCG(uint64(seed), 0x7b0b1e))}
	for _, p := range m.plants {
		p.trouble = newPlantTrouble(p)
	}
	for _, w := range m.mains {
		w.trouble = &mainTrouble{reach: 1, head: 1}
	}
	for _, i := range incidents {
		if i.ready != nil {
			i.ready(m)
		}
		for _, id := range i.short {
			if p := m.byPlant[id]; p != nil {
				i.plants = append(i.plants, p)
			}
		}
	}
}

// before lets incidents begin and end at the start of the present step.
func (t *troubles) before(m *model) {
	t.jump = false
	for _, i := range t.incidents {
		on := i.start <= m.now && m.now < i.end
		if on != i.on {
			i.on, t.jump = on, true
			if i.apply != nil {
				i.apply(m, on)
			}
		}
		if on && i.tick != nil {
			i.tick(m, m.now)
		}
	}
	if t.jump {
		m.spread()
	}
}

// after books the energy that was not supplied, and makes a step with a
// beginning or an end abrupt.
func (t *troubles) after(m *model) {
	for _, i := range t.incidents {
		if !i.on {
			continue
		}
		for _, p := range i.plants {
			i.ensKWh += max(0, p.trouble.wantsKW-p.load.active.to) * stepHours
		}
	}
	if t.jump {
		m.settle()
	}
}

// spread hands cuts down the networks, from the roots to the leaves.
func (m *model) spread() {
	for i := len(m.grid) - 1; i >= 0; i-- {
		n := m.grid[i]
		n.dead = n.cut > 0 || n.parent != nil && n.parent.dead
	}
	for i := len(m.mains) - 1; i >= 0; i-- {
		w := m.mains[i]
		w.trouble.reach = w.trouble.head
		if w.parent != nil {
			w.trouble.reach = w.parent.trouble.reach
		}
	}
	for _, p := range m.plants {
		p.trouble.dead = p.feeder.dead || p.trouble.cut > 0
	}
}

// settle lets every rate keep the value of the step's end throughout the step.
func (m *model) settle() {
	for _, t := range m.towns {
		t.hertz.flatten()
	}
	for _, n := range m.grid {
		n.flatten()
	}
	for _, w := range m.mains {
		w.flow.flatten()
		w.pressure.flatten()
		if w.pumps != nil {
			w.pumps.flatten()
		}
		if w.tank != nil {
			w.tank.net.flatten()
		}
	}
	for _, p := range m.plants {
		p.load.flatten()
		p.intake.flow.flatten()
		p.intake.pressure.flatten()
		p.burn.flow.flatten()
		for _, t := range p.water {
			t.net.flatten()
		}
		for _, t := range p.oil {
			t.net.flatten()
			t.delivered.flatten()
		}
	}
	for _, t := range m.depots {
		t.net.flatten()
		t.delivered.flatten()
	}
	for _, g := range m.generators {
		g.output.flatten()
	}
}

func (f *flow) flatten() { f.from = f.to }

func (l *load) flatten() {
	l.active.flatten()
	l.reactive.flatten()
	l.perUnit.flatten()
}

// mainTrouble is what has befallen a pumping station or line.
type mainTrouble struct {
	head  float64 // of a station's head, what its pumps still give, 0 to 1
	reach float64 // the head of its station, or of what feeds it
	extra float64 // m³/h that leaves through a burst or a leak
	lost  float64 // the share of the pressure that a burst takes
}

// flow returns what passes the main when sum is asked of it. A leak gives less
// where there is less pressure.
func (t *mainTrouble) flow(sum float64) float64 {
	if t.reach == 0 {
		return 0
	}
	return sum + t.extra*t.reach
}
