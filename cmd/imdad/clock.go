package main

import (
	"fmt"
	"math"
	"time"
)

// clockFlags make a simulated day play in minutes: now = start + speed × the
// time since the program started, or since a real time that several programs,
// or one and its restart, have in common. Network time-outs stay real.
type clockFlags struct {
	ClockStart time.Time `help:"What the clock shows at the start, as RFC 3339 (default: the real time)." placeholder:"T"`
	ClockAt    time.Time `help:"The real time, as RFC 3339, at which the clock shows its start: programs that are given the same three agree. Before, it stands (default: when the program starts)." placeholder:"T"`
	Speed      float64   `help:"How many times faster than real the clock runs (default: 1)." default:"1" placeholder:"N"`
}

// Validate is called by the parser.
func (f clockFlags) Validate() error {
	if !(f.Speed > 0) || math.IsInf(f.Speed, 0) {
		return fmt.Errorf("--speed %v: must be above 0", f.Speed)
	}
	return nil
}

// clock returns the one clock that everything is handed.
func (f clockFlags) clock() func() time.Time {
	if f.ClockStart.IsZero() && f.Speed == 1 {
		return time.Now
	}
	began, start := f.ClockAt, f.ClockStart
	if began.IsZero() {
		began = time.Now()
	}
	if start.IsZero() {
		start = began
	}
	return func() time.Time { // until then it stands: nobody has sent anything, and silence means nothing
		return start.Add(time.Duration(float64(max(0, time.Since(began))) * f.Speed))
	}
}
