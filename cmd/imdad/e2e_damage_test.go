package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to look into the spool's file

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/metersim"
	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/configs"
)

// TestE2EFlippedByte changes one byte of one line that waits in the spool. The
// whole batch of that line is lost, and nothing else.
func TestE2EFlippedByte(t *testing.T) {
	c := newCity(t)
	c.spoolAndStop()
	inside := c.flipByte()
	c.startDatabase()
	c.start()
	c.waitDelivered()
	c.verify(allowance{missing: func(l *truth) bool { return inside[l.reading()] }, lost: int64(len(inside))})
	said := c.hasSaid("a spooled batch does not match its checksum")
	if len(said) != 1 || said[0]["lines"] != float64(len(inside)) {
		t.Errorf("the log says %v, want one batch of %d lines", said, len(inside))
	}
}

// TestE2EDestroyedSpool damages the spool's file while nothing runs. The
// service starts, saves what it can, and says what it could not.
func TestE2EDestroyedSpool(t *testing.T) {
	for _, test := range []struct {
		name    string
		destroy func(file []byte) []byte
		lost    func(lost, pending int64) bool
	}{
		{
			"no header",
			func(file []byte) []byte { copy(file, make([]byte, 512)); return file },
			func(lost, _ int64) bool { return lost == 0 },
		},
		{
			"half of it",
			func(file []byte) []byte { return file[:len(file)/2] },
			func(lost, pending int64) bool { return lost > pending/4 && lost < pending*3/4 },
		},
		{
			"holes in it",
			func(file []byte) []byte {
				for at := 1 << 20; at < len(file); at += 1 << 20 {
					clear(file[at:min(at+10_000, len(file))])
				}
				return file
			},
			func(lost, pending int64) bool { return lost > 0 && lost < pending/2 },
		},
		{
			"noise",
			func(file []byte) []byte {
				random := rand.New(rand.NewPCG(5, 12))
				for i := range file {
					file[i] = byte(random.Uint32())
				}
				return file
			},
			func(lost, pending int64) bool { return lost == pending },
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCity(t)
			pending := c.spoolAndStop()
			c.startDatabase()
			c.rewriteSpool(test.destroy)
			c.start()
			said := c.hasSaid("salvaged the spool")
			// The salvaged spool takes what is new.
			c.publish(1000).wait()
			c.waitSettled()
			l, err := c.ledger()
			c.must("read the ledger", err)
			lost := l["lines_lost"]
			t.Logf("%d lines waited, %d are lost: %v", pending, lost, said)
			if len(said) != 1 || said[0]["lost_lines"] != float64(lost) || said[0]["lines"] != float64(pending-lost) || !test.lost(lost, pending) {
				t.Errorf("of %d lines, %d are counted as lost; the log says %v", pending, lost, said)
			}
			from, to := c.streams[1].begun.UnixMilli(), c.streams[2].begun.UnixMilli()
			c.verify(allowance{missing: func(l *truth) bool { return l.TS >= from && l.TS < to }, lost: lost})
		})
	}
}

// spoolAndStop has some readings delivered, which leaves traces in the spool's
// file, and many more wait in it. It stops everything and returns how many.
func (c *city) spoolAndStop() (pending int64) {
	c.t.Helper()
	c.bare()
	c.start()
	c.publish(5000).wait()
	c.waitSettled() // a database that stops amid a request may have stored what it has not confirmed
	c.must("stop the database", c.database.Stop())
	pending = c.publishAt(4*e2eRate, e2eLeast, c.broker.Addr()).wait().Acknowledged
	c.waitLedger("everything spooled", func(l ledger) bool { return l["lines_pending"] == pending && l["messages_in_flight"] == 0 })
	c.stop(10 * time.Second)
	return pending
}

// bare lets the service know the zones alone: nothing is derived of meters that
// are not registered, and nothing alarmed, so that all that waits is readings.
func (c *city) bare() {
	c.t.Helper()
	f, err := configs.ShippedFile(metersim.DefaultCity)
	c.must("read the city", err)
	text, err := configs.MarshalRegistry(&zone.File{City: f.City, Zones: f.Zones})
	c.must("write the bare city", err)
	path := filepath.Join(c.dir, "bare.yaml")
	c.must("write the bare city", os.WriteFile(path, text, 0o600))
	c.config.Cities = []string{path}
}

// waitDelivered waits until nothing waits for the database.
func (c *city) waitDelivered() {
	c.t.Helper()
	c.waitLedger("everything delivered", func(l ledger) bool { return l["lines_pending"] == 0 })
}

func (c *city) spoolFile() string { return filepath.Join(c.config.DataDir, "spool.db") }

// rewriteSpool changes the file. A clean stop has left no log beside it.
func (c *city) rewriteSpool(change func([]byte) []byte) {
	c.t.Helper()
	if info, err := os.Stat(c.spoolFile() + "-wal"); err == nil && info.Size() > 0 {
		c.t.Fatalf("the spool was closed and has a log of %d bytes", info.Size())
	}
	file, err := os.ReadFile(c.spoolFile())
	c.must("read the spool", err)
	c.must("damage the spool", os.WriteFile(c.spoolFile(), change(file), 0o600))
}

// flipByte changes the lowest bit of a digit in the middle of what waits, and
// returns the readings of that batch.
func (c *city) flipByte() map[reading]bool {
	c.t.Helper()
	body := c.middleBatch()
	c.rewriteSpool(func(file []byte) []byte {
		// What was delivered stands in free pages, and a line may go over two
		// pages: only one that is there once, and whole, is the right one.
		for line := range bytes.Lines(body) {
			if bytes.Count(file, line) == 1 {
				value := bytes.IndexByte(line[bytes.IndexByte(line, ' '):], '=') + bytes.IndexByte(line, ' ') + 1
				file[bytes.Index(file, line)+value] ^= 1
				return file
			}
		}
		c.t.Fatalf("none of these lines is in the file once and whole:\n%s", body)
		return nil
	})
	inside := make(map[reading]bool)
	for line := range strings.Lines(string(body)) {
		r, err := parseLine(line)
		c.must("read a spooled line", err)
		inside[r] = true
	}
	return inside
}

// middleBatch returns the lines of a batch that waits in the spool.
func (c *city) middleBatch() (body []byte) {
	c.t.Helper()
	db, err := sql.Open("sqlite", "file:"+c.spoolFile()+"?mode=ro")
	c.must("open the spool", err)
	err = db.QueryRowContext(c.t.Context(), "SELECT body FROM batch ORDER BY id LIMIT 1 OFFSET (SELECT count(*)/2 FROM batch)").Scan(&body)
	c.must("read the spool", err)
	c.must("close the spool", db.Close())
	return body
}

// parseLine reads which reading a line is of. No name in it needs escaping.
func parseLine(line string) (r reading, err error) {
	part := strings.Fields(line) // series, fields, time
	if len(part) != 3 {
		return r, fmt.Errorf("%q has not three parts", line)
	}
	utility, tags, _ := strings.Cut(part[0], ",")
	r.utility = meter.Utility(utility)
	for tag := range strings.SplitSeq(tags, ",") {
		switch name, value, _ := strings.Cut(tag, "="); name {
		case "zone":
			r.zone = value
		case "meter":
			r.meter = value
		}
	}
	r.ts, err = strconv.ParseInt(part[2], 10, 64)
	return r, err
}
