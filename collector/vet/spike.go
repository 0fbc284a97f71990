package vet

import "math"

// What no single value can do against those around it.
const (
	ratingTimes  = 1.5 // the rating, of a power
	celsiusJump  = 20  // °C a minute
	contentJump  = 0.5 // of a tank's capacity a minute: no pump or tanker is so fast
	pressureJump = 16  // bar: what the pipes of a main are made for (PN 16)
)

// jumps is what is remembered of values that cannot jump.
type jumps struct {
	celsius gradual
	second  gradual // a tank's content in l, elsewhere the pressure in bar
}

// gradual is a value that changes little by little.
type gradual struct {
	good float32 // the last that was believed
	odd  float32 // the last that was not; NaN: the last was good
	at   uint32  // of the last, s since the epoch; 0: none
}

// jumps tells whether a value is out of line with the last ones. One that
// stays near the odd one before it is a new truth.
func (g *gradual) jumps(v float64, at int64, perMinute, atOnce float64) bool {
	now := uint32(at / 1000)
	allowed := float32(max(atOnce, perMinute, perMinute*float64(now-g.at)/60))
	x, first := float32(v), g.at == 0
	g.at = now
	switch {
	case first, near(x, g.good, allowed), near(x, g.odd, allowed):
		g.good, g.odd = x, float32(math.NaN())
		return false
	}
	g.odd = x
	return true
}

func near(a, b, allowed float32) bool { return a-b <= allowed && b-a <= allowed }

// jumped tells whether a value of the reading is a spike. All that must be
// followed is followed, even after the first.
func (d *device) jumped(at int64, s *seen) bool {
	over := s.has&seenPower != 0 && d.overRating(math.Abs(s.rate))
	capacity := d.capacity()
	if s.has&(seenCelsius|seenPressure) == 0 && !known(capacity) {
		return over
	}
	if d.watched.jumps == nil {
		d.watched.jumps = new(jumps)
	}
	j := d.watched.jumps
	if s.has&seenCelsius != 0 {
		over = j.celsius.jumps(s.celsius, at, celsiusJump, 0) || over
	}
	switch {
	case known(capacity):
		over = j.second.jumps(d.tank.litres, at, contentJump*capacity, 0) || over
	case d.tank == nil && s.has&seenPressure != 0:
		over = j.second.jumps(s.bar, at, 0, pressureJump) || over
	}
	return over
}

// overRating tells whether a power is more than what the meter measures can
// draw. A second one in a row shows that the rating is wrong. The registry is
// asked only for a power that was never seen before.
func (d *device) overRating(kw float64) bool {
	w := &d.watched
	was := w.over
	w.over = false
	if d.def == nil || float32(kw) <= w.top {
		return false
	}
	most := ratingTimes * d.registry.Rating(d.def).PowerKW
	w.over = most > 0 && kw > most && float64(w.top) <= most
	return w.over && !was
}

// capacity is that of the tank whose content the last reading told, l; NaN:
// none.
func (d *device) capacity() float64 {
	if d.tank == nil || !known(d.tank.litres) {
		return math.NaN()
	}
	if m3 := d.tank.def.CapacityM3; m3 > 0 {
		return 1000 * m3
	}
	if litres, ok := d.tank.def.Shape.OfPercent(100); ok {
		return litres
	}
	return math.NaN()
}
