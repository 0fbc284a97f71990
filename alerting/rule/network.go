package rule

import (
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// class numbers the lists of the snapshot that findings are about.
type class uint8

const (
	cityClass class = iota
	zoneClass
	substationClass
	feederClass
	pumpingClass
	lineClass
	tankClass
	plantClass
	meterClass
	classCount
	noClass = classCount
)

var classOf = map[zone.Kind]class{
	zone.CityKind: cityClass, zone.ZoneKind: zoneClass, zone.SubstationKind: substationClass, zone.FeederKind: feederClass,
	zone.PumpingStationKind: pumpingClass, zone.WaterLineKind: lineClass, zone.TankKind: tankClass, zone.PlantKind: plantClass,
	MeterObject: meterClass,
}

// ref is an object by its place in the snapshot. noRef is none.
type ref struct {
	class class
	index int32
}

var noRef = ref{class: noClass}

// place is what a finding says of its object.
type place struct {
	id, zone, utility string // of the key; zone and utility of meters alone
	city, inZone      string
	kind              zone.Kind
}

// network is the registry by index: who feeds whom, and where everything is.
type network struct {
	registry *zone.Registry
	places   [meterClass][]place // of meters, which are many, see at

	feederFrom []ref               // substation or feeder
	feeds      [][]ref             // by feeder: the plants and branches right behind it
	substation []int32             // of each feeder; -1: none
	zoneOf     [classCount][]int32 // zone of each object; -1: none
	cityOf     [classCount][]int32
	plantFrom  []ref   // feeder of each plant
	plantLine  []int32 // water line of each plant; -1: none
	linesFrom  []ref   // pumping station or line

	byFeeder     [][]int32 // plants under each feeder, its branches too
	bySubstation [][]int32 // plants
	byZone       [][]int32 // plants
	zoneFeeders  [][]int32
	zoneLines    [][]int32 // that enter the zone from outside
	cityFeeders  [][]int32
	cityStations [][]int32 // substations
	stationFeeds [][]int32 // feeders that leave each substation
	lineBranches [][]int32

	waterTanks [][]int32 // of each plant
	tankPlant  []int32   // -1: the zone's
	meterAt    []ref     // what each meter measures
	meterFeed  []ref     // what supplies it: plant, feeder or substation; noRef: unknown, or a battery
	tankOrders [][]int32 // tanker orders by tank

	gateways map[gatewayKey][]int32 // meters by gateway

	// hear is how long what feeds a feeder or a plant may take to say that it
	// has the same trouble: until then it is not known whose trouble it is.
	hear [classCount][]time.Duration
}

type gatewayKey struct{ zone, id string }

func newNetwork(reg *zone.Registry) *network {
	n := &network{registry: reg, gateways: make(map[gatewayKey][]int32)}
	n.addPlaces()
	n.addElectricity()
	n.addWater()
	n.addTanks()
	n.addMeters()
	n.placeSubstations()
	n.addHearing()
	return n
}

// find returns the object with an id, whatever its kind.
func (n *network) find(id string) ref {
	o, ok := n.registry.Object(id)
	if !ok {
		return noRef
	}
	i, ok := n.registry.Index(o.Kind, id)
	if !ok {
		return noRef
	}
	return ref{classOf[o.Kind], int32(i)}
}

// index is find for one class; -1: no such object.
func (n *network) index(id string, c class) int32 {
	if r := n.find(id); r.class == c {
		return r.index
	}
	return -1
}

func (n *network) addPlaces() {
	reg := n.registry
	for _, o := range reg.Cities() {
		n.addPlace(cityClass, o.ID)
	}
	for _, o := range reg.Zones() {
		n.addPlace(zoneClass, o.ID)
	}
	for _, o := range reg.Substations() {
		n.addPlace(substationClass, o.ID)
	}
	for _, o := range reg.Feeders() {
		n.addPlace(feederClass, o.ID)
	}
	for _, o := range reg.PumpingStations() {
		n.addPlace(pumpingClass, o.ID)
	}
	for _, o := range reg.WaterLines() {
		n.addPlace(lineClass, o.ID)
	}
	for _, o := range reg.Tanks() {
		n.addPlace(tankClass, o.ID)
	}
	for _, o := range reg.Plants() {
		n.addPlace(plantClass, o.ID)
	}
	meters := reg.Meters()
	n.zoneOf[meterClass], n.cityOf[meterClass] = make([]int32, len(meters)), make([]int32, len(meters))
	for i := range meters {
		z := n.index(meters[i].Zone, zoneClass)
		n.zoneOf[meterClass][i], n.cityOf[meterClass][i] = z, n.cityOf[zoneClass][z]
	}
}

// at tells where an object is.
func (n *network) at(r ref) place {
	if r.class != meterClass {
		return n.places[r.class][r.index]
	}
	m := &n.registry.Meters()[r.index]
	city := n.places[cityClass][n.cityOf[meterClass][r.index]].id
	return place{id: m.ID, zone: m.Zone, utility: string(m.Utility), city: city, inZone: m.Zone, kind: MeterObject}
}

// count is the number of objects of a class.
func (n *network) count(c class) int { return len(n.zoneOf[c]) }

func (n *network) addPlace(c class, id string) {
	o, _ := n.registry.Object(id)
	n.locate(c, place{id: id, city: o.City, inZone: o.Zone, kind: o.Kind})
}

func (n *network) locate(c class, p place) {
	n.places[c] = append(n.places[c], p)
	n.zoneOf[c] = append(n.zoneOf[c], n.index(p.inZone, zoneClass))
	n.cityOf[c] = append(n.cityOf[c], n.index(p.city, cityClass))
}

func (n *network) addWater() {
	reg := n.registry
	n.zoneLines = make([][]int32, len(reg.Zones()))
	n.lineBranches = make([][]int32, len(reg.WaterLines()))
	for i, l := range reg.WaterLines() {
		from := n.find(l.From)
		n.linesFrom = append(n.linesFrom, from)
		z := n.zoneOf[lineClass][i]
		if from.class == lineClass {
			n.lineBranches[from.index] = append(n.lineBranches[from.index], int32(i))
		}
		if z >= 0 && (from.class != lineClass || n.zoneOf[lineClass][from.index] != z) {
			n.zoneLines[z] = append(n.zoneLines[z], int32(i))
		}
	}
}

func (n *network) addTanks() {
	n.tankOrders = make([][]int32, len(n.registry.Tanks()))
	n.waterTanks = make([][]int32, len(n.registry.Plants()))
	for i, t := range n.registry.Tanks() {
		plant := n.index(t.Plant, plantClass)
		n.tankPlant = append(n.tankPlant, plant)
		if t.Utility == meter.Water {
			collect(n.waterTanks, plant, int32(i))
		}
	}
	for i, o := range n.registry.Tankers() {
		if t := n.index(o.Tank, tankClass); t >= 0 {
			n.tankOrders[t] = append(n.tankOrders[t], int32(i))
		}
	}
}

func (n *network) addMeters() {
	for i, m := range n.registry.Meters() {
		at := n.find(m.At)
		n.meterAt = append(n.meterAt, at)
		feed := noRef
		if !m.Backup {
			feed = n.supply(at, m.Utility)
		}
		n.meterFeed = append(n.meterFeed, feed)
		if m.Gateway != "" {
			k := gatewayKey{m.Zone, m.Gateway}
			n.gateways[k] = append(n.gateways[k], int32(i))
		}
	}
}

// supply is what a mains meter at an object lives on. A generator's meter has
// the generator's battery.
func (n *network) supply(at ref, u meter.Utility) ref {
	switch {
	case u == meter.Generator:
		return noRef
	case at.class == tankClass && n.tankPlant[at.index] >= 0:
		return ref{plantClass, n.tankPlant[at.index]}
	case at.class == plantClass || at.class == feederClass || at.class == substationClass:
		return at
	}
	return noRef
}
