package metersim

import (
	"slices"
	"strconv"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// How soon the truth asks for an alarm after its cause, and how long a cause
// explains what follows. They are the promise of DOMAIN.md restated for what is
// injected here, with room for a meter's interval; no rule is asked.
const (
	outageWithin      = 3 * time.Minute
	unannouncedWithin = 8 * time.Minute
	silentWithin      = 8 * time.Minute
	overrunWithin     = 15 * time.Minute // after the announced return
	aftermath         = time.Hour        // in which plants recover
	flicker           = 5 * time.Minute  // while a return is being believed
)

// cut takes feeders or substations off and puts them on again.
func cut(ids ...string) func(*model, bool) {
	return func(m *model, on bool) {
		for _, id := range ids {
			n := m.nodes[id]
			if n == nil {
				continue
			}
			if on {
				n.cut++
			} else {
				n.cut--
			}
		}
	}
}

// darkness is what any cut means for what lies behind it: the plants' loss is
// booked, the plants and feeders there raise nothing of their own, and what
// reaches the zone is explained. tops are what was cut.
func (st *stage) darkness(i *incident, tops ...string) {
	var feeders, plants, zones []string
	for _, top := range tops {
		feeders = append(feeders, st.net.feeders(top)...)
		plants = append(plants, st.net.plants(top)...)
		zones = append(zones, st.net.zones(top)...)
	}
	slices.Sort(zones)
	zones = slices.Compact(zones)
	i.dark, i.short = tops, plants
	below := slices.Concat(without(feeders, tops), plants)
	i.forbid("elec.outage", flicker, below...)
	i.forbid("elec.phase_loss|elec.voltage_low|elec.voltage_high|elec.unbalance", flicker, slices.Concat(tops, below)...)
	i.forbid("plant.stalled", 0, plants...)
	i.allow("plant.stalled", aftermath, plants...)
	i.allow("plant.stall_forecast", aftermath, plants...)
	i.allow("fuel.cover_low", aftermath, slices.Concat(plants, st.net.tanks(plants, meter.Fuel))...)
	i.allow("water.tank_low", aftermath, slices.Concat(plants, st.net.tanks(plants, meter.Water))...)
	i.allow("elec.shortfall|zone.inadequate|water.shortfall", aftermath, slices.Concat(zones, []string{st.Files[0].City.ID})...)
}

// without returns list without the members of others.
func without(list, others []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(id string) bool { return slices.Contains(others, id) })
}

func (st *stage) feederTrip(i *incident) {
	i.apply = cut(i.Object)
	i.expect("elec.outage", i.Object, outageWithin)
	i.forbid("elec.ration_unannounced|elec.ration_overrun", 0, "*")
	st.darkness(i, i.Object)
	st.speaking(i, i.Object)
}

// substationTrip is a feeder's trip one storey up.
func (st *stage) substationTrip(i *incident) { st.feederTrip(i) }

// speaking says that the meters behind a cut go on speaking, and so nobody
// should call them silent.
func (st *stage) speaking(i *incident, tops ...string) {
	at := slices.Clone(tops)
	for _, top := range tops {
		at = slices.Concat(at, st.net.feeders(top), st.net.plants(top))
	}
	i.forbid("meter.offline", 0, st.net.meters(at...)...)
}

// unannouncedCut takes off feeders of a zone that come straight from a
// substation, whose bars stay alive.
func (st *stage) unannouncedCut(i *incident) {
	var heads []string
	for _, f := range st.Registry.Feeders() {
		if o, _ := st.Registry.Object(f.From); f.Zone == i.Object && o.Kind == "substation" {
			heads = append(heads, f.ID)
		}
	}
	if i.Feeders > 0 {
		st.rand.Shuffle(len(heads), func(a, b int) { heads[a], heads[b] = heads[b], heads[a] })
		heads = heads[:min(i.Feeders, len(heads))]
	}
	if len(heads) < 2 {
		st.wrong("object", "%s has %d feeders to cut; unannounced rationing takes at least 2", i.Object, len(heads))
		return
	}
	i.apply = cut(heads...)
	i.expect("elec.ration_unannounced", i.Object, unannouncedWithin)
	i.forbid("elec.outage", flicker, heads...)
	st.darkness(i, heads...)
	st.speaking(i, heads...)
}

// blackStart takes the whole city off; its substations come back one after the
// other, and with the first of them the pumps.
func (st *stage) blackStart(i *incident) {
	gap := i.Gap
	if gap == 0 {
		gap = 5 * time.Minute
	}
	for n, def := range st.Registry.Substations() {
		back := st.at(i.end).Add(time.Duration(n) * gap)
		c := i.Cause
		c.Object = def.ID
		one := st.incident(c, st.at(i.start), back)
		one.apply = cut(def.ID)
		one.expect("elec.outage", def.ID, outageWithin)
		one.forbid("elec.ration_unannounced|elec.ration_overrun", 0, "*")
		st.darkness(one, def.ID)
	}
	i.Object = st.Files[0].City.ID
	i.event.Object = i.Object
	last := time.Duration(len(st.Registry.Substations())) * gap
	pumps := make([]string, 0, len(st.Registry.PumpingStations()))
	for _, def := range st.Registry.PumpingStations() {
		pumps = append(pumps, def.ID)
	}
	i.apply = func(m *model, on bool) {
		for _, id := range pumps {
			m.pump(id, on, 0)
		}
	}
	for _, id := range pumps {
		st.thirst(i, id)
	}
	i.forbid("meter.offline|gateway.offline|water.burst", 0, "*")
	i.allow("zone.inadequate|elec.shortfall|water.shortfall|elec.demand_high|elec.feeder_overload|elec.frequency", last+aftermath, "*")
	i.allow("plant.stalled|plant.stall_forecast", last+aftermath, "*")
}

// silentCut cuts a feeder whose meters all live on it: nobody reports the cut,
// they fall silent. With a last gasp each says once that there is no voltage.
func (st *stage) silentCut(i *incident) {
	feeders := append(st.net.feeders(i.Object), i.Object)
	plants := st.net.plants(i.Object)
	mute := make(map[string]bool)
	for _, m := range st.Registry.Meters() {
		own := m.At == i.Object
		if own || !m.Backup && (slices.Contains(feeders, m.At) || slices.Contains(plants, st.plantOf(m.At))) {
			mute[key(m)] = true
		}
	}
	i.apply = cut(i.Object)
	gasped := make(map[int]bool)
	i.edit = &edit{probes: mute, do: func(_ *player, r *reading) {
		r.drop = !i.LastGasp || gasped[r.probe] || r.at > i.start+30_000
		gasped[r.probe] = true
	}}
	i.expect("elec.outage", i.Object, silentWithin)
	i.allow("meter.offline", flicker, st.net.meters(i.Object)...) // the feeder's own has a battery, yet is silent
	i.forbid("elec.ration_unannounced|elec.ration_overrun", 0, "*")
	st.darkness(i, i.Object)
	var ids []string
	for _, m := range st.Registry.Meters() {
		if mute[key(m)] && !m.Backup {
			ids = append(ids, m.ID)
		}
	}
	i.forbid("meter.offline", flicker, ids...)
	i.allow("gateway.offline", flicker, st.net.gateways()...)
}

// plantOf is the plant that an object is or belongs to.
func (st *stage) plantOf(object string) string {
	if t, ok := st.Registry.Tank(object); ok {
		return t.Plant
	}
	return object
}

// rationing carries the programme out: each feeder that the object concerns is
// off in its blocks, from Lag after their start to Overrun after their end.
func (st *stage) rationing(i *incident) {
	i.untold = true
	n := 0
	for _, f := range st.Registry.Feeders() {
		if st.concerns(i.Object, f.ID, f.Zone) {
			n += st.blocks(i, f.ID)
		}
	}
	if n == 0 {
		st.wrong("object", "the programme cuts no feeder of %q within the play", i.Object)
	}
}

func (st *stage) concerns(object, feeder, zoneID string) bool {
	for _, r := range st.Registry.Rationing() {
		if r.ID == object {
			return r.Zone == zoneID && r.Zone != "" || slices.Contains(r.Feeders, feeder)
		}
	}
	return object == "" || object == "*" || object == feeder || object == zoneID || object == st.Registry.CityOf(zoneID)
}

// blocks adds an incident for each block of the feeder within the cause's time.
func (st *stage) blocks(i *incident, feeder string) (n int) {
	for t := st.at(i.start); t.Before(st.at(i.end)); {
		plan := st.Registry.Programme().Plan(feeder, t, i.Stage)
		if plan.Start.IsZero() || !plan.Start.Before(st.at(i.end)) {
			return n
		}
		c := i.Cause
		c.Object = feeder
		start := plan.Start.Add(c.Lag)
		if start.Before(st.at(i.start)) {
			start = st.at(i.start)
		}
		st.block(st.incident(c, start, plan.End.Add(c.Overrun)), plan.End)
		n, t = n+1, plan.End.Add(time.Second)
	}
	return n
}

// block is one feeder's planned cut, until announced or longer.
func (st *stage) block(i *incident, announced time.Time) {
	i.apply = cut(i.Object)
	if i.Overrun > 0 && announced.Add(overrunWithin).Before(st.End) {
		if st.at(i.end).After(announced.Add(10 * time.Minute)) {
			back := announced.Sub(st.at(i.start))
			i.expectFrom("elec.ration_overrun", i.Object, back, back+overrunWithin)
		}
	} else {
		i.forbid("elec.ration_overrun", flicker, i.Object)
	}
	i.forbid("elec.outage", flicker, i.Object)
	i.forbid("elec.ration_unannounced", flicker, st.net.zones(i.Object)...)
	st.darkness(i, i.Object)
	st.speaking(i, i.Object)
}

// announce is a stage of rationing that the programme's rules wait for. It does
// nothing by itself: the harness announces it, by the event's object.
func (st *stage) announce(i *incident) { i.event.Object = strconv.Itoa(max(1, i.Stage)) }
