package metersim

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/collector/metersim/dress"
	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/collector/zone/spelling"
)

// Scenario is a play for a simulated city: what goes wrong, when, and so what
// an alarm system must and must not say. configs/scenarios/README.md is the
// manual of the file format.
type Scenario struct {
	Name     string        `yaml:"name"`
	Title    string        `yaml:"title"`
	City     string        `yaml:"city"` // a shipped city; default sheikh-najjar
	Start    When          `yaml:"start"`
	Duration time.Duration `yaml:"duration"`
	// Seed is the one at which the play is exactly as written; any other seed
	// shifts its times by up to Shake and chooses among AnyOf.
	Seed     int64         `yaml:"seed"`
	Shake    time.Duration `yaml:"shake"`
	Registry Overlay       `yaml:"registry"`
	Causes   []Cause       `yaml:"causes"`
	// Profiles are the payload profiles of the meters (see Options), and Meters
	// those of single ones, by id or zone/utility/id. None: all speak natively, but
	// for what causes need.
	Profiles []string          `yaml:"profiles"`
	Meters   map[string]string `yaml:"meters"`
	// Claims beside those that follow from the causes, for the whole play.
	Expect []ScenarioClaim `yaml:"expect"`
	Allow  []ScenarioClaim `yaml:"allow"`
	Forbid []ScenarioClaim `yaml:"forbid"`
}

// Overlay is what the scenario adds to the city's registry.
type Overlay struct {
	Rationing []OverlayRationing `yaml:"rationing"`
	Tankers   []OverlayTanker    `yaml:"tankers"`
}

// OverlayRationing is zone.Rationing with times that may count from the start.
type OverlayRationing struct {
	ID        string        `yaml:"id"`
	Feeders   []string      `yaml:"feeders"`
	Zone      string        `yaml:"zone"`
	RRule     string        `yaml:"rrule"`
	Off       time.Duration `yaml:"off"`
	Cycle     OverlayCycle  `yaml:"cycle"`
	Stage     int           `yaml:"stage"`
	Exempt    bool          `yaml:"exempt"`
	ValidFrom When          `yaml:"valid_from"`
	ValidTo   When          `yaml:"valid_to"`
	Source    string        `yaml:"source"`
}

// OverlayCycle is zone.Cycle with an anchor that may count from the start.
type OverlayCycle struct {
	Off    time.Duration `yaml:"off"`
	On     time.Duration `yaml:"on"`
	Anchor When          `yaml:"anchor"`
}

// OverlayTanker is zone.Tanker with an ETA that may count from the start.
type OverlayTanker struct {
	ID      string  `yaml:"id"`
	Tank    string  `yaml:"tank"`
	ETA     When    `yaml:"eta"`
	VolumeL float64 `yaml:"volume_l"`
}

// ScenarioClaim is an addition to the truth that the causes give: an alarm's
// id and object ("*": any; "a|b": either), from At until At + Within.
type ScenarioClaim struct {
	ID     string        `yaml:"id"`
	Object string        `yaml:"object"`
	At     time.Duration `yaml:"at"`
	Within time.Duration `yaml:"within"` // 0: to the end
	Max    int           `yaml:"max"`    // for allow: how often; 0: any number
}

// Cause is one thing that happens. Which parameters apply depends on the kind;
// 0 takes the kind's default.
type Cause struct {
	Cause  string        `yaml:"cause"`
	Object string        `yaml:"object"`
	AnyOf  []string      `yaml:"any_of"` // equivalents of Object for other seeds
	At     time.Duration `yaml:"at"`
	For    time.Duration `yaml:"for"` // 0: to the end of the play

	Ramp     time.Duration `yaml:"ramp"`
	LevelPct float64       `yaml:"level_pct"`
	HoverPct float64       `yaml:"hover_pct"`
	Phase    int           `yaml:"phase"`
	Pattern  string        `yaml:"pattern"`
	Hertz    float64       `yaml:"hertz"`
	FlowM3H  float64       `yaml:"flow_m3h"`
	DropPct  float64       `yaml:"drop_pct"`
	Litres   float64       `yaml:"litres"`
	ShortPct float64       `yaml:"short_pct"`
	Late     time.Duration `yaml:"late"`
	FromC    float64       `yaml:"from_c"`
	ToC      float64       `yaml:"to_c"`
	Overrun  time.Duration `yaml:"overrun"`
	Lag      time.Duration `yaml:"lag"`
	Factor   float64       `yaml:"factor"`
	Feeders  int           `yaml:"feeders"`
	Gap      time.Duration `yaml:"gap"`
	LastGasp bool          `yaml:"last_gasp"`
	Skew     time.Duration `yaml:"skew"`
	Span     time.Duration `yaml:"span"`
	Blackout bool          `yaml:"blackout"`
	Count    int           `yaml:"count"`
	Digits   int           `yaml:"digits"`
	Stage    int           `yaml:"stage"`
}

// params returns the parameters that are given, by their keys.
func (c *Cause) params() map[string]bool {
	given := map[string]bool{
		"ramp": c.Ramp != 0, "level_pct": c.LevelPct != 0, "hover_pct": c.HoverPct != 0, "phase": c.Phase != 0,
		"pattern": c.Pattern != "", "hertz": c.Hertz != 0, "flow_m3h": c.FlowM3H != 0, "drop_pct": c.DropPct != 0,
		"litres": c.Litres != 0, "short_pct": c.ShortPct != 0, "late": c.Late != 0, "from_c": c.FromC != 0,
		"to_c": c.ToC != 0, "overrun": c.Overrun != 0, "lag": c.Lag != 0, "factor": c.Factor != 0,
		"feeders": c.Feeders != 0, "gap": c.Gap != 0, "last_gasp": c.LastGasp, "skew": c.Skew != 0,
		"span": c.Span != 0, "blackout": c.Blackout, "count": c.Count != 0, "digits": c.Digits != 0, "stage": c.Stage != 0,
	}
	maps.DeleteFunc(given, func(_ string, is bool) bool { return !is })
	return given
}

// Validate returns everything that is wrong with the scenario by itself; what
// concerns the city's registry is checked by Prepare.
func (s *Scenario) Validate() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if s.Name == "" {
		wrong("name: missing; give the file's name without .yaml")
	}
	if s.Start.IsZero() || s.Start.relative {
		wrong("start: give the local time at which the play begins, such as 2026-11-23T08:00")
	}
	if s.Duration <= 0 || s.Duration > 366*24*time.Hour {
		wrong("duration: give how long the play lasts, such as 2h; at most 8784h")
	}
	if err := dress.Check(s.Profiles); err != nil {
		wrong("profiles: %w", err)
	}
	for id, profile := range s.Meters {
		if err := dress.Check([]string{profile}); err != nil || profile == dress.Mixed {
			wrong("meters.%s: there is no profile %q; use %s", id, profile, strings.Join(dress.Profiles(), ", "))
		}
	}
	if s.Shake < 0 {
		wrong("shake: must not be negative")
	}
	if len(s.Causes) == 0 && len(s.Forbid) == 0 {
		wrong("causes: missing; a play in which nothing happens says so with a forbid")
	}
	for i := range s.Causes {
		errs = append(errs, s.Causes[i].validate(fmt.Sprintf("causes[%d]", i), s.Duration)...)
	}
	for name, claims := range map[string][]ScenarioClaim{"expect": s.Expect, "allow": s.Allow, "forbid": s.Forbid} {
		for i, c := range claims {
			if c.ID == "" {
				wrong("%s[%d].id: missing; give an alarm's id such as elec.outage", name, i)
			}
			if what := c.misspelt(); what != "" {
				wrong("%s[%d].id: %s", name, i, what)
			}
			if c.At < 0 || c.Within < 0 || c.Max < 0 {
				wrong("%s[%d]: at, within and max must not be negative", name, i)
			}
		}
	}
	return errors.Join(errs...)
}

func (c *Cause) validate(path string, length time.Duration) (errs []error) {
	wrong := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s.%s: %s", path, key, fmt.Sprintf(format, args...)))
	}
	k, ok := catalogue[c.Cause]
	if !ok {
		if near, ok := spelling.Nearest(c.Cause, Causes()); ok {
			wrong("cause", "%q is none; did you mean %q?", c.Cause, near)
		} else {
			wrong("cause", "%q is none; use %s", c.Cause, strings.Join(Causes(), ", "))
		}
		return errs
	}
	if c.Object == "" && !k.cityWide() {
		wrong("object", "missing; give a %s", strings.Join(k.on, ", a "))
	}
	if c.At < 0 || length > 0 && c.At >= length {
		wrong("at", "%v lies outside the play's %v", c.At, length)
	}
	if c.For < 0 {
		wrong("for", "must not be negative")
	}
	for _, name := range slices.Sorted(maps.Keys(c.params())) {
		if !slices.Contains(k.params, name) {
			takes := "no parameters"
			if len(k.params) > 0 {
				takes = strings.Join(k.params, ", ")
			}
			wrong(name, "means nothing to a %s, which takes %s", c.Cause, takes)
		}
	}
	for _, r := range c.ranges() {
		if r.given && (r.value < r.least || r.value > r.most) {
			wrong(r.key, "%v is impossible; give %v to %v", r.value, r.least, r.most)
		}
	}
	if c.Cause == "trap" && c.Pattern == "" {
		wrong("pattern", "missing; give one of %s", strings.Join(k.patterns, ", "))
	}
	if len(k.patterns) > 0 && c.Pattern != "" && !slices.Contains(k.patterns, c.Pattern) {
		wrong("pattern", "%q is none; use %s", c.Pattern, strings.Join(k.patterns, ", "))
	}
	return errs
}

type limits struct {
	key                string
	given              bool
	value, least, most float64
}

func (c *Cause) ranges() []limits {
	num := func(key string, x, least, most float64) limits { return limits{key, x != 0, x, least, most} }
	return []limits{
		num("level_pct", c.LevelPct, 1, 130), num("hover_pct", c.HoverPct, 0, 20), num("phase", float64(c.Phase), 1, 3),
		num("hertz", c.Hertz, 45, 55), num("flow_m3h", c.FlowM3H, 0.001, 1e5), num("drop_pct", c.DropPct, 1, 100),
		num("litres", c.Litres, 1, 1e6), num("short_pct", c.ShortPct, 0.01, 100), num("from_c", c.FromC, -40, 120),
		num("to_c", c.ToC, -40, 120), num("factor", c.Factor, 1.01, 10), num("feeders", float64(c.Feeders), 1, 1000),
		num("count", float64(c.Count), 1, 10000), num("stage", float64(c.Stage), 1, 100), num("digits", float64(c.Digits), 3, 12),
		num("ramp", c.Ramp.Seconds(), 0, 1e7), num("late", c.Late.Seconds(), 0, 1e7), num("overrun", c.Overrun.Seconds(), 0, 1e6),
		num("lag", c.Lag.Seconds(), 0, 300), num("gap", c.Gap.Seconds(), 0, 1e6), num("span", c.Span.Seconds(), 1, 1e7),
	}
}

// DefaultCity is where a scenario plays that names no city.
const DefaultCity = "sheikh-najjar"

// Begin lets the play begin at t instead of its own start.
func (s *Scenario) Begin(t time.Time) { s.Start = When{at: t} }

// Causes lists the kinds of causes.
func Causes() []string { return slices.Sorted(maps.Keys(catalogue)) }

// CauseKind is a kind of cause: the kinds of objects that it may befall, and
// the parameters that it takes besides object, any_of, at and for.
type CauseKind struct {
	Name           string
	On, Parameters []string
}

// CauseKinds lists the kinds of causes with what they take.
func CauseKinds() []CauseKind {
	var list []CauseKind
	for _, name := range Causes() {
		k := catalogue[name]
		list = append(list, CauseKind{name, slices.Clone(k.on), slices.Clone(k.params)})
	}
	return list
}

// rationing turns the overlay's rules into the registry's.
func (o Overlay) rationing(start time.Time, loc *time.Location) []zone.Rationing {
	rules := make([]zone.Rationing, len(o.Rationing))
	for i, r := range o.Rationing {
		rules[i] = zone.Rationing{
			ID: r.ID, Feeders: r.Feeders, Zone: r.Zone, RRule: r.RRule, Off: r.Off, Stage: r.Stage, Exempt: r.Exempt,
			Cycle:     zone.Cycle{Off: r.Cycle.Off, On: r.Cycle.On, Anchor: r.Cycle.Anchor.in(start, loc)},
			ValidFrom: r.ValidFrom.in(start, loc), ValidTo: r.ValidTo.in(start, loc), Source: r.Source,
		}
	}
	return rules
}

func (o Overlay) tankers(start time.Time, loc *time.Location) []zone.Tanker {
	orders := make([]zone.Tanker, len(o.Tankers))
	for i, t := range o.Tankers {
		orders[i] = zone.Tanker{ID: t.ID, Tank: t.Tank, ETA: t.ETA.in(start, loc), VolumeL: t.VolumeL}
	}
	return orders
}
