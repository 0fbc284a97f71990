package metersim

import (
	"math"
	"math/rand/v2"

	"github.com/imdad-telemetry/imdad/collector/zone"
)

// use is what a plant asks for at one moment.
type use struct {
	power float64 // share of the required kW
	water float64 // share of the required m³/d as an even flow
	burn  float64 // share of the required l/d as an even flow
}

// cycle is the memory of a plant that works in batches, melts or bursts.
type cycle struct {
	begun, ends int64 // ms since the epoch
	on          bool
	level       float64 // the strength of this burst
	phase       float64 // 0 to 1, so that like plants do not move in step
}

// progress returns how far the cycle's present part is, 0 to 1.
func (c *cycle) progress(ms int64) float64 {
	return float64(ms-c.begun) / float64(max(1, c.ends-c.begun))
}

// turn goes on to the next part when the present one is over; the new part
// lasts between least and most seconds, by whether it is on.
func (c *cycle) turn(m moment, r *rand.Rand, on, off [2]float64) {
	if m.ms < c.ends {
		return
	}
	c.on = !c.on
	span := off
	if c.on {
		span = on
		c.level = 0.5 + 0.5*r.Float64()
	}
	c.begun = m.ms
	c.ends = m.ms + int64(1000*(span[0]+(span[1]-span[0])*r.Float64()))
}

// shape says what a plant of one sector asks for.
type shape func(m moment, c *cycle, r *rand.Rand) use

// shapeOf returns the sector's load shape.
func shapeOf(s zone.Sector) shape {
	switch s {
	case zone.RingSpinning:
		return spinning
	case zone.Weaving:
		return weaving
	case zone.DyeHouse:
		return dyeing
	case zone.Food:
		return food
	case zone.Pharma:
		return pharma
	case zone.Plastics:
		return plastics
	case zone.CementBlock:
		return blocks
	case zone.Foundry:
		return foundry
	case zone.CraftWorkshop:
		return workshop
	}
	return dayWork
}

// spinning runs flat around the clock, every day of the year.
func spinning(m moment, _ *cycle, _ *rand.Rand) use {
	return use{power: 0.85, water: 0.9 + 0.2*m.summer}
}

// weaving runs three shifts from 06:00 and dips while they change; Friday's
// first two shifts are free.
func weaving(m moment, _ *cycle, _ *rand.Rand) use {
	if m.friday() && m.during(6, 22) > 0 {
		return use{power: 0.1, water: 0.1}
	}
	const half = 1.0 / 6 // h on either side of the change
	toChange := math.Abs(math.Remainder(m.hour-6, 8))
	power := 0.9
	if toChange < half {
		power -= 0.4 * (1 - toChange/half)
	}
	return use{power: power, water: 1}
}

// dyeing runs batches of four to six hours with a pause between them, none on
// Friday. A batch fills and rinses four times and heats after the first fill.
func dyeing(m moment, c *cycle, r *rand.Rand) use {
	const hour = 3600
	idle := use{power: 0.15, water: 0.1, burn: 0.1}
	if m.friday() && !c.on {
		return idle
	}
	c.turn(m, r, [2]float64{4 * hour, 6 * hour}, [2]float64{hour / 3, hour})
	if !c.on {
		return idle
	}
	u := use{power: 0.75, water: 0.3, burn: 0.7}
	x := c.progress(m.ms)
	for _, rinse := range [4]float64{0, 0.4, 0.65, 0.88} {
		if x >= rinse && x < rinse+0.08 {
			u.water = 3
			u.power = 0.55
		}
	}
	if x >= 0.08 && x < 0.3 {
		u.burn = 2.6
		u.power = 1
	}
	return u
}

// food works 06–22 and keeps its chillers running; in Ramadan it works from
// late morning, pauses for iftar and goes on into the night.
func food(m moment, c *cycle, _ *rand.Rand) use {
	work := m.during(6, 22)
	if m.ramadan {
		work = max(m.during(10, 18), m.during(20, 2))
	}
	chiller := 0.15 + 0.1*m.summer
	if pulse(m, c, 1200, 0.6) {
		chiller += 0.15
	}
	return use{power: chiller + 0.55*work, water: 0.15 + 1.27*work, burn: 0.05 + 1.45*work}
}

// pharma has its air conditioning as a base and works by day, Sunday to Thursday.
func pharma(m moment, _ *cycle, _ *rand.Rand) use {
	work := m.dayShift(8, 17)
	if m.weekend() {
		work = 0
	}
	return use{power: 0.35 + 0.1*m.summer + 0.5*work, water: 0.25 + 2*work, burn: 0.3 + 1.8*work}
}

// plastics works around the clock from Sunday to Thursday; its heaters switch
// on and off every few minutes.
func plastics(m moment, c *cycle, _ *rand.Rand) use {
	if m.weekend() {
		return use{power: 0.08, water: 0.1}
	}
	power := 0.68
	if pulse(m, c, 240, 0.5) {
		power += 0.22
	}
	return use{power: power, water: 1}
}

// blocks presses cement blocks 07–15, one pulse of the press a minute, but not
// on Friday.
func blocks(m moment, c *cycle, _ *rand.Rand) use {
	work := m.dayShift(7, 15)
	if m.friday() {
		work = 0
	}
	power := 0.05 + 0.3*work
	if work > 0 && pulse(m, c, 60, 0.4) {
		power += 0.6 * work
	}
	return use{power: power, water: 0.05 + 2.95*work, burn: 0.05 + 2.95*work}
}

// foundry melts at night, two to three hours at full load and a short pause to
// pour; not in the night to Friday's rest. Water goes on cooling the furnaces.
func foundry(m moment, c *cycle, r *rand.Rand) use {
	night := m.during(22, 6)
	if night == 0 || m.friday() {
		c.ends, c.on = m.ms, false
		return use{power: 0.12, water: 0.7, burn: 0.1}
	}
	c.turn(m, r, [2]float64{7200, 10800}, [2]float64{1200, 1800})
	if !c.on {
		return use{power: 0.3, water: 1.2, burn: 3.5}
	}
	return use{power: 1, water: 1.6, burn: 2.6}
}

// workshop works 09–17, not on Friday, in bursts of its machines.
func workshop(m moment, c *cycle, r *rand.Rand) use {
	work := m.dayShift(9, 17)
	if m.friday() {
		work = 0
	}
	c.turn(m, r, [2]float64{20, 300}, [2]float64{30, 600})
	power := 0.03 + 0.12*work
	if c.on {
		power += 0.85 * work * c.level
	}
	return use{power: power, water: 0.05 + 2.9*work, burn: work}
}

// dayWork stands for the sectors nobody has described: 08–16, Friday off.
func dayWork(m moment, _ *cycle, _ *rand.Rand) use {
	work := m.dayShift(8, 16)
	if m.friday() {
		work = 0
	}
	return use{power: 0.15 + 0.6*work, water: 0.1 + 2.8*work, burn: 0.1 + 2.8*work}
}

// pulse is on for the share duty of every period of so many seconds.
func pulse(m moment, c *cycle, period, duty float64) bool {
	_, part := math.Modf(float64(m.ms)/1000/period + c.phase)
	return part < duty
}
