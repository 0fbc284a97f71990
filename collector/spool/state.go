package spool

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// State is something small that the caller must find again after a crash, once
// the batch it came with is committed. Of the same key the last stored stays; it
// has no origin, is not counted in the ledger and never evicted.
type State struct {
	Key   string // 1 to 512 bytes, any
	Value []byte // 1 MiB at most; nil: forget the key
}

// What one State may be.
const (
	maxStateKey   = 512
	maxStateValue = 1 << 20
)

// stateOverhead is what a state takes beside its value: its row, and its key a
// second time in the index.
const stateOverhead = 64

func (st *State) validate() error {
	switch {
	case len(st.Key) == 0 || len(st.Key) > maxStateKey:
		return fmt.Errorf("spool: the key of a state has %d bytes, not 1 to %d", len(st.Key), maxStateKey)
	case len(st.Value) > maxStateValue:
		return fmt.Errorf("spool: the state %q has %d bytes, more than %d", st.Key, len(st.Value), maxStateValue)
	}
	return nil
}

func (st *State) need() int64 { return int64(2*len(st.Key)+len(st.Value)) + stateOverhead }

// sum is the CRC-32C over the key, the time in ms and the value.
func (st *State) sum(time int64) int64 {
	var head [16]byte
	binary.LittleEndian.PutUint64(head[0:], uint64(time))
	binary.LittleEndian.PutUint64(head[8:], uint64(len(st.Key)))
	crc := crc32.Update(crc32.Checksum(head[:], castagnoli), castagnoli, []byte(st.Key))
	return int64(crc32.Update(crc, castagnoli, st.Value))
}

// remember stores the states, within a transaction.
func (s *Spool) remember(states []State) error {
	if len(states) == 0 {
		return nil
	}
	now := s.opts.Now().UnixMilli()
	for i := range states {
		st := &states[i]
		var err error
		if st.Value == nil {
			_, err = s.w.forget.ExecContext(background, st.Key)
		} else {
			_, err = s.w.remember.ExecContext(background, st.Key, now, st.sum(now), st.Value)
		}
		if err != nil {
			return fmt.Errorf("remember state: %w", err)
		}
	}
	return nil
}

// States calls f with all that is remembered, in the order of the keys' bytes.
// The value is f's to keep. What does not match its checksum is left out and
// said in the log. f must not use the spool, and should be quick: while it runs,
// the write-ahead log cannot start over. Where the file turns out to be damaged,
// it begins once more with what was salvaged.
func (s *Spool) States(ctx context.Context, f func(State) error) error {
	err := s.readStates(ctx, f)
	if errors.Is(err, errCorrupt) && !s.attached {
		s.mu.Lock()
		s.salvageLive(err)
		s.mu.Unlock()
		err = s.readStates(ctx, f)
	}
	return err
}

// statesQuery passes the index by: a damaged one would hide rows that are sound,
// or let a key be stored twice, of which the later counts.
const statesQuery = "SELECT key, time, crc, value FROM state NOT INDEXED ORDER BY key, time, id"

func (s *Spool) readStates(ctx context.Context, f func(State) error) error {
	s.readMu.Lock()
	defer s.readMu.Unlock()
	if err := s.usable(ctx); err != nil {
		return err
	}
	if s.r == nil {
		return s.shut()
	}
	var last *State // held back until a later one of the same key is ruled out
	rows, err := s.r.QueryContext(background, statesQuery)
	err = eachRow(rows, err, func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		st := s.scanState(rows)
		if st == nil {
			return nil
		}
		before := last
		last = st
		if before == nil || before.Key == st.Key {
			return nil
		}
		return f(*before)
	})
	if err == nil && last != nil {
		err = f(*last)
	}
	if err != nil {
		return fmt.Errorf("read states: %w", err)
	}
	return nil
}

// scanState returns nil for a row that is damaged, or not even of the right types.
func (s *Spool) scanState(rows *sql.Rows) *State {
	st := new(State)
	var time, crc int64
	if err := rows.Scan(&st.Key, &time, &crc, &st.Value); err != nil || st.sum(time) != crc {
		s.log.Error().Str("key", st.Key).Msg("a remembered state does not match its checksum: left out")
		return nil
	}
	if st.Value == nil {
		st.Value = []byte{}
	}
	return st
}
