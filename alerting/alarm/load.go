package alarm

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rs/zerolog"
)

// load reads the file into the machine.
func (b *Book) load() error {
	records, err := b.store.records(b.log)
	if err != nil {
		return err
	}
	if b.machine.seq, b.seen, err = b.store.book(); err != nil {
		return err
	}
	if b.oldest, err = b.store.first(); err != nil {
		return err
	}
	for _, r := range records {
		r.Status.loaded = r.Status.Phase == pending
		b.machine.records[r.Alarm.Key] = r
	}
	return b.loadRecent()
}

func (b *Book) loadRecent() error {
	tail, err := b.store.tail(rateWindow)
	if err != nil {
		return err
	}
	var r recent
	r.add(tail)
	slices.SortStableFunc(r, func(x, y raised) int { return cmp.Compare(x.time, y.time) })
	b.state.Lock()
	b.recent = r
	b.state.Unlock()
	return nil
}

// records reads all alarms. One that does not match its checksum is deleted,
// loudly: if its condition still holds, it is raised once more.
func (s *store) records(log zerolog.Logger) (list []*record, err error) {
	var bad []error
	err = s.alarms(background, func(r *record, err error) {
		if err != nil {
			bad = append(bad, err)
			return
		}
		list = append(list, r)
	})
	for _, b := range bad {
		log.Error().Err(b).Msg("a stored alarm is damaged: it is forgotten, and raised again if it still holds")
	}
	if len(bad) > 0 && err == nil {
		err = s.dropDamaged(list)
	}
	return list, err
}

// dropDamaged deletes the rows that are not among the sound ones.
func (s *store) dropDamaged(sound []*record) error {
	return s.transact(func() error {
		if _, err := s.conn.ExecContext(background, "DELETE FROM alarm"); err != nil {
			return err
		}
		var e entry
		for _, r := range sound {
			e.dirty = append(e.dirty, &turn{next: *r})
		}
		return insertAll(s.putAlarm, s.putAlarms, e.rows().alarms, 3)
	})
}

// book reads the last number and until when conditions were looked at.
func (s *store) book() (seq, seen int64, err error) {
	var crc, last, rows int64
	err = s.conn.QueryRowContext(background,
		"SELECT coalesce((SELECT max(seq) FROM journal), 0), (SELECT count(*) FROM alarm)").Scan(&last, &rows)
	if err != nil {
		return 0, 0, classify(err)
	}
	err = s.conn.QueryRowContext(background, "SELECT seq, seen, crc FROM book WHERE id=1").Scan(&seq, &seen, &crc)
	switch {
	case errors.Is(err, sql.ErrNoRows) && last == 0 && rows == 0:
		return 0, 0, nil // it is new
	case errors.Is(err, sql.ErrNoRows):
		return 0, 0, fmt.Errorf("%w: its numbers are missing", errCorrupt)
	case err != nil:
		return 0, 0, classify(err)
	case crc != bookSum(seq, seen) || last > seq:
		return 0, 0, fmt.Errorf("%w: its numbers do not add up", errCorrupt)
	}
	return seq, seen, nil
}

// maxTail bounds what is read for the figures after a start.
const maxTail = 20000

// tail reads the lines of the last while before the newest, newest first.
// Damaged ones are left out: they are reported when somebody reads them.
func (s *store) tail(while time.Duration) ([]Transition, error) {
	rows, err := s.db.QueryContext(background, "SELECT seq, crc, body FROM journal ORDER BY seq DESC LIMIT ?", maxTail)
	if err != nil {
		return nil, fmt.Errorf("read the end of the journal: %w", classify(err))
	}
	var list []Transition
	for rows.Next() {
		t, scanErr := scan(rows)
		if errors.Is(scanErr, errMismatch) {
			continue
		}
		if err = scanErr; err != nil {
			break
		}
		if len(list) > 0 && list[0].Time.Sub(t.Time) > while {
			break
		}
		list = append(list, t)
	}
	if err = classify(errors.Join(err, rows.Err(), rows.Close())); err != nil {
		return nil, fmt.Errorf("read the end of the journal: %w", err)
	}
	return list, nil
}
