package main

import (
	"database/sql"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// TestE2EKilledTwentyTimes kills the collector at random moments while the
// meters go on, and starts it again at once.
func TestE2EKilledTwentyTimes(t *testing.T) {
	const kills = 20
	random := rand.New(rand.NewPCG(20, 9))
	c := newCity(t)
	// Small batches, so that many a kill finds some under way to the database.
	c.config.Influx.Batch, c.config.Influx.Flush = 500, 100*time.Millisecond
	c.start()
	s := c.publish(0)
	for range kills {
		// From before the session stands to well into the stream.
		s.further(200 + random.Int64N(e2eRate))
		c.kill()
		c.spawn()
	}
	s.finish()
	c.waitReady()
	c.waitSettled()
	c.waitLedger("messages that came again after a kill between commit and PUBACK",
		func(l ledger) bool { return l["readings_duplicate"] > 0 })
	c.verify(allowance{})
}

// TestE2ETerminatedUnderLoad stops the collector in the middle of the stream,
// first while the database takes everything, then while it does not answer.
func TestE2ETerminatedUnderLoad(t *testing.T) {
	c := newCity(t)
	p := c.proxy(c.database.Addr())
	c.config.Influx.URL = "http://" + p.addr()
	c.start()
	s := c.publish(e2eLeast)
	for _, at := range []int64{8000, 16_000, 24_000} {
		s.reach(at)
		c.stop(5 * time.Second)
		c.start()
	}
	p.hold(up, down)
	s.reach(32_000)
	c.stop(8 * time.Second) // a request that is under way may finish within 3 s
	p.release()
	c.start()
	s.wait()
	c.waitSettled()
	c.verify(allowance{})
}

// TestE2EKilledWithAStalledSpool kills the collector while its disk takes
// nothing: whatever it has received is in memory only, and must not have been
// acknowledged.
func TestE2EKilledWithAStalledSpool(t *testing.T) {
	c := newCity(t)
	c.start()
	s := c.publish(e2eLeast)
	for at := int64(4000); at < e2eLeast; at += 8000 {
		s.reach(at)
		release := c.stallSpool()
		s.reach(at + 4000)
		c.kill()
		release()
		c.start()
	}
	s.wait()
	c.waitSettled()
	c.verify(allowance{})
}

// stallSpool lets every commit of the spool wait, as on a disk that hangs,
// until release is called. The spool gives up after 10 s.
func (c *city) stallSpool() (release func()) {
	c.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(c.config.DataDir, "spool.db")+"?_pragma=busy_timeout(5000)")
	c.must("open the spool", err)
	conn, err := db.Conn(c.t.Context())
	c.must("open the spool", err)
	_, err = conn.ExecContext(c.t.Context(), "BEGIN IMMEDIATE")
	c.must("lock the spool", err)
	release = sync.OnceFunc(func() {
		if err := errors.Join(conn.Close(), db.Close()); err != nil { // rolls back
			c.t.Errorf("unlock the spool: %v", err)
		}
	})
	c.t.Cleanup(release)
	return release
}
