package notify

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// Route says that people of some roles hear of some alarms. The first route
// that fits an alarm and a person decides.
type Route struct {
	Name       string          `yaml:"name"`
	Kinds      []string        `yaml:"kinds"`      // patterns such as elec.*; none: all
	Except     []string        `yaml:"except"`     // patterns of kinds that it leaves out
	Severities []rule.Severity `yaml:"severities"` // none: all
	Roles      []rule.Role     `yaml:"roles"`
	Zones      []string        `yaml:"zones"` // of the alarm; none: all
	// Channels, in order of preference; none: all that the person has an
	// address on, telegram, sms and email first.
	Channels []string `yaml:"channels"`
	// Reach is first (the next channel is tried when one fails), or all; by
	// default all for critical alarms, first for others.
	Reach string `yaml:"reach"`
	// GroupBy says which alarms leave as one notice: those equal in city, zone,
	// family (of kinds: elec, water, …), kind and object, as far as they are
	// listed; default zone and family.
	GroupBy []string `yaml:"group_by"`
	// GroupWait is how long what follows a notice gathers until the next one of
	// its group; the first leaves at once. Default 10s, and critical alarms
	// never wait; 0s: nothing does.
	GroupWait *time.Duration `yaml:"group_wait"`
	// Repeat is the time between reminders while nobody acknowledges; 0: only
	// when the alarm's own re-alarm time is up.
	Repeat time.Duration `yaml:"repeat"`
}

const (
	defaultGroupWait = 10 * time.Second
	// settleWait is longer than a cycle of alerting: what the same readings bring
	// to light in the next one, a cause or a neighbour, comes before the first
	// notice of a group leaves.
	settleWait = 300 * time.Millisecond
)

// The values of Route.Reach.
const (
	reachFirst = "first"
	reachAll   = "all"
)

var groupKeys = []string{"city", "zone", "family", "kind", "object"}

func (r *Route) fits(a *alarm.Alarm) bool {
	return (len(r.Kinds) == 0 || matches(r.Kinds, a.Kind)) && !matches(r.Except, a.Kind) &&
		(len(r.Severities) == 0 || slices.Contains(r.Severities, a.Severity)) &&
		(len(r.Zones) == 0 || slices.Contains(r.Zones, a.InZone))
}

// fitsRole tells whether a person of that role hears of the route's alarms.
func (r *Route) fitsRole(role rule.Role) bool { return slices.Contains(r.Roles, role) }

// wait is how long the notices of a group are apart.
func (r *Route) wait() time.Duration {
	if r.GroupWait != nil {
		return *r.GroupWait
	}
	return defaultGroupWait
}

// hurries tells whether alarms so severe wait for nothing.
func (r *Route) hurries(s rule.Severity) bool {
	return r.wait() == 0 || r.GroupWait == nil && s == rule.Critical
}

// group is the key under which an alarm gathers with others.
func (r *Route) group(a *alarm.Alarm) string {
	by := r.GroupBy
	if len(by) == 0 {
		by = []string{"zone", "family"}
	}
	parts := make([]string, len(by))
	for i, key := range by {
		switch key {
		case "city":
			parts[i] = a.City
		case "zone":
			parts[i] = a.InZone
		case "family":
			parts[i], _, _ = strings.Cut(a.Kind, ".")
		case "kind":
			parts[i] = a.Kind
		case "object":
			parts[i] = a.Object
		}
	}
	return strings.Join(parts, "/")
}

func matches(patterns []string, kind string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, kind)
		return err == nil && ok // Validate has refused bad patterns
	})
}

func (v *checker) route(at string, r Route, before []Route) {
	if v.id(at+".name", r.Name) && slices.ContainsFunc(before, func(o Route) bool { return o.Name == r.Name }) {
		v.add(at+".name", "%q is the name of another route", r.Name)
	}
	v.patterns(at+".kinds", r.Kinds)
	v.patterns(at+".except", r.Except)
	if len(r.Roles) == 0 {
		v.add(at+".roles", "missing; say whom the route reaches")
	}
	for i, role := range r.Roles {
		v.role(fmt.Sprintf("%s.roles[%d]", at, i), role)
	}
	v.allKnown(at+".group_by", "key", r.GroupBy, groupKeys)
	if r.Reach != "" {
		v.known(at+".reach", "way", r.Reach, []string{reachFirst, reachAll})
	}
	if r.GroupWait != nil {
		v.span(at+".group_wait", *r.GroupWait, 0, time.Hour)
	}
	if r.Repeat != 0 {
		v.span(at+".repeat", r.Repeat, time.Minute, 7*24*time.Hour)
	}
}

func (v *checker) patterns(at string, patterns []string) {
	for i, p := range patterns {
		if _, err := path.Match(p, ""); err != nil || p == "" {
			v.add(fmt.Sprintf("%s[%d]", at, i), "%q is no pattern of kinds; write elec.outage, elec.* or *", p)
		}
	}
}
