package notify

import (
	"slices"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
)

// planner decides who is told what and when. It is pure: what it does depends
// on the directory, the state, the transitions and now alone, and it does it
// in a fixed order.
//
//	transition ─► thread ─┬─► items in inboxes ─► pace ─► rows      (persons)
//	                      └────────────────────────────► rows      (streams)
//
// What has become pointless before it left is taken back: an alarm that ends
// before any of its notices was tried makes no notice at all; one that ends
// after that (the channel may have been dead all the time) makes one Returned.
type planner struct {
	*directory
	s   *state
	now time.Time
	// again says that what is planned may have been said before: the outbox was lost.
	again bool
}

// take brings the threads and inboxes up to a transition.
func (p *planner) take(t *alarm.Transition) {
	a := t.Alarm
	switch now, before := shown(t.To), shown(t.From); {
	case now && !before:
		p.appear(t)
	case now:
		p.move(t)
	case before && (t.To == alarm.Normal || t.To == alarm.Returned):
		p.returned(&a)
	case before:
		p.hide(&a)
	case t.To == alarm.Normal || t.To == alarm.Returned:
		p.s.dropThread(a.ID)
	default: // raised unseen, or hidden in another way
		p.remember(&a)
	}
}

// remember keeps the newest state of an alarm that is not shown.
func (p *planner) remember(a *alarm.Alarm) *thread {
	th := p.s.threads[a.ID]
	if th == nil || th.Alarm.Occurrence != a.Occurrence {
		th = &thread{Told: make(map[string]*told)}
	}
	th.Alarm = *a
	p.s.setThread(a.ID, th)
	return th
}

// appear: the alarm was raised, or comes back from hiding. Who shelved it wants
// to know that it still stands; who was told before a passing cause covered it
// knows already.
func (p *planner) appear(t *alarm.Transition) {
	th := p.remember(&t.Alarm)
	th.Shown = p.now
	if t.Event == alarm.Unshelve {
		th.Told, th.Escalated = make(map[string]*told), nil
	}
	for i := range p.people {
		who := &p.people[i]
		p.forget(who.ID, t.Alarm.ID)
		if r, ok := p.route(who, &th.Alarm); ok && th.Told[who.ID] == nil {
			p.gather(who, message.Alarm, &th.Alarm, r)
		}
	}
}

// move: something about a shown alarm changed.
func (p *planner) move(t *alarm.Transition) {
	th := p.remember(&t.Alarm)
	if !th.shown() { // the outbox was lost in between
		p.appear(t)
		return
	}
	switch t.Event {
	case alarm.Step:
		p.step(th)
	case alarm.Remind:
		p.remind(th)
	case alarm.Acknowledge:
		for id := range th.Told {
			p.withdraw(id, th.Alarm.ID, message.Reminder, message.Escalation)
		}
	}
	p.refresh(th)
}

// step tells of an alarm that got worse: as news to whom it did not concern
// before. A step down makes no notice of its own.
func (p *planner) step(th *thread) {
	for i := range p.people {
		who := &p.people[i]
		before := th.Told[who.ID]
		r, ok := p.route(who, &th.Alarm)
		switch {
		case before == nil && ok && !p.pending(who.ID, th.Alarm.ID):
			p.gather(who, message.Alarm, &th.Alarm, r)
		case before == nil && ok:
			p.hasten(who.ID, th, r)
		case before != nil && th.Alarm.Severity > before.Severity && p.left(before) && !p.queued(who.ID, th.Alarm.ID):
			if !ok {
				r = p.named(byAllMeans)
			}
			p.withdraw(who.ID, th.Alarm.ID)
			p.gather(who, message.Step, &th.Alarm, r)
		}
	}
}

// hasten moves the news of an alarm that got worse while it waited.
func (p *planner) hasten(person string, th *thread, r *Route) {
	box := p.inbox(person)
	for _, it := range box.Items {
		if it.ID != th.Alarm.ID {
			continue
		}
		if due := p.dueAt(box, it, th.Alarm.Severity, r); due.Before(it.Due) {
			it.Due, it.Route = due, r.Name
			p.s.touchInbox(person)
		}
	}
}

// returned: the alarm is over. Only who may have heard of it hears of that.
func (p *planner) returned(a *alarm.Alarm) {
	th := p.s.threads[a.ID]
	if th == nil {
		return
	}
	over := *a
	for i := range p.people {
		who := &p.people[i]
		p.withdraw(who.ID, a.ID)
		if p.recall(who.ID, a.ID, th.Told[who.ID]) {
			r, ok := p.route(who, a)
			if !ok {
				r = p.named(byAllMeans)
			}
			it := p.gather(who, message.Returned, a, r)
			it.Alarm = &over
		}
	}
	p.s.dropThread(a.ID)
}

// hide: the alarm was shelved, suppressed or taken out of service. Nobody is
// told, and what has not left is taken back.
func (p *planner) hide(a *alarm.Alarm) {
	th := p.remember(a)
	th.Shown = time.Time{}
	for i := range p.people {
		id := p.people[i].ID
		p.withdraw(id, a.ID)
		if t := th.Told[id]; t != nil && !p.recall(id, a.ID, t) {
			delete(th.Told, id)
		}
	}
}

// recall strikes an alarm out of a person's notices that have not left, and
// tells whether one may have reached him.
func (p *planner) recall(person, id string, t *told) bool {
	for _, r := range p.s.waitingRows(person) {
		if r.Content.Type != message.Returned {
			p.strike(r, id)
		}
	}
	return t != nil && p.left(t)
}

// strike takes an alarm out of a waiting row, and the row away if nothing is left.
func (p *planner) strike(r *row, id string) {
	i := slices.IndexFunc(r.Content.Alarms, func(a alarm.Alarm) bool { return a.ID == id })
	if i < 0 {
		return
	}
	// A new list: rows of other channels share the old one.
	r.Content.Alarms = slices.Concat(r.Content.Alarms[:i], r.Content.Alarms[i+1:])
	r.Content.Total = max(0, r.Content.Total-1)
	if len(r.Content.Alarms) == 0 {
		p.s.end(r, cancelled)
		return
	}
	p.s.touchRow(r)
}

// refresh brings an alarm up to date in the notices that have not left.
func (p *planner) refresh(th *thread) {
	for person := range th.Told {
		for _, r := range p.s.waitingRows(person) {
			i := slices.IndexFunc(r.Content.Alarms, func(a alarm.Alarm) bool {
				return a.ID == th.Alarm.ID && a.Occurrence == th.Alarm.Occurrence
			})
			if i >= 0 && r.Content.Type != message.Returned {
				r.Content.Alarms = slices.Clone(r.Content.Alarms)
				r.Content.Alarms[i] = th.Alarm
				p.s.touchRow(r)
			}
		}
		if p.queued(person, th.Alarm.ID) {
			th.Told[person].Severity = th.Alarm.Severity // the notice will say so
		}
	}
}

// left tells whether one of the notices was ever tried.
func (p *planner) left(t *told) bool {
	return slices.ContainsFunc(t.Notices, func(n int64) bool { return !p.s.unsent[n] })
}
