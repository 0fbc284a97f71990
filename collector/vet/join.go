package vet

import "github.com/imdad-telemetry/imdad/collector/meter"

// Bounds of what is remembered of a meter that sends what changed. Times are
// device times in ms.
const (
	joinedAtMost  = 64          // registers: 2 KiB a meter; half a kilobyte is usual
	standsLeast   = 15 * 60_000 // how long a register stands
	standsPlanned = 3           // the same in intervals, where that is longer
	partStands    = 24 * 3_600_000
)

// joined is the last value of each register of a meter that may send partial
// readings. It begins empty in each life: what changes often is soon known
// again.
type joined struct {
	registers []standing
	counters  uint64 // a bit for each that only counts up
	parts     uint8  // a bit for each of totals that it sends parts of
	own       uint8  // and for each that it sends itself
}

// standing is a register as it was said last.
type standing struct {
	register string
	value    float64
	at       int64
}

// total is a register that is the sum of others, which may come in messages of
// their own.
type total struct {
	register string
	parts    []string
	least    int   // of the parts in their order, without which there is no sum
	stands   int64 // how long a part stands for the others
}

// A tariff may not count for hours, and is not sent while it does not.
var totals = []total{
	{"energy_import_kwh", []string{"energy_import_t1_kwh", "energy_import_t2_kwh", "energy_import_t3_kwh", "energy_import_t4_kwh"}, 2, partStands},
	{"energy_export_kwh", []string{"energy_export_t1_kwh", "energy_export_t2_kwh", "energy_export_t3_kwh", "energy_export_t4_kwh"}, 2, partStands},
	{"energy_import_kwh", []string{"energy_import_l1_kwh", "energy_import_l2_kwh", "energy_import_l3_kwh"}, 3, partStands},
	{"energy_export_kwh", []string{"energy_export_l1_kwh", "energy_export_l2_kwh", "energy_export_l3_kwh"}, 3, partStands},
	{"active_power_kw", []string{"active_power_l1_kw", "active_power_l2_kw", "active_power_l3_kw"}, 3, standsLeast},
	{"reactive_power_kvar", []string{"reactive_power_l1_kvar", "reactive_power_l2_kvar", "reactive_power_l3_kvar"}, 3, standsLeast},
}

// sums is what a register means to totals: which it is a part of, and which it
// is. A bit each.
type sums struct{ part, whole uint8 }

var sumsOf = func() map[string]sums {
	all := make(map[string]sums)
	for i, t := range totals {
		s := all[t.register]
		s.whole |= 1 << i
		all[t.register] = s
		for _, part := range t.parts {
			all[part] = sums{part: 1 << i}
		}
	}
	return all
}()

// join remembers the registers of a meter that may send partial readings, whole
// ones too: they may be the birth that all others lean on. It adds to one that
// brings a part of a total that total, if the meter never sends it itself and
// the other parts are known.
func (d *device) join(r *meter.Reading) {
	if d.joined == nil {
		if !r.Partial && !r.ByException {
			return
		}
		d.joined = newJoined(r)
	}
	if brought := d.joined.take(r); r.Partial {
		d.joined.addTotals(r, brought)
	}
}

func newJoined(r *meter.Reading) *joined {
	return &joined{registers: make([]standing, 0, min(joinedAtMost, len(r.Values)))}
}

// take remembers the registers of a reading, except those out of their range,
// and returns the totals of which it has parts.
func (j *joined) take(r *meter.Reading) (brought uint8) {
	hint := 0
	for i := range r.Values {
		v := &r.Values[i]
		if r.Quality >= meter.OutOfRange {
			if l, ok := rangeOf(v.Register); ok && (v.Value < l.low || v.Value > l.high) {
				continue
			}
		}
		at, added := j.put(v.Register, v.Value, r.Time, hint)
		hint = at + 1
		if added || j.parts != 0 {
			s := sumsOf[v.Register]
			j.parts |= s.part
			j.own |= s.whole
			brought |= s.part
		}
	}
	return brought
}

// find returns where a register stands. Messages repeat their registers in the
// same order, so that the hint is nearly always right.
func (j *joined) find(register string, hint int) (int, bool) {
	if hint < len(j.registers) && j.registers[hint].register == register {
		return hint, true
	}
	for i := range j.registers {
		if j.registers[i].register == register {
			return i, true
		}
	}
	return 0, false
}

// put remembers a value, unless a newer one is known or there is no more room,
// and returns where it stands.
func (j *joined) put(register string, v float64, at int64, hint int) (i int, added bool) {
	i, ok := j.find(register, hint)
	if !ok {
		if i = len(j.registers); i == joinedAtMost {
			return i, false
		}
		j.registers = append(j.registers, standing{register, v, at})
		if isCounter(register) {
			j.counters |= 1 << i
		}
		return i, true
	}
	if s := &j.registers[i]; at >= s.at {
		s.value, s.at = v, at
	}
	return i, false
}

// addTotals adds the totals of which the reading brought parts.
func (j *joined) addTotals(r *meter.Reading, brought uint8) {
	for i := range totals {
		if brought&^j.own&(1<<i) == 0 || states(r, totals[i].register) {
			continue
		}
		if sum, ok := j.sum(&totals[i], r.Time); ok {
			r.Values = append(r.Values, meter.Value{Register: totals[i].register, Value: sum})
			j.put(totals[i].register, sum, r.Time, 0)
		}
	}
}

// sum adds up what stands of a total at a time; ok is false if a part is not
// known.
func (j *joined) sum(t *total, at int64) (sum float64, ok bool) {
	for n, part := range t.parts {
		i, known := j.find(part, 0)
		switch {
		case !known && n < t.least:
			return 0, false
		case !known:
			continue
		}
		s := &j.registers[i]
		if s.at > at || at-s.at > t.stands {
			return 0, false
		}
		sum += s.value
	}
	return sum, true
}

// whole appends to values, which are those of a reading, what it left out and
// still stands at its time. Counters stand for the moment at which they were
// read and for no other.
func (j *joined) whole(r *meter.Reading, stands int64, values []meter.Value) []meter.Value {
	there, hint := j.counters, 0
	for i := range r.Values {
		if at, ok := j.find(r.Values[i].Register, hint); ok {
			there |= 1 << at
			hint = at + 1
		}
	}
	for i := range j.registers {
		s := &j.registers[i]
		if there&(1<<i) == 0 && s.at <= r.Time && r.Time-s.at <= stands {
			values = append(values, meter.Value{Register: s.register, Value: s.value})
		}
	}
	return values
}

// stands is for how many ms a register stands.
func (d *device) stands() int64 {
	if d.def == nil {
		return standsLeast
	}
	return max(standsLeast, int64(standsPlanned*1000*d.def.IntervalS))
}

// forget drops what stands: its values are not known any more.
func (d *device) forget() { d.joined = nil }
