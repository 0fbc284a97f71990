package decode

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// MaxPayload bounds a native payload, in bytes, and MaxRegisters the registers
// in it: far beyond what a meter has, and within what one pass can afford.
const (
	MaxPayload   = 256 << 10
	MaxRegisters = 1024
)

// native reads Imdad's own profile:
//
//	imdad/v1/{zone}/{utility}/{meter}
//	{"ts": 1763895600123 | "2026-11-23T08:15:00Z", "seq": 4711,
//	 "values": {"active_power_kw": 431.2, "running": true},
//	 "quality": "good"|"estimated"|"suspect", "historical": true}
//
// ts and values are required. Keys it does not know are passed over, so that a
// newer meter can talk to an older collector.
type native struct {
	registers map[string]string // legal register names seen
	shapes    []shape           // see shape
}

// shape is the registers of a payload, in order. Meters repeat theirs in every
// message, and many meters have the same: remembering each meter's last shape
// spares a look-up a register.
type shape []string

// shapeID is 1 more than the place of a shape among those that are shared; 0 is
// none.
type shapeID uint8

// maxShapes bounds the shapes that are shared; a meter of another shape only
// decodes a little slower.
const maxShapes = 64

// maxRemembered bounds the register names remembered; further ones are
// allocated each time.
const maxRemembered = 1 << 14

func newNative() native { return native{registers: make(map[string]string)} }

// nativeRoute reads zone, utility and meter from the topic.
func nativeRoute(topic string, catalog *meter.Catalog) *route {
	level := strings.Split(topic, "/")
	if len(level) != 5 || level[0] != "imdad" || level[1] != "v1" {
		return &route{reject: &Reject{BadTopic,
			fmt.Sprintf("topic %q is not imdad/v1/{zone}/{utility}/{meter}", clip(topic))}}
	}
	zone, utility, id := level[2], meter.Utility(level[3]), level[4]
	switch {
	case !meter.ValidID(zone):
		return &route{reject: &Reject{BadName, fmt.Sprintf("zone %q in the topic", clip(zone))}}
	case !meter.ValidID(id):
		return &route{reject: &Reject{BadName, fmt.Sprintf("meter %q in the topic", clip(id))}}
	case utility == "gateway":
		return &route{gateway: &Gateway{Zone: zone, ID: id}}
	case !utility.Valid():
		return &route{reject: &Reject{BadTopic,
			fmt.Sprintf("unknown utility %q in the topic; known: %v", clip(level[3]), meter.Utilities)}}
	}
	// The pieces alias the topic, which is its own string per message and
	// which the route cache keeps anyway.
	series := catalog.Get(zone, utility, id)
	if series == nil {
		return &route{reject: &Reject{TooManyMeters, fmt.Sprintf("meter %q is one too many", clip(topic))}}
	}
	return &route{series: series}
}

// gatewayStatus checks a gateway's status message.
func gatewayStatus(payload []byte) *Reject {
	switch string(payload) {
	case "online", "offline":
		return nil
	case "":
		return &Reject{Empty, "a gateway status is online or offline"}
	}
	return &Reject{BadValue, fmt.Sprintf("gateway status %q; want online or offline", clip(string(payload)))}
}

// decode reads one payload into one reading. The reject is typed, not an
// error, so that nil stays nil.
func (n *native) decode(to *route, m *Message, out *Readings) (Result, *Reject) {
	switch {
	case len(m.Payload) == 0:
		return 0, &Reject{Empty, "the payload is empty"}
	case len(m.Payload) > MaxPayload:
		return 0, &Reject{TooLarge, fmt.Sprintf("%d bytes; at most %d are read", len(m.Payload), MaxPayload)}
	case !utf8.Valid(m.Payload):
		return 0, &Reject{NotUTF8, "the payload is not UTF-8"}
	}
	s := scanner{data: m.Payload}
	r := out.next(to.series)
	expected := n.expected(to.shape)
	timed, reject := n.object(&s, r, expected)
	switch {
	case reject != nil:
		return 0, reject
	case !timed && m.Retained:
		return Ignored, nil
	case !timed:
		return 0, &Reject{NoTime, "ts is missing or is neither milliseconds nor RFC 3339 with a zone"}
	case len(r.Values) == 0:
		return 0, &Reject{NoValues, "values is missing or empty"}
	}
	if !expected.of(r.Values) {
		to.shape = n.shape(r.Values)
	}
	return Decoded, nil
}

// of tells whether values have this shape.
func (s shape) of(values []meter.Value) bool {
	if len(s) != len(values) {
		return false
	}
	for i := range s {
		if s[i] != values[i].Register {
			return false
		}
	}
	return true
}

// expected returns a shared shape.
func (n *native) expected(id shapeID) shape {
	if id == 0 {
		return nil
	}
	return n.shapes[id-1]
}

// shape returns the shared shape of values; none if there are too many.
func (n *native) shape(values []meter.Value) shapeID {
	for i, s := range n.shapes {
		if s.of(values) {
			return shapeID(i + 1)
		}
	}
	if len(n.shapes) == maxShapes {
		return 0
	}
	s := make(shape, len(values))
	for i := range values {
		s[i] = values[i].Register
	}
	n.shapes = append(n.shapes, s)
	return shapeID(len(n.shapes))
}

// The attributes of a native payload, as bits, to see a key that comes twice.
const (
	attrTS = 1 << iota
	attrSeq
	attrValues
	attrQuality
	attrHistorical
)

// object reads the whole payload; timed tells whether it had a usable ts.
func (n *native) object(s *scanner, r *meter.Reading, expected shape) (timed bool, reject *Reject) {
	seen := 0
	once := func(attr int) bool {
		first := seen&attr == 0
		seen |= attr
		return first
	}
	if !s.open('{') {
		return false, s.fail("a JSON object")
	}
	for first := true; ; first = false {
		key, end, reject := s.key(first)
		if reject != nil || end {
			if reject == nil && !s.atEnd() {
				reject = s.fail("the end of the payload")
			}
			return timed, reject
		}
		ok := true
		switch string(key) {
		case "ts":
			ok = once(attrTS)
			r.Time, timed, reject = timestamp(s)
		case "seq":
			ok = once(attrSeq)
			r.Seq, reject = s.integer("seq")
			r.HasSeq = true
		case "values":
			ok = once(attrValues)
			reject = n.values(s, r, expected)
		case "quality":
			ok = once(attrQuality)
			r.Quality, reject = quality(s)
		case "historical":
			ok = once(attrHistorical)
			r.Historical, reject = s.boolean("historical")
		default:
			reject = s.skip(0)
		}
		if reject == nil && !ok {
			reject = &Reject{DuplicateKey, fmt.Sprintf("key %q twice", key)}
		}
		if reject != nil {
			return false, reject
		}
	}
}

// values reads the object of registers; expected is what they probably are.
func (n *native) values(s *scanner, r *meter.Reading, expected shape) *Reject {
	if !s.open('{') {
		return s.wrongType("values", "an object of registers")
	}
	for first := true; ; first = false {
		key, end, reject := s.key(first)
		if reject != nil || end {
			return reject
		}
		name, ok := "", false
		if i := len(r.Values); i < len(expected) && expected[i] == string(key) {
			name, ok = expected[i], true
		} else {
			name, ok = n.register(key)
		}
		if !ok {
			return &Reject{BadName, fmt.Sprintf("register %q is not [a-z][a-z0-9_]{0,63}, or is reserved", clip(string(key)))}
		}
		for i := range r.Values {
			if r.Values[i].Register == name {
				return &Reject{DuplicateKey, fmt.Sprintf("register %q twice", name)}
			}
		}
		if len(r.Values) == MaxRegisters {
			return &Reject{TooLarge, fmt.Sprintf("more than %d registers", MaxRegisters)}
		}
		v, reject := s.value(name)
		if reject != nil {
			return reject
		}
		r.Values = append(r.Values, meter.Value{Register: name, Value: v})
	}
}

// register returns the name as a lasting string.
func (n *native) register(key []byte) (string, bool) {
	if name, ok := n.registers[string(key)]; ok {
		return name, true
	}
	if !meter.ValidRegister(key) {
		return "", false
	}
	name := string(key)
	if len(n.registers) < maxRemembered {
		n.registers[name] = name
	}
	return name, true
}

// timestamp reads ts. A number is milliseconds, cut to a whole one; one that
// no int64 holds becomes the nearest, for vetting to mark. ok is false for
// whatever cannot be read as a time.
func timestamp(s *scanner) (ms int64, ok bool, reject *Reject) {
	switch c := s.peek(); {
	case c == '"':
		text, reject := s.str()
		if reject != nil {
			return 0, false, reject
		}
		t, err := time.Parse(time.RFC3339, string(text))
		return t.UnixMilli(), err == nil, nil
	case c == '-' || c >= '0' && c <= '9':
		if ms, ok := s.smallInt(); ok {
			return ms, true, nil
		}
		f, reject := s.number("ts")
		if reject != nil {
			return 0, false, reject
		}
		switch {
		case f >= math.MaxInt64:
			return math.MaxInt64, true, nil
		case f <= math.MinInt64:
			return math.MinInt64, true, nil
		}
		return int64(f), true, nil
	}
	return 0, false, s.skip(0)
}

// quality reads the sender's own opinion.
func quality(s *scanner) (meter.Quality, *Reject) {
	if s.peek() != '"' {
		return 0, s.wrongType("quality", "a string")
	}
	text, reject := s.str()
	if reject != nil {
		return 0, reject
	}
	switch string(text) {
	case "good":
		return meter.Good, nil
	case "estimated":
		return meter.Estimated, nil
	case "suspect":
		return meter.Suspect, nil
	}
	return 0, &Reject{BadValue, fmt.Sprintf("quality %q; want good, estimated or suspect", clip(string(text)))}
}
