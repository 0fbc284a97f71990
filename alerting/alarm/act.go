package alarm

import (
	"context"
	"time"
)

// Act applies a person's action and returns the alarm after it. It answers
// ErrUnknown, ErrOld, ErrState or ErrAction where the action is at fault. An
// alarm that is normal now can be shelved or taken out of service as long as the
// journal knows it.
func (b *Book) Act(ctx context.Context, now time.Time, a Action) (Alarm, error) {
	var after Alarm
	_, err := b.change(ctx, now, func(m *machine, ms int64) (changes, error) {
		if err := a.validate(&m.config); err != nil {
			return changes{}, err
		}
		r, err := b.lookUp(ctx, a.ID)
		if err != nil {
			return changes{}, err
		}
		c, err := m.operate(ms, r, a)
		if err == nil {
			after = c.turns[0].next.Alarm
		}
		return c, err
	})
	return after, err
}

// lookUp finds an alarm in the machine or else in the journal.
func (b *Book) lookUp(ctx context.Context, id string) (*record, error) {
	if r := b.machine.byID(id); r != nil {
		return r, nil
	}
	t, err := b.store.last(ctx, id)
	if err != nil {
		return nil, err
	}
	r := newRecord(t.Alarm.Key)
	past := t.Alarm
	past.State, past.Under = Normal, ""
	r.Alarm = past
	return &r, nil
}

// Acknowledge notes that a person has seen an occurrence, 0 being the present
// one. Doing so again changes nothing and is no error. It answers ErrUnknown,
// ErrOld where the alarm has occurred anew since, and ErrState where there is
// nothing to acknowledge.
func (b *Book) Acknowledge(ctx context.Context, now time.Time, id string, occurrence int64, by, via string) error {
	_, err := b.Act(ctx, now, Action{Event: Acknowledge, ID: id, Occurrence: occurrence, By: by, Via: via})
	return err
}

// Shelve puts an alarm out of sight for a while, at most Config.MaxShelve.
// Shelving again moves the end.
func (b *Book) Shelve(ctx context.Context, now time.Time, id string, length time.Duration, by, via, reason string) error {
	_, err := b.Act(ctx, now, Action{Event: Shelve, ID: id, For: length, By: by, Via: via, Reason: reason})
	return err
}

// Unshelve ends a shelving before its time.
func (b *Book) Unshelve(ctx context.Context, now time.Time, id, by, via, reason string) error {
	_, err := b.Act(ctx, now, Action{Event: Unshelve, ID: id, By: by, Via: via, Reason: reason})
	return err
}

// TakeOutOfService puts an alarm out of sight until it is put back.
func (b *Book) TakeOutOfService(ctx context.Context, now time.Time, id, by, via, reason string) error {
	_, err := b.Act(ctx, now, Action{Event: TakeOut, ID: id, By: by, Via: via, Reason: reason})
	return err
}

// PutBack ends TakeOutOfService.
func (b *Book) PutBack(ctx context.Context, now time.Time, id, by, via, reason string) error {
	_, err := b.Act(ctx, now, Action{Event: PutBack, ID: id, By: by, Via: via, Reason: reason})
	return err
}

// Reset ends a latched alarm. Its condition must be clear once, or begin anew,
// to raise it again.
func (b *Book) Reset(ctx context.Context, now time.Time, id, by, via, reason string) error {
	_, err := b.Act(ctx, now, Action{Event: Reset, ID: id, By: by, Via: via, Reason: reason})
	return err
}
