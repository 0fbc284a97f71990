package rule

import (
	"slices"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
)

// life is whether there is voltage.
type life uint8

const (
	unmeasured life = iota // there is no meter, and nothing to infer it from
	unheard                // there is one, and it says nothing
	alive
	between // neither dead nor well
	dead
	cut // dead by the rationing programme
)

// phases sums the known phases up.
type phases struct {
	known       int
	best, worst snapshot.Value
}

func sumUp(v *[3]snapshot.Value) phases {
	p := phases{best: snapshot.Unknown, worst: snapshot.Unknown}
	for _, x := range v {
		if !x.Known() {
			continue
		}
		if p.known == 0 || x > p.best {
			p.best = x
		}
		if p.known == 0 || x < p.worst {
			p.worst = x
		}
		p.known++
	}
	return p
}

func (e *evaluation) seeLives() {
	for _, c := range []class{substationClass, feederClass, plantClass} {
		for i := range e.life[c] {
			r := ref{c, int32(i)}
			e.life[c][i] = lifeOf(e.electricity(r), e.at(outage, c, r.index))
		}
	}
	for _, c := range []class{feederClass, plantClass} {
		for i := range e.life[c] {
			if e.life[c][i] == dead && e.cutAbove(ref{c, int32(i)}) {
				e.life[c][i] = cut
			}
		}
	}
}

func lifeOf(el *snapshot.Electricity, p *setting) life {
	v := sumUp(&el.VoltagePU)
	switch {
	case v.known > 0 && float64(v.best) < p.on, v.known == 0 && el.Dead.Since > 0:
		if el.Dead.Planned {
			return cut
		}
		return dead
	case v.known == 0 && el.Meter < 0:
		return unmeasured
	case v.known == 0:
		return unheard
	case float64(v.worst) > p.clear:
		return alive
	}
	return between
}

// tolerance around the beginning of a planned cut, in ms (DOMAIN §4: ± 5 min).
const tolerance = 5 * 60_000

// cutAbove tells that something above r is off by plan since about as long, or
// that power was back there for so short a time that r had none to tell of it.
func (e *evaluation) cutAbove(r ref) bool {
	since := e.electricity(r).Dead.Since
	for up := e.parent(r); up.class != noClass; up = e.parent(up) {
		if e.lifeAt(up) == cut {
			el := e.electricity(up)
			began := el.Dead.Since - tolerance
			return since == 0 || since >= began || el.Restored > since && el.Restored >= began
		}
	}
	return false
}

func (e *evaluation) lifeAt(r ref) life { return e.life[r.class][r.index] }

// deadAbove returns the nearest of r and what feeds it that is dead or cut.
func (e *evaluation) deadAbove(r ref) (ref, life) {
	for ; r.class != noClass; r = e.parent(r) {
		if l := e.lifeAt(r); l >= dead {
			return r, l
		}
	}
	return noRef, unmeasured
}

// lossAbove is deadAbove for a plant that looks past its own meter: what is dead
// above it says more.
func (e *evaluation) lossAbove(plant ref) (ref, life) {
	if up, l := e.deadAbove(e.parent(plant)); l >= dead {
		return up, l
	}
	return plant, e.lifeAt(plant)
}

// inferFeeders takes a feeder whose meter says nothing for dead when at least
// two of the plants and branches right behind it are, outside the programme,
// and none of them is alive.
func (e *evaluation) inferFeeders() {
	for i := range e.life[feederClass] {
		r := ref{feederClass, int32(i)}
		e.inferred[feederClass][i] = 0
		if e.lifeAt(r) > unheard {
			continue
		}
		count, first := 0, int64(0)
		for _, child := range e.net.feeds[i] {
			switch e.lifeAt(child) {
			case alive, between, cut:
				count = -len(e.net.feeds[i])
			case dead:
				count++
				if since := e.electricity(child).Dead.Since; first == 0 || since < first {
					first = since
				}
			}
		}
		if count >= 2 {
			e.life[feederClass][i], e.inferred[feederClass][i] = dead, first
		}
	}
}

// feedsLiving tells that something right behind a feeder has had voltage since
// the feeder's own meter was heard, and so the feeder too.
func (e *evaluation) feedsLiving(r ref) bool {
	return r.class == feederClass && slices.ContainsFunc(e.net.feeds[r.index], func(child ref) bool {
		return e.lifeAt(child) == alive && e.electricity(child).Time > e.electricity(r).Time
	})
}

// inferSubstations takes a substation that nobody measures for dead when at
// least two of its feeders are, outside the programme, and none is alive. After
// a start that waits for those that had not the time to speak yet.
func (e *evaluation) inferSubstations() {
	for i, feeds := range e.net.stationFeeds {
		e.inferred[substationClass][i] = 0
		if e.life[substationClass][i] > unheard {
			continue
		}
		count, first := 0, int64(0)
		for _, f := range feeds {
			switch e.life[feederClass][f] {
			case alive, between:
				count = -len(feeds)
			case unheard:
				if m := e.snap.Feeders[f].Meter; m >= 0 && !e.snap.Meters[m].Silent {
					count = -len(feeds)
				}
			case dead:
				count++
				if since := e.deadSince(ref{feederClass, f}); first == 0 || since < first {
					first = since
				}
			}
		}
		if count >= 2 {
			e.life[substationClass][i] = dead
			e.inferred[substationClass][i] = first
		}
	}
}

// deadSince is when an object went dead; 0: nobody knows.
func (e *evaluation) deadSince(r ref) int64 {
	if r.class != plantClass && e.inferred[r.class][r.index] > 0 {
		return e.inferred[r.class][r.index]
	}
	return e.electricity(r).Dead.Since
}

// restoredAbove is when power came back last to r or to what feeds it.
func (e *evaluation) restoredAbove(r ref) int64 {
	var at int64
	for ; r.class != noClass; r = e.parent(r) {
		at = max(at, e.electricity(r).Restored)
	}
	return at
}
