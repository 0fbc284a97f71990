package spool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"
	_ "modernc.org/sqlite"
)

func TestMain(m *testing.M) {
	if role := os.Getenv("SPOOL_TEST_CHILD"); role != "" {
		os.Exit(child(role))
	}
	goleak.VerifyTestMain(m)
}

// logBook keeps what the spool says.
type logBook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logBook) has(t *testing.T, text string) {
	t.Helper()
	if !strings.Contains(l.String(), text) {
		t.Errorf("the log does not say %q:\n%s", text, l)
	}
}

func options(dir string, w io.Writer) Options {
	return Options{
		Dir: dir, Config: DefaultConfig(), Quarantine: DefaultQuarantineConfig(), FingerprintBytes: 64 << 20,
		Log: zerolog.New(w),
	}
}

func open(t testing.TB, o Options) *Spool {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, s) })
	return s
}

func shut(t testing.TB, s *Spool) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// line is the nth line, about 120 bytes long.
func line(n int) string {
	return fmt.Sprintf("electricity,city=alp,zone=shn,meter=m%09d active_power_kw=431.2,energy_import_kwh=123456.75,quality=0i 1763895600%03d\n", n, n%1000)
}

// batch holds the lines [from, from+n).
func batch(from, n int) *Batch {
	var b bytes.Buffer
	prints := make([]byte, 0, 16*n)
	for i := range n {
		b.WriteString(line(from + i))
		prints = fmt.Appendf(prints, "%016d", from+i)
	}
	count := int64(n)
	return &Batch{
		Lines: b.Bytes(), LineCount: n, Origin: Reading, Fingerprints: prints,
		Ledger: Ledger{MessagesDecoded: count, ReadingsDecoded: count, ReadingsSpooled: count},
	}
}

func appendBatch(t testing.TB, s *Spool, b *Batch) {
	t.Helper()
	if err := s.Append(context.Background(), b); err != nil {
		t.Fatal(err)
	}
}

func next(t testing.TB, s *Spool, maxLines int) Chunk {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c, err := s.Next(ctx, Sink, maxLines, 0)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func done(t testing.TB, s *Spool, c Chunk, refused ...Entry) {
	t.Helper()
	if err := s.Done(context.Background(), Sink, c, refused); err != nil {
		t.Fatal(err)
	}
}

// drain delivers everything that is pending and returns the lines.
func drain(t testing.TB, s *Spool) (lines []string) {
	t.Helper()
	for snapshot(t, s).PendingLines > 0 {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		c, err := s.Next(ctx, Sink, 5000, 0)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			continue // the last rows were damaged
		}
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, split(c.Lines)...)
		done(t, s, c)
	}
	return lines
}

func split(lines []byte) []string {
	s := strings.SplitAfter(string(lines), "\n")
	return s[:len(s)-1]
}

func snapshot(t testing.TB, s *Spool) Stats {
	t.Helper()
	_, st, err := s.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// balanced checks every identity of the ledger, and the tallies against the rows.
func balanced(t testing.TB, s *Spool) (Ledger, Stats) {
	t.Helper()
	l, st, err := s.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if l.ReadingsDecoded != l.ReadingsSpooled+l.ReadingsDuplicate+l.ReadingsQuarantined {
		t.Errorf("readings do not balance: %+v", l)
	}
	if d := l.unaccountedLines(st.PendingLines); d != 0 {
		t.Errorf("lines do not balance by %d: %+v, pending %d", d, l, st.PendingLines)
	}
	if d := l.unaccountedEntries(st.QuarantineCount); d != 0 {
		t.Errorf("quarantine does not balance by %d: %+v, entries %d", d, l, st.QuarantineCount)
	}
	var lines, entries, cost, prints int64
	s.mu.Lock()
	defer s.mu.Unlock()
	for query, dest := range map[string]*int64{
		"SELECT coalesce(sum(lines),0) FROM batch":      &lines,
		"SELECT count(*) FROM quarantine":               &entries,
		"SELECT coalesce(sum(cost),0) FROM quarantine":  &cost,
		"SELECT coalesce(sum(size),0) FROM fingerprint": &prints,
	} {
		if err := s.w.conn.QueryRowContext(context.Background(), query).Scan(dest); err != nil {
			t.Fatal(err)
		}
	}
	if lines != st.PendingLines || entries != st.QuarantineCount || cost != st.QuarantineBytes || (prints != st.FingerprintBytes && !s.attached) {
		t.Errorf("stored %d lines, %d entries of %d bytes, %d bytes of fingerprints; tallied %+v", lines, entries, cost, prints, st)
	}
	return l, st
}

// eventually waits until ok, for what another goroutine or process brings about.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited too long: %s", what)
		}
	}
}

// corrupt changes a file in place.
func corrupt(t testing.TB, path string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(b), 0o640); err != nil {
		t.Fatal(err)
	}
}

// asides lists the damaged files that were kept.
func asides(t testing.TB, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "spool.db.damaged-*Z"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}
