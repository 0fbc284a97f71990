package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
)

// closed is what a clean Close leaves beside the file, in spool.db.closed:
// ledger and cursor. Should the file be destroyed while nothing runs, its own
// ledger with it, they tell how much was in it. Open takes the copy away again
// before anything can change, Attach too, so that it is never out of date.
type closed struct {
	Position int64            `json:"position"`
	Counters map[string]int64 `json:"counters"` // by column
	Sum      uint32           `json:"sum"`
}

// sum is the CRC-32C of the rest.
func (c closed) sum() uint32 {
	c.Sum = 0
	text, err := json.Marshal(c) // with the keys in order
	if err != nil {
		panic(err) // numbers and names
	}
	return crc32.Checksum(text, castagnoli)
}

// leave writes the copy. Without it, only the exact count of what a later
// damage destroys is at stake: to close is more important.
func (s *Spool) leave() {
	if err := s.writeClosed(); err != nil {
		s.log.Warn().Err(err).Msg("no copy of the ledger could be left beside the closed spool")
	}
}

func (s *Spool) writeClosed() error {
	position, err := s.readCursor()
	if err != nil {
		return err
	}
	l, err := readLedger(s.w.conn)
	if err != nil {
		return classify(err)
	}
	c := closed{Position: position, Counters: make(map[string]int64, len(counters))}
	for i := range counters {
		c.Counters[counters[i].column] = *counters[i].field(&l)
	}
	c.Sum = c.sum()
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	next := s.opts.file(".closed.next")
	if err := writeSynced(next, text); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	if err := os.Rename(next, s.opts.file(".closed")); err != nil {
		return err
	}
	return syncDir(s.opts.Dir)
}

func writeSynced(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// readClosed returns what the last Close has left; nil where it has left
// nothing that can be trusted.
func readClosed(o Options) *closed {
	text, err := os.ReadFile(o.file(".closed"))
	if err != nil {
		return nil // the last end was no Close, or this is the first start
	}
	c := new(closed)
	if err := json.Unmarshal(text, c); err != nil || c.Sum != c.sum() {
		o.Log.Warn().Msg("the copy of the ledger beside the spool is damaged: ignored")
		return nil
	}
	return c
}

// removeClosed takes the copy away, before anything changes.
func removeClosed(o Options) error {
	err := os.Remove(o.file(".closed"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove the copy of the ledger: %w", err)
	}
	return syncDir(o.Dir)
}

func (c *closed) ledger() *Ledger {
	l := new(Ledger)
	for i := range counters {
		*counters[i].field(l) = c.Counters[counters[i].column]
	}
	return l
}

// checkClosed tells a file that was emptied or removed from a new one.
func (s *Spool) checkClosed(c *closed) error {
	l, err := readLedger(s.w.conn)
	if err != nil {
		return classify(err)
	}
	if c != nil && l == (Ledger{}) && *c.ledger() != l {
		return fmt.Errorf("%w: it is empty, and was not when it was closed", errCorrupt)
	}
	return nil
}
