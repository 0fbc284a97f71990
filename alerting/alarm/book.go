package alarm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	_ "modernc.org/sqlite" // the driver

	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// Options are what a book is opened with.
type Options struct {
	Path   string // of the SQLite file, such as data/alarms.db; its directory is made
	Config Config
	Log    zerolog.Logger
	// Metrics is where the figures are registered.
	Metrics prometheus.Registerer
	// Now names the files that damaged ones become; time.Now where nil.
	Now func() time.Time
}

// Book keeps the alarms and their journal. All methods may be called from any
// goroutine. Those that take a context look at it before they begin; a commit
// that has begun is finished, and takes one fsync.
//
// Maps and slices of findings are kept and handed on: nobody changes them.
type Book struct {
	opts    Options
	log     zerolog.Logger
	lock    *os.File
	metrics *metrics

	write  sync.Mutex // one change at a time; held during fsync
	store  *store     // nil: closed, or damaged and not yet replaced
	seen   int64      // ms: what the file says, until when conditions were looked at
	oldest line       // of the journal; zero: there is none
	late   bool       // opened, and not yet looked again
	loaded bool       // the machine knows what was in the file

	state    sync.RWMutex // guards what is read beside a commit, never held during one
	closed   bool
	machine  *machine // changed under both
	recent   recent
	now      int64 // ms: of the last step
	held     map[string]int64
	watchers map[chan struct{}]struct{}
}

// seenEvery is how often the file is told that conditions are being looked at
// while an off-delay runs, in ms: what a crash adds to that delay at most.
const seenEvery = 5000

// Open opens or makes the book. A damaged file is moved aside, loudly, and what
// can be read of it taken over. It fails with ErrLocked where another book is
// open on the file, and with ErrSchema for a file of a newer version.
func Open(ctx context.Context, o Options) (*Book, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := o.Config.Validate(); err != nil {
		return nil, fmt.Errorf("open alarm journal: %w", err)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	b := &Book{
		opts: o, log: o.Log, late: true, machine: newMachine(o.Config),
		held: make(map[string]int64), watchers: make(map[chan struct{}]struct{}),
	}
	if err := b.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("open alarm journal %s: %w", o.Path, err), b.release())
	}
	b.log.Info().Int("alarms", len(b.List())).Int64("transitions", b.machine.seq).Str("path", o.Path).Msg("alarm journal opened")
	return b, nil
}

func (b *Book) open() error {
	err := os.MkdirAll(filepath.Dir(b.opts.Path), 0o750)
	if err != nil {
		return err
	}
	if b.lock, err = lockFile(b.opts.Path + ".lock"); err != nil {
		return err
	}
	if b.store, err = openStore(b.opts.Path); err == nil {
		err = b.load()
	}
	if errors.Is(err, errCorrupt) {
		err = b.replace(err)
	}
	if err != nil {
		return err
	}
	b.loaded = true
	b.metrics, err = newMetrics(b.opts.Metrics, b)
	return err
}

// Close closes the file. Later calls answer ErrClosed.
func (b *Book) Close() error {
	b.write.Lock()
	defer b.write.Unlock()
	b.state.Lock()
	b.closed = true
	b.state.Unlock()
	return b.release()
}

func (b *Book) release() error {
	err := b.swap(nil)
	if b.lock != nil {
		err = errors.Join(err, b.lock.Close())
		b.lock = nil
	}
	b.metrics.unregister()
	return err
}

// swap exchanges the store, and closes the one before.
func (b *Book) swap(s *store) error {
	b.state.Lock()
	old := b.store
	b.store = s
	b.state.Unlock()
	if old == nil {
		return nil
	}
	return old.close()
}

// Configure takes another configuration over, valid from the next step.
func (b *Book) Configure(c Config) error {
	if err := c.Validate(); err != nil {
		return err
	}
	b.write.Lock()
	defer b.write.Unlock()
	b.machine.config = c
	return nil
}

// List returns the alarms that are not normal, by id.
func (b *Book) List() []Alarm {
	b.state.RLock()
	defer b.state.RUnlock()
	list := make([]Alarm, 0, len(b.machine.records))
	for _, r := range b.machine.records {
		if r.Alarm.State != Normal {
			list = append(list, r.Alarm)
		}
	}
	slices.SortFunc(list, func(a, b Alarm) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// Follows tells whether anything is remembered of a condition, so that it
// matters whether it is held, or not known.
func (b *Book) Follows(k rule.Key) bool {
	b.state.RLock()
	defer b.state.RUnlock()
	return b.machine.records[k] != nil
}

// Get returns an alarm, or its last state where it is normal again. ErrUnknown
// where the journal does not know it.
func (b *Book) Get(ctx context.Context, id string) (Alarm, error) {
	if a, ok := b.kept(id); ok {
		return a, nil
	}
	s, err := b.reading()
	if err != nil {
		return Alarm{}, err
	}
	t, err := s.last(ctx, id)
	return t.Alarm, err
}

func (b *Book) kept(id string) (Alarm, bool) {
	b.state.RLock()
	defer b.state.RUnlock()
	if r := b.machine.byID(id); r != nil && r.Alarm.State != Normal {
		return r.Alarm, true
	}
	return Alarm{}, false
}

// Transitions returns up to limit lines of the journal after a number, oldest
// first; none means that there are no more as yet. At most 5,000 come at once.
func (b *Book) Transitions(ctx context.Context, after int64, limit int) ([]Transition, error) {
	s, err := b.reading()
	if err != nil {
		return nil, err
	}
	list, err := s.transitions(ctx, b.log, after, limit)
	if errors.Is(err, errCorrupt) {
		return nil, errors.Join(err, b.mend(s, err))
	}
	return list, err
}

// reading returns the store for reading beside a commit.
func (b *Book) reading() (*store, error) {
	b.state.RLock()
	defer b.state.RUnlock()
	switch {
	case b.closed:
		return nil, ErrClosed
	case b.store == nil:
		return nil, fmt.Errorf("%w: it is being replaced", errCorrupt)
	}
	return b.store, nil
}

// Watch returns a channel that has something in it after transitions were
// committed, and what ends the watching. One value may stand for many commits.
func (b *Book) Watch() (wake <-chan struct{}, stop func()) {
	ch := make(chan struct{}, 1)
	b.state.Lock()
	defer b.state.Unlock()
	b.watchers[ch] = struct{}{}
	return ch, func() {
		b.state.Lock()
		defer b.state.Unlock()
		delete(b.watchers, ch)
	}
}

// Hold says that a reader of the journal has read up to seq: what it has not
// read is not pruned. A reader that has read more than there is has outlived a
// lost file; numbers then go on after what it has read, so that it misses
// nothing. Readers call it before the first step.
func (b *Book) Hold(reader string, seq int64) {
	b.write.Lock()
	defer b.write.Unlock()
	b.state.Lock()
	defer b.state.Unlock()
	b.held[reader] = seq
	if seq > b.machine.seq {
		b.log.Warn().Str("reader", reader).Int64("read", seq).Int64("last", b.machine.seq).
			Msg("the alarm journal has fewer lines than were read from it: its numbers go on after those")
		b.machine.seq = seq
	}
}

// read is up to where every reader has read.
func (b *Book) read() int64 {
	seq := b.machine.seq
	for _, read := range b.held {
		seq = min(seq, read)
	}
	return seq
}

// Retire ends the alarms that nothing watches any more, since their object has
// left the registry or their kind was disabled. keep tells which stay.
func (b *Book) Retire(ctx context.Context, now time.Time, keep func(rule.Key) bool) ([]Transition, error) {
	return b.change(ctx, now, func(m *machine, ms int64) (changes, error) { return m.retire(ms, keep), nil })
}
