package metersim

import (
	"cmp"
	"math"
	"slices"
	"time"
)

const (
	// EN 50160: means of ten minutes within ±10 % of nominal.
	voltageLowPct = 90
	voltageWithin = 25 * time.Minute // ten minutes' mean, and the on-delay, from when it is low
	phaseWithin   = 3 * time.Minute
	hertzWithin   = 4 * time.Minute
	demandWithin  = 35 * time.Minute // a whole block and what is left of the present one
	hoverMS       = 7 * minuteMS     // the period in which a brownout hovers
)

// brownout brings the voltage at an object to a level, along a ramp, and lets
// it hover there.
func (st *stage) brownout(i *incident) {
	level, hover := cmp.Or(i.LevelPct, 85)/100, i.HoverPct/100
	tops := []string{i.Object}
	if o, _ := st.Registry.Object(i.Object); o.Kind == "city" || i.Object == "" {
		tops = nil
		for _, s := range st.Registry.Substations() {
			tops = append(tops, s.ID)
		}
	}
	ramp := i.Ramp.Milliseconds()
	i.apply = func(m *model, on bool) {
		if !on {
			m.hold(0, tops...)
		}
	}
	i.tick = func(m *model, ms int64) {
		since := ms - i.start
		v := level + hover*math.Sin(2*math.Pi*float64(since)/hoverMS) + hover/10*m.troubles.rand.NormFloat64()
		if since < ramp {
			v = 1 + (level-1)*float64(since)/float64(ramp)
		}
		m.hold(v, tops...)
	}
	st.sag(i, level, hover, tops)
}

// sag is what a brownout means. One that hovers about the limit may raise one
// alarm or none, but not many.
func (st *stage) sag(i *incident, level, hover float64, tops []string) {
	var below []string
	for _, top := range tops {
		below = slices.Concat(below, st.net.feeders(top), st.net.plants(top))
	}
	below = without(below, tops)
	deep := 100*(level+hover) < voltageLowPct && i.length() > i.Ramp+voltageWithin
	if deep && len(tops) == 1 {
		i.expectFrom("elec.voltage_low", tops[0], i.Ramp, i.Ramp+voltageWithin)
	} else if deep {
		i.expectFrom("elec.voltage_low", "*", i.Ramp, i.Ramp+voltageWithin)
	}
	i.forbid("elec.outage|elec.phase_loss", flicker, slices.Concat(tops, below)...)
	if level < 1 {
		i.forbid("elec.voltage_high", flicker, slices.Concat(tops, below)...)
	}
	for _, id := range slices.Concat(tops, below) {
		i.allow("elec.voltage_low", aftermath, id)
		i.event.Allow[len(i.event.Allow)-1].Max = 1
	}
	plants := without(below, nil)
	i.allow("plant.stalled|plant.stall_forecast", aftermath, slices.Concat(tops, plants)...)
	i.allow("elec.shortfall|zone.inadequate", aftermath, "*")
}

// hold sets the voltage of substations, feeders and plants; 0 lets it go.
func (m *model) hold(v float64, ids ...string) {
	for _, id := range ids {
		if n := m.nodes[id]; n != nil {
			n.held = v
		} else if p := m.byPlant[id]; p != nil {
			p.trouble.held = v
		}
	}
}

// phaseLoss takes a phase. A fuse that blows on the 20 kV side of a Dyn
// transformer leaves two phases of the 400 V side with half their voltage and
// more; a broken conductor there leaves one with next to nothing.
func (st *stage) phaseLoss(i *incident) {
	ph := cmp.Or(i.Phase, 1+st.rand.IntN(3)) - 1
	plants := st.net.plants(i.Object)
	feeders := append(st.net.feeders(i.Object), i.Object)
	open := i.Pattern == "open"
	saved := make(map[*load][2][3]float64)
	take := func(l *load, tilt [3]float64, on bool) {
		if !on {
			l.tilt, l.share = saved[l][0], saved[l][1]
			return
		}
		saved[l] = [2][3]float64{l.tilt, l.share}
		l.tilt, l.share = turn(tilt, ph), turn([3]float64{0.02, 0.5, 0.48}, ph)
	}
	i.apply = func(m *model, on bool) {
		for _, id := range feeders {
			if n := m.nodes[id]; n != nil {
				take(&n.load, [3]float64{0.08, 0.98, 0.97}, on)
			}
		}
		for _, id := range plants {
			p := m.byPlant[id]
			tilt := [3]float64{0.56, 0.53, 0.99}
			if open && id == i.Object {
				tilt = [3]float64{0.04, 0.99, 1}
			}
			take(&p.load, tilt, on)
			p.trouble.phase += step(on)
		}
	}
	i.short = plants
	i.expect("elec.phase_loss", i.Object, phaseWithin)
	below := without(slices.Concat(feeders, plants), []string{i.Object})
	i.forbid("elec.phase_loss|elec.voltage_low", 0, below...)
	i.forbid("elec.outage", flicker, slices.Concat(feeders, plants)...)
	i.allow("elec.unbalance|elec.voltage_low|elec.phase_loss", aftermath, slices.Concat(feeders, plants)...)
	i.allow("plant.stalled|plant.stall_forecast", aftermath, plants...)
	i.allow("elec.shortfall|zone.inadequate", aftermath, "*")
}

// turn moves a pattern of phases on by so many phases.
func turn(pattern [3]float64, by int) (out [3]float64) {
	for k := range pattern {
		out[(k+by)%3] = pattern[k]
	}
	return out
}

func step(on bool) int {
	if on {
		return 1
	}
	return -1
}

// frequency takes the grid off its frequency.
func (st *stage) frequency(i *incident) {
	hz := cmp.Or(i.Hertz, 49.2)
	i.apply = func(m *model, on bool) {
		for _, t := range m.towns {
			t.drift = 0
			if on {
				t.drift = hz - 50
			}
		}
	}
	if i.length() > hertzWithin && math.Abs(hz-50) > 0.6 {
		i.expect("elec.frequency", "*", hertzWithin)
	}
	i.forbid("elec.outage", 0, "*")
	i.allow("elec.frequency", aftermath, "*")
}

// surge lets a plant draw a multiple of what it usually does.
func (st *stage) surge(i *incident) {
	factor := cmp.Or(i.Factor, 1.6)
	i.apply = func(m *model, on bool) {
		t := m.byPlant[i.Object].trouble
		t.factor = 1
		if on {
			t.factor = factor
		}
	}
	if i.length() > demandWithin {
		i.expect("elec.demand_high", i.Object, demandWithin)
	}
	i.allow("elec.demand_high", aftermath, i.Object)
	i.allow("elec.feeder_overload", aftermath, "*")
}

// idle lets a plant stand still with enough of everything.
func (st *stage) idle(i *incident) {
	i.apply = func(m *model, on bool) { m.byPlant[i.Object].trouble.idle += step(on) }
	zones := append(st.net.zones(i.Object), st.Files[0].City.ID)
	i.forbid("plant.stalled|plant.stall_forecast|elec.outage|elec.voltage_low", aftermath, i.Object)
	i.forbid("elec.shortfall|water.shortfall|zone.inadequate", aftermath, zones...)
}
