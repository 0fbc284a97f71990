package live

import (
	"sync"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// Point is the supply of a zone, a feeder or a plant with one utility: a row of
// the derived series. Required and Delivered are kW, m³/h or l/h, Cover is
// hours.
type Point struct {
	City, Zone    string
	Feeder, Plant string // at most one of them
	Utility       meter.Utility

	Required, Delivered, Shortfall, Adequacy, Cover snapshot.Value
}

// shared is the snapshot that the collector's own outputs are made from.
type shared struct {
	mu   sync.Mutex
	snap snapshot.Snapshot // without Meters
}

// accountOf names the utilities of a zone's accounts.
var accountOf = [3]meter.Utility{meter.Electricity, meter.Water, meter.Fuel}

// sharedFor is how long, in ms, a snapshot is good enough for a scrape.
const sharedFor = 5 * secondMS

// EachPoint calls f with the supply of every zone, feeder and plant as of now,
// or a few seconds ago. f must not ask for points itself.
func (s *State) EachPoint(f func(*Point)) {
	s.shared.mu.Lock()
	defer s.shared.mu.Unlock()
	snap := &s.shared.snap
	if now := s.now().UnixMilli(); snap.Registry == nil || now-snap.Now > sharedFor || now < snap.Now || !s.inForce(snap) {
		s.take(snap, false)
	}
	s.mu.Lock()
	unknown := s.unknownShare
	s.mu.Unlock()
	zones(snap, unknown, f)
	feeders(snap, f)
	plants(snap, f)
}

func (s *State) inForce(snap *snapshot.Snapshot) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.registry == snap.Registry
}

// Adequate is the utility of the point that says how far a zone has everything
// it needs.
const Adequate meter.Utility = "all"

func zones(snap *snapshot.Snapshot, unknown float64, f func(*Point)) {
	adequacy := adequacies(snap, unknown)
	u := snapshot.Unknown
	for i, def := range snap.Registry.Zones() {
		z := &snap.Zones[i]
		for which, b := range []*snapshot.Balance{&z.Power, &z.Water, &z.Fuel} {
			if b.Gross == 0 && !b.Delivered.Known() {
				continue
			}
			f(&Point{
				City: def.City, Zone: def.ID, Utility: accountOf[which], Required: b.Required, Delivered: b.Delivered,
				Shortfall: b.Shortfall, Adequacy: adequacy[i][which], Cover: b.CoverH,
			})
		}
		f(&Point{
			City: def.City, Zone: def.ID, Utility: Adequate,
			Required: u, Delivered: u, Shortfall: u, Adequacy: z.AdequacyRatio, Cover: u,
		})
	}
}

// adequacies are those of the zones by utility, over what is known.
func adequacies(snap *snapshot.Snapshot, unknown float64) [][3]snapshot.Value {
	sums := make([][3]weights, len(snap.Zones))
	for i, def := range snap.Registry.Plants() {
		z, ok := snap.Registry.Index(zone.ZoneKind, def.Zone)
		if !ok {
			continue
		}
		p := &snap.Plants[i]
		for which, c := range [3]snapshot.Value{p.PowerCapability, p.WaterCapability, p.FuelCapability} {
			sums[z][which].add(def.ContractKVA, c)
		}
	}
	out := make([][3]snapshot.Value, len(sums))
	for i := range sums {
		for which := range sums[i] {
			out[i][which] = sums[i][which].ratio(unknown)
		}
	}
	return out
}

func feeders(snap *snapshot.Snapshot, f func(*Point)) {
	u := snapshot.Unknown
	required := make([]float64, len(snap.Feeders))
	for i := range snap.Registry.Plants() {
		if feeder, ok := snap.Registry.Index(zone.FeederKind, snap.Registry.Plants()[i].Feeder); ok {
			required[feeder] += float64(snap.Plants[i].RequiredKW)
		}
	}
	for i, def := range snap.Registry.Feeders() {
		p := Point{
			City: snap.Registry.CityOf(def.Zone), Zone: def.Zone, Feeder: def.ID, Utility: meter.Electricity,
			Required: snapshot.Value(required[i]), Delivered: snap.Feeders[i].PowerKW, Shortfall: u, Adequacy: u, Cover: u,
		}
		if snap.Feeders[i].Dead.Since > 0 {
			p.Delivered = 0
		}
		f(&p)
	}
}

func plants(snap *snapshot.Snapshot, f func(*Point)) {
	u := snapshot.Unknown
	for i, def := range snap.Registry.Plants() {
		out := &snap.Plants[i]
		p := Point{City: snap.Registry.CityOf(def.Zone), Zone: def.Zone, Plant: def.ID, Cover: u}
		add := func(utility meter.Utility, required, delivered, capability snapshot.Value) {
			p.Utility, p.Required, p.Delivered, p.Adequacy = utility, required, delivered, capability
			p.Shortfall = u
			if capability.Known() {
				p.Shortfall = 1 - capability
			}
			f(&p)
		}
		delivered := out.PowerKW
		if out.Dead.Since > 0 {
			delivered = 0
		}
		add(meter.Electricity, out.RequiredKW, delivered, out.PowerCapability)
		if def.Requirement.WaterM3PerD > 0 {
			add(meter.Water, snapshot.Value(def.Requirement.WaterM3PerD/24), out.WaterM3H, out.WaterCapability)
		}
		if def.Requirement.FuelLPerD > 0 {
			add(meter.Fuel, snapshot.Value(def.Requirement.FuelLPerD/24), out.FuelLPH, out.FuelCapability)
		}
	}
}
