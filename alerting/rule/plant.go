package rule

import (
	"math"
	"time"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
)

// judgePlants judges what only plants have.
func (e *evaluation) judgePlants() {
	list := e.net.registry.Plants()
	for i := range list {
		r := ref{plantClass, int32(i)}
		if e.snap.Plants[i].Meter >= 0 {
			e.judgeUnbalance(r)
			e.judgeDemand(r, list[i].ContractKVA)
			e.judgeStalled(r)
		}
		if list[i].Requirement.PressureBar > 0 || e.snap.Plants[i].PressureBar.Known() {
			e.judgePressure(r, e.snap.Plants[i].PressureBar)
		}
		e.judgeForecast(r)
	}
}

func (e *evaluation) judgeUnbalance(r ref) {
	p := e.at(unbalance, plantClass, r.index)
	if !p.enabled {
		return
	}
	plant := &e.snap.Plants[r.index]
	if !plant.UnbalanceMean.Known() && !plant.Unbalance.Known() && sumUp(&plant.VoltagePU).known > 0 {
		return // a meter without line-to-line voltages states none
	}
	if e.lifeAt(r) >= dead {
		e.add(unbalance, r, p, Held)
		return
	}
	f := e.addPercent(unbalance, r, p, plant.UnbalanceMean)
	if f != nil && f.State == Raised {
		f.Cause = first(e.phaseLossAt(r, Raised), e.phaseLossAt(r, Held))
	}
}

// judgeDemand holds the block's projected mean against the contract.
func (e *evaluation) judgeDemand(r ref, contractKVA float64) {
	p := e.at(demandHigh, plantClass, r.index)
	if !p.enabled || contractKVA <= 0 {
		return
	}
	block := &e.snap.Plants[r.index].Block
	contract := snapshot.Value(contractKVA * p.params[demandPowerFactor])
	share := block.ProjectedKW / contract
	// At the end of a block little is left to project: power alone tells then.
	if most := snapshot.Value(p.params[demandImplausible]); share > most || e.snap.Plants[r.index].PowerKW/contract > most {
		share = snapshot.Unknown
	}
	state := p.judge(share, false)
	if state == Raised && float64(e.now-block.Start) < 1000*p.params[demandSettle] {
		state = Held
	}
	if state == Clear {
		return
	}
	f := e.add(demandHigh, r, p, state)
	if state == Raised {
		f.number("pct", 100*float64(share))
		f.number("kw", float64(block.ProjectedKW))
	}
}

// resources are the words for the three forecasts, in their order.
var resources = [3]string{"generator", "water", "fuel"}

func (e *evaluation) judgeForecast(r ref) {
	p := e.at(stallForecast, plantClass, r.index)
	if !p.enabled {
		return
	}
	first, soonest := e.soonestStall(r, p)
	state := p.judge(soonest, true)
	if state == Clear {
		return
	}
	f := e.add(stallForecast, r, p, state)
	if state != Raised {
		return
	}
	if float64(soonest) < p.severe {
		f.Severity = p.stepped
		f.OnDelay = min(f.OnDelay, time.Duration(p.params[urgentDelay]*float64(time.Second)))
	}
	f.number("h", float64(soonest))
	if p50 := float64(e.snap.Plants[r.index].Stall[first].P50H); !math.IsInf(p50, 0) {
		f.number("h50", p50)
	}
	f.word("res", resources[first])
	f.Stalls = []string{f.Object}
	if s, _ := e.stalledState(r); s == Raised {
		f.Cause = e.key(stalled, r)
	} else if f.Severity < p.stepped {
		f.Cause = e.forecastCause(r, resources[first])
	}
}

// forecastCause is the alarm that says why a stock is not filled or is drawn
// upon. It stands for the forecasts of all its plants until they are urgent.
func (e *evaluation) forecastCause(r ref, resource string) Key {
	switch resource {
	case "water":
		return e.waterCause(r)
	case "generator":
		if up, l := e.lossAbove(r); l == dead {
			return e.key(outage, up)
		}
	}
	return Key{}
}

// soonestStall is the resource that is forecast to run out first, and when. A
// plant whose water tanks are being refilled will not run out of water.
func (e *evaluation) soonestStall(r ref, p *setting) (first int, soonest snapshot.Value) {
	first, soonest = -1, snapshot.Unknown
	for i, s := range e.snap.Plants[r.index].Stall {
		left := s.P10H
		if resources[i] == "water" && left.Known() {
			left = e.unlessRefilled(r, p.params[refilledShare], left)
		}
		if left.Known() && (first < 0 || left < soonest) {
			first, soonest = i, left
		}
	}
	return first, soonest
}

// unlessRefilled is a forecast for water, never for a plant whose water tanks
// are fuller than a share while there is pressure in its main, and unknown while
// nobody knows that.
func (e *evaluation) unlessRefilled(r ref, share float64, left snapshot.Value) snapshot.Value {
	main := e.mainOf(r)
	if main.class != lineClass || e.snap.WaterLines[main.index].Meter < 0 || len(e.net.waterTanks[r.index]) == 0 {
		return left
	}
	switch e.pressureState(main, e.snap.WaterLines[main.index].PressureBar) {
	case Unknown:
		return snapshot.Unknown
	case Raised, Held:
		return left
	}
	tanks := e.net.registry.Tanks()
	for _, t := range e.net.waterTanks[r.index] {
		room := 1000 * (tanks[t].CapacityM3 - tanks[t].DeadM3)
		if float64(e.snap.Tanks[t].UsableL) < share*room {
			return left
		}
	}
	return snapshot.Value(math.Inf(1))
}

// stalledState judges the load in a shift against what is required. Without
// evidence of constraint the plant is idle, not stalled; and in a planned cut
// nothing is asked of it. Where power has just come back the plant has the time
// of the on-delay to start, and its meter to tell.
func (e *evaluation) stalledState(r ref) (state State, loadRatio snapshot.Value) {
	p := e.at(stalled, plantClass, r.index)
	plant := &e.snap.Plants[r.index]
	if !p.enabled || !plant.InShift || plant.Meter < 0 {
		return Clear, snapshot.Unknown
	}
	up, l := e.lossAbove(r)
	if l == cut && !e.overrun(up) {
		return Clear, snapshot.Unknown
	}
	load, need := plant.PowerKW, plant.RequiredKW
	if l >= dead { // what the programme cuts is required again when it is overrun
		load, need = 0, plant.RequiredGrossKW
	}
	if plant.GeneratorKW.Known() {
		load += plant.GeneratorKW
	}
	if need == 0 {
		return Clear, snapshot.Unknown
	}
	loadRatio = load / need
	state = p.judge(loadRatio, true)
	if state != Unknown && state != Clear && !plant.Constrained && l < dead {
		state = Clear
		if !plant.Capability.Known() {
			state = Held
		}
	}
	if restored := e.restoredAbove(r); state == Raised && restored > 0 && e.now-restored <= p.onDelay.Milliseconds() {
		state = Held
	}
	return state, loadRatio
}

func (e *evaluation) judgeStalled(r ref) {
	state, loadRatio := e.stalledState(r)
	if state == Clear {
		return
	}
	f := e.add(stalled, r, e.at(stalled, plantClass, r.index), state)
	if state != Raised {
		return
	}
	f.number("pct", 100*float64(loadRatio))
	f.Stalls = []string{f.Object}
	why := e.shortage(r)
	f.word("cause", why.word)
	f.word("cause_at", why.key.Object)
	if why.tells {
		f.Cause = why.key
	}
	if up, l := e.lossAbove(r); l >= dead {
		f.Since = max(e.deadSince(up), e.snap.Plants[r.index].ShiftSince)
	}
}

// shortage is why a plant has not what it needs.
type shortage struct {
	word  string // of the catalogue: a kind of alarm, or electricity, water, fuel
	key   Key    // of the alarm behind it; empty: none
	tells bool   // that alarm names the stalled plants, so that theirs is not needed
}

// rationingWord names a planned cut among the causes.
const rationingWord = "rationing"

// shortage finds the condition behind a plant's want, the strongest first.
func (e *evaluation) shortage(r ref) shortage {
	switch up, l := e.lossAbove(r); l {
	case dead:
		return e.behind(outage, up)
	case cut:
		if up.class == feederClass && e.overrun(up) {
			return e.behind(rationOverrun, up)
		}
		return shortage{word: rationingWord}
	}
	if key := e.phaseLossAt(r, Raised); key != (Key{}) {
		return shortage{word: key.Kind, key: key, tells: true}
	}
	plant := &e.snap.Plants[r.index]
	least, which := snapshot.Value(1), "unknown"
	for i, c := range [...]snapshot.Value{plant.PowerCapability, plant.WaterCapability, plant.FuelCapability} {
		if c < least {
			least, which = c, [...]string{"electricity", "water", "fuel"}[i]
		}
	}
	switch which {
	case "electricity":
		return e.powerShortage(r)
	case "water":
		return e.waterShortage(r)
	}
	return shortage{word: which}
}

func (e *evaluation) behind(k kindIndex, r ref) shortage {
	return shortage{word: catalogue[k].ID, key: e.key(k, r), tells: e.at(k, r.class, r.index).enabled}
}

func (e *evaluation) powerShortage(r ref) shortage {
	for at := r; at.class != noClass; at = e.parent(at) {
		if s, _ := e.voltageState(voltageLow, at); s != Raised {
			continue
		}
		p := e.at(voltageLow, at.class, at.index)
		severe := farthest(voltageLow, &e.electricity(at).VoltagePU) < p.severe
		return shortage{word: catalogue[voltageLow].ID, key: e.key(voltageLow, at), tells: severe}
	}
	return shortage{word: "electricity"}
}

func (e *evaluation) waterShortage(r ref) shortage {
	if key := e.waterCause(r); key != (Key{}) {
		return shortage{word: key.Kind, key: key, tells: true}
	}
	if e.pressureState(r, e.snap.Plants[r.index].PressureBar) == Raised {
		return shortage{word: catalogue[pressureLow].ID, key: e.key(pressureLow, r)}
	}
	return shortage{word: "water"}
}
