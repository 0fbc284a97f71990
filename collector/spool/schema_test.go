package spool

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
)

// plain opens the file beside the package, as an operator with sqlite3 does.
func plain(t *testing.T, o Options) *sql.Conn {
	t.Helper()
	db, err := sql.Open("sqlite", fileURL(o.file(""), "", "journal_mode(WAL)"))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(conn.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return conn
}

func run(t *testing.T, conn *sql.Conn, script string) {
	t.Helper()
	if _, err := conn.ExecContext(context.Background(), script); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	o := options(t.TempDir(), &logBook{})
	s := open(t, o)
	shut(t, s)
	conn := plain(t, o)
	run(t, conn, "PRAGMA user_version=99; PRAGMA application_id=0x496d0063")
	for name, f := range map[string]func(context.Context, Options) (*Spool, error){"open": Open, "attach": Attach} {
		_, err := f(t.Context(), o)
		if !errors.Is(err, ErrSchema) || !strings.Contains(err.Error(), "schema 99") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if files := asides(t, o.Dir); len(files) > 0 {
		t.Errorf("moved aside: %v", files)
	}
}

func TestAttachDoesNotMigrate(t *testing.T) {
	t.Parallel()
	o := options(t.TempDir(), &logBook{})
	run(t, plain(t, o), "CREATE TABLE x (y)") // a file without a schema of ours
	if _, err := Attach(t.Context(), o); !errors.Is(err, ErrSchema) || !strings.Contains(err.Error(), "start the service once") {
		t.Errorf("attach: %v", err)
	}
}

// TestMigration takes a made-up older file through made-up steps.
func TestMigration(t *testing.T) {
	t.Parallel()
	o := options(t.TempDir(), &logBook{})
	conn := plain(t, o)
	steps := []string{
		"CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO a VALUES (1, 7)",
		"ALTER TABLE a ADD COLUMN m INTEGER NOT NULL DEFAULT 0; UPDATE a SET m=n*2",
		"CREATE TABLE b AS SELECT m AS k FROM a; DROP TABLE a",
	}
	if from, err := migrate(conn, steps[:1]); from != 0 || err != nil {
		t.Fatalf("from %d, %v", from, err)
	}
	broken := append(steps[:2:2], "CREATE TABLE c (x); this is no SQL")
	if _, err := migrate(conn, broken); err == nil {
		t.Fatal("a broken step was taken")
	}
	if v, err := schemaVersion(conn); v != 1 || err != nil {
		t.Fatalf("a failed migration left version %d, %v", v, err)
	}
	var n int
	if err := conn.QueryRowContext(t.Context(), "SELECT count(*) FROM sqlite_schema WHERE name='c'").Scan(&n); n != 0 || err != nil {
		t.Fatalf("a failed migration left a table: %d, %v", n, err)
	}
	if from, err := migrate(conn, steps); from != 1 || err != nil {
		t.Fatalf("from %d, %v", from, err)
	}
	if err := conn.QueryRowContext(t.Context(), "SELECT k FROM b").Scan(&n); n != 14 || err != nil {
		t.Fatalf("migrated to %d, %v", n, err)
	}
	if from, err := migrate(conn, steps); from != 3 || err != nil {
		t.Fatalf("again: from %d, %v", from, err)
	}
	if _, err := migrate(conn, steps[:2]); !errors.Is(err, ErrSchema) {
		t.Fatalf("newer: %v", err)
	}
	run(t, conn, "PRAGMA user_version=2")
	if _, err := migrate(conn, steps); !errors.Is(err, errCorrupt) {
		t.Fatalf("a flipped version: %v", err)
	}
}
