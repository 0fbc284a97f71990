package decode

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// sample is one register of a message that is being read.
type sample struct {
	field  *field
	value  float64
	series *meter.Series // set when the whole message has been read
}

// group is what will be a reading, or several of different channels.
type group struct {
	from, to int    // of reader.samples
	notes    [2]int // from and to, of reader.notes
	time     int64
	timed    bool
	received bool // time is that of receipt
	device   []byte
	utility  meter.Utility
	seq      int64
	hasSeq   bool
}

// noted is a word of the message.
type noted struct {
	field *field
	text  []byte
}

// MaxReadings bounds the readings of a message: in a few bytes each of them
// says little and costs much.
const MaxReadings = 4096

// maxLearned bounds the paths that one message may bring for the first time,
// and maxFields those remembered for a source, at about 300 bytes each; beyond
// it the memory starts afresh. maxPath bounds the length of one.
const (
	maxLearned = 2 * MaxRegisters
	maxFields  = 1 << 14
	maxPath    = 512
)

// pathMark stands between the keys of a path.
const pathMark = '\x1f'

// reader reads the messages of one source.
type reader struct {
	*format
	source  *compiled
	catalog *meter.Catalog

	fields     map[string]*field            // by path within a reading
	branches   map[string]map[string]*field // fields, by the branches of the mapping that the reading is on
	outer      map[string]*field            // by path outside of the readings of a message
	registers  map[string]*registerName
	pruned     map[string]bool               // by path of an object or array within a reading
	devices    map[deviceKey][]*meter.Series // if there are topics that tell of their presence
	telegrams  map[string]telegram
	learned    int    // by this message
	remembered int    // fields in all
	serial     uint64 // counts groups and readings, to see what comes twice

	place       *place
	path        []byte
	key         []byte   // the last one that a * of the mapping stands for; an index names nobody
	item        []string // the path of the reading, if the mapping tells them apart by it
	base        int      // where the path within a reading begins
	open        bool
	samples     []sample
	shared      []sample // that stand outside of the readings, and belong to all
	groups      []group
	notes       []noted
	sharedNotes []noted // that stand outside of the readings, and belong to all
	partial     bool    // what the message leaves out still stands
	common      group   // what stands outside of the readings
	current     *group
}

func newReader(c *compiled, catalog *meter.Catalog) *reader {
	return &reader{
		format: c.format, source: c, catalog: catalog,
		fields: make(map[string]*field), outer: make(map[string]*field), registers: make(map[string]*registerName),
		branches: make(map[string]map[string]*field), pruned: make(map[string]bool), devices: make(map[deviceKey][]*meter.Series), telegrams: make(map[string]telegram),
	}
}

// byteOrderMark is what some programs begin a text with; RFC 8259, section 8.1,
// lets a reader pass over it.
var byteOrderMark = []byte("\ufeff")

// decode reads one message into out.
func (r *reader) decode(to *route, m *Message, out *Readings) (Result, *Reject) {
	payload := bytes.TrimPrefix(m.Payload, byteOrderMark)
	if to.bare != nil && !isObject(payload) {
		to = to.bare
	}
	switch {
	case to.place.presence:
		r.tellPresence(to, m, out)
		return Control, nil
	case len(payload) == 0 && to.place.blank:
		return Control, nil
	case len(payload) == 0:
		return 0, &Reject{Empty, "the payload is empty"}
	case len(payload) > MaxPayload:
		return 0, &Reject{TooLarge, fmt.Sprintf("%d bytes; at most %d are read", len(payload), MaxPayload)}
	case !utf8.Valid(payload):
		return 0, &Reject{NotUTF8, "the payload is not UTF-8"}
	}
	r.reset(to.place)
	s := scanner{data: payload}
	if reject := r.message(&s); reject != nil {
		return 0, reject
	}
	r.joinTelegram(m)
	return r.emit(to, m, out)
}

// isObject tells whether a payload is JSON, if it is not one value.
func isObject(payload []byte) bool {
	s := scanner{data: payload}
	c := s.peek()
	return c == '{' || c == '['
}

func (r *reader) reset(p *place) {
	if r.remembered+len(r.registers) > maxFields {
		r.remembered = 0
		clear(r.fields)
		clear(r.branches)
		clear(r.outer)
		clear(r.registers)
		clear(r.pruned)
	}
	r.place, r.learned, r.open, r.partial = p, 0, false, p.partial
	r.samples, r.shared, r.groups = r.samples[:0], r.shared[:0], r.groups[:0]
	r.notes, r.sharedNotes, r.key = r.notes[:0], r.sharedNotes[:0], nil
	r.partial = r.partial || r.source.mapping.oneValueEach()
	r.common = group{}
	r.current = &r.common
	r.path, r.base = r.path[:0], 0
}

func (r *reader) message(s *scanner) *Reject {
	if r.place.plain {
		return r.plainValue(s)
	}
	if c := s.peek(); c != '{' && c != '[' {
		return s.fail("a JSON object or array")
	}
	if reject := r.value(s, 0, true); reject != nil {
		return reject
	}
	if !s.atEnd() {
		return s.fail("the end of the payload")
	}
	return nil
}

// value reads any JSON value. depth counts the keys on the way to it; onItem
// says that so far they are those of a reading in the mapping.
func (r *reader) value(s *scanner, depth int, onItem bool) *Reject {
	if depth > maxDepth {
		return &Reject{TooDeep, fmt.Sprintf("nested more than %d levels deep at byte %d", maxDepth, s.pos)}
	}
	c := s.peek()
	if !r.open && r.beginsItem(c, depth, onItem) {
		if len(r.groups) == MaxReadings {
			return &Reject{TooLarge, fmt.Sprintf("more than %d readings", MaxReadings)}
		}
		r.begin()
		reject := r.value(s, depth, false)
		r.end()
		return reject
	}
	if (c == '{' || c == '[') && r.prune != nil && r.open && r.skips() {
		return s.skip(depth)
	}
	switch c {
	case '{':
		return r.object(s, depth, onItem)
	case '[':
		return r.array(s, depth, onItem)
	}
	return r.leaf(s, c)
}

// skips tells whether the object or array at hand is passed over.
func (r *reader) skips() bool {
	path := r.path[r.base:]
	if skip, ok := r.pruned[string(path)]; ok || len(path) == 0 {
		return skip
	}
	skip := r.prune(strings.Split(string(path), string(pathMark)))
	if len(path) <= maxPath && len(r.pruned) < maxFields {
		r.pruned[string(path)] = skip
	}
	return skip
}

func (r *reader) object(s *scanner, depth int, onItem bool) *Reject {
	s.pos++
	mark := len(r.path)
	for first := true; ; first = false {
		key, end, reject := s.key(first)
		if reject != nil || end {
			return reject
		}
		if depth == 0 && r.place.deviceAt {
			r.common.device = key
		}
		if name := r.name(s, depth); len(name) > 0 {
			key = name
		}
		r.push(key)
		r.keep(key, depth)
		reject = r.value(s, depth+1, onItem && r.stepsIn(depth, key))
		if reject != nil {
			return reject
		}
		r.path = r.path[:mark]
	}
}

func (r *reader) array(s *scanner, depth int, onItem bool) *Reject {
	s.pos++
	mark := len(r.path)
	for i := 0; ; i++ {
		if s.open(']') {
			return nil
		}
		if i > 0 && !s.open(',') {
			return s.fail("a comma or ]")
		}
		if i > 0 && s.peek() == ']' {
			return s.fail("a value")
		}
		if len(r.path) > r.base {
			r.path = append(r.path, pathMark)
		}
		start := len(r.path)
		if name := r.name(s, depth); len(name) > 0 {
			r.path = append(r.path, name...)
			r.keep(name, depth)
		} else {
			r.path = strconv.AppendInt(r.path, int64(i), 10)
		}
		if reject := r.value(s, depth+1, onItem && r.stepsIn(depth, r.path[start:])); reject != nil {
			return reject
		}
		r.path = r.path[:mark]
	}
}

func (r *reader) push(key []byte) {
	if len(r.path) > r.base {
		r.path = append(r.path, pathMark)
	}
	r.path = append(r.path, key...)
}

// beginsItem tells whether the value that comes is a reading of its own.
func (r *reader) beginsItem(c byte, depth int, onItem bool) bool {
	if m := r.source.mapping; m != nil {
		return onItem && depth == len(m.each)
	}
	return depth >= r.place.items && c != '['
}

// stepsIn tells whether a key is on the way to the readings in the mapping.
func (r *reader) stepsIn(depth int, key []byte) bool {
	m := r.source.mapping
	return m != nil && depth < len(m.each) && (m.each[depth] == "*" || m.each[depth] == string(key))
}

// begin opens a group. Paths in it are its own.
func (r *reader) begin() {
	r.serial++
	r.open = true
	r.groups = append(r.groups, group{from: len(r.samples), notes: [2]int{len(r.notes)}, device: r.common.device})
	r.current = &r.groups[len(r.groups)-1]
	r.current.hasSeq = r.place.countsFromZero
	if m := r.source.mapping; m != nil && m.keyed {
		r.current.device = r.key
	}
	r.enterBranch()
	if len(r.path) > 0 {
		r.path = append(r.path, pathMark)
	}
	r.base = len(r.path)
	for i, p := range r.place.prefix {
		if i > 0 {
			r.path = append(r.path, pathMark)
		}
		r.path = append(r.path, p...)
	}
}

func (r *reader) end() {
	r.current.to, r.current.notes[1] = len(r.samples), len(r.notes)
	r.open, r.current = false, &r.common
	r.path, r.base = r.path[:max(0, r.base-1)], 0
}

// leaf reads a value that holds no others.
func (r *reader) leaf(s *scanner, c byte) *Reject {
	f, reject := r.field()
	if reject != nil {
		return reject
	}
	switch {
	case f.role == skipped:
		return s.skip(0)
	case c == '"':
		text, reject := s.str()
		if reject != nil {
			return reject
		}
		return r.text(f, text)
	case s.literal("null"):
		s.pos += len("null")
		if r.current.utility == "" {
			r.current.utility = f.utility // what is not known yet is measured all the same
		}
		return nil
	case f.measures && (s.literal("true") || s.literal("false")):
		return r.boolean(f, s)
	case f.role == clock || f.role == deviceID || f.role == serial:
		return r.attribute(f, s)
	case f.role == media, f.role == note, f.role == whole:
		return s.skip(0)
	}
	v, reject := s.value(f.name)
	if reject != nil {
		return reject
	}
	return r.add(f, v)
}

// attribute reads a number that is no register.
func (r *reader) attribute(f *field, s *scanner) *Reject {
	start := s.pos
	v, reject := s.value(f.name)
	if reject != nil {
		return reject
	}
	text := s.data[start:s.pos]
	switch {
	case f.role == clock && (letter(text[0]) || f.texts):
		return r.text(f, text) // true is no time; 20261123 may be one
	case f.role == deviceID:
		return r.text(f, text)
	}
	if reject := r.once(f); reject != nil {
		return reject
	}
	if f.role == clock {
		r.current.time, r.current.timed = f.number(v), true
	} else {
		r.number(v)
	}
	return nil
}

// maxSeq is where doubles stop telling whole numbers apart.
const maxSeq = 1 << 53

// number keeps the number of the message, if it is one that counts messages.
func (r *reader) number(v float64) {
	if v >= 0 && v <= maxSeq && v == math.Trunc(v) {
		r.current.seq, r.current.hasSeq = int64(v), true
	}
}

// once refuses a time, a name or a number that comes twice in a reading: nobody
// can say which is true.
func (r *reader) once(f *field) *Reject {
	if !r.open {
		return nil
	}
	if f.seen == r.serial {
		return &Reject{DuplicateKey, fmt.Sprintf("%s comes twice", f.name)}
	}
	f.seen = r.serial
	return nil
}

// boolean reads true or false where a measurement is due: neither is one, unless
// the source says so.
func (r *reader) boolean(f *field, s *scanner) *Reject {
	start := s.pos
	if reject := s.skip(0); reject != nil {
		return reject
	}
	return r.text(f, s.data[start:s.pos])
}

// text reads a string.
func (r *reader) text(f *field, text []byte) *Reject {
	if f.role == clock || f.role == deviceID || f.role == serial {
		if reject := r.once(f); reject != nil {
			return reject
		}
	}
	switch f.role {
	case clock:
		ms, ok := f.parse(unsafe.String(unsafe.SliceData(text), len(text)), r.source.location)
		if !ok {
			return &Reject{NoTime, fmt.Sprintf("the time %q cannot be read", clip(string(text)))}
		}
		r.current.time, r.current.timed = ms, true
		return nil
	case deviceID:
		r.current.device = text
		return nil
	case media:
		r.current.utility = mediaUtility(text)
		return nil
	case serial:
		if v, ok, _ := quotedNumber(text, f.name); ok {
			r.number(v)
		}
		return nil
	case whole:
		if string(text) == f.name {
			r.partial = false
		}
		return nil
	case note:
		return r.note(f, text)
	}
	if v, ok := f.words[string(text)]; ok {
		return r.add(f, v)
	}
	if f.quoted || r.quotedNumber || f.role == register {
		v, ok, reject := quotedNumber(f.unpadded(text), f.name)
		switch {
		case ok:
			return r.add(f, v)
		case reject != nil && f.role == register:
			return reject
		}
		// 24E1241360502217 is beyond a double's range, and somebody's serial number.
	}
	if f.quoted {
		return &Reject{BadValue, fmt.Sprintf("%s is %q; want a number", f.name, clip(string(text)))}
	}
	return nil
}

// note keeps a word that other fields refer to.
func (r *reader) note(f *field, text []byte) *Reject {
	twice := r.open && f.seen == r.serial || !r.open && slices.ContainsFunc(r.sharedNotes, func(n noted) bool { return n.field == f })
	switch {
	case twice:
		return &Reject{DuplicateKey, fmt.Sprintf("the value of %s comes twice", f.name)}
	case !r.open:
		r.sharedNotes = append(r.sharedNotes, noted{f, text})
		return nil
	}
	f.seen = r.serial
	r.notes = append(r.notes, noted{f, text})
	return nil
}

// quotedNumber reads a text that is a number and nothing else.
func quotedNumber(text []byte, what string) (float64, bool, *Reject) {
	s := scanner{data: text}
	if _, ok := s.numberText(); !ok || s.pos != len(text) {
		return 0, false, nil
	}
	s.pos = 0
	v, reject := s.number(what)
	return v, reject == nil, reject
}

// unpadded returns a text without the zeros that fill up a number: 007970903 is a
// counter where a register is known, and may be anything where none is.
func (f *field) unpadded(text []byte) []byte {
	if f.role != register {
		return text
	}
	for len(text) > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9' {
		text = text[1:]
	}
	return text
}

// add puts a value into the group.
func (r *reader) add(f *field, v float64) *Reject {
	v = f.convert.Convert(v)
	if math.IsInf(v, 0) {
		return &Reject{NotFinite, fmt.Sprintf("%s is beyond a double's range", f.name)}
	}
	switch {
	case !r.open && f.role == unknown:
		return nil // of no reading in particular
	case !r.open:
		r.shared = append(r.shared, sample{field: f, value: v})
		return nil
	case f.seen == r.serial:
		return &Reject{DuplicateKey, fmt.Sprintf("the value of %s comes twice", f.name)}
	case len(r.samples)-r.current.from == MaxRegisters:
		return &Reject{TooLarge, fmt.Sprintf("more than %d registers", MaxRegisters)}
	}
	f.seen = r.serial
	r.samples = append(r.samples, sample{field: f, value: v})
	return nil
}

// field returns what the path stands for.
func (r *reader) field() (*field, *Reject) {
	known, path := r.fields, r.path[r.base:]
	if !r.open {
		known, path = r.outer, r.path
	}
	if f, ok := known[string(path)]; ok {
		return f, nil
	}
	switch {
	case len(path) > maxPath:
		return nil, &Reject{BadName, fmt.Sprintf("the path %q… is longer than %d bytes", clip(string(path)), maxPath)}
	case r.learned == maxLearned:
		return nil, &Reject{TooLarge, fmt.Sprintf("more than %d different values", maxLearned)}
	}
	r.learned++
	r.remembered++
	f, err := r.learn(string(path))
	if err != nil {
		return nil, &Reject{BadUnit, err.Error()}
	}
	known[string(path)] = f
	return f, nil
}
