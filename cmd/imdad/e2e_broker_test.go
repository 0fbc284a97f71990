package main

import (
	"net/http"
	"testing"
)

// TestE2EBrokerStopped stops the broker with SIGTERM in mid-stream, which
// saves its sessions, and starts it again, twice. Everything arrives.
func TestE2EBrokerStopped(t *testing.T) {
	c := newCity(t)
	c.start()
	s := c.publish(e2eLeast)
	for _, at := range []int64{12_000, 30_000} {
		s.reach(at)
		c.must("stop the broker", c.broker.Stop())
		c.waitNotReady()
		c.startBroker()
		c.waitReady()
	}
	s.wait()
	c.waitSettled()
	c.verify(allowance{})
}

// TestE2EBrokerKilled kills the broker in mid-stream, which loses what it has
// queued and its sessions. What the collector had acknowledged, as its own
// packets show, must be in the database, and so must be everything that the
// meters send once the collector is back.
func TestE2EBrokerKilled(t *testing.T) {
	c := newCity(t)
	var packets tap
	p := c.proxyTapped(c.broker.Addr(), &packets)
	c.config.MQTT.Brokers = []string{"tcp://" + p.addr()}
	c.start()
	before := c.publish(0)
	before.reach(e2eLeast / 2)
	c.eventually("acknowledgements", func() (bool, error) { return packets.count() >= e2eLeast/4, nil })
	c.must("kill the broker", c.broker.Kill())
	c.waitNotReady()
	c.startBroker()
	c.waitReady()
	before.stop()

	after := c.publish(e2eLeast / 2)
	acked := after.wait().Acknowledged
	c.waitLedger("everything that was sent since", func(l ledger) bool {
		return l["messages_in_flight"] == 0 && l["lines_pending"] == 0 && c.storedSince(after.begun) >= acked
	})
	acknowledged, err := packets.readings()
	c.must("read the packets", err)
	since := after.begun.UnixMilli()
	c.verify(allowance{missing: func(l *truth) bool { return !acknowledged[l.reading()] && l.TS < since }})
}

// waitNotReady waits until the collector says that its broker is away.
func (c *city) waitNotReady() {
	c.t.Helper()
	c.eventually("the collector sees that the broker is away", func() (bool, error) {
		code, _, err := c.readyz()
		return code == http.StatusServiceUnavailable, err
	})
}
