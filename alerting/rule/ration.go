package rule

import "github.com/imdad-telemetry/imdad/collector/live/snapshot"

// ration counts the feeders of a zone that are dead outside the programme,
// each by itself: with a live incomer, and nothing dead between.
type ration struct {
	dead, unknown int
	first, second int64 // the earliest deaths
}

// countRations counts before anything is judged.
func (e *evaluation) countRations() {
	for z, list := range e.net.zoneFeeders {
		n := ration{}
		for _, f := range list {
			switch {
			case e.rationed(f):
				n.dead++
				// When a substation comes back, its feeders have not yet said so.
				n.note(max(e.deadSince(ref{feederClass, f}), e.restoredAbove(e.net.feederFrom[f])))
			case e.life[feederClass][f] == unheard:
				n.unknown++
			}
		}
		e.rations[z] = n
	}
}

func (n *ration) note(since int64) {
	if n.first == 0 || since < n.first {
		n.first, since = since, n.first
	}
	if since > 0 && (n.second == 0 || since < n.second) {
		n.second = since
	}
}

// rationed tells that a feeder is dead by itself under a live incomer.
func (e *evaluation) rationed(f int32) bool {
	if e.life[feederClass][f] != dead {
		return false
	}
	s := e.net.substation[f]
	if s < 0 || e.life[substationClass][s] != alive && e.life[substationClass][s] != between {
		return false
	}
	_, above := e.deadAbove(e.net.feederFrom[f])
	return above == unmeasured
}

func (e *evaluation) rationState(z int32) State {
	p := e.at(rationUnannounced, zoneClass, z)
	n := &e.rations[z]
	switch count := float64(n.dead); {
	case !p.enabled:
		return Clear
	case count >= p.on:
		return Raised
	case n.unknown > 0 && count+float64(n.unknown) >= p.on:
		return Unknown
	case count >= p.clear:
		return Held
	}
	return Clear
}

func (e *evaluation) judgeRation(z int32) {
	state := e.rationState(z)
	if state == Clear {
		return
	}
	p := e.at(rationUnannounced, zoneClass, z)
	f := e.add(rationUnannounced, ref{zoneClass, z}, p, state)
	if state != Raised {
		return
	}
	if p.on <= 2 {
		f.Since = e.rations[z].second
	}
	f.number("n", float64(e.rations[z].dead))
	f.Stalls = e.rationStalls(z)
}

func (e *evaluation) rationStalls(z int32) []string {
	var out []string
	for _, f := range e.net.zoneFeeders[z] {
		if e.rationed(f) {
			out = append(out, e.standingUnder(ref{feederClass, f})...)
		}
	}
	return out
}

// judgeFeeders judges what only feeders have.
func (e *evaluation) judgeFeeders() {
	for i := range e.snap.Feeders {
		r := ref{feederClass, int32(i)}
		e.judgeOverrun(r)
		e.judgeOverload(r)
		e.judgeGap(r)
	}
}

// overrun tells that a planned cut should be over.
func (e *evaluation) overrun(r ref) bool {
	el := e.electricity(r)
	if r.class == feederClass && e.snap.Feeders[r.index].Plan.Off {
		return false
	}
	return e.lifeAt(r) == cut && el.Dead.Planned && el.Dead.Return > 0 && e.now >= el.Dead.Return
}

func (e *evaluation) judgeOverrun(r ref) {
	p := e.at(rationOverrun, feederClass, r.index)
	if !p.enabled {
		return
	}
	switch l := e.lifeAt(r); {
	case l == unheard:
		e.add(rationOverrun, r, p, Unknown)
	case l == cut && !e.overrun(r): // within its block, or within the next one
		e.add(rationOverrun, r, p, Held)
	case l == cut:
		f := e.add(rationOverrun, r, p, Raised)
		f.Since = e.electricity(r).Dead.Return
		f.number("n", float64(e.now-f.Since)/60_000)
		f.Stalls = e.standingUnder(r)
		switch up, l := e.deadAbove(e.parent(r)); {
		case l == dead:
			f.Cause = e.key(outage, up)
		case l == cut && up.class == feederClass:
			f.Cause = e.key(rationOverrun, up)
		}
	}
}

func (e *evaluation) judgeOverload(r ref) {
	rating := e.net.registry.Feeders()[r.index].RatingA
	p := e.at(feederOverload, feederClass, r.index)
	el := e.electricity(r)
	if !p.enabled || rating <= 0 || el.Meter < 0 {
		return
	}
	share := el.CurrentMeanA / snapshot.Value(rating)
	e.addPercent(feederOverload, r, p, share)
}

func (e *evaluation) judgeGap(r ref) {
	p := e.at(balanceGap, feederClass, r.index)
	feeder := &e.snap.Feeders[r.index]
	if !p.enabled || feeder.Meter < 0 {
		return
	}
	e.addPercent(balanceGap, r, p, feeder.GapRatio)
}

// addPercent judges a ratio that the text says as {pct}.
func (e *evaluation) addPercent(k kindIndex, r ref, p *setting, ratio snapshot.Value) *Finding {
	state := p.judge(ratio, catalogue[k].Falling)
	if state == Clear {
		return nil
	}
	f := e.add(k, r, p, state)
	if state == Raised {
		f.number("pct", 100*float64(ratio))
	}
	return f
}
