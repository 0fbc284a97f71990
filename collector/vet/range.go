package vet

import (
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// limits is the range in which a register's value is physically plausible, in
// the register's own unit.
type limits struct{ low, high float64 }

// byName holds the registers whose range differs from their unit's. A dead
// feeder reads 0 Hz and 0 V: that is a measurement, not a fault.
var byName = map[string]limits{
	"power_factor":                 {-1, 1},
	"running":                      {0, 1},
	"energy_import_kwh":            {0, 1e12},
	"energy_export_kwh":            {0, 1e12},
	"apparent_power_kva":           {0, 1e6},
	"volume_m3":                    {0, 1e12},
	"volume_l":                     {0, 1e12},
	"volume15_l":                   {0, 1e12},
	"tank_volume_m3":               {0, 1e6},
	"level_mm":                     {0, 50_000},
	"water_level_mm":               {0, 50_000},
	"tank_level_m":                 {0, 50},
	"consumed_l":                   {0, 1e12},
	"delivered_l":                  {0, 1e12},
	"run_hours_h":                  {0, 1e6},
	"battery_v":                    {0, 1000},
	"fuel_rate_lph":                {0, 1e5},
	"reactive_energy_import_kvarh": {0, 1e12},
}

// byUnit holds the range of every other register, by the unit its name ends
// with. Medium voltage is 20 kV or 66 kV; 1 MV and 100 kA leave room. The current of
// a battery is negative while it discharges, and some meters sign that of a phase
// as its power.
var byUnit = []struct {
	suffix string
	limits limits
}{
	{"_hz", limits{0, 70}},
	{"_v", limits{0, 1e6}},
	{"_a", limits{-1e5, 1e5}},
	{"_kw", limits{-1e6, 1e6}},
	{"_kvar", limits{-1e6, 1e6}},
	{"_kva", limits{-1e6, 1e6}},
	{"_bar", limits{-1, 100}},
	{"_c", limits{-60, 200}},
	{"_m3h", limits{-1e5, 1e5}},
	{"_lph", limits{-1e6, 1e6}},
}

// rangeOf returns the register's limits; ok is false for registers nobody has
// set a range for, which may hold any number.
func rangeOf(register string) (limits, bool) {
	if l, ok := byName[register]; ok {
		return l, true
	}
	for _, u := range byUnit {
		if strings.HasSuffix(register, u.suffix) {
			return u.limits, true
		}
	}
	return limits{}, false
}

// rules is what a register's name says: its limits, and whether it counts up.
type rules struct {
	limits
	register string
	hash     uint64 // of its name
	counts   bool
	next     *rules // of the register that came after it last
}

// ranges remembers the rules of the registers that occur. Meters send theirs in
// the same order, and many meters have the same, so that in the steady state one
// register leads to the next without a look-up.
type ranges struct {
	byName map[string]*rules
	before rules // the first register
}

// maxRanges bounds the names remembered.
const maxRanges = 1 << 14

func newRanges() ranges { return ranges{byName: make(map[string]*rules)} }

// appendOf appends the rules of each value.
func (rs *ranges) appendOf(all []*rules, values []meter.Value) []*rules {
	last := &rs.before
	for i := range values {
		if r := last.next; r == nil || r.register != values[i].Register {
			last.next = rs.of(values[i].Register)
		}
		last = last.next
		all = append(all, last)
	}
	return all
}

func (rs *ranges) of(register string) *rules {
	r, ok := rs.byName[register]
	if !ok {
		r = &rules{register: register, hash: xxhash.Sum64String(register), counts: isCounter(register)}
		if r.limits, ok = rangeOf(register); !ok {
			r.limits = limits{-maxFloat, maxFloat}
		}
		if len(rs.byName) < maxRanges {
			rs.byName[register] = r
		}
	}
	return r
}

// inside tells whether every value lies in its range, and appends the positions
// of those that count up to counters.
func inside(values []meter.Value, of []*rules, counters []int) (bool, []int) {
	ok := true
	for i, r := range of {
		if v := values[i].Value; v < r.low || v > r.high {
			ok = false
		}
		if r.counts {
			counters = append(counters, i)
		}
	}
	return ok, counters
}
