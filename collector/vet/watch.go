package vet

import (
	"math"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// watched is what is remembered of the values of a meter to see that they stand
// still, jump or fail to come: 56 bytes, and 24 where there is a temperature, a
// pressure or a tank.
type watched struct {
	last     int64   // device time of the last reading, ms; 0: none
	jumps    *jumps  // nil: nothing that cannot jump
	interval float32 // between readings, ms, as learnt; see learn
	learnt   uint8   // how often, up to learntWell
	coarse   bool    // it repeats values that prove nothing; see frozen
	over     bool    // the last power was more than the meter can see

	// Of the registers that are never still while there is life; see frozen.
	run, longest uint8  // readings with the same values; the same, before they moved
	still, moves uint8  // readings since the counters moved; moves that were seen, up to quantumKnown; see halted
	lively       uint32 // hash of the values
	since        uint32 // when they came, s since the epoch

	// Of the flow and what counts it; see halted.
	counts  uint32  // hash of the counters
	rate    float32 // the last
	top     float32 // the highest
	owed    float32 // what flowed since the counters moved
	quantum float32 // what flows at most until they move
}

// watch marks a reading whose values stand still or jump as they cannot, and
// counts what did not come before it. What is older than the last reading is
// history and not looked at.
func (d *device) watch(r *meter.Reading) {
	w := &d.watched
	dt, first := r.Time-w.last, w.last == 0
	if dt < 0 {
		return
	}
	w.last = r.Time
	if r.Historical || r.Quality == meter.Late {
		return
	}
	if first {
		dt = 0
	}
	if r.Quality < meter.OutOfRange {
		d.judge(r, dt)
	}
	if dt > 0 && !r.Partial && !r.Stamped {
		d.missed(r, dt)
	}
}

// judge looks at the values, dt ms after the last. A few registers are no
// reason to believe that the others stand still.
func (d *device) judge(r *meter.Reading, dt int64) {
	w := &d.watched
	s := seen{hash: foldSeed, counts: foldSeed}
	s.take(r.Values)
	if d.jumped(r.Time, &s) {
		d.note(r, foundSpike, meter.Suspect)
		return
	}
	w.top = max(w.top, float32(math.Abs(s.rate)))
	if r.Partial {
		return
	}
	if frozen := d.frozen(r, &s); d.halted(r, &s, dt) || frozen {
		d.note(r, foundStuck, meter.Suspect)
	}
}

// seen is what one reading has for the watch.
type seen struct {
	hash, counts uint64
	has          seenRole
	alive        bool    // a lively register is not 0
	rate         float64 // active power, else flow
	celsius, bar float64
}

// seenRole is a set of what a register is good for.
type seenRole uint8

const (
	seenVolts seenRole = 1 << iota
	seenAmps
	seenHertz
	seenPressure
	seenPower
	seenFlow
	seenCounter
	seenCelsius

	seenLively = seenVolts | seenAmps | seenHertz | seenPressure
)

// seenAs tells what a register is good for. Mean values and those of a demand
// stand still by nature.
func seenAs(register string) seenRole {
	if len(register) < len("flow_lph") {
		return 0
	}
	switch register[0] {
	case 'v':
		if n := len(register); (n == len("voltage_l1_v") || n == len("voltage_l12_v")) && register[:9] == "voltage_l" {
			return seenVolts
		}
		if register == "volume_m3" {
			return seenCounter
		}
	case 'c':
		if len(register) == len("current_l1_a") && register[:9] == "current_l" {
			return seenAmps
		}
		if register == "consumed_l" {
			return seenCounter
		}
	case 'f':
		switch register {
		case "frequency_hz":
			return seenHertz
		case "flow_m3h", "flow_lph", "fuel_rate_lph":
			return seenFlow
		}
	case 'p':
		if register == "pressure_bar" {
			return seenPressure
		}
	case 'a':
		if register == "active_power_kw" {
			return seenPower
		}
	case 'e':
		if register == "energy_import_kwh" || register == "energy_export_kwh" {
			return seenCounter
		}
	case 'd':
		if register == "delivered_l" {
			return seenCounter
		}
	case 't':
		if register == "temperature_c" {
			return seenCelsius
		}
	}
	return 0
}

const foldSeed = 0x9e3779b97f4a7c15

func fold(h uint64, v float64) uint64 {
	h = (h ^ math.Float64bits(v)) * 0xbf58476d1ce4e5b9
	return h ^ h>>29
}

func (s *seen) take(values []meter.Value) {
	for i := range values {
		v := values[i].Value
		role := seenAs(values[i].Register)
		s.has |= role
		switch role {
		case 0:
		case seenVolts, seenAmps, seenHertz:
			s.hash = fold(s.hash, v)
			s.alive = s.alive || v != 0
		case seenPressure:
			s.hash = fold(s.hash, v)
			s.alive = s.alive || v != 0
			s.bar = v
		case seenCounter:
			s.counts = fold(s.counts, v)
		case seenPower:
			s.rate = v
		case seenFlow:
			if s.has&seenPower == 0 {
				s.rate = v
			}
		case seenCelsius:
			s.celsius = v
		}
	}
}
