package decode

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"unicode/utf8"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// senml reads packs of Sensor Measurement Lists, in JSON or in CBOR, under any
// topic:
//
//	[{"bn":"urn:dev:ow:10e2073a01080063:","bt":1.276020076e+09,"n":"voltage","u":"V","v":120.1},
//	 {"n":"power","u":"W","t":-5,"v":1200,"s":3.6e6}]
//
// Base fields hold from their record on. A record's name is bn + n: what is up
// to its last / or : is the device, the rest, with the unit, the register (see
// splitSenML and senmlRegister). Its time is bt + t: below 2**28 it is relative
// to the receipt. s is the integral of the value over time, in unit · s, and
// becomes a register of its own. Records of one meter and time are one reading,
// and readings come in order of time, as the resolved records of section 4.6.
//
// https://www.rfc-editor.org/rfc/rfc8428 (the format, sections 4 to 6),
// https://www.rfc-editor.org/rfc/rfc9100 (versions), https://www.iana.org/assignments/senml (units)
var senml = format{
	name: "senml", device: true, silent: true,
	place: func([]string, map[string]string) place { return place{deviceAt: true} },
	open: func(c *compiled, catalog *meter.Catalog) special {
		return &senmlReader{
			reader: newReader(c, catalog), topical: !c.meter.uses("device"),
			known: make(map[string]*senmlField), resolved: make(map[string]*senmlField), names: make(map[string]bool),
		}
	},
}

// senmlLabel is the label of a SenML field, as in table 4 of RFC 8428.
type senmlLabel int8

const (
	senmlBaseSum     senmlLabel = -6
	senmlBaseValue   senmlLabel = -5
	senmlBaseUnit    senmlLabel = -4
	senmlBaseTime    senmlLabel = -3
	senmlBaseName    senmlLabel = -2
	senmlVersion     senmlLabel = -1
	senmlName        senmlLabel = 0
	senmlUnitLabel   senmlLabel = 1
	senmlValue       senmlLabel = 2
	senmlStringValue senmlLabel = 3
	senmlBoolValue   senmlLabel = 4
	senmlSum         senmlLabel = 5
	senmlTime        senmlLabel = 6
	senmlUpdateTime  senmlLabel = 7
	senmlDataValue   senmlLabel = 8
)

// senmlLabels are the labels by their names in JSON.
var senmlLabels = map[string]senmlLabel{
	"bver": senmlVersion, "bn": senmlBaseName, "bt": senmlBaseTime, "bu": senmlBaseUnit, "bv": senmlBaseValue, "bs": senmlBaseSum,
	"n": senmlName, "u": senmlUnitLabel, "v": senmlValue, "vs": senmlStringValue, "vb": senmlBoolValue, "s": senmlSum, "t": senmlTime,
	"ut": senmlUpdateTime, "vd": senmlDataValue,
}

// bit returns the label's place in a set of labels.
func (l senmlLabel) bit() uint16 { return 1 << (l + 6) }

// number tells whether the label's value is a number.
func (l senmlLabel) number() bool {
	switch l {
	case senmlVersion, senmlBaseTime, senmlBaseValue, senmlBaseSum, senmlValue, senmlSum, senmlTime, senmlUpdateTime:
		return true
	}
	return false
}

const (
	senmlRegular = 0xffff &^ (1<<6 - 1) // the labels that are no base fields
	senmlValues  = 1<<(senmlValue+6) | 1<<(senmlStringValue+6) | 1<<(senmlBoolValue+6) | 1<<(senmlDataValue+6)
)

// The versions that are read: of RFC 8428, and the same with the feature
// "secondary units" of RFC 9100, 2**4 more.
const (
	senmlVersionMost      = 10
	senmlVersionSecondary = 10 + 1<<4
)

// senmlRelative is where times begin to be absolute, in seconds: 2**28.
const senmlRelative = 1 << 28

// maxSamples bounds the numbers of a message, at 40 bytes each.
const maxSamples = 4 * MaxReadings

// senmlReader reads the packs of one source.
type senmlReader struct {
	*reader
	topical bool // the topic names the meter, not the pack

	known    map[string]*senmlField // by key
	resolved map[string]*senmlField // by what the names and base names make
	names    map[string]bool        // that fields have in reserve
	cacheKey []byte

	to      *route
	message *Message
	records int
	base    senmlBase
	record  senmlRecord
	list    []senmlSample
	sorted  bool
	// timeless says that there were values of no known time.
	timeless bool
}

// senmlBase is what holds until a record says otherwise.
type senmlBase struct {
	has              uint16
	name, unit       []byte
	time, value, sum float64
}

// senmlRecord is the record that is being read.
type senmlRecord struct {
	has              uint16
	name, unit, text []byte
	value, sum, time float64
	truth            bool
}

// senmlSample is one number of the pack.
type senmlSample struct {
	field  *senmlField
	series *meter.Series
	time   int64
	value  float64
	order  int
}

// decode reads one pack into out.
func (r *senmlReader) decode(to *route, m *Message, out *Readings) (Result, *Reject) {
	switch {
	case len(m.Payload) == 0:
		return 0, &Reject{Empty, "the payload is empty"}
	case len(m.Payload) > MaxPayload:
		return 0, &Reject{TooLarge, fmt.Sprintf("%d bytes; at most %d are read", len(m.Payload), MaxPayload)}
	}
	r.begin(to, m)
	if reject := r.pack(m.Payload); reject != nil {
		return 0, reject
	}
	if reject := r.write(out); reject != nil {
		return 0, reject
	}
	switch {
	case out.n > 0:
		return Decoded, nil
	case r.timeless:
		return Ignored, nil
	case r.records > 0:
		return Control, nil // words and base fields
	}
	return 0, &Reject{NoValues, "the pack has no records"}
}

func (r *senmlReader) begin(to *route, m *Message) {
	if len(r.known)+len(r.registers) > maxFields {
		clear(r.known)
		clear(r.resolved)
		clear(r.names)
		clear(r.registers)
	}
	r.to, r.message = to, m
	r.learned, r.records, r.timeless, r.sorted = 0, 0, false, true
	r.base, r.list = senmlBase{}, r.list[:0]
}

// pack tells CBOR from JSON: a pack is an array, and no array of CBOR begins
// with a byte that JSON could begin with.
func (r *senmlReader) pack(payload []byte) *Reject {
	if c := payload[0]; c >= 0x80 && c <= 0x9f || bytes.HasPrefix(payload, []byte(cborSelfDescribed)) {
		return r.cborPack(payload)
	}
	if !utf8.Valid(payload) {
		return &Reject{NotUTF8, "the payload is not UTF-8"}
	}
	return r.jsonPack(payload)
}

// once marks a label of the record as read.
func (r *senmlReader) once(l senmlLabel) *Reject {
	if r.record.has&l.bit() != 0 {
		return &Reject{DuplicateKey, fmt.Sprintf("record %d has label %d of RFC 8428 twice", r.records, l)}
	}
	r.record.has |= l.bit()
	return nil
}

// setNumber takes the value of a label that has a number.
func (r *senmlReader) setNumber(l senmlLabel, v float64) *Reject {
	switch l {
	case senmlVersion:
		if v > senmlVersionMost && v != senmlVersionSecondary || v < 1 || v != math.Trunc(v) {
			return &Reject{BadValue, fmt.Sprintf("bver is %v; versions to %d and %d are read", v, senmlVersionMost, senmlVersionSecondary)}
		}
	case senmlBaseTime:
		r.base.time = v
	case senmlBaseValue:
		r.base.value = v
	case senmlBaseSum:
		r.base.sum = v
	case senmlValue:
		r.record.value = v
	case senmlSum:
		r.record.sum = v
	case senmlTime:
		r.record.time = v
	}
	return nil
}

// setText takes the value of a label that has a text.
func (r *senmlReader) setText(l senmlLabel, text []byte) {
	switch l {
	case senmlBaseName:
		r.base.name = text
	case senmlBaseUnit:
		r.base.unit = text
	case senmlName:
		r.record.name = text
	case senmlUnitLabel:
		r.record.unit = text
	case senmlStringValue:
		r.record.text = text
	}
}

// unknownLabel passes over a label that is not in RFC 8428, unless its sender
// says that it must be understood (section 4.4).
func unknownLabel(label []byte) *Reject {
	if len(label) > 0 && label[len(label)-1] == '_' {
		return &Reject{BadValue, fmt.Sprintf("the label %q must be understood, and is not known", clip(string(label)))}
	}
	return nil
}

// openRecord begins a record. What its regular fields say holds for it alone.
func (r *senmlReader) openRecord() {
	r.records++
	r.record = senmlRecord{}
}

// closeRecord resolves the record (section 4.6) and takes its numbers.
func (r *senmlReader) closeRecord() *Reject {
	rec, base := &r.record, &r.base
	base.has |= rec.has &^ senmlRegular
	if rec.has&senmlRegular == 0 {
		return nil
	}
	if bits.OnesCount16(rec.has&senmlValues) > 1 {
		return &Reject{BadValue, fmt.Sprintf("record %d has more than one of v, vs, vb, vd", r.records)}
	}
	if rec.has&senmlUnitLabel.bit() == 0 {
		rec.unit = base.unit
	}
	numeric := rec.has&(senmlValues&^senmlValue.bit()) == 0
	if rec.has&senmlValue.bit() != 0 || numeric && base.has&senmlBaseValue.bit() != 0 {
		if reject := r.take(kindValue, base.value+rec.value); reject != nil {
			return reject
		}
	}
	if rec.has&senmlSum.bit() != 0 || numeric && base.has&senmlBaseSum.bit() != 0 {
		if reject := r.take(kindSum, base.sum+rec.sum); reject != nil {
			return reject
		}
	}
	switch {
	case rec.has&senmlBoolValue.bit() != 0 && rec.truth:
		return r.take(kindBool, 1)
	case rec.has&senmlBoolValue.bit() != 0:
		return r.take(kindBool, 0)
	case rec.has&senmlStringValue.bit() != 0:
		return r.takeText(rec.text)
	}
	return nil
}

// takeText reads a text that the source's enum reads, or that is a number where
// the source names a register. Others are kept out.
func (r *senmlReader) takeText(text []byte) *Reject {
	f, reject := r.field(kindText)
	if reject != nil || f.role == skipped {
		return reject
	}
	v, ok := f.words[string(text)]
	if !ok {
		if v, ok, reject = quotedNumber(text, f.name); reject != nil {
			return reject
		}
	}
	if !ok {
		return &Reject{BadValue, fmt.Sprintf("%s is %q; want a number", f.name, clip(string(text)))}
	}
	return r.add(f, v)
}

func (r *senmlReader) take(kind byte, v float64) *Reject {
	f, reject := r.field(kind)
	if reject != nil || f.role == skipped {
		return reject
	}
	return r.add(f, v)
}

// add puts a number of the record on the list.
func (r *senmlReader) add(f *senmlField, v float64) *Reject {
	v = f.convert.Convert(v)
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return &Reject{NotFinite, fmt.Sprintf("%s is beyond a double's range", f.name)}
	}
	at, known, reject := r.time()
	if reject != nil || !known {
		return reject
	}
	if len(r.list) == maxSamples {
		return &Reject{TooLarge, fmt.Sprintf("more than %d values", maxSamples)}
	}
	if f.route != r.to {
		series, reject := r.series(r.to, &group{device: f.device}, &f.field)
		if reject != nil {
			return reject
		}
		f.route, f.series = r.to, series
	}
	s := senmlSample{field: f, series: f.series, time: at, value: v, order: len(r.list)}
	r.sorted = r.sorted && (s.order == 0 || s.compare(&r.list[s.order-1]) > 0)
	r.list = append(r.list, s)
	return nil
}

// time returns when the record was true, in ms; false if nobody can say.
func (r *senmlReader) time() (ms int64, known bool, reject *Reject) {
	seconds := r.base.time + r.record.time
	at := moment{perSecond: 1}.number(seconds)
	switch {
	case seconds >= senmlRelative:
		return at, true, nil
	case r.message.Retained:
		r.timeless = true
		return 0, false, nil
	case r.message.Received == 0:
		return 0, false, &Reject{NoTime, "the pack's times are relative, and nobody knows when it came"}
	}
	return r.message.Received + at, true, nil
}

func (s *senmlSample) compare(other *senmlSample) int {
	if s.time != other.time {
		return cmp.Compare(s.time, other.time)
	}
	if s.series != other.series {
		return cmp.Compare(s.series.Index, other.series.Index)
	}
	return cmp.Compare(s.order, other.order)
}

// write makes the readings: one for every meter and time, in order of time.
func (r *senmlReader) write(out *Readings) *Reject {
	if !r.sorted {
		slices.SortFunc(r.list, func(a, b senmlSample) int { return a.compare(&b) })
	}
	var reading *meter.Reading
	for i := range r.list {
		s := &r.list[i]
		if reading == nil || reading.Series != s.series || reading.Time != s.time {
			if out.n == MaxReadings {
				return &Reject{TooLarge, fmt.Sprintf("more than %d readings", MaxReadings)}
			}
			r.serial++
			reading = out.next(s.series)
			reading.Time, reading.Quality = s.time, r.source.quality
		}
		if reject := r.putOnce(reading, s); reject != nil {
			return reject
		}
	}
	return nil
}

// putOnce sets a register. The same name, unit and time twice is no harm with
// one value; with two, nobody can say which is true.
func (r *senmlReader) putOnce(reading *meter.Reading, s *senmlSample) *Reject {
	f := s.field
	if f.seen == r.serial {
		if reading.Values[f.at].Value == s.value {
			return nil
		}
		return &Reject{DuplicateKey, fmt.Sprintf("two values of %s at one time", f.name)}
	}
	if len(reading.Values) == MaxRegisters {
		return &Reject{TooLarge, fmt.Sprintf("more than %d registers", MaxRegisters)}
	}
	f.seen, f.at = r.serial, len(reading.Values)
	r.put(reading, &sample{field: &f.field, value: s.value})
	return nil
}
