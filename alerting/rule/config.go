package rule

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/collector/zone/spelling"
)

// Config is the file of rules: what differs from the catalogue, where, and
// rules of one's own.
type Config struct {
	Rules  []Rule   `yaml:"rules"`
	Custom []Custom `yaml:"custom"`
}

// Rule changes a kind everywhere, or at one place and all that lies in it. The
// more particular wins: object over zone over city over everywhere; of equals,
// the later. What is nil or absent stays as it is further up.
type Rule struct {
	Kind string `yaml:"kind"`
	// At is the id of a city, zone or object, or zone/utility/id of a meter;
	// empty: everywhere. A rule at an object reaches the meters that measure it.
	At       string             `yaml:"at"`
	Enabled  *bool              `yaml:"enabled"`
	Severity string             `yaml:"severity"` // low, medium, high, critical
	On       *float64           `yaml:"on"`
	Clear    *float64           `yaml:"clear"`
	Severe   *float64           `yaml:"severe"`
	OnDelay  *time.Duration     `yaml:"on_delay"`
	OffDelay *time.Duration     `yaml:"off_delay"`
	Params   map[string]float64 `yaml:"params"`
}

// Custom is a rule of one's own: an expression over the fields of each object
// of a kind (see Fields). An object with an unknown operand is unknown.
type Custom struct {
	ID       string        `yaml:"id"`       // like "dye.cold_water"
	ForEach  zone.Kind     `yaml:"for_each"` // city, zone, substation, feeder, pumping_station, water_line, tank, plant, meter
	At       string        `yaml:"at"`       // only in this city or zone, or at this object; empty: everywhere
	When     string        `yaml:"when"`
	Clear    string        `yaml:"clear"` // empty: when `when` no longer holds
	OnDelay  time.Duration `yaml:"on_delay"`
	OffDelay time.Duration `yaml:"off_delay"`
	Severity string        `yaml:"severity"`
	To       []Role        `yaml:"to"`
	Text     Text          `yaml:"text"`
}

// Text is what a custom alarm says. {site} is the object, and each field that
// the expressions use stands under its name.
type Text struct {
	En string `yaml:"en"`
	Ar string `yaml:"ar"`
}

// DefaultConfig returns the defaults: the catalogue as it is.
func DefaultConfig() Config { return Config{} }

// Validate reports every mistake, each beginning with its key. What needs the
// registry is checked by New.
func (c Config) Validate() error {
	var errs mistakes
	c.check(&errs)
	return errors.Join(errs...)
}

// check reports mistakes, and returns the rules with those that have one made
// into rules of no kind, so that others can be looked at further.
func (c Config) check(errs *mistakes) []Rule {
	sound := slices.Clone(c.Rules)
	for i := range c.Rules {
		before := len(*errs)
		c.Rules[i].check(fmt.Sprintf("rules[%d]", i), errs)
		if len(*errs) > before {
			sound[i].Kind = ""
		}
	}
	ids := make(map[string]int)
	for i := range c.Custom {
		path := fmt.Sprintf("custom[%d]", i)
		c.Custom[i].check(path, errs)
		if first, twice := ids[c.Custom[i].ID]; twice {
			errs.add(path+".id", "%q is custom[%d] already", c.Custom[i].ID, first)
			continue
		}
		ids[c.Custom[i].ID] = i
	}
	return sound
}

// mistakes collects what is wrong, each with the path of its key.
type mistakes []error

// add leaves out what was said already: many objects may share a mistake.
func (m *mistakes) add(path, format string, args ...any) {
	err := fmt.Errorf("%s: %s", path, fmt.Sprintf(format, args...))
	if !slices.ContainsFunc(*m, func(said error) bool { return said.Error() == err.Error() }) {
		*m = append(*m, err)
	}
}

func (r *Rule) check(path string, errs *mistakes) {
	if r.Kind == "" {
		errs.add(path+".kind", "missing")
		return
	}
	index, ok := kindOf(r.Kind)
	if !ok {
		errs.add(path+".kind", "there is no kind %q%s", r.Kind, meant(r.Kind, kindIDs()))
		return
	}
	k, before := &catalogue[index], len(*errs)
	if r.Severity != "" {
		checkSeverity(path, r.Severity, errs)
	}
	for _, d := range []struct {
		key   string
		value *time.Duration
	}{{"on_delay", r.OnDelay}, {"off_delay", r.OffDelay}} {
		if d.value != nil {
			checkDelay(path+"."+d.key, *d.value, errs)
		}
	}
	for _, t := range []struct {
		key          string
		value        *float64
		defaultValue float64
	}{{"on", r.On, k.On}, {"clear", r.Clear, k.Clear}, {"severe", r.Severe, k.Severe}} {
		switch {
		case t.value == nil:
		case !has(t.defaultValue):
			errs.add(path+"."+t.key, "%s has no such threshold", k.ID)
		case !(*t.value >= k.Least && *t.value <= k.Most):
			errs.add(path+"."+t.key, "%v is out of range; use %v to %v (%s)", *t.value, k.Least, k.Most, k.Unit)
		}
	}
	r.checkParams(path, k, errs)
	if s := k.defaults().with(r); r.At == "" && len(*errs) == before {
		s.checkOrder(path, k, errs)
	}
}

func (r *Rule) checkParams(path string, k *Kind, errs *mistakes) {
	for _, name := range sortedKeys(r.Params) {
		i := k.param(name)
		if i < 0 {
			errs.add(path+".params."+name, "%s has no parameter %q%s", k.ID, name, meant(name, k.paramNames()))
			continue
		}
		if p, v := &k.Params[i], r.Params[name]; !(v >= p.Least && v <= p.Most) {
			errs.add(path+".params."+name, "%v is out of range; use %v to %v", v, p.Least, p.Most)
		}
	}
}

// customID keeps custom ids apart from words and legal in topics and URLs.
var customID = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$`)

func (c *Custom) check(path string, errs *mistakes) {
	if _, taken := kindOf(c.ID); taken {
		errs.add(path+".id", "%q is a kind of the catalogue; use rules to change it", c.ID)
	} else if !customID.MatchString(c.ID) || len(c.ID) > 64 {
		errs.add(path+".id", "%q; use two or more words of small letters, digits and _ joined by dots, such as dye.cold_water", c.ID)
	}
	if c.Severity == "" {
		errs.add(path+".severity", "missing; use %s", either(severityWords))
	} else {
		checkSeverity(path, c.Severity, errs)
	}
	if len(c.To) == 0 {
		errs.add(path+".to", "missing; use some of %s", either(words(Roles)))
	}
	for i, role := range c.To {
		if !slices.Contains(Roles, role) {
			errs.add(fmt.Sprintf("%s.to[%d]", path, i), "there is no role %q%s", role, meant(string(role), words(Roles)))
		}
	}
	checkDelay(path+".on_delay", c.OnDelay, errs)
	checkDelay(path+".off_delay", c.OffDelay, errs)
	for _, t := range []struct{ key, text string }{{"en", c.Text.En}, {"ar", c.Text.Ar}} {
		if strings.TrimSpace(t.text) == "" {
			errs.add(path+".text."+t.key, "missing; an alarm is told in both languages")
		}
	}
	if _, err := c.compile(path); err != nil {
		*errs = append(*errs, err)
	}
}

func checkSeverity(path, word string, errs *mistakes) {
	if _, ok := ParseSeverity(word); !ok {
		errs.add(path+".severity", "there is no severity %q; use %s", word, either(severityWords))
	}
}

// maxDelay bounds delays: what is to wait longer is a report, not an alarm.
const maxDelay = 7 * 24 * time.Hour

func checkDelay(path string, d time.Duration, errs *mistakes) {
	if d < 0 || d > maxDelay {
		errs.add(path, "%v; use 0s to %v", d, maxDelay)
	}
}

// meant ends a message about an unknown word with the nearest known one, or
// with all of them if they are few.
func meant(word string, known []string) string {
	if near, ok := spelling.Nearest(word, known); ok {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	if len(known) > 0 && len(known) <= 12 {
		return "; use " + either(known)
	}
	return ""
}

func either(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

func words[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return out
}

func sortedKeys(m map[string]float64) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
