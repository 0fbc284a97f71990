package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/meter"
)

// TestE2EConnectionCut cuts the connection to the broker again and again,
// with a reset and in silence, on a slow network, while the spool stands still.
// The queue overflows, and commits fail.
func TestE2EConnectionCut(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 11))
	c := newCity(t, func(c *city) { c.brokerOptions.Extra = []string{"max_inflight_messages 0"} }) // no limit
	p := c.proxy(c.broker.Addr())
	p.late(150 * time.Millisecond)
	c.config.MQTT.Brokers = []string{"tcp://" + p.addr()}
	c.config.MQTT.KeepAlive, c.config.MQTT.QueueMiB = 5*time.Second, 1
	c.start()
	s := c.publish(0)
	further := func(messages int64) { s.reach(s.fleet.Progress().Published + messages) }

	cut := func(times int) {
		for range times {
			c.waitReady()
			further(100 + random.Int64N(e2eRate/2))
			p.cut()
		}
	}
	cut(4)
	c.waitReady()
	further(e2eRate)

	release := c.stallSpool()
	cut(1)
	c.eventually("the queue is full", func() (bool, error) {
		_, body, err := c.readyz()
		return strings.Contains(body, "no room for another message"), err
	})
	release()
	c.waitReady()
	further(e2eRate)

	release = c.stallSpool()
	p.silence()
	c.eventually("the silence is noticed", func() (bool, error) {
		_, body, err := c.readyz()
		return strings.Contains(body, "not connected"), err
	})
	c.eventually("a commit fails", func() (bool, error) { return c.said("spool commit failed") != nil, nil })
	p.cut()
	release()
	c.waitReady()
	further(e2eRate)

	s.stop()
	c.waitSettled()
	c.verify(allowance{})
	if l, err := c.ledger(); err != nil || l["messages_abandoned"] == 0 {
		t.Errorf("no message was in the collector's hands when its connection was cut: %v (%v)", l, err)
	}
}

// TestE2EFiltersChange changes the topic filters, the number of connections and
// the shared group from run to run, while the meters go on. What is published
// while the collector is away arrives, messages come once in the end, and at
// the broker only the last run's session is left.
func TestE2EFiltersChange(t *testing.T) {
	c := newCity(t)
	all := []string{"imdad/v1/#"}
	var utilities, zones []string
	for _, u := range meter.Utilities {
		utilities = append(utilities, "imdad/v1/+/"+string(u)+"/+")
	}
	for _, z := range c.registry.Zones() {
		zones = append(zones, "imdad/v1/"+z.ID+"/#")
	}
	var s *stream
	for _, run := range []struct {
		filters  []string
		share    string
		sessions []string // also tells the number of connections
	}{
		{all, "", []string{"imdad"}},
		{utilities, "", []string{"imdad-0", "imdad-1", "imdad-2"}},
		{zones, "", []string{"imdad-0", "imdad-1"}},
		{zones, "office", []string{"imdad-0", "imdad-1"}},
		{utilities, "office", []string{"imdad-0", "imdad-1", "imdad-2"}},
		{all, "", []string{"imdad"}},
	} {
		if c.collector != nil {
			c.stop(10 * time.Second)
			s.reach(s.fleet.Progress().Published + e2eRate/2)
		}
		c.config.MQTT.Connections, c.config.MQTT.Share = len(run.sessions), run.share
		c.config.Sources = []decode.Source{{Name: "native", Topics: run.filters, Profile: "imdad"}}
		c.start()
		c.eventually(fmt.Sprintf("only the sessions %v", run.sessions), func() (bool, error) {
			sessions, err := c.sessions()
			return slices.Equal(sessions, run.sessions), err
		})
		if s == nil {
			s = c.publish(0)
		}
		c.waitEachOnce()
	}
	s.stop()
	c.waitSettled()
	c.verify(allowance{})

	c.stop(10 * time.Second)
	for id, want := range map[string]bool{"imdad": true, "imdad-0": false, "imdad-1": false, "imdad-2": false} {
		if known := c.brokerKnows(id); known != want {
			t.Errorf("the broker has a session %q: %v, want %v", id, known, want)
		}
	}
}

// sessions returns the client ids that the collector has at the broker.
func (c *city) sessions() ([]string, error) {
	_, body, err := c.readyz()
	ids := make(map[string]bool)
	for line := range strings.Lines(body) {
		if said, ok := strings.CutPrefix(line, "mqtt "); ok {
			id, _, _ := strings.Cut(said, ":")
			ids[id] = true
		}
	}
	return slices.Sorted(maps.Keys(ids)), err
}

// waitEachOnce waits until, for a while, no message has come more than once.
func (c *city) waitEachOnce() {
	c.t.Helper()
	var since ledger
	c.waitLedger("each message comes once", func(l ledger) bool {
		if since == nil || l["readings_duplicate"] > since["readings_duplicate"] {
			since = l
		}
		return l["readings_spooled"]-since["readings_spooled"] > e2eRate/2
	})
}

// brokerKnows asks the broker for a client's session, by connecting in its
// name. If there is none, there is one afterwards.
func (c *city) brokerKnows(clientID string) bool {
	c.t.Helper()
	conn, err := net.Dial("tcp", c.broker.Addr())
	c.must("connect to the broker", err)
	defer conn.Close()
	c.must("connect to the broker", conn.SetDeadline(time.Now().Add(happensWithin)))
	connect := []byte("\x10\x00\x00\x04MQTT\x04\x00\x00\x3c") // CONNECT, MQTT 3.1.1, keep the session, 60 s
	connect = binary.BigEndian.AppendUint16(connect, uint16(len(clientID)))
	connect = append(connect, clientID...)
	connect[1] = byte(len(connect) - 2)
	_, err = conn.Write(connect)
	c.must("greet the broker", err)
	answer, err := readPacket(bufio.NewReader(conn))
	c.must("read the broker's greeting", err)
	if len(answer) != 4 || answer[0] != 0x20 || answer[3] != 0 {
		c.t.Fatalf("the broker answers %x to CONNECT", answer)
	}
	return answer[2]&1 == 1
}
