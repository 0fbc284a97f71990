package notify

import (
	"fmt"
	"slices"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// directory is the configuration as planning asks it: who hears of what, where.
// It is immutable.
type directory struct {
	config   Config
	people   []person
	byID     map[string]*person
	routes   []Route
	to       func(kind string) []rule.Role // where there are no routes
	channels []string                      // those that speak to persons
	streams  []string                      // those that speak to programs
	reaches  map[string]area               // of substations and pumping stations, the zones they feed
	feeds    map[string]area               // of plants, the objects that they hang on: tanks, feeders, lines, stations
	registry *zone.Registry
}

type person struct {
	Person
	loc *time.Location
}

// area is a set of zones, or of objects.
type area map[string]bool

// upstream is what each feeder and water line comes from.
func upstream(reg *zone.Registry) map[string]string {
	from := make(map[string]string)
	for _, f := range reg.Feeders() {
		from[f.ID] = f.From
	}
	for _, l := range reg.WaterLines() {
		from[l.ID] = l.From
	}
	return from
}

// hangsOn lists for each plant what can fail above it.
func hangsOn(reg *zone.Registry) map[string]area {
	from, out := upstream(reg), make(map[string]area)
	for _, o := range reg.Plants() {
		above := make(area)
		for _, id := range []string{o.Feeder, o.WaterLine} {
			for ; id != ""; id = from[id] { // the registry has no cycles
				above[id] = true
			}
		}
		out[o.ID] = above
	}
	for _, t := range reg.Tanks() {
		if t.Plant != "" {
			out[t.Plant][t.ID] = true
		}
	}
	return out
}

func newDirectory(c Config, reg *zone.Registry, specs []Spec, to func(string) []rule.Role) (*directory, error) {
	d := &directory{config: c, routes: c.Routes, to: to, byID: make(map[string]*person), registry: reg, reaches: reach(reg), feeds: hangsOn(reg)}
	if to == nil {
		d.to = catalogued()
	}
	for _, s := range specs {
		if s.Stream {
			d.streams = append(d.streams, s.Name)
		} else {
			d.channels = append(d.channels, s.Name)
		}
	}
	d.people = make([]person, len(c.People))
	for i, p := range c.People {
		loc, err := p.location()
		if err != nil {
			return nil, fmt.Errorf("people[%d].timezone: %w", i, err)
		}
		d.people[i] = person{p, loc}
		d.byID[p.ID] = &d.people[i]
	}
	return d, nil
}

// reach follows feeders and water lines up to what feeds them.
func reach(reg *zone.Registry) map[string]area {
	from, zones := upstream(reg), make(map[string]string)
	for _, f := range reg.Feeders() {
		zones[f.ID] = f.Zone
	}
	for _, l := range reg.WaterLines() {
		zones[l.ID] = l.Zone
	}
	out := make(map[string]area)
	for id, z := range zones {
		for up := from[id]; up != ""; up = from[up] { // the registry has no cycles
			if out[up] == nil {
				out[up] = make(area)
			}
			out[up][z] = true
		}
	}
	return out
}

// route returns the first route on which a person hears of an alarm.
func (d *directory) route(p *person, a *alarm.Alarm) (*Route, bool) {
	if !d.concerns(p, a) {
		return nil, false
	}
	if len(d.routes) == 0 {
		return &Route{}, slices.Contains(d.audience(a.Kind), p.Role)
	}
	for i := range d.routes {
		if r := &d.routes[i]; r.fitsRole(p.Role) && r.fits(a) {
			return r, true
		}
	}
	return nil, false
}

// byAllMeans is the route of escalations, and of what is left of a route that
// was since removed.
const byAllMeans = "*"

// named returns a route by its name; without routes there is but one, of no name.
func (d *directory) named(name string) *Route {
	if name == "" {
		return &Route{}
	}
	for i := range d.routes {
		if d.routes[i].Name == name {
			return &d.routes[i]
		}
	}
	return &Route{Name: byAllMeans, Reach: reachAll}
}

// concerns tells whether an alarm lies within what a person answers for.
func (d *directory) concerns(p *person, a *alarm.Alarm) bool {
	if a.ObjectKind == rule.PersonObject {
		return a.Object == p.ID
	}
	if len(p.Zones)+len(p.Cities)+len(p.Plants) == 0 || a.City == "" && a.InZone == "" {
		return true
	}
	if slices.Contains(p.Cities, a.City) || a.InZone != "" && slices.Contains(p.Zones, a.InZone) {
		return true
	}
	if a.InZone == "" && d.touches(p, a) {
		return true
	}
	return d.hitsPlant(p, a)
}

// touches tells whether an alarm of the whole city, or of a station in it,
// reaches one of the person's zones.
func (d *directory) touches(p *person, a *alarm.Alarm) bool {
	return slices.ContainsFunc(p.Zones, func(z string) bool {
		if fed, ok := d.reaches[a.Object]; ok {
			return fed[z]
		}
		return d.registry.CityOf(z) == a.City
	})
}

func (d *directory) hitsPlant(p *person, a *alarm.Alarm) bool {
	return slices.ContainsFunc(p.Plants, func(id string) bool {
		return a.Object == id || slices.Contains(a.Stalls, id) || d.feeds[id][a.Object]
	})
}

// near tells whether a plant lies where the person answers for it, so that a
// digest names it.
func (d *directory) near(p *person, plant string) bool {
	if len(p.Zones)+len(p.Cities)+len(p.Plants) == 0 {
		return true
	}
	o, ok := d.registry.Object(plant)
	return !ok || slices.Contains(p.Plants, plant) || slices.Contains(p.Zones, o.Zone) || slices.Contains(p.Cities, o.City)
}

// below lists the plants near a person that hang on any of those feeders.
func (d *directory) below(p *person, feeders []string) []string {
	var out []string
	for _, o := range d.registry.Plants() {
		hangs := slices.ContainsFunc(feeders, func(f string) bool { return d.feeds[o.ID][f] })
		mine := len(p.Plants) == 0 || slices.Contains(p.Plants, o.ID)
		if hangs && mine && d.near(p, o.ID) {
			out = append(out, o.ID)
		}
	}
	return out
}

// preferred is the order of channels where a route names none: quick ones first.
var preferred = []string{"telegram", "sms", "email"}

// ways returns over which channels a route reaches a person, the best first.
func (d *directory) ways(p *person, r *Route) []way {
	names := r.Channels
	if len(names) == 0 {
		names = slices.Clone(preferred)
		for _, name := range d.channels {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	var out []way
	for _, name := range names {
		if address := p.Contacts[name]; address != "" && slices.Contains(d.channels, name) {
			out = append(out, way{name, address})
		}
	}
	return out
}

// everyWay tells whether a notice goes out over all channels at once.
func (r *Route) everyWay(s rule.Severity) bool {
	return r.Reach == reachAll || r.Reach == "" && s == rule.Critical
}

// way is one address on one channel.
type way struct {
	Channel string `json:"channel"`
	Address string `json:"address"`
}
