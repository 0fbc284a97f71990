package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
)

// Options are what a spool is opened with.
type Options struct {
	Dir        string // made where it is missing
	Config     Config
	Quarantine QuarantineConfig
	// FingerprintBytes bounds the kept fingerprints of delivered readings; the
	// newest stay.
	FingerprintBytes int64
	Now              func() time.Time // time.Now where nil
	Log              zerolog.Logger

	vfs string // tests inject faults below SQLite
}

// Sink is the consumer whose cursor the spool keeps. The schema has room for
// more; until there is a second, delivered means delivered to this one.
const Sink = "influx"

// background is used for every statement: one that has begun is finished, so
// that a cancelled caller never leaves the outcome of a commit in doubt.
var background = context.Background()

// Spool is an open spool. All methods may be called from any goroutine.
type Spool struct {
	opts     Options
	log      zerolog.Logger
	attached bool // beside a running service: no memory of the queue

	lock    *os.File
	db      *sql.DB
	reserve reserve
	refusal atomic.Pointer[refusal]
	closed  atomic.Bool
	// committing is when the transaction under way began, in ns since the
	// epoch; 0 while there is none.
	committing atomic.Int64

	mu   sync.Mutex // one writer at a time; held during fsync
	w    *writer
	tidy tally // what is stored, as of the last commit

	readMu sync.Mutex
	r      *sql.Conn
	rows   *sql.Stmt

	turn  chan struct{} // held by the goroutine inside Next
	queue queue
}

// tally mirrors the stored rows, so that nothing is summed while running. It is
// counted once at Open and moves with each commit.
type tally struct {
	nextID       int64
	pendingLines int64
	kept         kept
	printBytes   int64
	room         room
	version      int64     // PRAGMA data_version: changes when another process writes
	polled       time.Time // when it was last looked at
}

func (o Options) file(suffix string) string { return filepath.Join(o.Dir, "spool.db"+suffix) }

// Open opens the spool of a service, making, migrating or salvaging it as
// needed, and logs what is pending. It fails with ErrLocked where another
// service has it, and with ErrSchema for a file of a newer version.
func Open(ctx context.Context, o Options) (*Spool, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	s := newSpool(o)
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open spool %s: %w", o.Dir, err), s.release())
	}
	return s, nil
}

// Attach opens the spool for a moment's work beside the service that may be
// running on it: the quarantine, and the ledger. It changes nothing by itself.
func Attach(ctx context.Context, o Options) (*Spool, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := newSpool(o)
	s.attached = true
	if err := s.attach(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("attach to spool %s: %w", o.Dir, err), s.release())
	}
	return s, nil
}

func newSpool(o Options) *Spool {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Spool{opts: o, log: o.Log, turn: make(chan struct{}, 1)}
	s.reserve.path = o.file(".reserve")
	s.queue.wake = make(chan struct{}, 1)
	return s
}

func (s *Spool) open(ctx context.Context) error {
	var err error
	if s.lock, err = lockFile(s.opts.file(".lock")); err != nil {
		return err
	}
	if err := finishSalvage(s.opts); err != nil {
		return err
	}
	before := readClosed(s.opts)
	err = s.start()
	if errors.Is(err, ErrDiskFull) && s.reserve.spend(&s.log) {
		if err = s.disconnect(); err == nil {
			err = s.start()
		}
	}
	if err == nil {
		err = s.checkClosed(before)
	}
	if errors.Is(err, errCorrupt) {
		err = s.salvageAndStart(ctx, err, before)
	}
	if err == nil {
		err = removeClosed(s.opts)
	}
	if err != nil {
		return err
	}
	s.log.Info().Int64("pending_lines", s.tidy.pendingLines).Int64("quarantine_entries", s.tidy.kept.entries).
		Str("dir", s.opts.Dir).Msg("spool opened")
	return nil
}

// start opens the file and takes stock of it.
func (s *Spool) start() error {
	if err := s.inspect(); err != nil {
		return err
	}
	if err := s.connect(); err != nil {
		return err
	}
	if _, err := migrate(s.w.conn, migrations); err != nil {
		return err
	}
	if err := s.prepare(); err != nil {
		return err
	}
	if err := s.takeStock(); err != nil {
		return err
	}
	s.makeRoom()
	return nil
}

func (s *Spool) attach(context.Context) error {
	if _, err := os.Stat(s.opts.file("")); err != nil {
		return err
	}
	if err := s.connect(); err != nil {
		return err
	}
	v, err := schemaVersion(s.w.conn)
	if err != nil {
		return err
	}
	if v != len(migrations) {
		return fmt.Errorf("%w: the file has schema %d, this program works on %d; start the service once with this program", ErrSchema, v, len(migrations))
	}
	if err := s.prepare(); err != nil {
		return err
	}
	return removeClosed(s.opts)
}

// inspect looks at the files before SQLite does.
func (s *Spool) inspect() (err error) {
	im, err := openImage(s.opts.file(""))
	if err != nil {
		return classify(err)
	}
	defer func() { err = errors.Join(err, im.Close()) }()
	return im.needed()
}

// connect opens one connection to write with and one to read with.
func (s *Spool) connect() error {
	db, err := sql.Open("sqlite", fileURL(s.opts.file(""), s.opts.vfs,
		"busy_timeout(10000)",
		fmt.Sprintf("page_size(%d)", pageSize),
		"journal_mode(WAL)",
		"synchronous(FULL)",
		fmt.Sprintf("wal_autocheckpoint(%d)", checkpointPages),
		fmt.Sprintf("journal_size_limit(%d)", walBytes),
		"cache_size(-4096)",
		"temp_store(MEMORY)",
		"trusted_schema(OFF)"))
	if err != nil {
		return err
	}
	s.db = db
	db.SetMaxOpenConns(2)
	write, err := db.Conn(background)
	if err != nil {
		return classify(err)
	}
	s.w = &writer{conn: write}
	if s.r, err = db.Conn(background); err != nil {
		return classify(err)
	}
	return nil
}

// fileURL is the data source name of an SQLite file.
func fileURL(path, vfs string, pragmas ...string) string {
	q := url.Values{"_pragma": pragmas}
	if vfs != "" {
		q.Set("vfs", vfs)
	}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}
	return u.String()
}

func (s *Spool) prepare() error {
	if err := s.w.prepare(); err != nil {
		return classify(err)
	}
	var err error
	s.rows, err = s.r.PrepareContext(background,
		"SELECT id, time, origin, lines, crc, prints, body FROM batch WHERE id >= ? ORDER BY id")
	return classify(err)
}

// Close commits what Done has reported and closes the file. It waits for calls
// under way; later ones answer ErrClosed.
func (s *Spool) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.queue.stir()
	s.turn <- struct{}{} // Next has left; later calls see that it is closed
	defer func() { <-s.turn }()
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	switch {
	case s.attached: // the service may have closed meanwhile
		err = removeClosed(s.opts)
	case s.db != nil:
		if err = s.flush(); err == nil {
			s.leave()
		}
	}
	return errors.Join(err, s.release())
}

// release gives back whatever has been acquired so far.
func (s *Spool) release() error {
	err := s.disconnect()
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
		s.lock = nil
	}
	return err
}

func (s *Spool) disconnect() error {
	if s.db == nil {
		return nil
	}
	s.readMu.Lock()
	defer s.readMu.Unlock()
	var err error
	if s.rows != nil {
		err = s.rows.Close()
	}
	if s.r != nil {
		err = errors.Join(err, s.r.Close())
	}
	if s.w != nil {
		err = errors.Join(err, s.w.close())
	}
	err = errors.Join(err, s.db.Close())
	s.db, s.w, s.r, s.rows = nil, nil, nil, nil
	return classify(err)
}
