package notify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// migrations[i] takes a file from schema version i to i+1. Entries are never
// edited once released; a change of the schema is a new entry.
var migrations = []string{`
CREATE TABLE cursor (        -- one row
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  position INTEGER NOT NULL, -- seq of the last transition taken in
  notice   INTEGER NOT NULL  -- the last number given to a notice
);
INSERT INTO cursor VALUES (1, 0, 0);
CREATE TABLE thread (        -- alarms that are not normal, and who was told of them
  id   TEXT PRIMARY KEY,
  crc  INTEGER NOT NULL,     -- CRC-32C of body
  body BLOB NOT NULL         -- JSON
);
CREATE TABLE inbox (         -- what waits for each person, and his pace
  person TEXT PRIMARY KEY,
  crc    INTEGER NOT NULL,
  body   BLOB NOT NULL
);
CREATE TABLE outbox (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  notice   INTEGER NOT NULL, -- rows of one notice on several channels share it
  channel  TEXT NOT NULL,
  address  TEXT NOT NULL,
  person   TEXT NOT NULL,
  language TEXT NOT NULL,
  created  INTEGER NOT NULL, -- ms, by the clock of alarms
  queued   INTEGER NOT NULL, -- ms, in real time
  state    TEXT NOT NULL,    -- waiting, sending, sent, failed, cancelled
  attempts INTEGER NOT NULL,
  next_try INTEGER NOT NULL, -- ms, in real time
  repeated INTEGER NOT NULL,
  error    TEXT NOT NULL,
  crc      INTEGER NOT NULL,
  body     BLOB NOT NULL     -- JSON of the content and of the ways to fall back on
);
CREATE INDEX outbox_state ON outbox (state, id);
CREATE INDEX outbox_created ON outbox (created);`}

// background is used for every statement: one that has begun is finished, so
// that a cancelled caller never leaves the outcome of a commit in doubt.
var background = context.Background()

// applicationID marks the file as an outbox; "Imno".
const applicationID = 0x496d6e6f

// connect opens the file on one connection and brings it to the newest schema.
func connect(path string) (db *sql.DB, conn *sql.Conn, err error) {
	q := url.Values{"_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)",
		"wal_autocheckpoint(1000)", "journal_size_limit(16777216)", "cache_size(-2048)", "trusted_schema(OFF)",
	}}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}
	if db, err = sql.Open("sqlite", u.String()); err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(2) // one to write with, one for lists
	if conn, err = db.Conn(background); err == nil {
		err = migrate(conn)
	}
	if err != nil {
		return nil, nil, errors.Join(classify(err), closeAll(db, conn))
	}
	return db, conn, nil
}

func closeAll(db *sql.DB, conn *sql.Conn) error {
	var err error
	if conn != nil {
		err = conn.Close()
	}
	return errors.Join(err, db.Close())
}

func migrate(conn *sql.Conn) error {
	var version, id int
	var sound string
	if err := conn.QueryRowContext(background, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if err := conn.QueryRowContext(background, "PRAGMA application_id").Scan(&id); err != nil {
		return fmt.Errorf("read application id: %w", err)
	}
	if err := conn.QueryRowContext(background, "PRAGMA quick_check(1)").Scan(&sound); err != nil {
		return fmt.Errorf("check the file: %w", err)
	}
	switch {
	case sound != "ok":
		return fmt.Errorf("%w: %s", errDamaged, sound)
	case version > 0 && id != applicationID:
		return fmt.Errorf("%w: it is something else's file", errDamaged)
	case version > len(migrations):
		return fmt.Errorf("%w: schema %d, this program knows up to %d", ErrSchema, version, len(migrations))
	case version == len(migrations):
		return nil
	}
	script := "BEGIN IMMEDIATE;" + strings.Join(migrations[version:], ";\n") +
		fmt.Sprintf(";PRAGMA user_version=%d;PRAGMA application_id=%d;COMMIT", len(migrations), applicationID)
	if _, err := conn.ExecContext(background, script); err != nil {
		return fmt.Errorf("migrate schema: %w", err)
	}
	return nil
}
