package configs

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// watching starts a watch that is ready and returns its calls.
func watching(t *testing.T, paths ...string) <-chan struct{} {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, changed, done := make(chan struct{}), make(chan struct{}, 100), make(chan error, 1)
	go func() {
		done <- watch(ctx, paths, func() { close(ready) }, func() { changed <- struct{}{} })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("watch ended with %v", err)
		}
	})
	select {
	case <-ready:
	case <-time.After(10 * time.Second):
		t.Fatal("the watch did not begin")
	}
	return changed
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWatchSeesChanges(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		before func(t *testing.T, dir string)
		change func(t *testing.T, dir string)
	}{
		{"written in place",
			func(t *testing.T, dir string) { put(t, dir+"/a.yaml", "x: 1\n") },
			func(t *testing.T, dir string) { put(t, dir+"/a.yaml", "x: 22\n") }},
		{"replaced by rename",
			func(t *testing.T, dir string) { put(t, dir+"/a.yaml", "x: 1\n") },
			func(t *testing.T, dir string) {
				put(t, dir+"/.a.tmp", "x: 2\n")
				must(t, os.Rename(dir+"/.a.tmp", dir+"/a.yaml"))
			}},
		{"removed",
			func(t *testing.T, dir string) { put(t, dir+"/a.yaml", "x: 1\n") },
			func(t *testing.T, dir string) { must(t, os.Remove(dir+"/a.yaml")) }},
		{"made",
			func(*testing.T, string) {},
			func(t *testing.T, dir string) { put(t, dir+"/a.yaml", "x: 1\n") }},
		{"another file of the pattern",
			func(t *testing.T, dir string) { put(t, dir+"/city1.yaml", "x: 1\n") },
			func(t *testing.T, dir string) { put(t, dir+"/city2.yaml", "x: 1\n") }},
		{"a symbolic link above it swapped, as Kubernetes does",
			func(t *testing.T, dir string) {
				must(t, os.Mkdir(dir+"/..v1", 0o700))
				must(t, os.Mkdir(dir+"/..v2", 0o700))
				put(t, dir+"/..v1/a.yaml", "x: 1\n")
				put(t, dir+"/..v2/a.yaml", "x: 2\n")
				must(t, os.Symlink("..v1", dir+"/..data"))
				must(t, os.Symlink("..data/a.yaml", dir+"/a.yaml"))
			},
			func(t *testing.T, dir string) {
				must(t, os.Symlink("..v2", dir+"/..tmp"))
				must(t, os.Rename(dir+"/..tmp", dir+"/..data"))
			}},
		{"the file behind a symbolic link",
			func(t *testing.T, dir string) {
				must(t, os.Mkdir(dir+"/elsewhere", 0o700))
				put(t, dir+"/elsewhere/real.yaml", "x: 1\n")
				must(t, os.Symlink("elsewhere/real.yaml", dir+"/a.yaml"))
			},
			func(t *testing.T, dir string) { put(t, dir+"/elsewhere/real.yaml", "x: 22\n") }},
		{"a CSV file that the city names",
			func(t *testing.T, dir string) {
				must(t, os.Mkdir(dir+"/lists", 0o700))
				put(t, dir+"/lists/m.csv", "id,zone,utility,at\n")
				put(t, dir+"/a.yaml", "meters_csv: [lists/m.csv]\n")
			},
			func(t *testing.T, dir string) { put(t, dir+"/lists/m.csv", "id,zone,utility,at\nm,z,water,x\n") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			tt.before(t, dir)
			changed := watching(t, filepath.Join(dir, "a.yaml"), filepath.Join(dir, "city*.yaml"))
			tt.change(t, dir)
			select {
			case <-changed:
			case <-time.After(10 * time.Second):
				t.Error("the change was not seen")
			}
		})
	}
}

func TestLookIgnoresNeighbours(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, neighbour := filepath.Join(dir, "a.yaml"), filepath.Join(dir, "b.yaml")
	put(t, file, "x: 1\n")
	info, err := os.Stat(file)
	must(t, err)
	before := map[string]os.FileInfo{file: info}
	put(t, neighbour, "y: 1\n")
	after := make(meterLists).look([]string{file})
	if len(after) != 1 || !sameFile(before[file], after[file]) {
		t.Errorf("a neighbour counts as a change: %v", after)
	}
	put(t, file, "x: 22\n")
	if after = make(meterLists).look([]string{file}); sameFile(before[file], after[file]) {
		t.Error("the file itself does not")
	}
}

func TestSettle(t *testing.T) {
	t.Parallel()
	write := fsnotify.Event{Name: "a.yaml", Op: fsnotify.Write}
	tests := []struct {
		name  string
		drive func(events chan<- fsnotify.Event, errs chan<- error)
		want  []time.Duration // since the start, when look is called
	}{
		{"one event", func(ev chan<- fsnotify.Event, _ chan<- error) { ev <- write }, []time.Duration{quiet}},
		{"a burst is one", func(ev chan<- fsnotify.Event, _ chan<- error) {
			for range 5 {
				ev <- write
				<-time.After(100 * time.Millisecond)
			}
		}, []time.Duration{400*time.Millisecond + quiet}},
		{"two bursts", func(ev chan<- fsnotify.Event, _ chan<- error) {
			ev <- write
			<-time.After(time.Second)
			ev <- write
		}, []time.Duration{quiet, time.Second + quiet}},
		{"no rest at all", func(ev chan<- fsnotify.Event, _ chan<- error) {
			for range 30 {
				ev <- write
				<-time.After(100 * time.Millisecond)
			}
		}, []time.Duration{patience, 2900*time.Millisecond + quiet}},
		{"a change of mode only", func(ev chan<- fsnotify.Event, _ chan<- error) {
			ev <- fsnotify.Event{Name: "a.yaml", Op: fsnotify.Chmod}
		}, nil},
		{"lost events", func(_ chan<- fsnotify.Event, errs chan<- error) { errs <- fsnotify.ErrEventOverflow }, []time.Duration{quiet}},
		{"no events for long", func(chan<- fsnotify.Event, chan<- error) { <-time.After(lookAnyway + time.Second) }, []time.Duration{lookAnyway}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				events, errs := make(chan fsnotify.Event), make(chan error)
				start := time.Now()
				var got []time.Duration
				done := make(chan struct{})
				go func() {
					settle(ctx, events, errs, func() { got = append(got, time.Since(start)) })
					close(done)
				}()
				tt.drive(events, errs)
				<-time.After(3 * quiet)
				cancel()
				<-done
				if len(got) != len(tt.want) {
					t.Fatalf("looked after %v, want %v", got, tt.want)
				}
				for i := range got {
					if got[i] != tt.want[i] {
						t.Errorf("looked after %v, want %v", got, tt.want)
					}
				}
			})
		})
	}
}

func TestAListOfMetersIsFollowedAsItChanges(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	city := filepath.Join(dir, "city.yaml")
	named := make(meterLists)
	for _, want := range []string{"a.csv", "bb.csv", "ccc.csv"} {
		put(t, city, "meters_csv: ["+want+"]\n")
		for range 2 {
			if got := named.followed([]string{city}); len(got) != 2 || got[1] != filepath.Join(dir, want) {
				t.Errorf("followed %v, want %s", got, want)
			}
		}
	}
	must(t, os.Remove(city))
	if got := named.of(city); got != nil {
		t.Errorf("%v of a file that is gone", got)
	}
}
