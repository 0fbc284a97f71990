package notify

import (
	"slices"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// maxListed bounds the alarms that a digest lists; Total counts all of them.
const maxListed = 30

// draft is a notice in the making.
type draft struct {
	alarms   []alarm.Alarm
	severity rule.Severity // the worst
	repeated bool
	absorbed []alarm.Alarm // from notices that the draft replaces
}

func (d *draft) add(a alarm.Alarm) {
	d.alarms = append(d.alarms, a)
	d.severity = max(d.severity, a.Severity)
}

// absorb takes a person's notices that have not left into a digest: when a dead
// channel comes back, one summary leaves instead of all that has piled up.
func (p *planner) absorb(person string, d *draft) {
	for _, r := range p.s.waitingRows(person) {
		if r.Content.Type == message.Upcoming {
			continue
		}
		for _, a := range r.Content.Alarms {
			if slices.ContainsFunc(d.alarms, func(o alarm.Alarm) bool { return o.ID == a.ID }) {
				continue
			}
			d.add(a)
			if r.Content.Type != message.Returned {
				d.absorbed = append(d.absorbed, a)
			}
		}
		d.repeated = d.repeated || r.Repeated
		p.s.end(r, cancelled)
	}
}

// backlog counts a person's notices that have not left.
func (p *planner) backlog(person string) int {
	notices := make(map[int64]bool)
	for _, r := range p.s.waitingRows(person) {
		if r.Content.Type != message.Upcoming {
			notices[r.Notice] = true
		}
	}
	return len(notices)
}

// queued tells whether an alarm is in a notice to a person that has not left.
func (p *planner) queued(person, id string) bool {
	return slices.ContainsFunc(p.s.waitingRows(person), func(r *row) bool {
		return r.Content.Type != message.Returned &&
			slices.ContainsFunc(r.Content.Alarms, func(a alarm.Alarm) bool { return a.ID == id })
	})
}

// stalled names every plant that stands still where a person answers for it:
// those found at a standstill, also where a known cause hides that alarm, and
// those that standing alarms stall.
func (p *planner) stalled(who *person) []string {
	var out []string
	for _, th := range p.s.sortedThreads() {
		if th.Alarm.Kind == "plant.stalled" && p.near(who, th.Alarm.Object) {
			out = append(out, th.Alarm.Object)
		}
		for _, id := range th.Alarm.Stalls {
			if th.shown() && p.near(who, id) {
				out = append(out, id)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// worse orders alarms for a list: the worst first, then the oldest.
func worse(a, b alarm.Alarm) int {
	switch {
	case a.Severity != b.Severity:
		return int(b.Severity) - int(a.Severity)
	case !a.Raised.Equal(b.Raised):
		return a.Raised.Compare(b.Raised)
	}
	return strings.Compare(a.ID, b.ID)
}

// sooner returns the earlier of two times, of which zero means never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
