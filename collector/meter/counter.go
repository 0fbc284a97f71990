package meter

// Counter is the last known state of a register that only counts up. The zero
// Counter has seen nothing. Readings come in order of device time: an older one
// is passed over.
type Counter struct {
	Value float64 // the highest of its epoch, but for what was implausible
	Time  int64   // of Value, device time in ms; 0: nothing seen
	Epoch int32   // grows by one with each reset or replacement
}

// CounterLimits is what is known about a register. Zero means unknown.
type CounterLimits struct {
	Digits int     // before the point: it rolls over at 10ⁿ
	PerH   float64 // the rating of what it counts, in its unit an hour
}

// CounterEvent says what a new value of a counter is.
type CounterEvent uint8

// The events.
const (
	CounterFirst       CounterEvent = iota // nothing to compare it with
	CounterForward                         // it went on, or stood still
	CounterOld                             // not newer than what is known
	CounterReplaced                        // another meter
	CounterRollover                        // past its last digit
	CounterReset                           // began again near zero
	CounterDip                             // fell by less than a tenth: a warning, no consumption
	CounterImplausible                     // went on faster than 1.5 times the rating
)

// Increment is what was counted since the last value: never negative. Missing
// says that something was counted, and nobody knows how much.
type Increment struct {
	Amount  float64
	Missing bool
	Event   CounterEvent
}

// Thresholds of the comparison.
const (
	nearlyFull    = 0.95 // of 10ⁿ: what may roll over
	resetBelow    = 0.9  // of the last value: a reset; above, a dip
	plausibleRate = 1.5  // times the rating
	hourMS        = 3_600_000
)

// Next takes the value at a device time in ms. replaced says that the meter's
// serial number or birth has changed. The tests run in this order: replacement,
// rollover, reset, dip, implausible.
func (c *Counter) Next(value float64, time int64, replaced bool, l CounterLimits) Increment {
	switch {
	case c.Time == 0:
		c.Value, c.Time = value, time
		return Increment{Event: CounterFirst}
	case time <= c.Time:
		return Increment{Event: CounterOld}
	case replaced:
		c.begin(value, time)
		return Increment{Missing: true, Event: CounterReplaced}
	case value >= c.Value:
		return c.forward(value, time, l)
	}
	return c.backward(value, time, l)
}

func (c *Counter) forward(value float64, time int64, l CounterLimits) Increment {
	i := Increment{Amount: value - c.Value, Event: CounterForward}
	if !l.Plausible(i.Amount, time-c.Time) {
		i = Increment{Missing: true, Event: CounterImplausible}
	}
	c.Value, c.Time = value, time
	return i
}

func (c *Counter) backward(value float64, time int64, l CounterLimits) Increment {
	if full := pow10(l.Digits); l.Digits > 0 && c.Value > nearlyFull*full && c.Value < full {
		if amount := full - c.Value + value; l.Plausible(amount, time-c.Time) {
			c.Value, c.Time = value, time
			return Increment{Amount: amount, Event: CounterRollover}
		}
	}
	if value >= resetBelow*c.Value {
		return Increment{Event: CounterDip} // the mark stays, or the way back up would count twice
	}
	i := Increment{Amount: value, Event: CounterReset}
	if l.PerH == 0 || !l.Plausible(value, time-c.Time) {
		i = Increment{Missing: true, Event: CounterReset}
	}
	c.begin(value, time)
	return i
}

// begin starts a new epoch.
func (c *Counter) begin(value float64, time int64) {
	c.Value, c.Time = value, time
	c.Epoch++
}

// Plausible tells whether so much can pass in so many ms.
func (l CounterLimits) Plausible(amount float64, ms int64) bool {
	return l.PerH == 0 || amount*hourMS <= plausibleRate*l.PerH*float64(ms)
}

func pow10(n int) float64 {
	p := 1.0
	for range n {
		p *= 10
	}
	return p
}
