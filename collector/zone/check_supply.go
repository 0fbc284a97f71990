package zone

import (
	"fmt"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// once checks the id of something that is no object and that it is given once.
func (c *checker) once(at Place, id, what string, seen map[string]Place) {
	if !c.id(at.key("id"), id) {
		return
	}
	if first, twice := seen[id]; twice {
		c.addSee(at.key("id"), first, "%q is already the id of a %s; ids are unique in the whole registry", id, what)
		return
	}
	seen[id] = at
}

func (c *checker) rationing(file int, f *File) {
	for i, o := range f.Rationing {
		at := Place{file, fmt.Sprintf("rationing[%d]", i)}
		c.once(at, o.ID, "rationing rule", c.rules)
		c.rationed(at, o, f.City.ID)
		c.blocks(at, o, f.City.Timezone)
		if o.Stage < 0 {
			c.add(at.key("stage"), "%d is impossible; give the announced stage from which the rule holds, or 0 for always", o.Stage)
		}
		if !o.ValidFrom.IsZero() && !o.ValidTo.IsZero() && !o.ValidFrom.Before(o.ValidTo) {
			c.add(at.key("valid_to"), "does not lie after valid_from")
		}
		c.instant(at.key("valid_from"), o.ValidFrom)
		c.instant(at.key("valid_to"), o.ValidTo)
	}
}

// rationed checks which feeders a rule is about.
func (c *checker) rationed(at Place, o Rationing, city string) {
	switch {
	case o.Zone == "" && len(o.Feeders) == 0:
		c.add(at.key("feeders"), "missing; name feeders, or a zone for all of its feeders")
		return
	case o.Zone != "" && len(o.Feeders) > 0:
		c.add(at.key("zone"), "the rule names feeders, too; remove one of the two")
	case o.Zone != "":
		c.zone(at.key("zone"), o.Zone, city)
	}
	for i, id := range o.Feeders {
		at := Place{at.File, fmt.Sprintf("%s.feeders[%d]", at.Path, i)}
		if e, ok := c.reference(at, id, "rationing cuts", FeederKind); ok {
			c.ownCity(at, e, city)
		}
	}
}

// ownCity checks that what a key names lies in the file's own city.
func (c *checker) ownCity(at Place, e entry, city string) {
	if e.City != city {
		c.addSee(at, e.Place, "%s %q belongs to city %s; list this in that city's file", e.Kind.words(), e.ID, excerpt(e.City))
	}
}

// blocks checks when a rule cuts.
func (c *checker) blocks(at Place, o Rationing, timezone string) {
	cycle := o.Cycle != Cycle{}
	var given []string
	for _, way := range []struct {
		name  string
		given bool
	}{{"rrule", o.RRule != ""}, {"cycle", cycle}, {"exempt", o.Exempt}} {
		if way.given {
			given = append(given, way.name)
		}
	}
	switch {
	case len(given) == 0:
		c.add(at.key("rrule"), "missing; give an rrule or a cycle, or say exempt: true")
	case len(given) > 1:
		c.add(at.key(given[1]), "the rule has %s; keep one of them", strings.Join(given, " and "))
	case cycle:
		c.cycleOf(at.key("cycle"), o.Cycle)
	}
	if o.RRule != "" {
		c.recurrence(at, o, timezone)
	} else if o.Off != 0 {
		c.add(at.key("off"), "this is how long the blocks of an rrule last, and there is none")
	}
}

func (c *checker) recurrence(at Place, o Rationing, timezone string) {
	loc, ok := locate(timezone)
	if !ok {
		loc = time.UTC // the time zone is a problem of its own
	}
	if _, err := parseRecurrence(o.RRule, loc, o.ValidFrom); err != nil {
		c.add(at.key("rrule"), "cannot be read: %v", err)
	}
	c.off(at.key("off"), o.Off)
}

func (c *checker) cycleOf(at Place, o Cycle) {
	c.off(at.key("off"), o.Off)
	switch {
	case o.On == 0:
		c.add(at.key("on"), "missing; say how long the power is on, such as 2h")
	case o.On < time.Minute || o.On > maxOff:
		c.add(at.key("on"), "%v is impossible; give 1m to %v", o.On, maxOff)
	}
	if o.Anchor.IsZero() {
		c.add(at.key("anchor"), "missing; give the beginning of a time off, such as 2026-11-23T06:00:00+03:00")
	}
	c.instant(at.key("anchor"), o.Anchor)
}

// off checks the length of a cut.
func (c *checker) off(at Place, d time.Duration) {
	switch {
	case d == 0:
		c.add(at, "missing; say how long the power is off, such as 4h")
	case d < time.Minute || d > maxOff:
		c.add(at, "%v is impossible; give 1m to %v", d, maxOff)
	}
}

// instant refuses years in which no clock was ever right: arithmetic with them
// overflows.
func (c *checker) instant(at Place, t time.Time) {
	if !inYears(t) {
		c.add(at, "the year %d is impossible", t.Year())
	}
}

func (c *checker) tankers(file int, f *File) {
	for i, o := range f.Tankers {
		at := Place{file, fmt.Sprintf("tankers[%d]", i)}
		c.once(at, o.ID, "tanker", c.loads)
		if o.ETA.IsZero() {
			c.add(at.key("eta"), "missing; say when it is expected, such as 2026-11-23T14:00:00+03:00")
		}
		c.instant(at.key("eta"), o.ETA)
		switch {
		case o.VolumeL == 0:
			c.add(at.key("volume_l"), "missing; give the litres on the ticket")
		case !physical(o.VolumeL):
			c.add(at.key("volume_l"), "%v is impossible; give the litres on the ticket, above 0", o.VolumeL)
		}
		if tank, ok := c.reference(at.key("tank"), o.Tank, "a tanker goes to", TankKind); ok {
			c.ownCity(at.key("tank"), tank, f.City.ID)
			c.fits(at, o, tank)
		}
	}
}

// fits refuses a load that no truck would bring to the tank.
func (c *checker) fits(at Place, o Tanker, tank entry) {
	if holds := c.holds[o.Tank]; holds == meter.Water {
		c.addSee(at.key("tank"), tank.Place, "tank %q holds water; a tanker brings fuel", o.Tank)
		return
	}
	if room := 1000 * c.room[o.Tank]; room > 0 && o.VolumeL > room {
		c.addSee(at.key("volume_l"), tank.Place, "%v l do not fit into tank %q of %v l", o.VolumeL, o.Tank, room)
	}
}
