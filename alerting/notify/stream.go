package notify

import (
	"maps"
	"slices"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
)

// stream puts a transition into the outbox of each stream, if the alarm is or
// was shown.
func (p *planner) stream(t *alarm.Transition) {
	if !shown(t.From) && !shown(t.To) {
		return
	}
	for _, name := range p.streams {
		p.s.LastNotice++
		p.s.addRow(&row{
			Notice: p.s.LastNotice, Channel: name, Created: p.now, Repeated: p.again,
			Content: message.Content{Type: streamType(t), Now: t.Time, Alarms: []alarm.Alarm{t.Alarm}},
		})
	}
}

// streamType is the nearest type of notice to a transition. What an alarm is
// now, its state says.
func streamType(t *alarm.Transition) message.Type {
	switch {
	case t.To == alarm.Normal || t.To == alarm.Returned:
		return message.Returned
	case t.Event == alarm.Step:
		return message.Step
	case t.Event == alarm.Remind:
		return message.Reminder
	}
	return message.Alarm
}

// recent is how old news may be that a stream gets after the outbox was lost.
const recent = 24 * time.Hour

// newest keeps the last transition of each alarm that still matters: what
// streams need when the whole journal is read again.
func newest(ts []alarm.Transition, now time.Time) []alarm.Transition {
	last := make(map[string]alarm.Transition)
	for _, t := range ts {
		if shown(t.From) || shown(t.To) {
			last[t.Alarm.ID] = t
		}
	}
	maps.DeleteFunc(last, func(_ string, t alarm.Transition) bool {
		return !shown(t.To) && now.Sub(t.Time) > recent
	})
	return slices.SortedFunc(maps.Values(last), func(a, b alarm.Transition) int { return int(a.Seq - b.Seq) })
}
