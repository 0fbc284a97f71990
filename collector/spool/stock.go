package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// takeStock counts what is stored, once, at Open.
func (s *Spool) takeStock() error {
	position, err := s.readCursor()
	if err != nil {
		return err
	}
	t := tally{nextID: position + 1, polled: time.Now()}
	var last sql.NullInt64
	err = s.w.conn.QueryRowContext(background, "SELECT coalesce(sum(lines),0), max(id) FROM batch").Scan(&t.pendingLines, &last)
	if err != nil {
		return fmt.Errorf("count pending batches: %w", classify(err))
	}
	t.nextID = max(t.nextID, last.Int64+1)
	err = s.w.conn.QueryRowContext(background, "SELECT count(*), coalesce(sum(cost),0) FROM quarantine").Scan(&t.kept.entries, &t.kept.bytes)
	if err != nil {
		return fmt.Errorf("count quarantine: %w", classify(err))
	}
	if err := s.w.conn.QueryRowContext(background, "SELECT coalesce(sum(size),0) FROM fingerprint").Scan(&t.printBytes); err != nil {
		return fmt.Errorf("count fingerprints: %w", classify(err))
	}
	if t.version, err = number(s.w.version); err != nil {
		return err
	}
	s.tidy = t
	if err := s.checkLedger(); err != nil {
		return err
	}
	s.queue.reset(position+1, t.nextID, t.pendingLines)
	return nil
}

// checkLedger compares the rows with the ledger. Every commit keeps them equal,
// so a difference is damage that SQLite has not seen.
func (s *Spool) checkLedger() error {
	l, err := readLedger(s.w.conn)
	if err != nil {
		return classify(err)
	}
	lines, entries := l.unaccountedLines(s.tidy.pendingLines), l.unaccountedEntries(s.tidy.kept.entries)
	if lines != 0 || entries != 0 || l.kept != s.tidy.kept {
		return fmt.Errorf("%w: its rows and its ledger differ by %d lines and %d quarantine entries", errCorrupt, lines, entries)
	}
	return nil
}

// readCursor reads the sink's position, making the row in a new file.
func (s *Spool) readCursor() (position int64, err error) {
	var crc int64
	err = s.w.conn.QueryRowContext(background, "SELECT position, crc FROM cursor WHERE sink=?", Sink).Scan(&position, &crc)
	if errors.Is(err, sql.ErrNoRows) {
		_, err = s.w.conn.ExecContext(background, "INSERT INTO cursor (sink, position, crc) VALUES (?,0,?)", Sink, cursorSum(Sink, 0))
		return 0, classify(err)
	}
	if err != nil {
		return 0, fmt.Errorf("read cursor: %w", classify(err))
	}
	if crc != cursorSum(Sink, position) {
		return 0, fmt.Errorf("%w: the cursor does not match its checksum", errCorrupt)
	}
	return position, nil
}

// readKept takes over what is in quarantine from the ledger, as another process
// may have changed it. To count hundreds of megabytes each time would not do.
func (s *Spool) readKept() error {
	l, err := readLedger(s.w.conn)
	if err != nil {
		return classify(err)
	}
	s.tidy.kept = l.kept
	return nil
}

// adopt takes note of what another process has written: rows behind ours, and
// the quarantine.
func (s *Spool) adopt() error {
	t := &s.tidy
	t.polled = time.Now()
	v, err := number(s.w.version)
	if err != nil || v == t.version {
		return err
	}
	var lines int64
	var last sql.NullInt64
	err = s.w.conn.QueryRowContext(background, "SELECT coalesce(sum(lines),0), max(id) FROM batch WHERE id>=?", t.nextID).Scan(&lines, &last)
	if err != nil {
		return fmt.Errorf("look for new batches: %w", classify(err))
	}
	if err := s.readKept(); err != nil {
		return err
	}
	t.version = v
	if last.Valid {
		t.pendingLines += lines
		t.nextID = last.Int64 + 1
		s.queue.mu.Lock()
		s.queue.grow(t.nextID, lines)
		s.queue.mu.Unlock()
	}
	return nil
}

// nextID is for a process that does not know the queue.
func (w *writer) nextID() (id int64, err error) {
	err = w.conn.QueryRowContext(background,
		"SELECT max(coalesce((SELECT max(id) FROM batch),0), coalesce((SELECT max(position) FROM cursor),0))+1").Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("find next id: %w", classify(err))
	}
	return id, nil
}

// Stats is what is stored at one moment.
type Stats struct {
	PendingLines     int64         // counted from the stored rows
	OldestPending    time.Duration // age of the oldest undelivered batch; 0 where there is none
	UsedBytes        int64         // in used pages, everything included
	BacklogBytes     int64         // what counts against CapBytes: without quarantine and fingerprints
	CapBytes         int64
	FileBytes        int64 // used and free pages
	DiskFreeBytes    int64 // beside the reserve
	QuarantineCount  int64 // entries
	QuarantineBytes  int64 // what they weigh against their cap
	FingerprintBytes int64 // of delivered readings
}

// Snapshot returns the ledger and the stored state of one moment, so that the
// identities of Ledger hold between them. It commits what Done has reported.
func (s *Spool) Snapshot(ctx context.Context) (Ledger, Stats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(ctx); err != nil {
		return Ledger{}, Stats{}, err
	}
	if s.attached {
		return s.snapshotAttached()
	}
	s.tidyUp()
	if err := s.ready(ctx); err != nil {
		return Ledger{}, Stats{}, err
	}
	var l Ledger
	var st Stats
	err := s.salvaging(func() error {
		err := s.consistent(func() (err error) {
			if err := s.adopt(); err != nil {
				return err
			}
			l, err = readLedger(s.w.conn)
			return err
		})
		if err == nil {
			st, err = s.stats()
		}
		return err
	})
	l.kept = kept{}
	return l, st, err
}

// Ledger returns the committed totals.
func (s *Spool) Ledger(ctx context.Context) (Ledger, error) {
	l, _, err := s.Snapshot(ctx)
	return l, err
}

// Stats returns what is stored.
func (s *Spool) Stats(ctx context.Context) (Stats, error) {
	_, st, err := s.Snapshot(ctx)
	return st, err
}

// consistent runs reads that must see one state of the file.
func (s *Spool) consistent(f func() error) error {
	if _, err := s.w.conn.ExecContext(background, "BEGIN"); err != nil {
		return classify(err)
	}
	defer rollback(s.w.conn)
	return classify(f())
}

func (s *Spool) snapshotAttached() (l Ledger, st Stats, err error) {
	err = s.consistent(func() (err error) {
		if l, err = readLedger(s.w.conn); err != nil {
			return err
		}
		s.tidy.kept = l.kept
		return s.w.conn.QueryRowContext(background, "SELECT coalesce(sum(lines),0) FROM batch").Scan(&s.tidy.pendingLines)
	})
	if err == nil {
		st, err = s.stats()
	}
	l.kept = kept{}
	return l, st, err
}

func (s *Spool) stats() (Stats, error) {
	unseen := s.tidy.room.unseen
	if err := s.look(); err != nil {
		s.tidy.room.unseen = unseen
		return Stats{}, err
	}
	var oldest sql.NullInt64
	err := s.w.conn.QueryRowContext(background, "SELECT time FROM batch ORDER BY id LIMIT 1").Scan(&oldest)
	if err != nil && err != sql.ErrNoRows {
		return Stats{}, fmt.Errorf("read oldest batch: %w", classify(err))
	}
	t := &s.tidy
	st := Stats{
		PendingLines: t.pendingLines, UsedBytes: t.room.used, BacklogBytes: s.backlogBytes(),
		CapBytes: int64(s.opts.Config.MaxBytes), FileBytes: t.room.used + t.room.free, DiskFreeBytes: t.room.diskFree,
		QuarantineCount: t.kept.entries, QuarantineBytes: t.kept.bytes, FingerprintBytes: t.printBytes,
	}
	if oldest.Valid {
		st.OldestPending = max(0, s.opts.Now().Sub(time.UnixMilli(oldest.Int64)))
	}
	return st, nil
}
