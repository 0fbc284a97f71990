package alarm

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// crashSteps is how long the play is that TestKill interrupts.
const crashSteps = 400

// scene is what the rules say, and what an operator does, at one step of a
// stormy day: it depends on the number of the step alone.
func scene(n int) (time.Time, []rule.Finding, []Action) {
	now := start.Add(time.Duration(n) * time.Minute)
	var findings []rule.Finding
	for i := range 40 {
		r := rand.New(rand.NewPCG(uint64(i), uint64(n/(3+i%7)))) // holds for some steps
		f := outage(fmt.Sprintf("f%02d", i))
		f.State = []rule.State{rule.Clear, rule.Clear, rule.Raised, rule.Raised, rule.Held, rule.Unknown}[r.IntN(6)]
		f.Severity = rule.Severity(1 + r.IntN(4))
		f.OnDelay, f.OffDelay = time.Duration(i%4)*time.Minute, time.Duration(i%5)*time.Minute
		f.Latched = i%10 == 9
		if i%4 == 3 {
			f.Cause = rule.Key{Kind: f.Kind, Object: fmt.Sprintf("f%02d", i-1)}
		}
		if f.State != rule.Clear {
			findings = append(findings, f)
		}
	}
	r := rand.New(rand.NewPCG(7, uint64(n)))
	act := Action{
		Event: []Event{Acknowledge, Acknowledge, Shelve, Reset, TakeOut, PutBack}[r.IntN(6)],
		ID:    fmt.Sprintf("elec.outage:f%02d", r.IntN(40)), By: "ali", Via: "cli", Reason: "r", For: 17 * time.Minute,
	}
	return now, findings, []Action{act}
}

// playScene runs one step. A second time it changes nothing: what has been done
// is in the book.
func playScene(ctx context.Context, b *Book, n int) error {
	now, findings, actions := scene(n)
	for _, a := range actions {
		done, err := b.Get(ctx, a.ID)
		if err != nil || done.Changed.Equal(now) {
			continue
		}
		_, _ = b.Act(ctx, now, a) // many do not fit: that is part of the play
	}
	_, err := b.Step(ctx, now, findings)
	return err
}

// child plays from a step on, until it is killed, and says which it has done.
func child() int {
	var n int
	if _, err := fmt.Sscan(os.Getenv("ALARM_TEST_CHILD"), &n); err != nil {
		return 2
	}
	ctx := context.Background()
	o := options(os.Getenv("ALARM_TEST_DIR"), &logBook{})
	o.Log = zerolog.New(os.Stderr)
	o.Log = o.Log.Level(zerolog.WarnLevel)
	b, err := Open(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// The step after the last that was reported may have been stored as well.
	n = max(n, int((b.seen-start.UnixMilli())/time.Minute.Milliseconds()))
	for ; n <= crashSteps; n++ {
		if err := playScene(ctx, b, n); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println("step", n)
	}
	return 0
}

// TestKill plays a stormy day while the process is killed at random moments, 20
// times, and compares journal and alarms with an undisturbed day, line by line.
// Each process begins by repeating the last step that was reported or stored: no
// time passes between them, so that all delays must end at the same step.
func TestKill(t *testing.T) {
	t.Parallel()
	calm := openNew(t)
	for n := range crashSteps + 1 {
		if err := playScene(t.Context(), calm, n); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	done, kills := 0, 0
	for done < crashSteps {
		last := killed(t, dir, done, kills < 20)
		if last > done {
			done = last
		}
		kills++
	}
	b := open(t, options(dir, &logBook{}))
	got, want := journal(t, b), journal(t, calm)
	for i := range want {
		if i >= len(got) || !equal(got[i:i+1], want[i:i+1]) {
			t.Fatalf("line %d of %d and %d differs:\n got %+v\nwant %+v", i+1, len(got), len(want), got[min(i, len(got)-1)], want[i])
		}
	}
	if len(got) != len(want) || fmt.Sprint(b.List()) != fmt.Sprint(calm.List()) {
		t.Errorf("%d lines instead of %d, or other alarms:\n%v\n%v", len(got), len(want), b.List(), calm.List())
	}
	if err := newCheck().take(got); err != nil {
		t.Error(err)
	}
	t.Logf("%d transitions, %d kills", len(got), kills-1)
}

// killed runs a child from a step on, kills it after a while, and returns the
// last step that it has reported.
func killed(t *testing.T, dir string, from int, kill bool) int {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("ALARM_TEST_CHILD=%d", from), "ALARM_TEST_DIR="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	quota, last := 1+rand.IntN(2*crashSteps/20), from
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, err := fmt.Sscanf(lines.Text(), "step %d", &last); err != nil {
			continue
		}
		if quota--; kill && quota == 0 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err != nil && !kill {
		t.Fatal(err)
	}
	return last
}
