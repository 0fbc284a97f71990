package spool

import (
	"database/sql"
	"errors"
	"fmt"
)

// writer is the one connection that writes, with its prepared statements.
// Spool.mu guards it.
type writer struct {
	conn   *sql.Conn
	ledger *ledgerWriter
	all    []*sql.Stmt

	begin, commit             *sql.Stmt
	insert, remove, setCursor *sql.Stmt
	addEntry, lastEntry       *sql.Stmt
	oldestEntries, evict      *sql.Stmt
	addPrints, oldestPrints   *sql.Stmt
	trimPrints                *sql.Stmt
	remember, forget          *sql.Stmt
	freePages, allPages       *sql.Stmt
	version                   *sql.Stmt
}

func (w *writer) prepare() error {
	w.ledger = newLedgerWriter(w.conn)
	for _, p := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&w.begin, "BEGIN IMMEDIATE"},
		{&w.commit, "COMMIT"},
		{&w.insert, "INSERT INTO batch (id, time, origin, lines, crc, prints, body) VALUES (?,?,?,?,?,?,?)"},
		{&w.remove, "DELETE FROM batch WHERE id BETWEEN ? AND ?"},
		{&w.setCursor, "UPDATE cursor SET position=?, crc=? WHERE sink=?"},
		{&w.addEntry, "INSERT INTO quarantine (" + entryColumns + ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"},
		{&w.lastEntry, "SELECT max(coalesce((SELECT max(id) FROM quarantine),0), quarantine_added) FROM ledger"},
		{&w.oldestEntries, "SELECT id, cost FROM quarantine ORDER BY id"},
		{&w.evict, "DELETE FROM quarantine WHERE id<=?"},
		{&w.addPrints, "INSERT INTO fingerprint (time, size, crc, prints) VALUES (?,?,?,?)"},
		{&w.oldestPrints, "SELECT id, time, size FROM fingerprint ORDER BY id"},
		{&w.trimPrints, "DELETE FROM fingerprint WHERE id<=?"},
		// The key is set as well: SQLite then notices an index that does not fit, and the file is salvaged.
		{&w.remember, "INSERT INTO state (key, time, crc, value) VALUES (?,?,?,?) " +
			"ON CONFLICT (key) DO UPDATE SET key=excluded.key, time=excluded.time, crc=excluded.crc, value=excluded.value"},
		{&w.forget, "DELETE FROM state WHERE key=?"},
		{&w.freePages, "PRAGMA freelist_count"},
		{&w.allPages, "PRAGMA page_count"},
		{&w.version, "PRAGMA data_version"},
	} {
		var err error
		if *p.stmt, err = w.conn.PrepareContext(background, p.text); err != nil {
			return fmt.Errorf("prepare %q: %w", p.text, err)
		}
		w.all = append(w.all, *p.stmt)
	}
	return nil
}

// close gives the statements back as well: SQLite keeps a connection, and its
// files, open while it has one.
func (w *writer) close() error {
	var err error
	if w.ledger != nil {
		err = w.ledger.close()
	}
	for _, stmt := range w.all {
		err = errors.Join(err, stmt.Close())
	}
	return errors.Join(err, w.conn.Close())
}

// transact runs f in a transaction that has the write lock from the start. When
// it returns nil, what f did is on disk; otherwise nothing of it is stored.
func (w *writer) transact(f func() error) error {
	if _, err := w.begin.ExecContext(background); err != nil {
		return classify(err)
	}
	err := f()
	if err == nil {
		if _, err = w.commit.ExecContext(background); err == nil {
			return nil
		}
	}
	rollback(w.conn)
	return classify(err)
}

// rollback ends a transaction that has failed. SQLite itself has already done so
// after some errors, and then says that there is none: both are well.
func rollback(conn *sql.Conn) {
	_, _ = conn.ExecContext(background, "ROLLBACK")
}

func number(stmt *sql.Stmt) (n int64, err error) {
	err = stmt.QueryRowContext(background).Scan(&n)
	return n, classify(err)
}

// errStop ends an iteration early.
var errStop = errors.New("enough")

func unlessStopped(err error) error {
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}

// eachRow closes what it iterates before it returns: a reader left open would
// keep the log from ever starting over.
func eachRow(rows *sql.Rows, err error, f func() error) error {
	if err != nil {
		return classify(err)
	}
	for err == nil && rows.Next() {
		err = f()
	}
	return classify(errors.Join(err, rows.Err(), rows.Close()))
}
