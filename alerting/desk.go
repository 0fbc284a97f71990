package alerting

import (
	"context"
	"errors"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/console"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
)

// What the console and the channels ask of alerting. A person's answer becomes
// an alarm.Action, from wherever it comes.
var (
	_ console.Desk        = (*Manager)(nil)
	_ console.Links       = (*Manager)(nil)
	_ notify.Acknowledger = (*Manager)(nil)
)

// Alarms returns the alarms that are not normal.
func (m *Manager) Alarms() []alarm.Alarm { return m.book.List() }

// Alarm returns one alarm; normal ones too, as long as the journal knows them.
func (m *Manager) Alarm(ctx context.Context, id string) (alarm.Alarm, error) {
	return m.book.Get(ctx, id)
}

// Journal returns up to limit transitions after a Seq.
func (m *Manager) Journal(ctx context.Context, after int64, limit int) ([]alarm.Transition, error) {
	return m.book.Transitions(ctx, after, limit)
}

// Notices returns up to limit rows of the outbox after an id.
func (m *Manager) Notices(ctx context.Context, after int64, limit int) ([]notify.Record, error) {
	return m.notifier.Notices(ctx, after, limit)
}

// Act does what a person asks for.
func (m *Manager) Act(ctx context.Context, a alarm.Action) (alarm.Alarm, error) {
	return m.book.Act(ctx, m.opts.Now(), a)
}

// Open returns what a signed link allows.
func (m *Manager) Open(token string) (console.Ticket, error) {
	link, err := m.notifier.Verify(token)
	if err != nil {
		return console.Ticket{}, err
	}
	return console.Ticket{
		Alarm: link.Alarm, Occurrence: link.Occurrence, Person: link.Person,
		Language: m.notifier.Language(link.Person),
	}, nil
}

// answers is what a person reads after an answer on a channel.
var answers = map[message.Language]struct{ done, over, later string }{
	message.English: {"Acknowledged", "This alarm is over", "Not stored; please try again"},
	message.Arabic:  {"تم الإقرار بالاستلام", "انتهى هذا الإنذار", "تعذر الحفظ؛ يرجى المحاولة مجدداً"},
}

// Acknowledge takes an answer from a channel and returns what to reply.
func (m *Manager) Acknowledge(ctx context.Context, a notify.Acknowledgement) (string, error) {
	reply := answers[m.notifier.Language(a.Person)]
	_, err := m.Act(ctx, alarm.Action{
		Event: alarm.Acknowledge, ID: a.Alarm, Occurrence: a.Occurrence, By: a.Person, Via: a.Via,
	})
	switch {
	case err == nil:
		return reply.done, nil
	case errors.Is(err, alarm.ErrUnknown), errors.Is(err, alarm.ErrOld), errors.Is(err, alarm.ErrState):
		return reply.over, nil
	}
	return reply.later, err
}
