package score

import (
	"math"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// at builds a line of a journal: minutes after noon, what happened, what was
// then the state, the alarm's kind and its object.
func at(minutes float64, event, to, kind, object string) Transition {
	t := Transition{Time: noon.Add(time.Duration(minutes * float64(time.Minute))), Event: event, To: to}
	t.Alarm.Kind, t.Alarm.Object = kind, object
	return t
}

func raise(minutes float64, kind, object string) Transition {
	return at(minutes, "raise", "unacknowledged", kind, object)
}

// trip is a feeder's trip from noon until half past: its outage in three
// minutes, none of its plants', stalls after it, low voltage once.
func trip() []Event {
	return []Event{{
		Cause: "feeder_trip", Object: "f1", Start: noon, End: noon.Add(30 * time.Minute),
		Expect: []Claim{{ID: "elec.outage", Object: "f1", WithinS: 180}},
		Forbid: []Claim{
			{ID: "elec.outage", Object: "p1|p2", UntilS: 2100},
			{ID: "plant.stalled", Object: "p1|p2", UntilS: 1800},
			{ID: "meter.*", Object: "*", UntilS: 1800},
		},
		Allow: []Claim{{ID: "plant.stalled", Object: "p1|p2"}, {ID: "elec.voltage_low", Object: "*", Max: 1}},
	}}
}

func TestScore(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name              string
		journal           []Transition
		met, late, alarms int
		forbidden, false_ string // kinds, joined
	}{
		{name: "nothing raised"},
		{name: "in time", journal: []Transition{raise(2, "elec.outage", "f1")}, met: 1, alarms: 1},
		{name: "at the last moment", journal: []Transition{raise(3, "elec.outage", "f1")}, met: 1, alarms: 1},
		{name: "too late is a miss but not false", journal: []Transition{raise(4, "elec.outage", "f1")}, late: 1, alarms: 1},
		{name: "before its cause", journal: []Transition{raise(-1, "elec.outage", "f1")}, alarms: 1, false_: "elec.outage"},
		{name: "another feeder", journal: []Transition{raise(2, "elec.outage", "f2")}, alarms: 1, false_: "elec.outage"},
		{name: "a child", journal: []Transition{raise(2, "elec.outage", "p1")}, alarms: 1, forbidden: "elec.outage"},
		{name: "a child, suppressed", journal: []Transition{at(2, "raise", "suppressed", "elec.outage", "p1")}},
		{name: "a child that comes out", journal: []Transition{at(9, "unsuppress", "unacknowledged", "elec.outage", "p1")}, alarms: 1, forbidden: "elec.outage"},
		{name: "a child that comes out acknowledged", journal: []Transition{at(9, "unsuppress", "acknowledged", "elec.outage", "p1")}},
		{name: "a stall while the feeder is dead", journal: []Transition{raise(20, "plant.stalled", "p2")}, alarms: 1, forbidden: "plant.stalled"},
		{name: "a stall after it", journal: []Transition{raise(40, "plant.stalled", "p2")}, alarms: 1},
		{name: "a stall long after it", journal: []Transition{raise(100, "plant.stalled", "p2")}, alarms: 1, false_: "plant.stalled"},
		{name: "any of a family", journal: []Transition{raise(5, "meter.offline", "m7")}, alarms: 1, forbidden: "meter.offline"},
		{name: "returns and reminders do not count", journal: []Transition{
			raise(1, "elec.outage", "f1"), at(31, "return", "returned", "elec.outage", "f1"), at(20, "remind", "unacknowledged", "elec.outage", "f1"),
		}, met: 1, alarms: 1},
		{name: "the flood of alarms is no alarm of the city", journal: []Transition{raise(1, "alarm.flood", "z1")}},
		{name: "once is allowed, twice is chatter", journal: []Transition{
			raise(1, "elec.voltage_low", "p1"), raise(5, "elec.voltage_low", "p2"), raise(9, "elec.voltage_low", "p1"),
		}, alarms: 3, false_: "elec.voltage_low"},
		{name: "an expected alarm that comes again is chatter", journal: []Transition{
			raise(1, "elec.outage", "f1"), raise(6, "elec.outage", "f1"),
		}, met: 1, alarms: 2, false_: "elec.outage"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := Score(trip(), tt.journal, nil)
			if r.Expected != 1 || r.Met != tt.met || r.Late != tt.late || r.Alarms != tt.alarms || len(r.Missed) != 1-tt.met {
				t.Errorf("expected %d, met %d, late %d, alarms %d, missed %v", r.Expected, r.Met, r.Late, r.Alarms, r.Missed)
			}
			if got := kinds(r.Forbidden); got != tt.forbidden {
				t.Errorf("forbidden %q, want %q", got, tt.forbidden)
			}
			if got := kinds(r.False); got != tt.false_ {
				t.Errorf("false %q, want %q", got, tt.false_)
			}
			if want := r.True + len(r.False) + len(r.Forbidden); r.Alarms != want {
				t.Errorf("%d alarms, but %d were judged", r.Alarms, want)
			}
		})
	}
}

func kinds(list []Alarm) string {
	var all []string
	for _, a := range list {
		all = append(all, a.ID)
	}
	return strings.Join(all, " ")
}

// TestExpectedIsNeverForbidden: one event expects what another forbids, as when
// a gateway fails in the same minute as a feeder.
func TestExpectedIsNeverForbidden(t *testing.T) {
	t.Parallel()
	events := append(trip(), Event{Cause: "gateway_offline", Start: noon, End: noon.Add(time.Hour), Forbid: []Claim{{ID: "elec.outage", Object: "*"}}})
	r := Score(events, []Transition{raise(1, "elec.outage", "f1"), raise(2, "elec.outage", "f9")}, nil)
	if r.Met != 1 || len(r.Forbidden) != 1 || r.Forbidden[0].Object != "f9" || r.Forbidden[0].Cause != "gateway_offline " {
		t.Errorf("%+v", r)
	}
	if r.Precision != 0.5 || r.Recall != 1 || r.Passed() {
		t.Errorf("precision %v, recall %v, passed %v", r.Precision, r.Recall, r.Passed())
	}
}

// TestAllowedYieldsToNamesAlone: what a trip allows, a stream of duplicates that
// forbids everything does not take back; who names the object does.
func TestAllowedYieldsToNamesAlone(t *testing.T) {
	t.Parallel()
	events := append(trip(), Event{Cause: "duplicates", Start: noon, End: noon.Add(time.Hour), Forbid: []Claim{{ID: "elec.*|plant.*", Object: "*"}}})
	r := Score(events, []Transition{raise(1, "elec.outage", "f1"), raise(40, "plant.stalled", "p1"), raise(41, "plant.stalled", "p7")}, nil)
	if r.True != 2 || len(r.Forbidden) != 1 || r.Forbidden[0].Object != "p7" {
		t.Errorf("%+v", r)
	}
	events[1].Forbid[0].Object = "p1"
	if r := Score(events, []Transition{raise(40, "plant.stalled", "p1")}, nil); len(r.Forbidden) != 1 {
		t.Errorf("%+v", r)
	}
}

func TestDelays(t *testing.T) {
	t.Parallel()
	var events []Event
	var journal []Transition
	for n := range 100 {
		start := noon.Add(time.Duration(n) * time.Hour)
		object := "f" + strings.Repeat("x", n)
		events = append(events, Event{Object: object, Start: start, End: start, Expect: []Claim{{ID: "elec.outage", Object: object, WithinS: 600}}})
		journal = append(journal, raise(60*float64(n)+float64(n+1)/60, "elec.outage", object))
	}
	r := Score(events, journal, nil)
	for _, tt := range []struct {
		name      string
		got, want float64
	}{{"p50", r.DelayP50S, 50}, {"p99", r.DelayP99S, 99}, {"max", r.DelayMaxS, 100}, {"recall", r.Recall, 1}, {"precision", r.Precision, 1}} {
		if math.Abs(tt.got-tt.want) > 0.01 {
			t.Errorf("%s is %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}

// TestDelayCountsFrom: what could not be known before is not late because of it.
func TestDelayCountsFrom(t *testing.T) {
	t.Parallel()
	events := []Event{{
		Cause: "rationing", Object: "f1", Start: noon, End: noon.Add(150 * time.Minute),
		Expect: []Claim{{ID: "elec.ration_overrun", Object: "f1", FromS: 7200, WithinS: 8100}},
	}}
	for minutes, want := range map[float64]float64{130: 600, 119: 0} {
		if r := Score(events, []Transition{raise(minutes, "elec.ration_overrun", "f1")}, nil); r.Met != 1 || r.DelayMaxS != want {
			t.Errorf("after %v minutes: met %d, delay %v, want %v", minutes, r.Met, r.DelayMaxS, want)
		}
	}
}

func TestNothingHappens(t *testing.T) {
	t.Parallel()
	r := Score(nil, nil, nil)
	if r.Precision != 1 || r.Recall != 1 || !r.Passed() {
		t.Errorf("%+v", r)
	}
}

func TestManagers(t *testing.T) {
	t.Parallel()
	notice := func(minutes int, person, channel, kind string, alarms ...string) Notice {
		return Notice{noon.Add(time.Duration(minutes) * time.Minute), person, channel, kind, alarms}
	}
	r := Score(trip(), nil, []Notice{
		notice(-5, "rana", "sms", "raised", "a"),
		notice(1, "rana", "sms", "raised", "b"), notice(1, "rana", "email", "raised", "b"), // one notice on two channels
		notice(20, "rana", "sms", "digest", "c", "d"), notice(70, "rana", "sms", "cleared", "b"),
		notice(3, "omar", "telegram", "raised", "b"),
	})
	if len(r.Managers) != 2 || r.Managers[0].Person != "omar" {
		t.Fatalf("%+v", r.Managers)
	}
	if m := r.Managers[1]; m.Notices != 4 || m.FirstHour != 2 || m.BusiestHour != 3 || m.Types["digest"] != 1 || m.Types["raised"] != 2 {
		t.Errorf("%+v", m)
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	line := `{"seq":3,"time":"2026-11-23T09:02:00Z","event":"raise","to":"unacknowledged","alarm":{"id":"elec.outage:f1","kind":"elec.outage","object":"f1","severity":"high"}}`
	journal, err := Read[Transition](strings.NewReader(line + "\n\n" + line + "\n"))
	if err != nil || len(journal) != 2 || journal[1].Alarm.Kind != "elec.outage" || !journal[0].Time.Equal(noon.Add(2*time.Minute)) {
		t.Errorf("%+v: %v", journal, err)
	}
	pages, err := Read[Transition](strings.NewReader("[" + line + "," + line + "]\n[]\n [" + line + "]\n"))
	if err != nil || len(pages) != 3 || pages[2] != journal[0] {
		t.Errorf("pages: %+v: %v", pages, err)
	}
	if _, err := Read[Transition](strings.NewReader(line + "\n{")); err == nil || !strings.HasPrefix(err.Error(), "line 2: ") {
		t.Errorf("error %v", err)
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	r := Score(trip(), []Transition{raise(2, "elec.outage", "p1"), raise(5, "elec.frequency", "city")}, []Notice{{noon, "rana", "sms", "raised", nil}})
	var b strings.Builder
	if err := r.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"recall      0.0000  (0 of 1 expected alarms in time, 0 late)", "precision   0.0000", "within 3m0s  never",
		"by feeder_trip f1", "elec.frequency", "rana", "raised 1",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}
