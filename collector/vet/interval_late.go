package vet

import (
	"slices"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// late takes a reading older than the newest. In a gap that is remembered, and
// before the first reading, it makes blocks out of what was estimated; anywhere
// else it tells nothing new.
func (v *Vetter) late(d *device, c *counter, value float64, time int64) {
	v.knots -= c.past.size()
	if time < c.first.time {
		v.precede(d, c, value, time)
	} else if c.past != nil {
		v.fill(d, c, value, time)
	}
	v.knots += c.past.size()
}

// fill splits the gap that a late reading lies in.
func (v *Vetter) fill(d *device, c *counter, value float64, time int64) {
	p := c.past
	i := p.find(time)
	if i == 0 || i == len(p.knots) || p.knots[i].time == time || p.knots[i].link < open {
		return
	}
	from, to := p.knots[i-1].time, p.knots[i].time
	mid, shift, ok := d.place(c, p.knots[i-1].point, &p.knots[i], value, time)
	if !ok {
		return
	}
	p.knots = slices.Insert(p.knots, i, mid)
	if shift > 0 {
		c.shift(i+1, shift)
	}
	v.changed(d, c, from, to)
}

// place puts a late reading between the ends of a gap. Where the counter began
// anew in the gap, the value tells the epoch: not below the one before, it is of
// the old; not above the one after, of the new. shift is what it adds to all
// totals after it. If what happened in the gap did so before the reading, right
// is told.
func (d *device) place(c *counter, left point, right *knot, value float64, time int64) (mid knot, shift float64, ok bool) {
	if right.link == openLost && right.mark.why == foundReplaced && d.replaced(left.time, right.time) {
		return d.placeByExchange(c, left, right, value, time)
	}
	before, after := left.total+value-left.raw, right.total+value-right.raw
	switch {
	case right.link == open:
		total := before
		if !between(left, total, right.point) {
			total = after
		}
		mid = knot{point{time, min(right.total, max(left.total, total)), value}, open, mark{}}
		return mid, 0, between(left, total, right.point)
	case value >= left.raw && d.unchanged(c, left, right.point, value, time):
		return knot{point{time, before, value}, open, mark{}}, before - left.total, true
	case value <= right.raw:
		total := max(left.total, after)
		mid = knot{point{time, total, value}, right.link, right.mark}
		right.link, right.mark = open, mark{}
		return mid, total - after, true
	}
	return knot{}, 0, false
}

// placeByExchange puts a late reading into a gap in which devices were replaced
// and not all is known of what they showed: its time tells which device it is of.
func (d *device) placeByExchange(c *counter, left point, right *knot, value float64, time int64) (mid knot, shift float64, ok bool) {
	at := point{time: time, raw: value}
	older, oldMark, ok1 := d.passed(c, left, at)
	newer, newMark, ok2 := d.passed(c, at, right.point)
	if !ok1 || !ok2 {
		return knot{}, 0, false
	}
	at.total = left.total + older
	if shift = at.total + newer - right.total; shift < 0 {
		at.total, shift = min(at.total, right.total), 0
	}
	mid = knot{at, linkOf(oldMark), oldMark}
	right.link, right.mark = linkOf(newMark), newMark
	return mid, shift, true
}

// passed is what a counter counted between two readings, devices replaced or not.
func (d *device) passed(c *counter, from, to point) (amount float64, m mark, ok bool) {
	if !d.replaced(from.time, to.time) {
		amount = to.raw - from.raw
		return amount, mark{}, amount >= 0 && c.bounds().Plausible(amount, to.time-from.time)
	}
	amount, known := d.exchanged(c.register, from, to)
	m = mark{meter.Reset, foundReplaced}
	if !c.limits().Plausible(amount, to.time-from.time) {
		amount, known = 0, false
	}
	if !known {
		m.quality = meter.Missing
	}
	return amount, m, true
}

// linkOf is that of a gap with a mark.
func linkOf(m mark) link {
	if m.quality == meter.Missing {
		return openLost
	}
	return open
}

// between tells whether a total lies between two others, but for rounding.
func between(left point, total float64, right point) bool {
	slack := 1e-12 * right.total
	return total >= left.total-slack && total <= right.total+slack
}

// unchanged tells whether a value in a gap may come from before what happened
// there: the registry knows when a device was replaced, and otherwise it must
// be plausible as a step forward.
func (d *device) unchanged(c *counter, left, right point, value float64, time int64) bool {
	if d.replaced(left.time, right.time) {
		return !d.replaced(left.time, time)
	}
	return c.bounds().Plausible(value-left.raw, time-left.time)
}

// shift raises the totals from a knot on.
func (c *counter) shift(from int, by float64) {
	for i := from; i < len(c.past.knots); i++ {
		c.past.knots[i].total += by
	}
	c.block.start.total += by
	c.offset += by
	c.before.offset += by
}

// precede puts a reading before the first, if the counter can have come from
// there.
func (v *Vetter) precede(d *device, c *counter, value float64, time int64) {
	f := c.first
	if c.sealed || f.time-time > maxGap || value > f.value || d.replaced(time, f.time) ||
		!c.bounds().Plausible(f.value-value, f.time-time) {
		return
	}
	edge := mark{}
	if time%BlockMS != 0 {
		edge = unknown
	}
	p := point{time, value, value}
	c.first = first{time, value, f.end}
	inOpen := c.block.start.time == f.time
	if inOpen && time >= blockStart(f.time) {
		c.block.start, c.block.edge = p, edge
		return
	}
	if c.past == nil {
		c.past = &past{}
	}
	head := []knot{{p, blank, edge}, {point{f.time, f.value, f.value}, open, mark{}}}
	rest, end := c.past.knots, blockStart(f.time)+BlockMS
	switch {
	case len(rest) > 0 && rest[0].time == f.time:
		rest = rest[1:]
	case inOpen || f.time%BlockMS == 0:
	case len(rest) > 0 && rest[0].time == end:
		rest[0].link, rest[0].mark = solid, c.inFirst
	default:
		head = append(head, knot{point{end, f.end, f.end}, solid, c.inFirst})
	}
	c.past.knots = append(head, rest...)
	v.changed(d, c, time, f.time)
}

// changed brings out the blocks that a reading in the gap from one time to
// another has changed, and remembers no more than what is still open.
func (v *Vetter) changed(d *device, c *counter, from, to int64) {
	p, closed := c.past, blockStart(c.last.Time)
	for i := max(1, p.find(from)); i < len(p.knots) && p.knots[i].time <= to; i++ {
		k, left := &p.knots[i], p.knots[i-1].time
		if k.link >= open && (blockStart(left)+BlockMS >= k.time || !c.long(k.time-left)) {
			k.link = solid
			if k.time > closed { // what happened there stays with the open block
				c.block.marks = c.block.marks.worst(k.mark)
			}
		}
	}
	if start, edge, ok := p.at(closed); ok && from < closed && closed < to {
		c.block.start, c.block.edge = start, edge
	}
	end := blockStart(c.first.time) + BlockMS
	if at, _, ok := p.at(end); ok && from < end && end <= to && end <= closed {
		c.first.end = at.total
	}
	for start := blockStart(from); start < to && start < closed; start += BlockMS {
		if settled := v.again(d, c, start, true); !settled {
			p.delay(start)
		}
	}
	p.tidy(c, from, to, closed)
	if len(p.knots) == 0 {
		c.past = nil
	}
}

// delay puts a block off until the next one ends.
func (p *past) delay(start int64) {
	if p.stale.to == 0 {
		p.stale.from = start
	}
	p.stale.from, p.stale.to = min(p.stale.from, start), max(p.stale.to, start+BlockMS)
}

// flush brings out what was put off.
func (v *Vetter) flush(d *device, c *counter) {
	if c.past == nil || c.past.stale.to == 0 {
		return
	}
	for start := c.past.stale.from; start < c.past.stale.to; start += BlockMS {
		v.again(d, c, start, false)
	}
	c.past.stale.from, c.past.stale.to = 0, 0
	if len(c.past.knots) == 0 {
		c.past = nil
	}
}

// again brings out a block of the past if its edges are settled, or are not, as
// is wanted; it returns whether they are.
func (v *Vetter) again(d *device, c *counter, start int64, wanted bool) (settled bool) {
	p := c.past
	from, before, ok := p.at(max(start, c.first.time))
	to, after, known := p.at(start + BlockMS)
	if !ok || !known {
		return true // forgotten
	}
	settled = !p.within(from.time) && !p.within(to.time)
	if settled == wanted {
		v.emit(d, c, from, to, before.worst(p.marks(from.time, to.time)).worst(after))
	}
	return settled
}

// within tells whether a time lies within a gap.
func (p *past) within(time int64) bool {
	i := p.find(time)
	return i < len(p.knots) && p.knots[i].link >= open && p.knots[i].time > time
}

// tidy makes the chains between two times anew out of the gaps that are left.
func (p *past) tidy(c *counter, from, to, closed int64) {
	lo := p.find(from)
	for lo > 0 && p.knots[lo].link != blank {
		lo--
	}
	hi := min(len(p.knots), p.find(to)+1)
	for hi < len(p.knots) && p.knots[hi].link != blank {
		hi++
	}
	var kept []knot
	for i := lo + 1; i < hi; i++ {
		if p.knots[i].link >= open {
			kept = p.keep(kept, c, i, closed)
		}
	}
	p.knots = slices.Replace(p.knots, lo, hi, kept...)
}

// keep appends the gap before a knot and the edges of the blocks it reaches
// into.
func (p *past) keep(kept []knot, c *counter, i int, closed int64) []knot {
	left, right := p.knots[i-1], p.knots[i]
	last := func() int64 {
		if len(kept) == 0 {
			return 0
		}
		return kept[len(kept)-1].time
	}
	if start := max(blockStart(left.time), c.first.time); last() < start {
		at, edge, _ := p.at(start)
		kept = append(kept, knot{at, blank, edge})
	}
	if was := last(); was < left.time {
		left.link, left.mark = solid, p.marks(was, left.time)
		kept = append(kept, left)
	}
	kept = append(kept, right)
	end := blockStart(right.time-1) + BlockMS
	if end == right.time || end > closed || p.opens(i, end) {
		return kept
	}
	at, _, _ := p.at(end)
	return append(kept, knot{at, solid, p.marks(right.time, end)})
}

// opens tells whether another gap begins behind a knot and before a time.
func (p *past) opens(i int, before int64) bool {
	for i++; i < len(p.knots) && p.knots[i-1].time < before; i++ {
		if p.knots[i].link >= open {
			return true
		}
	}
	return false
}
