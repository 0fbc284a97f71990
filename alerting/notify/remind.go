package notify

import (
	"slices"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/message"
)

// remind gathers a reminder for everybody whom a notice of the alarm has
// reached, unless other news of it waits for him anyway.
func (p *planner) remind(th *thread) {
	for i := range p.people {
		p.remindOne(&p.people[i], th)
	}
}

// knows tells whether a notice of the alarm has reached a person, and none is on
// its way.
func (p *planner) knows(who *person, th *thread) bool {
	t, id := th.Told[who.ID], th.Alarm.ID
	return t != nil && p.left(t) && !p.pending(who.ID, id) && !p.queued(who.ID, id)
}

func (p *planner) remindOne(who *person, th *thread) {
	if !p.knows(who, th) {
		return
	}
	r, ok := p.route(who, &th.Alarm)
	if !ok {
		r = p.named(byAllMeans)
	}
	p.gather(who, message.Reminder, &th.Alarm, r)
}

// elapse does what time alone brings about in a thread: reminders, and
// escalation to the next in line.
func (p *planner) elapse(th *thread) {
	if !th.open() {
		return
	}
	for i := range p.config.Escalations {
		e := &p.config.Escalations[i]
		if at := p.escalates(th, e); !at.IsZero() && !at.After(p.now) {
			p.escalate(th, e)
		}
	}
	for i := range p.people {
		if at := p.reminds(&p.people[i], th); !at.IsZero() && !at.After(p.now) {
			p.remindOne(&p.people[i], th)
		}
	}
}

// escalates returns when an escalation is due; zero: never.
func (p *planner) escalates(th *thread, e *Escalation) time.Time {
	if !e.fits(&th.Alarm) || slices.Contains(th.Escalated, e.Name) {
		return time.Time{}
	}
	return th.Shown.Add(e.After)
}

func (p *planner) escalate(th *thread, e *Escalation) {
	for _, id := range e.people(p.now) {
		if who, ok := p.byID[id]; ok {
			p.withdraw(id, th.Alarm.ID)
			p.gather(who, message.Escalation, &th.Alarm, p.named(byAllMeans))
		}
	}
	th.Escalated = append(th.Escalated, e.Name)
	p.s.touchThread(th.Alarm.ID)
}

// reminds returns when a person's next reminder is due; zero: never.
func (p *planner) reminds(who *person, th *thread) time.Time {
	t := th.Told[who.ID]
	if len(p.routes) == 0 || !p.knows(who, th) {
		return time.Time{} // the alarm book alone reminds where there are no routes
	}
	r, ok := p.route(who, &th.Alarm)
	if !ok || r.Repeat == 0 {
		return time.Time{}
	}
	return t.At.Add(r.Repeat)
}
