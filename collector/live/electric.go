package live

import (
	"math"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// Thresholds of voltage, as shares of nominal (EN 50160: below 5 % is an
// interruption). What is dead counts as alive again from deadUntil on, so that
// a voltage that hovers makes one interruption.
const (
	deadBelow = 0.05
	deadUntil = 0.10
)

// Lengths of the windows, and how long a stretch of readings must be before
// its mean counts.
const (
	voltageMinutes = 10
	currentMinutes = 15
	meanAfter      = 9 * minuteMS
	meanGap        = voltageMinutes * minuteMS // a longer silence begins a new stretch
)

var nan = math.NaN()

// electric follows a substation, a feeder or a plant by its meter: some 350
// bytes, 700 where currents and voltages between phases are followed.
// Exported fields are saved.
type electric struct {
	Time    int64 // of the newest reading
	First   int64 // of the stretch that the means cover; 0: none
	Power   float64
	Volts   [3]float64 // by phase, share of nominal
	Between [3]float64 // between phases, share of nominal
	Hertz   float64
	Amps    [3]float64

	Voltage     ring
	BetweenMean ring // of the voltages between phases, where there are any
	Current     ring // on feeders and substations

	Counter meter.Counter // of energy; without a register of it, its integral
	Metered bool          // the counter is the meter's own
	Steady  int64         // since when nothing of the counter was missed
	Blocks  blocks

	DeadSince int64
	Planned   bool
	Judged    bool // Planned was decided
	Return    int64
	Restored  int64 // when power came back last

	nominal  float64 // phase to neutral, V
	limits   meter.CounterLimits
	gap      *gap // of its own feeder
	parent   *gap // of the feeder that it hangs on
	currents bool
}

func newElectric() *electric {
	return &electric{
		Power: nan, Hertz: nan,
		Volts: [3]float64{nan, nan, nan}, Between: [3]float64{nan, nan, nan}, Amps: [3]float64{nan, nan, nan},
		Voltage: newRing(voltageMinutes), Blocks: newBlocks(),
	}
}

func (e *electric) take(s *scratch, t int64) counterNews {
	newer := t >= e.Time
	before := e.Power
	if newer {
		if s.got(power) {
			e.Power = s.values[power]
		}
		if s.got(hertz) {
			e.Hertz = s.values[hertz]
		}
	}
	if s.any(volts1, volts31) {
		e.voltage(s, t, newer)
	}
	if e.currents && s.any(amps1, amps3) {
		e.current(s, t, newer)
	}
	news := e.energy(s, t, before)
	if newer {
		e.Time = t
	}
	return news
}

// voltage takes the voltages of a reading. The mean leaves interruptions out,
// as EN 50160 does, and begins anew after one.
func (e *electric) voltage(s *scratch, t int64, newer bool) {
	var volts, between [3]float64
	for i := range role(3) {
		volts[i] = s.get(volts1+i) / e.nominal
		between[i] = s.get(volts12+i) / (e.nominal * math.Sqrt(3))
	}
	if !s.any(volts1, volts3) {
		volts = between
	}
	if newer {
		e.Volts, e.Between = volts, between
		e.interruption(volts, t)
	}
	if e.DeadSince != 0 {
		return
	}
	if newer {
		if e.First == 0 || t-e.Time > meanGap {
			e.First = t
		}
	}
	e.Voltage.add(t, volts[0], volts[1], volts[2])
	if s.any(volts12, volts31) {
		if e.BetweenMean.Minutes == nil {
			e.BetweenMean = newRing(voltageMinutes)
		}
		e.BetweenMean.add(t, between[0], between[1], between[2])
	}
}

// interruption begins and ends with the reading that shows it.
func (e *electric) interruption(volts [3]float64, t int64) {
	highest := math.Inf(-1)
	for _, v := range volts {
		if v > highest { // a phase that is not measured says nothing
			highest = v
		}
	}
	switch {
	case e.DeadSince == 0 && highest >= 0 && highest < deadBelow:
		e.DeadSince, e.Planned, e.Judged, e.Return = t, false, false, 0
		e.First = 0
		e.Voltage.clear()
		e.BetweenMean.clear()
	case e.DeadSince != 0 && highest >= deadUntil:
		e.Restored = t
		e.DeadSince, e.Planned, e.Judged, e.Return = 0, false, false, 0
	}
}

func (e *electric) current(s *scratch, t int64, newer bool) {
	amps := [3]float64{s.get(amps1), s.get(amps2), s.get(amps3)}
	if newer {
		e.Amps = amps
	}
	if e.Current.Minutes == nil {
		e.Current = newRing(currentMinutes)
	}
	e.Current.add(t, amps[0], amps[1], amps[2])
}

// digits returns how many digits a counter has that is about to roll over, where
// the registry does not say: so near its end, with an increment that fits the
// rating, it is no reset.
func digits(value float64) int {
	return int(math.Floor(math.Log10(max(1, value)))) + 1
}

// integralGap is the longest silence that power is integrated over.
const integralGap = 5 * minuteMS

// energy advances the counter, or the integral of the power that was before.
func (e *electric) energy(s *scratch, t int64, before float64) counterNews {
	value, metered := s.values[energy], s.got(energy)
	switch {
	case metered && !e.Metered:
		e.Metered, e.Counter, e.Blocks = true, meter.Counter{}, newBlocks()
	case e.Metered && !metered, !metered && !s.got(power), t <= e.Time && !metered:
		return false
	case !metered:
		dt := t - e.Time
		if math.IsNaN(before) || dt > integralGap {
			e.Counter, e.Blocks, before = meter.Counter{}, newBlocks(), 0
		}
		value = e.Counter.Value + max(0, before)*float64(dt)/float64(hourMS)
	}
	last, limits := e.Counter, e.limits
	if value < last.Value && limits.Digits == 0 {
		limits.Digits = digits(last.Value)
	}
	if !metered {
		s.exchanges = nil // an integral knows no devices
	}
	step := s.advance(&e.Counter, energyRegister, value, t, limits)
	switch {
	case step.Event == meter.CounterOld || step.Event == meter.CounterDip:
		return false
	case step.Event == meter.CounterFirst || step.Missing:
		e.Steady = t
		e.Blocks = newBlocks()
	}
	e.Blocks.add(last.Time, t, step.Amount)
	e.gap.in(t, step.Amount)
	e.parent.out(t, step.Amount)
	return counterNews(step.Event == meter.CounterReset)
}
