package zone

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// maxSerial bounds the number on a device, in bytes.
const maxSerial = 64

// validSerial takes what can be printed on a plate, and none.
func validSerial(s string) bool {
	printable := func(r rune) bool { return r != utf8.RuneError && unicode.IsPrint(r) }
	return len(s) <= maxSerial && s == strings.TrimSpace(s) && !strings.ContainsFunc(s, func(r rune) bool { return !printable(r) })
}

// fillSerials has the meter and its last replacement name the same device. What
// the files hold stays as it is.
func (m *Meter) fillSerials() {
	last := len(m.Replacements) - 1
	switch {
	case last < 0 || m.Replacements[last].Serial == m.Serial:
	case m.Serial == "":
		m.Serial = m.Replacements[last].Serial
	default:
		m.Replacements = slices.Clone(m.Replacements)
		m.Replacements[last].Serial = m.Serial
	}
}

// serial checks the number on a device. Two makers may give the same number, and
// one device may be two meters: numbers need not be unique.
func (c *checker) serial(at Place, s string) {
	if !validSerial(s) {
		c.add(at, "%s is no serial number; use what is printed on the device, at most %d bytes", excerpt(s), maxSerial)
	}
}

func (c *checker) replacements(at Place, m *Meter) {
	var before time.Time
	for i := range m.Replacements {
		r := &m.Replacements[i]
		at := Place{at.File, fmt.Sprintf("%s.replacements[%d]", at.Path, i)}
		switch {
		case r.At.IsZero():
			c.add(at.key("at"), "missing; give the time, such as 2026-11-23T17:00:00+03:00")
		case !r.At.After(before):
			c.add(at.key("at"), "does not lie after the replacement before; list them in their order")
		}
		if r.At.After(before) {
			before = r.At
		}
		c.serial(at.key("serial"), r.Serial)
		c.shown(at.key("final"), r.Final)
		c.shown(at.key("initial"), r.Initial)
	}
	if last := len(m.Replacements) - 1; last >= 0 && m.Serial != "" && m.Replacements[last].Serial != "" && m.Replacements[last].Serial != m.Serial {
		c.add(at.key("serial"), "%s is not the serial number of the last replacement, %s", excerpt(m.Serial), excerpt(m.Replacements[last].Serial))
	}
}

// shown checks what counters showed.
func (c *checker) shown(at Place, counters map[string]float64) {
	for _, register := range slices.Sorted(maps.Keys(counters)) {
		switch v := counters[register]; {
		case !meter.ValidRegister(register):
			c.add(at, "%s is no register; use the name of a counter, such as energy_import_kwh", excerpt(register))
		case !countsUp(register):
			c.add(at.key(register), "%s is no counter; give energy, a volume or hours", register)
		case !physical(v):
			c.add(at.key(register), "%s cannot show %v; give what it showed, 0 or more", register, v)
		}
	}
}

// countsUp tells whether a register may be a counter, by the unit in its name.
func countsUp(register string) bool {
	u, known := meter.RegisterUnit(register)
	switch u.Dimension {
	case meter.Energy, meter.ReactiveEnergy, meter.ApparentEnergy, meter.Volume, meter.Mass, meter.Duration:
		return true
	}
	return !known
}
