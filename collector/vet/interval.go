package vet

import "github.com/imdad-telemetry/imdad/collector/meter"

// Lengths of blocks and of the steps between readings, ms.
const (
	// BlockMS is the length of a block of consumption, a quarter of an hour.
	BlockMS = 15 * 60_000
	// shortGap is the longest gap over which a straight line passes for an
	// estimate. It is that of one missed shift of an operator, and of eight
	// blocks: beyond it a load has changed.
	shortGap = 2 * 3_600_000
	// maxGap is the longest gap that is spread over its blocks, and the age at
	// which a gap is forgotten: last month's bill is settled. What was counted in
	// a longer one is in the total alone.
	maxGap = 40 * 24 * 3_600_000
)

// Interval is what one counter counted in one block of 15 minutes.
type Interval struct {
	Series   *meter.Series
	Register string  // of the counter
	Start    int64   // of the block, ms, on a quarter of an hour UTC
	Amount   float64 // in the register's unit, never negative
	// Total is what the register would show at the block's end had it never been
	// reset, rolled over or replaced since it was first seen. It falls nowhere but
	// behind blocks that a late reading from before a reset has made greater.
	Total float64
	// Quality is Good, Estimated where a short gap was bridged, Missing where a
	// long one was or something was counted that nobody knows, Reset where the
	// counter began anew.
	Quality meter.Quality
	// Raw is the plain difference of the readings at the block's ends, without
	// what vetting made of it.
	Raw    float64
	Reason string // why Quality is not Good, in a word
}

// Intervals returns the blocks that the last Check has ended, or changed by a
// late reading. They are valid until the next.
func (v *Vetter) Intervals() []Interval { return v.intervals }

// point is a counter at one time: its total and what its register showed.
type point struct {
	time       int64
	total, raw float64
}

// at returns the counter at a time between two points, on a straight line.
func (p point) at(time int64, q point) point {
	switch {
	case time <= p.time:
		return p
	case time >= q.time:
		return q
	}
	part := float64(time-p.time) / float64(q.time-p.time)
	return point{time, min(q.total, p.total+part*(q.total-p.total)), p.raw + part*(q.raw-p.raw)}
}

// mark is how far a part of a counter's history can be trusted, and why.
type mark struct {
	quality meter.Quality
	why     finding // has meaning if quality is not Good
}

func (m mark) worst(n mark) mark {
	if n.quality > m.quality {
		return n
	}
	return m
}

// unknown marks the edge before the first reading.
var unknown = mark{meter.Missing, foundGap}

// gapMark marks the edges of blocks within a gap.
func gapMark(ms int64) mark {
	if ms <= shortGap {
		return mark{meter.Estimated, foundGap}
	}
	return unknown
}

// block is the open block of a counter.
type block struct {
	start point // at its beginning, or at the first reading ever
	edge  mark  // of its beginning
	marks mark  // of what happened in it
}

// blockStart returns the beginning of the block that a time lies in.
func blockStart(time int64) int64 { return time - time%BlockMS }

// long tells whether a step between readings is longer than usual.
func (c *counter) long(ms int64) bool { return ms > int64(c.step)*3/2 }

// learn takes the time between two values of a meter that the registry does not
// know. Bursts and gaps count for no more than twice or half of what is usual.
func (c *counter) learn(ms int64) {
	if c.step == 0 {
		c.step = int32(min(ms, maxStep))
	}
	usual := int64(c.step)
	c.step = int32(min(maxStep, max(1, usual+(min(max(ms, usual/2), 2*usual)-usual)/8)))
}

// sparse takes the time between two values of a counter that may come with every
// tenth message of its meter alone: if the meter spoke in between, that is its
// way and no gap. planned is the time between the messages.
func (c *counter) sparse(ms, planned int64, spoke bool) {
	usual := int64(c.step)
	switch {
	case ms > usual && spoke:
		usual += (min(ms, 2*usual) - usual) / 8
	case ms < usual:
		usual -= (usual - ms) / 2
	}
	c.step = int32(min(maxStep, max(planned, usual)))
}

// advance ends the blocks between a reading and the one before.
func (v *Vetter) advance(d *device, c *counter, from point, s stride) {
	to := c.point()
	step := to.time - from.time
	if d.def == nil {
		c.learn(step)
	} else {
		c.sparse(step, d.planned(), d.watched.last > from.time)
	}
	end := blockStart(from.time) + BlockMS
	if to.time < end {
		c.block.marks = c.block.marks.worst(s.mark)
		return
	}
	if step > maxGap {
		v.forget(c)
		c.first, c.sealed = first{time: to.time}, true
		c.block = block{start: to, edge: unknown}
		return
	}
	bridged, remembered := mark{}, false
	if c.long(step) {
		bridged = gapMark(step)
		if remembered = end < to.time; remembered {
			v.remember(c, from, to, s)
		}
	}
	for ; end <= to.time; end += BlockMS {
		v.end(d, c, from.at(end, to), s.mark, bridged, to.time)
	}
	if remembered { // where in it something happened, late readings may yet tell
		c.block.marks = mark{}
	}
	v.flush(d, c)
}

// end ends the open block at a point of the step to a reading.
func (v *Vetter) end(d *device, c *counter, p point, step, bridged mark, to int64) {
	if p.time == to { // the reading stands on the edge
		bridged = mark{}
	}
	b := &c.block
	inside, all := b.marks.worst(step), b.edge.worst(bridged)
	if c.past != nil {
		all = all.worst(c.past.marks(b.start.time, p.time))
	}
	v.emit(d, c, b.start, p, all.worst(inside))
	if b.start.time == c.first.time {
		c.first.end, c.inFirst = p.total, inside
	}
	if bridged.quality == meter.Good {
		v.knots += c.past.settle(p, inside)
	}
	*b = block{start: p, edge: bridged}
	if p.time < to {
		b.marks = step
	}
}

// emit hands a block out that lies between two points.
func (v *Vetter) emit(d *device, c *counter, from, to point, m mark) {
	i := Interval{
		Series: d.series, Register: c.register, Start: blockStart(to.time - 1),
		Amount: max(0, to.total-from.total), Total: to.total, Quality: m.quality, Raw: to.raw - from.raw,
	}
	if m.quality != meter.Good {
		i.Reason = m.why.String()
	}
	v.intervals = append(v.intervals, i)
}
