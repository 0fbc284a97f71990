package spool

import (
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// faults is a VFS of SQLite that passes everything on to the real one, until it
// is told to fail. It is registered once for the process; the switches are
// shared, so that tests using it do not run beside one another.
var faults struct {
	once        sync.Once
	write, sync atomic.Int32 // result codes to answer with; 0 passes on
	methods     lib.Tsqlite3_io_methods
	real        *lib.Tsqlite3_vfs
	realWrite   func(*libc.TLS, uintptr, uintptr, int32, lib.Tsqlite3_int64) int32
	realSync    func(*libc.TLS, uintptr, int32) int32
	shim        *lib.Tsqlite3_vfs
}

const faultyVFS = "faulty"

// pointer gives a Go function the form in which translated C calls it.
func pointer[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&struct{ f F }{f})) }

// function is the reverse.
func function[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&struct{ p uintptr }{p})) }

// at is the C object at an address that SQLite hands out.
func at[T any](p uintptr) *T { return *(**T)(unsafe.Pointer(&p)) }

func useFaults(t *testing.T) {
	t.Helper()
	faults.once.Do(func() { registerFaults(t) })
	t.Cleanup(func() {
		faults.write.Store(0)
		faults.sync.Store(0)
	})
}

func registerFaults(t *testing.T) {
	tls := libc.NewTLS() // kept: the VFS stays registered
	p := lib.Xsqlite3_vfs_find(tls, 0)
	if p == 0 {
		t.Fatal("SQLite has no VFS")
	}
	name, err := libc.CString(faultyVFS)
	if err != nil {
		t.Fatal(err)
	}
	faults.real = at[lib.Tsqlite3_vfs](p)
	shim := libc.Xmalloc(tls, lib.Tsize_t(unsafe.Sizeof(lib.Tsqlite3_vfs{})))
	faults.shim = at[lib.Tsqlite3_vfs](shim)
	*faults.shim = *faults.real
	faults.shim.FpNext, faults.shim.FzName = 0, name
	faults.shim.FxOpen = pointer(faultyOpen)
	if rc := lib.Xsqlite3_vfs_register(tls, shim, 0); rc != lib.SQLITE_OK {
		t.Fatalf("register VFS: %d", rc)
	}
}

var faultyMethods = map[uintptr]uintptr{} // the real methods → ours
var faultyMu sync.Mutex

func faultyOpen(tls *libc.TLS, vfs, path, file uintptr, flags int32, out uintptr) int32 {
	rc := function[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](faults.real.FxOpen)(tls, vfs, path, file, flags, out)
	f := at[lib.Tsqlite3_file](file)
	if rc != lib.SQLITE_OK || f.FpMethods == 0 {
		return rc
	}
	faultyMu.Lock()
	defer faultyMu.Unlock()
	ours := faultyMethods[f.FpMethods]
	if ours == 0 {
		ours = libc.Xmalloc(tls, lib.Tsize_t(unsafe.Sizeof(lib.Tsqlite3_io_methods{})))
		m := at[lib.Tsqlite3_io_methods](ours)
		*m = *at[lib.Tsqlite3_io_methods](f.FpMethods)
		faults.realWrite = function[func(*libc.TLS, uintptr, uintptr, int32, lib.Tsqlite3_int64) int32](m.FxWrite)
		faults.realSync = function[func(*libc.TLS, uintptr, int32) int32](m.FxSync)
		m.FxWrite, m.FxSync = pointer(faultyWrite), pointer(faultySync)
		faultyMethods[f.FpMethods] = ours
	}
	f.FpMethods = ours
	return rc
}

func faultyWrite(tls *libc.TLS, file, buf uintptr, n int32, off lib.Tsqlite3_int64) int32 {
	if rc := faults.write.Load(); rc != 0 {
		return rc
	}
	return faults.realWrite(tls, file, buf, n, off)
}

func faultySync(tls *libc.TLS, file uintptr, flags int32) int32 {
	if rc := faults.sync.Load(); rc != 0 {
		return rc
	}
	return faults.realSync(tls, file, flags)
}

// TestFailingMedium: an error of the disk stores nothing, is answered with the
// right sentinel, makes the spool refuse, and goes by itself.
func TestFailingMedium(t *testing.T) {
	for _, c := range []struct {
		name        string
		write, sync int32
		want        error
	}{
		{"write EIO", lib.SQLITE_IOERR_WRITE, 0, ErrMedium},
		{"fsync EIO", 0, lib.SQLITE_IOERR_FSYNC, ErrMedium},
		{"read-only", lib.SQLITE_READONLY, 0, ErrMedium},
		{"write ENOSPC", lib.SQLITE_FULL, 0, ErrDiskFull},
	} {
		t.Run(c.name, func(t *testing.T) {
			useFaults(t)
			log := &logBook{}
			o := options(t.TempDir(), log)
			o.vfs = faultyVFS
			s := open(t, o)
			first := batch(0, 10)
			first.State = []State{{Key: "a", Value: []byte("1")}}
			appendBatch(t, s, first)
			chunk := next(t, s, 10)

			faults.write.Store(c.write)
			faults.sync.Store(c.sync)
			changing := batch(10, 10)
			changing.State = []State{{Key: "a", Value: []byte("2")}, {Key: "b", Value: []byte("2")}}
			for range 3 {
				if err := s.Append(t.Context(), changing); !errors.Is(err, c.want) {
					t.Fatalf("append: %v", err)
				}
			}
			if s.Accepting() || s.Refusing() == "" {
				t.Error("still accepting")
			}
			log.has(t, "accepts nothing more")
			done(t, s, chunk)
			s.housekeep() // cannot commit it

			faults.write.Store(0)
			faults.sync.Store(0)
			eventually(t, "accepting again", func() bool {
				s.housekeep()
				return s.Accepting()
			})
			log.has(t, "accepts again")
			if l, st := balanced(t, s); l.LinesReading != 10 || l.Written != 10 || st.PendingLines != 0 {
				t.Errorf("after the fault: %+v, pending %d", l, st.PendingLines)
			}
			if got := states(t, s); !maps.Equal(got, map[string]string{"a": "1"}) {
				t.Errorf("after the fault: states %v", got)
			}
			appendBatch(t, s, changing)
			shut(t, s)
			s = open(t, o)
			if got := states(t, s); !maps.Equal(got, map[string]string{"a": "2", "b": "2"}) {
				t.Errorf("reopened: states %v", got)
			}
			if got := drain(t, s); len(got) != 10 || got[0] != line(10) {
				t.Errorf("reopened: %q", got)
			}
			balanced(t, s)
		})
	}
}

// TestFlickeringMedium fails every few operations: what Append says is true.
func TestFlickeringMedium(t *testing.T) {
	useFaults(t)
	o := options(t.TempDir(), &logBook{})
	o.vfs = faultyVFS
	s := open(t, o)
	stored := 0
	for n := range 300 {
		if n%7 == 3 {
			faults.sync.Store(lib.SQLITE_IOERR_FSYNC)
		}
		if n%11 == 5 {
			faults.write.Store(lib.SQLITE_IOERR_WRITE)
		}
		b := batch(stored*5, 5)
		b.State = []State{{Key: "stored", Value: fmt.Append(nil, stored+1)}, {Key: fmt.Sprint("kept-", stored), Value: []byte{}}, {Key: fmt.Sprint("kept-", stored-1)}}
		switch err := s.Append(t.Context(), b); {
		case err == nil:
			stored++
		case !errors.Is(err, ErrMedium):
			t.Fatal(err)
		}
		faults.sync.Store(0)
		faults.write.Store(0)
		s.mu.Lock()
		s.tidy.room.lastProbe = time.Time{} // no second to wait
		s.mu.Unlock()
	}
	if stored < 200 || stored == 300 {
		t.Fatalf("%d of 300 were stored", stored)
	}
	shut(t, s)
	s = open(t, o)
	got := drain(t, s)
	for n, l := range got {
		if l != line(n) {
			t.Fatalf("line %d is %q", n, l)
		}
	}
	if len(got) != stored*5 {
		t.Errorf("%d lines of %d", len(got), stored*5)
	}
	want := map[string]string{"stored": fmt.Sprint(stored), fmt.Sprint("kept-", stored-1): ""}
	if got := states(t, s); !maps.Equal(got, want) {
		t.Errorf("states %v, want %v", got, want)
	}
	balanced(t, s)
}

func ExampleBytes() {
	fmt.Println(10*GiB, 1536*KiB, Bytes(1000))
	// Output: 10GiB 1536KiB 1000
}
