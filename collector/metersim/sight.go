package metersim

import (
	"slices"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/collector/metersim/score"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// Causes that befall the same place get in each other's way. What one of them
// hides nobody can know before it is over, and a cut that begins in a planned
// one is taken for a part of it. The truth asks for no more than could be seen.

// veil is a time in which an expectation cannot be met, ms since the epoch.
type veil struct{ from, until int64 }

// see puts off what other causes hide, and drops what is over by the time it
// could be seen: then it is allowed and no more.
func (st *stage) see() {
	for _, i := range st.incidents {
		st.planned(i)
		st.explained(i)
		kept := i.event.Expect[:0]
		for _, c := range i.event.Expect {
			seen, ok := st.unveil(i, c)
			if ok {
				kept = append(kept, seen)
				continue
			}
			i.allow(c.ID, aftermath, c.Object)
		}
		i.event.Expect = kept
	}
}

// unveil puts a claim off until nothing hides it; false: then it is over.
func (st *stage) unveil(i *incident, c score.Claim) (score.Claim, bool) {
	var veils []veil
	for _, j := range st.incidents {
		if j == i || !st.hides(j, c) {
			continue
		}
		if c.ID == "elec.outage" && slices.Contains(j.dark, c.Object) {
			if j.start <= i.start && i.start < j.end {
				return c, false // it goes on being dark
			}
			continue
		}
		veils = append(veils, veil{j.start, j.end})
	}
	slices.SortFunc(veils, func(a, b veil) int { return int(a.from - b.from) })
	from, patience := i.start+int64(c.FromS*1000), int64((c.WithinS-c.FromS)*1000)
	first := from
	for _, v := range veils {
		if v.from < from+patience && v.until > from {
			from = v.until
		}
	}
	if from == first {
		return c, true
	}
	c.FromS = float64(from-i.start) / 1000
	c.WithinS = c.FromS + float64(patience)/1000
	return c, min(i.end, st.End.UnixMilli()) >= from+patience
}

// hides tells whether the alarm cannot be raised while j lasts.
func (st *stage) hides(j *incident, c score.Claim) bool {
	family, _, _ := strings.Cut(c.ID, ".")
	switch {
	case family == "pipeline":
		return false
	case j.Cause.Cause == "broker_outage":
		return true
	case slices.Contains([]string{"gateway_offline", "meter_offline", "silent_cut"}, j.Cause.Cause) && family != "gateway":
		return st.mutes(j, c.Object)
	case len(j.dark) > 0:
		return family == "elec" && st.under(j, c.Object) ||
			c.ID == "meter.offline" && st.unpowered(j, c.Object) || c.ID == "gateway.offline" && st.stranded(j, c.Object)
	}
	return false
}

// mutes tells whether j silences all that could tell of an object: the meter
// itself, or every electricity meter there and behind it.
func (st *stage) mutes(j *incident, object string) bool {
	told := append(st.net.feeders(object), st.net.plants(object)...)
	witnesses := 0
	for _, m := range st.Registry.Meters() {
		if m.ID != object && m.At != object && (m.Utility != "electricity" || !slices.Contains(told, m.At)) {
			continue
		}
		if !j.edit.probes[key(m)] {
			return false
		}
		witnesses++
	}
	return witnesses > 0
}

// under tells whether the object is what j cuts, or behind it.
func (st *stage) under(j *incident, object string) bool {
	return slices.ContainsFunc(j.dark, func(top string) bool {
		return top == object || slices.Contains(st.net.feeders(top), object) || slices.Contains(st.net.plants(top), object)
	})
}

// unpowered tells whether the meter has no supply while j lasts, and no battery.
func (st *stage) unpowered(j *incident, id string) bool {
	for _, m := range st.Registry.Meters() {
		if m.ID == id {
			return !m.Backup && st.under(j, st.plantOf(m.At))
		}
	}
	return false
}

// stranded tells whether a gateway's meters have no supply while j lasts: then
// it has none either.
func (st *stage) stranded(j *incident, gateway string) bool {
	return !slices.ContainsFunc(st.Registry.Meters(), func(m zone.Meter) bool {
		return m.Gateway == gateway && !st.under(j, st.plantOf(m.At))
	})
}

// slip is how far from a planned cut another may begin and be taken for it.
const slip = 5 * time.Minute

// planned makes of a cut that begins within the programme's block what the
// programme says: no outage, and an overrun if it lasts that much longer.
func (st *stage) planned(i *incident) {
	n := slices.IndexFunc(i.event.Expect, func(c score.Claim) bool { return c.ID == "elec.outage" })
	if n < 0 {
		return
	}
	stage := st.stageAt(i.start)
	plan := st.Registry.Programme().Plan(i.Object, st.at(i.start).Add(slip), stage)
	if !plan.Off {
		plan = st.Registry.Programme().Plan(i.Object, st.at(i.start).Add(-slip), stage)
	}
	if !plan.Off {
		return
	}
	i.event.Expect = slices.Delete(i.event.Expect, n, n+1)
	i.forbid("elec.outage", flicker, i.Object)
	back := plan.End.Sub(st.at(i.start))
	if deadline := back + overrunWithin; i.length() > deadline && st.at(i.start).Add(deadline).Before(st.End) {
		i.expectFrom("elec.ration_overrun", i.Object, max(0, back), deadline)
	} else {
		i.allow("elec.ration_overrun", flicker, i.Object)
	}
}

// stageAt is the stage of rationing that is announced.
func (st *stage) stageAt(ms int64) int {
	stage := 0
	for _, j := range st.incidents {
		if j.Cause.Cause == "stage" && j.start <= ms && ms < j.end {
			stage = max(1, j.Stage)
		}
	}
	return stage
}

// explained takes back what a cause forbids of an object and another, on the
// same object, explains: a tank from which something was stolen may well be
// short in the books though it grew warmer, too.
func (st *stage) explained(i *incident) {
	if i.Cause.Cause != "tank_warming" {
		return
	}
	for _, j := range st.incidents {
		if j.Cause.Cause == "theft" && j.Object == i.Object {
			i.event.Forbid = nil
			i.forbid("fuel.delivery_short", aftermath, i.Object)
		}
	}
}
