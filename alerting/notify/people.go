package notify

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// Person is somebody who gets notices.
type Person struct {
	ID       string           `yaml:"id"`
	Name     zone.Name        `yaml:"name"`
	Language message.Language `yaml:"language"` // ar or en; default ar
	Role     rule.Role        `yaml:"role"`
	// Zones, Cities and Plants are what concerns the person: an alarm in any of
	// them. None at all: everything.
	Zones  []string `yaml:"zones"`
	Cities []string `yaml:"cities"`
	Plants []string `yaml:"plants"`
	// Contacts are addresses by the name of the channel.
	Contacts map[string]string `yaml:"contacts"`
	Quiet    Quiet             `yaml:"quiet"`
	Timezone string            `yaml:"timezone"` // IANA name; default Asia/Damascus
}

func (p Person) language() message.Language {
	if p.Language == "" {
		return message.Arabic
	}
	return p.Language
}

func (p Person) location() (*time.Location, error) {
	name := p.Timezone
	if name == "" {
		name = zone.DefaultTimezone
	}
	return time.LoadLocation(name)
}

func (v *checker) people(people []Person) {
	first := make(map[string]int)
	for i, p := range people {
		path := fmt.Sprintf("people[%d]", i)
		if v.id(path+".id", p.ID) {
			if j, taken := first[p.ID]; taken {
				v.add(path+".id", "%q is already the id of people[%d]", p.ID, j)
			} else {
				first[p.ID] = i
			}
		}
		v.person(path, p)
	}
}

func (v *checker) person(path string, p Person) {
	if p.Name.En == "" {
		v.add(path+".name.en", "missing; give the English name")
	}
	if p.Name.Ar == "" {
		v.add(path+".name.ar", "missing; give the Arabic name")
	}
	v.known(path+".language", "language", string(p.language()), []string{"ar", "en"})
	v.role(path+".role", p.Role)
	if p.Role == rule.PlantStaff && len(p.Plants) == 0 {
		v.add(path+".plants", "missing; name the plants that %s answers for", p.ID)
	}
	if p.Role == rule.ZoneManager && len(p.Zones)+len(p.Cities) == 0 {
		v.add(path+".zones", "missing; name the zones that %s answers for", p.ID)
	}
	if len(p.Contacts) == 0 {
		v.add(path+".contacts", "missing; give an address on at least one channel")
	}
	for _, name := range sortedKeys(p.Contacts) {
		if p.Contacts[name] == "" {
			v.add(path+".contacts."+name, "missing; give the address")
		}
	}
	if _, err := p.location(); err != nil || p.Timezone == "Local" {
		v.add(path+".timezone", "unknown time zone %q; use an IANA name such as %s", p.Timezone, zone.DefaultTimezone)
	}
	v.quiet(path+".quiet", p.Quiet)
}

func (v *checker) role(path string, r rule.Role) {
	if r == "" {
		v.add(path, "missing; use zone_manager, plant, utility, ministry or operations")
		return
	}
	known := make([]string, len(rule.Roles))
	for i, role := range rule.Roles {
		known[i] = string(role)
	}
	v.known(path, "role", string(r), known)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
