package zone

import (
	"fmt"
	"slices"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// measures says what a utility's meters may stand at.
var measures = map[meter.Utility][]Kind{
	meter.Electricity: {SubstationKind, FeederKind, PlantKind, PumpingStationKind},
	meter.Water:       {PumpingStationKind, WaterLineKind, PlantKind, TankKind},
	meter.Fuel:        {TankKind, PlantKind},
	meter.Generator:   {PlantKind},
}

// meterKey is a meter's identity, as in its topic.
type meterKey struct {
	zone    string
	utility meter.Utility
	id      string
}

func (m *Meter) key() meterKey { return meterKey{m.Zone, m.Utility, m.ID} }

// meters checks what may be a hundred thousand entries: paths are made for
// problems only.
func (c *checker) meters() {
	type index struct{ file, i int }
	n := 0
	for _, f := range c.files {
		n += len(f.Meters)
	}
	seen := make(map[meterKey]index, n)
	for file, f := range c.files {
		for i := range f.Meters {
			m := &f.Meters[i]
			if !c.meterIsFine(m, f.City.ID) {
				c.meter(meterPlace(file, i), m, f.City.ID)
			}
			if first, twice := seen[m.key()]; !twice {
				seen[m.key()] = index{file, i}
			} else if m.ID != "" {
				c.addSee(meterPlace(file, i).key("id"), meterPlace(first.file, first.i),
					"meter %s is listed twice for %s in zone %s", excerpt(m.ID), m.Utility, excerpt(m.Zone))
			}
		}
	}
}

func meterPlace(file, i int) Place { return Place{file, fmt.Sprintf("meters[%d]", i)} }

// meterIsFine tells, without allocating, that meter would find nothing; it
// leaves the few with replacements to it.
func (c *checker) meterIsFine(m *Meter, city string) bool {
	zone, object := c.index[m.Zone], c.index[m.At]
	return meter.ValidMeterID(m.ID) &&
		zone.Kind == ZoneKind && zone.City == city &&
		slices.Contains(measures[m.Utility], object.Kind) &&
		(object.Kind != TankKind || c.holds[m.At] == m.Utility) &&
		object.City == city && (object.Zone == "" || object.Zone == m.Zone) &&
		physical(m.IntervalS) && physical(m.NominalV) && countable(m.Digits) &&
		(m.Gateway == "" || meter.ValidID(m.Gateway)) && validSerial(m.Serial) && len(m.Replacements) == 0
}

// The digits that counters have.
const (
	leastDigits = 4
	mostDigits  = 12
)

// countable tells whether a counter can have so many digits; 0 is not known.
func countable(digits int) bool {
	return digits == 0 || digits >= leastDigits && digits <= mostDigits
}

// meter says what is wrong with one meter.
func (c *checker) meter(at Place, m *Meter, city string) {
	if !meter.ValidMeterID(m.ID) { // a foreign name has bytes percent-encoded
		c.id(at.key("id"), m.ID)
	}
	c.zone(at.key("zone"), m.Zone, city)
	if !physical(m.IntervalS) {
		c.add(at.key("interval_s"), "%v is impossible; give the seconds between messages, above 0", m.IntervalS)
	}
	c.quantity(at.key("nominal_v"), m.NominalV)
	if !countable(m.Digits) {
		c.add(at.key("digits"), "%d is impossible; give the digits before the point of its counters, %d to %d", m.Digits, leastDigits, mostDigits)
	}
	if m.Gateway != "" {
		c.id(at.key("gateway"), m.Gateway)
	}
	c.serial(at.key("serial"), m.Serial)
	c.replacements(at, m)
	switch {
	case m.Utility == "":
		c.add(at.key("utility"), "missing; use %s", either(texts(meter.Utilities)))
		return
	case !m.Utility.Valid():
		c.add(at.key("utility"), "unknown utility %s%s", excerpt(m.Utility), c.suggest(string(m.Utility), texts(meter.Utilities)))
		return
	}
	object, ok := c.reference(at.key("at"), m.At, article(m.Utility)+" meter stands at", measures[m.Utility]...)
	if !ok {
		return
	}
	if object.Kind == TankKind && c.holds[m.At] != m.Utility {
		c.meterAtTank(at.key("at"), m, object)
		return
	}
	c.meterElsewhere(at, m, object, city)
}

// meterElsewhere refuses a meter whose readings would count for another zone or
// city than that of what it measures. Zones that are not there were reported
// where they are named.
func (c *checker) meterElsewhere(at Place, m *Meter, object entry, city string) {
	switch {
	case object.City != city:
		c.ownCity(at.key("at"), object, city)
	case object.Zone != m.Zone && c.index[object.Zone].Kind == ZoneKind && c.index[m.Zone].Kind == ZoneKind:
		c.addSee(at.key("zone"), object.Place, "%s %q lies in zone %s, its meter in %s", object.Kind.words(), m.At, excerpt(object.Zone), excerpt(m.Zone))
	}
}

func article(u meter.Utility) string {
	if u == meter.Electricity {
		return "an " + string(u)
	}
	return "a " + string(u)
}

// meterAtTank refuses a water meter at a fuel tank and the like.
func (c *checker) meterAtTank(at Place, m *Meter, tank entry) {
	if holds := c.holds[m.At]; holds.Valid() {
		c.addSee(at, tank.Place, "tank %q holds %s; a %s meter cannot stand there", m.At, holds, m.Utility)
	}
}
