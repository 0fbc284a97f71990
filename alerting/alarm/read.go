package alarm

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/rs/zerolog"
)

// maxLimit bounds what one call of Transitions returns: about 4 MB.
const maxLimit = 5000

// errMismatch: a row does not match its checksum.
var errMismatch = errors.New("it does not match its checksum")

// Reader reads the journal's file while no service, or another process, writes
// it. It changes nothing.
type Reader struct {
	store *store
	log   zerolog.Logger
}

// OpenReadOnly opens the file for reading, beside a running service or without
// one. It fails with an error that wraps os.ErrNotExist where there is none.
func OpenReadOnly(_ context.Context, path string, log zerolog.Logger) (*Reader, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open alarm journal: %w", err)
	}
	s, err := connect(path, "query_only(1)")
	if err != nil {
		return nil, fmt.Errorf("open alarm journal %s: %w", path, err)
	}
	var version int
	err = s.conn.QueryRowContext(background, "PRAGMA user_version").Scan(&version)
	if err == nil && version != len(migrations) {
		err = fmt.Errorf("%w: the file has schema %d, this program reads %d", ErrSchema, version, len(migrations))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open alarm journal %s: %w", path, classify(err)), s.close())
	}
	return &Reader{s, log}, nil
}

// Close closes the file.
func (r *Reader) Close() error { return r.store.close() }

// List returns the alarms that are not normal, by id, as of the last commit.
func (r *Reader) List(ctx context.Context) ([]Alarm, error) {
	var list []Alarm
	err := r.store.alarms(ctx, func(rec *record, err error) {
		switch {
		case err != nil:
			r.log.Error().Err(err).Msg("a stored alarm cannot be read: left out")
		case rec.Alarm.State != Normal:
			list = append(list, rec.Alarm)
		}
	})
	return list, err
}

// Get returns an alarm, or its last state where it is normal again. ErrUnknown
// where the journal does not know it.
func (r *Reader) Get(ctx context.Context, id string) (Alarm, error) {
	list, err := r.List(ctx)
	if err != nil {
		return Alarm{}, err
	}
	for _, a := range list {
		if a.ID == id {
			return a, nil
		}
	}
	t, err := r.store.last(ctx, id)
	return t.Alarm, err
}

// Transitions is Book.Transitions.
func (r *Reader) Transitions(ctx context.Context, after int64, limit int) ([]Transition, error) {
	return r.store.transitions(ctx, r.log, after, limit)
}

// alarms calls f with each stored alarm, by id. A row that does not match its
// checksum comes as an error.
func (s *store) alarms(ctx context.Context, f func(*record, error)) error {
	rows, err := s.db.QueryContext(ctx, "SELECT id, crc, body FROM alarm ORDER BY id")
	if err != nil {
		return fmt.Errorf("read alarms: %w", classify(err))
	}
	for rows.Next() {
		var (
			id   string
			crc  int64
			body []byte
		)
		if err = rows.Scan(&id, &crc, &body); err != nil {
			break
		}
		r := new(record)
		f(r, decode(r, body, crc == alarmSum(id, body), "alarm "+id))
	}
	if err = classify(errors.Join(err, rows.Err(), rows.Close())); err != nil {
		return fmt.Errorf("read alarms: %w", err)
	}
	return nil
}

func decode(into any, body []byte, sound bool, what string) error {
	if !sound {
		return fmt.Errorf("%s: %w", what, errMismatch)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// transitions reads lines after a number. Damaged ones are left out, loudly: a
// reader must not stand still before them for ever.
func (s *store) transitions(ctx context.Context, log zerolog.Logger, after int64, limit int) ([]Transition, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT seq, crc, body FROM journal WHERE seq>? ORDER BY seq LIMIT ?",
		after, min(max(limit, 1), maxLimit))
	if err != nil {
		return nil, fmt.Errorf("read transitions: %w", classify(err))
	}
	var list []Transition
	for rows.Next() {
		t, err := scan(rows)
		if errors.Is(err, errMismatch) {
			log.Error().Err(err).Msg("a line of the alarm journal cannot be read: left out")
			continue
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("read transitions: %w", classify(err)), rows.Close())
		}
		list = append(list, t)
	}
	if err := classify(errors.Join(rows.Err(), rows.Close())); err != nil {
		return nil, fmt.Errorf("read transitions: %w", err)
	}
	return list, nil
}

// scan reads one line. The row and rows of database/sql have this in common.
func scan(row interface{ Scan(...any) error }) (t Transition, err error) {
	var (
		seq, crc int64
		body     []byte
	)
	if err := row.Scan(&seq, &crc, &body); err != nil {
		return t, err
	}
	return t, decode(&t, body, crc == lineSum(seq, body), fmt.Sprintf("transition %d", seq))
}

// last is the newest line about an alarm; ErrUnknown where there is none.
func (s *store) last(ctx context.Context, id string) (Transition, error) {
	t, err := scan(s.db.QueryRowContext(ctx,
		"SELECT seq, crc, body FROM journal WHERE alarm=? ORDER BY seq DESC LIMIT 1", id))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return t, fmt.Errorf("%w: %s", ErrUnknown, id)
	case err != nil:
		return t, fmt.Errorf("read alarm journal: %w", classify(err))
	}
	return t, nil
}
