package decode

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unsafe"
)

// maxDepth bounds the nesting of values that are passed over.
const maxDepth = 32

// scanner reads JSON (RFC 8259) in one pass and without building a tree. It
// is for payloads whose shape is known; strings and numbers it returns alias
// the data.
type scanner struct {
	data []byte
	pos  int
}

func (s *scanner) fail(want string) *Reject {
	s.space()
	if s.pos >= len(s.data) {
		return &Reject{BadJSON, fmt.Sprintf("the payload ends at byte %d; expected %s", len(s.data), want)}
	}
	return &Reject{BadJSON, fmt.Sprintf("byte %d is %q; expected %s", s.pos, s.data[s.pos], want)}
}

// wrongType tells malformed JSON from a well-formed value of the wrong kind.
func (s *scanner) wrongType(what, want string) *Reject {
	start := s.pos
	if reject := s.skip(0); reject != nil {
		return reject
	}
	found := clip(string(s.data[start:s.pos]))
	return &Reject{BadValue, fmt.Sprintf("%s is %s; want %s", what, found, want)}
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// peek returns the next byte that is not space; 0 at the end.
func (s *scanner) peek() byte {
	s.space()
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

func (s *scanner) open(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.pos++
	return true
}

func (s *scanner) atEnd() bool {
	s.space()
	return s.pos == len(s.data)
}

// key reads the next key of an object and its colon; end tells that the
// object is over.
func (s *scanner) key(first bool) (key []byte, end bool, reject *Reject) {
	c := s.peek()
	if c == '}' {
		s.pos++
		return nil, true, nil
	}
	if !first {
		if c != ',' {
			return nil, false, s.fail("a comma or }")
		}
		s.pos++
		c = s.peek()
	}
	if c != '"' {
		return nil, false, s.fail("a key in quotes")
	}
	key, reject = s.str()
	if reject == nil && !s.open(':') {
		reject = s.fail("a colon")
	}
	return key, false, reject
}

// str reads a string; the next byte is known to be a quote.
func (s *scanner) str() ([]byte, *Reject) {
	start := s.pos
	for i := start + 1; i < len(s.data); i++ {
		switch c := s.data[i]; {
		case c == '"':
			s.pos = i + 1
			return s.data[start+1 : i], nil
		case c == '\\':
			return s.escaped()
		case c < 0x20:
			s.pos = i
			return nil, &Reject{BadJSON, fmt.Sprintf("control character %#02x in a string at byte %d", c, i)}
		}
	}
	s.pos = len(s.data)
	return nil, s.fail("the end of a string")
}

// escaped reads a string with backslashes in it, which meters do not send;
// it may be slow.
func (s *scanner) escaped() ([]byte, *Reject) {
	start := s.pos
	for i := start + 1; i < len(s.data); i++ {
		if s.data[i] == '\\' {
			i++
			continue
		}
		if s.data[i] == '"' {
			s.pos = i + 1
			var text string
			if err := json.Unmarshal(s.data[start:s.pos], &text); err != nil {
				return nil, &Reject{BadJSON, fmt.Sprintf("string at byte %d: %v", start, err)}
			}
			return []byte(text), nil
		}
	}
	s.pos = len(s.data)
	return nil, s.fail("the end of a string")
}

// value reads a register's value: a finite number, or a boolean as 1 or 0.
func (s *scanner) value(register string) (float64, *Reject) {
	switch c := s.peek(); {
	case c >= '0' && c <= '9' || c == '-' && !s.literal("-Infinity"):
		return s.number(register)
	case s.literal("true"):
		s.pos += len("true")
		return 1, nil
	case s.literal("false"):
		s.pos += len("false")
		return 0, nil
	}
	for _, word := range []string{"NaN", "nan", "Infinity", "inf", "Inf", "-Infinity"} {
		if s.literal(word) {
			return 0, &Reject{NotFinite, fmt.Sprintf("%s is %s", register, word)}
		}
	}
	return 0, s.wrongType(register, "a number or a boolean")
}

// literal tells whether word comes next, as a whole word.
func (s *scanner) literal(word string) bool {
	end := s.pos + len(word)
	if end > len(s.data) || string(s.data[s.pos:end]) != word {
		return false
	}
	return end == len(s.data) || !letter(s.data[end])
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// number reads a finite number.
func (s *scanner) number(what string) (float64, *Reject) {
	text, ok := s.numberText()
	if !ok {
		return 0, s.fail("a number")
	}
	// ParseFloat does not keep its argument.
	f, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(text), len(text)), 64)
	if errors.Is(err, strconv.ErrRange) || math.IsInf(f, 0) {
		return 0, &Reject{NotFinite, fmt.Sprintf("%s is %s, beyond a double's range", what, clip(string(text)))}
	}
	if err != nil {
		return 0, &Reject{BadJSON, fmt.Sprintf("%s: %v", what, err)}
	}
	return f, nil
}

// numberText reads what RFC 8259 section 6 calls a number. On failure pos is
// at the byte that does not fit.
func (s *scanner) numberText() ([]byte, bool) {
	start := s.pos
	if s.pos < len(s.data) && s.data[s.pos] == '-' {
		s.pos++
	}
	whole := s.pos
	if !s.digits() {
		return nil, false
	}
	if s.data[whole] == '0' && s.pos > whole+1 {
		s.pos = whole + 1
		return nil, false
	}
	if s.pos < len(s.data) && s.data[s.pos] == '.' {
		s.pos++
		if !s.digits() {
			return nil, false
		}
	}
	if s.pos < len(s.data) && s.data[s.pos]|0x20 == 'e' {
		s.pos++
		if s.pos < len(s.data) && (s.data[s.pos] == '+' || s.data[s.pos] == '-') {
			s.pos++
		}
		if !s.digits() {
			return nil, false
		}
	}
	return s.data[start:s.pos], true
}

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.data) && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}

// smallInt reads a whole number of up to 18 digits; if what comes is anything
// else it reads nothing.
func (s *scanner) smallInt() (int64, bool) {
	start := s.pos
	text, ok := s.numberText()
	if ok && len(text) <= 18 {
		v, err := strconv.ParseInt(unsafe.String(unsafe.SliceData(text), len(text)), 10, 64)
		if err == nil {
			return v, true
		}
	}
	s.pos = start
	return 0, false
}

// integer reads a whole number.
func (s *scanner) integer(what string) (int64, *Reject) {
	s.space()
	if v, ok := s.smallInt(); ok {
		return v, nil
	}
	return 0, s.wrongType(what, "a whole number of at most 18 digits")
}

func (s *scanner) boolean(what string) (bool, *Reject) {
	switch s.space(); {
	case s.literal("true"):
		s.pos += len("true")
		return true, nil
	case s.literal("false"):
		s.pos += len("false")
		return false, nil
	}
	return false, s.wrongType(what, "true or false")
}

// skip passes over one value of any kind.
func (s *scanner) skip(depth int) *Reject {
	if depth > maxDepth {
		return &Reject{TooDeep, fmt.Sprintf("nested more than %d levels deep at byte %d", maxDepth, s.pos)}
	}
	switch c := s.peek(); {
	case c == '{':
		return s.skipObject(depth)
	case c == '[':
		return s.skipArray(depth)
	case c == '"':
		_, reject := s.str()
		return reject
	case c == '-' || c >= '0' && c <= '9':
		if _, ok := s.numberText(); !ok {
			return s.fail("a number")
		}
		return nil
	}
	for _, word := range []string{"true", "false", "null"} {
		if s.literal(word) {
			s.pos += len(word)
			return nil
		}
	}
	return s.fail("a value")
}

func (s *scanner) skipObject(depth int) *Reject {
	s.pos++
	for first := true; ; first = false {
		_, end, reject := s.key(first)
		if reject != nil || end {
			return reject
		}
		if reject := s.skip(depth + 1); reject != nil {
			return reject
		}
	}
}

func (s *scanner) skipArray(depth int) *Reject {
	s.pos++
	for first := true; ; first = false {
		if s.open(']') {
			return nil
		}
		if !first && !s.open(',') {
			return s.fail("a comma or ]")
		}
		if !first && s.peek() == ']' {
			return s.fail("a value")
		}
		if reject := s.skip(depth + 1); reject != nil {
			return reject
		}
	}
}
