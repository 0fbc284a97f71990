package rule

import (
	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
)

// evaluation is the work of one Eval. Its slices are kept for the next.
type evaluation struct {
	*Set
	snap *snapshot.Snapshot
	now  int64
	out  []Finding
	open bool // the last of out is still being worked on

	followed func(Key) bool // of what is not raised
	tally    Tally

	life     [classCount][]life  // of substations, feeders and plants
	inferred [classCount][]int64 // since when a substation or feeder is dead as what it feeds tells; 0: that does not
	rations  []ration            // by zone
	gateways []gatewayVerdict
	intake   Key // pipeline.fault of a part that readings come through; empty: none
}

func newEvaluation(s *Set) *evaluation {
	e := &evaluation{Set: s}
	for _, c := range []class{substationClass, feederClass, plantClass} {
		e.life[c] = make([]life, s.net.count(c))
	}
	for _, c := range []class{substationClass, feederClass} {
		e.inferred[c] = make([]int64, len(s.net.places[c]))
	}
	e.rations = make([]ration, len(s.net.places[zoneClass]))
	return e
}

// begin works out what is dead, before anything is judged: each cause must be
// known when its effects come up.
func (e *evaluation) begin(dst []Finding, snap *snapshot.Snapshot, now int64, followed func(Key) bool) {
	e.out, e.snap, e.now = dst, snap, now
	e.followed, e.tally = followed, Tally{}
	e.intake = Key{}
	e.seeLives()
	e.inferFeeders()
	e.inferSubstations()
	e.countRations()
	e.findIntakeFault()
}

// electricity returns what an object's meter says.
func (e *evaluation) electricity(r ref) *snapshot.Electricity {
	switch r.class {
	case substationClass:
		return &e.snap.Substations[r.index].Electricity
	case feederClass:
		return &e.snap.Feeders[r.index].Electricity
	default:
		return &e.snap.Plants[r.index].Electricity
	}
}

// parent returns what feeds a plant or a feeder: noRef at the top.
func (e *evaluation) parent(r ref) ref { return e.net.fedBy(r) }

// add appends a finding. The pointer is valid until the next add.
func (e *evaluation) add(k kindIndex, r ref, p *setting, state State) *Finding {
	at := e.net.at(r)
	return e.put(Finding{
		Key:   Key{Kind: catalogue[k].ID, Object: at.id, Zone: at.zone, Utility: at.utility},
		State: state, Severity: p.severity,
		OnDelay: p.onDelay, OffDelay: p.offDelay, Latched: p.latched,
		City: at.city, InZone: at.inZone, ObjectKind: at.kind,
	})
}

// put appends a finding, which ends the work on the last one.
func (e *evaluation) put(f Finding) *Finding {
	e.finish()
	e.out, e.open = append(e.out, f), true
	return &e.out[len(e.out)-1]
}

// finish counts the last finding and keeps it if somebody wants it.
func (e *evaluation) finish() {
	if !e.open {
		return
	}
	last := len(e.out) - 1
	f := &e.out[last]
	e.tally[f.State]++
	if f.State != Raised && !e.followed(f.Key) {
		e.out[last] = Finding{}
		e.out = e.out[:last]
	}
	e.open = false
}

// key names a condition of an object.
func (e *evaluation) key(k kindIndex, r ref) Key {
	at := e.net.at(r)
	return Key{Kind: catalogue[k].ID, Object: at.id, Zone: at.zone, Utility: at.utility}
}

// judge is the state of a value against a setting's thresholds. Without a Clear
// threshold what is not raised is clear.
func (p *setting) judge(v snapshot.Value, falling bool) State {
	x, on, end := float64(v), p.on, p.clear
	if falling {
		x, on, end = -x, -on, -end
	}
	switch {
	case !v.Known():
		return Unknown
	case x > on:
		return Raised
	case has(end) && x >= end:
		return Held
	}
	return Clear
}

// number sets what a text says under a name.
func (f *Finding) number(name string, v float64) {
	if f.Numbers == nil {
		f.Numbers = make(map[string]float64, 2)
	}
	if v == v { // an unknown number is left out
		f.Numbers[name] = v
	}
}

func (f *Finding) word(name, word string) {
	if f.Words == nil {
		f.Words = make(map[string]string, 2)
	}
	if word != "" {
		f.Words[name] = word
	}
}
