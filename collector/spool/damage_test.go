package spool

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func fixedNow() time.Time { return time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC) }

// filled makes a spool with n batches of 10 lines, of which 5 are delivered,
// three quarantine entries and some states, closes it and returns its options.
func filled(t testing.TB, dir string, n int) Options {
	t.Helper()
	o := options(dir, &logBook{})
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		appendBatch(t, s, batch(i*10, 10))
		if i < 5 {
			done(t, s, next(t, s, 10))
		}
	}
	appendBatch(t, s, &Batch{Quarantine: entries(3, 100), State: someStates()})
	shut(t, s)
	return o
}

// flip changes one byte where the text is found in the file, nth time.
func flip(text string) func([]byte) []byte {
	return func(b []byte) []byte {
		at := bytes.Index(b, []byte(text))
		if at < 0 {
			panic("no " + text)
		}
		b[at+len(text)/2] ^= 0x20
		return b
	}
}

// TestFlippedByteInRow: the batch is lost and counted, the others go on.
func TestFlippedByteInRow(t *testing.T) {
	t.Parallel()
	o := filled(t, t.TempDir(), 50)
	corrupt(t, o.file(""), flip("meter=m000000203"))
	log := &logBook{}
	o.Log = o.Log.Output(log)
	s := open(t, o)
	got := drain(t, s)
	var want []string
	for n := 50; n < 500; n++ {
		if n < 200 || n >= 210 {
			want = append(want, line(n))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d lines, want %d", len(got), len(want))
	}
	l, _ := balanced(t, s)
	if l.Lost != 10 || l.Written != 490 {
		t.Errorf("ledger %+v", l)
	}
	log.has(t, `"batch":21,"lines":10`)
	var lines int
	if err := s.r.QueryRowContext(t.Context(), "SELECT lines FROM damaged WHERE id=21").Scan(&lines); err != nil || lines != 10 {
		t.Errorf("not kept aside: %d, %v", lines, err)
	}
	appendBatch(t, s, batch(0, 1))
	shut(t, s)
	s = open(t, o)
	if l, st := balanced(t, s); l.Lost != 10 || st.PendingLines != 1 {
		t.Errorf("reopened: %+v", l)
	}
}

// TestLastRowDamaged: the cursor passes it, and its id is not used again.
func TestLastRowDamaged(t *testing.T) {
	t.Parallel()
	o := filled(t, t.TempDir(), 10)
	corrupt(t, o.file(""), flip("meter=m000000093"))
	s := open(t, o)
	if got := drain(t, s); len(got) != 40 {
		t.Errorf("%d lines", len(got))
	}
	shut(t, s)
	s = open(t, o)
	appendBatch(t, s, batch(0, 1))
	if c := next(t, s, 1); c.First != 11 {
		t.Errorf("id %d", c.First)
	}
	balanced(t, s)
}

func TestDamagedEntry(t *testing.T) {
	t.Parallel()
	o := filled(t, t.TempDir(), 10)
	corrupt(t, o.file(""), flip(strings.Repeat("\x01", 100)))
	s := open(t, o)
	if e, err := s.Get(t.Context(), 2); !errors.Is(err, ErrDamaged) || len(e.Payload) != 100 {
		t.Errorf("got %+v, %v", e, err)
	}
	if _, err := s.Get(t.Context(), 1); err != nil {
		t.Error(err)
	}
}

// TestSalvage damages the file so that SQLite cannot read it, or reads nonsense.
func TestSalvage(t *testing.T) {
	t.Parallel()
	page := func(b []byte, n int) []byte { return b[(n-1)*pageSize : n*pageSize] }
	for _, c := range []struct {
		name    string
		change  func([]byte) []byte
		lost    int64 // lines
		entries int64
		states  int
	}{
		{"header overwritten", func(b []byte) []byte { copy(b, "this is not a database"); return b }, 0, 3, 7},
		{"first page zeroed", func(b []byte) []byte { clear(page(b, 1)); return b }, 0, 3, 7},
		{"root of batches zeroed", func(b []byte) []byte { clear(page(b, 2)); return b }, 0, 3, 7},
		{"cursor zeroed", func(b []byte) []byte { clear(page(b, 3)); return b }, 0, 3, 7},
		{"quarantine zeroed", func(b []byte) []byte { clear(page(b, 5)); return b }, 0, 0, 7},
		{"two pages of rows zeroed", func(b []byte) []byte {
			for _, n := range []int{203, 303} {
				at := bytes.Index(b, fmt.Appendf(nil, "meter=m%09d", n)) / pageSize
				clear(page(b, at+1))
			}
			return b
		}, 40, 3, 7},
		{"a number of lines flipped", func(b []byte) []byte {
			// …"reading", 10 (lines), crc: the row is refused, its lines are lost
			at := bytes.Index(b, []byte("meter=m000000203")) - 400
			b[at+bytes.Index(b[at:], []byte("reading\x0a"))+7] ^= 0x20
			return b
		}, 10, 3, 7},
		{"schema version flipped", func(b []byte) []byte { b[62] ^= 1; return b }, 0, 3, 7},
		{"emptied", func([]byte) []byte { return nil }, 950, 0, 0},
		{"noise", func(b []byte) []byte {
			for i := range b {
				b[i] = byte(i * 7)
			}
			return b
		}, 950, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := filled(t, t.TempDir(), 100)
			corrupt(t, o.file(""), c.change)
			log := &logBook{}
			o.Log = o.Log.Output(log)
			s := open(t, o)
			l, st := balanced(t, s)
			want := int64(950) - c.lost
			if st.PendingLines != want || l.Lost != c.lost || st.QuarantineCount != c.entries {
				t.Errorf("pending %d, want %d; ledger %+v; %d entries\n%s", st.PendingLines, want, l, st.QuarantineCount, log)
			}
			log.has(t, fmt.Sprintf("salvaged the spool: %d lines go on, %d are lost", want, c.lost))
			if got := len(states(t, s)); got != c.states {
				t.Errorf("%d states, want %d", got, c.states)
			}
			log.has(t, fmt.Sprintf(`"states":%d`, c.states))
			if len(asides(t, o.Dir)) != 1 {
				t.Errorf("kept aside: %v", asides(t, o.Dir))
			}
			if got := drain(t, s); int64(len(got)) != want || (want > 0 && got[len(got)-1] != line(999)) {
				t.Errorf("%d lines delivered", len(got))
			}
			appendBatch(t, s, batch(0, 10))
			if got := drain(t, s); len(got) != 10 {
				t.Errorf("%d lines after it", len(got))
			}
			balanced(t, s)
			shut(t, s)
			open(t, o)
			if len(asides(t, o.Dir)) > 1 {
				t.Error("salvaged again")
			}
		})
	}
}

// TestNoiseAfterACrash: nothing tells any more what was in the file.
func TestNoiseAfterACrash(t *testing.T) {
	t.Parallel()
	for _, left := range []string{"", "{}"} {
		o := filled(t, t.TempDir(), 100)
		corrupt(t, o.file(""), func(b []byte) []byte { return bytes.Repeat([]byte("noise"), len(b)/5) })
		corrupt(t, o.file(".closed"), func([]byte) []byte { return []byte(left) })
		log := &logBook{}
		o.Log = o.Log.Output(log)
		s := open(t, o)
		if l, st := balanced(t, s); l != (Ledger{}) || st.PendingLines != 0 {
			t.Errorf("ledger %+v, %+v", l, st)
		}
		log.has(t, "the copy of the ledger beside the spool is damaged")
		log.has(t, "how many lines are lost is not known")
	}
}

// TestClosedCopyIsNeverOld: nothing changes the file while the copy of its
// ledger is there.
func TestClosedCopyIsNeverOld(t *testing.T) {
	t.Parallel()
	o := filled(t, t.TempDir(), 10)
	there := func(want bool) {
		t.Helper()
		if _, err := os.Stat(o.file(".closed")); (err == nil) != want {
			t.Errorf("the copy: %v, want it to be there: %v", err, want)
		}
	}
	there(true)
	s := open(t, o)
	there(false)
	shut(t, s)
	there(true)
	beside, err := Attach(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	there(false)
	s = open(t, o)
	shut(t, s)
	there(true)
	shut(t, beside)
	there(false)
}

// crashed makes a spool whose log holds everything since its last checkpoint,
// as a kill leaves it.
func crashed(t testing.TB, batches int) Options {
	t.Helper()
	dir := t.TempDir()
	o := options(dir, &logBook{})
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for n := range batches {
		appendBatch(t, s, batch(n*10, 10))
	}
	copied := options(t.TempDir(), &logBook{})
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(o.file(suffix))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied.file(suffix), b, 0o640); err != nil {
			t.Fatal(err)
		}
	}
	shut(t, s)
	return copied
}

// TestDamagedLog: SQLite takes a log broken in the middle for one that ends
// there; what was acknowledged after is not to be forgotten.
func TestDamagedLog(t *testing.T) {
	t.Parallel()
	frame := func(n int) int { return walHeader + n*(frameHeader+pageSize) }
	for _, c := range []struct {
		name     string
		change   func([]byte) []byte
		salvaged bool
		min      int64 // lines that must be left
		max      int64
	}{
		{"whole", func(b []byte) []byte { return b }, false, 1000, 1000},
		{"a row's text flipped", flip("meter=m000000503"), true, 990, 1000},
		{"a frame's checksum flipped", func(b []byte) []byte { b[frame(200)+17] ^= 1; return b }, true, 1000, 1000},
		{"a frame's salt flipped", func(b []byte) []byte { b[frame(200)+9] ^= 1; return b }, true, 1000, 1000},
		{"three frames zeroed", func(b []byte) []byte { clear(b[frame(200):frame(203)]); return b }, true, 960, 1000},
		{"the last transaction torn", func(b []byte) []byte { return b[:len(b)-pageSize/2] }, false, 990, 990},
		{"the main file emptied", nil, true, 1000, 1000},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := crashed(t, 100)
			if c.change != nil {
				corrupt(t, o.file("-wal"), c.change)
			} else {
				corrupt(t, o.file(""), func([]byte) []byte { return nil })
			}
			log := &logBook{}
			o.Log = o.Log.Output(log)
			s := open(t, o)
			l, st := balanced(t, s)
			if st.PendingLines < c.min || st.PendingLines > c.max {
				t.Errorf("pending %d, want %d to %d; ledger %+v\n%s", st.PendingLines, c.min, c.max, l, log)
			}
			if c.salvaged && (len(asides(t, o.Dir)) != 1 || l.Lost != 1000-st.PendingLines) {
				t.Errorf("salvaged %v, lost %d of %d", asides(t, o.Dir), l.Lost, 1000-st.PendingLines)
			}
			if !c.salvaged && len(asides(t, o.Dir)) != 0 {
				t.Errorf("salvaged without need:\n%s", log)
			}
			if got := drain(t, s); int64(len(got)) != st.PendingLines {
				t.Errorf("%d lines delivered of %d", len(got), st.PendingLines)
			}
		})
	}
}

// TestSalvageIsFinished goes through what a crash in the middle can leave.
func TestSalvageIsFinished(t *testing.T) {
	t.Parallel()
	for step := range 4 {
		t.Run(fmt.Sprint("after step ", step), func(t *testing.T) {
			t.Parallel()
			o := filled(t, t.TempDir(), 20)
			corrupt(t, o.file(""), func(b []byte) []byte { clear(b[:pageSize]); return b })
			if err := os.WriteFile(o.file(".partial"), []byte("half"), 0o640); err != nil {
				t.Fatal(err)
			}
			g := salvage{opts: o}
			g.opts.Now = fixedNow
			if step > 0 {
				if err := g.run(); err != nil {
					t.Fatal(err)
				}
			}
			if step > 1 {
				if err := os.Rename(o.file(""), o.file(".damaged-x")); err != nil {
					t.Fatal(err)
				}
			}
			if step > 2 {
				if err := os.Rename(o.file(".salvaged"), o.file("")); err != nil {
					t.Fatal(err)
				}
			}
			s := open(t, o)
			if _, st := balanced(t, s); st.PendingLines != 150 {
				t.Errorf("%d lines", st.PendingLines)
			}
			for _, suffix := range []string{".partial", ".salvaged"} {
				if _, err := os.Stat(o.file(suffix)); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("%s is left", suffix)
				}
			}
		})
	}
}

// TestDamageWhileRunning: the file is damaged under a running service, which
// salvages it, and hands out again what was on its way.
func TestDamageWhileRunning(t *testing.T) {
	t.Parallel()
	log := &logBook{}
	o := filled(t, t.TempDir(), 200)
	o.Log = o.Log.Output(log)
	s := open(t, o)
	first := next(t, s, 10)
	f, err := os.OpenFile(o.file(""), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	zero := make([]byte, pageSize)
	for _, page := range []int64{2, info.Size()/pageSize - 20} { // the root of the batches, and a leaf
		if _, err := f.WriteAt(zero, (page-1)*pageSize); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	got := drain(t, s)
	log.has(t, "salvaged the spool")
	l, st := balanced(t, s)
	if l.Lost == 0 || l.Lost > 40 || int64(len(got))+l.Lost != 1950 || st.PendingLines != 0 {
		t.Errorf("%d lines, ledger %+v", len(got), l)
	}
	if got[0] != line(50) {
		t.Errorf("what was on its way is not handed out again: %q", got[0])
	}
	done(t, s, first) // of the time before: ignored
	if !s.Accepting() {
		t.Error(s.Refusing())
	}
	appendBatch(t, s, batch(0, 10))
	balanced(t, s)
}

// TestAnIdThatIsWrong: a batch whose id was damaged stands out of order. Going
// on behind it would pass over the sound ones that follow.
func TestAnIdThatIsWrong(t *testing.T) {
	o := options(t.TempDir(), &logBook{})
	s := open(t, o)
	for i := range 30 {
		appendBatch(t, s, batch(i*10, 10))
	}
	shut(t, s)
	corrupt(t, o.file(""), func(data []byte) []byte {
		// The row of batch 16: its id, the length of the header, and the types
		// of the columns up to the number of lines.
		at := bytes.Index(data, []byte{16, 10, 0, 5, 27, 1})
		if at < 0 {
			t.Fatal("batch 16 is not in the file")
		}
		data[at] = 25
		return data
	})
	s = open(t, o)
	defer shut(t, s)
	if got := drain(t, s); len(got) != 290 {
		t.Errorf("%d lines delivered, want 290", len(got))
	}
	if l, _ := agree(t, s); l.Lost != 10 || l.Written != 290 {
		t.Errorf("%d lines lost, %d written; want 10 and 290", l.Lost, l.Written)
	}
}
