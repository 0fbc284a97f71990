package zone

import (
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// City returns a city, its time zone filled in.
func (r *Registry) City(id string) (*City, bool) { return lookup(r, r.cities, CityKind, id) }

// Zone returns a zone with its contract.
func (r *Registry) Zone(id string) (*Zone, bool) { return lookup(r, r.contracted, ZoneKind, id) }

// Substation returns a substation.
func (r *Registry) Substation(id string) (*Substation, bool) {
	return lookup(r, r.substations, SubstationKind, id)
}

// Feeder returns a feeder.
func (r *Registry) Feeder(id string) (*Feeder, bool) { return lookup(r, r.feeders, FeederKind, id) }

// PumpingStation returns a pumping station.
func (r *Registry) PumpingStation(id string) (*PumpingStation, bool) {
	return lookup(r, r.pumpingStations, PumpingStationKind, id)
}

// WaterLine returns a water line.
func (r *Registry) WaterLine(id string) (*WaterLine, bool) {
	return lookup(r, r.waterLines, WaterLineKind, id)
}

// Tank returns a tank.
func (r *Registry) Tank(id string) (*Tank, bool) { return lookup(r, r.tanks, TankKind, id) }

// Plant returns a plant.
func (r *Registry) Plant(id string) (*Plant, bool) { return lookup(r, r.plants, PlantKind, id) }

// Index returns where an object stands in the list of its kind, such as
// Feeders(); snapshots are parallel to these.
func (r *Registry) Index(kind Kind, id string) (int, bool) {
	p, ok := r.places[id]
	return int(p.index), ok && p.kind == kind
}

// MeterIndex returns where in Meters() the meter stands that reports under
// zone, utility and id.
func (r *Registry) MeterIndex(zone string, utility meter.Utility, id string) (int, bool) {
	return r.byName.Find(zone, utility, id)
}

// Location is the time zone of a city; UTC for one that is not registered.
func (r *Registry) Location(city string) *time.Location {
	if loc, ok := r.locations[city]; ok {
		return loc
	}
	return time.UTC
}

// place is where an object stands: in which list and where in it.
type place struct {
	kind  Kind
	index int32
}

func lookup[T any](r *Registry, list []T, kind Kind, id string) (*T, bool) {
	i, ok := r.Index(kind, id)
	if !ok {
		return nil, false
	}
	return &list[i], true
}
