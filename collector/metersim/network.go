package metersim

import (
	"slices"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// network answers what lies behind what in a registry.
type network struct {
	reg  *zone.Registry
	from map[string]string // what feeds each feeder and water line
}

func newNetwork(reg *zone.Registry) *network {
	n := &network{reg: reg, from: make(map[string]string)}
	for _, f := range reg.Feeders() {
		n.from[f.ID] = f.From
	}
	for _, w := range reg.WaterLines() {
		n.from[w.ID] = w.From
	}
	return n
}

// behind tells whether id is top or is fed by it.
func (n *network) behind(top, id string) bool {
	for ; id != ""; id = n.from[id] {
		if id == top {
			return true
		}
	}
	return false
}

// feeders lists the feeders behind a substation or feeder (without itself), or
// in a zone or city.
func (n *network) feeders(top string) []string {
	var list []string
	for _, f := range n.reg.Feeders() {
		if f.ID != top && (n.behind(top, f.ID) || f.Zone == top || n.reg.CityOf(f.Zone) == top) {
			list = append(list, f.ID)
		}
	}
	return list
}

// plants lists the plants behind a substation, feeder, pumping station or
// water line, or in a zone or city; a plant's own id gives itself.
func (n *network) plants(top string) []string {
	var list []string
	for _, p := range n.reg.Plants() {
		if p.ID == top || p.Zone == top || n.reg.CityOf(p.Zone) == top || n.behind(top, p.Feeder) || n.behind(top, p.WaterLine) {
			list = append(list, p.ID)
		}
	}
	return list
}

// lines lists the water lines behind a pumping station or line.
func (n *network) lines(top string) []string {
	var list []string
	for _, w := range n.reg.WaterLines() {
		if w.ID != top && n.behind(top, w.ID) {
			list = append(list, w.ID)
		}
	}
	return list
}

// zones lists the zones that have a feeder, a line or a plant behind top.
func (n *network) zones(top string) []string {
	var list []string
	for _, id := range slices.Concat(n.feeders(top), n.lines(top), n.plants(top), []string{top}) {
		if o, _ := n.reg.Object(id); o.Zone != "" && !slices.Contains(list, o.Zone) {
			list = append(list, o.Zone)
		}
	}
	slices.Sort(list)
	return list
}

// tanks lists the tanks of a utility that belong to the plants.
func (n *network) tanks(plants []string, u meter.Utility) []string {
	var list []string
	for _, t := range n.reg.Tanks() {
		if t.Utility == u && slices.Contains(plants, t.Plant) {
			list = append(list, t.ID)
		}
	}
	return list
}

// meters lists the ids of the meters at the objects.
func (n *network) meters(at ...string) []string {
	var list []string
	for _, m := range n.reg.Meters() {
		if slices.Contains(at, m.At) {
			list = append(list, m.ID)
		}
	}
	return list
}

// gateways lists the ids of the gateways.
func (n *network) gateways() []string {
	var list []string
	for _, m := range n.reg.Meters() {
		if m.Gateway != "" && !slices.Contains(list, m.Gateway) {
			list = append(list, m.Gateway)
		}
	}
	return list
}

// lineOfTank is the water line that the zone tank hangs on: as in the model,
// the zone's first that has none yet.
func (n *network) lineOfTank(id string) string {
	tank, ok := n.reg.Tank(id)
	if !ok || tank.Plant != "" {
		return ""
	}
	nth := 0
	for _, t := range n.reg.Tanks() {
		if t.ID == id {
			break
		}
		if t.Zone == tank.Zone && t.Plant == "" && t.Utility == meter.Water {
			nth++
		}
	}
	for _, w := range n.reg.WaterLines() {
		if w.Zone == tank.Zone {
			if nth == 0 {
				return w.ID
			}
			nth--
		}
	}
	return ""
}
