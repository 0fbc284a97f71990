package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// A file that SQLite cannot read, or whose counts do not agree, is replaced:
//
//	spool.db ──read page by page──► spool.db.partial ──► spool.db.salvaged
//	   └──► spool.db.damaged-TIME                              └──► spool.db
//
// A crash on the way either begins again, or finishes from spool.db.salvaged.
// Only what matches its checksum is taken over.

// salvageAndStart replaces the damaged file and opens the new one. before is
// what the last Close has left, if nothing has happened since.
func (s *Spool) salvageAndStart(ctx context.Context, cause error, before *closed) error {
	s.log.Error().Err(cause).Msg("the spool file is damaged: salvaging what can be read")
	if err := errors.Join(ctx.Err(), s.disconnect()); err != nil {
		return errors.Join(cause, err)
	}
	g := salvage{opts: s.opts, before: before}
	if err := g.run(); err != nil {
		return fmt.Errorf("salvage: %w", err)
	}
	aside, err := putInPlace(s.opts)
	if err != nil {
		return fmt.Errorf("salvage: %w", err)
	}
	g.report(&s.log, aside)
	return s.start()
}

// salvageLive does the same while the service runs. What was handed out and not
// yet done is handed out again. Spool.mu is held.
func (s *Spool) salvageLive(cause error) {
	if s.closed.Load() {
		return
	}
	_ = s.refuse(cause)
	err := s.salvageAndStart(background, cause, nil)
	if err == nil {
		if r := s.refusal.Load(); r != nil && errors.Is(r.err, errCorrupt) {
			s.refusal.Store(nil)
		}
		return
	}
	s.log.Error().Err(err).Msg("the spool file could not be salvaged, will be tried again")
	if err := s.disconnect(); err != nil {
		s.log.Error().Err(err).Msg("closing the damaged spool file failed")
	}
}

// salvaging runs f, and once more where it met damage that could be salvaged.
// Spool.mu is held.
func (s *Spool) salvaging(f func() error) error {
	err := f()
	if errors.Is(err, errCorrupt) && !s.attached {
		s.salvageLive(err)
		if s.db != nil {
			err = f()
		}
	}
	return err
}

// salvageAgain tries what has failed, now and then.
func (s *Spool) salvageAgain() {
	if r := s.refusal.Load(); r != nil && time.Since(s.tidy.room.lastProbe) >= retryEvery {
		s.salvageLive(r.err)
	}
}

// finishSalvage completes what a crash has interrupted.
func finishSalvage(o Options) error {
	if _, err := os.Stat(o.file(".salvaged")); err != nil {
		return nil // nothing was under way, or it will begin again
	}
	aside, err := putInPlace(o)
	if err == nil {
		o.Log.Error().Str("damaged_file", aside).Msg("completed an interrupted salvage of the spool")
	}
	return err
}

// putInPlace moves the damaged file aside and the salvaged one to its place.
func putInPlace(o Options) (aside string, err error) {
	aside = o.file(".damaged-" + time.Now().UTC().Format("20060102T150405.000Z"))
	for _, move := range [][2]string{
		{o.file(""), aside},
		{o.file("-wal"), aside + "-wal"},
	} {
		if err := os.Rename(move[0], move[1]); err != nil && !errors.Is(err, os.ErrNotExist) {
			return aside, err
		}
	}
	if err := os.Remove(o.file("-shm")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return aside, err
	}
	if err := os.Rename(o.file(".salvaged"), o.file("")); err != nil {
		return aside, err
	}
	return aside, syncDir(o.Dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// salvage is one run.
type salvage struct {
	opts    Options
	conn    *sql.Conn
	image   *image
	before  *closed // nil where the last end was no Close
	ledger  *Ledger // nil where it could not be read
	cursor  int64   // -1 where it could not be read
	found   found
	insert  map[string]*sql.Stmt
	pending int // inserts since the last commit
}

// found counts what was taken over.
type found struct {
	batches, lines, entries, states int64

	damaged int64 // batches kept that do not match their checksum
	missing int64 // batches of which nothing is left
	lost    int64 // lines, by the ledger
}

// run leaves the result in spool.db.salvaged.
func (g *salvage) run() (err error) {
	partial := g.opts.file(".partial")
	defer func() {
		if err != nil {
			err = errors.Join(err, removeDatabase(partial))
		}
	}()
	if err := removeDatabase(partial); err != nil {
		return err
	}
	if g.image, err = openImage(g.opts.file("")); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.image.Close()) }()
	if err := g.write(partial); err != nil {
		return classify(err)
	}
	return os.Rename(partial, g.opts.file(".salvaged"))
}

func removeDatabase(path string) error {
	files, err := filepath.Glob(path + "*")
	for _, f := range files {
		err = errors.Join(err, os.Remove(f))
	}
	return err
}

func (g *salvage) write(path string) (err error) {
	// Nothing reads the file before it is complete: one sync at the end will do.
	db, err := sql.Open("sqlite", fileURL(path, g.opts.vfs, fmt.Sprintf("page_size(%d)", pageSize), "journal_mode(MEMORY)", "synchronous(FULL)"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if g.conn, err = db.Conn(background); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.conn.Close()) }()
	if _, err := migrate(g.conn, migrations); err != nil {
		return err
	}
	g.insert = map[string]*sql.Stmt{}
	defer func() {
		for _, stmt := range g.insert {
			err = errors.Join(err, stmt.Close())
		}
	}()
	if err := g.exec("BEGIN"); err != nil {
		return err
	}
	if err := g.scan(); err != nil {
		return err
	}
	if err := g.settleCounts(); err != nil {
		return err
	}
	return g.exec("COMMIT")
}

// exec runs a statement, preparing each text once.
func (g *salvage) exec(query string, args ...any) error {
	stmt := g.insert[query]
	if stmt == nil {
		var err error
		if stmt, err = g.conn.PrepareContext(background, query); err != nil {
			return err
		}
		g.insert[query] = stmt
	}
	_, err := stmt.ExecContext(background, args...)
	return err
}
