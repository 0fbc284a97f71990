package notify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

func TestMain(m *testing.M) {
	if code, ok := child(); ok {
		exit(code)
	}
	goleak.VerifyTestMain(m)
}

// registry has two zones, z1 with feeders f1 and f2, z2 with f3, fed by one
// substation, and four plants a zone: z1-p1 … z2-p4.
func registry(t testing.TB) *zone.Registry {
	t.Helper()
	name := zone.Name{En: "x", Ar: "س"}
	f := &zone.File{
		City:        zone.City{ID: "c", Name: name},
		Zones:       []zone.Zone{{ID: "z1", Name: name}, {ID: "z2", Name: name}},
		Substations: []zone.Substation{{ID: "ss", Name: name}},
		Feeders: []zone.Feeder{
			{ID: "f1", Name: name, Zone: "z1", From: "ss"},
			{ID: "f2", Name: name, Zone: "z1", From: "f1"},
			{ID: "f3", Name: name, Zone: "z2", From: "ss"},
		},
	}
	for _, z := range []string{"z1", "z2"} {
		for i := range 4 {
			f.Plants = append(f.Plants, zone.Plant{
				ID: fmt.Sprintf("%s-p%d", z, i+1), Name: name, Zone: z, Sector: zone.Weaving,
				Feeder: map[string]string{"z1": "f1", "z2": "f3"}[z],
			})
		}
	}
	f.Tanks = []zone.Tank{{ID: "tank", Name: name, Zone: "z1", Plant: "z1-p1", Utility: "fuel", Fuel: "mazut", CapacityM3: 10}}
	r, err := zone.New([]*zone.File{f})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// people are a manager for each zone, a plant's engineer and the ministry.
func people() []Person {
	name := zone.Name{En: "x", Ar: "س"}
	return []Person{
		{ID: "amal", Name: name, Role: rule.ZoneManager, Zones: []string{"z1"}, Contacts: map[string]string{"telegram": "1", "email": "amal@x"}},
		{ID: "basem", Name: name, Role: rule.ZoneManager, Zones: []string{"z2"}, Language: "en", Contacts: map[string]string{"email": "basem@x"}},
		{ID: "dalal", Name: name, Role: rule.PlantStaff, Plants: []string{"z1-p1"}, Contacts: map[string]string{"sms": "0955"}},
		{ID: "muna", Name: name, Role: rule.Ministry, Contacts: map[string]string{"email": "muna@x"}},
	}
}

func config() Config {
	c := DefaultConfig()
	c.People = people()
	return c
}

var channels = []Spec{{Name: "telegram"}, {Name: "email"}, {Name: "sms"}}

// noon is when stories begin: Saturday, 2026-01-03, 12:00 in Damascus.
var noon = time.Date(2026, 1, 3, 9, 0, 0, 0, time.UTC)

// teller plays a story to the planner: what happens to alarms, and time.
type teller struct {
	t    testing.TB
	s    *state
	dir  *directory
	now  time.Time
	due  time.Time
	seq  int64
	live map[string]alarm.Alarm
}

func newTeller(t testing.TB, c Config, specs ...Spec) *teller {
	t.Helper()
	if specs == nil {
		specs = channels
	}
	dir, err := newDirectory(c, registry(t), specs, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &teller{t: t, s: newState(), dir: dir, now: noon, live: make(map[string]alarm.Alarm)}
}

// place says where an object is, for findings.
func place(object string) (inZone string) {
	switch {
	case object == "f1", object == "f2", object == "tank", strings.HasPrefix(object, "z1"):
		return "z1"
	case object == "f3", strings.HasPrefix(object, "z2"):
		return "z2"
	}
	return ""
}

// event moves an alarm, written kind:object, with the severity's first letter
// where it is not high.
func (w *teller) event(e alarm.Event, id string, to alarm.State, change ...func(*alarm.Alarm)) alarm.Transition {
	w.t.Helper()
	kind, object, _ := strings.Cut(id, ":")
	a, ok := w.live[id]
	if !ok {
		a = alarm.Alarm{
			ID: id, Key: rule.Key{Kind: kind, Object: object}, Severity: rule.High, State: alarm.Normal,
			City: "c", InZone: place(object), Since: w.now, Raised: w.now,
		}
	}
	from := a.State
	w.seq++
	if e == alarm.Raise {
		a.Occurrence, a.Raised = w.seq, w.now
	}
	a.State, a.Changed = to, w.now
	for _, c := range change {
		c(&a)
	}
	w.live[id] = a
	if to == alarm.Normal {
		delete(w.live, id)
	}
	return alarm.Transition{Seq: w.seq, Time: w.now, Event: e, From: from, To: to, Alarm: a}
}

func severity(s rule.Severity) func(*alarm.Alarm) { return func(a *alarm.Alarm) { a.Severity = s } }

func stalls(ids ...string) func(*alarm.Alarm) { return func(a *alarm.Alarm) { a.Stalls = ids } }

// plan takes transitions in at the present time.
func (w *teller) plan(ts ...alarm.Transition) {
	p := &planner{directory: w.dir, s: w.s, now: w.now}
	for i := range ts {
		p.take(&ts[i])
		p.stream(&ts[i])
	}
	p.settle()
	w.due = p.due()
}

func (w *teller) raise(id string, change ...func(*alarm.Alarm)) {
	w.t.Helper()
	w.plan(w.event(alarm.Raise, id, alarm.Unacknowledged, change...))
}

func (w *teller) end(id string) { w.t.Helper(); w.plan(w.event(alarm.Return, id, alarm.Normal)) }

// pass lets time go on, with a Plan whenever the last one asked for one.
func (w *teller) pass(d time.Duration) {
	w.plan() // what was sent in between may matter, as to Notifier.begin
	for end := w.now.Add(d); ; w.plan() {
		if w.due.IsZero() || w.due.After(end) {
			w.now = end
			return
		}
		if !w.due.After(w.now) {
			w.t.Fatalf("at %v planning wants to be called at %v", w.now, w.due)
		}
		w.now = w.due
	}
}

// send lets the channels take all that waits.
func (w *teller) send() []string {
	var out []string
	for _, r := range w.rows() {
		delete(w.s.unsent, r.Notice)
		w.s.end(r, sent)
		out = append(out, describe(r))
	}
	return out
}

func (w *teller) rows() []*row {
	var out []*row
	for _, q := range w.s.queues {
		out = append(out, q...)
	}
	slices.SortFunc(out, func(a, b *row) int { return int(a.ID - b.ID) })
	return out
}

// describe is "12:00:10 amal telegram alarm elec.outage:f1 …".
func describe(r *row) string {
	var ids []string
	for _, a := range r.Content.Alarms {
		ids = append(ids, a.ID)
	}
	ids = append(ids, r.Content.Feeders...)
	who := r.Person
	if who == "" {
		who = "-"
	}
	s := fmt.Sprintf("%s %s %s %s %s", r.Created.In(damascus).Format("15:04:05"), who, r.Channel, r.Content.Type, strings.Join(ids, ","))
	if len(r.Content.Stalled) > 0 {
		s += " stalled " + strings.Join(r.Content.Stalled, ",")
	}
	return s
}

var damascus = time.FixedZone("Damascus", 3*3600)

// expect lets the channels take what waits and compares.
func (w *teller) expect(want ...string) {
	w.t.Helper()
	if got := w.send(); !slices.Equal(got, want) {
		w.t.Errorf("notices:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
