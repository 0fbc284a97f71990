package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/metersim"
)

// stream is the meters of a city publishing for a while.
type stream struct {
	c      *city
	fleet  *metersim.Fleet
	begun  time.Time // no reading of it is older
	truth  string    // the file
	cancel context.CancelFunc
	done   chan struct{}
	err    error // once done
}

// publish lets the meters publish so many messages, or until they are stopped
// if messages is 0. Streams of one city must not overlap in time.
func (c *city) publish(messages int64) *stream {
	return c.publishAt(e2eRate, messages, c.broker.Addr())
}

// publishAt is publish at a rate in messages a second, to the broker or to a
// proxy before it.
func (c *city) publishAt(rate float64, messages int64, broker string) *stream {
	c.t.Helper()
	return c.publishWith(func(o *metersim.Options) {
		o.Broker, o.Rate, o.Messages = "tcp://"+broker, rate, messages
	})
}

// publishWith lets the meters publish as the options say.
func (c *city) publishWith(change func(*metersim.Options)) *stream {
	c.t.Helper()
	n := len(c.streams)
	s := &stream{c: c, begun: time.Now().Truncate(time.Millisecond), truth: filepath.Join(c.dir, fmt.Sprintf("truth-%d.jsonl", n)), done: make(chan struct{})}
	file, err := os.Create(s.truth)
	c.must("write the truth", err)
	o := metersim.DefaultOptions()
	o.Registry, o.Seed = c.registry, int64(n+1)
	o.Broker, o.ClientID = "tcp://"+c.broker.Addr(), fmt.Sprintf("meters-%d", n)
	o.Start, o.Drain = s.begun, settleWithin
	o.Truth, o.Log = file, zerolog.Nop()
	change(&o)
	s.fleet, err = metersim.New(o)
	c.must("make the meters", err)
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	c.streams = append(c.streams, s)
	go func() {
		defer close(s.done)
		if _, s.err = s.fleet.Run(ctx); s.err == nil {
			s.err = file.Close()
		}
	}()
	c.t.Cleanup(func() { cancel(); <-s.done })
	return s
}

// reach waits until so many messages have been made.
func (s *stream) reach(messages int64) {
	s.c.t.Helper()
	s.c.eventually(fmt.Sprintf("%d messages", messages), func() (bool, error) {
		return s.fleet.Progress().Published >= messages, nil
	})
}

// further waits until so many more messages have been made.
func (s *stream) further(messages int64) {
	s.c.t.Helper()
	s.reach(s.fleet.Progress().Published + messages)
}

// finish ends the stream when it has made enough for a test.
func (s *stream) finish() metersim.Summary {
	s.c.t.Helper()
	s.reach(e2eLeast)
	return s.stop()
}

// wait waits until everything is published and acknowledged by the broker.
func (s *stream) wait() metersim.Summary {
	s.c.t.Helper()
	select {
	case <-s.done:
	case <-time.After(settleWithin + happensWithin):
		s.c.t.Fatalf("the meters do not end: %s", s.fleet.Progress())
	}
	s.c.must("publish", s.err)
	s.c.t.Logf("the meters: %s", s.fleet.Progress())
	return s.fleet.Progress()
}

// stop ends the stream.
func (s *stream) stop() metersim.Summary {
	s.c.t.Helper()
	s.cancel()
	return s.wait()
}

// reading identifies a reading.
type reading struct {
	utility     meter.Utility
	zone, meter string
	ts          int64 // ms since the epoch
}

func (r reading) String() string {
	return fmt.Sprintf("%s/%s/%s at %s", r.zone, r.utility, r.meter, time.UnixMilli(r.ts).UTC().Format("15:04:05.000"))
}

// truth is a line of the truth file.
type truth struct {
	Zone    string             `json:"zone"`
	Utility meter.Utility      `json:"utility"`
	Meter   string             `json:"meter"`
	TS      int64              `json:"ts"`
	Seq     int64              `json:"seq"`
	Values  map[string]float64 `json:"values"`
	Acked   bool               `json:"acked"`

	// Of those that do not speak natively; see metersim.Truth.
	Profile    string `json:"profile"`
	Received   bool   `json:"received"`
	Unreadable bool   `json:"unreadable"`
}

func (l *truth) reading() reading { return reading{l.Utility, l.Zone, l.Meter, l.TS} }

// truths calls f with each message that the meters have made. All streams must
// have ended.
func (c *city) truths(f func(*truth)) {
	c.t.Helper()
	for _, s := range c.streams {
		file, err := os.Open(s.truth)
		c.must("read the truth", err)
		lines := bufio.NewScanner(file)
		for lines.Scan() {
			var l truth
			c.must("read the truth", json.Unmarshal(lines.Bytes(), &l))
			f(&l)
		}
		c.must("read the truth", lines.Err())
		c.must("read the truth", file.Close())
	}
}
