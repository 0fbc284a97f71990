package zone

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// rationed is town with rationing rules: feeder-2 of zone-b branches from
// feeder-1 of zone-a, feeder-3 of zone-a stands alone.
func rationed(t testing.TB, rules ...Rationing) *Programme {
	t.Helper()
	f := town()
	f.Feeders = append(f.Feeders, Feeder{ID: "feeder-3", Name: named(), Zone: "zone-a", From: "station"})
	for i := range rules {
		rules[i].ID = fmt.Sprintf("rule-%d", i)
	}
	f.Rationing = rules
	r, err := New([]*File{f})
	if err != nil {
		t.Fatal(err)
	}
	return r.Programme()
}

func damascus(t testing.TB) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(DefaultTimezone)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

const wallLayout = "2006-01-02 15:04"

// blocksBetween walks a cursor through a stretch of local time and writes the
// blocks down, one a line.
func blocksBetween(t testing.TB, p *Programme, feeder, from, to string, stage int) string {
	t.Helper()
	loc := damascus(t)
	at, end := local(t, from), local(t, to)
	c := p.Cursor(feeder)
	var out []string
	for at.Before(end) {
		plan := c.Plan(at, stage)
		if plan.Start.IsZero() {
			break
		}
		if !plan.Start.Before(end) {
			break
		}
		out = append(out, plan.Start.In(loc).Format(wallLayout)+" → "+plan.End.In(loc).Format(wallLayout))
		at = plan.End
	}
	return strings.Join(out, "\n")
}

func local(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation(wallLayout, text, damascus(t))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func lines(s ...string) string { return strings.Join(s, "\n") }

// TestPatterns holds the programme to every pattern of rationing that has
// occurred in the four cities.
func TestPatterns(t *testing.T) {
	t.Parallel()
	f1, f2, f3 := []string{"feeder-1"}, []string{"feeder-2"}, []string{"feeder-3"}
	hours := func(n int) time.Duration { return time.Duration(n) * time.Hour }
	tests := []struct {
		name     string
		rules    []Rationing
		feeder   string
		from, to string
		stage    int
		want     string
	}{
		{"on 08 to 20", []Rationing{{Feeders: f1, RRule: "FREQ=DAILY;BYHOUR=20;BYMINUTE=0", Off: hours(12)}},
			"feeder-1", "2026-11-23 12:00", "2026-11-25 12:00", 0,
			lines("2026-11-23 20:00 → 2026-11-24 08:00", "2026-11-24 20:00 → 2026-11-25 08:00")},
		{"off 17 to 07", []Rationing{{Feeders: f1, RRule: "FREQ=DAILY;BYHOUR=17;BYMINUTE=0", Off: hours(14)}},
			"feeder-1", "2026-11-23 03:00", "2026-11-24 12:00", 0,
			lines("2026-11-22 17:00 → 2026-11-23 07:00", "2026-11-23 17:00 → 2026-11-24 07:00")},
		{"all day less two evening hours", []Rationing{{Zone: "zone-a", RRule: "FREQ=DAILY;BYHOUR=21;BYMINUTE=0", Off: hours(22)}},
			"feeder-3", "2026-11-23 12:00", "2026-11-25 00:00", 0,
			lines("2026-11-22 21:00 → 2026-11-23 19:00", "2026-11-23 21:00 → 2026-11-24 19:00", "2026-11-24 21:00 → 2026-11-25 19:00")},
		{"all day but for two evening hours", []Rationing{{Zone: "zone-a", RRule: "FREQ=DAILY;BYHOUR=18;BYMINUTE=30", Off: hours(2)}},
			"feeder-3", "2026-11-23 12:00", "2026-11-25 00:00", 0,
			lines("2026-11-23 18:30 → 2026-11-23 20:30", "2026-11-24 18:30 → 2026-11-24 20:30")},
		{"weekend from Thursday 18:00 to Sunday 06:00", []Rationing{{Feeders: f1, RRule: "FREQ=WEEKLY;BYDAY=TH;BYHOUR=18;BYMINUTE=0", Off: hours(60)}},
			"feeder-1", "2026-11-23 00:00", "2026-12-05 12:00", 0,
			lines("2026-11-26 18:00 → 2026-11-29 06:00", "2026-12-03 18:00 → 2026-12-06 06:00")},
		{"cycle of 4 off and 2 on", []Rationing{{Feeders: f1, Cycle: Cycle{hours(4), hours(2), local(t, "2026-11-23 00:00")}}},
			"feeder-1", "2026-11-23 01:00", "2026-11-23 18:00", 0,
			lines("2026-11-23 00:00 → 2026-11-23 04:00", "2026-11-23 06:00 → 2026-11-23 10:00", "2026-11-23 12:00 → 2026-11-23 16:00")},
		{"cycle of 5 off and 1 on, before its anchor", []Rationing{{Feeders: f1, Cycle: Cycle{hours(5), hours(1), local(t, "2026-12-01 00:00")}}},
			"feeder-1", "2026-11-23 05:30", "2026-11-23 12:00", 0,
			"2026-11-23 06:00 → 2026-11-23 11:00"},
		{"staggered, first group", staggered(), "feeder-1", "2026-11-23 00:00", "2026-11-24 00:00", 0,
			lines("2026-11-23 08:00 → 2026-11-23 10:00", "2026-11-23 16:00 → 2026-11-23 18:00")},
		{"staggered, second group", staggered(), "feeder-3", "2026-11-23 00:00", "2026-11-24 00:00", 0,
			lines("2026-11-23 10:00 → 2026-11-23 12:00", "2026-11-23 18:00 → 2026-11-23 20:00")},
		{"a stage not reached", stages(), "feeder-1", "2026-11-23 00:00", "2026-11-24 00:00", 1,
			"2026-11-23 12:00 → 2026-11-23 14:00"},
		{"a stage reached", stages(), "feeder-1", "2026-11-23 00:00", "2026-11-24 00:00", 2,
			lines("2026-11-23 06:00 → 2026-11-23 08:00", "2026-11-23 12:00 → 2026-11-23 14:00")},
		{"exempt", []Rationing{{Zone: "zone-a", RRule: "FREQ=DAILY;BYHOUR=17", Off: hours(4)}, {Feeders: f3, Exempt: true}},
			"feeder-3", "2026-11-23 00:00", "2026-11-25 00:00", 0, ""},
		{"its neighbour is not", []Rationing{{Zone: "zone-a", RRule: "FREQ=DAILY;BYHOUR=17", Off: hours(4)}, {Feeders: f3, Exempt: true}},
			"feeder-1", "2026-11-23 00:00", "2026-11-24 00:00", 0, "2026-11-23 17:00 → 2026-11-23 21:00"},
		{"exempt for two hours of a block", []Rationing{
			{Feeders: f1, RRule: "FREQ=DAILY;BYHOUR=17", Off: hours(4)},
			{Feeders: f1, Exempt: true, ValidFrom: local(t, "2026-11-23 18:00"), ValidTo: local(t, "2026-11-23 20:00")}},
			"feeder-1", "2026-11-23 00:00", "2026-11-24 00:00", 0,
			lines("2026-11-23 17:00 → 2026-11-23 18:00", "2026-11-23 20:00 → 2026-11-23 21:00")},
		{"a branch goes with its feeder", []Rationing{{Feeders: f1, RRule: "FREQ=DAILY;BYHOUR=17", Off: hours(4)}},
			"feeder-2", "2026-11-23 00:00", "2026-11-24 00:00", 0, "2026-11-23 17:00 → 2026-11-23 21:00"},
		{"a feeder stays when its branch goes", []Rationing{{Feeders: f2, RRule: "FREQ=DAILY;BYHOUR=17", Off: hours(4)}},
			"feeder-1", "2026-11-23 00:00", "2026-11-24 00:00", 0, ""},
		{"a branch off before its feeder: one block", []Rationing{
			{Feeders: f2, RRule: "FREQ=DAILY;BYHOUR=15", Off: hours(2)}, {Feeders: f1, RRule: "FREQ=DAILY;BYHOUR=17", Off: hours(4)}},
			"feeder-2", "2026-11-23 00:00", "2026-11-24 00:00", 0, "2026-11-23 15:00 → 2026-11-23 21:00"},
		{"blocks that overlap are one", []Rationing{{Feeders: f1, RRule: "FREQ=DAILY;BYHOUR=8,9,10", Off: hours(2)}},
			"feeder-1", "2026-11-23 00:00", "2026-11-24 00:00", 0, "2026-11-23 08:00 → 2026-11-23 12:00"},
		{"in force from the middle of a block to the middle of another", []Rationing{{Feeders: f1, RRule: "FREQ=DAILY;BYHOUR=17;BYMINUTE=0", Off: hours(14),
			ValidFrom: local(t, "2026-11-23 20:00"), ValidTo: local(t, "2026-11-24 20:00")}},
			"feeder-1", "2026-11-23 00:00", "2026-12-02 00:00", 0,
			lines("2026-11-23 20:00 → 2026-11-24 07:00", "2026-11-24 17:00 → 2026-11-24 20:00")},
		{"the minutes of valid_from are not those of a rule that names hours", []Rationing{{Feeders: f1, RRule: "FREQ=DAILY;BYHOUR=17", Off: hours(1), ValidFrom: local(t, "2026-11-22 20:13")}},
			"feeder-1", "2026-11-23 00:00", "2026-11-24 00:00", 0, "2026-11-23 17:00 → 2026-11-23 18:00"},
		{"without an hour it is that of valid_from", []Rationing{{Feeders: f1, RRule: "FREQ=DAILY", Off: hours(1), ValidFrom: local(t, "2026-11-22 20:13")}},
			"feeder-1", "2026-11-23 00:00", "2026-11-24 00:00", 0, "2026-11-23 20:13 → 2026-11-23 21:13"},
		{"every second day counts from valid_from", []Rationing{{Feeders: f1, RRule: "FREQ=DAILY;INTERVAL=2;BYHOUR=17", Off: hours(2), ValidFrom: local(t, "2026-11-22 00:00")}},
			"feeder-1", "2026-11-22 00:00", "2026-11-26 00:00", 0,
			lines("2026-11-22 17:00 → 2026-11-22 19:00", "2026-11-24 17:00 → 2026-11-24 19:00")},
		{"a DTSTART of its own, counted", []Rationing{{Feeders: f1, RRule: "DTSTART=20261123T170000;FREQ=DAILY;COUNT=2", Off: hours(2)}},
			"feeder-1", "2026-11-20 00:00", "2026-12-03 00:00", 0,
			lines("2026-11-23 17:00 → 2026-11-23 19:00", "2026-11-24 17:00 → 2026-11-24 19:00")},
		{"a DTSTART in UTC is that hour here", []Rationing{{Feeders: f1, RRule: "DTSTART=20261123T140000Z;FREQ=WEEKLY;UNTIL=20261201T140000Z", Off: hours(2)}},
			"feeder-1", "2026-11-20 00:00", "2026-12-03 00:00", 0,
			lines("2026-11-23 17:00 → 2026-11-23 19:00", "2026-11-30 17:00 → 2026-11-30 19:00")},
		{"the last day of each month", []Rationing{{Feeders: f1, RRule: "FREQ=MONTHLY;BYMONTHDAY=-1;BYHOUR=20", Off: hours(8)}},
			"feeder-1", "2027-02-21 00:00", "2027-03-01 12:00", 0, "2027-02-28 20:00 → 2027-03-01 04:00"},
		{"off over the turn of month and year", []Rationing{{Feeders: f1, RRule: "FREQ=DAILY;BYHOUR=17;BYMINUTE=0", Off: hours(14)}},
			"feeder-1", "2026-12-31 12:00", "2027-01-01 12:00", 0, "2026-12-31 17:00 → 2027-01-01 07:00"},
		{"the first Friday of each month", []Rationing{{Feeders: f1, RRule: "FREQ=MONTHLY;BYDAY=1FR;BYHOUR=6", Off: hours(6)}},
			"feeder-1", "2026-12-01 00:00", "2026-12-08 00:00", 0, "2026-12-04 06:00 → 2026-12-04 12:00"},
		{"every fifth hour", []Rationing{{Feeders: f1, RRule: "FREQ=HOURLY;INTERVAL=5", Off: hours(1), ValidFrom: local(t, "2026-11-22 02:00")}},
			"feeder-1", "2026-11-23 00:00", "2026-11-23 12:00", 0,
			lines("2026-11-23 03:00 → 2026-11-23 04:00", "2026-11-23 08:00 → 2026-11-23 09:00")},
		// In 2022 Syria put its clocks forward on Friday 25 March, 00:00 → 01:00.
		{"off 17 to 07 by the clock in the shorter night", []Rationing{{Feeders: f1, RRule: "FREQ=DAILY;BYHOUR=17;BYMINUTE=0", Off: hours(14)}},
			"feeder-1", "2022-03-24 12:00", "2022-03-26 00:00", 0,
			lines("2022-03-24 17:00 → 2022-03-25 07:00", "2022-03-25 17:00 → 2022-03-26 07:00")},
		{"a block that begins in the hour that never was", []Rationing{{Feeders: f1, RRule: "FREQ=DAILY;BYHOUR=0;BYMINUTE=30", Off: hours(4)}},
			"feeder-1", "2022-03-24 12:00", "2022-03-26 00:00", 0, "2022-03-25 01:00 → 2022-03-25 04:30"},
		{"a cycle goes by elapsed hours", []Rationing{{Feeders: f1, Cycle: Cycle{hours(4), hours(2), local(t, "2022-03-24 00:00")}}},
			"feeder-1", "2022-03-24 17:00", "2022-03-25 08:00", 0,
			lines("2022-03-24 18:00 → 2022-03-24 22:00", "2022-03-25 01:00 → 2022-03-25 05:00", "2022-03-25 07:00 → 2022-03-25 11:00")},
		// Syria stayed on summer time when it would have ended, on 28 October 2022.
		{"summer time for good", []Rationing{{Feeders: f1, RRule: "FREQ=DAILY;BYHOUR=17;BYMINUTE=0", Off: hours(14)}},
			"feeder-1", "2022-10-27 12:00", "2022-10-29 00:00", 0,
			lines("2022-10-27 17:00 → 2022-10-28 07:00", "2022-10-28 17:00 → 2022-10-29 07:00")},
		// Before, it put them back on the last Friday of October, 00:00 → 23:00.
		{"off 17 to 07 by the clock in the longer night", []Rationing{{Feeders: f1, RRule: "FREQ=DAILY;BYHOUR=17;BYMINUTE=0", Off: hours(14)}},
			"feeder-1", "2021-10-28 12:00", "2021-10-29 12:00", 0, "2021-10-28 17:00 → 2021-10-29 07:00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := rationed(t, slices.Clone(tt.rules)...)
			if got := blocksBetween(t, p, tt.feeder, tt.from, tt.to, tt.stage); got != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tt.want)
			}
		})
	}
}

// staggered cuts two groups of feeders twice two hours a day, one after the
// other.
func staggered() []Rationing {
	return []Rationing{
		{Feeders: []string{"feeder-1"}, RRule: "FREQ=DAILY;BYHOUR=8,16;BYMINUTE=0", Off: 2 * time.Hour},
		{Feeders: []string{"feeder-3"}, RRule: "FREQ=DAILY;BYHOUR=10,18;BYMINUTE=0", Off: 2 * time.Hour},
	}
}

func stages() []Rationing {
	return []Rationing{
		{Zone: "zone-a", RRule: "FREQ=DAILY;BYHOUR=12", Off: 2 * time.Hour},
		{Zone: "zone-a", RRule: "FREQ=DAILY;BYHOUR=6", Off: 2 * time.Hour, Stage: 2},
	}
}

func TestSummerTimeNightsLength(t *testing.T) {
	t.Parallel()
	p := rationed(t, Rationing{Feeders: []string{"feeder-1"}, RRule: "FREQ=DAILY;BYHOUR=17;BYMINUTE=0", Off: 14 * time.Hour})
	for from, want := range map[string]time.Duration{
		"2022-03-24 18:00": 13 * time.Hour,
		"2021-10-28 18:00": 15 * time.Hour,
		"2026-03-26 18:00": 14 * time.Hour,
	} {
		plan := p.Plan("feeder-1", local(t, from), 0)
		if got := plan.End.Sub(plan.Start); !plan.Off || got != want {
			t.Errorf("%s: off %v for %v, want %v", from, plan.Off, got, want)
		}
	}
}

func TestPlanOfNobody(t *testing.T) {
	t.Parallel()
	now := local(t, "2026-11-23 12:00")
	if got := rationed(t).Plan("feeder-1", now, 9); got != (Plan{}) {
		t.Errorf("without rules: %+v", got)
	}
	p := rationed(t, stages()...)
	if got := p.Plan("feeder-9", now, 9); got != (Plan{}) {
		t.Errorf("a feeder that is not registered: %+v", got)
	}
	if got := rationed(t, Rationing{Zone: "zone-a", Exempt: true}).Plan("feeder-1", now, 0); got != (Plan{Exempt: true}) {
		t.Errorf("exempt, and no other rule: %+v", got)
	}
}

// TestPlanEdges asks at the very moments at which blocks begin and end.
func TestPlanEdges(t *testing.T) {
	t.Parallel()
	p := rationed(t, Rationing{Feeders: []string{"feeder-1"}, RRule: "FREQ=DAILY;BYHOUR=17;BYMINUTE=0", Off: 2 * time.Hour})
	for at, want := range map[string]bool{"16:59": false, "17:00": true, "18:59": true, "19:00": false} {
		if got := p.Plan("feeder-1", local(t, "2026-11-23 "+at), 0).Off; got != want {
			t.Errorf("at %s off is %v", at, got)
		}
	}
}

func TestPlanFarAhead(t *testing.T) {
	t.Parallel()
	p := rationed(t,
		Rationing{Feeders: []string{"feeder-1"}, RRule: "FREQ=YEARLY;BYMONTH=6;BYMONTHDAY=1", Off: time.Hour},
		Rationing{Feeders: []string{"feeder-3"}, RRule: "FREQ=DAILY", Off: 24 * time.Hour})
	if got := p.Plan("feeder-1", local(t, "2026-11-23 12:00"), 0); got != (Plan{}) {
		t.Errorf("a block half a year ahead: %+v", got)
	}
	now := local(t, "2026-11-23 12:00")
	got := p.Plan("feeder-3", now, 0)
	if !got.Off || got.End.Sub(now) < Ahead || now.Sub(got.Start) < Ahead {
		t.Errorf("a block without end: %+v", got)
	}
}

// TestCursorAgrees lets one cursor jump about in time and stage and holds it
// to fresh ones.
func TestCursorAgrees(t *testing.T) {
	t.Parallel()
	p := rationed(t, append(stages(),
		Rationing{Feeders: []string{"feeder-2"}, Cycle: Cycle{5 * time.Hour, time.Hour, local(t, "2026-11-01 00:00")}},
		Rationing{Feeders: []string{"feeder-2"}, Exempt: true, Stage: 1, ValidFrom: local(t, "2026-11-10 00:00"), ValidTo: local(t, "2026-11-12 11:11")})...)
	c := p.Cursor("feeder-2")
	at := local(t, "2026-11-01 00:00")
	for i := range 5000 {
		step := time.Duration(i*7919%9973) * time.Minute
		at = at.Add(step)
		if i%3 == 0 {
			at = at.Add(-2 * step)
		}
		stage := i / 50 % 3
		if got, want := c.Plan(at, stage), p.Plan("feeder-2", at, stage); got != want {
			t.Fatalf("at %v, stage %d: %+v, want %+v", at, stage, got, want)
		}
	}
}

func BenchmarkCursor(b *testing.B) {
	p := rationed(b, append(stages(), staggered()...)...)
	c := p.Cursor("feeder-2")
	at := local(b, "2026-11-23 00:00")
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(time.Second)
		c.Plan(at, 2)
	}
}
