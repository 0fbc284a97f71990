package zone

import "time"

// Cursor follows one feeder through its programme. While nothing changes by
// plan it answers from memory. It is for one goroutine.
type Cursor struct {
	rules feederRules

	stage       int
	window      span // that off and exempt cover
	off, exempt []span

	plan  Plan
	valid span // of plan, at stage
}

// Cursor returns a new cursor for a feeder. One that is not registered is
// never off.
func (p *Programme) Cursor(feeder string) *Cursor { return &Cursor{rules: p.feeders[feeder]} }

// Plan tells where the feeder stands at t while a stage, 0 for none, is
// announced. A block that goes on for weeks is cut Ahead of now or later.
func (p *Programme) Plan(feeder string, t time.Time, stage int) Plan {
	return p.Cursor(feeder).Plan(t, stage)
}

// Plan is Programme.Plan of the cursor's feeder.
func (c *Cursor) Plan(t time.Time, stage int) Plan {
	ms := t.UnixMilli()
	if !c.valid.has(ms) || stage != c.stage {
		c.move(ms, stage)
	}
	return c.plan
}

// move looks the plan up at another time or stage.
func (c *Cursor) move(ms int64, stage int) {
	ahead := Ahead.Milliseconds()
	inner := span{c.window.start + ahead, c.window.end - ahead}
	if !inner.has(ms) || stage != c.stage {
		inner = windowAround(ms)
		c.window, c.stage = span{inner.start - ahead, inner.end + ahead}, stage
		c.off, c.exempt = c.rules.blocks(c.window, stage)
	}
	exemption, _, exempt := around(c.exempt, ms)
	block, next, off := around(c.off, ms)
	c.valid = block.within(exemption).within(inner)
	c.plan = Plan{Off: off, Exempt: exempt}
	if next < len(c.off) {
		c.plan.Start = time.UnixMilli(c.off[next].start).UTC()
		c.plan.End = time.UnixMilli(c.off[next].end).UTC()
	}
}

// windowAround is the stretch of time, the same for all cursors, for which
// blocks are looked up at once.
func windowAround(ms int64) span {
	const width = int64(Ahead / time.Millisecond)
	start := ms - ms%width
	if ms < start {
		start -= width
	}
	return span{start, start + width}
}
