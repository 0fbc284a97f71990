package zone

import (
	"fmt"
	"math"
	"time"
	_ "time/tzdata" // a minimal container has no time zones of its own

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// DefaultTimezone is where all four cities lie.
const DefaultTimezone = "Asia/Damascus"

// Fuels lists what a fuel tank may hold.
var Fuels = []string{"mazut", "diesel", "fuel_oil"}

// Check cross-checks a whole registry and returns every problem found: ids,
// names, references, cycles, numbers and enumerated values. File indexes in
// the result refer to files.
func Check(files []*File) []Problem {
	c := &checker{
		files: files,
		index: make(map[string]entry),
		ids:   make(map[Kind][]string),
		holds: make(map[string]meter.Utility),
		room:  make(map[string]float64),
		rules: make(map[string]Place),
		loads: make(map[string]Place),
	}
	for i, f := range files {
		c.identify(i, f)
	}
	for i, f := range files {
		c.city(i, f)
		c.electricity(i, f)
		c.water(i, f)
		c.tanks(i, f)
		c.plants(i, f)
		c.rationing(i, f)
	}
	for i, f := range files {
		c.tankers(i, f)
	}
	c.meters()
	c.cycles()
	return c.problems
}

// identify checks what all objects have in common and fills the index.
func (c *checker) identify(file int, f *File) {
	for path, o := range f.objects() {
		at := Place{file, path}
		c.name(at.key("name"), o.Name)
		if !c.id(at.key("id"), o.ID) {
			continue
		}
		if first, taken := c.index[o.ID]; taken {
			c.addSee(at.key("id"), first.Place, "%q is already the id of a %s; ids are unique in the whole registry", o.ID, first.Kind.words())
			continue
		}
		c.index[o.ID] = entry{o, at}
		c.ids[o.Kind] = append(c.ids[o.Kind], o.ID)
	}
}

func (c *checker) id(at Place, id string) bool {
	switch {
	case id == "":
		c.add(at, "missing; give an id")
	case !meter.ValidID(id):
		c.add(at, "%s is no id; use 1 to %d letters, digits and . _ : -, beginning with a letter or digit", excerpt(id), meter.MaxNameLen)
	default:
		return true
	}
	return false
}

func (c *checker) name(at Place, n Name) {
	if n.En == "" {
		c.add(at.key("en"), "missing; give the English name")
	}
	if n.Ar == "" {
		c.add(at.key("ar"), "missing; give the Arabic name")
	}
}

func (c *checker) city(file int, f *File) {
	if _, ok := locate(f.City.Timezone); !ok {
		c.add(Place{file, "city.timezone"}, "unknown time zone %s; use an IANA name such as %s", excerpt(f.City.Timezone), DefaultTimezone)
	}
	for i, h := range f.City.Holidays {
		c.holiday(Place{file, fmt.Sprintf("city.holidays[%d]", i)}, h)
	}
	for i, o := range f.Zones {
		at := Place{file, fmt.Sprintf("zones[%d].contract", i)}
		c.quantity(at.key("power_kw"), o.Contract.PowerKW)
		c.quantity(at.key("water_m3_per_day"), o.Contract.WaterM3PerD)
		c.quantity(at.key("fuel_l_per_day"), o.Contract.FuelLPerD)
	}
}

// locate loads a city's time zone; the empty one is the default.
func locate(timezone string) (loc *time.Location, ok bool) {
	if timezone == "" {
		timezone = DefaultTimezone
	}
	loc, err := time.LoadLocation(timezone)
	return loc, err == nil && timezone != "Local"
}

func (c *checker) holiday(at Place, h Holiday) {
	c.name(at.key("name"), h.Name)
	if h.From == (Date{}) {
		c.add(at.key("from"), "missing; give the first day, such as 2027-03-20")
	} else if h.To != (Date{}) && h.To.midnight().Before(h.From.midnight()) {
		c.add(at.key("to"), "lies before the first day")
	}
}

// quantity refuses numbers that nothing physical has. Zero means unknown.
func (c *checker) quantity(at Place, n float64) {
	if !physical(n) {
		c.add(at, "%v is impossible; give a number of 0 or more", n)
	}
}

func physical(n float64) bool { return n >= 0 && !math.IsInf(n, 0) }
