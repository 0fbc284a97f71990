package live

import (
	"math"

	"github.com/imdad-telemetry/imdad/collector/zone"
)

// role says what a register is good for in the windows; most have none.
type role uint8

const (
	noRole role = iota
	power
	energy
	volts1
	volts2
	volts3
	volts12
	volts23
	volts31
	amps1
	amps2
	amps3
	hertz
	waterFlow
	pressure
	waterTotal
	fuelFlow
	burnt
	volume15
	volume
	levelMM
	celsius
	tankLevel
	tankVolume
	burnRate
	productVolume
	waterLevel
	roles
)

// roleOf returns what a register is good for.
func roleOf(register string) role {
	switch register {
	case "active_power_kw":
		return power
	case "energy_import_kwh":
		return energy
	case "voltage_l1_v":
		return volts1
	case "voltage_l2_v":
		return volts2
	case "voltage_l3_v":
		return volts3
	case "voltage_l12_v":
		return volts12
	case "voltage_l23_v":
		return volts23
	case "voltage_l31_v":
		return volts31
	case "current_l1_a":
		return amps1
	case "current_l2_a":
		return amps2
	case "current_l3_a":
		return amps3
	case "frequency_hz":
		return hertz
	}
	return roleOfFlow(register)
}

// roleOfFlow is roleOf for water, fuel and generators.
func roleOfFlow(register string) role {
	switch register {
	case "flow_m3h":
		return waterFlow
	case "pressure_bar":
		return pressure
	case "volume_m3":
		return waterTotal
	case "flow_lph":
		return fuelFlow
	case "consumed_l":
		return burnt
	case "volume15_l":
		return volume15
	case "volume_l":
		return volume
	case "level_mm":
		return levelMM
	case "temperature_c":
		return celsius
	case "tank_level_m":
		return tankLevel
	case "tank_volume_m3":
		return tankVolume
	case "fuel_rate_lph":
		return burnRate
	case "product_volume_l":
		return productVolume
	case "water_level_mm":
		return waterLevel
	}
	return noRole
}

// scratch is one reading by role. It is reused: has tells what is in it.
type scratch struct {
	has       uint32
	sum       float64 // of all registers of the meter, with or without a role
	values    [roles]float64
	exchanges []zone.Replacement // of the meter's device
}

func (s *scratch) put(r role, v float64) {
	s.values[r] = v
	s.has |= 1 << r
}

func (s *scratch) got(r role) bool { return s.has&(1<<r) != 0 }

// any tells whether one of the roles from the first to the last is there.
func (s *scratch) any(first, last role) bool {
	return s.has&(1<<(last+1)-1<<first) != 0
}

// get returns the value, NaN if the reading has none.
func (s *scratch) get(r role) float64 {
	if s.got(r) {
		return s.values[r]
	}
	return math.NaN()
}

// tracker follows one object by the readings of its meter.
type tracker interface {
	// take uses a reading of event time t in ms. It reports what its counter
	// did, if that is worth telling.
	take(s *scratch, t int64) counterNews
}

// counterNews tells of a counter that began anew, and the registry does not know
// of another device.
type counterNews bool
