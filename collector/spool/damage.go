package spool

import (
	"fmt"
)

// setAside moves a row that does not match its checksum to the table damaged and
// counts its lines as lost, so that the stream goes on.
func (s *Spool) setAside(bad *row) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opts.Now().UnixMilli()
	err := s.store(nil, func(c *change) error {
		if _, err := s.w.conn.ExecContext(background,
			`INSERT OR REPLACE INTO damaged (id, found, time, origin, lines, crc, prints, body)
			 SELECT id, ?, time, origin, lines, crc, prints, body FROM batch WHERE id=?`, now, bad.id); err != nil {
			return fmt.Errorf("set aside: %w", err)
		}
		if _, err := s.w.remove.ExecContext(background, bad.id, bad.id); err != nil {
			return fmt.Errorf("set aside: %w", err)
		}
		c.lines -= bad.lines
		c.ledger.Lost += bad.lines
		return nil
	})
	if err != nil {
		s.fail(err)
		return fmt.Errorf("set aside batch %d: %w", bad.id, err)
	}
	s.log.Error().Int64("batch", bad.id).Int64("lines", bad.lines).
		Msg("a spooled batch does not match its checksum: lost, kept in table damaged")
	s.queue.advance(bad.id+1, bad.lines)
	s.queue.hand(&handout{first: bad.id, last: bad.id, rows: 1, done: true})
	return nil
}

func (s *Spool) readFailed(err error) error    { return err }
func (s *Spool) missing(next, end int64) error { return nil }
