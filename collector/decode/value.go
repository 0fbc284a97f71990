package decode

import (
	"errors"
	"slices"
)

// valueFormat reads a payload that is a number and nothing else, from whatever
// publishes one value a topic:
//
//	plant/hall-1/active_power_kw    431.2        topics: ["plant/{meter}/{register}"]
//
// true, on, false and off are 1 and 0. A thousands separator or a decimal comma
// is refused, for 1,234 is either. The time is that of receipt, and a retained
// message is ignored.
var valueFormat = format{
	name: "value", numbersOnly: true,
	place:    valuePlace,
	classify: func([]string) field { return field{} },
}

func valuePlace(_ []string, captured map[string]string) place {
	p := place{plain: true, partial: true}
	if name := captured["register"]; name != "" {
		p.prefix = []string{name}
	}
	return p
}

var errNamelessValue = errors.New("capture {register} in every topic, or give one register without a path")

// namesValue tells whether every value gets a register.
func (c *compiled) namesValue(s Source) error {
	captured := !slices.ContainsFunc(c.patterns, func(p pattern) bool { return !p.captures("register") })
	if captured || slices.ContainsFunc(s.Registers, func(r Register) bool { return r.Path == "" }) {
		return nil
	}
	return errNamelessValue
}
