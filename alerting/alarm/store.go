package alarm

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
)

// background is used for every statement that writes: one that has begun is
// finished, so that a cancelled caller never leaves the outcome in doubt.
var background = context.Background()

// store is the SQLite file: one connection that writes, guarded by Book.write,
// and another that reads beside it.
type store struct {
	db   *sql.DB
	conn *sql.Conn
	all  []*sql.Stmt

	begin, commit       *sql.Stmt
	addLine, addLines   *sql.Stmt
	putAlarm, putAlarms *sql.Stmt
	dropAlarm, setBook  *sql.Stmt
	prune, oldest       *sql.Stmt
}

const (
	checkpointPages = 4000     // 16 MB of the log, before it is written back
	walBytes        = 16 << 20 // what the log's file shrinks to
)

// openStore opens or makes the file, at the newest schema.
func openStore(path string) (*store, error) {
	s, err := connect(path, "journal_mode(WAL)", "synchronous(FULL)",
		fmt.Sprintf("wal_autocheckpoint(%d)", checkpointPages),
		fmt.Sprintf("journal_size_limit(%d)", walBytes))
	if err != nil {
		return nil, err
	}
	if err = migrate(s.conn); err == nil {
		err = s.prepare()
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func connect(path string, pragmas ...string) (*store, error) {
	q := url.Values{"_pragma": append([]string{
		"busy_timeout(10000)", "cache_size(-2048)", "temp_store(MEMORY)", "trusted_schema(OFF)",
	}, pragmas...)}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(2)
	s := &store{db: db}
	if s.conn, err = db.Conn(background); err != nil {
		return nil, errors.Join(classify(err), db.Close())
	}
	return s, nil
}

func (s *store) prepare() error {
	for _, p := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&s.begin, "BEGIN IMMEDIATE"},
		{&s.commit, "COMMIT"},
		{&s.addLine, insertLine + lineValues},
		{&s.addLines, insertLine + many(lineValues)},
		{&s.putAlarm, insertAlarm + alarmValues},
		{&s.putAlarms, insertAlarm + many(alarmValues)},
		{&s.dropAlarm, "DELETE FROM alarm WHERE id=?"},
		{&s.setBook, "INSERT OR REPLACE INTO book (id, seq, seen, crc) VALUES (1,?,?,?)"},
		{&s.prune, "DELETE FROM journal WHERE seq<=? AND time<? AND seq<(SELECT min(seq)+? FROM journal)"},
		{&s.oldest, "SELECT seq, time FROM journal ORDER BY seq LIMIT 1"},
	} {
		var err error
		if *p.stmt, err = s.conn.PrepareContext(background, p.text); err != nil {
			return fmt.Errorf("prepare %q: %w", p.text, classify(err))
		}
		s.all = append(s.all, *p.stmt)
	}
	return nil
}

// close gives back whatever has been acquired.
func (s *store) close() error {
	var err error
	for _, stmt := range s.all {
		err = errors.Join(err, stmt.Close())
	}
	return errors.Join(err, s.conn.Close(), s.db.Close())
}

// transact runs f in a transaction that has the write lock from the start. When
// it returns nil, what f did is on disk; otherwise nothing of it is stored.
func (s *store) transact(f func() error) error {
	if _, err := s.begin.ExecContext(background); err != nil {
		return classify(err)
	}
	err := f()
	if err == nil {
		if _, err = s.commit.ExecContext(background); err == nil {
			return nil
		}
	}
	rollback(s.conn)
	return classify(err)
}
