package zone

import (
	"sync"
	"time"
)

// ration is one rule, ready to be asked.
type ration struct {
	stage      int
	valid      span
	loc        *time.Location
	recurrence *recurrence // nil: a cycle, or exempt
	off        time.Duration
	cycle      Cycle

	mu     sync.Mutex
	window span   // that blocks covers
	blocks []span // never changed once made
}

func newRation(def *Rationing, loc *time.Location) (*ration, error) {
	rule := &ration{stage: def.Stage, valid: always, loc: loc, off: def.Off, cycle: def.Cycle}
	if !def.ValidFrom.IsZero() {
		rule.valid.start = def.ValidFrom.UnixMilli()
	}
	if !def.ValidTo.IsZero() {
		rule.valid.end = def.ValidTo.UnixMilli()
	}
	var err error
	if def.RRule != "" {
		rule.recurrence, err = parseRecurrence(def.RRule, loc, def.ValidFrom)
	}
	return rule, err
}

// during returns the rule's blocks that touch a window, cut to it and to the
// rule's validity. Feeders of one rule ask for the same windows, so the last
// one is kept.
func (n *ration) during(window span) []span {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.window == window && n.blocks != nil {
		return n.blocks
	}
	raw := n.recurring
	if n.recurrence == nil {
		raw = n.cycling
	}
	blocks := []span{}
	for _, b := range raw(window) {
		if b = b.within(window).within(n.valid); !b.empty() {
			blocks = append(blocks, b)
		}
	}
	n.window, n.blocks = window, blocks
	return blocks
}

// recurring returns the blocks of an rrule. Each ends when the clock on the
// wall has gone on by Off.
func (n *ration) recurring(window span) []span {
	const day = 24 * time.Hour // more than any jump of the clock
	from := onWall(time.UnixMilli(window.start), n.loc).Add(-n.off - day)
	to := onWall(time.UnixMilli(window.end), n.loc).Add(day)
	var out []span
	for _, w := range n.recurrence.starts(from, to) {
		out = append(out, span{fromWall(w, n.loc).UnixMilli(), fromWall(w.Add(n.off), n.loc).UnixMilli()})
	}
	return out
}

// cycling returns the times off of a cycle, which runs on before its anchor as
// after it, by elapsed time.
func (n *ration) cycling(window span) []span {
	off, round := n.cycle.Off.Milliseconds(), (n.cycle.Off + n.cycle.On).Milliseconds()
	anchor := n.cycle.Anchor.UnixMilli()
	at := anchor + (window.start-anchor)/round*round
	if at > window.start {
		at -= round
	}
	var out []span
	for ; at < window.end; at += round {
		out = append(out, span{at, at + off})
	}
	return out
}
