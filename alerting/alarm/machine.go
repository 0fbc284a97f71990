package alarm

import (
	"maps"
	"math"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// status is what the machine knows of an alarm beyond what people see of it.
// It is comparable, so that a change is noticed.
type status struct {
	condition
	// Base is the state beneath all covers: normal, unacknowledged, acknowledged
	// or returned.
	Base       State    `json:"base"`
	Suppressed bool     `json:"suppressed,omitempty"`
	Out        bool     `json:"out,omitempty"`
	Cause      rule.Key `json:"cause,omitzero"`
	// Explained is until when the cause stood; 0: it does, or there is none.
	Explained int64 `json:"explained,omitempty"`
	// Lower is since when the severity is lower than shown.
	Lower int64 `json:"lower,omitempty"`
	// Announced is when people were last told that it is unacknowledged.
	Announced int64 `json:"announced,omitempty"`
}

// record is an alarm as it is kept.
type record struct {
	Alarm  Alarm  `json:"alarm"`
	Status status `json:"status"`

	slot int    // index of its turn in the present round
	seen uint64 // the last round that has found it
}

// visible is the state that people see.
func (r *record) visible() State {
	switch {
	case r.Status.Out:
		return OutOfService
	case r.shelved():
		return Shelved
	case r.Status.Suppressed:
		return Suppressed
	}
	return r.Status.Base
}

func (r *record) shelved() bool { return !r.Alarm.ShelvedUntil.IsZero() }

// hidden tells that a person has put it out of sight.
func (r *record) hidden() bool { return r.Status.Out || r.shelved() }

func (r *record) active() bool {
	return r.Status.Base == Unacknowledged || r.Status.Base == Acknowledged
}

// watched tells that a timer runs for which it matters that somebody looks.
func (s *status) watched() bool { return s.Lower != 0 || s.condition.watched() }

// unseen takes ms in which nobody looked out of those timers.
func (s *status) unseen(ms int64) {
	s.condition.unseen(ms)
	if s.Lower != 0 {
		s.Lower += ms
	}
}

// tidy keeps what people see in step with the machine.
func (r *record) tidy() {
	r.Alarm.State, r.Alarm.Under = r.visible(), ""
	if r.Alarm.State != r.Status.Base {
		r.Alarm.Under = r.Status.Base
	}
}

// explains tells whether the alarm, raised or still waiting for its on-delay,
// suppresses what it causes. One that is out of service is not trusted to.
func (r *record) explains() bool { return r.Status.Phase != idle && !r.Status.Out }

// forgettable tells that there is nothing left to remember.
func (r *record) forgettable() bool {
	return r.visible() == Normal && r.Status.Phase == idle && r.Status.Spent == 0
}

// turn is one record in one step: what it was, what it becomes, and what there
// is to tell.
type turn struct {
	now    int64
	config *Config
	old    *record // nil: it is new
	next   record
	found  *rule.Finding // nil: clear
	events []Transition
	depth  int // causes above it
}

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// follow applies the finding to the condition. It comes for all alarms before
// settle comes for any, since causes must be known.
func (t *turn) follow() {
	s := &t.next.Status
	if t.found == nil {
		s.follow(rule.Clear, 0, t.now)
		return
	}
	f := t.found
	if f.State == rule.Raised || f.State == rule.Held {
		s.OnMS, s.OffMS = f.OnDelay.Milliseconds(), f.OffDelay.Milliseconds()
		s.Cause = f.Cause
	}
	s.follow(f.State, f.Since, t.now)
	t.describe()
}

// describe keeps what the alarm says current. An alarm that has returned keeps
// what it said then.
func (t *turn) describe() {
	f, a := t.found, &t.next.Alarm
	stands := t.next.Status.stands()
	if f.State != rule.Raised && (f.State != rule.Held || !stands) {
		return
	}
	if t.next.Status.Base == Returned && !stands {
		return
	}
	a.City, a.InZone, a.ObjectKind, a.Latched = f.City, f.InZone, f.ObjectKind, f.Latched
	a.Numbers, a.Words, a.Stalls = finite(f.Numbers), f.Words, f.Stalls
	if f.State == rule.Raised && !t.next.active() {
		a.Severity = max(f.Severity, rule.Low)
	}
}

// finite leaves out what no text and no JSON can show.
func finite(numbers map[string]float64) map[string]float64 {
	for _, n := range numbers {
		if math.IsNaN(n) || math.IsInf(n, 0) {
			numbers = maps.Clone(numbers)
			maps.DeleteFunc(numbers, func(_ string, n float64) bool { return math.IsNaN(n) || math.IsInf(n, 0) })
			return numbers
		}
	}
	return numbers
}

// settle moves the alarm by its condition and its cause, which is nil where
// nothing explains it now.
func (t *turn) settle(cause *record) {
	t.unshelveInTime()
	t.suppress(cause)
	t.raise()
	t.giveBack()
	t.step()
	t.remind()
	t.next.tidy()
}

func (t *turn) unshelveInTime() {
	if t.next.shelved() && t.now >= t.next.Alarm.ShelvedUntil.UnixMilli() {
		t.unshelve("", "", "its time was up")
	}
}

// suppress covers what a cause explains. When the cause is over, the cover
// stays for another on-delay: plants come back after their feeder, and an alarm
// for each in that very second would tell nothing.
func (t *turn) suppress(cause *record) {
	s := &t.next.Status
	switch {
	case !s.stands():
		if s.Suppressed {
			t.endSuppression()
		}
	case cause != nil:
		s.Explained = 0
		t.next.Alarm.Cause = cause.Alarm.ID
		if !s.Suppressed {
			s.Suppressed = true
			t.tell(Suppress)
		}
	case s.Suppressed:
		if s.Explained == 0 || s.Explained > t.now {
			s.Explained = t.now
		}
		if t.holds() && t.now-s.Explained >= max(s.OnMS, t.config.AfterCause.Milliseconds()) {
			t.uncover(Unsuppress)
		}
	}
}

// holds tells that the condition was found just now. What is ending, or not
// known, does not come out from under its cause: it would be told only to end.
func (t *turn) holds() bool { return t.found != nil && t.found.State == rule.Raised }

func (t *turn) uncover(e Event) {
	s := &t.next.Status
	s.Suppressed, s.Explained = false, 0
	t.next.Alarm.Cause = ""
	t.tell(e)
}

// endSuppression ends it together with the condition. Nobody is asked to
// acknowledge: the alarm of the cause has told them.
func (t *turn) endSuppression() {
	s := &t.next.Status
	if t.next.active() && !t.next.Alarm.Latched {
		s.Base = Normal
		t.uncover(Return)
		return
	}
	t.uncover(Unsuppress)
}

func (t *turn) raise() {
	s, a := &t.next.Status, &t.next.Alarm
	if !s.stands() || t.next.active() || t.next.visible() != s.Base {
		return
	}
	s.Base, s.Lower = Unacknowledged, 0
	a.Since, a.Raised = at(s.Since), at(t.now)
	a.AcknowledgedBy, a.AcknowledgedAt = "", time.Time{}
	if t.found != nil && t.found.State == rule.Raised {
		a.Severity = max(t.found.Severity, rule.Low)
	}
	t.emit(Raise, "", "", "")
}

// giveBack returns an alarm whose condition is over to normal.
func (t *turn) giveBack() {
	s := &t.next.Status
	if s.stands() || !t.next.active() || t.next.Alarm.Latched {
		return
	}
	if s.Base == Acknowledged || t.next.hidden() {
		s.Base = Normal // whoever acknowledged or shelved it, knows
	} else {
		s.Base = Returned
	}
	t.tell(Return)
}

// step follows the severity. A step up must be acknowledged anew: who
// acknowledged has seen the lesser alarm. A step down waits for the off-delay,
// so that hovering between two severities does not ask again and again.
func (t *turn) step() {
	s, a := &t.next.Status, &t.next.Alarm
	if !t.next.active() || t.found == nil || t.found.State != rule.Raised {
		s.Lower = 0 // it must be seen lower all the while
		return
	}
	severity := max(t.found.Severity, rule.Low)
	switch {
	case severity > a.Severity:
		if s.Base == Acknowledged {
			s.Base = Unacknowledged
			a.AcknowledgedBy, a.AcknowledgedAt = "", time.Time{}
		}
	case severity == a.Severity:
		s.Lower = 0
		return
	default:
		if s.Lower == 0 || s.Lower > t.now {
			s.Lower = t.now
		}
		if t.now-s.Lower < s.OffMS {
			return
		}
	}
	a.Severity, s.Lower = severity, 0
	t.tell(Step)
}

func (t *turn) remind() {
	s := &t.next.Status
	s.Announced = min(s.Announced, t.now)
	every := t.config.Remind.of(t.next.Alarm.Severity)
	if t.next.visible() == Unacknowledged && every > 0 && t.now-s.Announced >= every {
		t.emit(Remind, "", "", "")
	}
}

// tell emits what the system did, unless a person has put the alarm out of
// sight, or a cause has.
func (t *turn) tell(e Event) {
	if t.next.hidden() || (t.next.Status.Suppressed && e != Suppress) {
		return
	}
	t.emit(e, "", "", "")
}

// emit adds a line to the journal.
func (t *turn) emit(e Event, by, via, reason string) {
	a := &t.next.Alarm
	from := a.State
	t.next.tidy()
	a.Changed = at(t.now)
	if a.State == Unacknowledged {
		t.next.Status.Announced = t.now
	}
	t.events = append(t.events, Transition{
		Time: at(t.now), Event: e, From: from, To: a.State, By: by, Via: via, Reason: reason, Alarm: *a,
	})
}
