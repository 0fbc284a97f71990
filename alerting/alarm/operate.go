package alarm

import (
	"fmt"
	"time"
)

// Action is what a person does to an alarm.
type Action struct {
	Event Event  // Acknowledge, Shelve, Unshelve, TakeOut, PutBack or Reset
	ID    string // of the alarm
	// Occurrence is what an Acknowledge is about; 0: the present one.
	Occurrence int64
	By         string // a person's id
	Via        string // cli, api, telegram, email
	Reason     string // a Shelve and a TakeOut need one
	For        time.Duration
}

func (a Action) validate(c *Config) error {
	switch a.Event {
	case Acknowledge, Unshelve, PutBack, Reset:
	case Shelve, TakeOut:
		if a.Reason == "" {
			return fmt.Errorf("%w: give a reason", ErrAction)
		}
		if a.Event == Shelve && (a.For <= 0 || a.For > c.MaxShelve) {
			return fmt.Errorf("%w: shelve for more than nothing and at most %v", ErrAction, c.MaxShelve)
		}
	default:
		return fmt.Errorf("%w: nobody can %q an alarm", ErrAction, a.Event)
	}
	if a.By == "" {
		return fmt.Errorf("%w: say who", ErrAction)
	}
	return nil
}

// operate applies a valid action. What has been done already is done, without
// another line, where a person may well try twice: acknowledging.
func (t *turn) operate(a Action) error {
	switch a.Event {
	case Acknowledge:
		return t.acknowledge(a)
	case Shelve:
		return t.shelve(a)
	case Unshelve:
		if !t.next.shelved() {
			return t.refuse("it is not shelved")
		}
		t.unshelve(a.By, a.Via, a.Reason)
	case TakeOut:
		if t.next.Status.Out {
			return t.refuse("it is out of service already")
		}
		t.endShelving()
		t.next.Status.Out = true
		t.emit(TakeOut, a.By, a.Via, a.Reason)
	case PutBack:
		if !t.next.Status.Out {
			return t.refuse("it is in service")
		}
		t.next.Status.Out = false
		t.emit(PutBack, a.By, a.Via, a.Reason)
	case Reset:
		return t.reset(a)
	}
	return nil
}

func (t *turn) refuse(why string) error {
	return fmt.Errorf("%w: %s", ErrState, why)
}

func (t *turn) acknowledge(by Action) error {
	s, a := &t.next.Status, &t.next.Alarm
	if by.Occurrence != 0 && by.Occurrence != a.Occurrence {
		return ErrOld
	}
	switch s.Base {
	case Acknowledged:
		return nil
	case Unacknowledged:
		s.Base = Acknowledged
	case Returned:
		s.Base = Normal
	default:
		if a.Occurrence != 0 && a.AcknowledgedBy != "" {
			return nil
		}
		return t.refuse("it is not raised")
	}
	a.AcknowledgedBy, a.AcknowledgedAt = by.By, at(t.now)
	t.emit(Acknowledge, by.By, by.Via, by.Reason)
	return nil
}

func (t *turn) shelve(by Action) error {
	a := &t.next.Alarm
	if t.next.Status.Out {
		return t.refuse("it is out of service")
	}
	a.ShelvedBy, a.ShelvedReason = by.By, by.Reason
	a.ShelvedUntil = at(t.now + by.For.Milliseconds())
	t.emit(Shelve, by.By, by.Via, by.Reason)
	return nil
}

func (t *turn) unshelve(by, via, reason string) {
	t.endShelving()
	t.emit(Unshelve, by, via, reason)
}

func (t *turn) endShelving() {
	a := &t.next.Alarm
	a.ShelvedBy, a.ShelvedReason, a.ShelvedUntil = "", "", time.Time{}
}

// reset ends a latched alarm, acknowledged or not. If its condition still
// holds, that very one does not raise it again.
func (t *turn) reset(by Action) error {
	s, a := &t.next.Status, &t.next.Alarm
	if !a.Latched {
		return t.refuse("it is not latched; it ends by itself")
	}
	if !t.next.active() {
		return t.refuse("it is not raised")
	}
	if a.AcknowledgedBy == "" {
		a.AcknowledgedBy, a.AcknowledgedAt = by.By, at(t.now)
	}
	if s.Phase != idle {
		s.Spent = t.now
	}
	s.end()
	s.Base, s.Suppressed, s.Explained, s.Lower = Normal, false, 0, 0
	a.Cause = ""
	t.emit(Reset, by.By, by.Via, by.Reason)
	return nil
}

// retire ends an alarm that nothing watches any more, covers and all.
func (t *turn) retire() {
	t.next.Status = status{Base: Normal}
	t.endShelving()
	t.next.Alarm.Cause = ""
	if t.next.Alarm.State != Normal {
		t.emit(Return, "", "", "it is no longer watched")
	}
}
