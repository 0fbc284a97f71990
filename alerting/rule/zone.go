package rule

import (
	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
)

// judgeZones judges what a zone as a whole gets.
func (e *evaluation) judgeZones() {
	for i := range e.snap.Zones {
		z := int32(i)
		e.judgeRation(z)
		e.judgeStopped(z)
		e.judgePowerShortfall(z)
		e.judgeWaterShortfall(z)
		e.judgeAdequacy(z)
	}
}

// A block that ended so long ago, in ms, says nothing any more: two blocks of
// 15 minutes, two of an hour, and what it takes to settle them.
const (
	powerBlockAge = 45 * 60_000
	waterBlockAge = 135 * 60_000
)

// shortfallState judges a settled block, if there is evidence of constraint:
// else a low delivery is low demand. When nothing is short any more the
// off-delay begins, though the last settled block was short.
func (e *evaluation) shortfallState(b *snapshot.Balance, p *setting, age int64) State {
	switch {
	case b.Required == 0:
		return Clear
	case !b.Settled.Known() || b.SettledAt == 0 || e.now-b.SettledAt > age:
		return Unknown
	case float64(b.Settled) < p.clear, !b.Constrained, float64(b.Shortfall) < p.clear:
		return Clear
	}
	return p.judge(b.Settled, false)
}

func (e *evaluation) judgePowerShortfall(z int32) {
	p := e.at(powerShortfall, zoneClass, z)
	b := &e.snap.Zones[z].Power
	state := e.shortfallState(b, p, powerBlockAge)
	if !p.enabled || state == Clear {
		return
	}
	f := e.add(powerShortfall, ref{zoneClass, z}, p, state)
	if state != Raised {
		return
	}
	f.Since = b.SettledAt - 15*60_000
	f.number("mw", float64(b.Short)/1000)
	f.number("pct", 100*float64(b.Settled))
	f.Stalls = e.names(e.net.byZone[z], func(i int32) bool {
		plant := &e.snap.Plants[i]
		return plant.InShift && plant.PowerCapability < 1
	})
	blame := e.blamePower(z)
	short := float64(b.Short)
	if present := float64(b.Shortfall * b.Required); present < short {
		short = present // what has come back since the block is missed no more
	}
	if short-blame.sum <= p.on*float64(b.Required) {
		f.Cause = blame.worst()
	}
}

func (e *evaluation) judgeWaterShortfall(z int32) {
	p := e.at(waterShortfall, zoneClass, z)
	b := &e.snap.Zones[z].Water
	state := e.shortfallState(b, p, waterBlockAge)
	if !p.enabled || state == Clear {
		return
	}
	f := e.add(waterShortfall, ref{zoneClass, z}, p, state)
	if state != Raised {
		return
	}
	f.Since = b.SettledAt - 60*60_000
	f.number("m3h", float64(b.Short))
	f.number("pct", 100*float64(b.Settled))
	f.Stalls = e.names(e.net.byZone[z], e.dry)
	f.Cause = e.zoneWaterCause(z)
}

func (e *evaluation) zoneWaterCause(z int32) Key {
	if e.stoppedState(z) == Raised {
		return e.key(waterStopped, ref{zoneClass, z})
	}
	for _, l := range e.net.zoneLines[z] {
		if cause := e.waterCause(ref{lineClass, l}); cause != (Key{}) {
			return cause
		}
	}
	return Key{}
}

// judgeAdequacy: what a planned cut takes away is not missing, and when only
// conditions that have alarms of their own are behind it, the greatest of them
// is the cause.
func (e *evaluation) judgeAdequacy(z int32) {
	p := e.at(inadequate, zoneClass, z)
	measured := e.snap.Zones[z].AdequacyRatio
	if !p.enabled || p.judge(measured, true) == Clear || len(e.net.byZone[z]) == 0 {
		return
	}
	planned, blame := e.blameAdequacy(z)
	adequacy := measured + snapshot.Value(planned)
	judged := p.judge(adequacy, true)
	if judged == Clear {
		return
	}
	f := e.add(inadequate, ref{zoneClass, z}, p, judged)
	if judged != Raised {
		return
	}
	f.number("pct", 100*float64(adequacy))
	f.number("n", float64(e.snap.Zones[z].Affected))
	f.Stalls = e.names(e.net.byZone[z], func(i int32) bool {
		return e.snap.Plants[i].InShift && e.snap.Plants[i].Capability < 1
	})
	if float64(adequacy)+blame.sum >= p.on {
		f.Cause = blame.worst()
	}
}
