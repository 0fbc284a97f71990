package spool

import (
	"errors"
	"fmt"
)

// badRow is a row that does not match its checksum.
type badRow struct {
	id    int64
	lines int64 // as the row says
	left  int64 // newlines in what is left of it, or unknown
}

const unknown = -1

// setAside moves a damaged row to the table damaged and counts its lines as
// lost, so that the stream goes on.
func (s *Spool) setAside(bad *badRow) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(background); err != nil {
		return err
	}
	_, _, round := s.queue.span()
	now := s.opts.Now().UnixMilli()
	err := s.store(nil, func(c *change) error {
		if _, err := s.w.conn.ExecContext(background,
			`INSERT OR REPLACE INTO damaged (id, found, time, origin, lines, crc, prints, body)
			 SELECT id, ?, time, origin, lines, crc, prints, body FROM batch WHERE id=?`, now, bad.id); err != nil {
			return err
		}
		if _, err := s.w.remove.ExecContext(background, bad.id, bad.id); err != nil {
			return err
		}
		c.lines -= bad.lines
		c.ledger.Lost += bad.lines
		return nil
	})
	if err != nil {
		return s.unlessSalvaged(fmt.Errorf("set aside damaged batch %d: %w", bad.id, err))
	}
	s.log.Error().Int64("batch", bad.id).Int64("lines", bad.lines).
		Msg("a spooled batch does not match its checksum: lost, kept in table damaged")
	s.queue.advance(round, bad.id+1, bad.lines)
	s.queue.hand(round, &handout{first: bad.id, last: bad.id, rows: 1, done: true})
	if bad.lines != bad.left {
		return s.recountLocked() // its number of lines may be what is wrong
	}
	return nil
}

// readFailed turns an error of reading into a salvage where the file is damaged.
func (s *Spool) readFailed(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(background); err != nil {
		return err
	}
	return s.unlessSalvaged(fmt.Errorf("read spool: %w", err))
}

// unlessSalvaged is nil when damage met while handing out has been salvaged: it
// goes on from the cursor. Spool.mu is held.
func (s *Spool) unlessSalvaged(err error) error {
	s.fail(err)
	if errors.Is(err, errCorrupt) && s.db != nil {
		return nil
	}
	return err
}

// recount sums the stored rows again, when the tally promised some that are not
// there, and counts as lost what the ledger has more.
func (s *Spool) recount() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(background); err != nil {
		return err
	}
	return s.recountLocked()
}

func (s *Spool) recountLocked() error {
	if err := s.adopt(); err != nil {
		return s.unlessSalvaged(err)
	}
	next, end, _ := s.queue.span()
	underWay := s.queue.underWay() // the holder of the turn is here: no more can come
	var all, waiting, lost int64
	err := s.store(nil, func(c *change) error {
		if err := s.w.conn.QueryRowContext(background,
			"SELECT coalesce(sum(lines),0), coalesce(sum(iif(id>=? AND id<?,lines,0)),0) FROM batch", next, end).Scan(&all, &waiting); err != nil {
			return err
		}
		if stray := all - waiting - underWay; stray > 0 {
			return fmt.Errorf("%w: batches of %d lines are out of order", errCorrupt, stray)
		}
		l, err := readLedger(s.w.conn)
		if err != nil {
			return err
		}
		lost = l.unaccountedLines(all)
		c.lines += all - s.tidy.pendingLines
		c.ledger.Lost += max(0, lost)
		c.ledger.LinesReading += max(0, -lost)
		return nil
	})
	if err != nil {
		return s.unlessSalvaged(fmt.Errorf("count the spool again: %w", err))
	}
	s.log.Error().Int64("lost_lines", lost).Int64("pending_lines", s.tidy.pendingLines).
		Msg("spooled batches are missing: counted again")
	s.queue.correct(waiting)
	return nil
}
