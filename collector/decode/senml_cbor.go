package decode

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"github.com/fxamacker/cbor/v2"
)

// The major types of CBOR (RFC 8949 section 3.1) and the tags that are read.
const (
	cborUnsigned = 0
	cborNegative = 1
	cborBytes    = 2
	cborText     = 3
	cborArray    = 4
	cborMap      = 5
	cborTag      = 6
	cborSimple   = 7

	cborDecimalFraction = 4

	cborIndefinite = 31 // of a head's argument
	cborBreak      = 0xff
)

// cborSelfDescribed may stand before any CBOR (RFC 8949 section 3.4.6).
const cborSelfDescribed = "\xd9\xd9\xf7"

// cborChecker tells whether a payload is well-formed.
var cborChecker = func() cbor.DecMode {
	mode, err := cbor.DecOptions{MaxNestedLevels: maxDepth, MaxArrayElements: MaxPayload, MaxMapPairs: MaxPayload}.DecMode()
	if err != nil {
		panic("decode: " + err.Error()) // the options are constants
	}
	return mode
}()

// cborScanner walks over CBOR that is known to be well-formed.
type cborScanner struct {
	data []byte
	pos  int
}

// head is what an item begins with: its major type and argument.
type head struct {
	major byte
	info  byte // 31: of indefinite length
	arg   uint64
}

func (s *cborScanner) head() head {
	c := s.data[s.pos]
	h := head{major: c >> 5, info: c & 31}
	s.pos++
	switch h.info {
	case 24:
		h.arg = uint64(s.data[s.pos])
		s.pos++
	case 25:
		h.arg = uint64(binary.BigEndian.Uint16(s.data[s.pos:]))
		s.pos += 2
	case 26:
		h.arg = uint64(binary.BigEndian.Uint32(s.data[s.pos:]))
		s.pos += 4
	case 27:
		h.arg = binary.BigEndian.Uint64(s.data[s.pos:])
		s.pos += 8
	default:
		h.arg = uint64(h.info)
	}
	return h
}

// items calls each for every item of an array or map whose head was read.
func (s *cborScanner) items(h head, each func() *Reject) *Reject {
	for i := uint64(0); h.info == cborIndefinite || i < h.arg; i++ {
		if h.info == cborIndefinite && s.data[s.pos] == cborBreak {
			s.pos++
			return nil
		}
		if reject := each(); reject != nil {
			return reject
		}
	}
	return nil
}

// skip passes over one item.
func (s *cborScanner) skip() {
	for left := uint64(1); left > 0; left-- {
		h := s.head()
		switch {
		case h.info == cborIndefinite && h.major != cborSimple:
			for s.data[s.pos] != cborBreak {
				s.skip()
			}
			s.pos++
		case h.major == cborBytes, h.major == cborText:
			s.pos += int(h.arg)
		case h.major == cborArray:
			left += h.arg
		case h.major == cborMap:
			left += 2 * h.arg
		case h.major == cborTag:
			left++
		}
	}
}

// str reads the text or bytes whose head was read; false if they come in
// pieces, which RFC 8428 section 6 does not allow.
func (s *cborScanner) str(h head) ([]byte, bool) {
	if h.info == cborIndefinite {
		return nil, false
	}
	start := s.pos
	s.pos += int(h.arg)
	return s.data[start:s.pos], true
}

// number reads an integer, a floating-point number or a decimal fraction.
func (s *cborScanner) number() (v float64, ok bool) {
	switch h := s.head(); h.major {
	case cborUnsigned:
		return float64(h.arg), true
	case cborNegative:
		return -1 - float64(h.arg), true
	case cborSimple:
		switch h.info {
		case 25:
			return half(uint16(h.arg)), true
		case 26:
			return float64(math.Float32frombits(uint32(h.arg))), true
		case 27:
			return math.Float64frombits(h.arg), true
		}
	case cborTag:
		if h.arg == cborDecimalFraction {
			return s.decimalFraction()
		}
	}
	return 0, false
}

// half reads IEEE 754 binary16.
func half(b uint16) float64 {
	mantissa, exponent := float64(b&0x3ff), int(b>>10&31)
	v := math.Ldexp(1+mantissa/1024, exponent-15)
	switch {
	case exponent == 0:
		v = math.Ldexp(mantissa, -24)
	case exponent == 31 && mantissa != 0:
		return math.NaN()
	case exponent == 31:
		v = math.Inf(1)
	}
	if b>>15 != 0 {
		return -v
	}
	return v
}

// decimalFraction reads [exponent, mantissa], which is mantissa · 10**exponent
// (RFC 8949 section 3.4.4), to the nearest double.
func (s *cborScanner) decimalFraction() (v float64, ok bool) {
	if h := s.head(); h.major != cborArray || h.info == cborIndefinite || h.arg != 2 {
		return 0, false
	}
	var room [48]byte
	exponent, mantissa := s.head(), s.head()
	text, ok := mantissa.appendInt(room[:0])
	if !ok {
		return 0, false
	}
	text, ok = exponent.appendInt(append(text, 'e'))
	if !ok {
		return 0, false
	}
	// ParseFloat does not keep its argument.
	v, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(text), len(text)), 64)
	return v, err == nil || errors.Is(err, strconv.ErrRange)
}

// appendInt writes an integer in decimal.
func (h head) appendInt(to []byte) ([]byte, bool) {
	switch {
	case h.major == cborUnsigned:
		return strconv.AppendUint(to, h.arg, 10), true
	case h.major == cborNegative && h.arg < math.MaxUint64:
		return strconv.AppendUint(append(to, '-'), h.arg+1, 10), true
	}
	return to, false
}

// cborPack reads a pack in CBOR (RFC 8428 section 6).
func (r *senmlReader) cborPack(payload []byte) *Reject {
	if err := cborChecker.Wellformed(payload); err != nil {
		return &Reject{BadCBOR, err.Error()}
	}
	s := &cborScanner{data: payload}
	h := s.head()
	if h.major == cborTag {
		h = s.head()
	}
	if h.major != cborArray {
		return &Reject{BadCBOR, "the payload is not an array of SenML records"}
	}
	return s.items(h, func() *Reject { return r.cborRecord(s) })
}

func (r *senmlReader) cborRecord(s *cborScanner) *Reject {
	h := s.head()
	if h.major != cborMap {
		return &Reject{BadCBOR, fmt.Sprintf("record %d is not a map", r.records+1)}
	}
	r.openRecord()
	if reject := s.items(h, func() *Reject { return r.cborPair(s) }); reject != nil {
		return reject
	}
	return r.closeRecord()
}

// cborPair reads a label and its value. Labels are the integers of table 4, or
// the names that JSON has.
func (r *senmlReader) cborPair(s *cborScanner) *Reject {
	h := s.head()
	label, known := senmlLabel(0), false
	switch h.major {
	case cborUnsigned:
		label, known = senmlLabel(h.arg), h.arg <= uint64(senmlDataValue)
	case cborNegative:
		label, known = -1-senmlLabel(h.arg), h.arg < 6
	case cborText:
		name, ok := s.str(h)
		if !ok {
			return &Reject{BadCBOR, fmt.Sprintf("record %d has a label in pieces", r.records)}
		}
		if label, known = senmlLabels[string(name)]; !known {
			if reject := unknownLabel(name); reject != nil {
				return reject
			}
		}
	default:
		return &Reject{BadCBOR, fmt.Sprintf("record %d has a label that is neither an integer nor a text", r.records)}
	}
	if !known {
		s.skip()
		return nil
	}
	return r.cborField(s, label)
}

// The simple values.
const (
	cborFalse     = 0xf4
	cborTrue      = 0xf5
	cborNull      = 0xf6
	cborUndefined = 0xf7
)

// cborField reads the value of a label. null is no value.
func (r *senmlReader) cborField(s *cborScanner, label senmlLabel) *Reject {
	c := s.data[s.pos]
	if c == cborNull || c == cborUndefined {
		s.pos++
		return nil
	}
	if reject := r.once(label); reject != nil {
		return reject
	}
	wrong := func(want string) *Reject {
		return &Reject{BadValue, fmt.Sprintf("record %d: label %d of RFC 8428 wants %s", r.records, label, want)}
	}
	switch {
	case label.number():
		v, ok := s.number()
		switch {
		case !ok:
			return wrong("a number")
		case math.IsNaN(v) || math.IsInf(v, 0):
			return &Reject{NotFinite, fmt.Sprintf("record %d: label %d of RFC 8428 is %v", r.records, label, v)}
		}
		return r.setNumber(label, v)
	case label == senmlBoolValue && (c == cborTrue || c == cborFalse):
		s.pos++
		r.record.truth = c == cborTrue
		return nil
	case label == senmlBoolValue:
		return wrong("true or false")
	case label == senmlDataValue:
		s.skip()
		return nil
	case c>>5 != cborText:
		return wrong("a text")
	}
	text, ok := s.str(s.head())
	switch {
	case !ok:
		return wrong("a text in one piece")
	case !utf8.Valid(text):
		return &Reject{NotUTF8, fmt.Sprintf("record %d has a text that is not UTF-8", r.records)}
	}
	r.setText(label, text)
	return nil
}
