package spool

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// spoolFiles are the files of a spool that was killed: a main file with pages of
// every kind, and a log with what came after.
var spoolFiles = sync.OnceValues(func() (files [2][]byte, err error) {
	dir, err := os.MkdirTemp("", "spool-fuzz")
	if err != nil {
		return files, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o := Options{Dir: dir, Config: DefaultConfig(), Quarantine: DefaultQuarantineConfig(), FingerprintBytes: 1 << 20, Log: zerolog.Nop()}
	ctx := context.Background()
	fill := func(s *Spool, from, n int) error {
		for i := range n {
			b := batch((from+i)*10, 10)
			if i%10 == 0 {
				b = batch((from+i)*10, 100) // overflow pages
			}
			b.Quarantine = entries(1, 50)
			b.State = []State{{Key: fmt.Sprint("k", i%7), Value: bytes.Repeat([]byte{byte(i)}, i*100)}, {Key: fmt.Sprint("k", (i+3)%7)}}
			if err := s.Append(ctx, b); err != nil {
				return err
			}
		}
		c, err := s.Next(ctx, Sink, n*3, 0)
		if err != nil {
			return err
		}
		return s.Done(ctx, Sink, c, nil)
	}
	s, err := Open(ctx, o)
	if err != nil {
		return files, err
	}
	if err := errors.Join(fill(s, 0, 40), s.Close()); err != nil {
		return files, err
	}
	if s, err = Open(ctx, o); err != nil {
		return files, err
	}
	if err := fill(s, 100, 20); err != nil {
		return files, err
	}
	if _, _, err := s.Snapshot(ctx); err != nil {
		return files, err
	}
	for i, suffix := range []string{"", "-wal"} {
		if files[i], err = os.ReadFile(o.file(suffix)); err != nil {
			return files, err
		}
	}
	return files, s.Close()
})

// damage applies the fuzzer's bytes: 8 for each change, of which one is what to
// do, the sign of which file, and where.
func damage(files [2][]byte, changes []byte) [2][]byte {
	for i := range files {
		files[i] = append([]byte(nil), files[i]...)
	}
	for len(changes) >= 8 {
		what, value := changes[0], changes[1]
		f := &files[changes[2]&1]
		if len(*f) == 0 {
			break
		}
		at := int(binary.BigEndian.Uint32(changes[4:])) % len(*f)
		switch what % 6 {
		case 0:
			(*f)[at] ^= value | 1
		case 1:
			(*f)[at] = value
		case 2:
			clear((*f)[at:min(len(*f), at+int(value)*64)])
		case 3:
			*f = (*f)[:at]
		case 4: // within the headers, where it matters most
			(*f)[at%min(len(*f), 4096)] ^= value | 1
		case 5: // at the beginning of a page
			(*f)[at/pageSize*pageSize+int(value)%min(16, len(*f)-at/pageSize*pageSize)] ^= value | 1
		}
		changes = changes[8:]
	}
	return files
}

// FuzzRecovery damages the files at will. The service starts, does not hang, and
// its counts agree: what is gone is counted as lost.
func FuzzRecovery(f *testing.F) {
	for _, seed := range []string{
		"", "\x00\x01\x00\x00\x00\x00\x00\x00", "\x04\x20\x00\x00\x00\x00\x00\x3e", "\x02\xff\x00\x00\x00\x00\x10\x00",
		"\x03\x00\x00\x00\x00\x00\x50\x11", "\x03\x00\x01\x00\x00\x00\x50\x11", "\x00\x80\x01\x00\x00\x00\x50\x11",
		"\x02\x40\x01\x00\x00\x00\x40\x00\x05\x05\x00\x00\x00\x00\x20\x00", "\x03\x00\x00\x00\x00\x00\x00\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, changes []byte) {
		files, err := spoolFiles()
		if err != nil {
			t.Fatal(err)
		}
		files = damage(files, changes[:min(len(changes), 8*32)])
		o := options(t.TempDir(), &logBook{})
		for i, suffix := range []string{"", "-wal"} {
			if err := os.WriteFile(o.file(suffix), files[i], 0o640); err != nil {
				t.Fatal(err)
			}
		}
		start := time.Now()
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer shut(t, s)
		l, st := agree(t, s)
		drain(t, s)
		agree(t, s)
		for key := range states(t, s) {
			if len(key) != 2 {
				t.Errorf("a state under %q", key)
			}
		}
		more := batch(0, 10)
		more.State = []State{{Key: "k0", Value: []byte("new")}}
		appendBatch(t, s, more)
		if got := states(t, s)["k0"]; got != "new" {
			t.Errorf("a state that was appended afterwards: %q", got)
		}
		if got := drain(t, s); len(got) != 10 || got[9] != line(9) {
			t.Errorf("what was appended afterwards: %q", got)
		}
		after, _ := agree(t, s)
		if after.Written+after.Lost-l.Written-l.Lost < st.PendingLines {
			t.Errorf("of %d pending lines %d were delivered and %d lost", st.PendingLines, after.Written-l.Written, after.Lost-l.Lost)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

// agree checks the identities that survive any damage: a flipped counter of the
// readings has nothing to be compared with.
func agree(t *testing.T, s *Spool) (Ledger, Stats) {
	t.Helper()
	l, st, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if lines, entries := l.unaccountedLines(st.PendingLines), l.unaccountedEntries(st.QuarantineCount); lines != 0 || entries != 0 {
		t.Fatalf("differs by %d lines and %d entries: %+v, %+v", lines, entries, l, st)
	}
	return l, st
}
