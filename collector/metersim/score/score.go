package score

import (
	"slices"
	"time"
)

// Report is what comes of holding a journal against the truth.
type Report struct {
	Events   int `json:"events"`
	Expected int `json:"expected"` // claims that an alarm must be raised
	Met      int `json:"met"`      // of them, in time
	Late     int `json:"late"`     // of the others, raised too late
	Alarms   int `json:"alarms"`   // that people were shown
	True     int `json:"true"`     // of them, expected or allowed
	// Precision is True/Alarms and Recall Met/Expected; 1 where there are none.
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	// Delays are the seconds from a cause, or from when it could be known, to the
	// alarm that it must raise.
	DelayP50S float64 `json:"delay_p50_s"`
	DelayP99S float64 `json:"delay_p99_s"`
	DelayMaxS float64 `json:"delay_max_s"`

	Missed    []Miss  `json:"missed"`
	Forbidden []Alarm `json:"forbidden"`
	False     []Alarm `json:"false"`
	// Stray are the forbidden and the false alarms by kind.
	Stray    map[string]int `json:"stray"`
	Managers []Manager      `json:"managers,omitempty"`
}

// Alarm is one that was shown and should not have been.
type Alarm struct {
	Time   time.Time `json:"time"`
	ID     string    `json:"id"`
	Object string    `json:"object"`
	Cause  string    `json:"cause,omitempty"` // what forbids it
}

// Miss is an expectation that was not met in time.
type Miss struct {
	Cause   string    `json:"cause"`
	Start   time.Time `json:"start"`
	ID      string    `json:"id"`
	Object  string    `json:"object"`
	WithinS float64   `json:"within_s"`
	// AfterS is when it came after all; 0: never.
	AfterS float64 `json:"after_s,omitempty"`
}

// Passed tells whether all that was expected came in time, and nothing that was
// forbidden came.
func (r *Report) Passed() bool { return len(r.Missed) == 0 && len(r.Forbidden) == 0 }

// Score holds a journal against the events.
//
// An alarm is shown when it is raised unsuppressed or comes out from under what
// suppressed it. It is true if some event expects or allows it then (an
// expectation goes on explaining after its time is over, so that what comes
// late is a miss but no false alarm), unless some event forbids it, which makes
// it forbidden; else it is false. What one event expects no other forbids, and
// what one allows no other forbids for all objects ("*"). An expected alarm that
// is shown again, and one that is shown more often than Max allows, is chatter
// and false, if nothing else allows it.
// alarm.flood speaks of the alarms, not of the city, and is left out.
func Score(events []Event, journal []Transition, notices []Notice) Report {
	s := scorer{events: events, met: make(map[claimKey]float64), used: make(map[useKey]int)}
	r := Report{Events: len(events), Stray: make(map[string]int), Missed: []Miss{}, Forbidden: []Alarm{}, False: []Alarm{}}
	for i := range journal {
		t := &journal[i]
		if !t.shown() || t.Alarm.Kind == "alarm.flood" {
			continue
		}
		r.Alarms++
		s.judge(&r, t)
	}
	s.expectations(&r)
	r.Precision, r.Recall = ratio(r.True, r.Alarms), ratio(r.Met, r.Expected)
	r.Managers = managers(events, notices)
	return r
}

type claimKey struct{ event, claim int }

type useKey struct {
	event, claim int // a claim below 0: the expectation −1−claim
	object       string
}

type scorer struct {
	events []Event
	met    map[claimKey]float64 // seconds after the event's start
	used   map[useKey]int       // times that an allowance was used
}

// judge sorts one shown alarm.
func (s *scorer) judge(r *Report, t *Transition) {
	expected, again := s.expected(t)
	allowed, spent := s.allowed(t)
	if cause, forbidden := s.forbidden(t, allowed); forbidden && !expected {
		r.Forbidden = append(r.Forbidden, Alarm{t.Time, t.Alarm.Kind, t.Alarm.Object, cause})
		r.Stray[t.Alarm.Kind]++
		return
	}
	if expected && !again || allowed && !spent {
		r.True++
		return
	}
	r.False = append(r.False, Alarm{Time: t.Time, ID: t.Alarm.Kind, Object: t.Alarm.Object})
	r.Stray[t.Alarm.Kind]++
}

// expected notes which expectations the alarm meets, and whether all of them
// have been met for its object before.
func (s *scorer) expected(t *Transition) (any, again bool) {
	again = true
	for i := range s.events {
		e := &s.events[i]
		after := t.Time.Sub(e.Start).Seconds()
		for k, c := range e.Expect {
			if !c.names(t.Alarm.Kind, t.Alarm.Object) || after < 0 || t.Time.After(e.End.Add(Margin)) && after > c.WithinS {
				continue
			}
			any = true
			use := useKey{i, -1 - k, t.Alarm.Kind + " " + t.Alarm.Object}
			s.used[use]++
			again = again && s.used[use] > 1
			if _, before := s.met[claimKey{i, k}]; !before {
				s.met[claimKey{i, k}] = after
			}
		}
	}
	return any, any && again
}

// allowed tells whether an event allows the alarm, and whether the alarm has
// come more often than every event that limits it lets it.
func (s *scorer) allowed(t *Transition) (any, spent bool) {
	limited, left := false, false
	for i := range s.events {
		e := &s.events[i]
		for k, c := range e.Allow {
			if !c.names(t.Alarm.Kind, t.Alarm.Object) || !e.holds(c, t.Time) {
				continue
			}
			any = true
			if c.Max == 0 {
				left = true
				continue
			}
			use := useKey{i, k, t.Alarm.Kind + " " + t.Alarm.Object}
			s.used[use]++
			limited = true
			left = left || s.used[use] <= c.Max
		}
	}
	return any, limited && !left
}

// forbidden tells which event forbids the alarm. One that is allowed is
// forbidden only by who names its object.
func (s *scorer) forbidden(t *Transition, allowed bool) (cause string, is bool) {
	for i := range s.events {
		e := &s.events[i]
		for _, c := range e.Forbid {
			if allowed && c.Object == "*" {
				continue
			}
			if c.names(t.Alarm.Kind, t.Alarm.Object) && e.holds(c, t.Time) {
				return e.Cause + " " + e.Object, true
			}
		}
	}
	return "", false
}

// expectations counts what was met, and how soon.
func (s *scorer) expectations(r *Report) {
	var delays []float64
	for i, e := range s.events {
		for k, c := range e.Expect {
			r.Expected++
			after, came := s.met[claimKey{i, k}]
			if came {
				delays = append(delays, max(0, after-c.FromS))
			}
			if came && after <= c.WithinS {
				r.Met++
				continue
			}
			if came {
				r.Late++
			}
			r.Missed = append(r.Missed, Miss{e.Cause, e.Start, c.ID, c.Object, c.WithinS, after})
		}
	}
	slices.Sort(delays)
	r.DelayP50S, r.DelayP99S, r.DelayMaxS = quantile(delays, 0.5), quantile(delays, 0.99), quantile(delays, 1)
}

// quantile is the nearest-rank quantile of sorted values; 0 of none.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(q*float64(len(sorted)) + 0.999999)
	return sorted[min(len(sorted), max(1, rank))-1]
}

func ratio(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}
