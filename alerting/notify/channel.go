package notify

import (
	"context"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
)

// Spec is a channel as the notifier is told of it.
type Spec struct {
	Name    string // as in the contacts of people, in routes and in metrics
	Channel Channel
	// Stream says that the channel speaks to programs, not to persons: it gets
	// one notice for each transition of each alarm that is shown, without
	// routes, grouping or quiet hours, with an empty Address and Person and with
	// the texts in all languages. Content.Alarms[0] is the alarm after the
	// transition: see Over.
	Stream bool
	// Timeout bounds one attempt, in real time; 0: DefaultTimeout.
	Timeout time.Duration
}

// DefaultTimeout bounds one attempt to send.
const DefaultTimeout = 30 * time.Second

// Refresher is a Channel whose other side forgets what it is not told again.
type Refresher interface {
	// Refresh is handed all alarms that are shown now, each Every, in real time,
	// from the goroutine that calls Send. An error is counted and logged; the
	// next refresh makes up for it.
	Refresh(ctx context.Context, standing []alarm.Alarm) error
	Every() time.Duration
}

// Over tells whether an alarm is shown no longer: it has returned to normal, or
// was shelved, suppressed or taken out of service. What a stream has kept of it
// on the other side is to be taken away: a retained message cleared, an alert
// resolved.
func Over(a alarm.Alarm) bool { return !shown(a.State) }

// shown tells whether people are to see alarms in that state.
func shown(s alarm.State) bool { return s == alarm.Unacknowledged || s == alarm.Acknowledged }
