package vet

import (
	"math"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

const maxFloat = math.MaxFloat64

// Limits of time, in the order of a reading's life.
const (
	// MaxAhead is how far a device clock may be ahead of ours.
	MaxAhead = 5 * time.Minute
	// Window is how long a reading is remembered for telling duplicates, as
	// long as MaxRemembered is not reached before.
	Window = time.Hour
)

// earliest is 2000-01-01 in milliseconds: a clock that says less has lost its
// battery.
var earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// Verdict is what is to be done with a reading.
type Verdict uint8

const (
	// Store the reading.
	Store Verdict = iota
	// Conflict: store it; the same registers had other values at this time,
	// which it replaces.
	Conflict
	// Duplicate: drop it; it has been stored before, register by register.
	Duplicate
)

// Vetter judges readings. It is not safe for concurrent use.
type Vetter struct {
	registry *zone.Registry
	ranges   ranges
	seen     memory
	meters   []meterState // by Series.Index
	found    findings
	whole    meter.Reading // the last of Whole, for its memory
	// rules are those of the values of the reading at hand, and counting the
	// positions of the counters among them.
	rules     []*rules
	counting  []int
	intervals []Interval
	ours      bool               // the reading's time is that of its receipt
	knots     int                // of the past of all counters
	saved     map[uint64]*device // by identity, loaded and not seen since
}

// meterState is what vetting finds first of a meter: 24 bytes.
type meterState struct {
	hash      uint64 // of the identity; 0: not yet worked out
	lastStamp int64  // the last time given on receipt, ms
	device    *device
}

// New returns a vetter that remembers nothing, for the meters of a registry
// and any others.
func New(r *zone.Registry) *Vetter {
	return &Vetter{registry: r, ranges: newRanges(), seen: newMemory(MaxRemembered)}
}

// SetRegistry puts another registry in force; what is known of counters stays.
func (v *Vetter) SetRegistry(r *zone.Registry) {
	v.registry = r
	for i := range v.meters {
		if d := v.meters[i].device; d != nil {
			d.lookUp(r)
		}
	}
}

// Registered tells whether the registry knows a meter.
func (v *Vetter) Registered(s *meter.Series) bool { return v.meter(s).device.def != nil }

// Whole returns the reading with the registers that a partial one left out, as
// the meter sent them last; r itself if it is not partial. A register stands for
// a quarter of an hour, or for three intervals where that is longer; counters do
// not, since what they counted belongs to the time at which they were read. The
// reading must have passed Check; what is returned is valid until the next call.
func (v *Vetter) Whole(r *meter.Reading) *meter.Reading {
	d := v.meter(r.Series).device
	if !r.Partial || d.joined == nil {
		return r
	}
	values := d.joined.whole(r, d.stands(), append(v.whole.Values[:0], r.Values...))
	v.whole = *r
	v.whole.Values, v.whole.Partial = values, false
	return &v.whole
}

// Forget drops what a meter has said so far of what stands, such as at the death
// of its node.
func (v *Vetter) Forget(s *meter.Series) { v.meter(s).device.forget() }

// ClockValid tells whether a device's time, in ms, can be believed at the time
// of receipt, in ms.
func ClockValid(device, received int64) bool {
	return device >= earliest && device <= received+MaxAhead.Milliseconds()
}

// Check sets the reading's quality and, where the device's clock cannot be
// believed, its time; received is the time of receipt in ms. If the verdict is
// not Duplicate it appends the reading's fingerprint to prints.
func (v *Vetter) Check(r *meter.Reading, received int64, prints []byte) (Verdict, []byte) {
	m := v.meter(r.Series)
	id := uint64(r.Time)
	r.Stamped = !ClockValid(r.Time, received)
	switch {
	case r.Stamped:
		r.DeviceTime = r.Time
		r.Time = max(received, m.lastStamp+1)
		r.Quality = r.Quality.Worst(meter.ClockInvalid)
		// A clock that stands still would make every message a duplicate of
		// the last, so its time counts only together with a message number.
		id = uint64(r.Time)
		if r.HasSeq {
			id = mix(uint64(r.DeviceTime)) ^ uint64(r.Seq)
		}
	case r.Received:
		// Two messages of one millisecond are two readings.
		r.Time = max(r.Time, m.lastStamp+1)
		id = uint64(r.Time)
	case received-r.Time > meter.LateAfter.Milliseconds():
		r.Quality = r.Quality.Worst(meter.Late)
	}
	v.intervals = v.intervals[:0]
	v.rules = v.ranges.appendOf(v.rules[:0], r.Values)
	var possible bool
	if possible, v.counting = inside(r.Values, v.rules, v.counting[:0]); !possible {
		r.Quality = r.Quality.Worst(meter.OutOfRange)
	}

	print := fingerprint(m.hash, id, r.Values, v.rules)
	before, known := v.seen.get(print.key)
	if known && before == print.values {
		return Duplicate, prints
	}
	if r.Stamped || r.Received {
		m.lastStamp = r.Time
	}
	v.seen.put(print, received)
	prints = print.append(prints)
	v.ours = r.Stamped || r.Received || r.Time == received
	v.complete(m.device, r)
	v.count(m.device, r)
	m.device.watch(r)
	if known {
		return Conflict, prints
	}
	return Store, prints
}

// complete adds to a reading what follows from it and from those before. It is no
// part of what tells duplicates.
func (v *Vetter) complete(d *device, r *meter.Reading) {
	sent := len(r.Values)
	d.fillTank(r)
	d.join(r)
	for i := sent; i < len(r.Values); i++ {
		if v.ranges.of(r.Values[i].Register).counts {
			v.counting = append(v.counting, i)
		}
	}
}

// Load remembers fingerprints that Check has appended in an earlier life.
func (v *Vetter) Load(prints []byte, received int64) error {
	return eachPrint(prints, func(p print) { v.seen.put(p, received) })
}

func (v *Vetter) meter(s *meter.Series) *meterState {
	for len(v.meters) <= s.Index {
		v.meters = append(v.meters, meterState{})
	}
	m := &v.meters[s.Index]
	if m.hash == 0 {
		m.hash = identity(s)
		m.device = v.device(s, m.hash)
	}
	return m
}
