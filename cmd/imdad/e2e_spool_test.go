package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/imdad-telemetry/imdad/collector/spool"
)

// TestE2EDiskFull lets a foreign file take the rest of the spool's disk while
// the database is down, and stay there when the database is back.
func TestE2EDiskFull(t *testing.T) {
	for _, test := range []struct {
		name    string
		pending int64 // lines that wait when the disk becomes full
		again   int64 // further messages, while the spool refuses
		resumes bool  // what is drained makes room enough to go on, though the disk stays full
	}{
		{"little room inside the file", 2000, e2eLeast, false},
		{"much room inside the file", 40_000, e2eLeast / 2, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCity(t)
			c.smallDisk(c.config.DataDir, 128<<20)
			c.start()
			s := c.publishAt(2*e2eRate, 0, c.broker.Addr())
			s.reach(5000)
			c.must("stop the database", c.database.Stop())
			c.waitDegraded("connection refused")
			c.waitPending(test.pending)
			free := c.fillDisk(c.config.DataDir)
			c.waitRefusing(spool.ErrDiskFull)
			s.reach(s.fleet.Progress().Published + test.again)
			acked := s.stop().Acknowledged

			c.startDatabase()
			c.waitLedger("the backlog is drained, though the disk is full", func(l ledger) bool {
				return l["lines_pending"] == 0 && (!test.resumes || l["readings_spooled"] == acked)
			})
			if !test.resumes {
				c.waitRefusing(spool.ErrDiskFull) // still
				if l, err := c.ledger(); err != nil || l["readings_spooled"] > acked-test.again/2 {
					t.Errorf("of %d readings, most of the last %d should have been refused: %v (%v)", acked, test.again, l, err)
				}
			}
			free()
			c.waitReady()
			c.waitSettled()
			c.hasSaid("the spool accepts again")
			c.verify(allowance{})
		})
	}
}

// TestE2ESpoolAtItsCap lets more wait for the database than the spool may hold.
func TestE2ESpoolAtItsCap(t *testing.T) {
	const (
		limit = 8 * spool.MiB
		again = 40_000
	)
	c := newCity(t)
	c.config.Spool.MaxBytes = limit
	c.start()
	s := c.publishAt(2*e2eRate, 0, c.broker.Addr())
	s.reach(5000)
	c.must("stop the database", c.database.Stop())
	c.waitDegraded("connection refused")
	c.waitRefusing(spool.ErrFull)
	s.reach(s.fleet.Progress().Published + again)
	acked := s.stop().Acknowledged
	c.waitRefusing(spool.ErrFull) // still
	used, err := c.gauge("imdad_spool_bytes")
	c.must("read the metrics", err)
	if most := float64(limit + spool.MiB); used > most {
		t.Errorf("the backlog takes %v bytes, more than the cap and a batch", used)
	}
	if l, err := c.ledger(); err != nil || l["readings_spooled"] > acked-again/2 {
		t.Errorf("of %d readings, most of the last %d should have been refused: %v (%v)", acked, again, l, err)
	}

	c.startDatabase()
	c.waitReady()
	c.waitSettled()
	c.hasSaid("the spool accepts again")
	c.verify(allowance{})
}

// waitRefusing waits until the spool refuses for this reason, and says so in
// all three ways.
func (c *city) waitRefusing(reason error) {
	c.t.Helper()
	c.eventually("the spool refuses: "+reason.Error(), func() (bool, error) {
		code, body, err := c.readyz()
		return code == http.StatusServiceUnavailable && strings.Contains(body, "spool: refuses: "+reason.Error()), err
	})
	if accepting, err := c.gauge("imdad_spool_accepting"); err != nil || accepting != 0 {
		c.t.Errorf("imdad_spool_accepting is %v while the spool refuses (%v)", accepting, err)
	}
	for _, entry := range c.hasSaid("the spool accepts nothing more") {
		if !strings.Contains(fmt.Sprint(entry["error"]), reason.Error()) {
			c.t.Errorf("the log gives a wrong reason: %v, want %v", entry, reason)
		}
	}
}

// gauge reads a metric that has no labels.
func (c *city) gauge(name string) (float64, error) {
	_, page, err := c.get("/metrics")
	if err != nil {
		return 0, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(page))
	if err != nil {
		return 0, err
	}
	v, ok := sample(families[name], "")
	if !ok {
		return 0, fmt.Errorf("no metric %s", name)
	}
	return v, nil
}

// hasSaid is said for what must have been.
func (c *city) hasSaid(text string) []map[string]any {
	c.t.Helper()
	found := c.said(text)
	if found == nil {
		c.t.Errorf("the collector has not said %q", text)
	}
	return found
}

// said returns the entries of the collector's log with this in the message.
func (c *city) said(text string) (found []map[string]any) {
	c.t.Helper()
	log, err := os.ReadFile(c.collector.log)
	c.must("read the log", err)
	log = log[:bytes.LastIndexByte(log, '\n')+1] // it may be about to say more
	for line := range bytes.Lines(log) {
		var entry map[string]any
		c.must("read the log", json.Unmarshal(line, &entry))
		if strings.Contains(fmt.Sprint(entry["message"]), text) {
			found = append(found, entry)
		}
	}
	return found
}

// smallDisk gives a folder a file system of its own: only a full one is full.
func (c *city) smallDisk(dir string, size int) {
	c.t.Helper()
	out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d", size), "tmpfs", dir).CombinedOutput()
	if err != nil {
		c.t.Fatalf("this test mounts a small tmpfs and needs the right to (run it as root, or with CAP_SYS_ADMIN): %v: %s", err, out)
	}
	c.t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			c.t.Errorf("unmount %s: %v: %s", dir, err, out)
		}
	})
}

// fillDisk writes a foreign file until not one byte more fits. free removes it.
func (c *city) fillDisk(dir string) (free func()) {
	c.t.Helper()
	path := filepath.Join(dir, "foreign")
	f, err := os.Create(path)
	c.must("fill the disk", err)
	for _, size := range []int{1 << 20, 4096, 1} {
		block := make([]byte, size)
		for err = nil; err == nil; {
			_, err = f.Write(block)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			c.t.Fatalf("fill the disk: %v", err)
		}
	}
	c.must("fill the disk", f.Close())
	return func() { c.must("make room on the disk", os.Remove(path)) }
}
