package decode

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// senmlField is a field at a name and unit of a pack.
type senmlField struct {
	field
	device []byte
	at     int // where it is in the reading that had it last

	route  *route // from which it was last read, and whose meter that is
	series *meter.Series
}

// What a record may give a number by; each is a field of its own.
const (
	kindValue = 'v'
	kindSum   = 's'
	kindBool  = 'b'
	kindText  = 't'
)

// maxUnit bounds the length of a unit, in bytes.
const maxUnit = 64

// field returns what the record's name and unit stand for.
func (r *senmlReader) field(kind byte) (*senmlField, *Reject) {
	base, name, unit := r.base.name, r.record.name, r.record.unit
	switch {
	case len(base)+len(name) > maxPath:
		return nil, &Reject{BadName, fmt.Sprintf("the name %q… is longer than %d bytes", clip(string(base)+string(name)), maxPath)}
	case len(unit) > maxUnit:
		return nil, &Reject{BadUnit, fmt.Sprintf("the unit %q… is longer than %d bytes", clip(string(unit)), maxUnit)}
	}
	// The lengths keep what they separate apart, whatever is in it.
	key := append(r.cacheKey[:0], kind, byte(r.utilityCode()))
	key = binary.BigEndian.AppendUint16(key, uint16(len(base)))
	key = binary.BigEndian.AppendUint16(key, uint16(len(name)))
	key = append(key, base...)
	key = append(key, name...)
	key = append(key, unit...)
	r.cacheKey = key
	if f, ok := r.known[string(key)]; ok {
		return f, nil
	}
	if r.learned == maxLearned {
		return nil, &Reject{TooLarge, fmt.Sprintf("more than %d different values", maxLearned)}
	}
	r.learned++
	f, reject := r.learnRecord(kind, string(base)+string(name), len(base), string(unit))
	if reject == nil {
		r.known[string(key)] = f
	}
	return f, reject
}

// utilityCode tells the utilities of topics apart, for registers are named by
// them; 0 if there is none.
func (r *senmlReader) utilityCode() int {
	return 1 + slices.Index(meter.Utilities, r.to.utility)
}

// learnRecord works out what a name and unit stand for: what the source says,
// else what the unit makes of the name.
func (r *senmlReader) learnRecord(kind byte, name string, base int, unit string) (*senmlField, *Reject) {
	if !legalSenML(name) {
		return nil, &Reject{BadName, fmt.Sprintf("the name %q is not [A-Za-z0-9][A-Za-z0-9:./_-]*", clip(name))}
	}
	device, part := splitSenML(name, base, r.topical)
	key := strings.Join([]string{string(kind), string(r.to.utility), device, part, unit}, string(pathMark))
	if f, ok := r.resolved[key]; ok {
		return f, nil
	}
	f, err := r.named(kind, name, part, unit)
	if err != nil {
		return nil, &Reject{BadUnit, fmt.Sprintf("%s: %v", name, err)}
	}
	own := &senmlField{field: f, device: []byte(device)}
	if f.role != skipped {
		own.reg = r.register(f.name)
		own.other = r.reserve(kind, name, unit)
	}
	r.resolved[key] = own
	return own, nil
}

// named finds the register and the conversion.
func (r *senmlReader) named(kind byte, name, part, unit string) (field, error) {
	sent := senmlUnitOf(unit)
	if kind == kindSum {
		sent = sent.integral(unit)
	}
	utility := r.to.utility
	if rule, keys, ok := r.ruleFor(kind, name, part); ok {
		f := rule.field(keys, field{})
		if f.role == skipped || rule.Unit != "" || kind == kindBool || kind == kindText {
			return f, nil
		}
		convert, err := sent.conversion(f.name)
		if err != nil {
			return field{}, err
		}
		// The source's scale and offset come before the unit of the record.
		f.convert = meter.Conversion{Factor: convert.Factor * f.convert.Factor, Offset: convert.Convert(f.convert.Offset)}
		return f, nil
	}
	f := field{role: register, convert: meter.Conversion{Factor: 1}, utility: r.utilityOf(name, part)}
	if f.utility != "" {
		utility = f.utility
	}
	switch kind {
	case kindText:
		f.role = skipped
	case kindBool:
		f.name = registerOf(part, senmlUnit{}, utility)
	default:
		if kind == kindSum {
			part = sumOf(part, sent)
		}
		f.name = registerOf(part, sent, utility)
		var err error
		if f.convert, err = sent.conversion(f.name); err != nil {
			return field{}, err
		}
	}
	return f, nil
}

// ruleFor finds the source's own word on a value: its path is the whole name or
// the part that is the register's; that of a sum has .s behind it.
func (r *senmlReader) ruleFor(kind byte, name, part string) (rule, []string, bool) {
	for _, keys := range [][]string{{name}, {part}} {
		if kind == kindSum {
			keys = append(keys, "s")
		}
		if found, ok := r.rule(keys); ok {
			return found, keys, true
		}
	}
	return rule{}, nil, false
}

// utilityOf returns the utility that the source names for the value of a name,
// which is that of its sum as well.
func (r *senmlReader) utilityOf(name, part string) meter.Utility {
	found, _, _ := r.ruleFor(kindValue, name, part)
	return found.Utility
}

// reserve returns the name that a value gets if another one has its register:
// made of the whole of its name, and of nothing else's.
func (r *senmlReader) reserve(kind byte, name, unit string) string {
	sent, whole := senmlUnitOf(unit), derived([]string{name})
	if kind == kindSum {
		sent, whole = sent.integral(unit), whole+"_sum"
	}
	other := registerOf(whole, sent, "")
	if r.names[other] {
		other = shorten(other[:min(len(other), meter.MaxNameLen-hashLen)]+hash("_", string(kind)+name+unit), "")
	}
	r.names[other] = true
	return other
}

// legalSenML tells whether a name follows RFC 8428 section 4.5.1.
func legalSenML(name string) bool {
	for i := range len(name) {
		if c := name[i]; !legalInID(c, i == 0) && (c != '/' || i == 0) {
			return false
		}
	}
	return name != ""
}

// splitSenML tells the device in a name from its register: that is what follows
// the last / or :, or the last two where the last is a phase (voltage/l1). A
// device URN (RFC 9039) or another URN, an IPv6 address and a MAC are never cut;
// the components of a device URN, behind _, are of the register. A name in one
// piece is the device, unless the topic names that; base is the length of the
// base name, whose end is the border where there is no other.
func splitSenML(name string, base int, topical bool) (device, part string) {
	root := rootOf(name)
	if root == len(name) {
		return strings.TrimRight(name, ":/"), ""
	}
	at := strings.LastIndexAny(name, ":/")
	if phase[strings.ToLower(name[at+1:])] && at > root {
		if before := strings.LastIndexAny(name[:at], ":/"); before >= root && before > 0 {
			at = before
		}
	}
	switch {
	case root > 0 && at < root:
		return name[:root], strings.TrimLeft(name[root:], "_")
	case at >= 0:
		return strings.TrimRight(name[:at], ":/"), name[at+1:]
	case base > 0 && base < len(name):
		return strings.TrimRight(name[:base], "-_."), name[base:]
	case base > 0 || !topical:
		return name, ""
	}
	return "", name
}

var phase = map[string]bool{"l1": true, "l2": true, "l3": true, "l12": true, "l23": true, "l31": true}

// rootOf returns the length of what a name begins with that is the device's
// and has colons in it; 0: nothing of that kind.
func rootOf(name string) int {
	if parts := strings.SplitN(name, ":", 5); strings.EqualFold(parts[0], "urn") {
		fixed := 2
		if len(parts) > 1 && strings.EqualFold(parts[1], "dev") {
			fixed = 3
		}
		if len(parts) <= fixed {
			return len(name)
		}
		root := len(strings.Join(parts[:fixed], ":")) + 1
		if end := strings.IndexAny(name[root:], ":/_"); end >= 0 && (fixed == 3 || name[root+end] != '_') {
			return root + end
		}
		return len(name)
	}
	if first, _, _ := strings.Cut(name, "/"); isAddress(first) {
		return len(first)
	}
	return 0
}

// isAddress tells whether a text is an IPv6 address (RFC 5952) or a MAC with
// colons.
func isAddress(text string) bool {
	if !strings.Contains(text, ":") {
		return false
	}
	if _, err := netip.ParseAddr(text); err == nil {
		return true
	}
	parts := strings.Split(text, ":")
	return len(parts) >= 6 && !slices.ContainsFunc(parts, func(p string) bool {
		return len(p) != 2 || strings.Trim(p, "0123456789abcdefABCDEF") != ""
	})
}
