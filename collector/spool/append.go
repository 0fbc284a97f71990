package spool

import (
	"context"
	"fmt"
	"time"
)

// Append stores b and returns once it is on disk. On any error nothing of b is
// stored; with ErrFull, ErrDiskFull and ErrMedium the caller keeps b and tries
// again when Accepting says so. ctx is looked at before the commit begins, not
// after. b is the caller's again on return.
func (s *Spool) Append(ctx context.Context, b *Batch) error {
	if err := b.validate(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(ctx); err != nil {
		return err
	}
	if err := s.admit(b.need()); err != nil {
		return err
	}
	err := s.salvaging(func() error { return s.store(b, nil) })
	if err != nil {
		s.fail(err)
		return fmt.Errorf("append: %w", err)
	}
	return nil
}

func (s *Spool) usable(ctx context.Context) error {
	if s.closed.Load() {
		return ErrClosed
	}
	return ctx.Err()
}

// ready is usable for those who hold Spool.mu: the file is open as well, unless
// it could not be salvaged.
func (s *Spool) ready(ctx context.Context) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	if s.db == nil {
		s.tidyUp()
	}
	if s.db == nil {
		return s.shut()
	}
	return nil
}

// shut says why there is no connection.
func (s *Spool) shut() error {
	if s.closed.Load() {
		return ErrClosed
	}
	return fmt.Errorf("%w: the damaged spool file could not be salvaged", ErrMedium)
}

// store commits, in one transaction, the batch b, whatever Done has settled so
// far, and what also does. Either may be nil. Spool.mu is held.
func (s *Spool) store(b *Batch, also func(*change) error) error {
	s.committing.Store(time.Now().UnixNano())
	defer s.committing.Store(0)
	settled := s.queue.takeSettled()
	c, err := s.transact(b, settled, also)
	if isConstraint(err) && !s.attached {
		// Another process has appended under our next id: take note of its rows
		// and come after them. Within the transaction there can be no more.
		c, err = s.transact(b, settled, func(c *change) error {
			if err := s.adopt(); err != nil || also == nil {
				return err
			}
			return also(c)
		})
	}
	if err != nil {
		s.queue.putBack(settled)
		return err
	}
	s.applied(c)
	return nil
}

// change is what a transaction does to the tally, once it is committed.
type change struct {
	ledger     Ledger
	row        *row // appended
	lines      int64
	printBytes int64
	bytes      int64 // roughly written
}

func (s *Spool) transact(b *Batch, settled *settled, also func(*change) error) (*change, error) {
	c := new(change)
	return c, s.w.transact(func() error {
		if also != nil {
			if err := also(c); err != nil {
				return err
			}
		}
		if settled != nil {
			if err := s.settle(settled, c); err != nil {
				return err
			}
		}
		if b != nil {
			if err := s.insert(b, c); err != nil {
				return err
			}
		}
		return s.w.ledger.add(&c.ledger)
	})
}

func (s *Spool) insert(b *Batch, c *change) error {
	reported := b.Ledger.reported()
	c.ledger.Add(&reported)
	c.bytes += b.need()
	if b.LineCount > 0 {
		if err := s.insertRow(b, c); err != nil {
			return err
		}
	}
	if err := s.remember(b.State); err != nil {
		return err
	}
	return s.quarantine(b.Quarantine, c)
}

func (s *Spool) insertRow(b *Batch, c *change) error {
	id := s.tidy.nextID
	if s.attached {
		var err error
		if id, err = s.w.nextID(); err != nil {
			return err
		}
	}
	r := &row{
		id: id, time: s.opts.Now().UnixMilli(), origin: b.Origin, lines: int64(b.LineCount),
		prints: b.Fingerprints, body: b.Lines,
	}
	r.crc = r.sum()
	if _, err := s.w.insert.ExecContext(background, r.id, r.time, string(r.origin), r.lines, r.crc, r.prints, r.body); err != nil {
		return fmt.Errorf("insert batch: %w", err)
	}
	c.row = r
	c.lines += r.lines
	c.ledger.addLines(r.origin, r.lines)
	return nil
}

// applied moves the tally and hands the row on, after a commit.
func (s *Spool) applied(c *change) {
	t := &s.tidy
	t.pendingLines += c.lines
	t.kept.entries += c.ledger.kept.entries
	t.kept.bytes += c.ledger.kept.bytes
	t.printBytes += c.printBytes
	t.room.unseen += c.bytes
	if c.row != nil {
		t.nextID = c.row.id + 1
		s.queue.publish(c.row)
	}
}
