package alarm

import (
	"database/sql"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
)

// Statements and bounds of a commit.
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
	rows := e.rows()
	err = s.transact(func() error {
		if err := insertAll(s.addLine, s.addLines, rows.lines, 5); err != nil {
			return err
		}
		if err := insertAll(s.putAlarm, s.putAlarms, rows.alarms, 3); err != nil {
			return err
		}
		for _, id := range rows.drops {
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

// rows are the values of the rows of a commit, one after another.
type rows struct {
	lines, alarms []any
	drops         []string
	alarm, text   []byte // memory for the text under construction
}

func (e *entry) rows() *rows {
	r := &rows{lines: make([]any, 0, 5*len(e.transitions)), alarms: make([]any, 0, 3*len(e.dirty))}
	ts := e.transitions
	for _, t := range e.dirty {
		n := len(t.events)
		r.add(t, ts[:n])
		ts = ts[n:]
	}
	return r
}

// add encodes what became of one alarm: its transitions and its last state.
// That is also the one in the last transition, but under a cover, where things
// change that are told to nobody.
func (r *rows) add(t *turn, ts []Transition) {
	id := t.next.Alarm.ID
	for i := range ts {
		r.alarm = appendAlarm(r.alarm[:0], &ts[i].Alarm)
		r.text = appendLine(r.text[:0], &ts[i], r.alarm)
		r.lines = append(r.lines, ts[i].Seq, ts[i].Time.UnixMilli(), id, lineSum(ts[i].Seq, r.text), string(r.text))
	}
	if t.next.forgettable() {
		r.drops = append(r.drops, id)
		return
	}
	if len(ts) == 0 || t.next.Alarm.Under != "" {
		r.alarm = appendAlarm(r.alarm[:0], &t.next.Alarm)
	}
	r.text = appendRecord(r.text[:0], &t.next, r.alarm)
	r.alarms = append(r.alarms, id, alarmSum(id, r.text), string(r.text))
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
	return sum(b[:], body)
}

func alarmSum(id string, body []byte) int64 { return sum([]byte(id), body) }

func bookSum(seq, seen int64) int64 {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], uint64(seq))
	binary.LittleEndian.PutUint64(b[8:], uint64(seen))
	return sum(b[:], nil)
}

// sum is the CRC-32C of both.
func sum(head, body []byte) int64 {
	return int64(crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, body))
}
