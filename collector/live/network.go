package live

import (
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// flows names, per utility, the register that says how much flows now, and
// what turns it into SI: watts, or cubic metres per second.
var flows = map[meter.Utility]struct {
	register string
	toSI     float64
}{
	meter.Electricity: {"active_power_kw", 1000},
	meter.Generator:   {"active_power_kw", 1000},
	meter.Water:       {"flow_m3h", 1.0 / 3600},
	meter.Fuel:        {"flow_lph", 1.0 / 3.6e6},
}

// network is the registry as the balances need it: every measured object has
// a slot, and each sum is a list of slots.
//
//	electricity of a zone = Σ its feeders − Σ branches that leave it
//	water                 = Σ its water lines − Σ branches that leave it
//	fuel, generator       = Σ its plants
//	metered on a feeder   = Σ its plants' electricity
type network struct {
	registry *zone.Registry
	slots    map[slotKey]int // while building: it is large
	slotOf   []int32         // by meter
	count    int             // of the slots
	zones    []zoneSum
	feeders  []feederSum
}

type slotKey struct {
	utility meter.Utility
	object  string
}

// zoneSum is the supply of one zone with one utility.
type zoneSum struct {
	city, zone string
	utility    meter.Utility
	required   float64 // SI
	in, out    []int   // slots
}

type feederSum struct {
	city, zone, feeder string
	slot               int // of its own meter; -1: none
	plants             []int
}

// place is what a meter measures.
type place struct {
	slot  int
	def   *zone.Meter
	at    *meterAt
	facts *facts
}

func newNetwork(r *zone.Registry) *network {
	n := &network{registry: r, slots: make(map[slotKey]int)}
	for _, m := range r.Meters() {
		k := slotKey{m.Utility, m.At}
		if _, ok := n.slots[k]; !ok {
			n.slots[k] = len(n.slots)
		}
	}
	index := make(map[slotKey]int) // of zones, by utility and zone
	for _, z := range r.Zones() {
		for _, u := range meter.Utilities {
			index[slotKey{u, z.ID}] = len(n.zones)
			n.zones = append(n.zones, zoneSum{city: z.City, zone: z.ID, utility: u})
		}
	}
	sum := func(u meter.Utility, zone string) *zoneSum { return &n.zones[index[slotKey{u, zone}]] }

	for _, f := range r.Feeders() {
		n.branch(sum, meter.Electricity, f.ID, f.Zone, f.From)
		n.feeders = append(n.feeders, feederSum{city: r.CityOf(f.Zone), zone: f.Zone, feeder: f.ID, slot: n.slot(meter.Electricity, f.ID)})
	}
	for _, l := range r.WaterLines() {
		n.branch(sum, meter.Water, l.ID, l.Zone, l.From)
	}
	n.plants(sum)
	n.slotOf = make([]int32, len(r.Meters()))
	for i, m := range r.Meters() {
		n.slotOf[i] = int32(n.slot(m.Utility, m.At))
	}
	n.slots, n.count = nil, len(n.slots)
	return n
}

// branch adds a line to the sum of its zone. A line that branches off another
// is part of that one's flow already: within the zone it adds nothing, and
// what crosses into another zone leaves the first.
func (n *network) branch(sum func(meter.Utility, string) *zoneSum, u meter.Utility, id, zoneID, from string) {
	slot := n.slot(u, id)
	parent, _ := n.registry.Object(from)
	if slot < 0 || parent.Zone == zoneID {
		return
	}
	sum(u, zoneID).in = append(sum(u, zoneID).in, slot)
	if parent.Zone != "" {
		sum(u, parent.Zone).out = append(sum(u, parent.Zone).out, slot)
	}
}

func (n *network) plants(sum func(meter.Utility, string) *zoneSum) {
	const day = 86_400 // seconds
	feeder := make(map[string]*feederSum)
	for i := range n.feeders {
		feeder[n.feeders[i].feeder] = &n.feeders[i]
	}
	for _, p := range n.registry.Plants() {
		sum(meter.Electricity, p.Zone).required += p.Requirement.PowerKW * 1000
		sum(meter.Water, p.Zone).required += p.Requirement.WaterM3PerD / day
		sum(meter.Fuel, p.Zone).required += p.Requirement.FuelLPerD / 1000 / day
		for _, u := range []meter.Utility{meter.Fuel, meter.Generator} {
			if slot := n.slot(u, p.ID); slot >= 0 {
				sum(u, p.Zone).in = append(sum(u, p.Zone).in, slot)
			}
		}
		if slot := n.slot(meter.Electricity, p.ID); slot >= 0 {
			feeder[p.Feeder].plants = append(feeder[p.Feeder].plants, slot)
		}
	}
}

func (n *network) slot(u meter.Utility, object string) int {
	if slot, ok := n.slots[slotKey{u, object}]; ok {
		return slot
	}
	return -1
}

// place returns what a series measures; nil if the registry does not know it.
func (n *network) place(s *meter.Series) *place {
	i, ok := n.registry.MeterIndex(s.Zone, s.Utility, s.Meter)
	if !ok {
		return nil
	}
	return &place{slot: int(n.slotOf[i]), def: &n.registry.Meters()[i]}
}
