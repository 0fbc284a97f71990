package decode

import "github.com/imdad-telemetry/imdad/collector/meter"

// format is a payload profile: where its messages hang in the topic, and what
// the values in them are. The reader does what is common to all.
type format struct {
	name         string
	utility      meter.Utility // of what it carries; "": the source must say
	device       bool          // its messages or topics name the device
	tellsUtility bool          // its messages say what they measure
	numbersOnly  bool          // a plain value that is no number is a mistake
	quotedNumber bool          // a text that is a number is one
	silent       bool          // messages without a number are usual, and nothing to keep
	wrappers     [][]string
	// names are what place adds to the captures, for the source's templates; zone,
	// if given, is the default of the source's key.
	names []string
	zone  string
	// place reads the levels of a topic, once a topic.
	place func(levels []string, captured map[string]string) place
	// classify says what the value at path is, once a path and source.
	classify func(path []string) field
	presence bool // it has topics that tell whether a device is there
	// finish, if there is one, looks at the samples of a reading together.
	finish func(r *reader, g *group)
	// prune, if there is one, says that nothing under path is of the meter.
	prune func(path []string) bool
	// open, if there is one, makes what reads its messages instead of the reader.
	open func(c *compiled, catalog *meter.Catalog) special
}

// special reads the messages of a profile that the reader cannot: they are not
// JSON, or mean nothing without those that came before.
type special interface {
	decode(to *route, m *Message, out *Readings) (Result, *Reject)
}

// speaker is a special that has something to tell its devices.
type speaker interface {
	special
	commands(now int64, to []Command) []Command
}

// host is a special that devices take for their host: it remembers them across
// restarts.
type host interface {
	speaker
	restore(key string, value []byte) error
	skipped() int64
}

// place is what a topic says of its messages.
type place struct {
	prefix  []string // of the paths in the payload
	device  string
	plain   bool // one value a message, not JSON
	control bool // births, wills and commands: nothing to store
	reject  *Reject
	// partial says that what a message leaves out still stands.
	partial bool
	// presence says that the messages tell whether the device is there.
	presence bool
	// blank says that an empty payload is no value, not a mistake.
	blank bool
	// telegram names the values that are of one time, which comes in a message
	// of its own before them.
	telegram string
	// portal is the topic at which the device is told to go on.
	portal string
	// meter is what {meter} stands for, if not for all of the topic that it
	// captured.
	meter string
	// bare is the place of payloads that are a value, not JSON.
	bare *place
	// items is the depth from which on an object is a reading of its own.
	items int
	// deviceAt says that the key at depth 0 is a device.
	deviceAt bool
	// countsFromZero says that a message without its number is number 0.
	countsFromZero bool
}

// role is what a value is for.
type role uint8

const (
	unknown  role = iota // a number is kept under a name made from its path
	skipped              // nothing to store
	register             // a register
	clock                // the time of the reading
	deviceID             // who is speaking
	serial               // the message number
	media                // what is measured, in words
	note                 // a word that other fields refer to
	whole                // a word that says that nothing is left out
)

// field is what a path in a payload stands for.
type field struct {
	role    role
	name    string // of the register
	unit    string // as sent; "": as the register's
	unitKey string // the note that gives the unit, if there is one
	channel string // of a device that has several
	utility meter.Utility
	quoted  bool // a text that is a number is one
	// measures says that the register has a unit, and true and false are no values
	// of it.
	measures bool
	words    map[string]float64
	// total names a register that this one is a part of, with how many others;
	// parts 0: as many as there are.
	total string
	parts int
	moment

	convert meter.Conversion
	reg     *registerName
	whole   *registerName // of the total
	other   string        // another name, where two values want one register
	seen    uint64        // the group that last had it
}

// registerName is one of the registers of a source.
type registerName struct {
	name  string
	seen  uint64 // the reading that last had it
	index int    // there
	parts int    // how many were added up there
}
