package live

import (
	"math"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// The counters, as the registry's replacements name them.
const (
	energyRegister = "energy_import_kwh"
	waterRegister  = "volume_m3"
	burntRegister  = "consumed_l"
)

// advance takes a counter to its value at t, in ms, over the exchanges of its
// device that the registry tells of since its last value. What was counted is
// missing unless the registry says what all the devices showed.
func (s *scratch) advance(c *meter.Counter, register string, value float64, t int64, l meter.CounterLimits) meter.Increment {
	from, shown, amount, known := c.Time, c.Value, 0.0, true
	exchanged := false
	for i := range s.exchanges {
		e := &s.exchanges[i]
		if at := e.At.UnixMilli(); from == 0 || at <= from || at > t {
			continue
		}
		exchanged = true
		final, ok := e.Final[register]
		known = known && ok && final >= shown
		amount += final - shown
		if shown, ok = e.Initial[register]; !ok {
			shown = math.Inf(1) // not even the next value is known to be more
		}
	}
	step := c.Next(value, t, exchanged, l)
	if exchanged && known && value >= shown {
		amount += value - shown
		if l.Plausible(amount, t-from) {
			step.Amount, step.Missing = amount, false
		}
	}
	return step
}
