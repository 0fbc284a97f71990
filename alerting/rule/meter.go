package rule

import (
	"math"
	"time"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// judgeMeters judges the meters themselves.
func (e *evaluation) judgeMeters() {
	list := e.net.registry.Meters()
	for i := range e.snap.Meters {
		r, m := ref{meterClass, int32(i)}, &e.snap.Meters[i]
		e.judgeOffline(r, m, list[i].IntervalS)
		e.judgeStuck(r, m, &list[i])
		e.judgeClock(r, m, list[i].IntervalS)
		if m.ResetAt > 0 {
			e.judgeReset(r, m)
		}
	}
}

func (e *evaluation) judgeOffline(r ref, m *snapshot.Meter, intervalS float64) {
	p := e.at(meterOffline, meterClass, r.index)
	if !p.enabled {
		return
	}
	patience := int64(p.on * intervalS * 1000)
	since := m.Heard
	if since == 0 {
		since = m.Since
	}
	switch {
	case !m.Silent && float64(m.Recent) >= p.params[backMessages]:
	case !m.Silent:
		e.add(meterOffline, r, p, Held)
	case e.now-since <= patience:
		e.add(meterOffline, r, p, Held)
	default:
		e.addOffline(r, p, m, since, patience)
	}
}

// addOffline tells silence for want of power, or of a gateway, from a fault of
// the meter. What a planned cut silences is as it should be, and so is the time
// that meters take to come back after any cut. While nobody can tell a cut from
// a fault, it waits, unless a fault of the intake explains either.
func (e *evaluation) addOffline(r ref, p *setting, m *snapshot.Meter, since, patience int64) {
	feed := e.net.meterFeed[r.index]
	up, l := e.deadAbove(feed)
	restored := e.restoredAbove(feed)
	gateway := e.gatewayOf(m)
	restored = max(restored, gateway.back)
	if l == cut || l < dead && m.Doubtful && e.intake == (Key{}) || l != dead && restored > 0 && e.now-restored <= patience || gateway.state == Held {
		e.add(meterOffline, r, p, Held)
		return
	}
	f := e.add(meterOffline, r, p, Raised)
	f.Since = since
	switch {
	case l == dead && e.at(outage, up.class, up.index).enabled:
		f.Cause = e.key(outage, up)
	case gateway.state == Raised:
		f.Cause = gateway.key
	default:
		f.Cause = e.intake
	}
}

func (e *evaluation) gatewayOf(m *snapshot.Meter) gatewayVerdict {
	if m.Gateway < 0 || m.Gateway >= len(e.gateways) {
		return gatewayVerdict{}
	}
	return e.gateways[m.Gateway]
}

func (e *evaluation) judgeStuck(r ref, m *snapshot.Meter, def *zone.Meter) {
	p := e.at(meterStuck, meterClass, r.index)
	switch {
	case !p.enabled:
	case m.Silent:
		e.add(meterStuck, r, p, Unknown)
	case float64(m.Unchanged) < p.on:
	case !m.Flowing || m.Historical || e.idle(e.net.meterAt[r.index], def.Utility):
		e.add(meterStuck, r, p, Held)
	default:
		e.add(meterStuck, r, p, Raised).number("n", float64(m.Unchanged))
	}
}

// idle tells that nothing flows at what a meter measures: a value that stays
// equal is then the right one.
func (e *evaluation) idle(at ref, u meter.Utility) bool {
	switch {
	case at.class == tankClass:
		return true // a tank may rest; its meter cannot be told from a stuck one
	case at.class == lineClass:
		return e.snap.WaterLines[at.index].FlowM3H == 0
	case at.class == plantClass && u == meter.Water:
		return e.snap.Plants[at.index].WaterM3H == 0
	case at.class == plantClass && u == meter.Fuel:
		return e.snap.Plants[at.index].FuelLPH == 0
	case at.class == plantClass && u == meter.Generator:
		return !(e.snap.Plants[at.index].GeneratorKW > 0)
	case at.class == plantClass || at.class == feederClass || at.class == substationClass:
		return e.electricity(at).PowerKW == 0 || e.lifeAt(at) >= dead
	}
	return false
}

func (e *evaluation) judgeClock(r ref, m *snapshot.Meter, intervalS float64) {
	p := e.at(meterClock, meterClass, r.index)
	if !p.enabled {
		return
	}
	state := p.judge(snapshot.Value(math.Abs(float64(m.SkewS))), false)
	if m.Silent {
		state = Unknown
	}
	if state == Clear {
		return
	}
	f := e.add(meterClock, r, p, state)
	if m.SkewS < 0 { // messages held up on their way look like a slow clock; a minute leaves the third room to be on time
		f.OnDelay = max(f.OnDelay, time.Duration(max(2*intervalS, 3*intervalS-60)*float64(time.Second)))
	}
	if state == Raised {
		f.number("s", float64(m.SkewS))
	}
}

func (e *evaluation) judgeReset(r ref, m *snapshot.Meter) {
	p := e.at(meterReset, meterClass, r.index)
	if !p.enabled || float64(e.now-m.ResetAt) > 3_600_000*p.params[resetShownH] {
		return
	}
	e.add(meterReset, r, p, Raised).Since = m.ResetAt
}
