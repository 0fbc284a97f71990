package vet

import (
	"math"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

const (
	gapIntervals    = 1.5
	usualInterval   = 60_000 // ms, where nothing is known
	learntWell      = 16     // times, before a learnt interval counts
	oneMessage      = 1000   // ms: readings closer together belong together
	absentAtMost    = 1e6    // readings that one gap can miss
	quickUp, slowUp = 2, 1.05
	quickDown       = 0.7
	slowDown        = 0.985
)

// missed counts the readings that did not come before one that came dt ms after
// the last. A gap says nothing against the reading that ends it.
func (d *device) missed(r *meter.Reading, dt int64) {
	interval := d.pace()
	if d.def != nil {
		interval = 1000 * d.def.IntervalS
	}
	if n := float64(dt) / interval; n > gapIntervals && (d.def != nil || d.watched.learnt >= learntWell) {
		d.note(r, foundGap, meter.Good)
		d.found[foundAbsent] += int64(min(absentAtMost, math.Round(n)-1))
	}
	if dt >= oneMessage {
		d.watched.learn(float32(dt))
	}
}

// pace is the time between readings, ms: as planned, or as learnt if that is
// longer.
func (d *device) pace() float64 {
	ms := 0.0
	if d.def != nil {
		ms = 1000 * d.def.IntervalS
	}
	if d.watched.learnt >= learntWell {
		ms = max(ms, float64(d.watched.interval))
	}
	if ms == 0 {
		return usualInterval
	}
	return ms
}

// learn moves the interval towards one that was seen, faster up than down: it
// settles where one in four is longer. A meter that speaks of two things one
// after the other, and then pauses, has the pause for its interval.
func (w *watched) learn(ms float32) {
	up, down := float32(slowUp), float32(slowDown)
	if w.learnt < learntWell {
		w.learnt++
		up, down = quickUp, quickDown
	}
	switch {
	case w.interval == 0:
		w.interval = ms
	case ms > w.interval:
		w.interval = min(ms, up*w.interval)
	default:
		w.interval = max(ms, down*w.interval)
	}
}
