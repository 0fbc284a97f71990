package alarm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/alerting/rule"
)

const outageID = "elec.outage:f1"

func TestBook(t *testing.T) {
	t.Parallel()
	b := openNew(t)
	if ts := step(t, b, start); len(ts) != 0 {
		t.Fatalf("nothing gave %v", ts)
	}
	ts := step(t, b, start, outage("f1"), outage("f2"))
	if len(ts) != 2 || ts[0].Alarm.ID != outageID || ts[0].Seq != 1 || ts[1].Alarm.Occurrence != 2 {
		t.Fatalf("%+v", ts)
	}
	if got := journal(t, b); !equal(got, ts) {
		t.Errorf("journal %+v\nstep    %+v", got, ts)
	}
	if one, err := b.Transitions(t.Context(), 1, 1); err != nil || len(one) != 1 || one[0].Seq != 2 {
		t.Errorf("after 1: %v, %v", one, err)
	}
	if list := b.List(); len(list) != 2 || list[0].ID != outageID || list[0].State != Unacknowledged {
		t.Errorf("list %+v", list)
	}
	now := start.Add(time.Minute)
	if err := b.Acknowledge(t.Context(), now, outageID, 1, "ali", "cli"); err != nil {
		t.Fatal(err)
	}
	step(t, b, now)
	a, err := b.Get(t.Context(), outageID)
	if err != nil || a.State != Normal || a.AcknowledgedBy != "ali" || a.Occurrence != 1 {
		t.Errorf("normal again: %+v, %v", a, err)
	}
	if _, err := b.Get(t.Context(), "elec.outage:f3"); !errors.Is(err, ErrUnknown) {
		t.Errorf("unknown: %v", err)
	}
}

// equal compares transitions as they are written.
func equal(a, b []Transition) bool {
	return slices.EqualFunc(a, b, func(x, y Transition) bool { return fmt.Sprintf("%+v", x) == fmt.Sprintf("%+v", y) })
}

func TestAct(t *testing.T) {
	t.Parallel()
	b, ctx := openNew(t), t.Context()
	step(t, b, start, outage("f1"))
	step(t, b, start)
	step(t, b, start, outage("f1")) // occurrence 3
	for _, tt := range []struct {
		name string
		act  Action
		want error
	}{
		{"an old occurrence", Action{Event: Acknowledge, ID: outageID, Occurrence: 1, By: "ali"}, ErrOld},
		{"the present one", Action{Event: Acknowledge, ID: outageID, Occurrence: 3, By: "ali"}, nil},
		{"again", Action{Event: Acknowledge, ID: outageID, Occurrence: 3, By: "ali"}, nil},
		{"whatever is present", Action{Event: Acknowledge, ID: outageID, By: "ali"}, nil},
		{"an unknown one", Action{Event: Acknowledge, ID: "x:y", By: "ali"}, ErrUnknown},
		{"nobody", Action{Event: Acknowledge, ID: outageID}, ErrAction},
		{"no such thing to do", Action{Event: Raise, ID: outageID, By: "ali"}, ErrAction},
		{"no reason", Action{Event: Shelve, ID: outageID, By: "ali", For: time.Hour}, ErrAction},
		{"no time", Action{Event: Shelve, ID: outageID, By: "ali", Reason: "r"}, ErrAction},
		{"too long", Action{Event: Shelve, ID: outageID, By: "ali", Reason: "r", For: 9 * time.Hour}, ErrAction},
		{"out of service without a reason", Action{Event: TakeOut, ID: outageID, By: "ali"}, ErrAction},
		{"not shelved", Action{Event: Unshelve, ID: outageID, By: "ali"}, ErrState},
		{"shelved", Action{Event: Shelve, ID: outageID, By: "ali", Reason: "r", For: 8 * time.Hour}, nil},
	} {
		if _, err := b.Act(ctx, start, tt.act); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if n := len(journal(t, b)); n != 5 {
		t.Errorf("%d lines", n)
	}
	a, err := b.Get(ctx, outageID)
	if err != nil || a.ShelvedBy != "ali" || a.ShelvedReason != "r" || a.Under != Acknowledged || !a.ShelvedUntil.Equal(start.Add(8*time.Hour)) {
		t.Errorf("%+v, %v", a, err)
	}
}

// TestActOnNormal: what is normal again can still be shelved or taken out of
// service, and acknowledged twice.
func TestActOnNormal(t *testing.T) {
	t.Parallel()
	b, ctx := openNew(t), t.Context()
	step(t, b, start, outage("f1"))
	if err := b.Acknowledge(ctx, start, outageID, 0, "ali", "email"); err != nil {
		t.Fatal(err)
	}
	step(t, b, start)
	if err := b.Acknowledge(ctx, start, outageID, 1, "ali", "email"); err != nil {
		t.Errorf("again: %v", err)
	}
	if err := b.Acknowledge(ctx, start, outageID, 7, "ali", "email"); !errors.Is(err, ErrOld) {
		t.Errorf("another occurrence: %v", err)
	}
	if err := b.TakeOutOfService(ctx, start, outageID, "ali", "cli", "works on the line"); err != nil {
		t.Fatal(err)
	}
	if ts := step(t, b, start, outage("f1")); len(ts) != 0 {
		t.Errorf("told: %+v", ts)
	}
	if err := b.PutBack(ctx, start, outageID, "ali", "cli", ""); err != nil {
		t.Fatal(err)
	}
	if ts := step(t, b, start, outage("f1")); len(ts) != 1 || ts[0].Event != Raise {
		t.Errorf("%+v", ts)
	}
}

// openMute opens a book that does not remind.
func openMute(t *testing.T) *Book {
	o := options(t.TempDir(), &logBook{})
	o.Config.Remind = Reminders{}
	return open(t, o)
}

// reopen closes the book and opens it again, as another process would.
func reopen(t *testing.T, b *Book) *Book {
	t.Helper()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, b.opts)
}

func TestRestart(t *testing.T) {
	t.Parallel()
	slow := outage("f2")
	slow.OnDelay, slow.OffDelay = 10*time.Minute, 10*time.Minute
	minute := func(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }

	b := openMute(t)
	step(t, b, minute(0), outage("f1"), slow)
	if err := b.Shelve(t.Context(), minute(0), outageID, time.Hour, "ali", "cli", "known"); err != nil {
		t.Fatal(err)
	}
	b = reopen(t, b)
	if list := b.List(); len(list) != 1 || list[0].State != Shelved || list[0].ShelvedReason != "known" || list[0].Stalls[1] != "plant-2" {
		t.Fatalf("%+v", list)
	}
	if ts := step(t, b, minute(9), outage("f1"), slow); len(ts) != 0 {
		t.Errorf("early: %+v", ts)
	}
	if ts := step(t, b, minute(10), outage("f1"), slow); len(ts) != 1 || ts[0].Alarm.Object != "f2" || ts[0].Seq != 3 || !ts[0].Alarm.Since.Equal(minute(0)) {
		t.Errorf("the on-delay did not go on: %+v", ts)
	}
	for n := 11; n <= 15; n++ { // f2 is clear for 4 min
		step(t, b, minute(n), outage("f1"))
	}
	b = reopen(t, b)
	for n := 40; n <= 45; n++ {
		if ts := step(t, b, minute(n), outage("f1")); len(ts) != 0 {
			t.Errorf("minute %d: downtime counted as clear: %+v", n, ts)
		}
	}
	if ts := step(t, b, minute(46), outage("f1")); len(ts) != 1 || ts[0].Event != Return {
		t.Errorf("the off-delay did not go on: %+v", ts)
	}
	if ts := step(t, b, minute(60), outage("f1")); len(ts) != 1 || ts[0].Event != Unshelve || ts[0].To != Unacknowledged {
		t.Errorf("the shelving did not end: %+v", ts)
	}
	if n := b.Flood("zone-1", minute(60)); n != 0 {
		t.Errorf("flood %d", n)
	}
}

// TestRestartTwice: a second end soon after the first counts no downtime either.
func TestRestartTwice(t *testing.T) {
	t.Parallel()
	slow := outage("f1")
	slow.OffDelay = 10 * time.Minute
	b := openMute(t)
	step(t, b, start, slow)
	step(t, b, start.Add(time.Minute))
	b = reopen(t, b)
	step(t, b, start.Add(time.Hour))
	b = reopen(t, b)
	if ts := step(t, b, start.Add(2*time.Hour)); len(ts) != 0 {
		t.Errorf("%+v", ts)
	}
	if ts := step(t, b, start.Add(2*time.Hour+10*time.Minute)); len(ts) != 1 {
		t.Errorf("%+v", ts)
	}
}

// TestRestartForgetsWhen: whoever measures a condition may have lost, in the
// crash, when it began. The on-delay goes on all the same, but not for another
// one that begins later.
func TestRestartForgetsWhen(t *testing.T) {
	t.Parallel()
	slow := func(since time.Duration) rule.Finding {
		f := outage("f1")
		f.OnDelay, f.Since = 10*time.Minute, start.Add(since).UnixMilli()
		return f
	}
	b := openMute(t)
	step(t, b, start.Add(time.Second), slow(0))
	b = reopen(t, b)
	unknown := slow(0)
	unknown.State, unknown.Since = rule.Unknown, 0
	step(t, b, start.Add(4*time.Minute), unknown)
	step(t, b, start.Add(5*time.Minute), slow(5*time.Minute)) // a minute of which does not count
	if ts := step(t, b, start.Add(10*time.Minute), slow(5*time.Minute)); len(ts) != 0 {
		t.Errorf("%+v", ts)
	}
	if ts := step(t, b, start.Add(11*time.Minute), slow(5*time.Minute)); len(ts) != 1 || !ts[0].Alarm.Since.Equal(start) {
		t.Errorf("the on-delay did not go on: %+v", ts)
	}
	step(t, b, start.Add(12*time.Minute))
	step(t, b, start.Add(13*time.Minute), slow(13*time.Minute))
	b = reopen(t, b)
	step(t, b, start.Add(14*time.Minute), slow(14*time.Minute))
	step(t, b, start.Add(20*time.Minute), slow(19*time.Minute)) // between two looks it was over
	if ts := step(t, b, start.Add(25*time.Minute), slow(19*time.Minute)); len(ts) != 0 {
		t.Errorf("%+v", ts)
	}
	if ts := step(t, b, start.Add(29*time.Minute), slow(19*time.Minute)); len(ts) != 1 {
		t.Errorf("%+v", ts)
	}
}

// TestNoWork: what changes nothing writes nothing.
func TestNoWork(t *testing.T) {
	t.Parallel()
	b := openNew(t)
	size := func() int64 {
		info, err := os.Stat(b.opts.Path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	step(t, b, start, outage("f1"))
	before := size()
	for n := range 100 {
		f := outage("f1")
		f.Numbers = map[string]float64{"mw": float64(n)}
		step(t, b, start.Add(time.Duration(n)*time.Second), f)
	}
	if now := size(); now != before {
		t.Errorf("the log grew from %d to %d", before, now)
	}
	if mw := b.List()[0].Numbers["mw"]; mw != 99 {
		t.Errorf("mw %v", mw)
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	o := options(t.TempDir(), &logBook{})
	o.Config.Keep = 24 * time.Hour
	b := open(t, o)
	for n := range 10 { // 20 lines
		now := start.Add(time.Duration(n) * time.Hour)
		step(t, b, now, outage("f1"))
		step(t, b, now)
	}
	first := func() int64 {
		t.Helper()
		ts := journal(t, b)
		if len(ts) == 0 {
			return 0
		}
		return ts[0].Seq
	}
	b.Hold("notify", 4)
	step(t, b, start.Add(29*time.Hour+time.Minute))
	if first() != 5 {
		t.Errorf("begins with %d; 1 to 4 were read, 1 to 12 are old", first())
	}
	b.Hold("notify", 20)
	step(t, b, start.Add(29*time.Hour+2*time.Minute))
	if first() != 13 {
		t.Errorf("begins with %d", first())
	}
	step(t, b, start.Add(100*time.Hour))
	if first() != 0 {
		t.Errorf("begins with %d", first())
	}
	b = reopen(t, b)
	if ts := step(t, b, start.Add(101*time.Hour), outage("f1")); ts[0].Seq != 21 {
		t.Errorf("goes on with %d", ts[0].Seq)
	}
}

// TestHoldAhead: a reader that has outlived the file misses nothing.
func TestHoldAhead(t *testing.T) {
	t.Parallel()
	l := &logBook{}
	b := open(t, options(t.TempDir(), l))
	b.Hold("notify", 1000)
	if ts := step(t, b, start, outage("f1")); ts[0].Seq != 1001 {
		t.Errorf("number %d", ts[0].Seq)
	}
	if !strings.Contains(l.String(), "its numbers go on") {
		t.Error(l)
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	b := openNew(t)
	wake, stop := b.Watch()
	step(t, b, start)
	select {
	case <-wake:
		t.Error("woken for nothing")
	default:
	}
	step(t, b, start, outage("f1"))
	step(t, b, start, outage("f1"), outage("f2"))
	<-wake
	stop()
	step(t, b, start)
	select {
	case <-wake:
		t.Error("woken after stop")
	default:
	}
}

// TestBeside reads in every way while steps are taken and people act.
func TestBeside(t *testing.T) {
	t.Parallel()
	o := options(t.TempDir(), &logBook{})
	registry := prometheus.NewPedanticRegistry()
	o.Metrics = registry
	b := open(t, o)
	wake, stop := b.Watch()
	defer stop()
	done := make(chan int64)
	go func() { // a reader as notify is
		var read int64
		for read < 200 {
			<-wake
			for {
				ts, err := b.Transitions(context.Background(), read, 7)
				if err != nil {
					t.Error(err)
				}
				if len(ts) == 0 {
					break
				}
				for _, tr := range ts {
					if read++; tr.Seq != read {
						t.Errorf("number %d after %d", tr.Seq, read-1)
					}
				}
				b.Hold("notify", read)
			}
		}
		done <- read
	}()
	go func() { // people
		for range 50 {
			_ = b.Acknowledge(context.Background(), start, outageID, 0, "ali", "api")
			b.List()
			b.KPI(start)
			if _, err := registry.Gather(); err != nil {
				t.Error(err)
			}
		}
		done <- 0
	}()
	for n := range 100 {
		now := start.Add(time.Duration(n) * time.Second)
		step(t, b, now, outage("f1"), outage("f2"))
		step(t, b, now)
	}
	if n := <-done + <-done; n < 200 {
		t.Errorf("%d lines read", n)
	}
}

func TestReader(t *testing.T) {
	t.Parallel()
	o := options(t.TempDir(), &logBook{})
	if _, err := OpenReadOnly(t.Context(), o.Path, zerolog.Nop()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
	b := open(t, o)
	step(t, b, start, outage("f1"), outage("f2"))
	step(t, b, start, outage("f1"))
	look := func(when string) {
		r, err := OpenReadOnly(t.Context(), o.Path, zerolog.Nop())
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		defer r.Close()
		list, err := r.List(t.Context())
		if err != nil || len(list) != 2 || list[1].State != Returned {
			t.Errorf("%s: %+v, %v", when, list, err)
		}
		ts, err := r.Transitions(t.Context(), 0, 100)
		if err != nil || len(ts) != 3 {
			t.Errorf("%s: %d lines, %v", when, len(ts), err)
		}
		if a, err := r.Get(t.Context(), outageID); err != nil || a.ID != outageID {
			t.Errorf("%s: %+v, %v", when, a, err)
		}
		if _, err := r.Get(t.Context(), "x"); !errors.Is(err, ErrUnknown) {
			t.Errorf("%s: %v", when, err)
		}
	}
	look("beside the service")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	look("after it")
}

func TestLock(t *testing.T) {
	t.Parallel()
	b := openNew(t)
	if _, err := Open(t.Context(), b.opts); !errors.Is(err, ErrLocked) {
		t.Errorf("%v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Step(t.Context(), start, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
	if _, err := b.Transitions(t.Context(), 0, 1); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, b.opts); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestRetire(t *testing.T) {
	t.Parallel()
	b := openNew(t)
	step(t, b, start, outage("f1"), outage("f2"))
	ts, err := b.Retire(t.Context(), start, func(k rule.Key) bool { return k.Object != "f1" })
	if err != nil || len(ts) != 1 || ts[0].To != Normal || ts[0].Reason == "" || len(b.List()) != 1 {
		t.Errorf("%+v, %v", ts, err)
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	o := options(t.TempDir(), &logBook{})
	registry := prometheus.NewPedanticRegistry()
	o.Metrics = registry
	b := open(t, o)
	flood := outage("zone-1")
	flood.Kind = FloodKind
	now := start
	for range 4 { // f1 chatters
		step(t, b, now, outage("f2"), flood, outage("f1"))
		step(t, b, now, outage("f2"), flood)
		now = now.Add(20 * time.Second)
	}
	if n := b.Flood("zone-1", now); n != 5 {
		t.Errorf("flood of %d", n)
	}
	b = reopen(t, b)
	step(t, b, now, outage("f2"), flood)
	if n := b.Flood("zone-1", now); n != 5 {
		t.Errorf("after a restart, flood of %d", n)
	}
	if n := b.Flood("zone-2", now); n != 0 {
		t.Errorf("elsewhere %d", n)
	}
	want := KPI{Raised10Min: 6, Standing: 2, Chattering: 1}
	if k := b.KPI(now); k != want {
		t.Errorf("%+v", k)
	}
	if k := b.KPI(now.Add(25 * time.Hour)); k != (KPI{Standing: 2, Stale: 2}) {
		t.Errorf("%+v", k)
	}
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	expect := `# HELP imdad_alarm_chattering Alarms raised three times within a minute, in the last ten minutes.
# TYPE imdad_alarm_chattering gauge
imdad_alarm_chattering 1
# HELP imdad_alarm_raised_recently Alarms raised in the last ten minutes.
# TYPE imdad_alarm_raised_recently gauge
imdad_alarm_raised_recently 6
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(expect), "imdad_alarm_chattering", "imdad_alarm_raised_recently"); err != nil {
		t.Error(err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	tests := []struct {
		name   string
		mutate func(*Config)
		want   string
	}{
		{"remind", func(c *Config) { c.Remind.High = time.Second }, "remind.high: 1s is out of range"},
		{"after cause", func(c *Config) { c.AfterCause = -1 }, "after_cause: -1ns is out of range"},
		{"shelve", func(c *Config) { c.MaxShelve = 9 * time.Hour }, "max_shelve: 9h0m0s is out of range"},
		{"keep", func(c *Config) { c.Keep = 0 }, "keep: 0s is out of range"},
	}
	b := openNew(t)
	for _, tt := range tests {
		c := DefaultConfig()
		tt.mutate(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err := b.Configure(c); err == nil {
			t.Errorf("%s: taken over", tt.name)
		}
	}
	c := DefaultConfig()
	c.Remind.High = 0
	if err := b.Configure(c); err != nil {
		t.Error(err)
	}
}
