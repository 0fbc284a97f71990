package rule

import (
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
)

// gatewayVerdict is what was found of a gateway, for the meters behind it.
type gatewayVerdict struct {
	state State
	key   Key
	back  int64 // when it came back
}

func (e *evaluation) judgeGateways() {
	e.gateways = e.gateways[:0]
	for i := range e.snap.Gateways {
		g := &e.snap.Gateways[i]
		verdict := gatewayVerdict{back: g.Since}
		if !g.Online {
			verdict = e.judgeGateway(g)
		}
		e.gateways = append(e.gateways, verdict)
	}
}

// judgeGateway: a gateway that went when the power of all its meters did, is
// without power. One that went later has lived through that.
func (e *evaluation) judgeGateway(g *snapshot.Gateway) gatewayVerdict {
	p := &e.kinds[gatewayOffline].everywhere
	place := place{id: g.ID, zone: g.Zone, inZone: g.Zone, kind: GatewayObject}
	if z := e.net.index(g.Zone, zoneClass); z >= 0 {
		p = e.at(gatewayOffline, zoneClass, z)
		place.city = e.net.places[zoneClass][z].city
	}
	if !p.enabled {
		return gatewayVerdict{}
	}
	verdict := gatewayVerdict{state: Raised, key: Key{Kind: catalogue[gatewayOffline].ID, Object: g.ID, Zone: g.Zone}}
	cause := e.intake
	switch up, l, restored := e.gatewayPower(g); {
	case g.Since == 0:
		verdict.state = Unknown // it has never been heard of
	case l == cut, l != dead && restored > 0 && float64(e.now-restored) <= 1000*p.params[gatewayRestart]:
		verdict.state = Held
	case l == dead && float64(g.Since-e.deadSince(up)) <= 1000*p.params[gatewayWith]:
		cause = e.key(outage, up)
	}
	f := Finding{
		Key: verdict.key, State: verdict.state, Severity: p.severity, OnDelay: p.onDelay, OffDelay: p.offDelay,
		City: place.city, InZone: place.inZone, ObjectKind: place.kind,
	}
	if verdict.state == Raised {
		f.Since, f.Cause = g.Since, cause
		f.number("n", float64(g.Meters))
	}
	e.put(f)
	return verdict
}

// gatewayPower is what is dead above all mains meters of a gateway, and when
// power came back last to any of them.
func (e *evaluation) gatewayPower(g *snapshot.Gateway) (first ref, all life, restored int64) {
	first = noRef
	for _, m := range e.net.gateways[gatewayKey{g.Zone, g.ID}] {
		feed := e.net.meterFeed[m]
		if feed == noRef {
			continue
		}
		restored = max(restored, e.restoredAbove(feed))
		up, l := e.deadAbove(feed)
		switch {
		case l < dead:
			return noRef, unmeasured, restored
		case first == noRef || l == dead && all == cut:
			first, all = up, l
		}
	}
	return first, all, restored
}

// judgeParts judges the service itself.
func (e *evaluation) judgeParts() {
	p := &e.kinds[pipelineFault].everywhere
	if !p.enabled {
		return
	}
	for i := range e.snap.Parts {
		part := &e.snap.Parts[i]
		if part.Fault == "" {
			continue
		}
		f := Finding{
			Key: partKey(part), State: Raised, Severity: p.severity, Since: part.Since,
			OnDelay: p.onDelay, OffDelay: p.offDelay, ObjectKind: PartObject,
		}
		f.word("part", part.Name)
		f.word("fault", part.Fault)
		e.put(f)
	}
}

func partKey(part *snapshot.Part) Key {
	return Key{Kind: catalogue[pipelineFault].ID, Object: part.Name}
}

// findIntakeFault finds a fault that keeps readings from coming in: then all
// meters are silent, and it is not they that have failed.
func (e *evaluation) findIntakeFault() {
	if !e.kinds[pipelineFault].everywhere.enabled {
		return
	}
	for i := range e.snap.Parts {
		part := &e.snap.Parts[i]
		if part.Fault != "" && (strings.HasPrefix(part.Name, "broker") || strings.HasPrefix(part.Name, "mqtt") || strings.HasPrefix(part.Name, "spool")) {
			e.intake = partKey(part)
			return
		}
	}
}

// Flood judges how many alarms a person got within FloodWindow. It says nothing
// of where the person works: City and InZone are the caller's.
func (s *Set) Flood(person string, alarms int) Finding {
	p := &s.kinds[alarmFlood].everywhere
	f := Finding{
		Key: Key{Kind: catalogue[alarmFlood].ID, Object: person}, State: Clear, Severity: p.severity,
		OnDelay: p.onDelay, OffDelay: p.offDelay, ObjectKind: PersonObject,
	}
	if p.enabled {
		f.State = p.judge(snapshot.Value(alarms), false)
	}
	if f.State == Raised {
		f.number("n", float64(alarms))
	}
	return f
}

// FloodWindow is the time over which Flood wants alarms counted.
func (s *Set) FloodWindow() time.Duration {
	return time.Duration(s.kinds[alarmFlood].everywhere.params[floodWindow] * float64(time.Second))
}
