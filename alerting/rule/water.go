package rule

import (
	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
)

// judgeWater judges every main.
func (e *evaluation) judgeWater() {
	for i := range e.snap.WaterLines {
		r := ref{lineClass, int32(i)}
		line := &e.snap.WaterLines[i]
		if line.Meter < 0 {
			continue
		}
		e.judgePressure(r, line.PressureBar)
		e.judgeBurst(r)
		e.judgeLeak(r)
	}
}

// pressureState judges the pressure at a main or a plant, in supply hours.
func (e *evaluation) pressureState(r ref, bar snapshot.Value) State {
	p := e.at(pressureLow, r.class, r.index)
	if z := e.net.zoneOf[r.class][r.index]; !p.enabled || z >= 0 && !e.snap.Zones[z].WaterHours {
		return Clear
	}
	return p.judge(bar, true)
}

func (e *evaluation) judgePressure(r ref, bar snapshot.Value) {
	state := e.pressureState(r, bar)
	if state == Clear {
		return
	}
	p := e.at(pressureLow, r.class, r.index)
	f := e.add(pressureLow, r, p, state)
	if state != Raised {
		return
	}
	f.number("bar", float64(bar))
	f.Cause = e.pressureCause(r)
	f.Stalls = e.dryUnder(r)
}

// pressureCause is what took the pressure away: no water at all in the zone, a
// burst, or the same in the main that feeds it.
func (e *evaluation) pressureCause(r ref) Key {
	if cause := e.waterCause(r); cause != (Key{}) {
		return cause
	}
	held := noRef
	for up := e.mainOf(r); up.class == lineClass; up = e.mainOf(up) {
		switch e.pressureState(up, e.snap.WaterLines[up.index].PressureBar) {
		case Raised:
			return e.key(pressureLow, up)
		case Held:
			if held == noRef {
				held = up
			}
		}
	}
	if held != noRef {
		return e.key(pressureLow, held)
	}
	return Key{}
}

// waterCause is the alarm about a zone or a main that explains why r has no
// water.
func (e *evaluation) waterCause(r ref) Key {
	if z := e.net.zoneOf[r.class][r.index]; z >= 0 && e.stoppedState(z) == Raised {
		return e.key(waterStopped, ref{zoneClass, z})
	}
	first := r
	if r.class != lineClass {
		first = e.mainOf(r)
	}
	for up := first; up.class == lineClass; up = e.mainOf(up) {
		if state := e.burstState(up); state == Raised || state == Held {
			return e.key(burst, up)
		}
	}
	return Key{}
}

// mainOf is the main that feeds a plant or a main: another main, a pumping
// station, or noRef.
func (e *evaluation) mainOf(r ref) ref {
	switch r.class {
	case lineClass:
		return e.net.linesFrom[r.index]
	case plantClass:
		if l := e.net.plantLine[r.index]; l >= 0 {
			return ref{lineClass, l}
		}
	}
	return noRef
}

// dryUnder names the plants on a main, or the plant itself, that are short of
// water.
func (e *evaluation) dryUnder(r ref) []string {
	if r.class == plantClass {
		return e.names([]int32{r.index}, e.dry)
	}
	z := e.net.zoneOf[lineClass][r.index]
	if z < 0 {
		return nil
	}
	return e.names(e.net.byZone[z], func(i int32) bool {
		for up := e.mainOf(ref{plantClass, i}); up.class == lineClass; up = e.mainOf(up) {
			if up == r {
				return e.dry(i)
			}
		}
		return false
	})
}

func (e *evaluation) dry(i int32) bool {
	return e.snap.Plants[i].InShift && e.snap.Plants[i].WaterCapability < 1
}

// burstState: far more flow than usual, beside what fills tanks, and a fall of
// pressure. Until the usual flow is learned, that of five minutes ago stands for
// it. While the flow lasts it is held; it never ends by itself.
func (e *evaluation) burstState(r ref) State {
	line := &e.snap.WaterLines[r.index]
	p := e.at(burst, lineClass, r.index)
	if !p.enabled || line.Meter < 0 {
		return Clear
	}
	fill := fill(line)
	flow, usual := line.FlowM3H-fill, line.FlowExpected
	if !usual.Known() {
		usual = line.FlowM3H - line.FlowRise
	}
	if !flow.Known() || !usual.Known() || !line.PressureDrop.Known() {
		return Unknown
	}
	switch much := float64(flow) > max(p.on*float64(usual), p.params[burstLeast]); {
	case much && float64(line.PressureDrop) >= p.params[burstDrop]:
		if float64(line.TankRise) > p.params[burstFill]*float64(line.FlowRise) {
			return Held // a tank is being filled
		}
		return Raised
	case much:
		return Held
	}
	return Clear
}

// fill is what of a line's flow may go into tanks. A line does not fill them
// with more than flowed in it before they were filled faster.
func fill(line *snapshot.WaterLine) snapshot.Value {
	before := line.FlowM3H - line.FlowRise
	return min(line.TankInM3H, before+max(0, line.TankRise))
}

func (e *evaluation) judgeBurst(r ref) {
	state := e.burstState(r)
	if state == Clear {
		return
	}
	f := e.add(burst, r, e.at(burst, lineClass, r.index), state)
	if state != Raised {
		return
	}
	line := &e.snap.WaterLines[r.index]
	f.number("m3h", float64(line.FlowM3H-fill(line)))
	f.number("bar", float64(line.PressureBar))
	for _, b := range e.net.lineBranches[r.index] { // the meters upstream see it too
		if branch := (ref{lineClass, b}); e.burstState(branch) == Raised {
			f.Cause = e.key(burst, branch)
			return
		}
	}
	f.Stalls = e.dryUnder(r)
}

// judgeLeak compares the last three nights with the fortnight before them.
func (e *evaluation) judgeLeak(r ref) {
	p := e.at(nightLeak, lineClass, r.index)
	line := &e.snap.WaterLines[r.index]
	if !p.enabled {
		return
	}
	usual, least := line.NightUsualM3H, line.NightM3H[0]
	for _, night := range line.NightM3H[1:] {
		if !night.Known() || night < least {
			least = night
		}
	}
	// All three nights raise, the newest alone ends.
	state := p.judge((least-usual)/usual, false)
	switch newest := p.judge((line.NightM3H[0]-usual)/usual, false); {
	case usual == 0 || state == Unknown || newest == Unknown:
		state = Unknown
	case state == Raised && float64(least-usual) >= p.params[leakLeast]:
	case newest == Clear:
		return
	default:
		state = Held
	}
	f := e.add(nightLeak, r, p, state)
	if state != Raised {
		return
	}
	f.number("m3h", float64(line.NightM3H[0]-usual))
	f.number("pct", 100*float64((line.NightM3H[0]-usual)/usual))
	if s := e.burstState(r); s == Raised || s == Held {
		f.Cause = e.key(burst, r)
	}
}

// stoppedState judges whether a zone gets no water at all: no main that enters
// it has flow or pressure.
func (e *evaluation) stoppedState(z int32) State {
	p := e.at(waterStopped, zoneClass, z)
	mains := e.net.zoneLines[z]
	if !p.enabled || !e.snap.Zones[z].WaterHours {
		return Clear
	}
	measured, unknown, pressure := false, false, false
	for _, l := range mains {
		line := &e.snap.WaterLines[l]
		switch {
		case line.Meter < 0:
			continue
		case float64(line.FlowM3H) > p.params[stoppedFlow]:
			return Clear
		case float64(line.PressureBar) >= p.on:
			pressure = true
		case !line.FlowM3H.Known() || !line.PressureBar.Known():
			unknown = true
		}
		measured = true
	}
	switch {
	case !measured:
		return Clear
	case pressure: // nobody draws any
		return Held
	case unknown:
		return Unknown
	}
	return Raised
}

func (e *evaluation) judgeStopped(z int32) {
	state := e.stoppedState(z)
	if state == Clear {
		return
	}
	f := e.add(waterStopped, ref{zoneClass, z}, e.at(waterStopped, zoneClass, z), state)
	if state == Raised {
		f.Stalls = e.names(e.net.byZone[z], e.dry)
	}
}
