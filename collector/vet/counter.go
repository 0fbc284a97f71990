package vet

import (
	"math"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// maxCounters bounds the counters followed of one meter: names come from
// outside.
const maxCounters = 32

// counter is a register that only counts up: 144 bytes, and its past where
// readings failed to come.
//
// Its total is the register's value continued over resets, rollovers and
// replacements: what it would show had none of them been.
type counter struct {
	register string
	last     meter.Counter // as the rules of counters have it
	offset   float64       // of the total above last.Value
	// before is the reading before a reset or an implausible step, which may
	// prove to have been one wrong value; time 0: none.
	before  before
	perH    float32 // what the registry says of it, as meter.CounterLimits
	digits  uint8
	sealed  bool  // nothing older than first can be placed
	inFirst mark  // of what happened in the block of first, behind it, once that has ended
	still   int32 // ms that the next step has beyond its own; see spare and wentBack
	step    int32 // ms between readings, as they usually come

	block block // that last.Time lies in
	first first
	past  *past // nil: no gap is remembered
}

// before is what a counter was before a value that is in doubt.
type before struct{ value, offset float64 }

// point returns the last reading on the scale of the total.
func (c *counter) point() point {
	return point{c.last.Time, c.last.Value + c.offset, c.last.Value}
}

// maxStep bounds what is taken for the usual time between readings, a day.
const maxStep = 24 * 3_600_000

// maxCount is the most that a counter is believed to show: beyond it a float has
// no room for what passes in a second.
const maxCount = 1e15

// count passes the registers that count up to their counters.
func (v *Vetter) count(d *device, r *meter.Reading) {
	if r.Quality >= meter.OutOfRange {
		return
	}
	for _, i := range v.counting {
		if val := &r.Values[i]; val.Value >= 0 && val.Value <= maxCount {
			if c := d.counter(val.Register); c != nil {
				v.next(d, c, r, val.Value)
			}
		}
	}
}

// counter returns a register's counter, made at first sight; nil for what does
// not count, and beyond maxCounters.
func (d *device) counter(register string) *counter {
	for i := range d.counters {
		if d.counters[i].register == register {
			return &d.counters[i]
		}
	}
	if len(d.counters) == maxCounters || !hasCounter(d.series.Utility, register) {
		return nil
	}
	d.counters = append(d.counters, counter{register: register})
	c := &d.counters[len(d.counters)-1]
	d.limit(c)
	return c
}

// limit takes what the registry knows of a counter.
func (d *device) limit(c *counter) {
	c.perH, c.digits = 0, 0
	if d.def == nil {
		return
	}
	c.digits = uint8(d.def.Digits)
	c.perH = float32(perHour(c.register, d.registry.Rating(d.def)))
	c.step = max(c.step, int32(d.planned()))
}

// planned is the time between readings that the registry has, ms; 0: not known.
func (d *device) planned() int64 {
	if d.def == nil {
		return 0
	}
	return int64(min(maxStep, 1000*d.def.IntervalS))
}

// next takes a counter's value.
func (v *Vetter) next(d *device, c *counter, r *meter.Reading, value float64) {
	switch {
	case c.last.Time == 0:
		c.begin(value, r.Time)
		return
	case r.Time <= c.last.Time:
		c.wentBack(value, r.Time)
		v.late(d, c, value, r.Time)
		return
	}
	replaced := d.replaced(c.last.Time, r.Time)
	if !replaced { // another device goes back nowhere
		c.undoubt(value, r.Time)
	}
	from := c.point()
	increment := c.last.Next(value, r.Time, replaced, c.judged(value, r.Time))
	s := c.apply(increment, from, value)
	if increment.Event == meter.CounterReplaced {
		s = c.exchange(d, from, value)
	}
	if s.found != none {
		d.note(r, s.found, s.says)
	}
	if increment.Event == meter.CounterDip {
		return
	}
	c.still = c.spare(r.Time-from.time, value == from.raw, increment, v.ours)
	v.advance(d, c, from, s)
}

// spare returns the ms that the next step has beyond its own, after a step of so
// many. A value that stands still saves them all. Of a meter without a clock the
// messages of a pause come at once, with times that are ours: what the step over
// the pause did not need at the rating, those right behind it may.
func (c *counter) spare(ms int64, still bool, i meter.Increment, ours bool) int32 {
	ms += int64(c.still)
	if !still {
		steady := 2*(ms-int64(c.still)) >= int64(c.step) && !c.long(ms-int64(c.still))
		perH := c.bounds().PerH
		if !ours || steady || perH == 0 || i.Event != meter.CounterForward {
			return 0
		}
		ms -= int64(math.Ceil(i.Amount / perH * 3_600_000))
	}
	return int32(max(0, min(maxStep, ms)))
}

// wentBack takes note of a clock that was set back: the value is of now though
// its time is past, since it is above the newest by what can pass in between. The
// step to the reading that is newer again holds all that was counted meanwhile.
func (c *counter) wentBack(value float64, time int64) {
	ms := min(maxStep, c.last.Time-time+int64(c.step))
	if value > c.last.Value && c.bounds().Plausible(value-c.last.Value, ms) {
		c.still = max(c.still, int32(ms))
	}
}

// limits returns what the registry knows of the counter.
func (c *counter) limits() meter.CounterLimits {
	return meter.CounterLimits{Digits: int(c.digits), PerH: float64(c.perH)}
}

// bounds returns the limits of a step forward, which are known of any meter.
func (c *counter) bounds() meter.CounterLimits {
	l := c.limits()
	if l.PerH == 0 {
		l.PerH = beyondAll(c.register)
	}
	return l
}

// judged returns the limits by which a value at a time is judged. A counter of
// whole units stands still and then takes a step: the step has the time since
// it last moved. One whose clock was set back counts on unseen until its time is
// new again, and one without a clock until its messages come.
func (c *counter) judged(value float64, time int64) meter.CounterLimits {
	l := c.limits()
	if value >= c.last.Value {
		l = c.bounds()
	}
	if ms := time - c.last.Time; c.still > 0 {
		l.PerH *= float64(ms+int64(c.still)) / float64(ms)
	}
	return l
}

// stride is what a step from one reading to the next is, apart from its ends.
type stride struct {
	link  link
	mark  mark          // of the blocks it touches
	found finding       // none: nothing
	says  meter.Quality // of the reading
}

// apply moves the total by an increment, from the reading before.
func (c *counter) apply(i meter.Increment, from point, value float64) stride {
	switch i.Event {
	case meter.CounterRollover:
		c.offset += from.raw + i.Amount - value // 10ⁿ
		return stride{link: open, found: foundRollover}
	case meter.CounterReset:
		c.doubt(from, from.total+i.Amount-value)
		s := stride{open, mark{meter.Reset, foundReset}, foundReset, meter.Reset}
		if s.link = openReset; i.Missing {
			s.link, s.mark.quality = openLost, meter.Missing
		}
		return s
	case meter.CounterImplausible:
		c.doubt(from, from.total-value)
		return stride{openLost, mark{meter.Missing, foundImplausible}, foundImplausible, meter.Suspect}
	case meter.CounterDip:
		return stride{open, mark{}, foundDip, meter.Suspect}
	}
	return stride{link: open, found: none}
}

// doubt puts a new offset in force and keeps the old one, in case the reading
// proves to be one wrong value.
func (c *counter) doubt(from point, offset float64) {
	c.before = before{from.raw, c.offset}
	c.offset = offset
}

// undoubt goes back to the value before a reset or an implausible step if the
// register has gone back there too: a gateway that read zero, or garbage, once.
// Where the rating allows both, the reset was real; without a rating it was not,
// or all that the counter shows would be counted twice. What was counted by the
// wrong value stays counted, and is taken off what follows.
func (c *counter) undoubt(value float64, time int64) {
	b := c.before
	if b.value == 0 || value == c.last.Value {
		return
	}
	c.before = before{}
	wentUp := c.last.Value >= b.value
	if value < b.value || wentUp && value >= c.last.Value {
		return // the step was real
	}
	l := c.bounds()
	step := time - c.last.Time + int64(c.step)
	if !l.Plausible(value-b.value, step) || !wentUp && c.perH > 0 && l.Plausible(value-c.last.Value, step) {
		return
	}
	total := c.last.Value + c.offset
	c.last.Value = min(value, b.value+max(0, total-b.value-b.offset))
	c.offset = total - c.last.Value
	c.still = 0
}

// replaced tells whether another device took the meter's place after from and
// not after to, ms.
func (d *device) replaced(from, to int64) bool {
	if d.def == nil {
		return false
	}
	for i := range d.def.Replacements {
		if at := d.def.Replacements[i].At.UnixMilli(); at > from && at <= to {
			return true
		}
	}
	return false
}

// exchange moves the total over replacements by what the registry says that
// the devices showed.
func (c *counter) exchange(d *device, from point, value float64) stride {
	amount, known := d.exchanged(c.register, from, point{time: c.last.Time, raw: value})
	s := stride{open, mark{meter.Reset, foundReplaced}, foundReplaced, meter.Reset}
	if !c.limits().Plausible(amount, c.last.Time-from.time+int64(c.still)) {
		amount, known = 0, false
	}
	if !known {
		s.link, s.mark.quality = openLost, meter.Missing
	}
	c.offset = from.total + amount - value
	c.before = before{}
	return s
}

// exchanged is what a register counted from one reading to another, between
// which devices were replaced, as far as the registry knows; known says that it
// knows all of it.
func (d *device) exchanged(register string, from, to point) (amount float64, known bool) {
	shown, known := from.raw, true
	for i := range d.def.Replacements {
		e := &d.def.Replacements[i]
		if at := e.At.UnixMilli(); at <= from.time || at > to.time {
			continue
		}
		final, ok := e.Final[register]
		if ok = ok && final >= shown; ok {
			amount += final - shown
		}
		known = known && ok
		if shown, ok = e.Initial[register]; !ok {
			shown = math.Inf(1) // nothing is known before the next reading
		}
	}
	if to.raw < shown {
		return amount, false
	}
	return amount + to.raw - shown, known
}

// begin takes the first reading ever.
func (c *counter) begin(value float64, time int64) {
	c.last.Next(value, time, false, meter.CounterLimits{})
	c.first = first{time: time, value: value}
	c.block = block{start: c.point()}
	if time%BlockMS != 0 {
		c.block.edge = unknown
	}
}
