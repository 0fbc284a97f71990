package meter

import "time"

// Utility is what a meter measures. It names the measurement in the database.
type Utility string

// The utilities Imdad knows.
const (
	Electricity Utility = "electricity"
	Water       Utility = "water"
	Fuel        Utility = "fuel"
	Generator   Utility = "generator"
)

// Utilities lists them in the order people expect to read them.
var Utilities = []Utility{Electricity, Water, Fuel, Generator}

// Valid tells whether u is one of Utilities.
func (u Utility) Valid() bool {
	switch u {
	case Electricity, Water, Fuel, Generator:
		return true
	}
	return false
}

// Series identifies one meter's stream of readings. There is one Series value
// per meter in a process: a Catalog makes it, and stages keep per-meter state
// in slices indexed by Index instead of maps keyed by strings.
type Series struct {
	Zone    string
	Utility Utility
	Meter   string
	Index   int // dense, from 0, in order of first sight
}

// Reading is one meter at one time with its registers: one line in the
// database. A Reading and its Values belong to whoever filled them and are
// reused for the next message: copy what must outlive the call.
type Reading struct {
	Series *Series
	Time   int64 // milliseconds since the Unix epoch, UTC
	// Stamped says that Time had to be taken from the receiver. Quality is then
	// ClockInvalid or worse, and DeviceTime is what the meter's own clock said,
	// in milliseconds.
	Stamped    bool
	DeviceTime int64
	Seq        int64 // the meter's message number; has meaning if HasSeq
	HasSeq     bool
	Quality    Quality
	// Reason says in a word why vetting gave the reading its quality, or what it
	// saw of its counters; empty if there is nothing to say.
	Reason string
	// Received says that the meter gave no time, and Time is that of receipt.
	Received   bool
	Historical bool // a backfill: stored, never alarmed on
	// Partial says that the meter sent what had changed: its other registers
	// stand as it sent them last.
	Partial bool
	// ByException says that the meter may send partial readings: those that
	// follow lean on this one, also if it is whole.
	ByException bool
	Values      []Value
}

// LateAfter is the age at which a reading no longer counts as news.
const LateAfter = time.Hour

// Value is one register of a reading, in the unit its name ends with.
type Value struct {
	Register string
	Value    float64 // finite; booleans are 1 and 0
}
