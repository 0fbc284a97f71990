package alarm

import (
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
)

const (
	insertLine  = "INSERT INTO journal (seq, time, alarm, crc, body) VALUES "
	lineValues  = "(?,?,?,?,?)"
	insertAlarm = "INSERT OR REPLACE INTO alarm (id, crc, body) VALUES "
	alarmValues = "(?,?,?)"
	// atOnce rows go into one statement where there are so many: a storm costs
	// half as much.
	atOnce = 50
	// pruneAtOnce bounds what one step may have to delete.
	pruneAtOnce = 2000
)

func many(values string) string { return strings.Repeat(values+",", atOnce-1) + values }

// entry is what one commit stores.
type entry struct {
	changes
	seen   int64 // ms
	before int64 // lines older than this, ms, and
	upTo   int64 // not after this one are pruned
}

// line is where a line of the journal stands.
type line struct{ seq, time int64 }

// write commits e, all of it or nothing, and returns the oldest line that is
// left, where it has pruned.
func (s *store) write(e entry) (oldest line, err error) {
	lines, puts, drops, err := e.rows()
	if err != nil {
		return line{}, err
	}
	err = s.transact(func() error {
		if err := insertAll(s.addLine, s.addLines, lines, 5); err != nil {
			return err
		}
		if err := insertAll(s.putAlarm, s.putAlarms, puts, 3); err != nil {
			return err
		}
		for _, id := range drops {
			if _, err := s.dropAlarm.ExecContext(background, id); err != nil {
				return err
			}
		}
		if _, err := s.setBook.ExecContext(background, e.seq, e.seen, bookSum(e.seq, e.seen)); err != nil {
			return err
		}
		if e.before == 0 {
			return nil
		}
		if _, err := s.prune.ExecContext(background, e.upTo, e.before, pruneAtOnce); err != nil {
			return err
		}
		oldest, err = s.first()
		return err
	})
	return oldest, err
}

// first is the oldest line of the journal.
func (s *store) first() (l line, err error) {
	err = s.oldest.QueryRowContext(background).Scan(&l.seq, &l.time)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return l, classify(err)
}

// rows encodes e: the values of all rows, one after another.
func (e *entry) rows() (lines, puts []any, drops []string, err error) {
	for i := range e.transitions {
		t := &e.transitions[i]
		body, err := json.Marshal(t)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("encode transition of %s: %w", t.Alarm.ID, err)
		}
		lines = append(lines, t.Seq, t.Time.UnixMilli(), t.Alarm.ID, lineSum(t.Seq, body), string(body))
	}
	for _, t := range e.dirty {
		id := t.next.Alarm.ID
		if t.next.forgettable() {
			drops = append(drops, id)
			continue
		}
		body, err := json.Marshal(&t.next)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("encode alarm %s: %w", id, err)
		}
		puts = append(puts, id, alarmSum(id, body), string(body))
	}
	return lines, puts, drops, nil
}

func insertAll(one, several *sql.Stmt, values []any, columns int) error {
	for len(values) > 0 {
		stmt, n := one, columns
		if len(values) >= atOnce*columns {
			stmt, n = several, atOnce*columns
		}
		if _, err := stmt.ExecContext(background, values[:n]...); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func lineSum(seq int64, body []byte) int64 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(seq))
	return int64(crc32.Update(crc32.Checksum(b[:], castagnoli), castagnoli, body))
}

func alarmSum(id string, body []byte) int64 {
	return int64(crc32.Update(crc32.Checksum([]byte(id), castagnoli), castagnoli, body))
}

func bookSum(seq, seen int64) int64 {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], uint64(seq))
	binary.LittleEndian.PutUint64(b[8:], uint64(seen))
	return int64(crc32.Checksum(b[:], castagnoli))
}
