package zone

import (
	"fmt"
	"iter"
	"strings"
)

// Kind tells what an object is.
type Kind string

// The kinds of objects. Meters are not objects: they measure them.
const (
	CityKind           Kind = "city"
	ZoneKind           Kind = "zone"
	SubstationKind     Kind = "substation"
	FeederKind         Kind = "feeder"
	PumpingStationKind Kind = "pumping_station"
	WaterLineKind      Kind = "water_line"
	TankKind           Kind = "tank"
	PlantKind          Kind = "plant"
)

// words is the kind as it reads in a sentence.
func (k Kind) words() string { return strings.ReplaceAll(string(k), "_", " ") }

// Object is what all kinds have in common.
type Object struct {
	ID   string
	Kind Kind
	Name Name
	Zone string // a zone's own id; empty for cities, substations and pumping stations
	City string // a city's own id
}

// objects yields everything in the file that has an id of its own, with its
// path.
func (f *File) objects() iter.Seq2[string, Object] {
	return func(yield func(string, Object) bool) {
		each := func(list string, i int, id string, kind Kind, name Name, zone string) bool {
			return yield(fmt.Sprintf("%s[%d]", list, i), Object{id, kind, name, zone, f.City.ID})
		}
		if !yield("city", Object{f.City.ID, CityKind, f.City.Name, "", f.City.ID}) {
			return
		}
		for i, o := range f.Zones {
			if !each("zones", i, o.ID, ZoneKind, o.Name, o.ID) {
				return
			}
		}
		for i, o := range f.Substations {
			if !each("substations", i, o.ID, SubstationKind, o.Name, "") {
				return
			}
		}
		for i, o := range f.Feeders {
			if !each("feeders", i, o.ID, FeederKind, o.Name, o.Zone) {
				return
			}
		}
		for i, o := range f.PumpingStations {
			if !each("pumping_stations", i, o.ID, PumpingStationKind, o.Name, "") {
				return
			}
		}
		for i, o := range f.WaterLines {
			if !each("water_lines", i, o.ID, WaterLineKind, o.Name, o.Zone) {
				return
			}
		}
		for i, o := range f.Tanks {
			if !each("tanks", i, o.ID, TankKind, o.Name, o.Zone) {
				return
			}
		}
		for i, o := range f.Plants {
			if !each("plants", i, o.ID, PlantKind, o.Name, o.Zone) {
				return
			}
		}
	}
}
