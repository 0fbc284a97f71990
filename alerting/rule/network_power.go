package rule

import (
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// addElectricity follows each feeder up to its substation and each plant up to
// its feeder. The registry has no cycles.
func (n *network) addElectricity() {
	reg := n.registry
	n.byFeeder = make([][]int32, len(reg.Feeders()))
	n.bySubstation = make([][]int32, len(reg.Substations()))
	n.stationFeeds = make([][]int32, len(reg.Substations()))
	n.byZone = make([][]int32, len(reg.Zones()))
	n.zoneFeeders = make([][]int32, len(reg.Zones()))
	n.cityFeeders = make([][]int32, len(reg.Cities()))
	n.cityStations = make([][]int32, len(reg.Cities()))
	n.feeds = make([][]ref, len(reg.Feeders()))
	for i, f := range reg.Feeders() {
		from := n.find(f.From)
		n.feederFrom = append(n.feederFrom, from)
		n.addFeed(from, ref{feederClass, int32(i)})
	}
	for i := range reg.Feeders() {
		n.addFeeder(int32(i))
	}
	for i := range reg.Substations() {
		collect(n.cityStations, n.cityOf[substationClass][i], int32(i))
	}
	for i, p := range reg.Plants() {
		n.addPlant(int32(i), p.Feeder, p.WaterLine)
	}
}

func (n *network) addFeeder(i int32) {
	from := n.feederFrom[i]
	if from.class == substationClass {
		collect(n.stationFeeds, from.index, i)
	}
	for from.class == feederClass {
		from = n.feederFrom[from.index]
	}
	root := int32(-1)
	if from.class == substationClass {
		root = from.index
	}
	n.substation = append(n.substation, root)
	collect(n.zoneFeeders, n.zoneOf[feederClass][i], i)
	collect(n.cityFeeders, n.cityOf[feederClass][i], i)
}

func (n *network) addPlant(i int32, feeder, line string) {
	from := n.find(feeder)
	n.plantFrom = append(n.plantFrom, from)
	n.addFeed(from, ref{plantClass, i})
	n.plantLine = append(n.plantLine, n.index(line, lineClass))
	collect(n.byZone, n.zoneOf[plantClass][i], i)
	for ; from.class == feederClass; from = n.feederFrom[from.index] {
		collect(n.byFeeder, from.index, i)
	}
	if from.class == substationClass {
		collect(n.bySubstation, from.index, i)
	}
}

// addFeed notes what hangs right on a feeder.
func (n *network) addFeed(from, to ref) {
	if from.class == feederClass {
		n.feeds[from.index] = append(n.feeds[from.index], to)
	}
}

// collect adds to the list of an owner, if there is one.
func collect(lists [][]int32, owner, item int32) {
	if owner >= 0 {
		lists[owner] = append(lists[owner], item)
	}
}

// placeSubstations puts a substation that feeds one zone alone into that zone,
// so that its alarms reach that zone's manager and no other.
func (n *network) placeSubstations() {
	only := make([]int32, len(n.places[substationClass]))
	for i := range only {
		only[i] = -1
	}
	for f, s := range n.substation {
		if s < 0 {
			continue
		}
		switch z := n.zoneOf[feederClass][f]; only[s] {
		case -1, z:
			only[s] = z
		default:
			only[s] = -2
		}
	}
	for s, z := range only {
		if z >= 0 {
			n.places[substationClass][s].inZone = n.places[zoneClass][z].id
			n.zoneOf[substationClass][s] = z
		}
	}
}

// hearsay is what a reading takes from the meter to the live state, at most.
const hearsay = 10 * time.Second

// addHearing notes, for each site, the longest interval of the electricity
// meters above it.
func (n *network) addHearing() {
	interval := make(map[ref]time.Duration)
	for i, m := range n.registry.Meters() {
		if m.Utility == meter.Electricity {
			interval[n.meterAt[i]] = time.Duration(m.IntervalS * float64(time.Second))
		}
	}
	add := func(r ref, from ref) {
		var longest time.Duration
		for ; from.class != noClass; from = n.fedBy(from) {
			longest = max(longest, interval[from])
		}
		if longest > 0 {
			longest += hearsay
		}
		n.hear[r.class] = append(n.hear[r.class], longest)
	}
	n.hear[substationClass] = make([]time.Duration, len(n.places[substationClass]))
	for i, from := range n.feederFrom {
		add(ref{feederClass, int32(i)}, from)
	}
	for i, from := range n.plantFrom {
		add(ref{plantClass, int32(i)}, from)
	}
}

// fedBy returns what feeds a plant or a feeder: noRef at the top.
func (n *network) fedBy(r ref) ref {
	switch r.class {
	case plantClass:
		return n.plantFrom[r.index]
	case feederClass:
		return n.feederFrom[r.index]
	}
	return noRef
}
