package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
)

// TestE2ESparkplug is the collector as a Sparkplug host at a real broker.
func TestE2ESparkplug(t *testing.T) {
	t.Parallel()
	t.Run("late join and restarts", sparkplugLateJoin)
	t.Run("death of a node", sparkplugDeath)
	t.Run("state of the host", sparkplugState)
	t.Run("gap in the numbers", sparkplugGap)
}

// sparkplugLateJoin: nodes have given birth before anybody listened. The host
// asks each, and reads on. Then it goes, in good order and not, in the middle of
// everybody's sessions: it needs no birth to read what they say.
func sparkplugLateJoin(t *testing.T) {
	t.Parallel()
	w := newEdges(t)
	w.connect(false)
	const unheard = 3 // rounds, before the broker keeps anything for the host
	for range unheard {
		w.say()
	}
	w.start()
	w.eventually("a rebirth of each node", func() (bool, error) {
		w.say()
		asked := 0
		for _, n := range w.nodes {
			asked += min(1, len(n.rebirths()))
		}
		return asked == len(w.nodes), nil
	})
	w.say()
	w.waitStored()
	unread := w.replayUnread(unheard)

	for _, end := range []struct {
		name string
		do   func()
	}{
		{"SIGTERM", func() { w.stop(happensWithin) }},
		{"SIGKILL", func() { w.kill() }},
		{"SIGKILL again", func() { w.kill() }},
	} {
		before := w.rebirthsOf()
		w.say()
		end.do()
		for range 10 {
			w.say()
		}
		w.start()
		started := time.Now()
		w.say()
		w.waitStored()
		if got := w.rebirthsOf(); got != before {
			t.Errorf("%s: the nodes were asked %s times before, %s times when their data had been read", end.name, before, got)
		}
		t.Logf("%s: everything read %v after readiness", end.name, time.Since(started).Round(time.Millisecond))
	}
	w.verify(unread)
}

// replayUnread: what came before its birth was known is in quarantine, and can
// be read by now. It returns how many messages that were. So many rounds at the
// start have never come to the host.
func (w *edges) replayUnread(unheard int) (messages int64) {
	w.t.Helper()
	for _, n := range w.nodes {
		n.mu.Lock()
		for _, l := range n.told[unheard*len(n.meters):] {
			if !l.Acked {
				messages++
				l.Acked = true
			}
		}
		n.mu.Unlock()
	}
	l, err := w.ledger()
	w.must("read the ledger", err)
	if got := l["quarantine_entries"]; got != messages {
		w.t.Errorf("%d messages are in quarantine; %d were made before a birth was heard", got, messages)
	}
	var stdout, stderr bytes.Buffer
	e := &env{ctx: w.t.Context(), stdout: &stdout, stderr: &stderr}
	if code := execute(e, []string{"quarantine", "replay", "--all", "--reason", "no_birth", "--config", filepath.Join(w.dir, "imdad.yaml")}); code != 0 {
		w.t.Fatalf("quarantine replay: exit code %d: %s%s", code, stdout.String(), stderr.String())
	}
	return messages
}

// rebirthsOf tells how often each node was asked.
func (w *edges) rebirthsOf() string {
	var counts []int
	for _, n := range w.nodes {
		counts = append(counts, len(n.rebirths()))
	}
	return fmt.Sprint(counts)
}

const (
	deathDelay = 3 * time.Second
	deathRules = `rules:
  - {kind: gateway.offline, on_delay: 3s}
  - {kind: meter.offline, enabled: false}
`
)

// sparkplugDeath: a node's connection breaks. What its meters said is unknown at
// once, and it is an alarm after its delay, until it is born again.
func sparkplugDeath(t *testing.T) {
	t.Parallel()
	w := newEdges(t, func(w *edges) {
		w.config.Rules = w.write("rules.yaml", deathRules)
		w.config.Metrics.Meters = true
		w.config.Alerting.Interval = 50 * time.Millisecond
	})
	w.start()
	w.connect(true)
	w.say()
	w.waitStored()
	dead := w.nodes[0]
	if shown := w.shown(); shown != "p1-e p1-w p2-e p2-w p3-e p3-w" {
		t.Fatalf("/metrics/meters shows %s", shown)
	}
	dead.die()
	begun := time.Now()
	w.eventually("the values of its meters end", func() (bool, error) { return w.shown() == "p2-e p2-w p3-e p3-w", nil })
	t.Logf("the values of its meters ended %v after the death", time.Since(begun).Round(time.Millisecond))
	if took := time.Since(begun); took > deathDelay {
		t.Errorf("the values of its meters ended %v after its death", took)
	}

	var raised alarm.Alarm
	w.eventually("an alarm", func() (bool, error) {
		list := w.listAlarms("gateway.offline")
		if len(list) > 1 {
			return false, fmt.Errorf("%d gateways are offline", len(list))
		}
		for _, a := range list {
			raised = a
		}
		return len(list) == 1, nil
	})
	if delay := raised.Raised.Sub(raised.Since); raised.Object != dead.id || delay < deathDelay || raised.Since.Before(begun.Add(-time.Second)) {
		t.Errorf("%s since %v, raised %v later; %s died at %v, and the delay is %v", raised.ID, raised.Since, delay, dead.id, begun, deathDelay)
	}
	if shown := w.shown(); shown != "p2-e p2-w p3-e p3-w" {
		t.Errorf("/metrics/meters shows %s", shown)
	}

	dead.connect()
	w.eventually("the end of the alarm", func() (bool, error) {
		list := w.listAlarms("gateway.offline")
		return len(list) == 0 || list[0].State == alarm.Returned, nil
	})
	w.say()
	w.waitStored()
	w.eventually("its meters are back", func() (bool, error) { return w.shown() == "p1-e p1-w p2-e p2-w p3-e p3-w", nil })
	w.verify(0)
}

// shown lists the meters that /metrics/meters has values of.
func (c *city) shown() string {
	c.t.Helper()
	code, page, err := c.get("/metrics/meters")
	c.must("read the meters", err)
	if code != http.StatusOK {
		c.t.Fatalf("/metrics/meters: %d", code)
	}
	var meters []string
	for line := range strings.Lines(page) {
		if !strings.HasPrefix(line, "imdad_meter_value{") {
			continue
		}
		_, rest, _ := strings.Cut(line, `meter="`)
		id, _, _ := strings.Cut(rest, `"`)
		if len(meters) == 0 || meters[len(meters)-1] != id {
			meters = append(meters, id)
		}
	}
	return strings.Join(meters, " ")
}

// listAlarms asks the command line.
func (c *city) listAlarms(kind string) (list []alarm.Alarm) {
	c.t.Helper()
	var stdout, stderr bytes.Buffer
	e := &env{ctx: c.t.Context(), stdout: &stdout, stderr: &stderr}
	if code := execute(e, []string{"alarms", "list", "--url", "http://" + c.http, "--kind", kind, "--json"}); code != 0 {
		c.t.Fatalf("alarms list: exit code %d: %s", code, stderr.String())
	}
	for line := range strings.Lines(stdout.String()) {
		var a alarm.Alarm
		c.must("read an alarm", json.Unmarshal([]byte(line), &a))
		list = append(list, a)
	}
	return list
}

// hostState is what a STATE message says.
type hostState struct {
	Online    bool  `json:"online"`
	Timestamp int64 `json:"timestamp"`
	retained  bool
}

// sparkplugState: the host says that it is online, once it is, and its will says
// that it was, with the same time; so does its good-bye. That it is offline is
// contradicted.
func sparkplugState(t *testing.T) {
	t.Parallel()
	w := newEdges(t)
	states := w.watchState("watcher")
	var last hostState
	// What a host hears of its own end when it is back, it contradicts: it may say
	// the same again at any time.
	next := func(what string, online bool, at int64) hostState {
		t.Helper()
		for {
			select {
			case s := <-states:
				if s.Online && s == last {
					continue
				}
				if last = s; s.Online != online || at != 0 && s.Timestamp != at || online && s.Timestamp < time.Now().Add(-time.Hour).UnixMilli() {
					t.Fatalf("%s: STATE is %+v, want online %v, timestamp %d", what, s, online, at)
				}
				return s
			case <-time.After(happensWithin):
				t.Fatalf("%s: no STATE", what)
			}
		}
	}
	kept := func(what string, want hostState) {
		t.Helper()
		select {
		case s := <-w.watchState(what):
			if s.Online != want.Online || s.Timestamp != want.Timestamp || !s.retained {
				t.Errorf("%s: the broker keeps %+v, want %+v", what, s, want)
			}
		case <-time.After(happensWithin):
			t.Errorf("%s: the broker keeps no STATE", what)
		}
	}

	w.start()
	first := next("start", true, 0)
	kept("started", first)
	w.kill()
	dead := next("killed", false, first.Timestamp)
	kept("killed", dead)
	w.start()
	second := next("start again", true, 0)
	if second.Timestamp <= first.Timestamp {
		t.Errorf("the times of two sessions are %d and %d", first.Timestamp, second.Timestamp)
	}
	w.stop(happensWithin)
	gone := next("stopped", false, second.Timestamp)
	kept("stopped", gone)
	w.start()
	third := next("third start", true, 0)

	liar := w.publisher("liar")
	for i, at := range []int64{1, third.Timestamp} {
		w.await(liar.client.Publish("spBv1.0/STATE/imdad", 1, true, fmt.Sprintf(`{"online":false,"timestamp":%d}`, at)))
		next("the lie", false, at)
		kept(fmt.Sprintf("contradicted %d", i), next("contradiction", true, third.Timestamp))
	}
	w.verifyNothing()
}

// watchState subscribes to the host's STATE.
func (c *city) watchState(id string) <-chan hostState {
	c.t.Helper()
	states := make(chan hostState, 100)
	client := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + c.broker.Addr()).SetClientID(id))
	c.await(client.Connect())
	c.t.Cleanup(func() { client.Disconnect(250) })
	c.await(client.Subscribe("spBv1.0/STATE/imdad", 1, func(_ paho.Client, m paho.Message) {
		s := hostState{retained: m.Retained()}
		if err := json.Unmarshal(m.Payload(), &s); err != nil {
			c.t.Errorf("STATE %q: %v", m.Payload(), err)
		}
		states <- s
	}))
	return states
}

// verifyNothing: no message was refused.
func (w *edges) verifyNothing() {
	w.t.Helper()
	w.waitLedger("nothing under way", func(l ledger) bool { return l["messages_in_flight"] == 0 })
	w.balanceBooks(0)
}

// sparkplugGap: a node loses messages now and then. It is asked for its births,
// but not more often than every ten seconds, and everything else is read.
func sparkplugGap(t *testing.T) {
	t.Parallel()
	const (
		patience = 2 * time.Second // for what only comes late
		pause    = 10 * time.Second
		slack    = 1200 * time.Millisecond // the host looks once a second
	)
	w := newEdges(t)
	w.start()
	w.connect(true)
	w.say()
	w.waitStored()
	lossy := w.nodes[0]
	var gaps []time.Time
	for n := range 2 {
		lossy.node.Skip(1 + 3*n)
		gaps = append(gaps, time.Now())
		w.say()
		w.eventually("a rebirth", func() (bool, error) {
			w.say()
			return len(lossy.rebirths()) > n, nil
		})
	}
	w.say()
	w.waitStored()
	asked := lossy.rebirths()
	if first := asked[0].Sub(gaps[0]); first < patience-slack || first > patience+2*slack {
		t.Errorf("the first gap was followed by a rebirth after %v, want %v", first, patience)
	}
	if between := asked[1].Sub(asked[0]); between < pause-slack || between > pause+3*slack {
		t.Errorf("the node was asked again after %v, want %v", between, pause)
	}
	t.Logf("asked %v after the gap, and %v later for the next one", asked[0].Sub(gaps[0]).Round(time.Millisecond), asked[1].Sub(asked[0]).Round(time.Millisecond))
	if got := w.rebirthsOf(); got != "[2 0 0]" {
		t.Errorf("the nodes were asked %s times", got)
	}
	w.verify(0)
}
