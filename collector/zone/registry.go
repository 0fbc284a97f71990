package zone

import (
	"errors"
	"fmt"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// defaultIntervalS is how often a meter reports where the registry is silent.
const defaultIntervalS = 60

// Registry is the checked content of all files, ready to be asked. It is
// immutable: callers must not change what its methods return. It is safe for
// concurrent use.
type Registry struct {
	cities          []City
	zones           []Object
	substations     []Substation
	feeders         []Feeder
	pumpingStations []PumpingStation
	waterLines      []WaterLine
	tanks           []Tank
	plants          []Plant
	meters          []Meter
	rationing       []Rationing
	tankers         []Tanker
	contracted      []Zone // parallel to zones

	objects   map[string]Object
	places    map[string]place
	byName    *meter.Places             // of meters
	locations map[string]*time.Location // by city
	programme *Programme
}

// New builds a registry, or returns every problem that Check finds, joined.
// No files make an empty registry. The files may be dropped afterwards.
func New(files []*File) (*Registry, error) {
	if problems := Check(files); len(problems) > 0 {
		errs := make([]error, len(problems))
		for i, p := range problems {
			errs[i] = fmt.Errorf("city %s: %s: %s", files[p.File].City.ID, p.Path, p.Message)
		}
		return nil, errors.Join(errs...)
	}
	r := &Registry{objects: make(map[string]Object), places: make(map[string]place), locations: make(map[string]*time.Location)}
	for _, f := range files {
		r.add(f)
	}
	r.byName = meter.NewPlaces(func(i int) (string, meter.Utility, string) {
		m := &r.meters[i]
		return m.Zone, m.Utility, m.ID
	})
	for i := range r.meters {
		m := &r.meters[i]
		if m.IntervalS == 0 {
			m.IntervalS = defaultIntervalS
		}
		m.fillSerials()
		r.byName.Add(i)
	}
	var err error
	if r.programme, err = newProgramme(r); err != nil {
		return nil, fmt.Errorf("build rationing programme: %w", err)
	}
	return r, nil
}

func (r *Registry) add(f *File) {
	counts := map[Kind]int{
		CityKind: len(r.cities), ZoneKind: len(r.zones), SubstationKind: len(r.substations), FeederKind: len(r.feeders),
		PumpingStationKind: len(r.pumpingStations), WaterLineKind: len(r.waterLines), TankKind: len(r.tanks), PlantKind: len(r.plants),
	}
	for _, o := range f.objects() {
		r.objects[o.ID] = o
		r.places[o.ID] = place{o.Kind, int32(counts[o.Kind])}
		counts[o.Kind]++
		if o.Kind == ZoneKind {
			r.zones = append(r.zones, o)
		}
	}
	city := f.City
	if city.Timezone == "" {
		city.Timezone = DefaultTimezone
	}
	r.locations[city.ID], _ = locate(city.Timezone) // Check has loaded it before
	r.cities = append(r.cities, city)
	r.contracted = append(r.contracted, f.Zones...)
	r.substations = append(r.substations, f.Substations...)
	r.feeders = append(r.feeders, f.Feeders...)
	r.pumpingStations = append(r.pumpingStations, f.PumpingStations...)
	r.waterLines = append(r.waterLines, f.WaterLines...)
	r.tanks = append(r.tanks, f.Tanks...)
	r.plants = append(r.plants, f.Plants...)
	r.meters = append(r.meters, f.Meters...)
	r.rationing = append(r.rationing, f.Rationing...)
	r.tankers = append(r.tankers, f.Tankers...)
}

// CityOf returns the id of the city that a zone lies in, "" if the zone is not
// registered.
func (r *Registry) CityOf(zone string) string {
	if o, ok := r.objects[zone]; ok && o.Kind == ZoneKind {
		return o.City
	}
	return ""
}

// Object returns the object with an id, of whatever kind.
func (r *Registry) Object(id string) (Object, bool) {
	o, ok := r.objects[id]
	return o, ok
}

// Meter returns the meter that reports under zone, utility and id.
func (r *Registry) Meter(zone string, utility meter.Utility, id string) (*Meter, bool) {
	i, ok := r.MeterIndex(zone, utility, id)
	if !ok {
		return nil, false
	}
	return &r.meters[i], true
}

// Cities returns the cities in the order of their files, time zones filled in.
func (r *Registry) Cities() []City { return r.cities }

// Zones returns the zones, each with its city.
func (r *Registry) Zones() []Object { return r.zones }

// Substations returns the substations of all cities.
func (r *Registry) Substations() []Substation { return r.substations }

// Feeders returns the feeders of all cities.
func (r *Registry) Feeders() []Feeder { return r.feeders }

// PumpingStations returns the pumping stations of all cities.
func (r *Registry) PumpingStations() []PumpingStation { return r.pumpingStations }

// WaterLines returns the water lines of all cities.
func (r *Registry) WaterLines() []WaterLine { return r.waterLines }

// Tanks returns the tanks of all cities.
func (r *Registry) Tanks() []Tank { return r.tanks }

// Plants returns the plants of all cities.
func (r *Registry) Plants() []Plant { return r.plants }

// Meters returns the meters of all cities, intervals and serial numbers filled
// in.
func (r *Registry) Meters() []Meter { return r.meters }

// Rationing returns the rationing rules of all cities.
func (r *Registry) Rationing() []Rationing { return r.rationing }

// Tankers returns the orders of fuel of all cities.
func (r *Registry) Tankers() []Tanker { return r.tankers }

// Programme returns what the rationing rules mean together.
func (r *Registry) Programme() *Programme { return r.programme }
