package rule

import (
	"math"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
)

// judgeSites judges the supply of every substation, feeder and plant.
func (e *evaluation) judgeSites() {
	for _, c := range []class{substationClass, feederClass, plantClass} {
		for i := range e.life[c] {
			r := ref{c, int32(i)}
			if e.life[c][i] == unmeasured {
				continue
			}
			e.judgeOutage(r)
			e.judgePhases(r)
			e.judgeVoltage(r, voltageLow)
			e.judgeVoltage(r, voltageHigh)
		}
	}
}

func (e *evaluation) judgeOutage(r ref) {
	p := e.at(outage, r.class, r.index)
	if !p.enabled {
		return
	}
	switch e.lifeAt(r) {
	case unheard:
		if !e.feedsLiving(r) {
			e.add(outage, r, p, Unknown)
		}
	case between:
		e.add(outage, r, p, Held)
	case dead:
		if e.electricity(r).Time < e.restoredAbove(e.parent(r)) && !e.bySilence(r) {
			e.add(outage, r, p, Held) // its meter has not spoken since
			return
		}
		f := e.add(outage, r, p, Raised)
		f.Since = e.deadSince(r)
		f.OnDelay = max(f.OnDelay, e.net.hear[r.class][r.index])
		f.Cause = e.outageCause(r)
		if f.Cause == (Key{}) && e.bySilence(r) {
			f.Cause = e.intake // nothing is heard of anybody
		}
		f.Stalls = e.standingUnder(r)
	}
}

// bySilence tells that nobody measured the outage.
func (e *evaluation) bySilence(r ref) bool {
	return e.electricity(r).Dead.Silent || r.class == substationClass && e.inferred[substationClass][r.index] > 0
}

// outageCause is what an outage is a part of: the nearest dead thing above, or
// rationing that nobody announced.
func (e *evaluation) outageCause(r ref) Key {
	if up, l := e.deadAbove(e.parent(r)); l == dead && e.at(outage, up.class, up.index).enabled {
		return e.key(outage, up)
	}
	if r.class != feederClass {
		return Key{}
	}
	z := e.net.zoneOf[feederClass][r.index]
	if z >= 0 && e.rationed(r.index) && e.at(rationUnannounced, zoneClass, z).enabled {
		return e.key(rationUnannounced, ref{zoneClass, z})
	}
	return Key{}
}

// phaseState judges whether a phase is lost. A meter of one phase cannot tell.
func (e *evaluation) phaseState(r ref) State {
	el := e.electricity(r)
	p := e.at(phaseLoss, r.class, r.index)
	v := sumUp(&el.VoltagePU)
	u2 := float64(el.Unbalance)
	switch l := e.lifeAt(r); {
	case !p.enabled || l == unmeasured || v.known == 1:
		return Clear
	case l >= dead:
		return Held
	case l == unheard:
		return Unknown
	}
	best, worst := float64(v.best), float64(v.worst)
	switch {
	case best > p.params[phaseOthers] && (worst < p.on || best-worst > p.params[phaseSpread]), u2 > p.params[phaseUnbalance]:
		return Raised
	case worst > p.clear && !(u2 >= p.params[phaseRestored]):
		return Clear
	}
	return Held
}

func (e *evaluation) judgePhases(r ref) {
	state := e.phaseState(r)
	if state == Clear {
		return
	}
	p := e.at(phaseLoss, r.class, r.index)
	f := e.add(phaseLoss, r, p, state)
	if state != Raised {
		return
	}
	f.OnDelay = max(f.OnDelay, e.net.hear[r.class][r.index])
	f.Cause = e.causeAbove(phaseLoss, r)
	f.Stalls = e.standingUnder(r)
	f.word("ph", lostPhases(&e.electricity(r).VoltagePU, p.clear))
}

func lostPhases(v *[3]snapshot.Value, restored float64) string {
	var lost []string
	for i, x := range v {
		if float64(x) <= restored {
			lost = append(lost, [...]string{"L1", "L2", "L3"}[i])
		}
	}
	return strings.Join(lost, " ")
}

// voltageState judges the mean of 10 minutes. The present voltage must agree:
// after an outage the mean is low for a while though all is well. A voltage
// below severe is not waited for: urgent tells that it raises after a delay of
// its own.
func (e *evaluation) voltageState(k kindIndex, r ref) (state State, urgent bool) {
	el := e.electricity(r)
	p := e.at(k, r.class, r.index)
	switch l := e.lifeAt(r); {
	case !p.enabled || l == unmeasured:
		return Clear, false
	case l == unheard:
		return Unknown, false
	case l >= dead:
		return Held, false
	}
	present, average := farthest(k, &el.VoltagePU), farthest(k, &el.VoltageMean)
	on, end, severe := p.on, p.clear, p.severe
	if catalogue[k].Falling {
		present, average, on, end, severe = -present, -average, -on, -end, -severe
	}
	switch {
	case present < end:
		return Clear, false
	case average > on:
		return Raised, false
	case has(severe) && present > severe:
		return Raised, true
	case math.IsNaN(average):
		return Unknown, false
	}
	return Held, false
}

// farthest is the lowest phase for a low voltage and the highest for a high
// one; NaN if none is known.
func farthest(k kindIndex, v *[3]snapshot.Value) float64 {
	p := sumUp(v)
	if catalogue[k].Falling {
		return float64(p.worst)
	}
	return float64(p.best)
}

func (e *evaluation) judgeVoltage(r ref, k kindIndex) {
	state, urgent := e.voltageState(k, r)
	if state == Clear {
		return
	}
	p := e.at(k, r.class, r.index)
	f := e.add(k, r, p, state)
	if state != Raised {
		return
	}
	el := e.electricity(r)
	present, average := farthest(k, &el.VoltagePU), farthest(k, &el.VoltageMean)
	f.number("pct", 100*average)
	if has(p.severe) && present < p.severe {
		f.Severity = p.stepped
		f.number("pct", 100*present)
	}
	if urgent {
		f.OnDelay = time.Duration(p.params[severeDelay] * float64(time.Second))
	}
	f.OnDelay = max(f.OnDelay, e.net.hear[r.class][r.index])
	f.Cause = first(e.phaseLossAt(r, Raised), e.causeAbove(k, r), e.phaseLossAt(r, Held))
	f.Stalls = e.shortUnder(r)
}

// causeAbove is the same condition at what feeds r: the nearest that is raised,
// or else the nearest that is held, whose alarm may stand.
func (e *evaluation) causeAbove(k kindIndex, r ref) Key {
	held := noRef
	for up := e.parent(r); up.class != noClass; up = e.parent(up) {
		switch e.siteState(k, up) {
		case Raised:
			return e.key(k, up)
		case Held:
			if held == noRef {
				held = up
			}
		}
	}
	if held != noRef {
		return e.key(k, held)
	}
	return Key{}
}

func (e *evaluation) siteState(k kindIndex, r ref) State {
	if k == phaseLoss {
		return e.phaseState(r)
	}
	state, _ := e.voltageState(k, r)
	return state
}

// phaseLossAt is the phase lost at r or above it, in that state: it pulls every
// mean and the balance with it.
func (e *evaluation) phaseLossAt(r ref, state State) Key {
	for ; r.class != noClass; r = e.parent(r) {
		if e.phaseState(r) == state {
			return e.key(phaseLoss, r)
		}
	}
	return Key{}
}

// first is the first cause that there is.
func first(causes ...Key) Key {
	for _, c := range causes {
		if c != (Key{}) {
			return c
		}
	}
	return Key{}
}
