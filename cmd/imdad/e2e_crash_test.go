package main

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestE2EKilledTwentyTimes kills the collector at random moments while the
// meters go on, and starts it again at once.
func TestE2EKilledTwentyTimes(t *testing.T) {
	const kills = 20
	random := rand.New(rand.NewPCG(20, 9))
	c := newCity(t)
	c.start()
	s := c.publish(0)
	for range kills {
		// From before the session stands to well into the stream.
		s.reach(s.fleet.Progress().Published + 200 + random.Int64N(e2eRate))
		c.kill()
		c.spawn()
	}
	s.reach(e2eLeast)
	s.stop()
	c.waitReady()
	c.waitSettled()
	c.verify(allowance{})
}

// TestE2ETerminatedUnderLoad stops the collector in the middle of the stream,
// first while the database takes everything, then while it does not answer.
func TestE2ETerminatedUnderLoad(t *testing.T) {
	c := newCity(t)
	c.start()
	s := c.publish(e2eLeast)
	for _, at := range []int64{8000, 16_000, 24_000} {
		s.reach(at)
		c.stop(5 * time.Second)
		c.start()
	}
	s.wait()
	c.waitSettled()
	c.verify(allowance{})
}
