package vet

import (
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// isCounter tells whether a register only counts up: energies, the volume that
// passed a water meter, what a fuel meter consumed or delivered, hours run. An
// energy of today or of this month starts again by itself, a net energy goes
// both ways, and a content is a gauge: they are no counters. Neither is
// tank_volume_m3 nor volume_l, the contents of tanks.
func isCounter(register string) bool {
	switch register {
	case "volume_m3", "consumed_l", "delivered_l", "run_hours_h":
		return true
	}
	name, ok := cutEnergy(register)
	if !ok {
		return false
	}
	for word := range strings.SplitSeq(name, "_") {
		switch word {
		case "today", "yesterday", "hour", "day", "daily", "week", "weekly", "month", "monthly", "year", "yearly", "period", "last",
			"net", "balance", "stored", "capacity", "remaining", "available", "max", "min", "demand", "ens":
			return false
		}
	}
	return true
}

// cutEnergy returns the name of an energy without its unit.
func cutEnergy(register string) (name string, ok bool) {
	for _, unit := range []string{"_kwh", "_kvarh", "_kvah"} {
		if name, ok = strings.CutSuffix(register, unit); ok {
			return name, true
		}
	}
	return "", false
}

// hasCounter tells whether a counter of this name counts for a utility: a
// volume in m³ is a running total of water alone.
func hasCounter(u meter.Utility, register string) bool {
	return register != "volume_m3" || u == meter.Water
}

// perHour is the most that a register counts in an hour, in its unit; 0: not
// known. Reactive energy is bounded by the same apparent power as active.
func perHour(register string, r zone.Rating) float64 {
	switch register {
	case "volume_m3":
		return r.FlowM3H
	case "consumed_l", "delivered_l":
		return r.FlowLPH
	case "run_hours_h":
		return 0
	}
	return r.PowerKW
}

// beyondAll is what no meter counts in an hour, whatever it measures: it
// judges the forward steps of meters without a rating. These are the limits
// within which range.go believes a power or a flow. Hours run have none, since
// many are counted in whole hours.
func beyondAll(register string) float64 {
	switch register {
	case "volume_m3":
		return 1e5
	case "consumed_l", "delivered_l":
		return 1e6
	case "run_hours_h":
		return 0
	}
	return 1e6
}
