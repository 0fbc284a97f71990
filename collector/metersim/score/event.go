// Package score holds an alarm journal against the truth of a played scenario.
// It is pure: it takes events, transitions and notices and returns a report.
package score

import (
	"strings"
	"time"
)

// Event is one thing that was made to happen, one JSON line of an events file,
// and what an alarm system must (Expect), must not (Forbid) and may (Allow) make
// of it.
type Event struct {
	Cause  string    `json:"cause"`
	Object string    `json:"object"`
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	// EnsKWh is the energy not supplied: Σ max(0, wanted − delivered)·Δt over the
	// plants behind it, by the model's own uncut demand.
	EnsKWh float64 `json:"ens_kwh"`
	Expect []Claim `json:"expect"`
	Forbid []Claim `json:"forbid"`
	Allow  []Claim `json:"allow,omitempty"`
}

// Claim names alarms by kind and object. Both may be "*" (any) or alternatives
// "a|b"; an id may end in ".*".
type Claim struct {
	ID     string `json:"id"`
	Object string `json:"object"`
	// WithinS is, for what is expected, the seconds after the event's start
	// within which it must be raised.
	WithinS float64 `json:"within_s,omitempty"`
	// FromS is, for what is expected, the seconds after the event's start from
	// which its delay counts: when it could first be known.
	FromS float64 `json:"from_s,omitempty"`
	// UntilS is, for what is forbidden or allowed, the seconds after the event's
	// start until which that holds; 0: until an hour after its end.
	UntilS float64 `json:"until_s,omitempty"`
	// Max is how often an allowed alarm may be raised for each object; 0: at will.
	Max int `json:"max,omitempty"`
}

// Margin is how long after its end an event still explains or forbids.
const Margin = time.Hour

// names tells whether the claim speaks of the alarm.
func (c Claim) names(kind, object string) bool {
	return matches(c.ID, kind) && matches(c.Object, object)
}

func matches(pattern, word string) bool {
	for rest, more := pattern, true; more; {
		var one string
		one, rest, more = strings.Cut(rest, "|")
		prefix, wild := strings.CutSuffix(one, "*")
		if one == word || wild && strings.HasPrefix(word, prefix) {
			return true
		}
	}
	return false
}

// holds tells whether a claim that forbids or allows is in force at t.
func (e *Event) holds(c Claim, t time.Time) bool {
	end := e.End.Add(Margin)
	if c.UntilS > 0 {
		end = e.Start.Add(time.Duration(c.UntilS * float64(time.Second)))
	}
	return !t.Before(e.Start) && !t.After(end)
}
