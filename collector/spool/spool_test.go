package spool

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestStoreAndForward(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, options(dir, &logBook{}))
	var want []string
	for i, origin := range []Origin{Reading, Derived, Alarm, Replay, Reading} {
		b := batch(i*10, 10)
		b.Origin = origin
		b.Ledger = Ledger{Written: 99, QuarantineAdded: 99} // not the caller's to count
		appendBatch(t, s, b)
		want = append(want, split(b.Lines)...)
	}
	c := next(t, s, 25)
	if c.First != 1 || c.Last != 2 || c.Count != 20 {
		t.Fatalf("first chunk %d to %d with %d lines", c.First, c.Last, c.Count)
	}
	done(t, s, c)
	l, st := balanced(t, s)
	if l.LinesReading != 20 || l.LinesDerived != 10 || l.LinesAlarm != 10 || l.LinesReplay != 10 || l.Written != 20 || l.QuarantineAdded != 0 {
		t.Errorf("ledger %+v", l)
	}
	if st.PendingLines != 30 || st.BacklogBytes <= 0 || st.FileBytes < st.UsedBytes {
		t.Errorf("stats %+v", st)
	}
	shut(t, s)

	log := &logBook{}
	s = open(t, options(dir, log))
	log.has(t, `"pending_lines":30`)
	if got := drain(t, s); !slices.Equal(got, want[20:]) {
		t.Errorf("after reopening %d lines: %q", len(got), got)
	}
	appendBatch(t, s, batch(0, 1))
	if c := next(t, s, 1); c.First != 6 {
		t.Errorf("id %d was used before", c.First)
	}
	if l, _ := balanced(t, s); l.Written != 50 {
		t.Errorf("written %d", l.Written)
	}
}

func TestIdsAreNotReusedAfterEverythingIsDelivered(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for want := int64(1); want <= 3; want++ {
		s := open(t, options(dir, &logBook{}))
		appendBatch(t, s, batch(0, 1))
		c := next(t, s, 1)
		if c.First != want {
			t.Fatalf("id %d, want %d", c.First, want)
		}
		done(t, s, c)
		shut(t, s)
	}
}

func TestOnlyCountersAndEntries(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, options(dir, &logBook{}))
	appendBatch(t, s, &Batch{Ledger: Ledger{MessagesControl: 3, MessagesIgnored: 2, MessagesDropped: 1}})
	appendBatch(t, s, &Batch{
		Ledger:     Ledger{MessagesQuarantined: 1, ReadingsDecoded: 1, ReadingsQuarantined: 1, ReadingsConflicting: 1},
		Quarantine: []Entry{{Kind: KindMessage, Reason: "bad"}},
	})
	shut(t, s)
	s = open(t, options(dir, &logBook{}))
	l, st := balanced(t, s)
	want := Ledger{
		MessagesControl: 3, MessagesIgnored: 2, MessagesDropped: 1, MessagesQuarantined: 1,
		ReadingsDecoded: 1, ReadingsQuarantined: 1, ReadingsConflicting: 1, QuarantineAdded: 1,
	}
	if l != want || st.PendingLines != 0 || st.QuarantineCount != 1 {
		t.Errorf("ledger %+v, stats %+v", l, st)
	}
}

func TestBadBatches(t *testing.T) {
	t.Parallel()
	s := open(t, options(t.TempDir(), &logBook{}))
	for _, c := range []struct {
		name string
		b    Batch
		want string
	}{
		{"count without lines", Batch{LineCount: 1, Origin: Reading}, "1 lines in 0 bytes"},
		{"lines without count", Batch{Lines: []byte("x\n"), Origin: Reading}, "0 lines in 2 bytes"},
		{"no origin", Batch{Lines: []byte("x\n"), LineCount: 1}, "unknown origin"},
		{"fingerprints of nothing", Batch{Fingerprints: []byte("x")}, "fingerprints without lines"},
		{"state without a key", Batch{State: []State{{Value: []byte("x")}}}, "has 0 bytes, not 1 to 512"},
		{"key too long", Batch{State: []State{{Key: "a"}, {Key: strings.Repeat("k", 513)}}}, "has 513 bytes, not 1 to 512"},
		{"value too long", Batch{State: []State{{Key: "a", Value: make([]byte, 1<<20+1)}}}, `the state "a" has 1048577 bytes`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := s.Append(t.Context(), &c.b); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Append(ctx, batch(0, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled append: %v", err)
	}
	if _, err := s.Next(t.Context(), "other", 1, 0); err == nil {
		t.Error("a cursor for an unknown sink")
	}
	if l, _ := balanced(t, s); l != (Ledger{}) {
		t.Errorf("something was stored: %+v", l)
	}
}

func TestWholeRows(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"memory", "disk"} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := open(t, options(dir, &logBook{}))
			for i, n := range []int{3, 3, 50, 3, 2, 5} {
				appendBatch(t, s, batch(i*100, n))
			}
			if source == "disk" {
				shut(t, s)
				s = open(t, options(dir, &logBook{}))
			}
			for _, want := range []int{6, 50, 10} {
				if c := next(t, s, 10); c.Count != want || bytes.Count(c.Lines, []byte("\n")) != want {
					t.Errorf("%d lines, want %d", c.Count, want)
				}
			}
		})
	}
}

func TestLinger(t *testing.T) {
	t.Parallel()
	s := open(t, options(t.TempDir(), &logBook{}))
	got := make(chan Chunk, 1)
	ask := func(maxLines int, linger time.Duration) {
		go func() {
			c, err := s.Next(t.Context(), Sink, maxLines, linger)
			if err != nil {
				t.Error(err)
			}
			got <- c
		}()
	}
	ask(20, time.Hour)
	appendBatch(t, s, batch(0, 10))
	appendBatch(t, s, batch(10, 10))
	if c := <-got; c.Count != 20 {
		t.Errorf("filled: %d lines", c.Count)
	}
	start := time.Now()
	ask(20, 50*time.Millisecond)
	appendBatch(t, s, batch(20, 10))
	if c := <-got; c.Count != 10 || time.Since(start) < 50*time.Millisecond {
		t.Errorf("%d lines after %s", c.Count, time.Since(start))
	}
	ctx, cancel := context.WithCancel(t.Context())
	appendBatch(t, s, batch(30, 10))
	failed := make(chan error)
	go func() {
		_, err := s.Next(ctx, Sink, 20, time.Hour)
		failed <- err
	}()
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if c := next(t, s, 20); c.Count != 10 {
		t.Errorf("the cancelled Next has taken lines: %d left", c.Count)
	}
}

func TestDoneOutOfOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, options(dir, &logBook{}))
	var chunks []Chunk
	for i := range 4 {
		appendBatch(t, s, batch(i*10, 10))
		chunks = append(chunks, next(t, s, 10))
	}
	done(t, s, chunks[2])
	done(t, s, chunks[1], Entry{Kind: KindLine, Payload: []byte("bad"), Reason: "type_conflict"})
	if l, st := balanced(t, s); l.Written != 0 || st.PendingLines != 40 || st.QuarantineCount != 0 {
		t.Errorf("counted before the prefix was complete: %+v", l)
	}
	if err := s.Done(t.Context(), Sink, chunks[1], nil); err == nil {
		t.Error("done twice")
	}
	done(t, s, chunks[0])
	if l, st := balanced(t, s); l.Written != 29 || l.Refused != 1 || st.PendingLines != 10 || st.QuarantineCount != 1 {
		t.Errorf("ledger %+v, stats %+v", l, st)
	}
	shut(t, s)
	s = open(t, options(dir, &logBook{}))
	if c := next(t, s, 100); c.First != chunks[3].First || c.Count != 10 {
		t.Errorf("handed out again: %d to %d", c.First, c.Last)
	}
}

// TestBacklog goes past what is kept in memory, and comes back to it.
func TestBacklog(t *testing.T) {
	t.Parallel()
	s := open(t, options(t.TempDir(), &logBook{}))
	const batches, lines = 300, 500 // 18 MB
	for n := range batches {
		appendBatch(t, s, batch(n*lines, lines))
	}
	s.queue.mu.Lock()
	if s.queue.tailSize > tailBytes || len(s.queue.tail) == batches {
		t.Errorf("%d rows of %d bytes in memory", len(s.queue.tail), s.queue.tailSize)
	}
	s.queue.mu.Unlock()
	for n := 0; n < batches*lines; {
		c := next(t, s, 5000)
		for _, l := range split(c.Lines) {
			if l != line(n) {
				t.Fatalf("line %d is %q", n, l)
			}
			n++
		}
		done(t, s, c)
		if n == 200*lines {
			appendBatch(t, s, batch(0, 0))
		}
	}
	appendBatch(t, s, batch(7, 1))
	s.queue.mu.Lock()
	if len(s.queue.tail) != 1 {
		t.Error("not back in memory")
	}
	s.queue.mu.Unlock()
	if got := drain(t, s); len(got) != 1 || got[0] != line(7) {
		t.Errorf("after the backlog: %q", got)
	}
	balanced(t, s)
}

// TestConcurrent has several consumers beside a producer and a scraper.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	s := open(t, options(t.TempDir(), &logBook{}))
	const batches, lines = 1000, 7
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]bool{}
	for range 4 {
		wg.Go(func() {
			for {
				c, err := s.Next(ctx, Sink, 100, time.Millisecond)
				if errors.Is(err, context.Canceled) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, l := range split(c.Lines) {
					if seen[l] {
						t.Errorf("twice: %s", l)
					}
					seen[l] = true
				}
				complete := len(seen) == batches*lines
				mu.Unlock()
				done(t, s, c)
				if complete {
					cancel()
				}
			}
		})
	}
	wg.Go(func() {
		for ctx.Err() == nil {
			l, st, err := s.Snapshot(context.Background())
			if err != nil || l.unaccountedLines(st.PendingLines) != 0 {
				t.Errorf("snapshot: %v, %+v, pending %d", err, l, st.PendingLines)
				return
			}
		}
	})
	for n := range batches {
		appendBatch(t, s, batch(n*lines, lines))
	}
	wg.Wait()
	if l, st := balanced(t, s); l.Written != batches*lines || st.PendingLines != 0 {
		t.Errorf("written %d, pending %d", l.Written, st.PendingLines)
	}
}

// TestDoneIsCommittedSoon: a waiting Next commits what no Append takes along.
func TestDoneIsCommittedSoon(t *testing.T) {
	t.Parallel()
	s := open(t, options(t.TempDir(), &logBook{}))
	appendBatch(t, s, batch(0, 10))
	done(t, s, next(t, s, 10))
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan struct{})
	go func() {
		defer close(left)
		_, _ = s.Next(ctx, Sink, 10, 0)
	}()
	beside, err := Attach(t.Context(), s.opts)
	if err != nil {
		t.Fatal(err)
	}
	defer shut(t, beside)
	eventually(t, "the cursor in the file", func() bool {
		l, err := beside.Ledger(t.Context())
		return err == nil && l.Written == 10
	})
	cancel()
	<-left
}

func TestClose(t *testing.T) {
	t.Parallel()
	s := open(t, options(t.TempDir(), &logBook{}))
	waiting := make(chan error)
	go func() {
		_, err := s.Next(context.Background(), Sink, 1, 0)
		waiting <- err
	}()
	shut(t, s)
	if err := <-waiting; !errors.Is(err, ErrClosed) {
		t.Errorf("waiting Next: %v", err)
	}
	_, nextErr := s.Next(t.Context(), Sink, 1, 0)
	_, _, snapErr := s.Snapshot(t.Context())
	_, listErr := s.List(t.Context(), Filter{}, Page{})
	_, getErr := s.Get(t.Context(), 1)
	for name, err := range map[string]error{
		"append": s.Append(t.Context(), batch(0, 1)), "next": nextErr, "done": s.Done(t.Context(), Sink, Chunk{}, nil),
		"snapshot": snapErr, "list": listErr, "get": getErr, "replay": s.Replay(t.Context(), 1, &Batch{}),
		"fingerprints": s.Fingerprints(t.Context(), func([]byte) error { return nil }),
		"states":       s.States(t.Context(), func(State) error { return nil }),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s.Accepting() || s.Refusing() == "" {
		t.Error("accepting though closed")
	}
}

func TestOneService(t *testing.T) {
	t.Parallel()
	s := open(t, options(t.TempDir(), &logBook{}))
	if _, err := Open(t.Context(), s.opts); !errors.Is(err, ErrLocked) {
		t.Errorf("second service: %v", err)
	}
	shut(t, s)
	open(t, s.opts)
}

func TestAttachNeedsASpool(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Attach(t.Context(), options(dir, &logBook{})); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("attached to nothing: %v", err)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) > 0 {
		t.Errorf("attaching made %v", files)
	}
}

func TestReserveIsMade(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, options(dir, &logBook{}))
	info, err := os.Stat(filepath.Join(dir, "spool.db.reserve"))
	if err != nil || info.Size() < reserveMinBytes {
		t.Errorf("reserve: %v, %v", info, err)
	}
	shut(t, s)
}

// TestCloseLeavesNothingOpen: SQLite moves the log into the file when its last
// connection goes, and removes it.
func TestCloseLeavesNothingOpen(t *testing.T) {
	t.Parallel()
	o := options(t.TempDir(), &logBook{})
	s := open(t, o)
	appendBatch(t, s, batch(0, 10))
	done(t, s, next(t, s, 10))
	shut(t, s)
	if _, err := os.Stat(o.file("-wal")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the log is still there: %v", err)
	}
	open, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range open {
		if to, err := os.Readlink(fd); err == nil && strings.HasPrefix(to, o.Dir) {
			t.Errorf("%s is still open", to)
		}
	}
}
