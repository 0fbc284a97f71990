package notify

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// child is what the test binary does when it is started again as a process of
// its own: it notifies of a storm of alarms until it is killed.
func child() (code int, ok bool) {
	dir := os.Getenv("NOTIFY_TEST_DIR")
	if dir == "" {
		return 0, false
	}
	if err := storm(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1, true
	}
	return 0, true
}

func exit(code int) { os.Exit(code) }

const stormLength = 120 // transitions

// stormJournal raises and ends alarms, a transition each half minute; every
// process sees the same.
type stormJournal struct{ last int64 }

func (j *stormJournal) LastSeq() int64 { return j.last }

func (j *stormJournal) Hold(string, int64) {}

func (j *stormJournal) List() []alarm.Alarm {
	live := make(map[string]alarm.Alarm)
	for seq := int64(1); seq <= j.last; seq++ {
		a := stormLine(seq).Alarm
		live[a.ID] = a
	}
	return slices.DeleteFunc(slices.Collect(maps.Values(live)), func(a alarm.Alarm) bool { return a.State == alarm.Normal })
}

func (j *stormJournal) Transitions(_ context.Context, after int64, limit int) ([]alarm.Transition, error) {
	var out []alarm.Transition
	for seq := after + 1; seq <= j.last && len(out) < limit; seq++ {
		out = append(out, stormLine(seq))
	}
	return out, nil
}

func stormTime(seq int64) time.Time { return noon.Add(time.Duration(seq) * 30 * time.Second) }

// stormLine raises alarm n with the odd lines and ends it eight lines later.
func stormLine(seq int64) alarm.Transition {
	n, e, from, to := seq, alarm.Raise, alarm.Normal, alarm.Unacknowledged
	if seq%2 == 0 && seq > 8 {
		n, e, from, to = seq-9, alarm.Return, alarm.Unacknowledged, alarm.Normal
	}
	a := alarm.Alarm{
		ID: fmt.Sprintf("elec.outage:z2-%d", n), Key: rule.Key{Kind: "elec.outage", Object: fmt.Sprintf("z2-%d", n)},
		Severity: rule.High, State: to, City: "c", InZone: "z2", Occurrence: n, Raised: stormTime(n),
	}
	return alarm.Transition{Seq: seq, Time: stormTime(seq), Event: e, From: from, To: to, Alarm: a}
}

// recorder writes what it takes to standard output, a line a notice.
type recorder struct{}

func (recorder) Send(_ context.Context, n Notice) error {
	_, err := fmt.Printf("sent %d repeated=%v %s %s\n", n.ID, n.Repeated, n.Person, summary(n))
	return err
}

func summary(n Notice) string {
	var ids []string
	for _, a := range n.Content.Alarms {
		ids = append(ids, a.ID+"="+string(a.State))
	}
	return fmt.Sprintf("%s %s %s", n.Created.UTC().Format("15:04:05"), n.Content.Type, strings.Join(ids, ","))
}

// storm lets a minute of the story pass between two Plans, each followed by
// sending, from where the last process was.
func storm(dir string) error {
	c := config()
	c.Pace.Burst, c.Pace.Every, c.Pace.Flood, c.Pace.Calm = 50, time.Minute, 100, 50
	journal := &stormJournal{}
	n, err := New(Options{
		Dir: dir, Config: c, Registry: registry(&testing.T{}), Journal: journal, Renderer: plain{},
		Channels: []Spec{{Name: "email", Channel: recorder{}}, {Name: "telegram", Channel: recorder{}}, {Name: "sms", Channel: recorder{}}, {Name: "webhook", Channel: recorder{}, Stream: true}},
		Log:      zerolog.New(os.Stderr).Level(zerolog.WarnLevel),
	})
	if err != nil {
		return err
	}
	ctx := context.Background()
	for journal.last = n.s.Cursor; journal.last <= stormLength; journal.last++ {
		if err := n.Plan(ctx, stormTime(journal.last)); err != nil {
			return err
		}
		if err := n.Deliver(ctx); err != nil {
			return err
		}
	}
	journal.last = stormLength
	if err := n.Plan(ctx, stormTime(stormLength+10)); err != nil {
		return err
	}
	if err := n.Deliver(ctx); err != nil {
		return err
	}
	fmt.Println("end")
	return n.Close()
}

// sentLine is one line of a recorder.
type sentLine struct {
	id       int
	repeated bool
	what     string
}

// runStorm runs a child and kills it after so many notices; 0: not at all.
func runStorm(t *testing.T, dir string, quota int) (lines []sentLine, ended bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "NOTIFY_TEST_DIR="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for scan := bufio.NewScanner(out); scan.Scan(); {
		if scan.Text() == "end" {
			ended = true
			break
		}
		var l sentLine
		if _, err := fmt.Sscanf(scan.Text(), "sent %d repeated=%t", &l.id, &l.repeated); err != nil {
			t.Fatalf("%q: %v", scan.Text(), err)
		}
		_, l.what, _ = strings.Cut(scan.Text(), "repeated=")
		_, l.what, _ = strings.Cut(l.what, " ")
		lines = append(lines, l)
		if quota--; quota == 0 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // killed
	return lines, ended
}

// TestKill kills the process 20 times at random moments: together the processes
// send what an undisturbed one sends, each notice once; at most the one under
// way when the process was killed comes again, and is marked.
//
// It does not run beside other tests: a process that is just being started
// still holds their locks.
func TestKill(t *testing.T) {
	want, ended := runStorm(t, t.TempDir(), 0)
	if !ended || len(want) < 100 {
		t.Fatalf("the undisturbed run sent %d notices, ended: %v", len(want), ended)
	}
	dir := t.TempDir()
	got := make(map[int]string)
	kills := 0
	for ended := false; !ended; {
		quota := 0
		if kills < 20 {
			quota = 1 + rand.IntN(12)
		}
		var lines []sentLine
		lines, ended = runStorm(t, dir, quota)
		kills++
		repeats := 0
		for _, l := range lines {
			what, twice := got[l.id]
			switch {
			case twice && (what != l.what || !l.repeated):
				t.Errorf("notice %d came twice, repeated: %v\n%s\n%s", l.id, l.repeated, what, l.what)
			case twice:
				repeats++
			}
			got[l.id] = l.what
		}
		if repeats > 1 {
			t.Errorf("%d notices came again after one kill", repeats)
		}
	}
	if kills < 21 {
		t.Errorf("the story was over after %d kills", kills-1)
	}
	if len(got) != len(want) {
		t.Errorf("%d different notices, want %d", len(got), len(want))
	}
	for _, l := range want {
		if got[l.id] != l.what {
			t.Errorf("notice %d: %q, want %q", l.id, got[l.id], l.what)
		}
	}
}
