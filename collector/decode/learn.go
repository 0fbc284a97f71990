package decode

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// learn works out what a path stands for: what the source says, else what the
// profile knows, else a number of unknown meaning.
func (r *reader) learn(path string) (*field, error) {
	var keys []string
	if path != "" {
		keys = strings.Split(path, string(pathMark))
	}
	f := r.classify(keys)
	if r.source.utility != "" {
		f.utility = "" // the source knows better
	}
	if rule, ok := r.rule(keys); ok {
		f = rule.field(keys, f)
		if m := r.source.mapping; m != nil {
			m.leaveUnit(&f, rule, keys, r.item, r.open)
		}
	} else if r.source.mapping != nil {
		f = r.source.mapping.classify(keys, r.item, r.open)
	}
	if r.open && r.source.mapping.oneValueEach() {
		keys = slices.Concat(r.item, keys)
	}
	if f.role == unknown {
		f.name, f.convert.Factor = derived(orPath(keys, f.name)), 1
	}
	if f.unitKey != "" && f.convert == (meter.Conversion{}) {
		f.convert.Factor = 1 // the unit comes with the message
	} else if f.convert == (meter.Conversion{}) {
		convert, err := conversion(f.unit, f.name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", strings.Join(keys, "."), err)
		}
		f.convert = convert
	}
	if _, ok := meter.RegisterUnit(f.name); ok && f.role == register {
		f.measures = true
	}
	f.reg = r.register(f.name)
	if f.total != "" {
		f.whole = r.register(f.total)
	}
	f.other = derived(keys)
	return &f, nil
}

// fixed returns a field that is at no path of its own.
func (r *reader) fixed(name, unit string) *field {
	key := name + string(pathMark) // no path ends so
	f, ok := r.fields[key]
	if !ok {
		convert, err := conversion(unit, name)
		if err != nil {
			panic("decode: " + err.Error()) // name and unit are constants of a profile
		}
		f = &field{role: register, name: name, convert: convert, reg: r.register(name), other: name}
		r.fields[key] = f
	}
	return f
}

// orPath returns the path, or what the profile would have it called.
func orPath(keys []string, name string) []string {
	if name != "" {
		return []string{name}
	}
	return keys
}

func (r *reader) register(name string) *registerName {
	if name == "" {
		return nil
	}
	reg, ok := r.registers[name]
	if !ok {
		reg = &registerName{name: name}
		r.registers[name] = reg
	}
	return reg
}

// rule finds the source's own word on a path.
func (r *reader) rule(keys []string) (rule, bool) {
	for _, rule := range r.source.rules {
		if rule.matches(keys, r) {
			return rule, true
		}
	}
	return rule{}, false
}

// conversion returns how values in a unit become those of a register.
func conversion(unit, register string) (meter.Conversion, error) {
	if unit == "" {
		return meter.Conversion{Factor: 1}, nil
	}
	from, err := meter.ParseUnit(unit)
	if err != nil {
		return meter.Conversion{}, err
	}
	to, ok := meter.RegisterUnit(register)
	if !ok {
		return meter.Conversion{}, fmt.Errorf("the register %s has no unit in its name to convert %s into", register, from.Symbol)
	}
	c, err := from.ConversionTo(to)
	if err != nil {
		return meter.Conversion{}, fmt.Errorf("register %s: %w", register, err)
	}
	return c, nil
}

// rule is a Register of the configuration, ready for use.
type rule struct {
	Register
	keys    []string
	drop    bool
	convert meter.Conversion
}

// newRule checks what can be known beforehand. The error begins with the key.
func newRule(r Register) (rule, error) {
	c := rule{Register: r, drop: r.Register == "-"}
	if r.Path != "" {
		c.keys = splitPath(r.Path)
	}
	if c.drop {
		return c, nil
	}
	sample := c.expand([]string{"a"}) // any key will do
	switch {
	case !meter.ValidRegister(sample):
		return rule{}, fmt.Errorf("register: %q is not [a-z][a-z0-9_]{0,63}, or is reserved", r.Register)
	case r.Utility != "" && !r.Utility.Valid():
		return rule{}, fmt.Errorf("utility: unknown utility %q; known: %v", r.Utility, meter.Utilities)
	}
	if c.Scale == 0 {
		c.Scale = 1
	}
	convert, err := conversion(r.Unit, sample)
	if err != nil {
		return rule{}, fmt.Errorf("unit: %w", err)
	}
	c.convert = meter.Conversion{
		Factor: convert.Factor * c.Scale,
		Offset: convert.Convert(c.Offset),
	}
	return c, nil
}

// expand puts what the last * stood for into the register's name.
func (c rule) expand(star []string) string {
	name := c.Register.Register
	if len(star) == 0 {
		return name
	}
	last := star[len(star)-1]
	name = strings.ReplaceAll(name, "{key}", last)
	return strings.ReplaceAll(name, "{n}", oneBased(last))
}

// field is what the rule makes of a path; was is what the profile says.
func (c rule) field(keys []string, was field) field {
	if c.drop {
		return field{role: skipped}
	}
	var star []string
	for i, k := range c.keys {
		// The first keys of a path in a mapping are those of the whole reading.
		if at := len(keys) - len(c.keys) + i; k == "*" && at >= 0 {
			star = append(star, keys[at])
		}
	}
	f := field{role: register, name: c.expand(star), convert: c.convert, utility: c.Utility, quoted: true, words: c.Enum, channel: was.channel}
	if !meter.ValidRegister(f.name) {
		f.name = derived([]string{f.name})
	}
	return f
}

// matches tells whether the rule is about the path. What a profile wraps its
// values in, such as params or values, a rule may leave out.
func (c rule) matches(keys []string, r *reader) bool {
	want := c.keys
	if m := r.source.mapping; m != nil {
		rest, ok := m.leads(want, r.item, r.open)
		return ok && fits(rest, keys)
	}
	if fits(want, keys) {
		return true
	}
	for _, wrapper := range r.wrappers {
		if len(keys) > len(wrapper) && slices.Equal(keys[:len(wrapper)], wrapper) && fits(want, keys[len(wrapper):]) {
			return true
		}
	}
	return false
}

// fits compares keys with a path that may have * in it.
func fits(want, keys []string) bool {
	if len(want) != len(keys) {
		return false
	}
	for i := range want {
		if want[i] != "*" && want[i] != keys[i] {
			return false
		}
	}
	return true
}
