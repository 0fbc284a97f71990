package configs

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// quiet is how long the files must rest before a change is reported: an
	// editor's save is several events.
	quiet = 200 * time.Millisecond
	// patience bounds the wait for rest, where something keeps writing beside
	// the files.
	patience = 2 * time.Second
	// lookAnyway finds changes of which no event came: network file systems,
	// an event queue that overflowed, a directory that was made anew.
	lookAnyway = 30 * time.Second
)

// Watch calls onChange after any of the files has changed, appeared or gone,
// once for changes in quick succession, until ctx is done; it returns nil then.
// Paths may be glob patterns, as for LoadRegistry, and the CSV files named in
// city files are followed too. Calls come from one goroutine, never two at a
// time.
//
// Directories are watched, not files, since most editors replace a file by
// renaming another over it and Kubernetes swaps a symbolic link. Load the files
// after Watch has begun, or a change in between goes unseen until the next.
func Watch(ctx context.Context, paths []string, onChange func()) error {
	return watch(ctx, paths, func() {}, onChange)
}

// watch calls ready when no later change can be missed.
func watch(ctx context.Context, paths []string, ready, onChange func()) error {
	notifier, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch files: %w", err)
	}
	defer func() { _ = notifier.Close() }() // nothing is written through it
	named := make(meterLists)
	for _, dir := range named.directories(paths) {
		if err := notifier.Add(dir); err != nil {
			return fmt.Errorf("watch %s: %w", dir, err)
		}
	}
	before := named.look(paths)
	ready()
	settle(ctx, notifier.Events, notifier.Errors, func() {
		now := named.look(paths)
		if maps.EqualFunc(before, now, sameFile) {
			return
		}
		before = now
		for _, dir := range named.directories(paths) {
			// One that vanished meanwhile is found by lookAnyway when it is back.
			_ = notifier.Add(dir)
		}
		onChange()
	})
	return nil
}

// settle calls look some time after the events: when they rest, when they have
// gone on for long, and now and then without any.
func settle(ctx context.Context, events <-chan fsnotify.Event, errs <-chan error, look func()) {
	anyway := time.NewTicker(lookAnyway)
	defer anyway.Stop()
	var rest <-chan time.Time
	var deadline time.Time
	touch := func() {
		now := time.Now()
		if rest == nil {
			deadline = now.Add(patience)
		}
		rest = time.After(min(quiet, deadline.Sub(now)))
	}
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-events:
			if e.Op != fsnotify.Chmod {
				touch()
			}
		case <-errs: //nolint:errcheck // events were lost: look at the files instead
			touch()
		case <-rest:
			rest = nil
			look()
		case <-anyway.C:
			look()
		}
	}
}

// meterLists remembers which CSV files each city file names: a country's cities
// are too long to be read again at every look.
type meterLists map[string]namedLists

type namedLists struct {
	city  os.FileInfo
	names []string
}

// of returns the CSV files that a city file names.
func (m meterLists) of(city string) []string {
	info, err := os.Stat(city)
	if err != nil {
		return nil
	}
	known, ok := m[city]
	if !ok || !sameFile(known.city, info) {
		known = namedLists{info, meterFiles(city)}
		m[city] = known
	}
	return known.names
}

// followed returns the files that paths stand for at the moment.
func (m meterLists) followed(paths []string) []string {
	files, _ := expand(paths) // what is missing is reported by who loads it
	for _, city := range files {
		for _, name := range m.of(city) {
			files = append(files, beside(city, name))
		}
	}
	return files
}

// meterFiles returns the CSV files that a city file names, as far as it can be
// read.
func meterFiles(city string) []string {
	src, ms := readSource(city, maxYAML)
	if ms != nil {
		return nil
	}
	root, _ := parse(src)
	if root == nil {
		return nil
	}
	list, ok := root.get("meters_csv")
	if !ok || list.value == nil {
		return nil
	}
	var names []string
	for _, item := range list.value.items {
		if item != nil && item.kind == scalar {
			names = append(names, item.text)
		}
	}
	return names
}

// directories returns where events about the files will come from: their own
// directories and, behind symbolic links, those of the files themselves.
func (m meterLists) directories(paths []string) []string {
	set := make(map[string]struct{})
	for _, p := range paths {
		set[filepath.Dir(p)] = struct{}{}
	}
	for _, f := range m.followed(paths) {
		set[filepath.Dir(f)] = struct{}{}
		if real, err := filepath.EvalSymlinks(f); err == nil {
			set[filepath.Dir(real)] = struct{}{}
		}
	}
	dirs := make([]string, 0, len(set))
	for dir := range set {
		if isDir(dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// look notes the state of every file that is there.
func (m meterLists) look(paths []string) map[string]os.FileInfo {
	out := make(map[string]os.FileInfo)
	for _, f := range m.followed(paths) {
		if info, err := os.Stat(f); err == nil {
			out[f] = info
		}
	}
	return out
}

func sameFile(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
