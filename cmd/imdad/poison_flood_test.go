package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/imdad-telemetry/imdad/collector/spool"
)

// TestPoisonFlood lets 1,000 poisonous messages a second come for a minute
// beside as many readings: the quarantine keeps to its cap, with the latest in
// it, the file does not grow, and every reading arrives.
func TestPoisonFlood(t *testing.T) {
	const (
		rate    = 1000 // a second, of each
		seconds = 60
		limit   = 2 * spool.MiB
		// What a spool file takes up beside the quarantine when nothing is
		// pending for long: fingerprints and free pages.
		fileLimit = 32 * spool.MiB
	)
	c := newCity(t)
	c.config.Quarantine.MaxBytes = limit
	c.start()
	s := c.publishAt(rate, rate*seconds, c.broker.Addr())
	p := c.publisher("flood")

	watched, stop := context.WithCancel(t.Context())
	var watching errgroup.Group
	watching.Go(func() error { return c.watchQuarantine(watched, int64(limit), int64(fileLimit)) })
	flood(t.Context(), p, rate, rate*seconds)
	p.wait()
	s.wait()
	c.waitLedger("the end of the flood", func(l ledger) bool {
		return l["messages_quarantined"] >= rate*seconds && l["messages_in_flight"] == 0
	})
	c.waitSettled()
	stop()
	c.must("watch the quarantine", watching.Wait())

	c.compare(c.rows(), allowance{})
	l, err := c.ledger()
	c.must("read the ledger", err)
	if problems := l.problems(); len(problems) > 0 {
		t.Errorf("%v: %v", l, problems)
	}
	c.checkLatest(l)
}

// flood publishes evenly.
func flood(ctx context.Context, p *publisher, rate, n int) {
	random := rand.New(rand.NewPCG(1, 2))
	filler := strings.Repeat("not a reading ", 100)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	begun := time.Now()
	for sent := 0; sent < n; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		due := min(n, int(time.Since(begun).Seconds()*float64(rate)))
		for ; sent < due; sent++ {
			p.send(poisonTopic, fmt.Sprintf("%d %s", sent, filler[:200+random.IntN(1000)]))
		}
	}
}

// watchQuarantine reads the metrics all the time; once is enough to be beyond
// a bound.
func (c *city) watchQuarantine(ctx context.Context, limit, fileLimit int64) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		_, page, err := c.get("/metrics")
		if err != nil {
			return err
		}
		weight, file := metric(page, "imdad_quarantine_bytes"), metric(page, "imdad_spool_file_bytes")
		if weight > limit || file > fileLimit {
			return fmt.Errorf("the quarantine weighs %d bytes, of %d; the file %d, of %d", weight, limit, file, fileLimit)
		}
	}
}

// metric returns the value of a metric without labels.
func metric(page, name string) int64 {
	for line := range strings.Lines(page) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			var f float64
			if _, err := fmt.Sscan(value, &f); err == nil {
				return int64(f)
			}
		}
	}
	return -1
}

// checkLatest checks that the quarantine is full, and of the latest messages.
func (c *city) checkLatest(l ledger) {
	c.t.Helper()
	entries := c.entries()
	if int64(len(entries)) != l["quarantine_entries"] || l["quarantine_evicted"] == 0 || len(entries) < 1000 {
		c.t.Errorf("%d entries; the ledger says %v", len(entries), l)
	}
	if !slices.IsSortedFunc(entries, func(a, b spool.Entry) int { return number(a) - number(b) }) && l["messages_abandoned"] == 0 {
		c.t.Error("the entries are not in the order in which the messages came")
	}
	first, last := entries[0], entries[len(entries)-1]
	if last.ID != l["quarantine_added"] || last.ID-first.ID != int64(len(entries)-1) {
		c.t.Errorf("entries %d to %d of %d are kept: not the latest", first.ID, last.ID, l["quarantine_added"])
	}
}

// number is what flood has written first.
func number(e spool.Entry) (n int) {
	if _, err := fmt.Sscan(string(e.Payload), &n); err != nil {
		return -1
	}
	return n
}
