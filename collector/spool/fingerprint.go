package spool

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"time"
)

// fingerprintWindow is how far back fingerprints are kept, counted from the
// newest stored: a service that was down for a day still knows what it stored
// last, and the broker may send just that again.
const fingerprintWindow = time.Hour

func printsSum(time int64, prints []byte) int64 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(time))
	return int64(crc32.Update(crc32.Checksum(b[:], castagnoli), castagnoli, prints))
}

// keepPrints stores the fingerprints of delivered rows, which are about to go,
// and drops those that are too old or too many.
func (s *Spool) keepPrints(time int64, prints []byte, c *change) error {
	if len(prints) == 0 || s.opts.FingerprintBytes <= 0 {
		return nil
	}
	if _, err := s.w.addPrints.ExecContext(background, time, len(prints), printsSum(time, prints), prints); err != nil {
		return fmt.Errorf("keep fingerprints: %w", err)
	}
	c.printBytes += int64(len(prints))
	c.bytes += int64(len(prints))
	return s.trimPrints(time, c)
}

func (s *Spool) trimPrints(newest int64, c *change) error {
	over := s.tidy.printBytes + c.printBytes - s.opts.FingerprintBytes
	oldest := newest - fingerprintWindow.Milliseconds()
	upTo, freed := int64(0), int64(0)
	rows, err := s.w.oldestPrints.QueryContext(background)
	err = eachRow(rows, err, func() error {
		var id, time, size int64
		if err := rows.Scan(&id, &time, &size); err != nil {
			return err
		}
		if time >= oldest && freed >= over {
			return errStop
		}
		upTo, freed = id, freed+size
		return nil
	})
	if err = unlessStopped(err); err != nil || upTo == 0 {
		return err
	}
	if _, err := s.w.trimPrints.ExecContext(background, upTo); err != nil {
		return fmt.Errorf("trim fingerprints: %w", err)
	}
	c.printBytes -= freed
	return nil
}

// Fingerprints calls f with the stored records of delivered and of pending
// readings, oldest first: those stored within an hour of the newest, and of them
// no more than Options.FingerprintBytes. records is valid during the call. Where
// the file turns out to be damaged, it begins once more with what was salvaged.
func (s *Spool) Fingerprints(ctx context.Context, f func(records []byte) error) error {
	err := s.readPrints(ctx, f)
	if errors.Is(err, errCorrupt) && !s.attached {
		s.mu.Lock()
		s.salvageLive(err)
		s.mu.Unlock()
		err = s.readPrints(ctx, f)
	}
	return err
}

func (s *Spool) readPrints(ctx context.Context, f func(records []byte) error) error {
	s.readMu.Lock()
	defer s.readMu.Unlock()
	if s.r == nil {
		return s.shut()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	tx, err := s.r.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return classify(err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	p := printScan{tx: tx, left: s.opts.FingerprintBytes, delivered: math.MaxInt64}
	if err := p.findStart(); err != nil {
		return fmt.Errorf("read fingerprints: %w", err)
	}
	if err := p.walk(f, &s.opts); err != nil {
		return fmt.Errorf("read fingerprints: %w", err)
	}
	return nil
}

// printScan looks backwards for where to begin, then walks forwards.
type printScan struct {
	tx        *sql.Tx
	left      int64 // bytes that may still be taken
	newest    int64
	delivered int64 // first id to take from table fingerprint
	pending   int64 // first id to take from table batch
	bounded   bool  // the start is found
}

func (p *printScan) findStart() (err error) {
	if p.pending, err = p.back("SELECT id, time, length(prints) FROM batch ORDER BY id DESC"); err != nil {
		return err
	}
	if p.bounded {
		return nil
	}
	p.delivered, err = p.back("SELECT id, time, size FROM fingerprint ORDER BY id DESC")
	return err
}

// back returns the lowest id within the window and the bound.
func (p *printScan) back(query string) (first int64, err error) {
	first = math.MaxInt64
	rows, err := p.tx.QueryContext(background, query)
	err = eachRow(rows, err, func() error {
		var id, time int64
		var size sql.NullInt64
		if err := rows.Scan(&id, &time, &size); err != nil {
			return err
		}
		p.newest = max(p.newest, time)
		if time < p.newest-fingerprintWindow.Milliseconds() || size.Int64 > p.left {
			p.bounded = true
			return errStop
		}
		first = id
		p.left -= size.Int64
		return nil
	})
	return first, unlessStopped(err)
}

func (p *printScan) walk(f func([]byte) error, o *Options) error {
	var time, crc int64
	var prints sql.RawBytes
	rows, err := p.tx.QueryContext(background, "SELECT time, crc, prints FROM fingerprint WHERE id>=? ORDER BY id", p.delivered)
	err = eachRow(rows, err, func() error {
		if err := rows.Scan(&time, &crc, &prints); err != nil {
			return err
		}
		if printsSum(time, prints) != crc {
			o.Log.Warn().Msg("stored fingerprints do not match their checksum: skipped; a redelivery of those readings would be stored again")
			return nil
		}
		return f(prints)
	})
	if err != nil {
		return err
	}
	rows, err = p.tx.QueryContext(background, "SELECT prints FROM batch WHERE id>=? ORDER BY id", p.pending)
	return eachRow(rows, err, func() error {
		if err := rows.Scan(&prints); err != nil {
			return err
		}
		if len(prints) == 0 {
			return nil
		}
		return f(prints)
	})
}
