package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Ledger holds the counters that are committed together with the batches they
// count, and so survive every crash consistent with them. Used in a Batch the
// numbers are increments; from Spool.Ledger they are totals since the spool was
// made. With Stats.PendingLines and Stats.QuarantineEntries, both counted from
// the stored rows:
//
//	ReadingsDecoded = ReadingsSpooled + ReadingsDuplicate + ReadingsQuarantined
//	Lines()         = Written + Refused + Lost + pending lines
//	entries         = QuarantineAdded − QuarantineReplayed − QuarantineDropped − QuarantineEvicted
type Ledger struct {
	// Counted by the caller and handed in with a Batch.
	MessagesDecoded     int64
	MessagesQuarantined int64
	MessagesControl     int64
	MessagesIgnored     int64
	MessagesDropped     int64
	ReadingsDecoded     int64
	ReadingsSpooled     int64
	ReadingsDuplicate   int64
	ReadingsQuarantined int64
	ReadingsConflicting int64

	// Counted by the spool itself; what a Batch carries here is ignored.
	LinesReading       int64 // lines spooled, by origin
	LinesReplay        int64
	LinesDerived       int64
	LinesAlarm         int64
	Written            int64 // lines the sink has taken
	Refused            int64 // lines the sink has refused for good
	Lost               int64 // lines of rows that were damaged on disk
	QuarantineAdded    int64 // entries, by what happened to them
	QuarantineReplayed int64
	QuarantineDropped  int64
	QuarantineEvicted  int64

	kept kept // what the quarantine holds, for processes that did not count it
}

// kept is how many entries the quarantine has, and what they weigh.
type kept struct{ entries, bytes int64 }

// counters ties each field to its column. The order is that of the table.
var counters = []struct {
	column string
	field  func(*Ledger) *int64
}{
	{"messages_decoded", func(l *Ledger) *int64 { return &l.MessagesDecoded }},
	{"messages_quarantined", func(l *Ledger) *int64 { return &l.MessagesQuarantined }},
	{"messages_control", func(l *Ledger) *int64 { return &l.MessagesControl }},
	{"messages_ignored", func(l *Ledger) *int64 { return &l.MessagesIgnored }},
	{"messages_dropped", func(l *Ledger) *int64 { return &l.MessagesDropped }},
	{"readings_decoded", func(l *Ledger) *int64 { return &l.ReadingsDecoded }},
	{"readings_spooled", func(l *Ledger) *int64 { return &l.ReadingsSpooled }},
	{"readings_duplicate", func(l *Ledger) *int64 { return &l.ReadingsDuplicate }},
	{"readings_quarantined", func(l *Ledger) *int64 { return &l.ReadingsQuarantined }},
	{"readings_conflicting", func(l *Ledger) *int64 { return &l.ReadingsConflicting }},
	{"lines_reading", func(l *Ledger) *int64 { return &l.LinesReading }},
	{"lines_replay", func(l *Ledger) *int64 { return &l.LinesReplay }},
	{"lines_derived", func(l *Ledger) *int64 { return &l.LinesDerived }},
	{"lines_alarm", func(l *Ledger) *int64 { return &l.LinesAlarm }},
	{"lines_written", func(l *Ledger) *int64 { return &l.Written }},
	{"lines_refused", func(l *Ledger) *int64 { return &l.Refused }},
	{"lines_lost", func(l *Ledger) *int64 { return &l.Lost }},
	{"quarantine_added", func(l *Ledger) *int64 { return &l.QuarantineAdded }},
	{"quarantine_replayed", func(l *Ledger) *int64 { return &l.QuarantineReplayed }},
	{"quarantine_dropped", func(l *Ledger) *int64 { return &l.QuarantineDropped }},
	{"quarantine_evicted", func(l *Ledger) *int64 { return &l.QuarantineEvicted }},
	{"quarantine_entries", func(l *Ledger) *int64 { return &l.kept.entries }},
	{"quarantine_bytes", func(l *Ledger) *int64 { return &l.kept.bytes }},
}

// Lines is the number of lines ever spooled, of every origin.
func (l Ledger) Lines() int64 {
	return l.LinesReading + l.LinesReplay + l.LinesDerived + l.LinesAlarm
}

// Add adds the counters of o to l.
func (l *Ledger) Add(o *Ledger) {
	for i := range counters {
		*counters[i].field(l) += *counters[i].field(o)
	}
}

// reported keeps only what the caller is to count.
func (l Ledger) reported() Ledger {
	return Ledger{
		MessagesDecoded: l.MessagesDecoded, MessagesQuarantined: l.MessagesQuarantined,
		MessagesControl: l.MessagesControl, MessagesIgnored: l.MessagesIgnored, MessagesDropped: l.MessagesDropped,
		ReadingsDecoded: l.ReadingsDecoded, ReadingsSpooled: l.ReadingsSpooled, ReadingsDuplicate: l.ReadingsDuplicate,
		ReadingsQuarantined: l.ReadingsQuarantined, ReadingsConflicting: l.ReadingsConflicting,
	}
}

// unaccountedLines is how many lines the ledger has more than the stored rows;
// 0 unless the file was damaged.
func (l Ledger) unaccountedLines(pending int64) int64 {
	return l.Lines() - l.Written - l.Refused - l.Lost - pending
}

// unaccountedEntries is the same of the quarantine.
func (l Ledger) unaccountedEntries(stored int64) int64 {
	return l.QuarantineAdded - l.QuarantineReplayed - l.QuarantineDropped - l.QuarantineEvicted - stored
}

func (l *Ledger) addLines(o Origin, n int64) {
	switch o {
	case Replay:
		l.LinesReplay += n
	case Derived:
		l.LinesDerived += n
	case Alarm:
		l.LinesAlarm += n
	default:
		l.LinesReading += n
	}
}

// ledgerWriter adds increments to the stored row. It prepares one UPDATE for
// each set of counters that changes together, of which there are few.
type ledgerWriter struct {
	conn  *sql.Conn
	stmts map[uint32]*sql.Stmt // by the set of counters
	args  []any
}

func newLedgerWriter(conn *sql.Conn) *ledgerWriter {
	return &ledgerWriter{conn: conn, stmts: map[uint32]*sql.Stmt{}}
}

func (w *ledgerWriter) add(l *Ledger) error {
	var mask uint32
	w.args = w.args[:0]
	for i := range counters {
		if n := *counters[i].field(l); n != 0 {
			mask |= 1 << i
			w.args = append(w.args, n)
		}
	}
	if mask == 0 {
		return nil
	}
	stmt := w.stmts[mask]
	if stmt == nil {
		var err error
		if stmt, err = w.conn.PrepareContext(background, ledgerUpdate(mask)); err != nil {
			return fmt.Errorf("prepare ledger update: %w", err)
		}
		w.stmts[mask] = stmt
	}
	if _, err := stmt.ExecContext(background, w.args...); err != nil {
		return fmt.Errorf("update ledger: %w", err)
	}
	return nil
}

// close gives the statements back; the connection would stay open with them.
func (w *ledgerWriter) close() error {
	var err error
	for _, stmt := range w.stmts {
		err = errors.Join(err, stmt.Close())
	}
	return err
}

func ledgerUpdate(mask uint32) string {
	var sets []string
	for i := range counters {
		if mask&(1<<i) != 0 {
			sets = append(sets, counters[i].column+"="+counters[i].column+"+?")
		}
	}
	return "UPDATE ledger SET " + strings.Join(sets, ",") + " WHERE id=1"
}

// querier is what reading needs: a connection or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func readLedger(q querier) (Ledger, error) {
	var l Ledger
	columns := make([]string, len(counters))
	dest := make([]any, len(counters))
	for i := range counters {
		columns[i], dest[i] = counters[i].column, counters[i].field(&l)
	}
	row := q.QueryRowContext(background, "SELECT "+strings.Join(columns, ",")+" FROM ledger WHERE id=1")
	if err := row.Scan(dest...); err != nil {
		return Ledger{}, fmt.Errorf("read ledger: %w", err)
	}
	return l, nil
}
