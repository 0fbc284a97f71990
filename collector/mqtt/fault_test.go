package mqtt

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestConnectionsThatAreCutLoseNothing(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	via := startLink(t, broker.Addr())
	in := start(t, intakeOptions{config: configFor(via.addr())})
	in.awaitSubscribed()
	const n = 20_000
	var load sync.WaitGroup
	p := newPublisher(t, broker.Addr())
	load.Go(func() { p.publish(topic, 1, 0, n) })
	for i := range 5 {
		eventually(t, "it is connected again and some more messages come", func() bool {
			_, n := in.client.sessions[0].status()
			return n.connects > int64(i) && in.count() >= (i+1)*1000
		})
		via.cut()
	}
	load.Wait()
	eventually(t, "all messages come", func() bool { return in.has(n) })
	in.stop()
	if s := in.client.sessions[0].counts; s.connects < 6 || s.disconnects != s.connects || s.forgotten != 0 {
		t.Errorf("counts %+v", s)
	}
}

func TestSlowConnectionsLoseNothing(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	via := startLink(t, broker.Addr())
	via.delay.Store(int64(5 * time.Millisecond))
	in := start(t, intakeOptions{config: configFor(via.addr())})
	in.awaitSubscribed()
	newPublisher(t, broker.Addr()).publish(topic, 1, 0, 2000)
	eventually(t, "all messages come", func() bool { return in.count() == 2000 })
	in.stop()
	ordered(t, in.numbers(), 2000)
}

// A socket that takes nothing any more must not block whoever acknowledges, and the missing answer to a ping ends it.
func TestAStuckConnectionIsReplaced(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	via := startLink(t, broker.Addr())
	o := intakeOptions{config: configFor(via.addr())}
	o.config.KeepAlive = 5 * time.Second
	in := start(t, o)
	in.awaitSubscribed()
	p := newPublisher(t, broker.Addr())
	p.publish(topic, 1, 0, 100)
	eventually(t, "the first messages come", func() bool { return in.count() == 100 })

	via.stall()
	p.publish(topic, 1, 100, 200)
	eventually(t, "the session notices", func() bool { return !in.session("imdad").Connected })
	via.resume()
	eventually(t, "all messages come", func() bool { return in.has(200) })
	if !strings.Contains(in.log.String(), "no ping") {
		t.Errorf("the log does not name the ping:\n%s", in.log)
	}
}

func TestTheBrokerMayComeLater(t *testing.T) {
	t.Parallel()
	reserved, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := reserved.Addr().String()
	if err := reserved.Close(); err != nil {
		t.Fatal(err)
	}
	in := start(t, intakeOptions{config: configFor(addr)})
	eventually(t, "the failure shows", func() bool { return strings.Contains(in.session("imdad").LastError, "refused") })
	if s := in.session("imdad"); s.Connected || s.Subscribed {
		t.Errorf("status %+v", s)
	}

	startBrokerAt(t, t.TempDir(), addr)
	in.awaitSubscribed()
	newPublisher(t, addr).publish(topic, 1, 0, 10)
	eventually(t, "all messages come", func() bool { return in.count() == 10 })
	if s := in.session("imdad"); !s.Connected || s.LastError != "" || s.Broker != "tcp://"+addr {
		t.Errorf("status %+v", s)
	}
}

func TestARestartedBrokerDeliversEverything(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	broker := startBrokerAt(t, dir, "")
	in := start(t, intakeOptions{config: configFor(broker.Addr())})
	in.awaitSubscribed()
	newPublisher(t, broker.Addr()).publish(topic, 1, 0, 5000)
	if err := broker.Stop(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the session notices", func() bool { return !in.session("imdad").Connected })
	startBrokerAt(t, dir, broker.Addr())
	in.awaitSubscribed()
	newPublisher(t, broker.Addr()).publish(topic, 1, 5000, 10_000)
	eventually(t, "all messages come", func() bool { return in.has(10_000) })
	in.stop()
	if n := in.client.sessions[0].counts.forgotten; n != 0 {
		t.Errorf("%d forgotten sessions", n)
	}
}

func TestABrokerThatForgetsIsNamed(t *testing.T) {
	t.Parallel()
	broker := startBrokerAt(t, t.TempDir(), "")
	in := start(t, intakeOptions{config: configFor(broker.Addr())})
	in.awaitSubscribed()
	if err := broker.Stop(); err != nil {
		t.Fatal(err)
	}
	startBrokerAt(t, t.TempDir(), broker.Addr()) // another directory: nothing persisted
	eventually(t, "the warning is logged", func() bool { return strings.Contains(in.log.String(), "had forgotten this session") })
	in.awaitSubscribed()
	newPublisher(t, broker.Addr()).publish(topic, 1, 0, 10)
	eventually(t, "messages come again", func() bool { return in.count() == 10 })
	in.stop()
	if n := in.client.sessions[0].counts.forgotten; n != 1 {
		t.Errorf("%d forgotten sessions, want 1", n)
	}
}

func TestTheNextBrokerIsTried(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	o := intakeOptions{config: configFor(broker.Addr())}
	o.config.Brokers = []string{"tcp://127.0.0.1:1", "tcp://" + broker.Addr()}
	in := start(t, o)
	in.awaitSubscribed()
	if s := in.session("imdad"); s.Broker != "tcp://"+broker.Addr() {
		t.Errorf("status %+v", s)
	}
}

func TestNoRoomClosesTheConnectionUntilThereIsRoom(t *testing.T) {
	t.Parallel()
	broker := startBroker(t, "max_inflight_messages 0")
	in := start(t, intakeOptions{config: configFor(broker.Addr()), queueBytes: 64 << 10, patience: 20 * time.Millisecond})
	in.awaitSubscribed()
	in.paused.Store(true)
	in.accepting.Store(false)
	const n = 2000
	newPublisher(t, broker.Addr()).publish(topic, 1, 0, n)

	eventually(t, "the connection is closed", func() bool { return !in.session("imdad").Connected })
	eventually(t, "the session waits for room", func() bool { return strings.Contains(in.log.String(), "until there is room") })
	if s := in.session("imdad"); s.LastError != errNoRoom.Error() {
		t.Errorf("status %+v", s)
	}
	if l, bytes := in.client.queue.count(); l.abandoned == 0 || bytes > 64<<10 {
		t.Errorf("ledger %+v, %d bytes queued", l, bytes)
	}
	in.paused.Store(false) // the queue has room now, but the spool does not accept
	eventually(t, "the queue is empty", func() bool { l, _ := in.client.queue.count(); return l.inFlight == 0 })
	if in.client.sessions[0].counts.connects != 1 {
		t.Error("connected although the spool does not accept")
	}

	in.accepting.Store(true)
	eventually(t, "all messages come", func() bool { return in.has(n) })
	in.stop()
	if c := in.client.sessions[0].counts; c.overflows == 0 || c.overflows > c.disconnects {
		t.Errorf("counts %+v", c)
	}
}

// A stall shorter than the patience only slows the broker down.
func TestAShortStallKeepsTheConnection(t *testing.T) {
	t.Parallel()
	broker := startBroker(t, "max_inflight_messages 0")
	in := start(t, intakeOptions{config: configFor(broker.Addr()), queueBytes: 2 << 20, patience: time.Minute})
	in.awaitSubscribed()
	in.paused.Store(true)
	const n = 20_000 // twice the queue
	newPublisher(t, broker.Addr()).publish(topic, 1, 0, n)
	eventually(t, "the broker is held back", func() bool {
		in.client.queue.mu.Lock()
		defer in.client.queue.mu.Unlock()
		return !in.client.queue.holding.IsZero()
	})
	in.paused.Store(false)
	eventually(t, "all messages come", func() bool { return in.count() == n })
	in.stop()
	ordered(t, in.numbers(), n)
	if c := in.client.sessions[0].counts; c.connects != 1 || c.overflows != 0 {
		t.Errorf("counts %+v", c)
	}
}

func TestMessagesOfQoS0AreDroppedAndCounted(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	in := start(t, intakeOptions{config: configFor(broker.Addr()), queueBytes: 64 << 10, patience: 20 * time.Millisecond})
	in.awaitSubscribed()
	in.paused.Store(true)
	p := newPublisher(t, broker.Addr())
	const n = 2000
	p.publish(topic, 0, 0, n)
	eventually(t, "all messages are counted", func() bool { l, _ := in.client.queue.count(); return l.received == n })
	in.paused.Store(false)
	eventually(t, "the queue is empty", func() bool { l, _ := in.client.queue.count(); return l.inFlight == 0 })
	in.stop()
	if in.dropped == 0 || in.dropped+int64(in.count()) != n {
		t.Errorf("%d dropped and %d received of %d", in.dropped, in.count(), n)
	}
	if c := in.client.sessions[0].counts; c.connects != 1 || c.overflows != 0 {
		t.Errorf("counts %+v", c)
	}
}

func TestASilentSessionIsConnectedAnew(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	o := intakeOptions{config: configFor(broker.Addr())}
	o.config.IdleTimeout = time.Second
	in := start(t, o)
	in.awaitSubscribed()
	p := newPublisher(t, broker.Addr())
	p.publish(topic, 1, 0, 1)
	connects := func() int64 { _, n := in.client.sessions[0].status(); return n.connects }
	eventually(t, "the watchdog has connected anew twice", func() bool { return connects() >= 3 })
	in.awaitSubscribed()
	p.publish(topic, 1, 1, 2)
	eventually(t, "the next message comes", func() bool { return in.count() == 2 })
	if !strings.Contains(in.log.String(), "no message for a long time") {
		t.Error("the log does not say so")
	}
}

func TestAPasswordThatCannotBeResolvedIsAskedForAgain(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	var asked atomic.Int64
	o := intakeOptions{config: configFor(broker.Addr()), password: func() (string, error) {
		if asked.Add(1) < 3 {
			return "", errors.New("no such secret")
		}
		return "secret", nil
	}}
	in := start(t, o)
	in.awaitSubscribed()
	if asked.Load() != 3 || !strings.Contains(in.log.String(), "no such secret") {
		t.Errorf("asked %d times; log:\n%s", asked.Load(), in.log)
	}
}

func TestReceiveEndsWithItsContext(t *testing.T) {
	t.Parallel()
	in := newIntake(t, intakeOptions{config: configFor("127.0.0.1:1")})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := in.client.Receive(ctx, make([]Message, 0, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
