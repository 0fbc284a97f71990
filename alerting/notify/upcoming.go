package notify

import (
	"maps"
	"slices"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// Upcoming is a cut that is planned on one feeder.
type Upcoming struct {
	Feeder     string
	From, To   time.Time
	Zone, City string
}

func (u Upcoming) key() string { return u.Feeder + "|" + u.From.UTC().Format(time.RFC3339) }

// planned is an Upcoming that a person is yet to be told.
type planned struct {
	Feeder string    `json:"feeder"`
	Zone   string    `json:"zone"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
}

func (u planned) sameWindow(o planned) bool {
	return u.Zone == o.Zone && u.From.Equal(o.From) && u.To.Equal(o.To)
}

// announce puts planned cuts into the inboxes of whom they concern, once each.
func (p *planner) announce(list []Upcoming) {
	for _, u := range list {
		about := alarm.Alarm{
			Key:  rule.Key{Kind: message.UpcomingKind, Object: u.Feeder},
			City: u.City, InZone: u.Zone, Severity: rule.Low,
		}
		for i := range p.people {
			who := &p.people[i]
			if _, ok := p.route(who, &about); ok {
				p.announceTo(who, u)
			}
		}
	}
}

func (p *planner) announceTo(who *person, u Upcoming) {
	box := p.inbox(who.ID)
	if _, seen := box.Seen[u.key()]; seen || !u.From.After(p.now) {
		return
	}
	if box.Seen == nil {
		box.Seen = make(map[string]time.Time)
	}
	maps.DeleteFunc(box.Seen, func(_ string, end time.Time) bool { return end.Before(p.now) })
	box.Seen[u.key()] = u.To
	box.Planned = append(box.Planned, planned{u.Feeder, u.Zone, u.From, u.To})
	p.s.touchInbox(who.ID)
}

// flushPlanned sends planned cuts, those of one zone and window as one notice.
// They wait for a token and for the end of quiet hours, but not beyond their
// beginning: then they are no news any more.
func (p *planner) flushPlanned(who *person, box *inbox) {
	n := len(box.Planned)
	box.Planned = slices.DeleteFunc(box.Planned, func(u planned) bool { return !u.From.After(p.now) })
	if len(box.Planned) < n {
		p.s.touchInbox(who.ID)
	}
	if !who.Quiet.until(p.now, who.loc).IsZero() && !who.Quiet.disturbs(rule.Low) {
		return
	}
	for len(box.Planned) > 0 && box.Tokens+slack >= 1 {
		first := box.Planned[0]
		var feeders []string
		box.Planned = slices.DeleteFunc(box.Planned, func(u planned) bool {
			if u.sameWindow(first) {
				feeders = append(feeders, u.Feeder)
				return true
			}
			return false
		})
		slices.Sort(feeders)
		content := message.Content{
			Type: message.Upcoming, Now: p.now, Feeder: feeders[0], Feeders: feeders, From: first.From, To: first.To,
			Stalled: p.below(who, feeders),
		}
		about := alarm.Alarm{Key: rule.Key{Kind: message.UpcomingKind, Object: feeders[0]}, InZone: first.Zone, Severity: rule.Low}
		about.City = p.registry.CityOf(first.Zone)
		r, ok := p.route(who, &about)
		if !ok {
			r = p.named(byAllMeans)
		}
		box.Tokens--
		p.s.touchInbox(who.ID)
		p.post(who, r, &draft{severity: rule.Low}, content)
	}
}
