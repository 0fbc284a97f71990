package spool

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
)

// Payloads beyond maxPayload, or beyond a quarter of the quarantine's cap, keep
// only their first keptPayload bytes, their size and their SHA-256.
const (
	maxPayload  = 16 << 20
	keptPayload = 64 << 10
)

// entryOverhead is what an entry is reckoned to take beside its texts.
const entryOverhead = 160

// The kinds of entries.
const (
	KindMessage = "message" // a raw message that could not be decoded
	KindLine    = "line"    // a line of line protocol that the sink refused for good
)

// Entry is one thing in quarantine.
type Entry struct {
	ID       int64  // set by the spool
	Time     int64  // ms since the epoch when it was quarantined; set by the spool where 0
	Kind     string // KindMessage or KindLine
	Topic    string // as received; it need not be legal UTF-8
	Payload  []byte // the whole, or its start; nil in a List
	Size     int64  // bytes of the whole payload; set by the spool where 0
	SHA256   []byte // of the whole payload, where only its start is kept
	Reason   string // a code
	Detail   string // for people
	QoS      byte
	Retained bool
	Received int64 // ms since the epoch when the message arrived
}

// Truncated reports whether only the start of the payload was kept.
func (e *Entry) Truncated() bool { return len(e.SHA256) > 0 }

func (e *Entry) cost() int64 {
	return int64(len(e.Topic)+len(e.Payload)+len(e.Reason)+len(e.Detail)) + entryOverhead
}

// sum is the CRC-32C over what is kept.
func (e *Entry) sum() int64 {
	var b bytes.Buffer
	for _, n := range []int64{e.ID, e.Time, int64(e.QoS), boolInt(e.Retained), e.Received, e.Size, int64(len(e.Topic)), int64(len(e.Detail))} {
		_ = binary.Write(&b, binary.LittleEndian, n) // a bytes.Buffer takes everything
	}
	for _, text := range []string{e.Kind, e.Topic, e.Reason, e.Detail} {
		b.WriteString(text)
	}
	b.Write(e.SHA256)
	return int64(crc32.Update(crc32.Checksum(b.Bytes(), castagnoli), castagnoli, e.Payload))
}

func boolInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// complete is the entry as it is stored, shortened where too long.
func (s *Spool) complete(e Entry, id int64) Entry {
	e.ID = id
	if e.Time == 0 {
		e.Time = s.opts.Now().UnixMilli()
	}
	if e.Size == 0 {
		e.Size = int64(len(e.Payload))
	}
	limit := min(maxPayload, int64(s.opts.Quarantine.MaxBytes)/4)
	if int64(len(e.Payload)) > limit {
		sum := sha256.Sum256(e.Payload)
		e.SHA256, e.Payload = sum[:], e.Payload[:keptPayload]
	}
	if e.Payload == nil {
		e.Payload = []byte{}
	}
	return e
}

const entryColumns = "id, time, kind, topic, reason, detail, qos, retained, received, size, sha256, cost, crc, payload"

// quarantine stores entries and evicts the oldest beyond the cap, within a
// transaction.
func (s *Spool) quarantine(entries []Entry, c *change) error {
	if len(entries) == 0 {
		return nil
	}
	id, err := number(s.w.lastEntry) // an id for each ever added: none is used again
	if err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	for i := range entries {
		id++
		e := s.complete(entries[i], id)
		if _, err := s.w.addEntry.ExecContext(background, e.ID, e.Time, e.Kind, e.Topic, e.Reason, e.Detail,
			e.QoS, e.Retained, e.Received, e.Size, e.SHA256, e.cost(), e.sum(), e.Payload); err != nil {
			return fmt.Errorf("quarantine: %w", err)
		}
		c.ledger.kept.entries++
		c.ledger.kept.bytes += e.cost()
		c.ledger.QuarantineAdded++
	}
	return s.evictEntries(c)
}

// evictEntries drops the oldest while the cap is exceeded, and a little more, so
// that a flood does not evict with every message.
func (s *Spool) evictEntries(c *change) error {
	limit := int64(s.opts.Quarantine.MaxBytes)
	if s.attached {
		if err := s.readKept(); err != nil {
			return err
		}
	}
	over := s.tidy.kept.bytes + c.ledger.kept.bytes - limit
	if over <= 0 {
		return nil
	}
	over += limit / 64
	var upTo, freed, n int64
	rows, err := s.w.oldestEntries.QueryContext(background)
	err = eachRow(rows, err, func() error {
		if freed >= over {
			return errStop
		}
		var cost int64
		if err := rows.Scan(&upTo, &cost); err != nil {
			return err
		}
		freed += cost
		n++
		return nil
	})
	if err = unlessStopped(err); err != nil {
		return fmt.Errorf("evict from quarantine: %w", err)
	}
	if _, err := s.w.evict.ExecContext(background, upTo); err != nil {
		return fmt.Errorf("evict from quarantine: %w", err)
	}
	c.ledger.kept.entries -= n
	c.ledger.kept.bytes -= freed
	c.ledger.QuarantineEvicted += n
	return nil
}

// Filter selects quarantine entries; zero fields select everything.
type Filter struct {
	Kind   string
	Reason string
	Topic  string // a substring
	Since  int64  // ms since the epoch, inclusive
	Until  int64  // ms since the epoch, exclusive
}

// where ends in a condition that a further one may follow with AND.
func (f Filter) where() (string, []any) {
	conds, args := []string{"1=1"}, []any(nil)
	add := func(set bool, cond string, arg any) {
		if set {
			conds, args = append(conds, cond), append(args, arg)
		}
	}
	add(f.Kind != "", "kind=?", f.Kind)
	add(f.Reason != "", "reason=?", f.Reason)
	add(f.Topic != "", "instr(topic,?)>0", f.Topic)
	add(f.Since != 0, "time>=?", f.Since)
	add(f.Until != 0, "time<?", f.Until)
	return strings.Join(conds, " AND "), args
}

// Page is a part of a listing: entries with ids above After, oldest first.
type Page struct {
	After int64
	Limit int // 100 where 0
}

// List returns entries without their payloads.
func (s *Spool) List(ctx context.Context, f Filter, p Page) ([]Entry, error) {
	s.readMu.Lock()
	defer s.readMu.Unlock()
	if s.r == nil {
		return nil, s.shut()
	}
	if p.Limit <= 0 {
		p.Limit = 100
	}
	where, args := f.where()
	rows, err := s.r.QueryContext(ctx, "SELECT id, time, kind, topic, reason, detail, qos, retained, received, size, sha256 FROM quarantine WHERE "+
		where+" AND id>? ORDER BY id LIMIT ?", append(args, p.After, p.Limit)...)
	var list []Entry
	err = eachRow(rows, err, func() error {
		var e Entry
		err := rows.Scan(&e.ID, &e.Time, &e.Kind, &e.Topic, &e.Reason, &e.Detail,
			&e.QoS, &e.Retained, &e.Received, &e.Size, &e.SHA256)
		list = append(list, e)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list quarantine: %w", err)
	}
	return list, nil
}

// Get returns one entry with its payload, ErrNotFound, or with ErrDamaged what
// the disk still holds of it.
func (s *Spool) Get(ctx context.Context, id int64) (Entry, error) {
	s.readMu.Lock()
	defer s.readMu.Unlock()
	if s.r == nil {
		return Entry{}, s.shut()
	}
	var e Entry
	var crc int64
	err := s.r.QueryRowContext(ctx, "SELECT id, time, kind, topic, reason, detail, qos, retained, received, size, sha256, crc, payload FROM quarantine WHERE id=?", id).
		Scan(&e.ID, &e.Time, &e.Kind, &e.Topic, &e.Reason, &e.Detail, &e.QoS, &e.Retained, &e.Received, &e.Size, &e.SHA256, &crc, &e.Payload)
	switch {
	case err == sql.ErrNoRows:
		return Entry{}, fmt.Errorf("quarantine entry %d: %w", id, ErrNotFound)
	case err != nil:
		return Entry{}, fmt.Errorf("quarantine entry %d: %w", id, classify(err))
	case e.sum() != crc:
		return e, fmt.Errorf("quarantine entry %d: %w", id, ErrDamaged)
	}
	return e, nil
}

// Drop removes the given entries, counts them and returns how many there were.
func (s *Spool) Drop(ctx context.Context, ids ...int64) (dropped int64, err error) {
	return s.drop(ctx, func(c *change) (n int64, err error) {
		for _, id := range ids {
			one, err := s.removeEntries("id=?", []any{id}, c)
			if err != nil {
				return 0, err
			}
			n += one
		}
		return n, nil
	})
}

// DropAll removes the entries that f selects, counts them and returns how many
// there were.
func (s *Spool) DropAll(ctx context.Context, f Filter) (dropped int64, err error) {
	where, args := f.where()
	return s.drop(ctx, func(c *change) (int64, error) { return s.removeEntries(where, args, c) })
}

func (s *Spool) drop(ctx context.Context, remove func(*change) (int64, error)) (n int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(ctx); err != nil {
		return 0, err
	}
	err = s.salvaging(func() error {
		return s.store(nil, func(c *change) (err error) {
			n, err = remove(c)
			c.ledger.QuarantineDropped += n
			return err
		})
	})
	if err != nil {
		return 0, fmt.Errorf("drop from quarantine: %w", err)
	}
	return n, nil
}

// removeEntries deletes within a transaction.
func (s *Spool) removeEntries(where string, args []any, c *change) (n int64, err error) {
	var bytes int64
	err = s.w.conn.QueryRowContext(background, "SELECT count(*), coalesce(sum(cost),0) FROM quarantine WHERE "+where, args...).Scan(&n, &bytes)
	if err != nil || n == 0 {
		return 0, err
	}
	if _, err := s.w.conn.ExecContext(background, "DELETE FROM quarantine WHERE "+where, args...); err != nil {
		return 0, err
	}
	c.ledger.kept.entries -= n
	c.ledger.kept.bytes -= bytes
	return n, nil
}

// Replay removes the entry and stores b, which was made of it, in its place: in
// one transaction, with origin Replay. Errors are those of Append, or
// ErrNotFound.
func (s *Spool) Replay(ctx context.Context, id int64, b *Batch) error {
	b.Origin = Replay
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
	err := s.salvaging(func() error {
		return s.store(b, func(c *change) error {
			n, err := s.removeEntries("id=?", []any{id}, c)
			if err == nil && n == 0 {
				err = ErrNotFound
			}
			c.ledger.QuarantineReplayed += n
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("replay quarantine entry %d: %w", id, err)
	}
	return nil
}
