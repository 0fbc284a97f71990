package metersim

import (
	"cmp"
	"slices"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

const (
	burstWithin   = 15 * time.Minute
	stoppedWithin = 30 * time.Minute
	burstTimes    = 5.0 // a burst's flow as a multiple of the line's usual flow
	leakShareOf   = 0.8 // a slow leak's, of it
	nightFrom     = 2 * time.Hour
	nightTo       = 4 * time.Hour
	valveMS       = 5 * minuteMS // in which the valve of a tank is opened
)

// burst opens a line: its flow jumps, its pressure falls, and so does that of
// everything behind it.
func (st *stage) burst(i *incident) {
	share := cmp.Or(i.DropPct, 45) / 100
	i.apply = func(m *model, on bool) {
		w := m.lines[i.Object]
		w.trouble.extra, w.trouble.lost = 0, 0
		if on {
			w.trouble.extra, w.trouble.lost = cmp.Or(i.FlowM3H, burstTimes*m.usual(w)), share
		}
	}
	lines := st.net.lines(i.Object)
	plants := st.net.plants(i.Object)
	i.expect("water.burst", i.Object, burstWithin)
	i.forbid("water.burst", 0, lines...)
	i.allow("water.burst|water.pressure_low|water.night_leak", aftermath, st.above(i.Object)...)
	i.allow("water.pressure_low", aftermath, slices.Concat(lines, plants, []string{i.Object})...)
	i.allow("plant.stalled|plant.stall_forecast", aftermath, plants...)
	i.allow("water.shortfall|zone.inadequate", aftermath, st.net.zones(i.Object)...)
}

// above lists what feeds a line, up to its pumping station.
func (st *stage) above(id string) []string {
	var list []string
	for id = st.net.from[id]; id != ""; id = st.net.from[id] {
		list = append(list, id)
	}
	return list
}

// usual is the flow that a line has by day, m³/h.
func (m *model) usual(w *waterMain) float64 {
	sum := leakShare * w.designM3
	for _, c := range w.children {
		sum += m.usual(c)
	}
	for _, p := range w.plants {
		sum += p.meanM3H
	}
	return max(5, sum)
}

// slowLeak lets a line lose a little, all the time.
func (st *stage) slowLeak(i *incident) {
	i.apply = func(m *model, on bool) {
		w := m.lines[i.Object]
		w.trouble.extra = 0
		if on {
			w.trouble.extra = cmp.Or(i.FlowM3H, leakShareOf*m.usual(w))
		}
	}
	if third, ok := st.thirdNight(i); ok {
		known := third.Sub(st.at(i.start))
		i.expectFrom("water.night_leak", i.Object, known, known+time.Hour)
	}
	i.forbid("water.burst", 0, append(st.net.lines(i.Object), i.Object)...)
	i.allow("water.night_leak", 24*time.Hour, append(st.above(i.Object), i.Object)...)
}

// thirdNight is the end of the third whole night, 02–04, within the incident.
func (st *stage) thirdNight(i *incident) (time.Time, bool) {
	start := st.at(i.start)
	night := time.Date(start.Year(), start.Month(), start.Day(), 0, 0, 0, 0, st.loc)
	for whole := 0; night.Add(nightTo).Before(st.at(i.end)); night = night.AddDate(0, 0, 1) {
		if night.Add(nightFrom).Before(start) {
			continue
		}
		if whole++; whole == 3 {
			return night.Add(nightTo), night.Add(nightTo + time.Hour).Before(st.End)
		}
	}
	return time.Time{}, false
}

// tankFill lets a zone's tank fill at a rate that looks like a burst, but what
// leaves the line arrives in the tank.
func (st *stage) tankFill(i *incident) {
	line := st.net.lineOfTank(i.Object)
	def, _ := st.Registry.Tank(i.Object)
	if line == "" || def.Utility != meter.Water {
		st.wrong("object", "%s is no water tank of a zone on a line", i.Object)
		return
	}
	i.apply = func(m *model, on bool) {
		if !on {
			m.lines[line].tank.fill = 0
		}
	}
	i.tick = func(m *model, ms int64) {
		opened := min(1, float64(ms-i.start+stepMS)/valveMS)
		m.lines[line].tank.fill = opened * cmp.Or(i.FlowM3H, def.CapacityM3/4)
	}
	i.forbid("water.burst|water.night_leak|water.stopped", 0, slices.Concat(st.above(line), st.net.lines(line), []string{line})...)
	i.allow("water.pressure_low", flicker, append(st.net.lines(line), line)...)
}

// pumpStop takes a pumping station's head away, or a part of it.
func (st *stage) pumpStop(i *incident) {
	i.apply = func(m *model, on bool) { m.pump(i.Object, on, i.LevelPct/100) }
	if i.LevelPct == 0 && i.length() > stoppedWithin {
		for _, z := range st.whollyFed(i.Object) {
			i.expect("water.stopped", z, stoppedWithin)
		}
	}
	st.thirst(i, i.Object)
}

// pump sets what a station's pumps give; when it is over, all.
func (m *model) pump(id string, on bool, head float64) {
	m.lines[id].trouble.head = 1
	if on {
		m.lines[id].trouble.head = head
	}
}

// whollyFed lists the zones all of whose lines hang on the station.
func (st *stage) whollyFed(station string) []string {
	var list []string
	for _, z := range st.net.zones(station) {
		whole := true
		for _, w := range st.Registry.WaterLines() {
			whole = whole && (w.Zone != z || st.net.behind(station, w.ID))
		}
		if whole {
			list = append(list, z)
		}
	}
	return list
}

// thirst is what a station without head means for what hangs on it.
func (st *stage) thirst(i *incident, station string) {
	lines := append(st.net.lines(station), station)
	plants := st.net.plants(station)
	zones := append(st.net.zones(station), st.Files[0].City.ID)
	i.forbid("water.burst", flicker, lines...)
	i.allow("water.pressure_low|water.stopped", aftermath, slices.Concat(lines, plants, zones)...)
	i.allow("water.tank_low", aftermath, slices.Concat(plants, st.net.tanks(plants, meter.Water), zones, st.zoneTanks(zones))...)
	i.allow("plant.stalled|plant.stall_forecast", aftermath, plants...)
	i.allow("water.shortfall|zone.inadequate|elec.shortfall", aftermath, zones...)
}

// zoneTanks lists the tanks that belong to zones.
func (st *stage) zoneTanks(zones []string) []string {
	var list []string
	for _, t := range st.Registry.Tanks() {
		if t.Plant == "" && slices.Contains(zones, t.Zone) {
			list = append(list, t.ID)
		}
	}
	return list
}
