package vet

import (
	"slices"
	"sort"
)

// Bounds of what is remembered of gaps, in knots of 32 bytes. A gap takes two
// to four of them, so that all of them are 32 MiB and some 300,000 gaps.
const (
	maxKnots        = 1 << 20 // of all counters; beyond, the oldest go
	maxCounterKnots = 1 << 10 // of one counter: two weeks of a stream that loses every tenth reading
)

// link is how a knot is joined to the one before.
type link uint8

const (
	blank     link = iota // nothing is remembered in between
	solid                 // no edge of a block lies in between that a late reading could move
	open                  // a gap: the totals at its ends are right
	openReset             // a gap in which the counter began at zero, as far as is known right behind the earlier end
	openLost              // a gap in which an unknown amount was counted
)

// knot is a point of a counter's history that late readings may need.
type knot struct {
	point
	link link // to the knot before
	mark mark // of what lies between; of a blank's knot, of the edge of a block that it stands on
}

// past is what is remembered of a counter's gaps and the blocks around them: a
// chain of knots for each run of gaps that touch common blocks, from the
// beginning of its first block to the end of its last.
//
//	edge ─solid─ reading ═open═ reading ─solid─ edge   blank   edge ─solid─ …
type past struct {
	knots []knot
	// stale are the blocks, from and to in ms, that late readings have changed
	// but not settled. They come out when the counter ends its next block, so
	// that a long backfill does not bring out its whole gap with each reading.
	stale struct{ from, to int64 }
}

// first is the first reading of a counter, which older ones may yet precede.
type first struct {
	time  int64
	value float64 // on the scale of the total
	end   float64 // total at the end of its block; has meaning once that has ended
}

// remember keeps the gap between two readings.
func (v *Vetter) remember(c *counter, from, to point, s stride) {
	if c.past == nil {
		c.past = &past{}
	}
	p := c.past
	v.knots -= len(p.knots)
	p.trim(to.time - maxGap)
	if len(p.knots) > maxCounterKnots {
		p.knots = nil
	}
	n := len(p.knots)
	if n == 0 || p.knots[n-1].time < c.block.start.time {
		p.knots = append(p.knots, knot{c.block.start, blank, c.block.edge})
		n++
	}
	if p.knots[n-1].time < from.time {
		p.knots = append(p.knots, knot{from, solid, c.block.marks})
	}
	p.knots = append(p.knots, knot{to, s.link, s.mark})
	v.knots += len(p.knots)
	if v.knots > maxKnots {
		v.sweep(to.time)
	}
}

// settle keeps the end of a block that a gap reaches into; it returns how many
// knots that takes.
func (p *past) settle(end point, m mark) int {
	if p == nil || len(p.knots) == 0 {
		return 0
	}
	if last := p.knots[len(p.knots)-1].time; last > end.time-BlockMS && last < end.time {
		p.knots = append(p.knots, knot{end, solid, m})
		return 1
	}
	return 0
}

// trim forgets the chains that end before a time, and as many more of the
// oldest as keep the rest within its bound.
func (p *past) trim(before int64) {
	cut := 0
	for i := 1; i <= len(p.knots); i++ {
		if i < len(p.knots) && p.knots[i].link != blank {
			continue
		}
		if p.knots[i-1].time >= before && len(p.knots)-cut <= maxCounterKnots {
			break
		}
		cut = i
	}
	if cut > 0 {
		p.knots = slices.Delete(p.knots, 0, cut)
	}
}

// forget drops what is remembered of a counter.
func (v *Vetter) forget(c *counter) {
	if c.past != nil {
		v.knots -= len(c.past.knots)
		c.past = nil
	}
}

// sweep forgets the oldest gaps of all counters until a quarter of the room is
// free. It takes some milliseconds, once in as many gaps as it frees.
func (v *Vetter) sweep(now int64) {
	for age := int64(maxGap); v.knots > maxKnots/4*3 && age > 0; age /= 2 {
		v.knots = 0
		for d := range v.devices {
			for i := range d.counters {
				v.knots += d.counters[i].forgetBefore(now - age)
			}
		}
	}
}

// forgetBefore forgets the gaps before a time and returns how many knots stay.
func (c *counter) forgetBefore(time int64) int {
	if c.past == nil {
		return 0
	}
	if c.past.trim(time); len(c.past.knots) == 0 {
		c.past = nil
		return 0
	}
	c.past.knots = slices.Clip(c.past.knots)
	return len(c.past.knots)
}

// size is the number of knots.
func (p *past) size() int {
	if p == nil {
		return 0
	}
	return len(p.knots)
}

// find returns the first knot at a time or after it.
func (p *past) find(time int64) int {
	return sort.Search(len(p.knots), func(i int) bool { return p.knots[i].time >= time })
}

// at returns the counter at a time, and how well it is known there; ok is false
// where nothing is remembered.
func (p *past) at(time int64) (at point, edge mark, ok bool) {
	i := p.find(time)
	switch {
	case i == len(p.knots):
		return point{}, mark{}, false
	case p.knots[i].time == time && p.knots[i].link == blank:
		return p.knots[i].point, p.knots[i].mark, true
	case p.knots[i].time == time:
		return p.knots[i].point, mark{}, true
	case p.knots[i].link == blank:
		return point{}, mark{}, false
	}
	left, right := p.knots[i-1], p.knots[i]
	if right.link >= open {
		edge = gapMark(right.time - left.time)
	}
	return left.point.at(time, right.point), edge, true
}

// marks returns the worst mark of what lies between two times.
func (p *past) marks(from, to int64) mark {
	var m mark
	for i := p.find(from + 1); i < len(p.knots); i++ {
		if k := &p.knots[i]; k.link != blank {
			m = m.worst(k.mark)
		}
		if p.knots[i].time >= to {
			break
		}
	}
	return m
}
