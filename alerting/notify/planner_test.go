package notify

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

func TestStories(t *testing.T) {
	t.Parallel()
	for _, story := range []struct {
		name   string
		config func(*Config)
		tell   func(*teller)
	}{
		{"raised and returned", nil, func(w *teller) {
			w.raise("elec.outage:f3")
			w.expect()
			w.pass(10 * time.Second)
			w.expect("12:00:00 basem email alarm elec.outage:f3")
			w.pass(time.Minute)
			w.end("elec.outage:f3")
			w.pass(10 * time.Second)
			w.expect("12:01:20 basem email returned elec.outage:f3")
		}},
		{"a role's first channel; the plant on that feeder too", nil, func(w *teller) {
			w.raise("elec.outage:f1")
			w.pass(time.Minute)
			w.expect("12:00:00 amal telegram alarm elec.outage:f1", "12:00:00 dalal sms alarm elec.outage:f1")
		}},
		{"a critical alarm leaves at once, over all channels", nil, func(w *teller) {
			w.raise("elec.phase_loss:f2", severity(rule.Critical))
			w.expect("12:00:00 amal telegram alarm elec.phase_loss:f2", "12:00:00 amal email alarm elec.phase_loss:f2")
		}},
		{"alarms of one zone and family are one notice", nil, func(w *teller) {
			w.raise("elec.outage:f3")
			w.raise("elec.voltage_low:z2-p1", severity(rule.Medium))
			w.raise("water.stopped:z2")
			w.pass(time.Minute)
			w.expect("12:00:00 basem email alarm elec.outage:f3,elec.voltage_low:z2-p1", "12:00:00 basem email alarm water.stopped:z2")
		}},
		{"the first of a group leaves at once, what follows it gathers", nil, func(w *teller) {
			w.raise("elec.outage:f3")
			w.pass(3 * time.Second)
			w.expect("12:00:00 basem email alarm elec.outage:f3")
			w.raise("elec.voltage_low:z2-p1", severity(rule.Medium))
			w.pass(3 * time.Second)
			w.raise("elec.outage:z2-p2")
			w.pass(time.Minute)
			w.expect("12:00:10 basem email alarm elec.outage:z2-p2,elec.voltage_low:z2-p1")
			w.raise("elec.outage:z2-p3")
			w.pass(time.Minute)
			w.expect("12:01:06 basem email alarm elec.outage:z2-p3")
		}},
		{"what follows does not make a critical alarm wait", nil, func(w *teller) {
			w.raise("elec.outage:f3")
			w.pass(time.Second)
			w.raise("elec.outage:z2-p1")
			w.raise("elec.phase_loss:z2-p2", severity(rule.Critical))
			w.pass(time.Minute)
			w.expect("12:00:00 basem email alarm elec.outage:f3", "12:00:01 basem email alarm elec.phase_loss:z2-p2,elec.outage:z2-p1")
		}},
		{"a cause that comes to light in the next cycle leaves alone", nil, func(w *teller) {
			w.raise("elec.outage:z2-p1")
			w.pass(250 * time.Millisecond)
			w.raise("elec.outage:f3")
			w.plan(w.event(alarm.Suppress, "elec.outage:z2-p1", alarm.Suppressed))
			w.pass(time.Minute)
			w.expect("12:00:00 basem email alarm elec.outage:f3")
		}},
		{"a route's own group_wait, for critical alarms too", func(c *Config) {
			wait := time.Minute
			c.Routes = []Route{{Name: "r", Roles: []rule.Role{rule.ZoneManager}, GroupWait: &wait}}
		}, func(w *teller) {
			w.raise("elec.outage:f3")
			w.pass(time.Second)
			w.raise("elec.phase_loss:z2-p2", severity(rule.Critical))
			w.pass(2 * time.Minute)
			w.expect("12:00:00 basem email alarm elec.outage:f3", "12:01:00 basem email alarm elec.phase_loss:z2-p2")
		}},
		{"no group_wait: each leaves at once", func(c *Config) {
			c.Routes = []Route{{Name: "r", Roles: []rule.Role{rule.ZoneManager}, GroupWait: new(time.Duration)}}
		}, func(w *teller) {
			w.raise("elec.outage:f3")
			w.now = w.now.Add(time.Second)
			w.raise("elec.outage:z2-p1")
			w.expect("12:00:00 basem email alarm elec.outage:f3", "12:00:01 basem email alarm elec.outage:z2-p1")
		}},
		{"a substation concerns the zones and plants it feeds", nil, func(w *teller) {
			w.raise("elec.outage:ss")
			w.pass(time.Minute)
			w.expect("12:00:00 amal telegram alarm elec.outage:ss", "12:00:00 basem email alarm elec.outage:ss", "12:00:00 dalal sms alarm elec.outage:ss")
		}},
		{"returned before its notice left: none", nil, func(w *teller) {
			w.raise("elec.outage:f3")
			w.pass(5 * time.Second)
			w.end("elec.outage:f3")
			w.pass(time.Hour)
			w.expect()
		}},
		{"returned while its notice waits for a dead channel: none", nil, func(w *teller) {
			w.raise("elec.outage:f3")
			w.pass(time.Minute)
			w.end("elec.outage:f3")
			w.pass(time.Hour)
			w.expect()
		}},
		{"returned after an attempt that failed: one returned notice", nil, func(w *teller) {
			w.raise("elec.outage:f3")
			w.pass(time.Minute)
			delete(w.s.unsent, 1)
			w.end("elec.outage:f3")
			w.pass(time.Minute)
			w.expect("12:01:10 basem email returned elec.outage:f3")
		}},
		{"what piles up for a dead channel is one digest", nil, func(w *teller) {
			for i := range 8 {
				id := fmt.Sprintf("elec.outage:z2-%d", i)
				w.raise(id)
				w.pass(5 * time.Minute)
				for _, r := range w.rows() {
					delete(w.s.unsent, r.Notice) // tried, in vain
				}
				if i%2 == 0 {
					w.end(id)
				}
				w.plan()
				w.pass(10 * time.Minute)
			}
			got := w.send()
			if len(got) > 3 {
				w.t.Errorf("%d notices:\n%s", len(got), strings.Join(got, "\n"))
			}
			all := strings.Join(got, " ")
			for i := range 8 {
				if !strings.Contains(all, fmt.Sprintf("elec.outage:z2-%d", i)) {
					w.t.Errorf("alarm %d is lost in\n%s", i, strings.Join(got, "\n"))
				}
			}
			for i := range 8 {
				if i%2 != 0 {
					w.end(fmt.Sprintf("elec.outage:z2-%d", i))
				}
			}
			w.pass(time.Hour)
			w.expect("14:00:10 basem email returned elec.outage:z2-1,elec.outage:z2-3,elec.outage:z2-5,elec.outage:z2-7")
		}},
		{"no reminder behind a notice that has not left", nil, func(w *teller) {
			w.raise("elec.outage:f3")
			w.pass(time.Minute)
			delete(w.s.unsent, 1)
			w.plan(w.event(alarm.Remind, "elec.outage:f3", alarm.Unacknowledged))
			w.plan(w.event(alarm.Step, "elec.outage:f3", alarm.Unacknowledged, severity(rule.Critical)))
			if got := w.rows()[0].Content.Alarms[0].Severity; got != rule.Critical {
				w.t.Errorf("the waiting notice says %v", got)
			}
			w.expect("12:00:00 basem email alarm elec.outage:f3")
		}},
		{"a plant hears of what lies above it, and of its tank", nil, func(w *teller) {
			w.raise("elec.outage:ss")
			w.raise("fuel.cover_low:tank", severity(rule.Medium))
			w.raise("elec.outage:f2")
			w.pass(time.Minute)
			var dalal []string
			for _, line := range w.send() {
				if strings.Contains(line, " dalal ") {
					dalal = append(dalal, line)
				}
			}
			expect(w.t, "dalal", dalal, "12:00:00 dalal sms alarm elec.outage:ss", "12:00:00 dalal sms alarm fuel.cover_low:tank")
		}},
		{"one of a group returns before it left", nil, func(w *teller) {
			w.raise("elec.outage:f3")
			w.raise("elec.outage:z2-p1")
			w.pass(time.Minute)
			w.end("elec.outage:f3")
			w.pass(time.Minute)
			w.expect("12:00:00 basem email alarm elec.outage:z2-p1")
		}},
		{"back before the news of its return left", nil, func(w *teller) {
			w.raise("elec.outage:f3")
			w.pass(time.Minute)
			w.send()
			w.end("elec.outage:f3")
			w.now = w.now.Add(5 * time.Second)
			w.raise("elec.outage:f3")
			w.pass(time.Minute)
			w.expect("12:01:05 basem email alarm elec.outage:f3")
		}},
		{"shelved, suppressed and out of service make no notice", nil, func(w *teller) {
			w.plan(w.event(alarm.Raise, "elec.outage:f3", alarm.Suppressed))
			w.plan(w.event(alarm.Raise, "water.stopped:z2", alarm.OutOfService))
			w.raise("zone.inadequate:z2")
			w.plan(w.event(alarm.Shelve, "zone.inadequate:z2", alarm.Shelved))
			w.pass(time.Hour)
			w.expect()
			w.end("zone.inadequate:z2")
			w.pass(time.Hour)
			w.expect()
		}},
		{"back from the shelf it is told again", nil, func(w *teller) {
			w.raise("water.stopped:z2")
			w.pass(time.Minute)
			w.send()
			w.plan(w.event(alarm.Shelve, "water.stopped:z2", alarm.Shelved))
			w.pass(8 * time.Hour)
			w.expect()
			w.plan(w.event(alarm.Unshelve, "water.stopped:z2", alarm.Unacknowledged))
			w.pass(time.Minute)
			w.expect("20:01:00 basem email alarm water.stopped:z2")
		}},
		{"uncovered by its cause: whoever knew it is not told again", nil, func(w *teller) {
			w.raise("water.stopped:z2")
			w.pass(time.Minute)
			w.send()
			w.plan(w.event(alarm.Suppress, "water.stopped:z2", alarm.Suppressed))
			w.plan(w.event(alarm.Unsuppress, "water.stopped:z2", alarm.Unacknowledged))
			w.pass(time.Minute)
			w.expect()
			w.end("water.stopped:z2")
			w.pass(time.Minute)
			w.expect("12:02:10 basem email returned water.stopped:z2")
		}},
		{"a step up is told, a step down is not", nil, func(w *teller) {
			w.raise("elec.voltage_low:f3", severity(rule.Medium))
			w.pass(time.Minute)
			w.send()
			w.plan(w.event(alarm.Step, "elec.voltage_low:f3", alarm.Unacknowledged, severity(rule.High)))
			w.pass(time.Minute)
			w.expect("12:01:00 basem email step elec.voltage_low:f3")
			w.plan(w.event(alarm.Step, "elec.voltage_low:f3", alarm.Unacknowledged, severity(rule.Medium)))
			w.pass(time.Minute)
			w.expect()
		}},
		{"a step while the notice waits is in that notice", nil, func(w *teller) {
			w.raise("elec.voltage_low:f3", severity(rule.Medium))
			w.pass(time.Minute)
			w.plan(w.event(alarm.Step, "elec.voltage_low:f3", alarm.Unacknowledged, severity(rule.High)))
			w.pass(time.Minute)
			if got := w.rows()[0].Content.Alarms[0].Severity; got != rule.High {
				w.t.Errorf("the waiting notice says %v", got)
			}
			w.expect("12:00:00 basem email alarm elec.voltage_low:f3")
		}},
		{"a step to critical does not wait for its group", nil, func(w *teller) {
			w.raise("elec.voltage_low:f3", severity(rule.Medium))
			w.now = w.now.Add(2 * time.Second)
			w.plan(w.event(alarm.Step, "elec.voltage_low:f3", alarm.Unacknowledged, severity(rule.Critical)))
			w.expect("12:00:02 basem email alarm elec.voltage_low:f3")
		}},
		{"a reminder of the alarm book, until somebody acknowledges", nil, func(w *teller) {
			w.raise("elec.outage:f3")
			w.pass(time.Minute)
			w.send()
			w.pass(29 * time.Minute)
			w.plan(w.event(alarm.Remind, "elec.outage:f3", alarm.Unacknowledged))
			w.expect("12:30:00 basem email reminder elec.outage:f3")
			w.plan(w.event(alarm.Acknowledge, "elec.outage:f3", alarm.Acknowledged))
			w.pass(3 * time.Hour)
			w.expect()
		}},
		{"a route's own reminders", func(c *Config) {
			c.Routes = []Route{{Name: "r", Roles: []rule.Role{rule.ZoneManager}, Repeat: time.Hour}}
		}, func(w *teller) {
			w.raise("elec.outage:f3")
			w.pass(time.Minute)
			w.send()
			w.pass(time.Hour)
			w.expect("13:00:00 basem email reminder elec.outage:f3")
			w.plan(w.event(alarm.Acknowledge, "elec.outage:f3", alarm.Acknowledged))
			w.pass(3 * time.Hour)
			w.expect()
		}},
		{"escalation, in a ladder", escalate, func(w *teller) {
			w.raise("elec.outage:f3")
			w.pass(time.Minute)
			w.send()
			w.pass(15 * time.Minute)
			w.expect("12:15:00 amal telegram escalation elec.outage:f3", "12:15:00 amal email escalation elec.outage:f3")
			w.pass(15 * time.Minute)
			w.expect("12:30:00 muna email escalation elec.outage:f3")
			w.end("elec.outage:f3")
			w.pass(time.Minute)
			w.expect("12:31:10 amal telegram returned elec.outage:f3", "12:31:10 amal email returned elec.outage:f3",
				"12:31:10 basem email returned elec.outage:f3", "12:31:10 muna email returned elec.outage:f3")
		}},
		{"an acknowledgement stops escalation", escalate, func(w *teller) {
			w.raise("elec.outage:f3")
			w.pass(14 * time.Minute)
			w.send()
			w.plan(w.event(alarm.Acknowledge, "elec.outage:f3", alarm.Acknowledged))
			w.pass(3 * time.Hour)
			w.expect()
		}},
		{"quiet hours hold back what is not severe, as one morning digest", quiet, func(w *teller) {
			w.pass(11 * time.Hour) // 23:00
			w.raise("elec.voltage_low:f3", severity(rule.Medium))
			w.raise("water.tank_low:z2", severity(rule.Medium))
			w.raise("water.pressure_low:z2-p1", severity(rule.Medium))
			w.pass(time.Hour)
			w.end("water.pressure_low:z2-p1")
			w.expect()
			w.raise("elec.outage:f3")
			w.pass(time.Hour)
			w.expect("00:00:00 basem email alarm elec.outage:f3")
			w.pass(12 * time.Hour)
			w.expect("06:00:00 basem email digest elec.voltage_low:f3,water.tank_low:z2")
		}},
		{"planned cuts, once each, one notice a zone and window", nil, func(w *teller) {
			cut := func(feeder string, from time.Duration) Upcoming {
				return Upcoming{Feeder: feeder, From: noon.Add(from), To: noon.Add(from + 4*time.Hour), Zone: place(feeder), City: "c"}
			}
			list := []Upcoming{cut("f2", time.Hour), cut("f1", time.Hour), cut("f3", time.Hour)}
			for range 3 {
				p := &planner{directory: w.dir, s: w.s, now: w.now}
				p.announce(list)
				p.settle()
				w.now = w.now.Add(time.Second)
			}
			w.expect("12:00:00 amal telegram upcoming f1,f2 stalled z1-p1,z1-p2,z1-p3,z1-p4",
				"12:00:00 basem email upcoming f3 stalled z2-p1,z2-p2,z2-p3,z2-p4", "12:00:00 dalal sms upcoming f1 stalled z1-p1")
		}},
		{"an alarm of a city that nobody answers for reaches who sees all", nil, func(w *teller) {
			w.raise("elec.shortfall:other", func(a *alarm.Alarm) { a.City, a.InZone = "d", "zz" })
			w.pass(time.Minute)
			w.expect("12:00:00 muna email alarm elec.shortfall:other")
		}},
	} {
		t.Run(story.name, func(t *testing.T) {
			t.Parallel()
			c := config()
			if story.config != nil {
				story.config(&c)
			}
			if err := c.Validate(); err != nil {
				t.Fatal(err)
			}
			story.tell(newTeller(t, c))
		})
	}
}

func escalate(c *Config) {
	c.Escalations = []Escalation{
		{Name: "deputy", After: 15 * time.Minute, Severities: []rule.Severity{rule.High}, To: []string{"amal"}},
		{Name: "ministry", After: 30 * time.Minute, Rota: &Rota{People: []string{"basem", "muna"}, From: noon.AddDate(0, 0, -8), Every: Span(7 * 24 * time.Hour)}},
	}
}

func quiet(c *Config) { c.People[1].Quiet = Quiet{From: zone.Clock(22 * 60), To: zone.Clock(6 * 60)} }

// TestBlackStart raises everything in a city at once, with criticals, steps,
// reminders and returns in between: no manager gets more than 10 notices in
// any hour, and the digest names every plant that stands still.
func TestBlackStart(t *testing.T) {
	t.Parallel()
	c := config()
	escalate(&c)
	w := newTeller(t, c)
	for i := range 12 {
		w.plan(w.event(alarm.Raise, fmt.Sprintf("elec.outage:z1-x%d", i), alarm.Unacknowledged))
		w.plan(w.event(alarm.Raise, fmt.Sprintf("water.stopped:z1-y%d", i), alarm.Unacknowledged))
	}
	for i := range 4 {
		w.plan(w.event(alarm.Raise, fmt.Sprintf("plant.stalled:z1-p%d", i+1), alarm.Suppressed))
	}
	w.raise("water.stopped:z1", stalls("z1-p2", "z2-p1"))
	var got []string
	for minute := range 180 {
		w.pass(time.Minute)
		switch {
		case minute < 60 && minute%2 == 0:
			w.raise(fmt.Sprintf("elec.phase_loss:z1-c%d", minute), severity(rule.Critical))
			w.raise(fmt.Sprintf("fuel.cover_low:z1-t%d", minute), severity(rule.Medium))
		case minute < 60:
			w.plan(w.event(alarm.Remind, "water.stopped:z1", alarm.Unacknowledged))
		case minute == 60:
			for i := range 12 {
				w.end(fmt.Sprintf("elec.outage:z1-x%d", i))
			}
		}
		got = append(got, w.send()...)
	}
	notices := map[string]int{} // by time: one notice may go over two channels
	digests := 0
	for _, line := range got {
		if strings.Contains(line, " amal ") {
			notices[line[:8]]++
		}
		if strings.Contains(line, " amal telegram digest ") {
			digests++
			if !strings.HasSuffix(line, " stalled z1-p1,z1-p2,z1-p3,z1-p4") {
				t.Errorf("the digest does not name the plants: %s", line)
			}
		}
	}
	t.Logf("%d notices in 3 hours:\n%s", len(notices), strings.Join(got, "\n"))
	var times []time.Time
	for at := range notices {
		when, err := time.Parse("15:04:05", at)
		if err != nil {
			t.Fatal(err)
		}
		times = append(times, when)
	}
	for _, from := range times {
		n := 0
		for _, at := range times {
			if !at.Before(from) && at.Sub(from) < time.Hour {
				n++
			}
		}
		if n > 10 {
			t.Errorf("%d notices in the hour from %s", n, from.Format("15:04:05"))
		}
	}
	if digests < 4 {
		t.Errorf("%d digests", digests)
	}
}

// TestDeterministic plays one story twice.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	play := func() string {
		w := newTeller(t, config())
		var out []string
		for i := range 200 {
			id := fmt.Sprintf("elec.outage:z%d-n%d", i%2+1, i*7%50)
			if _, ok := w.live[id]; ok {
				w.end(id)
			} else {
				w.raise(id, severity(rule.Severity(i%4+1)))
			}
			w.pass(time.Duration(i%9) * 13 * time.Second)
			out = append(out, w.send()...)
		}
		return strings.Join(out, "\n")
	}
	if a, b := play(), play(); a != b || a == "" {
		t.Errorf("different notices for the same story:\n%s\n--\n%s", a, b)
	}
}
