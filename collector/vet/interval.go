package vet

import "github.com/imdad-telemetry/imdad/collector/meter"

// Interval is what one counter counted in one block of 15 minutes.
type Interval struct {
	Series   *meter.Series
	Register string  // of the counter
	Start    int64   // of the block, ms, on a quarter of an hour UTC
	Amount   float64 // in the register's unit, never negative
	Total    float64 // at the block's end: all that was counted since the meter was first seen, continued over resets, rollovers and replacements
	// Quality is Good, Estimated where a short gap was bridged, Missing where a
	// long one was or something was counted that nobody knows, Reset where the
	// counter began anew.
	Quality meter.Quality
	// Raw is the plain difference of the readings at the block's ends, without
	// what vetting made of it.
	Raw    float64
	Reason string // why Quality is not Good, in a word
}

// Intervals returns the blocks that ended, or that late readings have changed,
// since the last call. They are valid until the next Check.
func (v *Vetter) Intervals() []Interval { return nil }
