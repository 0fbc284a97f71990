package mqtt

import (
	"fmt"
	"slices"
)

// plan says which session subscribes what, and what earlier runs have left behind.
type plan struct {
	sessions []assignment
	surplus  []remembered // sessions of earlier configurations: to be drained and ended
}

// assignment is one session of this configuration.
type assignment struct {
	clientID string
	filters  []string // to be subscribed
	stale    []string // subscribed by an earlier run and no longer wanted here
}

// all is what the broker may hold for the session until the stale filters are gone.
func (a assignment) all() []string { return slices.Concat(a.filters, a.stale) }

// clientIDs names the sessions: the plain id for one connection, otherwise the id with each connection's index. Going
// from one to several, or back, leaves the old sessions surplus; they are drained and ended.
func clientIDs(id string, connections int) []string {
	if connections == 1 {
		return []string{id}
	}
	ids := make([]string, connections)
	for i := range ids {
		ids[i] = fmt.Sprintf("%s-%d", id, i)
	}
	return ids
}

// makePlan spreads the filters evenly over the sessions. A filter stays where an earlier run had it, as far as that
// keeps the numbers even. Sessions that are left without a filter are not made.
func makePlan(ids, filters []string, before []remembered) plan {
	filters = slices.Compact(slices.Sorted(slices.Values(filters)))
	old := make(map[string][]string, len(before))
	for _, r := range before {
		old[r.ClientID] = r.Filters
	}
	room := func(i int) int { // filters that session i may have: the remainder goes to the first ones
		n := len(filters) / len(ids)
		if i < len(filters)%len(ids) {
			n++
		}
		return n
	}
	assigned := make([][]string, len(ids))
	var homeless []string
	for _, f := range filters {
		at := slices.IndexFunc(ids, func(id string) bool { return slices.Contains(old[id], f) })
		if at >= 0 && len(assigned[at]) < room(at) {
			assigned[at] = append(assigned[at], f)
		} else {
			homeless = append(homeless, f)
		}
	}
	for i := range ids {
		n := min(room(i)-len(assigned[i]), len(homeless))
		assigned[i], homeless = append(assigned[i], homeless[:n]...), homeless[n:]
	}
	return fillPlan(ids, assigned, before)
}

// fillPlan compares the assignment with what was.
func fillPlan(ids []string, assigned [][]string, before []remembered) plan {
	var p plan
	for i, id := range ids {
		if len(assigned[i]) > 0 {
			p.sessions = append(p.sessions, assignment{clientID: id, filters: assigned[i]})
		}
	}
	for _, r := range before {
		at := slices.IndexFunc(p.sessions, func(a assignment) bool { return a.clientID == r.ClientID })
		if at < 0 {
			p.surplus = append(p.surplus, r)
			continue
		}
		a := &p.sessions[at]
		for _, f := range r.Filters {
			if !slices.Contains(a.filters, f) {
				a.stale = append(a.stale, f)
			}
		}
	}
	return p
}
