package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// smallDisk mounts a file system of its own, as only a full one is full.
func smallDisk(t *testing.T, size int64) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Fatalf("this test mounts a small tmpfs and needs the right to (run it as root, or with CAP_SYS_ADMIN): %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}

// fillDisk takes all the space there is, to the last page.
func fillDisk(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "foreign")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1 << 20, 4096} {
		block := make([]byte, size)
		for err = nil; err == nil; {
			_, err = f.Write(block)
		}
		if !errors.Is(err, unix.ENOSPC) {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFullDisk: a foreign file takes the rest of the disk and stays. Appends are
// refused, everything is delivered, and appends go on in the freed pages, round
// after round.
func TestFullDisk(t *testing.T) {
	for _, rows := range []int{20, 3000} {
		t.Run(fmt.Sprintf("rows of %d lines", rows), func(t *testing.T) {
			dir := smallDisk(t, 160<<20)
			log := &logBook{}
			o := options(dir, log)
			s := open(t, o)
			stored := 0
			add := func(upTo int) error {
				for stored < upTo {
					if err := s.Append(t.Context(), batch(stored, rows)); err != nil {
						return err
					}
					stored += rows
				}
				return nil
			}
			if err := add(200000); err != nil { // 28 MB
				t.Fatal(err)
			}
			fillDisk(t, dir)
			delivered := 0
			for round := range 5 {
				err := add(stored + 10000000)
				if !errors.Is(err, ErrDiskFull) || s.Accepting() || !strings.Contains(s.Refusing(), "disk is full") {
					t.Fatalf("round %d: %v, refusing %q", round, err, s.Refusing())
				}
				if err := s.Append(t.Context(), batch(0, rows)); !errors.Is(err, ErrDiskFull) {
					t.Fatalf("round %d: %v", round, err)
				}
				if round == 3 { // also across a restart
					shut(t, s)
					s = open(t, o)
				}
				for _, l := range drain(t, s) {
					if l != line(delivered) {
						t.Fatalf("line %d is %q", delivered, l)
					}
					delivered++
				}
				if delivered != stored {
					t.Fatalf("round %d: %d lines of %d", round, delivered, stored)
				}
				balanced(t, s)
				if !s.Accepting() {
					t.Fatalf("round %d: drained, and still refusing: %s\n%s", round, s.Refusing(), log)
				}
				if _, err := os.Stat(filepath.Join(dir, "spool.db.reserve")); err != nil {
					t.Fatalf("round %d: the reserve: %v", round, err)
				}
			}
			t.Logf("%d lines", stored)
			log.has(t, "accepts nothing more")
			log.has(t, "accepts again")
		})
	}
}

// TestDiskFillsWithANewLog: when the foreign file comes, what is stored stands
// only in the log, and the main file has yet to grow for it.
func TestDiskFillsWithANewLog(t *testing.T) {
	dir := smallDisk(t, 120<<20)
	o := options(dir, &logBook{})
	o.FingerprintBytes = 64 << 10 // or they fill the file, round by round
	s := open(t, o)
	stored, delivered := 0, 0
	for ; stored < 40_000; stored += 500 { // 5.6 MB
		appendBatch(t, s, batch(stored, 500))
	}
	fillDisk(t, dir)
	for range 100 { // far more than the log has room for
		delivered += len(drain(t, s))
		eventually(t, "room for a batch", func() bool {
			s.housekeep()
			return s.Append(t.Context(), batch(stored, 3000)) == nil
		})
		stored += 3000
	}
	delivered += len(drain(t, s))
	if delivered != stored {
		t.Errorf("%d lines of %d", delivered, stored)
	}
	balanced(t, s)
}

// TestDiskFillsWhileWriting has the foreign file grow between two looks at the
// disk, so that SQLite itself runs into the wall.
func TestDiskFillsWhileWriting(t *testing.T) {
	dir := smallDisk(t, 120<<20)
	log := &logBook{}
	s := open(t, options(dir, log))
	stored := 0
	appendBatch(t, s, batch(stored, 20))
	stored += 20
	free := fillDisk(t, dir)
	var err error
	for err == nil {
		s.mu.Lock()
		s.tidy.room.unseen = 0 // as if nothing had been written since the last look
		s.mu.Unlock()
		if err = s.Append(t.Context(), batch(stored, 500)); err == nil {
			stored += 500
		}
	}
	if !errors.Is(err, ErrDiskFull) {
		t.Fatal(err)
	}
	t.Logf("stored %d lines before SQLite failed: %v", stored, err)
	if got := drain(t, s); len(got) != stored {
		t.Errorf("%d lines of %d", len(got), stored)
	}
	balanced(t, s)
	log.has(t, "gave up the spool's reserve")
	free()
	eventually(t, "accepting again", func() bool {
		s.housekeep()
		return s.Accepting()
	})
	appendBatch(t, s, batch(0, 20))
	balanced(t, s)
}

// TestOpenOnFullDisk: the service starts and delivers, though there is no room
// even for the log.
func TestOpenOnFullDisk(t *testing.T) {
	dir := smallDisk(t, 120<<20)
	o := options(dir, &logBook{})
	s := open(t, o)
	for n := range 50 {
		appendBatch(t, s, batch(n*500, 500))
	}
	shut(t, s)
	fillDisk(t, dir)
	s = open(t, o)
	if got := drain(t, s); len(got) != 25000 {
		t.Errorf("%d lines", len(got))
	}
	balanced(t, s)
}

func TestCap(t *testing.T) {
	t.Parallel()
	log := &logBook{}
	o := options(t.TempDir(), log)
	o.Config.MaxBytes = 16 * MiB
	s := open(t, o)
	// What has caps of its own does not count.
	appendBatch(t, s, &Batch{Quarantine: entries(100, 100000)})
	stored, delivered, refusals := 0, 0, 0
	for range 400 {
		err := s.Append(t.Context(), batch(stored, 1000))
		if err == nil {
			stored += 1000
			continue
		}
		if !errors.Is(err, ErrFull) || s.Accepting() || s.Refusing() == "" {
			t.Fatalf("%v, accepting %v", err, s.Accepting())
		}
		refusals++
		for !s.Accepting() {
			c := next(t, s, 1000)
			delivered += c.Count
			done(t, s, c)
			s.housekeep()
		}
		st := snapshot(t, s)
		if room := st.CapBytes - st.BacklogBytes; room < st.CapBytes/16 || room > st.CapBytes/4 {
			t.Fatalf("accepts again with %d bytes of room", room)
		}
	}
	if refusals < 5 {
		t.Errorf("refused %d times", refusals)
	}
	_, st := balanced(t, s)
	if st.BacklogBytes > st.CapBytes+1<<20 || int64(stored-delivered) != st.PendingLines {
		t.Errorf("stats %+v", st)
	}
	log.has(t, "the spool is at its cap of 16MiB")
}
