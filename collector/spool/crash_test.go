package spool

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// child is what the test binary does when it is started again as a process of
// its own: it prints one line for everything that is on disk.
func child(role string) int {
	dir := os.Getenv("SPOOL_TEST_DIR")
	var err error
	switch role {
	case "appender":
		err = appendAndDeliver(dir)
	case "replayer":
		err = replayAll(dir)
	default:
		err = fmt.Errorf("unknown role %q", role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// appendAndDeliver stores batches and delivers them until it is killed. It says
// "acked N" once batch N is stored and "delivered LINE" for what the sink took,
// before the spool knows of it.
func appendAndDeliver(dir string) error {
	ctx := context.Background()
	o := options(dir, os.Stderr)
	s, err := Open(ctx, o)
	if err != nil {
		return err
	}
	start := 0
	if _, err := fmt.Sscan(os.Getenv("SPOOL_TEST_FROM"), &start); err != nil {
		return err
	}
	fail := make(chan error, 2)
	go func() {
		for n := start; ; n++ {
			b := batch(n*10, 10)
			b.Quarantine = []Entry{{Kind: KindMessage, Topic: "t", Payload: fmt.Append(nil, n), Reason: "r"}}
			b.Ledger.MessagesQuarantined = 1
			b.State = []State{{Key: "batch", Value: fmt.Append(nil, n)}, {Key: fmt.Sprint("k", n%50), Value: fmt.Append(nil, n)}}
			if err := s.Append(ctx, b); err != nil {
				fail <- err
				return
			}
			fmt.Printf("acked %d\n", n)
		}
	}()
	go func() {
		for {
			c, err := s.Next(ctx, Sink, 200, 0)
			if err != nil {
				fail <- err
				return
			}
			var out strings.Builder
			for _, l := range split(c.Lines) {
				out.WriteString("delivered " + l)
			}
			if _, err := os.Stdout.WriteString(out.String()); err != nil {
				fail <- err
				return
			}
			if err := s.Done(ctx, Sink, c, nil); err != nil {
				fail <- err
				return
			}
		}
	}()
	return <-fail
}

func replayAll(dir string) error {
	ctx := context.Background()
	o := options(dir, os.Stderr)
	o.Log = zerolog.Nop()
	s, err := Attach(ctx, o)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	list, err := s.List(ctx, Filter{}, Page{Limit: 10000})
	if err != nil {
		return err
	}
	for _, e := range list {
		full, err := s.Get(ctx, e.ID)
		if err != nil {
			return err
		}
		b := &Batch{Lines: full.Payload, LineCount: 1, Ledger: Ledger{ReadingsDecoded: 1, ReadingsSpooled: 1}}
		if err := s.Replay(ctx, e.ID, b); err != nil {
			return err
		}
		fmt.Printf("replayed %s", full.Payload)
	}
	return nil
}

func childCommand(t *testing.T, role, dir string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), append([]string{"SPOOL_TEST_CHILD=" + role, "SPOOL_TEST_DIR=" + dir}, env...)...)
	return cmd
}

// TestKill kills the process at random moments and opens the spool again: all
// that was acknowledged is either delivered or still there, and the ledger
// balances.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	delivered := map[string]bool{}
	var acked, entries int
	for round := range 12 {
		cmd := childCommand(t, "appender", dir, fmt.Sprintf("SPOOL_TEST_FROM=%d", acked))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		quota := 20 + rand.IntN(400)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			word, rest, _ := strings.Cut(lines.Text(), " ")
			switch word {
			case "acked":
				acked++
				if quota--; quota == 0 {
					if err := cmd.Process.Kill(); err != nil {
						t.Fatal(err)
					}
				}
			case "delivered":
				delivered[rest+"\n"] = true
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the child ended by itself")
		}
		if acked == 0 {
			t.Fatal("the child stored nothing")
		}

		log := &logBook{}
		s, err := Open(t.Context(), options(dir, log))
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if len(asides(t, dir)) > 0 {
			t.Fatalf("round %d: taken for damaged:\n%s", round, log)
		}
		l, st := balanced(t, s)
		stored := map[string]bool{}
		for st.PendingLines > int64(len(stored)) {
			c := next(t, s, 100000)
			for _, one := range split(c.Lines) {
				stored[one] = true
			}
		}
		for n := range acked * 10 {
			if one := line(n); !delivered[one] && !stored[one] {
				t.Fatalf("round %d: line %d of %d was acknowledged and is nowhere", round, n, acked*10)
			}
		}
		// The last commit may have happened without being reported.
		if n := l.LinesReading / 10; n < int64(acked) || n > int64(acked)+int64(round)+1 {
			t.Fatalf("round %d: %d batches in the ledger, %d acknowledged", round, n, acked)
		}
		if st.QuarantineCount < int64(acked) {
			t.Fatalf("round %d: %d quarantine entries, %d acknowledged", round, st.QuarantineCount, acked)
		}
		statesFit(t, s)
		entries = int(st.QuarantineCount)
		shut(t, s)
	}
	t.Logf("%d batches acknowledged, %d lines delivered, %d entries", acked, len(delivered), entries)
}

// statesFit checks that the states stored are those of the batches stored: each
// came with its number in an entry, in the state "batch", and in one of fifty.
func statesFit(t *testing.T, s *Spool) {
	t.Helper()
	var newest int
	err := s.w.conn.QueryRowContext(t.Context(), "SELECT CAST(payload AS TEXT) FROM quarantine ORDER BY id DESC LIMIT 1").Scan(&newest)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"batch": fmt.Sprint(newest)}
	for n := max(0, newest-49); n <= newest; n++ {
		want[fmt.Sprint("k", n%50)] = fmt.Sprint(n)
	}
	if got := states(t, s); !maps.Equal(got, want) {
		t.Fatalf("states %v, want %v", got, want)
	}
}

// TestReplayBeside replays from another process while the service appends and
// delivers: everything is handed out exactly once, in the order of ids.
func TestReplayBeside(t *testing.T) {
	dir := t.TempDir()
	s := open(t, options(dir, &logBook{}))
	const entries, batches = 300, 400
	quarantined := &Batch{}
	for n := range entries {
		quarantined.Quarantine = append(quarantined.Quarantine, Entry{Kind: KindLine, Payload: []byte(line(1000000 + n)), Reason: "r"})
	}
	appendBatch(t, s, quarantined)

	cmd := childCommand(t, "replayer", dir)
	failed := make(chan error, 1)
	go func() {
		out, err := cmd.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
		failed <- err
	}()
	go func() {
		for n := range batches {
			if err := s.Append(context.Background(), batch(n*10, 10)); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	seen := map[string]int{}
	var last int64
	for len(seen) < entries+batches*10 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		c, err := s.Next(ctx, Sink, 500, time.Millisecond)
		cancel()
		if err != nil {
			t.Fatalf("after %d lines: %v", len(seen), err)
		}
		if c.First <= last {
			t.Fatalf("rows %d to %d after row %d", c.First, c.Last, last)
		}
		last = c.Last
		for _, l := range split(c.Lines) {
			if seen[l]++; seen[l] > 1 {
				t.Fatalf("handed out twice: %s", l)
			}
		}
		done(t, s, c)
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	l, st := balanced(t, s)
	if st.PendingLines != 0 || l.LinesReplay != entries || l.QuarantineReplayed != entries || l.Written != entries+batches*10 {
		t.Errorf("ledger %+v, pending %d", l, st.PendingLines)
	}
}
