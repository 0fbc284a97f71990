package main

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/metersim"
	"github.com/imdad-telemetry/imdad/collector/metersim/dress"
	"github.com/imdad-telemetry/imdad/configs"
)

const (
	// mixedEvery is how often each meter speaks: above the resolution of every
	// profile's times.
	mixedEvery = 1500 * time.Millisecond
	// What each profile must bring to the test at least.
	mixedMeters, mixedReadings = 4, 100
)

// TestE2EProfiles lets the meters of a city speak every profile, kills the
// collector and restarts the broker in between, and compares the database with
// the truth value by value.
func TestE2EProfiles(t *testing.T) {
	c := newCity(t, asShipped)
	mixed := func(o *metersim.Options) { o.Profiles, o.Interval = []string{dress.Mixed}, mixedEvery }
	c.learn(mixed)
	c.start()
	s := c.publishWith(mixed)
	var away disturbances

	s.further(8000)
	away.begin()
	c.kill()
	s.further(4000)
	c.start()
	c.waitTaken(s)
	away.end()

	s.further(8000)
	away.begin()
	c.must("stop the broker", c.broker.Stop())
	c.waitNotReady()
	c.startBroker()
	c.waitReady()
	c.waitTaken(s)
	away.end()

	s.further(8000)
	s.stop()
	c.waitLast()
	c.verifyProfiles(away)
}

// asShipped is a city with no more meters than it has.
func asShipped(c *city) {
	reg, err := configs.ShippedRegistry(metersim.DefaultCity)
	c.must("load the registry", err)
	c.registry = reg
}

// learn tells the collector how to read the meters that publishWith makes of
// the same options.
func (c *city) learn(change func(*metersim.Options)) {
	c.t.Helper()
	o := metersim.DefaultOptions()
	o.Registry, o.Seed, o.Broker = c.registry, int64(len(c.streams)+1), "tcp://"+c.broker.Addr()
	change(&o)
	fleet, err := metersim.New(o)
	c.must("make the meters", err)
	c.sources, err = fleet.SourcesYAML()
	c.must("write the sources", err)
}

// waitTaken waits until everything that the meters have made so far is
// acknowledged by the broker, and the collector has nothing to do for a moment.
func (c *city) waitTaken(s *stream) {
	c.t.Helper()
	made := s.fleet.Progress().Published
	c.eventually("everything acknowledged", func() (bool, error) { return s.fleet.Progress().Acknowledged >= made, nil })
	c.waitLedger("nothing in the collector's hands", func(l ledger) bool { return l["messages_in_flight"] == 0 })
}

// verifyProfiles compares the books: the truth, the database and the ledger.
func (c *city) verifyProfiles(away disturbances) {
	c.t.Helper()
	j := newJudgement(c, away)
	c.truths(j.take)
	j.compare(c.points())
	j.report()
	c.balanceBooks(0)
	for _, p := range decode.Profiles() {
		b := j.books[p]
		if b == nil || len(b.meters) < mixedMeters || b.readings < mixedReadings || b.values == 0 {
			c.t.Errorf("the profile %s is hardly there: %+v", p, b)
		}
	}
}

// balanceBooks: the ledger balances, and nothing was refused, dropped or lost, but
// so many messages that have been replayed.
func (c *city) balanceBooks(replayed int64) {
	c.t.Helper()
	l, err := c.ledger()
	c.must("read the ledger", err)
	c.t.Log(l)
	for _, problem := range l.problems() {
		c.t.Errorf("the ledger does not balance: %s", problem)
	}
	for _, name := range []string{
		"messages_in_flight", "messages_ignored", "messages_dropped", "readings_quarantined", "readings_conflicting",
		"lines_refused", "lines_lost", "quarantine_entries",
	} {
		if l[name] != 0 {
			c.t.Errorf("the ledger says %s = %d, want 0", name, l[name])
		}
	}
	for _, name := range []string{"messages_quarantined", "quarantine_added", "quarantine_replayed"} {
		if l[name] != replayed {
			c.t.Errorf("the ledger says %s = %d, want %d", name, l[name], replayed)
		}
	}
	c.showQuarantine()
}

// book is what was compared of one profile.
type book struct {
	meters           map[meterKey]bool
	readings, values int
}

func (j *judgement) report() {
	j.c.t.Helper()
	var table strings.Builder
	fmt.Fprintf(&table, "%-12s %7s %9s %16s", "profile", "meters", "readings", "values compared")
	for _, p := range slices.Sorted(maps.Keys(j.books)) {
		b := j.books[p]
		fmt.Fprintf(&table, "\n%-12s %7d %9d %16d", p, len(b.meters), b.readings, b.values)
	}
	j.c.t.Log("what was compared:\n" + table.String())
	j.c.t.Logf("fields beyond those sent: %v; qualities: %v, for %v; values told twice: %d", j.added, j.qualities, j.reasons, j.repeated)
	j.missing.report(j.c, "acknowledged readings are not in the database")
	j.wrong.report(j.c, "readings in the database differ from the truth")
	j.extra.report(j.c, "values in the database were never sent")
}

// showQuarantine lists what is in it.
func (c *city) showQuarantine() {
	c.t.Helper()
	var stdout, stderr bytes.Buffer
	e := &env{ctx: c.t.Context(), stdout: &stdout, stderr: &stderr}
	if code := execute(e, []string{"quarantine", "list", "--config", filepath.Join(c.dir, "imdad.yaml"), "--json"}); code != 0 {
		c.t.Errorf("quarantine list: exit code %d: %s", code, stderr.String())
	}
	if stdout.Len() > 0 {
		c.t.Logf("in quarantine:\n%s", stdout.String())
	}
}
