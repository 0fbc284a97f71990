package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// enough is how many lines wait before a fault of the database is mended.
const enough = 10_000

// TestE2EDatabaseRefuses stops the database in mid-stream, so that its port
// refuses connections, and starts it again.
func TestE2EDatabaseRefuses(t *testing.T) {
	c := newCity(t)
	c.start()
	s := c.publish(e2eLeast)
	s.reach(10_000)
	c.must("stop the database", c.database.Stop())
	c.waitDegraded("connection refused")
	c.waitPending(enough)
	c.startDatabase()
	s.wait()
	c.waitSettled()
	c.verify(allowance{})
}

// TestE2EDatabaseHangs lets connections to the database stand while nothing
// comes back: first requests are lost too, then they arrive and only the
// answers are lost, so that everything is written more than once.
func TestE2EDatabaseHangs(t *testing.T) {
	c := newCity(t)
	p := c.proxy(c.database.Addr())
	c.config.Influx.URL = "http://" + p.addr()
	c.config.Influx.Timeout, c.config.Influx.Batch = 3*time.Second, 1000 // no request takes so long by itself
	c.start()
	s := c.publish(0)
	for _, ways := range [][]way{{up, down}, {down}} {
		s.further(e2eRate)
		p.hold(ways...)
		c.waitDegraded("no answer in time")
		c.waitPending(enough)
		p.release()
		c.waitLedger("the backlog is written", func(l ledger) bool { return l["lines_pending"] < enough/2 })
	}
	s.finish()
	c.waitSettled()
	c.verify(allowance{})
}

// TestE2EDatabaseBusy answers 503 with Retry-After for a while.
func TestE2EDatabaseBusy(t *testing.T) {
	const retryAfter, answers = 2 * time.Second, 5
	c := newCity(t)
	p := c.httpProxy()
	c.config.Influx.URL = p.url()
	c.start()
	s := c.publish(e2eLeast)
	s.reach(10_000)

	var mu sync.Mutex
	var asked []time.Time
	p.answers(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, time.Now())
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"code":"unavailable","message":"too busy"}`) // the status says enough
	})
	c.waitDegraded("503 too busy")
	c.eventually("several attempts", func() (bool, error) {
		mu.Lock()
		defer mu.Unlock()
		return len(asked) >= answers, nil
	})
	p.answers(nil)
	// Requests that were under way together may all have been turned away.
	together := c.config.Influx.Requests
	for i := together; i < len(asked); i++ {
		if gap := asked[i].Sub(asked[i-together]); gap < retryAfter {
			t.Errorf("attempt %d came %v after attempt %d, though Retry-After was %v", i+1, gap, i+1-together, retryAfter)
		}
	}
	s.wait()
	c.waitSettled()
	c.verify(allowance{})
}

// TestE2EDatabaseDenies changes the password in the database first and in the
// token's file later. The collector is not told and goes on by itself.
func TestE2EDatabaseDenies(t *testing.T) {
	c := newCity(t, withAuth)
	file := filepath.Join(c.dir, "token")
	rotate := func(token string) {
		c.must("write the token", os.WriteFile(file+".new", []byte(token+"\n"), 0o600))
		c.must("write the token", os.Rename(file+".new", file))
	}
	rotate(c.databaseToken)
	c.config.Influx.Token = "file:" + file
	c.start()
	s := c.publish(e2eLeast)
	s.reach(10_000)
	c.tell(`SET PASSWORD FOR "admin" = 'rotated'`)
	c.databaseToken = "admin:rotated"
	c.waitDegraded("401")
	c.waitPending(enough)
	rotate(c.databaseToken)
	s.wait()
	c.waitSettled()
	c.verify(allowance{})
}

// TestE2EDatabaseDropped drops the database in mid-stream. What it held is
// gone by its operator's hand; everything measured afterwards must be there.
func TestE2EDatabaseDropped(t *testing.T) {
	for _, test := range []struct {
		name   string
		create bool // the collector may make it again; otherwise it is done by hand
	}{
		{"made again by hand", false},
		{"made again by the collector", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCity(t)
			c.tell(`CREATE DATABASE "` + databaseName + `"`)
			c.config.Influx.Create = test.create
			c.config.Influx.Flush = 100 * time.Millisecond // so that something is always under way
			c.start()
			s := c.publish(e2eLeast)
			s.reach(10_000)
			c.tell(`DROP DATABASE "` + databaseName + `"`)
			dropped := time.Now()
			if !test.create {
				c.waitDegraded("not found")
				c.waitPending(enough)
				c.tell(`CREATE DATABASE "` + databaseName + `"`)
			}
			s.wait()
			c.waitSettled()
			// A message leaves at most half a millisecond before its time.
			after := dropped.UnixMilli() + 2
			c.verify(allowance{forgotten: true, missing: func(l *truth) bool { return l.TS < after }})
		})
	}
}

// TestE2EDatabaseKilled kills the database while it works on a request, and
// starts it again once.
func TestE2EDatabaseKilled(t *testing.T) {
	c := newCity(t)
	p := c.httpProxy()
	c.config.Influx.URL = p.url()
	c.start()
	s := c.publish(e2eLeast)
	s.reach(15_000)
	killed := make(chan error, 1)
	p.sent(func() { killed <- c.database.Kill() })
	select {
	case err := <-killed:
		c.must("kill the database", err)
	case <-time.After(happensWithin):
		t.Fatal("nothing was written")
	}
	c.waitDegraded("")
	c.waitPending(enough)
	c.startDatabase()
	s.wait()
	c.waitSettled()
	c.verify(allowance{})
}

// waitPending waits until at least so many lines wait for the database.
func (c *city) waitPending(lines int64) {
	c.t.Helper()
	c.waitLedger("lines that wait for the database", func(l ledger) bool { return l["lines_pending"] >= lines })
}
