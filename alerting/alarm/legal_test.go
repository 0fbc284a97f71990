package alarm

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// legal lists what each event may lead from and to, in letters.
var legal = map[Event][]string{
	Raise:       {"NU", "RU"},
	Step:        {"UU", "AU", "AA"},
	Acknowledge: {"UA", "RN", "HH", "SS", "OO"},
	Return:      {"UR", "AN", "SN", "UN", "RN", "HN", "ON"}, // the last four: no longer watched
	Reset:       {"UN", "AN", "HH", "SN", "OO"},
	Shelve:      {"NH", "UH", "AH", "RH", "SH", "HH"},
	Unshelve:    {"HN", "HU", "HA", "HR", "HS"},
	Suppress:    {"NS", "US", "AS", "RS"},
	Unsuppress:  {"SN", "SU", "SA", "SR"},
	TakeOut:     {"NO", "UO", "AO", "RO", "HO", "SO"},
	PutBack:     {"ON", "OU", "OA", "OR", "OS"},
	Remind:      {"UU"},
}

// check follows a journal and reports the first thing that cannot be.
type check struct {
	seq   int64
	state map[rule.Key]State
	since map[rule.Key]int64 // occurrence
}

func newCheck() *check { return &check{0, map[rule.Key]State{}, map[rule.Key]int64{}} }

func (c *check) take(ts []Transition) error {
	for _, t := range ts {
		if c.seq++; t.Seq != c.seq {
			return fmt.Errorf("number %d after %d", t.Seq, c.seq-1)
		}
		was, known := c.state[t.Alarm.Key]
		if !known {
			was = Normal
		}
		switch {
		case t.From != was:
			return fmt.Errorf("%d: %s from %s, was %s", t.Seq, t.Event, t.From, was)
		case !slices.Contains(legal[t.Event], short[t.From]+short[t.To]):
			return fmt.Errorf("%d: %s from %s to %s", t.Seq, t.Event, t.From, t.To)
		case t.Alarm.State != t.To:
			return fmt.Errorf("%d: to %s, but the alarm is %s", t.Seq, t.To, t.Alarm.State)
		case t.Event == Raise && t.Alarm.Occurrence != t.Seq:
			return fmt.Errorf("%d: raised as occurrence %d", t.Seq, t.Alarm.Occurrence)
		case t.Event != Raise && c.since[t.Alarm.Key] != 0 && t.Alarm.Occurrence != 0 && t.Alarm.Occurrence != c.since[t.Alarm.Key]:
			return fmt.Errorf("%d: of occurrence %d, is %d", t.Seq, t.Alarm.Occurrence, c.since[t.Alarm.Key])
		}
		c.state[t.Alarm.Key] = t.To
		if t.Event == Raise {
			c.since[t.Alarm.Key] = t.Seq
		}
	}
	return nil
}

// drawFindings makes up what rules might say of four objects, which may explain
// one another.
func drawFindings(t *rapid.T, now int64) []rule.Finding {
	objects := []string{"station", "feeder", "plant", "meter"}
	var all []rule.Finding
	for _, o := range objects {
		state := rule.State(rapid.IntRange(0, 3).Draw(t, o))
		if state == rule.Clear {
			continue
		}
		f := rule.Finding{
			Key: rule.Key{Kind: "k", Object: o}, State: state,
			Severity: rule.Severity(rapid.IntRange(1, 4).Draw(t, "severity")),
			OnDelay:  time.Duration(rapid.IntRange(0, 3).Draw(t, "on")) * time.Minute,
			OffDelay: time.Duration(rapid.IntRange(0, 3).Draw(t, "off")) * time.Minute,
			Latched:  o == "plant" && rapid.Bool().Draw(t, "latched"),
		}
		if rapid.Bool().Draw(t, "with since") {
			f.Since = now - int64(rapid.IntRange(-60, 600).Draw(t, "since"))*1000
		}
		if c := rapid.IntRange(0, 8).Draw(t, "cause"); c < len(objects) {
			f.Cause = rule.Key{Kind: "k", Object: objects[c]}
		}
		all = append(all, f)
	}
	return all
}

func drawAction(t *rapid.T) Action {
	return Action{
		Event: rapid.SampledFrom([]Event{Acknowledge, Shelve, Unshelve, TakeOut, PutBack, Reset}).Draw(t, "action"),
		By:    "ali", Reason: "r", For: time.Duration(rapid.IntRange(1, 20).Draw(t, "for")) * time.Minute,
	}
}

// told checks that what is shown after a step has been told, under no cover: the
// commit relies on it.
func told(ch changes) error {
	last := make(map[rule.Key]Alarm)
	for _, t := range ch.transitions {
		last[t.Alarm.Key] = t.Alarm
	}
	for _, t := range ch.dirty {
		a, ok := last[t.next.Alarm.Key]
		if ok && t.next.Alarm.Under == "" && !reflect.DeepEqual(a, t.next.Alarm) {
			return fmt.Errorf("told %+v\nis %+v", a, t.next.Alarm)
		}
	}
	return nil
}

// TestLegal plays anything at all: the journal is always gapless and legal, an
// alarm that stands is not raised again, repeating a step changes nothing, and
// what nobody has covered and nothing explains is told.
func TestLegal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m, c, now := newMachine(DefaultConfig()), newCheck(), start.UnixMilli()
		take := func(ch changes) {
			if err := told(ch); err != nil {
				t.Fatal(err)
			}
			if err := c.take(ch.transitions); err != nil {
				t.Fatal(err)
			}
			m.apply(ch)
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now += int64(rapid.IntRange(0, 300).Draw(t, "seconds")) * 1000
			findings := drawFindings(t, now)
			take(m.step(now, findings))
			if again := m.step(now, findings); len(again.transitions) > 0 {
				t.Fatalf("the same step again: %+v", again.transitions[0])
			}
			for _, r := range m.records {
				s := &r.Status
				if s.stands() && !r.hidden() && !s.Suppressed && !r.active() {
					t.Fatalf("%s stands untold: %+v", r.Alarm.ID, s)
				}
				if r.Alarm.State != r.visible() || (c.state[r.Alarm.Key] != r.Alarm.State && r.Alarm.State != Normal) {
					t.Fatalf("%s is shown as %s, journal %s", r.Alarm.ID, r.Alarm.State, c.state[r.Alarm.Key])
				}
			}
			if len(m.records) > 0 && rapid.IntRange(0, 2).Draw(t, "act") == 0 {
				key := rule.Key{Kind: "k", Object: rapid.SampledFrom([]string{"station", "feeder", "plant", "meter"}).Draw(t, "at")}
				if r := m.records[key]; r != nil {
					if ch, err := m.operate(now, r, drawAction(t)); err == nil {
						take(ch)
					}
				}
			}
		}
		take(m.retire(now, func(rule.Key) bool { return false }))
		if len(m.records) != 0 {
			t.Fatal("retired, and still there")
		}
		for key, s := range c.state {
			if s != Normal {
				t.Fatalf("%v ended %s", key, s)
			}
		}
	})
}
