package notify

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/alerting/message"
)

// store is the outbox on disk: an SQLite file in WAL mode with
// synchronous=FULL, one fsync a commit. All that planning changed goes into one
// transaction with the cursor. Everything kept as JSON has a CRC-32C, since
// SQLite has no page checksums.
type store struct {
	path string
	lock *os.File
	db   *sql.DB
	conn *sql.Conn
	log  zerolog.Logger
	// lost says that a damaged file was moved aside: nobody knows any more who
	// was told what.
	lost bool
}

// openStore opens the file, making it where it is missing and moving it aside,
// loudly, where it is damaged.
func openStore(dir string, log zerolog.Logger) (*store, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("open outbox: %w", err)
	}
	st := &store{path: filepath.Join(dir, "outbox.db"), log: log}
	var err error
	if st.lock, err = lockFile(st.path + ".lock"); err != nil {
		return nil, fmt.Errorf("open outbox: %w", err)
	}
	st.db, st.conn, err = connect(st.path)
	if errors.Is(err, errDamaged) {
		if err = st.moveAside(err); err == nil {
			st.db, st.conn, err = connect(st.path)
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open outbox %s: %w", st.path, err), st.lock.Close())
	}
	return st, nil
}

func (st *store) moveAside(damage error) error {
	aside := st.path + ".damaged-" + time.Now().UTC().Format("20060102T150405.000")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(st.path+suffix, aside+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("move damaged file aside: %w", err)
		}
	}
	st.lost = true
	st.log.Error().Err(damage).Str("kept_as", aside).
		Msg("the outbox was damaged and is begun anew; notices of alarms that stand go out again, marked as repeated")
	return nil
}

func (st *store) close() error {
	return errors.Join(classify(closeAll(st.db, st.conn)), st.lock.Close())
}

// body is what a row keeps as JSON.
type body struct {
	Content  message.Content `json:"content"`
	Fallback []way           `json:"fallback,omitempty"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encode returns v as JSON with its checksum.
func encode(v any) ([]byte, int64, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, 0, fmt.Errorf("encode: %w", err)
	}
	return data, int64(crc32.Checksum(data, castagnoli)), nil
}

// decode reads what encode wrote.
func decode(data []byte, crc int64, v any) error {
	if int64(crc32.Checksum(data, castagnoli)) != crc {
		return errors.New("checksum does not match")
	}
	return json.Unmarshal(data, v)
}

// commit writes all that changed in one transaction; if it fails nothing is
// written and everything stays marked as changed.
func (st *store) commit(s *state) error {
	if err := st.exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("write outbox: %w", err)
	}
	err := st.write(s)
	if err == nil {
		err = st.exec("COMMIT")
	}
	if err != nil {
		// A COMMIT that failed may have ended the transaction or not.
		if rollback := st.exec("ROLLBACK"); rollback != nil {
			st.log.Debug().Err(rollback).Msg("roll back")
		}
		return fmt.Errorf("write outbox: %w", classify(err))
	}
	s.changed = newChanged()
	s.changed.cursor = s.Cursor
	return nil
}

func (st *store) exec(query string, args ...any) error {
	_, err := st.conn.ExecContext(background, query, args...)
	return err
}

func (st *store) write(s *state) error {
	if err := st.exec("UPDATE cursor SET position = ?, notice = ?", s.Cursor, s.LastNotice); err != nil {
		return err
	}
	for _, id := range sortedKeys(s.changed.threads) {
		th, ok := s.threads[id]
		if err := st.put("thread", "id", id, th, ok); err != nil {
			return err
		}
	}
	for _, id := range sortedKeys(s.changed.inboxes) {
		box, ok := s.inboxes[id]
		if err := st.put("inbox", "person", id, box, ok); err != nil {
			return err
		}
	}
	rows := make([]*row, 0, len(s.changed.rows))
	for _, r := range s.changed.rows {
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b *row) int { return int(a.ID - b.ID) })
	for _, r := range rows {
		if err := st.writeRow(r); err != nil {
			return err
		}
	}
	return nil
}

// put writes an entry of one of the two keyed tables, or deletes it.
func (st *store) put(table, key, id string, v any, exists bool) error {
	if !exists {
		return st.exec("DELETE FROM "+table+" WHERE "+key+" = ?", id)
	}
	data, crc, err := encode(v)
	if err != nil {
		return err
	}
	return st.exec("INSERT OR REPLACE INTO "+table+" ("+key+", crc, body) VALUES (?, ?, ?)", id, crc, data)
}

func (st *store) writeRow(r *row) error {
	data, crc, err := encode(body{r.Content, r.Fallback})
	if err != nil {
		return err
	}
	if r.Queued.IsZero() {
		r.Queued = time.Now()
	}
	return st.exec(`INSERT INTO outbox
		(id, notice, channel, address, person, language, created, queued, state, attempts, next_try, repeated, error, crc, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, next_try = excluded.next_try,
		repeated = excluded.repeated, error = excluded.error, crc = excluded.crc, body = excluded.body`,
		r.ID, r.Notice, r.Channel, r.Address, r.Person, string(r.Language), millis(r.Created), millis(r.Queued),
		string(r.State), r.Attempts, millis(r.Next), r.Repeated, r.Error, crc, data)
}

// prune deletes finished rows planned before a time, by the clock of alarms.
func (st *store) prune(before time.Time) error {
	err := st.exec("DELETE FROM outbox WHERE created < ? AND state IN ('sent', 'failed', 'cancelled')", millis(before))
	if err != nil {
		return fmt.Errorf("prune outbox: %w", classify(err))
	}
	return nil
}

// millis is a time in ms since the epoch, 0 for none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
