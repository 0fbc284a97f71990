package main

import (
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
)

// The people of the storm. Every alarm is a notice of its own, at once, and
// nobody gets so many that they become a digest: what leaves depends on the
// alarms alone, not on how they fall together in time.
const stormPeople = `people:
  - {id: amal, name: {en: Amal, ar: أمل}, role: zone_manager, zones: [z1], contacts: {sms: "+1"}}
  - {id: basem, name: {en: Basem, ar: باسم}, role: utility, language: en, cities: [town], contacts: {sms: "+2"}}
  - {id: muna, name: {en: Muna, ar: منى}, role: ministry, language: en, contacts: {sms: "+3"}}
routes:
  - {name: all, roles: [zone_manager, utility], group_by: [kind, object], group_wait: 0s}
escalations:
  - {name: ministry, severities: [critical], after: 2m, to: [muna]}
pace: {every: 1s, burst: 100, critical: 100, flood: 1000, calm: 1000}
`

// got is how many notices each address gets: both who answer for the town, the
// ministry, and the stream.
type got struct{ each, ministry, hook int }

// wave is one turn of the storm: what the meters see, and what must come of it.
// Alarms of a wave begin together, or one ends, so that their order is fixed: an
// off-delay counts from when somebody looked.
type wave struct {
	name     string
	set      supply
	feeders  []string
	act      func(*town)
	standing []string // beside what stands anyway
	gone     []string
	notices  got
}

const (
	stands  = " unacknowledged"
	isAcked = " acknowledged"
	shelved = " shelved"
)

func outageOf(feeder string) string { return "elec.outage:" + feeder }

// storm is what happens, with cuts, lost phases, people's answers, and ends.
func storm() []wave {
	ack := func(id, by string) func(*town) {
		return func(w *town) { w.act("acknowledge", id, fmt.Sprintf(`{"by":%q}`, by)) }
	}
	shelve := func(id, reason string) func(*town) {
		return func(w *town) { w.act("shelve", id, fmt.Sprintf(`{"by":"basem","reason":%q,"for":"8h"}`, reason)) }
	}
	f := func(ids ...string) []string { return ids }
	o, lost := outageOf, "elec.phase_loss:f04"
	return []wave{
		{name: "three feeders trip", set: off, feeders: f("f01", "f02", "f03"),
			standing: f(o("f01")+stands, o("f02")+stands, o("f03")+stands), notices: got{3, 0, 3}},
		{name: "one is acknowledged", act: ack(o("f01"), "amal"), gone: f(o("f01") + stands), standing: f(o("f01") + isAcked), notices: got{0, 0, 1}},
		{name: "one is shelved", act: shelve(o("f02"), "works"), gone: f(o("f02") + stands), standing: f(o("f02") + shelved), notices: got{0, 0, 1}},
		{name: "a phase is lost, and nobody answers", set: oneLost, feeders: f("f04"), standing: f(lost + stands), notices: got{1, 1, 1}},
		{name: "the acknowledged one ends", set: on, feeders: f("f01"), gone: f(o("f01") + isAcked), notices: got{1, 0, 1}},
		{name: "three more trip", set: off, feeders: f("f05", "f06", "f07"),
			standing: f(o("f05")+stands, o("f06")+stands, o("f07")+stands), notices: got{3, 0, 3}},
		{name: "one of them is shelved", act: shelve(o("f06"), "tests"), gone: f(o("f06") + stands), standing: f(o("f06") + shelved), notices: got{0, 0, 1}},
		{name: "the phase is back", set: on, feeders: f("f04"), gone: f(lost + stands), standing: f(lost + " returned"), notices: got{1, 1, 1}},
		{name: "the first trips again", set: off, feeders: f("f01"), standing: f(o("f01") + stands), notices: got{1, 0, 1}},
		{name: "a shelved one is wanted again", act: func(w *town) { w.act("unshelve", o("f02"), `{"by":"basem"}`) },
			gone: f(o("f02") + shelved), standing: f(o("f02") + stands), notices: got{1, 0, 1}},
		{name: "it is acknowledged", act: ack(o("f02"), "basem"), gone: f(o("f02") + stands), standing: f(o("f02") + isAcked), notices: got{0, 0, 1}},
		{name: "it ends", set: on, feeders: f("f02"), gone: f(o("f02") + isAcked), notices: got{1, 0, 1}},
		{name: "another one ends", set: on, feeders: f("f05"), gone: f(o("f05") + stands), standing: f(o("f05") + " returned"), notices: got{1, 0, 1}},
	}
}

// TestE2EAlarmStormKilled plays the storm twice: undisturbed, and with the
// service killed twenty times at random moments, some of them while a notice
// was on its way. What people got is compared one by one.
func TestE2EAlarmStormKilled(t *testing.T) {
	t.Parallel()
	runs := map[string]*weather{"calm": {}, "struck": {strikes: 20}}
	t.Run("storm", func(t *testing.T) {
		for _, name := range slices.Sorted(maps.Keys(runs)) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				runs[name].play(t)
			})
		}
	})
	calm, struck := runs["calm"], runs["struck"]
	if t.Failed() {
		return
	}
	for _, to := range slices.Sorted(maps.Keys(calm.letters)) {
		compareLines(t, to, struck.letters[to], calm.letters[to])
	}
	compareLines(t, "the journal", struck.lines, calm.lines)
	compareLines(t, "the alarms at the end", struck.standing, calm.standing)
	if struck.again == 0 {
		t.Error("no notice was on its way at a kill")
	}
	t.Logf("%d notices came twice, and said so", struck.again)
}

func compareLines(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got\n\t%s\ninstead of\n\t%s", what, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// weather is one run of the storm, and what came of it.
type weather struct {
	strikes int // kills that it is to have
	*town
	post   *post
	random *rand.Rand
	struck int
	most   int   // kills by the end of this wave
	next   int64 // the number of readings at which it is killed next
	trap   <-chan struct{}

	letters  map[string][]string // by address
	again    int
	lines    []string // of the journal
	standing []string
}

func (s *weather) play(t *testing.T) {
	s.random = rand.New(rand.NewPCG(20, 26))
	s.post = openPost(t)
	s.town = newTown(t, stormPeople, func(w *town) { s.post.serve(&w.config.Channels) })
	s.open()
	waves := storm()
	state := make(map[string]bool)
	total := got{}
	for i, v := range waves {
		for _, id := range v.gone {
			delete(state, id)
		}
		for _, id := range v.standing {
			state[id] = true
		}
		total.each, total.ministry, total.hook = total.each+v.notices.each, total.ministry+v.notices.ministry, total.hook+v.notices.hook
		s.most = s.strikes * (i + 1) / len(waves)
		s.aim()
		s.wave(&v, slices.Sorted(maps.Keys(state)), total)
		if s.strikes > 0 && i == len(waves)/3 { // what is saved at this end is older and older at the kills to come
			s.stop(happensWithin)
			s.spawn()
		}
	}
	s.settle()
}

// wave waits until everything has come of it that must, and the service was
// killed as often as it is to be by then.
func (s *weather) wave(v *wave, standing []string, total got) {
	if v.act != nil {
		v.act(s.town)
		s.next = 0 // what was answered is on disk, however soon it dies
	}
	s.set(v.set, v.feeders...)
	s.wait(v.name, func() (string, error) {
		s.strike()
		n := s.post.received()
		if want := (map[string]int{"+1": total.each, "+2": total.each, "+3": total.ministry, "hook": total.hook}); !covers(n, want) {
			return fmt.Sprintf("the notices are %v instead of %v", n, want), nil
		}
		if difference, err := s.town.standing(standing...); difference != "" || err != nil {
			return difference, err
		}
		if s.struck < s.most {
			return fmt.Sprintf("%d of %d kills", s.struck, s.most), nil
		}
		return "", nil
	})
}

func covers(got, want map[string]int) bool {
	for to, n := range want {
		if got[to] < n {
			return false
		}
	}
	return true
}

// aim says when the next kill is: after some readings, or, every other time,
// when a notice has just arrived whose sender does not know yet.
func (s *weather) aim() {
	s.next = s.readings() + 10 + s.random.Int64N(150)
	s.post.openTrap()
	s.trap = nil
	if s.struck < s.most && s.random.IntN(2) == 0 {
		s.trap = s.post.setTrap()
	}
}

// strike kills the service if it is time to.
func (s *weather) strike() {
	if s.struck >= s.most {
		return
	}
	caught := false
	select {
	case <-s.trap:
		caught = true
	default:
	}
	if !caught && s.readings() < s.next {
		return
	}
	s.kill()
	s.struck++
	s.spawn()
	s.aim()
}

// settle ends the run: nothing may be left to do, and nothing be in the books
// that did not happen.
func (s *weather) settle() {
	var list []alarm.Alarm
	s.must("list the alarms", s.ask("/api/v1/alarms", &list))
	for _, a := range list {
		s.standing = append(s.standing, fmt.Sprintf("%s %s under %q, acknowledged by %q, shelved by %q for %q, occurrence %d, severity %d",
			a.ID, a.State, a.Under, a.AcknowledgedBy, a.ShelvedBy, a.ShelvedReason, a.Occurrence, a.Severity))
		if a.State == alarm.Shelved && a.ShelvedUntil.Sub(a.Changed) > 8*time.Hour {
			s.t.Errorf("%s is shelved until %v, since %v", a.ID, a.ShelvedUntil, a.Changed)
		}
	}
	for _, l := range s.journal() {
		s.lines = append(s.lines, fmt.Sprintf("%d %s %s: %s to %s by %q for %q", l.Seq, l.Event, l.Alarm.ID, l.From, l.To, l.By, l.Reason))
		if early := l.Alarm.Raised.Sub(l.Alarm.Since); l.Event == alarm.Raise && l.Alarm.Kind == "elec.outage" && early < time.Minute {
			s.t.Errorf("%s was raised %v after it began", l.Alarm.ID, early)
		}
	}
	s.letters, s.again = s.post.sorted()
	s.stop(happensWithin)
	s.nothingWaits()
}

// nothingWaits looks into the outbox of a service that has ended.
func (w *town) nothingWaits() {
	w.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.config.DataDir, "outbox.db")+"?mode=ro")
	w.must("open the outbox", err)
	defer db.Close()
	var left int
	err = db.QueryRowContext(w.t.Context(), "SELECT count(*) FROM outbox WHERE state NOT IN ('sent', 'cancelled')").Scan(&left)
	w.must("read the outbox", err)
	if left != 0 {
		w.t.Errorf("%d notices have not left", left)
	}
}
