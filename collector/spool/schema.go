package spool

import (
	"database/sql"
	"fmt"
	"strings"
)

// migrations[i] takes a file from schema version i to i+1. Entries are never
// edited once released; a change of the schema is a new entry.
var migrations = []string{createV1(), createV2}

// pageSize of the file. A commit of twenty readings fits one page; salvage
// relies on it too.
const pageSize = 4096

func createV1() string {
	columns := make([]string, len(counters))
	for i, c := range counters {
		columns[i] = c.column + " INTEGER NOT NULL DEFAULT 0"
	}
	return `
CREATE TABLE batch (        -- undelivered batches; ids are dense and never reused
  id     INTEGER PRIMARY KEY,
  time   INTEGER NOT NULL,  -- ms since the epoch when it was stored
  origin TEXT NOT NULL,
  lines  INTEGER NOT NULL,
  crc    INTEGER NOT NULL,  -- CRC-32C of id, time, origin, lines, prints and body
  prints BLOB,              -- fingerprints of the readings in it
  body   BLOB NOT NULL      -- line protocol
);
CREATE TABLE cursor (       -- everything up to position is delivered
  id       INTEGER PRIMARY KEY,
  sink     TEXT NOT NULL,
  position INTEGER NOT NULL,
  crc      INTEGER NOT NULL -- of sink and position
);
CREATE TABLE ledger (id INTEGER PRIMARY KEY, ` + strings.Join(columns, ", ") + `);
INSERT INTO ledger (id) VALUES (1);
CREATE TABLE quarantine (
  id       INTEGER PRIMARY KEY,
  time     INTEGER NOT NULL,
  kind     TEXT NOT NULL,
  topic    TEXT NOT NULL,
  reason   TEXT NOT NULL,
  detail   TEXT NOT NULL,
  qos      INTEGER NOT NULL,
  retained INTEGER NOT NULL,
  received INTEGER NOT NULL,
  size     INTEGER NOT NULL, -- of the whole payload
  sha256   BLOB,             -- of the whole payload, where only its start is kept
  cost     INTEGER NOT NULL, -- what it weighs against the cap
  crc      INTEGER NOT NULL,
  payload  BLOB NOT NULL
);
CREATE TABLE fingerprint (  -- of delivered readings, oldest first
  id     INTEGER PRIMARY KEY,
  time   INTEGER NOT NULL,
  size   INTEGER NOT NULL,
  crc    INTEGER NOT NULL,
  prints BLOB NOT NULL
);
CREATE TABLE damaged (      -- batches that did not match their checksum
  id     INTEGER PRIMARY KEY,
  found  INTEGER NOT NULL,
  time   INTEGER,
  origin TEXT,
  lines  INTEGER,
  crc    INTEGER,
  prints BLOB,
  body   BLOB
);`
}

const createV2 = `
CREATE TABLE state (        -- what the collector must find again after a crash
  id    INTEGER PRIMARY KEY,
  key   TEXT NOT NULL UNIQUE,
  time  INTEGER NOT NULL,   -- ms since the epoch when it was stored
  crc   INTEGER NOT NULL,   -- CRC-32C of key, time and value
  value BLOB NOT NULL
);`

// mark is the application id of a file with that schema version: it tells a newer
// schema from a damaged version number.
func mark(version int) int { return 0x496d0000 + version }

// migrate brings the file to the newest schema, in one transaction.
func migrate(conn *sql.Conn, steps []string) (from int, err error) {
	if from, err = schemaVersion(conn); err != nil {
		return 0, err
	}
	var id int
	if err := conn.QueryRowContext(background, "PRAGMA application_id").Scan(&id); err != nil {
		return from, fmt.Errorf("read schema version: %w", classify(err))
	}
	if from != 0 && id != mark(from) {
		return from, fmt.Errorf("%w: its schema version does not match its mark", errCorrupt)
	}
	if from > len(steps) {
		return from, fmt.Errorf("%w: the file has schema %d, this program knows up to %d; use the newer program", ErrSchema, from, len(steps))
	}
	if from == len(steps) {
		return from, nil
	}
	script := "BEGIN IMMEDIATE;" + strings.Join(steps[from:], ";\n") +
		fmt.Sprintf(";PRAGMA user_version=%d;PRAGMA application_id=%d;COMMIT", len(steps), mark(len(steps)))
	if _, err := conn.ExecContext(background, script); err != nil {
		rollback(conn)
		return from, fmt.Errorf("migrate schema %d to %d: %w", from, len(steps), classify(err))
	}
	return from, nil
}

func schemaVersion(q querier) (v int, err error) {
	if err := q.QueryRowContext(background, "PRAGMA user_version").Scan(&v); err != nil {
		return 0, fmt.Errorf("read schema version: %w", classify(err))
	}
	return v, nil
}
