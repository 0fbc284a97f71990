package notify

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/message"
)

// load reads what planning remembers. Rows that were being sent when the last
// process ended are taken for unsent and marked as repeated. An entry that does
// not match its checksum is dropped, loudly; the others stay.
func (st *store) load() (*state, error) {
	s := newState()
	steps := []func(*state) error{st.loadCursor, st.loadThreads, st.loadInboxes, st.loadRows, st.loadUnsent}
	for _, step := range steps {
		if err := step(s); err != nil {
			return nil, fmt.Errorf("read outbox: %w", classify(err))
		}
	}
	return s, nil
}

func (st *store) loadCursor(s *state) error {
	err := st.conn.QueryRowContext(background, "SELECT position, notice FROM cursor").Scan(&s.Cursor, &s.LastNotice)
	if err != nil {
		return err
	}
	s.changed.cursor = s.Cursor
	// Not MAX(id): numbers of pruned rows are not given again.
	return st.conn.QueryRowContext(background,
		"SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'").Scan(&s.LastRow)
}

func (st *store) loadThreads(s *state) error {
	return st.each("SELECT id, crc, body FROM thread", func(id string, crc int64, data []byte) {
		th := &thread{}
		if err := decode(data, crc, th); err != nil {
			st.log.Error().Err(err).Str("alarm", id).Msg("the outbox has lost who was told of an alarm")
			s.touchThread(id)
			return
		}
		if th.Told == nil {
			th.Told = make(map[string]*told)
		}
		s.threads[id] = th
	})
}

func (st *store) loadInboxes(s *state) error {
	return st.each("SELECT person, crc, body FROM inbox", func(id string, crc int64, data []byte) {
		box := &inbox{}
		if err := decode(data, crc, box); err != nil {
			st.log.Error().Err(err).Str("person", id).Msg("the outbox has lost the news that waited for a person")
			s.touchInbox(id)
			return
		}
		s.inboxes[id] = box
	})
}

func (st *store) each(query string, take func(id string, crc int64, data []byte)) error {
	rows, err := st.conn.QueryContext(background, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // read only: rows.Err tells
	for rows.Next() {
		var id string
		var crc int64
		var data []byte
		if err := rows.Scan(&id, &crc, &data); err != nil {
			return err
		}
		take(id, crc, data)
	}
	return rows.Err()
}

const rowColumns = `id, notice, channel, address, person, language, created, queued, state, attempts, next_try, repeated, error, crc, body`

// scanRow reads a row. damage is why its body cannot be used.
func scanRow(rows *sql.Rows) (r *row, damage, err error) {
	r = &row{}
	var language, state string
	var created, queued, next, crc int64
	var data []byte
	err = rows.Scan(&r.ID, &r.Notice, &r.Channel, &r.Address, &r.Person, &language, &created, &queued,
		&state, &r.Attempts, &next, &r.Repeated, &r.Error, &crc, &data)
	if err != nil {
		return nil, nil, err
	}
	r.Language, r.State = message.Language(language), rowState(state)
	r.Created, r.Queued, r.Next = fromMillis(created), fromMillis(queued), fromMillis(next)
	var b body
	damage = decode(data, crc, &b)
	r.Content, r.Fallback = b.Content, b.Fallback
	return r, damage, nil
}

func (st *store) loadRows(s *state) error {
	rows, err := st.conn.QueryContext(background,
		"SELECT "+rowColumns+" FROM outbox WHERE state IN ('waiting', 'sending') ORDER BY id")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // read only: rows.Err tells
	for rows.Next() {
		r, damage, err := scanRow(rows)
		if err != nil {
			return err
		}
		if damage != nil {
			st.log.Error().Err(damage).Int64("row", r.ID).Str("person", r.Person).Msg("a notice in the outbox is lost")
			r.State, r.Error = failed, damage.Error()
			s.touchRow(r)
			continue
		}
		if r.State == sending {
			r.State, r.Repeated = waiting, true
			s.touchRow(r)
		}
		r.Next = time.Time{} // a restart may have mended what failed
		s.enqueue(r)
	}
	return rows.Err()
}

func (st *store) loadUnsent(s *state) error {
	rows, err := st.conn.QueryContext(background, "SELECT notice FROM outbox GROUP BY notice HAVING MAX(attempts) = 0")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // read only: rows.Err tells
	for rows.Next() {
		var notice int64
		if err := rows.Scan(&notice); err != nil {
			return err
		}
		s.unsent[notice] = true
	}
	return rows.Err()
}

// Record is one row of the outbox.
type Record struct {
	ID       int64
	Notice   int64 // rows of one notice on several channels share it
	Channel  string
	Address  string
	Person   string // empty: a stream
	Created  time.Time
	State    string // waiting, sending, sent, failed, cancelled
	Attempts int
	Repeated bool
	Error    string // of the last attempt
	Content  message.Content
}

// Notices returns up to limit rows after an id, oldest first: what was, and is
// to be, sent. Those older than Config.Keep are gone.
func (n *Notifier) Notices(ctx context.Context, after int64, limit int) ([]Record, error) {
	rows, err := n.store.db.QueryContext(ctx, "SELECT "+rowColumns+" FROM outbox WHERE id > ? ORDER BY id LIMIT ?", after, limit)
	if err != nil {
		return nil, fmt.Errorf("list notices: %w", classify(err))
	}
	defer func() { _ = rows.Close() }() // read only: rows.Err tells
	var out []Record
	for rows.Next() {
		r, damage, err := scanRow(rows)
		if err != nil {
			return nil, fmt.Errorf("list notices: %w", classify(err))
		}
		if damage != nil {
			r.Error = damage.Error()
		}
		out = append(out, Record{
			r.ID, r.Notice, r.Channel, r.Address, r.Person, r.Created, string(r.State), r.Attempts, r.Repeated, r.Error, r.Content,
		})
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list notices: %w", classify(err))
	}
	return out, nil
}
