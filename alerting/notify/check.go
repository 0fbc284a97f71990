package notify

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/collector/zone/spelling"
)

// checker collects mistakes, each beginning with the path of its key.
type checker struct{ errs []error }

func (v *checker) add(path, format string, args ...any) {
	v.errs = append(v.errs, fmt.Errorf("%s: %w", path, fmt.Errorf(format, args...)))
}

func (v *checker) span(path string, d, least, most time.Duration) {
	if d < least || d > most {
		v.add(path, "%v is out of range; use %v to %v", d, least, most)
	}
}

func (v *checker) number(path string, n, least, most int) {
	if n < least || n > most {
		v.add(path, "%d is out of range; use %d to %d", n, least, most)
	}
}

func (v *checker) id(path, id string) bool {
	switch {
	case id == "":
		v.add(path, "missing; give an id")
	case !meter.ValidID(id):
		v.add(path, "%q is no id; use 1 to %d letters, digits and . _ : -, beginning with a letter or digit", id, meter.MaxNameLen)
	default:
		return true
	}
	return false
}

// known reports a word that is not among those there are.
func (v *checker) known(path, what, word string, known []string) {
	if slices.Contains(known, word) {
		return
	}
	hint := ""
	if near, ok := spelling.Nearest(word, known); ok {
		hint = fmt.Sprintf("; did you mean %q?", near)
	} else if len(known) > 0 && len(known) <= 12 {
		hint = "; use " + strings.Join(known, ", ")
	}
	v.add(path, "there is no %s %q%s", what, word, hint)
}

func (v *checker) allKnown(path, what string, words, known []string) {
	for i, w := range words {
		v.known(fmt.Sprintf("%s[%d]", path, i), what, w, known)
	}
}

// Check reports every mistake that takes the registry and the channels to be
// seen: places that do not exist, channels that are not configured, people
// whom a route cannot reach. Paths are those of Validate.
func (c Config) Check(reg *zone.Registry, channels []string) error {
	v := &checker{}
	var zones, cities, plants []string
	for _, z := range reg.Zones() {
		zones = append(zones, z.ID)
	}
	for _, o := range reg.Cities() {
		cities = append(cities, o.ID)
	}
	for _, o := range reg.Plants() {
		plants = append(plants, o.ID)
	}
	for i, p := range c.People {
		path := fmt.Sprintf("people[%d]", i)
		v.allKnown(path+".zones", "zone", p.Zones, zones)
		v.allKnown(path+".cities", "city", p.Cities, cities)
		v.allKnown(path+".plants", "plant", p.Plants, plants)
		for _, name := range sortedKeys(p.Contacts) {
			v.known(path+".contacts."+name, "channel", name, channels)
		}
		v.reachable(path, p, c.Routes)
	}
	for i, r := range c.Routes {
		path := fmt.Sprintf("routes[%d]", i)
		v.allKnown(path+".zones", "zone", r.Zones, zones)
		v.allKnown(path+".channels", "channel", r.Channels, channels)
	}
	for i, e := range c.Escalations {
		v.allKnown(fmt.Sprintf("escalations[%d].zones", i), "zone", e.Zones, zones)
	}
	return errors.Join(v.errs...)
}

// reachable reports a person who has no address for any channel of a route
// that was written for his role.
func (v *checker) reachable(path string, p Person, routes []Route) {
	for _, r := range routes {
		if len(r.Channels) == 0 || !slices.Contains(r.Roles, p.Role) {
			continue
		}
		if !slices.ContainsFunc(r.Channels, func(ch string) bool { return p.Contacts[ch] != "" }) {
			v.add(path+".contacts", "no address for %s, over which route %q reaches the role %s", strings.Join(r.Channels, " or "), r.Name, p.Role)
		}
	}
}
