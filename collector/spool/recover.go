package spool

import (
	"errors"
	"fmt"

	"github.com/rs/zerolog"
)

// commitEvery bounds what a salvage holds in memory.
const commitEvery = 2000

// headPages are the first pages of the file, one of which is the whole of the
// cursor's table and one that of the ledger: each has a single row, and SQLite
// never moves the page that a table begins with.
const headPages = 16

// scan goes through every page and takes over the records that are sound.
func (g *salvage) scan() error {
	g.cursor = -1
	for n := uint32(1); n <= headPages; n++ {
		if page := g.image.page(n); page != nil {
			records(g.image, n, page, g.takeHead)
		}
	}
	g.fallBack()
	free := freePages(g.image)
	var failed error
	take := func(stale bool) func(int64, []any) {
		return func(id int64, values []any) {
			if failed == nil {
				failed = g.take(id, values, stale)
			}
		}
	}
	for n := uint32(1); n <= g.image.count() && failed == nil; n++ {
		if page := g.image.page(n); page != nil && !free.has(n) {
			records(g.image, n, page, take(false))
		}
	}
	for _, off := range g.image.frames.broken {
		if page := readPage(g.image.wal, off); page != nil && failed == nil {
			records(g.image, 0, page, take(true))
		}
	}
	return failed
}

// fallBack uses what the last Close has left, for what the file does not tell
// any more.
func (g *salvage) fallBack() {
	if g.before == nil {
		return
	}
	g.cursor = max(g.cursor, g.before.Position)
	if g.ledger == nil || *g.ledger == (Ledger{}) {
		g.ledger = g.before.ledger()
	}
}

// take recognises a record by its shape and its checksum. Of a stale page, which
// may be out of date, only batches are of use: the cursor sorts them.
func (g *salvage) take(id int64, v []any, stale bool) error {
	if r, ok := asBatch(id, v); ok {
		return g.takeBatch(r)
	}
	if stale {
		return nil
	}
	if e, ok := asEntry(id, v); ok {
		return g.keep("INSERT OR IGNORE INTO quarantine ("+entryColumns+") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
			e.ID, e.Time, e.Kind, e.Topic, e.Reason, e.Detail, e.QoS, e.Retained, e.Received, e.Size, e.SHA256, e.cost(), e.sum(), e.Payload)
	}
	if st, time, ok := asState(v); ok {
		// Of two, one was left behind on a page whose deletion is not known any more.
		return g.keep("INSERT INTO state (key, time, crc, value) VALUES (?,?,?,?) ON CONFLICT (key) DO UPDATE "+
			"SET time=excluded.time, crc=excluded.crc, value=excluded.value WHERE excluded.time>=time",
			st.Key, time, st.sum(time), st.Value)
	}
	switch {
	case isPrints(v):
		return g.keep("INSERT OR IGNORE INTO fingerprint (id, time, size, crc, prints) VALUES (?,?,?,?,?)", id, v[1], v[2], v[3], v[4])
	case isDamaged(v):
		return g.keep("INSERT OR REPLACE INTO damaged (id, found, time, origin, lines, crc, prints, body) VALUES (?,?,?,?,?,?,?,?)",
			append([]any{id}, v[1:]...)...)
	}
	return nil
}

func (g *salvage) keep(query string, args ...any) error {
	if g.pending++; g.pending%commitEvery == 0 {
		if err := g.exec("COMMIT"); err != nil {
			return err
		}
		if err := g.exec("BEGIN"); err != nil {
			return err
		}
	}
	return g.exec(query, args...)
}

func (g *salvage) takeBatch(r *row) error {
	switch {
	case g.cursor >= 0 && r.id <= g.cursor:
		return nil // delivered; what is left of it has not been overwritten yet
	case r.sum() != r.crc || r.id <= 0:
		return g.keep("INSERT OR IGNORE INTO damaged (id, found, time, origin, lines, crc, prints, body) VALUES (?,?,?,?,?,?,?,?)",
			r.id, g.opts.Now().UnixMilli(), r.time, string(r.origin), r.lines, r.crc, r.prints, r.body)
	}
	return g.keep("INSERT OR IGNORE INTO batch (id, time, origin, lines, crc, prints, body) VALUES (?,?,?,?,?,?,?)",
		r.id, r.time, string(r.origin), r.lines, r.crc, r.prints, r.body)
}

// takeHead keeps the cursor and the ledger.
func (g *salvage) takeHead(id int64, v []any) {
	if position, ok := asCursor(v); ok {
		g.cursor = max(g.cursor, position)
	}
	if l, ok := asLedger(id, v); ok {
		g.ledger = l
	}
}

func asBatch(id int64, v []any) (*row, bool) {
	if len(v) != 7 || v[0] != nil {
		return nil, false
	}
	time, ok1 := v[1].(int64)
	origin, ok2 := v[2].(string)
	lines, ok3 := v[3].(int64)
	crc, ok4 := v[4].(int64)
	prints, _ := v[5].([]byte)
	body, ok5 := v[6].([]byte)
	r := &row{id: id, time: time, origin: Origin(origin), lines: lines, crc: crc, prints: prints, body: body}
	return r, ok1 && ok2 && ok3 && ok4 && ok5 && r.origin.valid()
}

func asCursor(v []any) (position int64, ok bool) {
	if len(v) != 4 || v[1] != Sink {
		return 0, false
	}
	position, ok = v[2].(int64)
	return position, ok && v[3] == cursorSum(Sink, position)
}

func asLedger(id int64, v []any) (*Ledger, bool) {
	if id != 1 || len(v) != 1+len(counters) || v[0] != nil {
		return nil, false
	}
	l := new(Ledger)
	for i := range counters {
		n, ok := v[1+i].(int64)
		if !ok || n < 0 {
			return nil, false
		}
		*counters[i].field(l) = n
	}
	return l, true
}

func asEntry(id int64, v []any) (e *Entry, ok bool) {
	if len(v) != 14 || v[0] != nil {
		return nil, false
	}
	ok = true
	num := func(i int) int64 { n, is := v[i].(int64); ok = ok && is; return n }
	str := func(i int) string { s, is := v[i].(string); ok = ok && is; return s }
	e = &Entry{
		ID: id, Time: num(1), Kind: str(2), Topic: str(3), Reason: str(4), Detail: str(5),
		QoS: byte(num(6)), Retained: num(7) != 0, Received: num(8), Size: num(9),
	}
	e.SHA256, _ = v[10].([]byte)
	crc := num(12)
	payload, is := v[13].([]byte)
	e.Payload = payload
	return e, ok && is && e.sum() == crc
}

func asState(v []any) (st *State, time int64, ok bool) {
	if len(v) != 5 || v[0] != nil {
		return nil, 0, false
	}
	key, ok1 := v[1].(string)
	time, ok2 := v[2].(int64)
	value, ok3 := v[4].([]byte)
	st = &State{Key: key, Value: value}
	return st, time, ok1 && ok2 && ok3 && v[3] == st.sum(time)
}

func isPrints(v []any) bool {
	if len(v) != 5 || v[0] != nil {
		return false
	}
	time, ok1 := v[1].(int64)
	size, ok2 := v[2].(int64)
	prints, ok3 := v[4].([]byte)
	return ok1 && ok2 && ok3 && size == int64(len(prints)) && v[3] == printsSum(time, prints)
}

// isDamaged matches rows of the table damaged, which have no checksum to trust.
func isDamaged(v []any) bool {
	if len(v) != 8 || v[0] != nil {
		return false
	}
	_, ok1 := v[1].(int64)
	_, ok2 := v[3].(string)
	_, ok3 := v[7].([]byte)
	return ok1 && ok2 && ok3
}

// settleCounts writes cursor and ledger, and counts as lost what the ledger has
// and the rows have not.
func (g *salvage) settleCounts() error {
	f := &g.found
	q := func(dest *int64, query string, args ...any) error {
		return g.conn.QueryRowContext(background, query, args...).Scan(dest)
	}
	if g.cursor < 0 {
		if err := q(&g.cursor, "SELECT coalesce(min(id),1)-1 FROM batch"); err != nil {
			return err
		}
	}
	if err := g.exec("DELETE FROM damaged WHERE id IN (SELECT id FROM batch)"); err != nil {
		return err
	}
	var last int64
	for _, count := range []struct {
		dest  *int64
		query string
	}{
		{&f.batches, "SELECT count(*) FROM batch"},
		{&f.lines, "SELECT coalesce(sum(lines),0) FROM batch"},
		{&f.damaged, "SELECT count(*) FROM damaged"},
		{&f.entries, "SELECT count(*) FROM quarantine"},
		{&f.states, "SELECT count(*) FROM state"},
		{&last, "SELECT coalesce(max(id),0) FROM batch"},
	} {
		if err := q(count.dest, count.query); err != nil {
			return err
		}
	}
	if last > 0 {
		f.missing = last - g.cursor - f.batches
	}
	if err := g.exec("INSERT INTO cursor (sink, position, crc) VALUES (?,?,?)", Sink, g.cursor, cursorSum(Sink, g.cursor)); err != nil {
		return err
	}
	return g.writeLedger()
}

func (g *salvage) writeLedger() error {
	var l Ledger
	if g.ledger != nil {
		l = *g.ledger
	}
	f := &g.found
	if lines := l.unaccountedLines(f.lines); lines > 0 {
		f.lost = lines
		l.Lost += lines
	} else {
		l.LinesReading -= lines
	}
	if entries := l.unaccountedEntries(f.entries); entries > 0 {
		l.QuarantineEvicted += entries
	} else {
		l.QuarantineAdded -= entries
	}
	if err := g.conn.QueryRowContext(background, "SELECT count(*), coalesce(sum(cost),0) FROM quarantine").Scan(&l.kept.entries, &l.kept.bytes); err != nil {
		return err
	}
	w := newLedgerWriter(g.conn)
	return errors.Join(w.add(&l), w.close())
}

func (g *salvage) report(log *zerolog.Logger, aside string) {
	f := &g.found
	event := log.Error().Str("damaged_file", aside).Int64("batches", f.batches).Int64("lines", f.lines).
		Int64("damaged_batches", f.damaged).Int64("missing_batches", f.missing).Int64("quarantine_entries", f.entries).
		Int64("states", f.states).
		Bool("ledger_readable", g.ledger != nil)
	if g.ledger == nil {
		event.Msg(fmt.Sprintf("salvaged the spool: %d lines go on; its ledger could not be read, so how many lines are lost "+
			"is not known, and the counters begin anew; the damaged file is kept", f.lines))
		return
	}
	event.Int64("lost_lines", f.lost).
		Msg(fmt.Sprintf("salvaged the spool: %d lines go on, %d are lost; the damaged file is kept", f.lines, f.lost))
}
