package spool

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Chunk is a run of whole rows for the sink. It must come back through Done.
type Chunk struct {
	First, Last int64 // ids of its rows
	Round       int   // of the file they are in: a file moved aside takes its chunks with it
	Lines       []byte
	Count       int
}

const (
	pollEvery   = 500 * time.Millisecond // to notice rows of another process
	settleAfter = 20 * time.Millisecond  // for Done to wait for an Append to join
	settleBatch = 512                    // rows: Done commits by itself beyond
)

// Next returns the next rows that were not handed out since the spool was
// opened, in the order of their ids. It waits for at least one row, and then up
// to linger for maxLines. A chunk has whole rows only, so that a single row may
// exceed maxLines; rows of different origins share a chunk. While it waits it
// commits what Done has reported and looks for rows that another process
// appended. Several goroutines may call it; they are served one by one.
func (s *Spool) Next(ctx context.Context, sink string, maxLines int, linger time.Duration) (Chunk, error) {
	if sink != Sink || s.attached {
		return Chunk{}, fmt.Errorf("spool: no cursor for sink %q", sink)
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return Chunk{}, ctx.Err()
	}
	defer func() { <-s.turn }()
	for {
		if err := s.await(ctx, maxLines, linger); err != nil {
			return Chunk{}, err
		}
		c, err := s.take(maxLines)
		if err != nil || c.Count > 0 {
			return c, err
		}
	}
}

// await returns when there are maxLines, or some and linger has passed.
func (s *Spool) await(ctx context.Context, maxLines int, linger time.Duration) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	var since time.Time // when the first line was seen
	for {
		if err := s.usable(ctx); err != nil {
			return err
		}
		n, settled := s.queue.waitFor(maxLines)
		wait := pollEvery
		if settled > 0 && s.Accepting() {
			wait = settleAfter
		}
		if n > 0 && settled < settledRows {
			if since.IsZero() {
				since = time.Now()
			}
			left := linger - time.Since(since)
			if n >= int64(maxLines) || left <= 0 {
				return nil
			}
			wait = min(wait, left)
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.queue.wake:
			timer.Stop()
		case <-timer.C:
			s.housekeep()
		}
	}
}

// take hands out the next rows. The chunk is empty when what it met was damaged.
// Only the holder of the turn calls it, so that queue.next stands still.
func (s *Spool) take(maxLines int) (Chunk, error) {
	_, _, round := s.queue.span()
	rows := s.queue.takeTail(maxLines)
	if rows == nil {
		var err error
		if rows, err = s.readRows(maxLines); err != nil {
			return Chunk{}, err
		}
	}
	if len(rows) == 0 {
		return Chunk{}, nil
	}
	h := &handout{first: rows[0].id, last: rows[len(rows)-1].id, rows: len(rows), time: rows[len(rows)-1].time}
	var size, prints int
	for i := range rows {
		h.lines += rows[i].lines
		size += len(rows[i].body)
		prints += len(rows[i].prints)
	}
	c := Chunk{First: h.first, Last: h.last, Count: int(h.lines), Round: round, Lines: make([]byte, 0, size)}
	h.prints = make([]byte, 0, prints)
	for i := range rows {
		c.Lines = append(c.Lines, rows[i].body...)
		h.prints = append(h.prints, rows[i].prints...)
	}
	if !s.queue.hand(round, h) {
		return Chunk{}, nil
	}
	return c, nil
}

// readRows reads the next rows from disk, stopping before a damaged one. If the
// very next is damaged it is put aside, and no row is returned.
func (s *Spool) readRows(maxLines int) ([]row, error) {
	next, end, round := s.queue.span()
	rows, bad, err := s.scanRows(next, end, maxLines)
	if err != nil {
		return nil, s.readFailed(err)
	}
	if len(rows) > 0 {
		last := &rows[len(rows)-1]
		var lines int64
		for i := range rows {
			lines += rows[i].lines
		}
		s.queue.advance(round, last.id+1, lines)
		return rows, nil
	}
	switch {
	case bad != nil && bad.id != next:
		// Its id may be what is wrong, and then the rows are in disorder: to go
		// on behind it would pass over sound ones.
		return nil, s.readFailed(fmt.Errorf("%w: batch %d does not match its checksum, and stands where %d is due", errCorrupt, bad.id, next))
	case bad != nil:
		return nil, s.setAside(bad)
	}
	return nil, s.recount()
}

func (s *Spool) scanRows(next, end int64, maxLines int) (rows []row, bad *badRow, err error) {
	s.readMu.Lock()
	defer s.readMu.Unlock()
	if s.rows == nil {
		return nil, nil, s.shut()
	}
	var lines int64
	var r row
	result, err := s.rows.QueryContext(background, next)
	err = eachRow(result, err, func() error {
		r = row{}
		var prints, body sql.RawBytes
		var origin string
		if err := result.Scan(&r.id, &r.time, &origin, &r.lines, &r.crc, &prints, &body); err != nil && r.id < end {
			bad = &badRow{id: r.id, left: unknown} // not even of the right types
			return errStop
		}
		if r.id >= end {
			return errStop
		}
		r.origin = Origin(origin)
		r.prints, r.body = prints, body
		if r.sum() != r.crc {
			bad = &badRow{id: r.id, lines: r.lines, left: int64(bytes.Count(body, []byte{'\n'}))}
			return errStop
		}
		if len(rows) > 0 && lines+r.lines > int64(maxLines) {
			return errStop
		}
		r.prints, r.body = bytes.Clone(prints), bytes.Clone(body)
		rows = append(rows, r)
		if lines += r.lines; lines >= int64(maxLines) {
			return errStop
		}
		return nil
	})
	if err = unlessStopped(err); err != nil {
		return nil, nil, err
	}
	return rows, bad, nil
}

// Done reports that the sink has taken the chunk, but for the lines in refused,
// which go to quarantine. Chunks may be done in any order; the cursor follows
// the unbroken prefix. The report is committed, all of it at once, with the next
// Append or within moments by itself: after a crash before that the chunk is
// handed out again and counted once. Done does not wait for the disk unless
// much has gathered.
func (s *Spool) Done(ctx context.Context, sink string, c Chunk, refused []Entry) error {
	if sink != Sink {
		return fmt.Errorf("spool: no cursor for sink %q", sink)
	}
	if s.closed.Load() {
		return ErrClosed
	}
	if len(refused) > c.Count {
		return fmt.Errorf("spool: %d lines refused of %d", len(refused), c.Count)
	}
	if !s.queue.finish(c.Round, c.First, c.Last, refused) {
		return fmt.Errorf("spool: rows %d to %d are not on their way", c.First, c.Last)
	}
	if s.queue.unsettled() >= settleBatch && s.mu.TryLock() {
		defer s.mu.Unlock()
		if s.usable(ctx) == nil {
			s.tidyUp()
		}
	}
	return nil
}

// settle moves the cursor over the finished chunks, within a transaction.
func (s *Spool) settle(d *settled, c *change) error {
	first, last := d.chunks[0].first, d.chunks[len(d.chunks)-1].last
	if _, err := s.w.remove.ExecContext(background, first, last); err != nil {
		return fmt.Errorf("delete delivered: %w", err)
	}
	if _, err := s.w.setCursor.ExecContext(background, last, cursorSum(Sink, last), Sink); err != nil {
		return fmt.Errorf("move cursor: %w", err)
	}
	for _, h := range d.chunks {
		refused := int64(len(h.refused))
		c.lines -= h.lines
		c.ledger.Written += h.lines - refused
		c.ledger.Refused += refused
		if err := s.quarantine(h.refused, c); err != nil {
			return err
		}
		if err := s.keepPrints(h.time, h.prints, c); err != nil {
			return err
		}
	}
	c.bytes += 8 * pageSize
	return nil
}

// housekeep is what needs doing now and then; a waiting Next does it.
func (s *Spool) housekeep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() {
		return
	}
	s.tidyUp()
	if s.db != nil && time.Since(s.tidy.polled) >= pollEvery {
		if err := s.adopt(); err != nil {
			s.fail(err)
		}
	}
}

// tidyUp commits what is settled, and sees whether what was refused may be
// accepted again. An error is kept as the reason for refusing, and what was to
// be committed is tried again.
func (s *Spool) tidyUp() {
	if s.db == nil {
		s.salvageAgain()
		return
	}
	if err := s.flush(); err != nil {
		s.fail(err)
		return
	}
	s.recoverRoom()
}

// flush commits what is settled. Where the disk is full, it spends the reserve.
func (s *Spool) flush() error {
	if s.queue.unsettled() == 0 {
		return nil
	}
	err := s.store(nil, nil)
	if errors.Is(err, ErrDiskFull) && s.reserve.spend(&s.log) {
		_ = s.refuse(ErrDiskFull)
		err = s.store(nil, nil)
	}
	return err
}
