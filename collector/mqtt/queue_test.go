package mqtt

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func message(o *origin, qos byte, payload string) Message {
	return Message{Topic: "t", Payload: []byte(payload), QoS: qos, origin: o}
}

func payloads(msgs []Message) string {
	var all string
	for _, m := range msgs {
		all += string(m.Payload)
	}
	return all
}

func TestQueueKeepsTheOrderAndLosesByOrigin(t *testing.T) {
	t.Parallel()
	q := newQueue(1<<20, time.Second, 100)
	a, b := &origin{}, &origin{}
	for _, m := range []Message{
		message(a, 1, "1"), message(b, 1, "2"), message(a, 0, "3"), message(a, 1, "4"), message(b, 1, "5"),
	} {
		if v := q.push(m); v != accepted {
			t.Fatalf("%s: verdict %d", m.Payload, v)
		}
	}
	taken := q.takeQueued(make([]Message, 0, 1))
	if payloads(taken) != "1" {
		t.Fatalf("took %s", payloads(taken))
	}
	q.lose(a) // 4 is abandoned; 3 would not come again
	if v := q.push(message(a, 1, "6")); v != left {
		t.Errorf("verdict %d for a message of a lost connection", v)
	}
	rest := q.takeQueued(make([]Message, 0, 10))
	if payloads(rest) != "235" {
		t.Errorf("took %s", payloads(rest))
	}
	if l, bytes := q.count(); l != (ledger{received: 106, abandoned: 2, inFlight: 4}) || bytes != 0 {
		t.Errorf("ledger %+v, %d bytes", l, bytes)
	}
	q.done(taken)
	q.done(rest)
	if a.held != 0 || b.held != 0 {
		t.Errorf("held %d and %d", a.held, b.held)
	}
	q.stop()
	if _, err := q.take(t.Context(), taken); !errors.Is(err, io.EOF) {
		t.Errorf("take: %v", err)
	}
	<-q.finished
}

func TestQueueAtItsBound(t *testing.T) {
	t.Parallel()
	one := message(nil, 0, "x")
	q := newQueue(8*one.cost(), 0, 0)
	o := &origin{}
	for i := range 8 {
		if v := q.push(message(o, 1, "x")); v != accepted {
			t.Fatalf("message %d: verdict %d", i, v)
		}
	}
	if q.hasRoom() {
		t.Error("has room")
	}
	if v := q.push(message(o, 1, "x")); v != refused {
		t.Errorf("QoS 1: verdict %d", v)
	}
	if v := q.push(message(o, 0, "x")); v != left {
		t.Errorf("QoS 0: verdict %d", v)
	}
	if n := q.takeDropped(); n != 1 {
		t.Errorf("%d dropped", n)
	}
	if n := q.takeDropped(); n != 0 {
		t.Errorf("%d dropped, told twice", n)
	}
	q.takeQueued(make([]Message, 0, 3))
	q.holdBack() // returns: five of eight are no reason to hold back
	if q.hasRoom() {
		t.Error("has room with five of eight")
	}
	q.takeQueued(make([]Message, 0, 1))
	if !q.hasRoom() {
		t.Error("has no room with four of eight")
	}
}

// What had been read when the queue filled up still finds room; later messages do not.
func TestQueueTakesWhatWasReadAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1000, 4*time.Second, 0)
		o := &origin{}
		large := strings.Repeat("x", 700)
		for i := range 4 {
			if v := q.push(message(o, 1, large)); v != accepted {
				t.Errorf("message %d: verdict %d", i, v)
			}
		}
		time.Sleep(4 * time.Second) //nolint:forbidigo // the clock of the bubble
		if v := q.push(message(o, 1, "x")); v != refused {
			t.Errorf("after the patience: verdict %d", v)
		}
		q.takeQueued(make([]Message, 0, 4))
		if v := q.push(message(o, 1, "x")); v != accepted {
			t.Errorf("with room again: verdict %d", v)
		}
	})
}

// Whatever happens in whatever order, the ledger balances after each step, and so does the account of bytes.
func TestQueueLedgerAlwaysBalances(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		q := newQueue(4000, 0, 0)
		origins := []*origin{{}, {}, {}}
		var taken []Message
		var results, dropped int64
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				o := rapid.SampledFrom(origins).Draw(t, "origin")
				qos := rapid.ByteMax(2).Draw(t, "qos")
				size := rapid.IntRange(0, 1500).Draw(t, "bytes")
				q.push(Message{Payload: make([]byte, size), QoS: qos, origin: o})
			},
			"take": func(t *rapid.T) {
				taken = append(taken, q.takeQueued(make([]Message, 0, rapid.IntRange(1, 5).Draw(t, "n")))...)
			},
			"done": func(t *rapid.T) {
				n := rapid.IntRange(0, len(taken)).Draw(t, "n")
				q.done(taken[:n])
				taken, results = taken[n:], results+int64(n)
			},
			"lose": func(t *rapid.T) {
				i := rapid.IntRange(0, len(origins)-1).Draw(t, "origin")
				q.lose(origins[i])
				origins[i] = &origin{}
			},
			"dropped": func(*rapid.T) { dropped += q.takeDropped() },
			"": func(t *rapid.T) {
				l, bytes := q.count()
				if l.received != results+l.dropped+l.inFlight+l.abandoned || dropped+q.untaken != l.dropped {
					t.Fatalf("ledger %+v, results %d, dropped %d", l, results, dropped)
				}
				queued := q.items[q.head:]
				cost, held := 0, make(map[*origin]int)
				for i := range queued {
					cost += queued[i].cost()
				}
				for _, m := range append(queued[:len(queued):len(queued)], taken...) {
					if m.QoS > 0 {
						held[m.origin]++
					}
				}
				if bytes != cost || l.inFlight != int64(len(queued)+len(taken)) {
					t.Fatalf("%d bytes for %d; %d in flight", bytes, cost, l.inFlight)
				}
				for _, o := range origins {
					if o.held != held[o] {
						t.Fatalf("origin holds %d, counted %d", o.held, held[o])
					}
				}
			},
		})
	})
}

func TestWindow(t *testing.T) {
	t.Parallel()
	repeat := func(held, times int) (all []int) {
		for range times {
			all = append(all, held)
		}
		return all
	}
	for _, c := range []struct {
		name string
		held []int
		want int
	}{
		{"a broker at its limit", repeat(20, 200), 20},
		{"not often enough", repeat(20, 50), 0},
		{"one meter at a time", repeat(1, 1000), 0},
		{"still growing", append(repeat(20, 90), append([]int{21}, repeat(20, 90)...)...), 0},
		{"limit reached later", append(repeat(20, 90), repeat(100, 200)...), 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var w window
			told, times := 0, 0
			for _, held := range c.held {
				if n := w.observe(held); n > 0 {
					told, times = n, times+1
				}
			}
			if told != c.want || times > 1 {
				t.Errorf("told %d, %d times; want %d", told, times, c.want)
			}
		})
	}
}

// BenchmarkQueue is what a message costs beside paho: in, out and acknowledged, in batches of 256.
func BenchmarkQueue(b *testing.B) {
	conn := &discardConn{}
	o := &origin{transport: newTransport(conn, hooks{})}
	defer func() { _ = o.transport.Close() }()
	c := &Client{queue: newQueue(1<<30, time.Second, 0)}
	m := Message{Topic: "imdad/v1/naj-1/electricity/m1", Payload: make([]byte, 100), QoS: 1, origin: o}
	buf := make([]Message, 0, 256)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c.queue.push(m)
		if i%256 == 255 {
			buf = c.queue.takeQueued(buf[:0])
			c.Done(buf)
		}
	}
}

// discardConn takes everything at once.
type discardConn struct{ failingConn }

func (*discardConn) Write(p []byte) (int, error)     { return len(p), nil }
func (*discardConn) SetReadDeadline(time.Time) error { return nil }
func (*discardConn) Close() error                    { return nil }
