package metersim

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/collector/metersim/dress"
	"github.com/imdad-telemetry/imdad/collector/metersim/score"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// Plan is a scenario made ready for a city and a seed. It is used by one play
// at a time.
type Plan struct {
	// Scenario is the one that was made ready.
	Scenario *Scenario
	// Registry and Files are the city with what the scenario adds to it: what
	// the service under test must be given.
	Registry *zone.Registry
	Files    []*zone.File
	Start    time.Time
	End      time.Time

	seed      int64
	net       *network
	speakers  []dress.Meter // in the order of the registry's meters
	incidents []*incident
}

// stage is a plan under construction.
type stage struct {
	*Plan
	loc  *time.Location
	rand *rand.Rand
	path string // of the cause at hand, for errors
	errs []error
	// orders are the deliveries that causes have taken in hand.
	orders map[string]*arrival
	// picks are the choices made so far, so that causes with the same
	// equivalents befall the same one.
	picks map[string]int
}

// Prepare makes a scenario ready for the files of its city. Errors begin with
// the path of what is wrong in the scenario file, as Validate's do. The files
// are not changed.
func Prepare(s *Scenario, files []*zone.File, seed int64) (*Plan, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, errors.New("city: no registry file; a play needs a city")
	}
	st := &stage{
		Plan:   &Plan{Scenario: s, seed: seed},
		rand:   rand.New(rand.NewPCG(uint64(seed), 0x5ce4a)),
		orders: make(map[string]*arrival),
		picks:  make(map[string]int),
	}
	if err := st.overlay(files); err != nil {
		return nil, err
	}
	if st.speakers(); len(st.errs) > 0 {
		return nil, errors.Join(st.errs...)
	}
	st.births()
	shift := st.shift()
	// A tanker's delay first: what it lacks is seen when it comes.
	for _, first := range []bool{true, false} {
		for i := range s.Causes {
			if late := s.Causes[i].Cause == "tanker_late"; late == first {
				st.path = fmt.Sprintf("causes[%d]", i)
				st.cause(s.Causes[i], shift)
			}
		}
	}
	st.deliveries()
	if len(st.errs) == 0 {
		st.see()
	}
	st.claims()
	return st.Plan, errors.Join(st.errs...)
}

// overlay adds the scenario's programme and orders to the first file.
func (st *stage) overlay(files []*zone.File) error {
	timezone := files[0].City.Timezone
	if timezone == "" {
		timezone = zone.DefaultTimezone
	}
	loc, err := time.LoadLocation(timezone)
	if err != nil {
		return fmt.Errorf("city: load time zone: %w", err)
	}
	st.loc = loc
	st.Start = st.Scenario.Start.in(time.Time{}, loc)
	st.End = st.Start.Add(st.Scenario.Duration)
	first := *files[0]
	first.Rationing = slices.Concat(first.Rationing, st.Scenario.Registry.rationing(st.Start, loc))
	first.Tankers = slices.Concat(first.Tankers, st.Scenario.Registry.tankers(st.Start, loc))
	st.Files = append([]*zone.File{&first}, files[1:]...)
	for _, p := range zone.Check(st.Files) {
		path, ours := st.overlaid(p, len(files[0].Rationing), len(files[0].Tankers))
		if !ours {
			path = "city"
		}
		st.errs = append(st.errs, fmt.Errorf("%s: %s", path, p.Message))
	}
	if len(st.errs) > 0 {
		return errors.Join(st.errs...)
	}
	if st.Registry, err = zone.New(st.Files); err != nil {
		return fmt.Errorf("registry: %w", err)
	}
	st.net = newNetwork(st.Registry)
	return nil
}

// overlaid turns the path of a problem in the city with the overlay into the
// path in the scenario.
func (st *stage) overlaid(p zone.Problem, rules, orders int) (path string, ours bool) {
	for name, had := range map[string]int{"rationing": rules, "tankers": orders} {
		var i int
		if n, err := fmt.Sscanf(p.Path, name+"[%d]", &i); n == 1 && err == nil && p.File == 0 && i >= had {
			_, rest, _ := strings.Cut(p.Path, "]")
			return fmt.Sprintf("registry.%s[%d]%s", name, i-had, rest), true
		}
	}
	return "", false
}

// asWritten tells whether the play is to be exactly as the file says.
func (st *stage) asWritten() bool { return st.seed == st.Scenario.Seed }

// pick returns the cause's object, or for other seeds one of its equivalents.
func (st *stage) pick(c Cause) string {
	if len(c.AnyOf) == 0 || st.asWritten() {
		return c.Object
	}
	all := strings.Join(c.AnyOf, "|")
	n, picked := st.picks[all]
	if !picked {
		n = st.rand.IntN(len(c.AnyOf))
		st.picks[all] = n
	}
	return c.AnyOf[n]
}

// shift is by how much all causes move for this seed: together, so that what
// is meant to coincide does.
func (st *stage) shift() time.Duration {
	shake := st.Scenario.Shake
	if st.asWritten() || shake <= 0 {
		return 0
	}
	return time.Duration((2*st.rand.Float64() - 1) * float64(shake))
}

// cause makes the incident of a cause and lets its kind fill it.
func (st *stage) cause(c Cause, shift time.Duration) {
	known := st.knows(c, c.Object, "object")
	for n, id := range c.AnyOf {
		known = st.knows(c, id, fmt.Sprintf("any_of[%d]", n)) && known
	}
	if !known {
		return
	}
	c.Object = st.pick(c)
	if c.For == 0 {
		c.For = st.Scenario.Duration - c.At
	}
	c.At = max(0, c.At+shift)
	i := st.incident(c, st.Start.Add(c.At), st.Start.Add(c.At+c.For))
	catalogue[c.Cause].set(st, i)
}

// incident adds one from start to end, cut to the play and put on the grid of
// steps.
func (st *stage) incident(c Cause, start, end time.Time) *incident {
	i := &incident{Cause: c, start: onGrid(start), end: onGrid(end)}
	last := onGrid(st.End)
	i.openEnded = i.end >= last
	i.end = max(i.start+stepMS, min(i.end, last))
	i.event = score.Event{Cause: c.Cause, Object: c.Object, Start: st.at(i.start), End: st.at(i.end)}
	st.incidents = append(st.incidents, i)
	return i
}

// at is a time of the play in its city's local time.
func (st *stage) at(ms int64) time.Time { return time.UnixMilli(ms).In(st.loc) }

func onGrid(t time.Time) int64 {
	ms := t.UnixMilli()
	return ms - ms%stepMS
}

// knows tells whether an object, the cause's own or an equivalent under the
// key, is there and of a kind that the cause can befall; if not it says so.
func (st *stage) knows(c Cause, object, key string) bool {
	k := catalogue[c.Cause]
	if object == "" || object == "*" && k.cityWide() {
		return true
	}
	found := ""
	if o, ok := st.Registry.Object(object); ok {
		found = string(o.Kind)
	}
	is := map[string]bool{
		found:     found != "",
		"meter":   len(st.metersCalled(object)) > 0,
		"gateway": slices.Contains(st.net.gateways(), object),
		"order":   slices.ContainsFunc(st.Registry.Tankers(), func(t zone.Tanker) bool { return t.ID == object }),
		"rule":    slices.ContainsFunc(st.Registry.Rationing(), func(r zone.Rationing) bool { return r.ID == object }),
	}
	for _, on := range k.on {
		if is[on] {
			return true
		}
	}
	words := strings.ReplaceAll(strings.Join(k.on, " or "), "_", " ")
	if found != "" {
		st.wrong(key, "%s is a %s; a %s befalls a %s", object, strings.ReplaceAll(found, "_", " "), c.Cause, words)
	} else {
		st.wrong(key, "there is no %s %q in %s", words, object, st.Files[0].City.ID)
	}
	return false
}

func (st *stage) wrong(key, format string, args ...any) {
	st.errs = append(st.errs, fmt.Errorf("%s.%s: %s", st.path, key, fmt.Sprintf(format, args...)))
}

// metersCalled lists the meters with an id, or with zone/utility/id.
func (st *stage) metersCalled(id string) []zone.Meter {
	var list []zone.Meter
	for _, m := range st.Registry.Meters() {
		if m.ID == id || key(m) == id {
			list = append(list, m)
		}
	}
	return list
}

// key names a meter in the whole registry.
func key(m zone.Meter) string { return m.Zone + "/" + string(m.Utility) + "/" + m.ID }

// claims adds what the file itself expects, allows and forbids, as an event of
// its own that lasts for the whole play.
func (st *stage) claims() {
	s := st.Scenario
	add := func(name string, list []ScenarioClaim, put func(*incident, ScenarioClaim)) {
		for n, c := range list {
			st.about(fmt.Sprintf("%s[%d]", name, n), &c)
			if c.Object == "" {
				c.Object = "*"
			}
			start, end := st.Start.Add(c.At), st.End
			if c.Within > 0 {
				end = start.Add(c.Within)
			}
			i := st.incident(Cause{Cause: "claim", Object: c.Object}, start, end)
			put(i, c)
		}
	}
	add("expect", s.Expect, func(i *incident, c ScenarioClaim) { i.expect(c.ID, c.Object, i.length()) })
	add("forbid", s.Forbid, func(i *incident, c ScenarioClaim) { i.forbid(c.ID, 0, c.Object) })
	add("allow", s.Allow, func(i *incident, c ScenarioClaim) {
		i.allow(c.ID, 0, c.Object)
		i.event.Allow[0].Max = c.Max
	})
}

// Events returns what happens, in the order of time. The energy not supplied is
// in it once the play is over.
func (p *Plan) Events() []score.Event {
	events := make([]score.Event, 0, len(p.incidents))
	for _, i := range p.incidents {
		if i.untold {
			continue
		}
		e := i.event
		e.EnsKWh = math.Round(10*i.ensKWh) / 10
		if e.Expect == nil {
			e.Expect = []score.Claim{}
		}
		if e.Forbid == nil {
			e.Forbid = []score.Claim{}
		}
		events = append(events, e)
	}
	slices.SortStableFunc(events, func(a, b score.Event) int { return a.Start.Compare(b.Start) })
	return events
}
