package notify

import (
	"maps"
	"slices"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// inbox returns a person's inbox; a new one is full of tokens.
func (p *planner) inbox(person string) *inbox {
	box := p.s.inboxes[person]
	if box == nil {
		box = &inbox{Tokens: float64(p.config.Pace.Burst), Spare: float64(p.config.Pace.Critical), Refilled: p.now}
		p.s.inboxes[person] = box
	}
	return box
}

// gather puts a piece of news into a person's inbox, where it may wait for
// others of its group.
func (p *planner) gather(who *person, typ message.Type, a *alarm.Alarm, r *Route) *item {
	box := p.inbox(who.ID)
	it := &item{
		Type: typ, ID: a.ID, Occurrence: a.Occurrence, Route: r.Name,
		Again: p.again, Group: string(typ) + "/" + r.group(a),
	}
	it.Due = p.dueAt(box, it, a.Severity, r)
	if typ == message.Alarm {
		box.Recent = append(box.Recent, p.now)
	}
	box.Items = append(box.Items, it)
	p.s.touchInbox(who.ID)
	return it
}

// dueAt returns when a piece of news is to leave. The first of a group leaves
// once it has settled, and what follows soon after it gathers; that something
// is over can wait for what else is.
func (p *planner) dueAt(box *inbox, it *item, s rule.Severity, r *Route) time.Time {
	switch {
	case r.hurries(s), it.Type == message.Reminder, it.Type == message.Escalation:
		return p.now
	case it.Type == message.Returned:
		return p.now.Add(r.wait())
	}
	due := p.now.Add(settleWait)
	if gathers := box.Gathers[it.Group]; gathers.After(due) {
		return gathers
	}
	return due
}

// gatherNext lets what follows a notice gather until the next one of its group.
func (p *planner) gatherNext(box *inbox, news []*item) {
	maps.DeleteFunc(box.Gathers, func(_ string, until time.Time) bool { return !until.After(p.now) })
	for _, it := range news {
		if until := p.now.Add(p.named(it.Route).wait()); it.Type != message.Returned && until.After(p.now) {
			if box.Gathers == nil {
				box.Gathers = make(map[string]time.Time)
			}
			box.Gathers[it.Group] = until
		}
	}
}

// pending tells whether news of an alarm waits in a person's inbox.
func (p *planner) pending(person, id string) bool {
	box := p.s.inboxes[person]
	return box != nil && slices.ContainsFunc(box.Items, func(it *item) bool { return it.ID == id })
}

// forget drops the news that an alarm has returned: it is back.
func (p *planner) forget(person, id string) { p.withdraw(person, id, message.Returned) }

// withdraw takes news of an alarm out of a person's inbox: that of some types,
// or all of it.
func (p *planner) withdraw(person, id string, types ...message.Type) {
	box := p.s.inboxes[person]
	if box == nil {
		return
	}
	n := len(box.Items)
	box.Items = slices.DeleteFunc(box.Items, func(it *item) bool {
		return it.ID == id && (len(types) == 0 || slices.Contains(types, it.Type))
	})
	if len(box.Items) < n {
		p.s.touchInbox(person)
	}
	if len(types) > 0 && !slices.Contains(types, message.Returned) {
		for _, r := range p.s.waitingRows(person) {
			if slices.Contains(types, r.Content.Type) {
				p.strike(r, id)
			}
		}
	}
}

// alarmOf returns the alarm that a piece of news is about, as it is now.
func (p *planner) alarmOf(it *item) (alarm.Alarm, bool) {
	if it.Alarm != nil {
		return *it.Alarm, true
	}
	th := p.s.threads[it.ID]
	if th == nil || th.Alarm.Occurrence != it.Occurrence {
		return alarm.Alarm{}, false
	}
	return th.Alarm, true
}

// refill adds the tokens that time has earned, and settles whether it floods.
func (box *inbox) refill(pace Pace, now time.Time) {
	if gone := now.Sub(box.Refilled); gone > 0 {
		earned := gone.Seconds() / pace.Every.Seconds()
		box.Tokens = min(float64(pace.Burst), box.Tokens+earned)
		box.Spare = min(float64(pace.Critical), box.Spare+earned/spareEvery)
		box.Refilled = now
	}
	box.Recent = slices.DeleteFunc(box.Recent, func(t time.Time) bool { return now.Sub(t) >= pace.Every })
	switch n := len(box.Recent); {
	case n > pace.Flood:
		box.Flood = true
	case n < pace.Calm:
		box.Flood = false
	}
}

// spareEvery is how many times longer a token for criticals takes to come back.
const spareEvery = 6

// lacks returns how long it takes until there is a whole token of so many.
func (pace Pace) lacks(tokens float64, times float64) time.Duration {
	if tokens+slack >= 1 {
		return 0
	}
	return time.Duration((1-tokens)*times*float64(pace.Every)) + time.Millisecond // rounding must not fall short
}

// recount begins the count of recent alarms anew, with those that wait: what
// was read of an old journal is not recent.
func (p *planner) recount() {
	for id, box := range p.s.inboxes {
		box.Recent = nil
		for _, it := range box.Items {
			if it.Type == message.Alarm {
				box.Recent = append(box.Recent, p.now)
			}
		}
		p.s.touchInbox(id)
	}
}

// dismiss forgets people who are no longer in the configuration.
func (p *planner) dismiss() {
	for _, id := range sortedKeys(p.s.inboxes) {
		if _, ok := p.byID[id]; ok {
			continue
		}
		for _, r := range p.s.waitingRows(id) {
			p.s.end(r, cancelled)
		}
		delete(p.s.inboxes, id)
		p.s.touchInbox(id)
	}
}
