package notify

import (
	"time"

	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// settle does what time brings about and sends what is due.
func (p *planner) settle() {
	p.dismiss()
	for _, th := range p.s.sortedThreads() {
		p.elapse(th)
	}
	for i := range p.people {
		who := &p.people[i]
		if box := p.s.inboxes[who.ID]; box != nil {
			p.flush(who, box)
		}
	}
}

// due returns the next time at which settle may have something to do; zero:
// when there is news.
func (p *planner) due() time.Time {
	var next time.Time
	for _, th := range p.s.threads {
		next = sooner(next, p.threadDue(th))
	}
	for i := range p.people {
		if box := p.s.inboxes[p.people[i].ID]; box != nil {
			next = sooner(next, p.inboxDue(&p.people[i], box))
		}
	}
	return next
}

func (p *planner) threadDue(th *thread) (next time.Time) {
	if !th.open() {
		return next
	}
	for i := range p.config.Escalations {
		next = sooner(next, p.escalates(th, &p.config.Escalations[i]))
	}
	for i := range p.people {
		next = sooner(next, p.reminds(&p.people[i], th))
	}
	return next
}

// inboxDue errs on the early side: several things may hold an item back, and
// the first of them to end wakes the planner.
func (p *planner) inboxDue(who *person, box *inbox) (next time.Time) {
	critical := false
	for _, it := range box.Items {
		if it.Due.After(p.now) {
			next = sooner(next, it.Due)
			continue
		}
		a, _ := p.alarmOf(it)
		critical = critical || a.Severity == rule.Critical && it.Type != message.Returned
		next = p.unblocked(who, box, next)
	}
	if len(box.Planned) > 0 {
		next = p.unblocked(who, box, next)
	}
	if critical {
		next = p.later(next, p.now.Add(p.config.Pace.lacks(box.Spare, spareEvery)))
	}
	return next
}

// unblocked returns the first moment at which what holds an inbox back may end.
func (p *planner) unblocked(who *person, box *inbox, next time.Time) time.Time {
	next = p.later(next, who.Quiet.until(p.now, who.loc))
	next = p.later(next, p.now.Add(p.config.Pace.lacks(box.Tokens, 1)))
	return p.later(next, box.Next)
}

// later takes t into the minimum if it lies ahead.
func (p *planner) later(next, t time.Time) time.Time {
	if !t.After(p.now) {
		return next
	}
	return sooner(next, t)
}
