package vet

import (
	"math"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// When values that do not move are no chance any more.
const (
	stuckReadings = 6  // in a row, over so many intervals
	longestRun    = 60 // that is remembered
	stuckTimes    = 2  // longer than values ever stood still before
)

// frozen tells whether all registers that are never exactly still while there
// is life repeat their values bit for bit: voltages, currents, frequency,
// pressure. The meter must show them so finely that this is no chance, and hold
// them much longer than it ever did before it showed something new: some tell
// the mean of ten minutes every minute.
func (d *device) frozen(r *meter.Reading, s *seen) bool {
	if s.has&seenLively == 0 {
		return false
	}
	w := &d.watched
	if now := uint32(s.hash >> 32); now != w.lively {
		if w.lively != 0 {
			w.longest = max(min(w.run, longestRun), max(w.longest, 1)-1)
		}
		w.lively, w.run, w.since, w.coarse = now, 1, uint32(r.Time/1000), false
		return false
	}
	w.run = min(w.run, math.MaxUint8-1) + 1
	long := float64(r.Time/1000-int64(w.since)) * 1000
	if !s.alive || w.coarse || w.run < stuckReadings || int(w.run) <= stuckTimes*int(w.longest) ||
		long < (stuckReadings-0.5)*d.pace() {
		return false
	}
	proven := fine(r.Values, s)
	w.coarse = !proven && s.has&seenPressure == 0 // which depends on the flow
	return proven
}

// How much of themselves values move by nature, at the least, from one reading
// to the next. The figures are ours, and on the small side.
const (
	voltsMove    = 0.001
	ampsMove     = 0.01
	hertzMove    = 0.0002
	pressureMove = 0.002
)

// Proof that it is no chance: one repetition is less likely than 1 in fineSteps
// for a value shown finely, of which there must be two. What has no end of
// decimals was converted from who knows what, and counts half.
const (
	fineSteps    = 10
	fineValue    = 2
	endlessValue = 1
	proof        = 4
)

// fine tells whether the lively registers are shown so finely that they would
// move. Pressure need not move unless water does; then it counts twice.
func fine(values []meter.Value, s *seen) bool {
	sum := 0
	for i := range values {
		v := math.Abs(values[i].Value)
		if v == 0 {
			continue
		}
		switch seenAs(values[i].Register) {
		case seenVolts:
			sum += finely(v, voltsMove)
		case seenAmps:
			sum += finely(v, ampsMove)
		case seenHertz:
			sum += finely(v, hertzMove)
		case seenPressure:
			if s.has&seenFlow != 0 && s.rate != 0 && decimals(v) <= mostDecimals {
				sum += 2 * finely(v, pressureMove)
			}
		}
	}
	return sum >= proof
}

// finely tells how much it proves that a value is repeated that moves by a
// share of itself.
func finely(v, share float64) int {
	n := decimals(v)
	switch {
	case n > mostDecimals:
		return endlessValue
	case v*share*pow10[n] >= fineSteps:
		return fineValue
	}
	return 0
}

// mostDecimals are those that a meter's display would have.
const mostDecimals = 4

var pow10 = [mostDecimals + 1]float64{1, 10, 100, 1000, 10_000}

// decimals returns how many decimals a value shows; mostDecimals+1: more, as of
// a value that was converted. One that has gone through single precision shows
// those it had before.
func decimals(v float64) int {
	const single, double = 6e-8, 1e-13 // what rounding may do to a value, as a share of it
	n := cleanAt(v, double)
	if n > mostDecimals && float64(float32(v)) == v {
		n = cleanAt(v, single)
	}
	return n
}

// cleanAt returns the decimals at which a value ends, but for a small share of
// it.
func cleanAt(v, share float64) int {
	for n, scale := range pow10 {
		x := v * scale
		if math.Abs(x-math.Round(x)) <= share*math.Abs(x) {
			return n
		}
	}
	return mostDecimals + 1
}

// When a counter that stands still while something flows is stuck.
const (
	idleShare    = 0.02 // of the highest flow: below, a counter need not start
	quantaOwed   = 4    // times what flowed at most until it moved
	digitsOwed   = 2    // times its last digit, at the least
	quantumKnown = 2    // moves after which that is known
	stepsOwed    = 1000 // times its last digit, until then
	flowGap      = 3    // intervals beyond which the flow is not known
	quantumFades = 1.0 / 1024
)

// halted tells whether something flows while nothing that counts it has moved
// for so long that it must have. dt is the time since the last reading, ms; 0:
// not known. How coarse the counter is, the meter shows itself: by what flows
// from one of its moves to the next, whatever the transformers and pulses are.
func (d *device) halted(r *meter.Reading, s *seen, dt int64) bool {
	if s.has&seenCounter == 0 || s.has&(seenPower|seenFlow) == 0 {
		return false
	}
	w := &d.watched
	rate := float32(math.Abs(s.rate))
	flowed := min(rate, w.rate)
	w.rate = rate
	if flowed >= idleShare*w.top && float64(dt) <= flowGap*d.pace() {
		w.owed += flowed * float32(dt) / 3_600_000
	}
	if now := uint32(s.counts >> 32); now != w.counts {
		w.moved()
		w.counts = now
		return false
	}
	w.still = min(w.still, math.MaxUint8-1) + 1
	if w.still < stuckReadings || w.owed == 0 {
		return false
	}
	// What it shows may be finer than what is known of it so far, and never is
	// coarser: a counter that began anew has moved, and says nothing by that.
	digit := coarsest(r.Values)
	if w.owed <= quantaOwed*w.quantum || float64(w.owed) <= digitsOwed*digit {
		return false
	}
	return w.moves == quantumKnown || float64(w.owed) > stepsOwed*digit
}

// moved takes the most that flowed between two moves of the counters for what
// it takes. It follows more than that slowly: they may have been stuck.
func (w *watched) moved() {
	switch {
	case w.counts == 0: // never seen before
	case w.moves < quantumKnown: // at the first they may have been about to move
		w.moves++
		w.quantum = max(w.quantum, w.owed)
	case w.owed > w.quantum:
		w.quantum = min(w.owed, quantaOwed*w.quantum)
	default:
		w.quantum -= (w.quantum - w.owed) * quantumFades
	}
	w.owed, w.still = 0, 0
}

// coarsest returns the last digit, as 0.01 or 100, of the counter that shows the
// fewest.
func coarsest(values []meter.Value) float64 {
	most := 0.0
	for i := range values {
		if seenAs(values[i].Register) == seenCounter {
			most = max(most, lastDigit(values[i].Value))
		}
	}
	return most
}

// lastDigit returns the unit of the last digit that a value shows.
func lastDigit(v float64) float64 {
	switch n := decimals(v); {
	case n > mostDecimals:
		return 1 // converted: it may have been coarse
	case n > 0:
		return 1 / pow10[n]
	}
	unit := 1.0
	for v != 0 && math.Mod(v, 10*unit) == 0 {
		unit *= 10
	}
	return unit
}
