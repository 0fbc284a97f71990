package alarm

import (
	"database/sql"
	"fmt"
	"strings"
)

// migrations[i] takes a file from schema version i to i+1. Entries are never
// edited once released; a change of the schema is a new entry.
var migrations = []string{`
CREATE TABLE journal (       -- every transition; seq is dense
  seq   INTEGER PRIMARY KEY,
  time  INTEGER NOT NULL,    -- ms since the epoch
  alarm TEXT NOT NULL,       -- id
  crc   INTEGER NOT NULL,    -- CRC-32C of seq and body
  body  TEXT NOT NULL        -- the transition as JSON
);
CREATE INDEX journal_alarm ON journal (alarm, seq);
CREATE TABLE alarm (         -- what is not plainly normal, with its timers
  id   TEXT PRIMARY KEY,
  crc  INTEGER NOT NULL,     -- CRC-32C of id and body
  body TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE book (
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  seq  INTEGER NOT NULL,     -- of the last transition, pruned or not
  seen INTEGER NOT NULL,     -- ms: until then the conditions were looked at
  crc  INTEGER NOT NULL      -- of seq and seen
);`}

// migrate brings the file to the newest schema, in one transaction.
func migrate(conn *sql.Conn) error {
	var from int
	if err := conn.QueryRowContext(background, "PRAGMA user_version").Scan(&from); err != nil {
		return fmt.Errorf("read schema version: %w", classify(err))
	}
	if from > len(migrations) {
		return fmt.Errorf("%w: the file has schema %d, this program knows up to %d; use the newer program", ErrSchema, from, len(migrations))
	}
	if from == len(migrations) {
		return nil
	}
	script := "BEGIN IMMEDIATE;" + strings.Join(migrations[from:], ";\n") +
		fmt.Sprintf(";PRAGMA user_version=%d;COMMIT", len(migrations))
	if _, err := conn.ExecContext(background, script); err != nil {
		rollback(conn)
		return fmt.Errorf("migrate schema %d to %d: %w", from, len(migrations), classify(err))
	}
	return nil
}

// rollback ends a transaction that has failed. SQLite itself has already done so
// after some errors, and then says that there is none: both are well.
func rollback(conn *sql.Conn) {
	_, _ = conn.ExecContext(background, "ROLLBACK")
}
