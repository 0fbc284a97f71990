package decode

import (
	"bytes"
	"fmt"
	"strings"
)

// plainValue reads a payload that is one value and nothing around it.
func (r *reader) plainValue(s *scanner) *Reject {
	r.begin()
	reject := r.plainText(bytes.TrimSpace(s.data))
	r.end()
	return reject
}

func (r *reader) plainText(text []byte) *Reject {
	f, reject := r.field()
	if reject != nil || f.role == skipped {
		return reject
	}
	v, ok, reject := quotedNumber(f.unpadded(text), f.name)
	switch {
	case reject != nil:
		return reject
	case ok && f.role != clock:
		return r.add(f, v)
	case f.role == clock:
		return r.text(f, text)
	}
	if v, ok := r.plainWord(f, text); ok {
		return r.add(f, v)
	}
	switch word := strings.ToLower(string(text)); {
	case strings.HasSuffix(word, "nan"), strings.HasSuffix(word, "inf"), strings.HasSuffix(word, "infinity"):
		return &Reject{NotFinite, fmt.Sprintf("%s is %s", f.name, clip(word))}
	case !r.numbersOnly && !f.quoted && (f.role == unknown || f.words != nil || word == "none" || word == "null" || word == ""):
		return nil // a text beside the numbers, or no value at present
	}
	return &Reject{BadValue, fmt.Sprintf("%s is %q; want a number without thousands separators, or true, false, on, off", f.name, clip(string(text)))}
}

// plainWord reads the words for yes and no, and those of the source. On and off
// may be a mode of which nobody knows what it says.
func (r *reader) plainWord(f *field, text []byte) (float64, bool) {
	if v, ok := f.words[string(text)]; ok {
		return v, true
	}
	known := r.numbersOnly || f.role == register
	switch word := strings.ToLower(string(text)); {
	case word == "true", known && word == "on":
		return 1, true
	case word == "false", known && word == "off":
		return 0, true
	}
	return 0, false
}
