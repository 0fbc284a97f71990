package notify

import (
	"fmt"
	"slices"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// Escalation says who is told when nobody has acknowledged an alarm for some
// time. Several make a ladder.
type Escalation struct {
	Name       string          `yaml:"name"`
	Zones      []string        `yaml:"zones"`      // none: all
	Severities []rule.Severity `yaml:"severities"` // none: all
	After      time.Duration   `yaml:"after"`      // since the alarm was shown
	To         []string        `yaml:"to"`         // ids of people
	Rota       *Rota           `yaml:"rota"`       // who is on call, besides To
}

// Rota is a list of people who are on call in turn.
type Rota struct {
	People []string  `yaml:"people"`
	From   time.Time `yaml:"from"` // when the first one's first turn begins
	Every  Span      `yaml:"every"`
}

// onCall returns whose turn it is; "" before the first.
func (r *Rota) onCall(now time.Time) string {
	if r == nil || now.Before(r.From) {
		return ""
	}
	turn := now.Sub(r.From) / time.Duration(r.Every)
	return r.People[int(turn)%len(r.People)]
}

func (e *Escalation) fits(a *alarm.Alarm) bool {
	return (len(e.Severities) == 0 || slices.Contains(e.Severities, a.Severity)) &&
		(len(e.Zones) == 0 || slices.Contains(e.Zones, a.InZone))
}

// people returns the ids of whom it calls.
func (e *Escalation) people(now time.Time) []string {
	ids := slices.Clone(e.To)
	if id := e.Rota.onCall(now); id != "" && !slices.Contains(ids, id) {
		ids = append(ids, id)
	}
	return ids
}

func (v *checker) escalation(i int, c Config) {
	at, e := fmt.Sprintf("escalations[%d]", i), c.Escalations[i]
	ids := make([]string, len(c.People))
	for k, p := range c.People {
		ids[k] = p.ID
	}
	slices.Sort(ids)
	ids = slices.Compact(ids) // one that is there twice is another mistake
	if v.id(at+".name", e.Name) {
		if slices.ContainsFunc(c.Escalations[:i], func(o Escalation) bool { return o.Name == e.Name }) {
			v.add(at+".name", "%q is the name of another escalation", e.Name)
		}
	}
	v.span(at+".after", e.After, time.Second, 7*24*time.Hour)
	v.allKnown(at+".to", "person", e.To, ids)
	if e.Rota == nil {
		if len(e.To) == 0 {
			v.add(at+".to", "missing; name people, or give a rota")
		}
		return
	}
	if len(e.Rota.People) == 0 {
		v.add(at+".rota.people", "missing; name who is on call in turn")
	}
	v.allKnown(at+".rota.people", "person", e.Rota.People, ids)
	if e.Rota.From.IsZero() {
		v.add(at+".rota.from", "missing; say when the first turn begins, like 2026-01-03T08:00:00+03:00")
	}
	v.span(at+".rota.every", time.Duration(e.Rota.Every), time.Hour, 366*24*time.Hour)
}
