package dress

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/collector/zone/spelling"
)

// Mixed stands for every profile.
const Mixed = "mixed"

// nodeShare is the share of gateways that are Sparkplug nodes in a mixed fleet.
const nodeShare = 6

// Wish says who is to speak what.
type Wish struct {
	// Profiles are those to choose from, or Mixed; none: all speak natively. A
	// meter that none of them suits speaks natively, too.
	Profiles []string
	Seed     int64
	// Fixed are meters, by zone/utility/id or id, whose profile is given.
	Fixed map[string]string
	// Native are meters, by zone/utility/id, that must speak natively.
	Native map[string]bool
	// Nodes are gateways that must be Sparkplug nodes.
	Nodes map[string]bool
	// Judged are objects whose alarms are to be right: their meters get no
	// profile that leaves out what those need.
	Judged map[string]bool
}

// Check returns what is wrong with the profiles of a wish.
func Check(profiles []string) error {
	for _, p := range profiles {
		if p == Mixed || slices.Contains(Profiles(), p) {
			continue
		}
		if near, ok := spelling.Nearest(p, append(Profiles(), Mixed)); ok {
			return fmt.Errorf("there is no profile %q; did you mean %q?", p, near)
		}
		return fmt.Errorf("there is no profile %q; use %s, or %s for all", p, strings.Join(Profiles(), ", "), Mixed)
	}
	return nil
}

// Key names a meter in the whole registry.
func (m Meter) Key() string { return m.Zone + "/" + string(m.Utility) + "/" + m.ID }

// Assign returns the meters of a registry in their order, each with its
// profile: a function of the wish and the meter's own id, so that it does not
// change with the rest of the registry.
func Assign(reg *zone.Registry, w Wish) ([]Meter, error) {
	if err := Check(slices.Concat(w.Profiles, slices.Sorted(maps.Values(w.Fixed)))); err != nil {
		return nil, err
	}
	a := assigner{Wish: w, choice: w.Profiles}
	if slices.Contains(w.Profiles, Mixed) {
		a.choice = Profiles()
	}
	zones := make(map[string]*time.Location)
	for _, c := range reg.Cities() {
		loc, err := time.LoadLocation(c.Timezone)
		if err != nil {
			return nil, fmt.Errorf("load time zone of %s: %w", c.ID, err)
		}
		zones[c.ID] = loc
	}
	list := make([]Meter, len(reg.Meters()))
	devices := make(map[string]bool) // of all nodes
	for i, def := range reg.Meters() {
		o, _ := reg.Object(def.At)
		m := Meter{
			Zone: def.Zone, Utility: def.Utility, ID: def.ID, Gateway: def.Gateway,
			Kind: kindOf(def.Utility, o.Kind), Number: i + 1, Zonetime: zones[reg.CityOf(def.Zone)],
		}
		if m.Zonetime == nil {
			m.Zonetime = time.UTC
		}
		m.Profile = a.profile(m, w.Judged[def.At])
		if device := m.Zone + "/" + m.nodeID() + "/" + m.ID; m.Profile == Sparkplug && devices[device] {
			m.Profile = Native // a node tells its devices apart by their ids alone
		} else if m.Profile == Sparkplug {
			devices[device] = true
		}
		list[i] = m
	}
	return list, nil
}

func kindOf(u meter.Utility, at zone.Kind) Kind {
	switch {
	case u == meter.Generator:
		return Generator
	case u == meter.Fuel && at == zone.TankKind:
		return FuelTank
	case u == meter.Fuel:
		return Burner
	case u == meter.Water && at == zone.TankKind:
		return WaterTank
	case u == meter.Water:
		return Pipe
	case at == zone.PlantKind:
		return Load
	}
	return Network
}

type assigner struct {
	Wish
	choice []string
}

func (a *assigner) profile(m Meter, judged bool) string {
	if p, ok := a.Fixed[m.Key()]; ok {
		return p
	}
	if p, ok := a.Fixed[m.ID]; ok {
		return p
	}
	switch {
	case a.Native[m.Key()]:
		return Native
	case m.Gateway != "" && a.Nodes[m.Gateway]:
		return Sparkplug
	}
	if a.isNode(m.Zone, m.Gateway) {
		return Sparkplug
	}
	var names []string
	for _, p := range profiles {
		if !slices.Contains(a.choice, p.name) || judged && slices.Contains(p.lossy, m.Kind) {
			continue
		}
		for range p.kinds[m.Kind] {
			names = append(names, p.name)
		}
	}
	if slices.Contains(a.choice, Native) {
		names = append(names, Native, Native)
	}
	if len(names) == 0 {
		return Native
	}
	return names[a.draw(m.Key()).IntN(len(names))]
}

// isNode tells whether a gateway is a Sparkplug node.
func (a *assigner) isNode(zoneID, gateway string) bool {
	if gateway == "" || !slices.Contains(a.choice, Sparkplug) {
		return false
	}
	others := slices.ContainsFunc(a.choice, func(p string) bool { return p != Sparkplug && p != Native })
	return !others || a.draw(zoneID+"/gateway/"+gateway).IntN(nodeShare) == 0
}

// draw returns chance of a name's own.
func (a *assigner) draw(name string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	return rand.New(rand.NewPCG(uint64(a.Seed), h.Sum64()))
}

// Nodes returns the nodes of a fleet, in the order of their first meters.
func Nodes(meters []Meter) []*Node {
	var ids [][2]string
	behind := make(map[[2]string][]Meter)
	for _, m := range meters {
		if m.Profile != Sparkplug {
			continue
		}
		id := [2]string{m.Zone, m.nodeID()}
		if behind[id] == nil {
			ids = append(ids, id)
		}
		behind[id] = append(behind[id], m)
	}
	nodes := make([]*Node, len(ids))
	for i, id := range ids {
		nodes[i] = NewNode(id[0], id[1], behind[id])
	}
	return nodes
}

// nodeID is the node of a meter: its gateway, or one that it has to itself.
func (m Meter) nodeID() string {
	if m.Gateway == "" {
		return "node-" + m.ID
	}
	return m.Gateway
}

// Has tells whether the node has the meter.
func (n *Node) Has(m Meter) bool {
	return m.Profile == Sparkplug && m.Zone == n.Group && m.nodeID() == n.ID
}
