package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// listed is how many readings a failure lists of each kind.
const listed = 10

// allowance is what verify puts up with. The zero one allows nothing.
type allowance struct {
	// missing names acknowledged readings that need not be in the database,
	// because somebody other than the collector has lost them.
	missing func(*truth) bool
	// lost is how many lines the spool itself counts as lost: exactly so many
	// of missing's readings must be missing.
	lost int64
	// forgotten: the database does not hold everything that it once took.
	forgotten bool
}

// verify compares the three books. The database must hold each reading that
// the broker acknowledged to a meter, with all its values, and nothing that no
// meter has sent; every line of the ledger must balance, and its counts must be
// those of the database. Everything must have settled.
func (c *city) verify(a allowance) {
	c.t.Helper()
	var rows map[reading]row
	var after ledger
	// A minute or a quarter of an hour that begins meanwhile has points of its own.
	c.eventually("a ledger that has settled", func() (bool, error) {
		before, err := c.ledger()
		if err != nil {
			return false, err
		}
		rows = c.rows()
		after, err = c.ledger()
		return fmt.Sprint(before) == fmt.Sprint(after) && after["lines_pending"] == 0, err
	})
	c.compare(rows, a)
	c.checkLedger(after, int64(len(rows)), a)
	c.t.Logf("of %d messages received, %d held what was known already, %d were given back to the broker",
		after["messages_received"], after["readings_duplicate"], after["messages_abandoned"])
}

// compare holds the rows of the database against the truth.
func (c *city) compare(rows map[reading]row, a allowance) {
	c.t.Helper()
	var missing, wrong, extra sample10
	seen := make(map[reading]bool, len(rows))
	made, acked, allowed := 0, 0, int64(0)
	c.truths(func(l *truth) {
		made++
		if l.Acked {
			acked++
		}
		id := l.reading()
		r, stored := rows[id]
		seen[id] = true
		switch {
		case stored:
			if problem := r.differs(l, c.registry.CityOf(l.Zone), len(c.streams) > 1); problem != "" {
				wrong.add(id.String() + ": " + problem)
			}
		case l.Acked && a.missing != nil && a.missing(l):
			allowed++
		case l.Acked:
			missing.add(id.String())
		}
	})
	for id := range rows {
		if !seen[id] {
			extra.add(id.String())
		}
	}
	c.t.Logf("the meters made %d readings, %d are acknowledged, the database holds %d", made, acked, len(rows))
	if made < e2eLeast || acked == 0 {
		c.t.Errorf("%d readings are too few to prove anything", made)
	}
	if a.lost > 0 && allowed != a.lost {
		c.t.Errorf("%d readings are lost, %d are said to be", allowed, a.lost)
	}
	missing.report(c, "acknowledged readings are not in the database")
	wrong.report(c, "readings in the database differ from the truth")
	extra.report(c, "readings in the database were never made")
}

func (c *city) checkLedger(l ledger, stored int64, a allowance) {
	c.t.Helper()
	for _, problem := range l.problems() {
		c.t.Errorf("the ledger does not balance: %s", problem)
	}
	for _, name := range []string{
		"messages_in_flight", "messages_quarantined", "messages_ignored", "messages_dropped", "readings_quarantined",
		"lines_pending", "lines_refused", "quarantine_added",
	} {
		if l[name] != 0 {
			c.t.Errorf("the ledger says %s = %d, want 0", name, l[name])
		}
	}
	if l["lines_lost"] != a.lost {
		c.t.Errorf("the ledger says lines_lost = %d, want %d", l["lines_lost"], a.lost)
	}
	// One message holds one reading, and one that comes again after a crash is
	// known by its fingerprint.
	spooled := l["readings_spooled"]
	if l["readings_decoded"] != l["messages_decoded"] || l["lines_reading"] != spooled ||
		l["lines_written"] != spooled+l["lines_derived"]+l["lines_alarm"]-a.lost {
		c.t.Errorf("the ledger's counts are not of the same readings: %v", l)
	}
	if written := spooled - a.lost; stored > written || stored < written && !a.forgotten {
		c.t.Errorf("the database holds %d readings, the ledger says %d", stored, written)
	}
}

// sample10 counts, and keeps the first few.
type sample10 struct {
	n     int
	first []string
}

func (s *sample10) add(text string) {
	if s.n++; s.n <= listed {
		s.first = append(s.first, text)
	}
}

func (s *sample10) report(c *city, what string) {
	c.t.Helper()
	if s.n > 0 {
		c.t.Errorf("%d %s, such as\n\t%s", s.n, what, strings.Join(s.first, "\n\t"))
	}
}

// row is a point of the database.
type row struct {
	city    string
	columns []string   // shared; columns[0] is the time
	values  []*float64 // nil: not there
	reason  string     // of the quality
}

// differs tells how the row is not what the meter has sent, or "".
func (r row) differs(l *truth, city string, anew bool) string {
	if r.city != city {
		return fmt.Sprintf("city is %q, want %q", r.city, city)
	}
	found := 0
	for i, name := range r.columns {
		if i == 0 || r.values[i] == nil {
			continue
		}
		want, sent := l.Values[name]
		switch name {
		case "seq":
			want, sent = float64(l.Seq), true
		case "quality":
			want, sent = float64(meter.Good), true
			if anew && slices.Contains(ofCounters, r.reason) || r.reason == tooFast {
				want = *r.values[i]
			}
		}
		if !sent {
			return fmt.Sprintf("%s = %v, which was not sent", name, *r.values[i])
		}
		if *r.values[i] != want {
			return fmt.Sprintf("%s = %v, want %v (reason %q)", name, *r.values[i], want, r.reason)
		}
		found++
	}
	if want := len(l.Values) + 2; found != want {
		return fmt.Sprintf("%d fields, want %d", found, want)
	}
	return ""
}

// tooFast is the reason that a counter may give which is read ten times a second,
// as no meter in the field is: it stands still while something flows.
const tooFast = "stuck"

// ofCounters are the reasons that a counter gives which begins anew: with each
// stream all of them do.
var ofCounters = []string{"reset", "dip", "implausible"}

// rows reads everything that the database holds.
func (c *city) rows() map[reading]row {
	c.t.Helper()
	rows := make(map[reading]row)
	for _, u := range meter.Utilities {
		err := queryOf(c, fmt.Sprintf("SELECT * FROM %q GROUP BY *", u), func(s seriesOf[any]) error {
			for _, cells := range s.Values {
				values, reason, err := numbers(s.Columns, cells)
				if err != nil {
					return err
				}
				id := reading{u, s.Tags["zone"], s.Tags["meter"], int64(*values[0])}
				if _, twice := rows[id]; twice {
					return fmt.Errorf("%v is in two series", id)
				}
				rows[id] = row{s.Tags["city"], s.Columns, values, reason}
			}
			return nil
		})
		c.must("read "+string(u), err)
	}
	return rows
}

// numbers are the cells of a row, the time first. A reason is the collector's own
// word and no number.
func numbers(columns []string, cells []any) (values []*float64, reason string, err error) {
	if len(cells) != len(columns) || cells[0] == nil {
		return nil, "", fmt.Errorf("a row of %d values for %d columns", len(cells), len(columns))
	}
	values = make([]*float64, len(cells))
	for i, cell := range cells {
		switch v := cell.(type) {
		case float64:
			values[i] = &v
		case nil:
		case string:
			if columns[i] != "reason" {
				return nil, "", fmt.Errorf("%s is %q, no number", columns[i], v)
			}
			reason = v
		default:
			return nil, "", fmt.Errorf("%s is %v, no number", columns[i], v)
		}
	}
	return values, reason, nil
}

// seriesOf is a part of an InfluxQL answer.
type seriesOf[V any] struct {
	Tags    map[string]string
	Columns []string
	Values  [][]V
}

// series is one of numbers alone.
type series = seriesOf[*float64]

// query asks the database directly for numbers, and calls f with each part of
// the answer.
func (c *city) query(q string, f func(series) error) error { return queryOf(c, q, f) }

// queryOf is query for values of any kind.
func queryOf[V any](c *city, q string, f func(seriesOf[V]) error) error {
	ask := url.Values{"db": {databaseName}, "q": {q}, "epoch": {"ms"}, "chunked": {"true"}}
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, "http://"+c.database.Addr()+"/query?"+ask.Encode(), nil)
	if err != nil {
		return err
	}
	if user, password, ok := strings.Cut(c.databaseToken, ":"); ok {
		req.SetBasicAuth(user, password)
	}
	res, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answers := json.NewDecoder(bufio.NewReaderSize(res.Body, 256<<10))
	for {
		var answer struct {
			Error   string
			Results []struct {
				Error  string
				Series []seriesOf[V]
			}
		}
		if err := answers.Decode(&answer); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("%s: %w", res.Status, err)
		}
		if answer.Error != "" {
			return errors.New(answer.Error)
		}
		for _, result := range answer.Results {
			if result.Error != "" {
				return errors.New(result.Error)
			}
			for _, s := range result.Series {
				if err := f(s); err != nil {
					return err
				}
			}
		}
	}
}

// tell runs an InfluxQL statement that has no answer.
func (c *city) tell(statement string) {
	c.t.Helper()
	c.must(statement, c.query(statement, func(series) error { return nil }))
}

// storedSince counts the readings in the database from a time on.
func (c *city) storedSince(begin time.Time) (n int64) {
	c.t.Helper()
	for _, u := range meter.Utilities {
		q := fmt.Sprintf("SELECT count(quality) FROM %q WHERE time >= %dms", u, begin.UnixMilli())
		c.must("count", c.query(q, func(s series) error {
			n += int64(*s.Values[0][1])
			return nil
		}))
	}
	return n
}
