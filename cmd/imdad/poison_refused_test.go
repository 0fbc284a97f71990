package main

import (
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/spool"
)

// TestOneBadLineAmongFiveThousand makes one line of a whole request impossible
// to store: a field of it has another type in the database. It alone may be
// refused, and once the cause is gone it can be replayed.
func TestOneBadLineAmongFiveThousand(t *testing.T) {
	const lines, bad = 5000, 3217
	c := newCity(t)
	c.tell("CREATE DATABASE " + databaseName)
	// The shard that conflicts is that of the time.
	now := time.Now().UnixMilli()
	c.write(fmt.Sprintf(`fuel,city=x,zone=x,meter=x level_mm=1i %d`, now))
	c.must("stop the database", c.database.Stop())
	c.start()
	p := c.publisher("meters")
	for i := range lines {
		if i == bad {
			p.send("imdad/v1/z/fuel/tank", fmt.Sprintf(`{"ts":%d,"seq":%d,"values":{"level_mm":1200.5}}`, now, i))
			continue
		}
		p.send("imdad/v1/z/water/w", fmt.Sprintf(`{"ts":%d,"seq":%d,"values":{"flow_m3h":%d}}`, now+int64(i), i, i))
	}
	p.wait()
	c.waitLedger("all lines in the spool", func(l ledger) bool { return l["lines_pending"] == lines })
	c.startDatabase()
	c.waitLedger("delivery", func(l ledger) bool { return l["lines_pending"] == 0 })

	if n := c.stored("z"); n != lines-1 {
		t.Errorf("the database holds %d readings, want %d", n, lines-1)
	}
	want := fmt.Sprintf("fuel,city=unregistered,meter=tank,zone=z level_mm=1200.5,quality=0i,seq=%di %d", bad, now)
	first := c.oneRefused(want)
	c.checkCounts(map[string]int64{"lines_written": lines - 1, "lines_refused": 1, "quarantine_added": 1})

	// Replayed too early, it is refused again.
	c.imdad(0, "quarantine", "replay", "--config", c.configFile(), fmt.Sprint(first.ID))
	c.waitLedger("the second refusal", func(l ledger) bool { return l["lines_refused"] == 2 })
	second := c.oneRefused(want)
	if second.ID == first.ID {
		t.Error("the replayed entry has kept its id")
	}

	c.tell("DROP MEASUREMENT fuel")
	if out := c.imdad(0, "quarantine", "replay", "--config", c.configFile(), "--all", "--kind", "line"); !strings.Contains(out, "replayed 1, still in quarantine 0") {
		t.Errorf("replay says %q", out)
	}
	c.waitLedger("the replayed line", func(l ledger) bool { return l["lines_replay"] == 2 && l["lines_pending"] == 0 })
	if n := c.stored("z"); n != lines {
		t.Errorf("the database holds %d readings, want %d", n, lines)
	}
	c.checkCounts(map[string]int64{
		"lines_reading": lines, "lines_replay": 2, "lines_written": lines, "lines_refused": 2,
		"quarantine_added": 2, "quarantine_replayed": 2, "quarantine_entries": 0,
	})
}

// stored counts the readings of a zone in the database.
func (c *city) stored(zone string) (n int) {
	c.t.Helper()
	for id := range c.rows() {
		if id.zone == zone {
			n++
		}
	}
	return n
}

// oneRefused returns the only entry in quarantine, which must be the line.
func (c *city) oneRefused(line string) spool.Entry {
	c.t.Helper()
	entries := c.entries()
	if len(entries) != 1 {
		c.t.Fatalf("%d entries in quarantine, want 1", len(entries))
	}
	e := entries[0]
	if e.Kind != spool.KindLine || e.Reason != "refused" || !strings.Contains(e.Detail, "field type conflict") || string(e.Payload) != line {
		c.t.Errorf("in quarantine is %s %s %q:\n%s\nwant\n%s", e.Kind, e.Reason, e.Detail, e.Payload, line)
	}
	return e
}

// checkCounts holds some entries of the ledger against what they must be, and
// its lines against one another.
func (c *city) checkCounts(want map[string]int64) {
	c.t.Helper()
	l, err := c.ledger()
	c.must("read the ledger", err)
	for name, n := range want {
		if l[name] != n {
			c.t.Errorf("the ledger says %s = %d, want %d", name, l[name], n)
		}
	}
	for _, problem := range l.problems() {
		c.t.Errorf("the ledger does not balance: %s", problem)
	}
}

// write puts a line into the database behind the collector's back.
func (c *city) write(line string) {
	c.t.Helper()
	res, err := c.client.Post("http://"+c.database.Addr()+"/write?precision=ms&db="+databaseName, "text/plain", strings.NewReader(line))
	c.must("write a line", err)
	defer res.Body.Close()
	if res.StatusCode != http.StatusNoContent {
		c.t.Fatalf("write a line: %s", res.Status)
	}
}

// configFile is the file that the collector was started with.
func (c *city) configFile() string { return c.dir + "/imdad.yaml" }

// imdad runs a command of the program, which must end with the code, and
// returns what it printed.
func (c *city) imdad(code int, args ...string) string {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), "imdad", args...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != code {
		c.t.Errorf("imdad %s: %v, want exit code %d; it said\n%s", strings.Join(args, " "), err, code, out)
	}
	return string(out)
}
