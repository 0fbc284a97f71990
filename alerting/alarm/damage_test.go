package alarm

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/rule"
)

func corrupt(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(b), 0o640); err != nil {
		t.Fatal(err)
	}
}

func asides(t *testing.T, path string) []string {
	t.Helper()
	files, err := filepath.Glob(path + ".damaged-*Z*")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// lines is how many there are in a filled book.
const lines = 103

// filled is a book with two alarms, one of them acknowledged, and many lines.
func filled(t *testing.T, l *logBook) *Book {
	t.Helper()
	b := open(t, options(t.TempDir(), l))
	for n := range 50 {
		now := start.Add(time.Duration(n) * time.Minute)
		step(t, b, now, outage("f1"), outage("f2"))
		step(t, b, now, outage("f1"))
	}
	if err := b.Acknowledge(t.Context(), start, outageID, 0, "ali", "cli"); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestDamageAtOpen breaks a closed file in several ways: the service starts,
// says so, keeps the file, and goes on with higher numbers.
func TestDamageAtOpen(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func([]byte) []byte
	}{
		{"no database", func([]byte) []byte { return []byte(strings.Repeat("rubbish ", 1000)) }},
		{"head gone", func(b []byte) []byte { clear(b[:100]); return b }},
		{"cut in the middle", func(b []byte) []byte { return b[:len(b)/2] }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := &logBook{}
			b := filled(t, l)
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			corrupt(t, b.opts.Path, tt.change)
			b = open(t, b.opts)
			if len(asides(t, b.opts.Path)) != 1 || !strings.Contains(l.String(), "moved aside") {
				t.Errorf("asides %v\n%s", asides(t, b.opts.Path), l)
			}
			b.Hold("notify", lines)
			ts := step(t, b, start.Add(time.Hour), outage("f1"), outage("f3"))
			if len(ts) == 0 || ts[0].Seq != lines+1 {
				t.Errorf("goes on with %+v", ts)
			}
		})
	}
}

// TestSalvage: of a file that does not add up, everything that can be read is
// taken over.
func TestSalvage(t *testing.T) {
	t.Parallel()
	l := &logBook{}
	b := filled(t, l)
	if _, err := b.store.conn.ExecContext(t.Context(), "UPDATE book SET seq=7"); err != nil {
		t.Fatal(err)
	}
	before := b.List()
	b = reopen(t, b)
	if len(asides(t, b.opts.Path)) != 1 || !strings.Contains(l.String(), "moved aside") {
		t.Errorf("asides %v\n%s", asides(t, b.opts.Path), l)
	}
	if n, list := len(journal(t, b)), b.List(); n != lines || len(list) != len(before) || list[0].AcknowledgedBy != "ali" {
		t.Errorf("%d lines, %+v", n, list)
	}
	if ts := step(t, b, start.Add(time.Hour), outage("f1"), outage("f3")); len(ts) != 1 || ts[0].Seq != lines+1 {
		t.Errorf("%+v", ts)
	}
}

// TestDamagedRows: a row that was changed costs that row.
func TestDamagedRows(t *testing.T) {
	t.Parallel()
	l := &logBook{}
	b := filled(t, l)
	ctx := t.Context()
	for _, q := range []string{
		"UPDATE journal SET body=replace(body, 'raise', 'RAISE') WHERE seq=3",
		"UPDATE alarm SET body=replace(body, 'ali', 'eve') WHERE id='" + outageID + "'",
	} {
		if _, err := b.store.conn.ExecContext(ctx, q); err != nil {
			t.Fatal(err)
		}
	}
	b = reopen(t, b)
	if len(asides(t, b.opts.Path)) != 0 {
		t.Error("the whole file was given up")
	}
	if n, list := len(journal(t, b)), b.List(); n != lines-1 || len(list) != 1 || list[0].Object != "f2" {
		t.Errorf("%d lines, %+v", n, list)
	}
	if ts := step(t, b, start.Add(time.Hour), outage("f1")); len(ts) != 1 || ts[0].Event != Raise {
		t.Errorf("%+v", ts)
	}
	if !strings.Contains(l.String(), "a stored alarm is damaged") || !strings.Contains(l.String(), "cannot be read") {
		t.Error(l)
	}
}

// TestDamageWhileRunning overwrites the file under a running book: it goes on
// with everything it knows.
func TestDamageWhileRunning(t *testing.T) {
	t.Parallel()
	l := &logBook{}
	b := filled(t, l)
	if _, err := b.store.conn.ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.conn.ExecContext(t.Context(), "PRAGMA shrink_memory"); err != nil {
		t.Fatal(err)
	}
	corrupt(t, b.opts.Path, func(f []byte) []byte {
		for i := 100; i < len(f); i++ {
			f[i] = 0xff
		}
		return f
	})
	before := b.List()
	ts := step(t, b, start.Add(time.Hour), outage("f1"), outage("f9"))
	if len(ts) != 1 || ts[0].Seq != lines+1 {
		t.Fatalf("%+v", ts)
	}
	if len(asides(t, b.opts.Path)) != 1 {
		t.Errorf("not moved aside:\n%s", l)
	}
	b = reopen(t, b)
	if after := b.List(); len(after) != len(before)+1 || after[0].AcknowledgedBy != "ali" {
		t.Errorf("%+v", after)
	}
}

// TestReplacementFails: where even the new file cannot be made, nothing is
// forgotten, and the book goes on as soon as it can.
func TestReplacementFails(t *testing.T) {
	t.Parallel()
	b := filled(t, &logBook{})
	dir := filepath.Dir(b.opts.Path)
	if err := os.Rename(dir, dir+"-away"); err != nil {
		t.Fatal(err)
	}
	before := b.List()
	if err := b.mend(b.store, errCorrupt); err == nil {
		t.Error("mended without a directory")
	}
	if _, err := b.Step(t.Context(), start, nil); err == nil || errors.Is(err, ErrClosed) {
		t.Errorf("stepped without a file: %v", err)
	}
	if _, err := b.Transitions(t.Context(), 0, 1); err == nil || errors.Is(err, ErrClosed) {
		t.Errorf("read without a file: %v", err)
	}
	if err := os.Rename(dir+"-away", dir); err != nil {
		t.Fatal(err)
	}
	ts := step(t, b, start.Add(time.Hour), outage("f1"), outage("f9"))
	if len(ts) != 1 || ts[0].Seq != lines+1 || len(b.List()) != len(before)+1 {
		t.Errorf("%+v", ts)
	}
}

// TestFailedCommit: what could not be stored has not happened, and happens at
// the next step.
func TestFailedCommit(t *testing.T) {
	t.Parallel()
	b := openNew(t)
	ctx := t.Context()
	exec := func(q string) {
		t.Helper()
		if _, err := b.store.conn.ExecContext(ctx, q); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE TRIGGER full BEFORE INSERT ON journal BEGIN SELECT raise(ABORT, 'no room'); END")
	if _, err := b.Step(ctx, start, []rule.Finding{outage("f1")}); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Fatal(err)
	}
	if list := b.List(); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	exec("DROP TRIGGER full")
	if ts := step(t, b, start, outage("f1")); len(ts) != 1 || ts[0].Seq != 1 {
		t.Errorf("%+v", ts)
	}
}
