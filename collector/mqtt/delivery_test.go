package mqtt

import (
	"bytes"
	"context"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

const topic = "imdad/v1/naj-1/electricity/m1"

func TestMessagesComeInOrder(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	in := start(t, intakeOptions{config: configFor(broker.Addr()), receivedBase: 1000})
	in.awaitSubscribed()

	newPublisher(t, broker.Addr()).publish(topic, 1, 0, 5000)
	eventually(t, "all messages come", func() bool { return in.count() == 5000 })
	in.stop()

	ordered(t, in.numbers(), 5000)
	for _, m := range in.seen {
		if m.Topic != topic || m.QoS != 1 || m.Retained || m.Duplicate || time.Since(time.UnixMilli(m.Received)) > time.Minute {
			t.Fatalf("message %+v", m)
		}
	}
	l, _ := in.client.queue.count()
	if l != (ledger{received: 6000}) {
		t.Errorf("ledger %+v, want 1000 as base and 5000 received", l)
	}
}

func TestMessagesOfTheAbsenceAreDeliveredOnce(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	o := intakeOptions{config: configFor(broker.Addr()), statePath: filepath.Join(t.TempDir(), "sessions.json")}
	first := start(t, o)
	first.awaitSubscribed()
	if first.session("imdad").Resumed {
		t.Error("the first session cannot have been resumed")
	}
	p := newPublisher(t, broker.Addr())
	p.publish(topic, 1, 0, 1000)
	eventually(t, "the first run gets its messages", func() bool { return first.count() == 1000 })
	first.stop()
	p.publish(topic, 1, 1000, 3000)

	second := start(t, o)
	eventually(t, "the second run gets the rest", func() bool { return second.count() == 2000 })
	if !second.session("imdad").Resumed {
		t.Error("the session was not resumed")
	}
	second.stop()
	ordered(t, append(first.numbers(), second.numbers()...), 3000)
}

func TestShutdownUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	o := intakeOptions{config: configFor(broker.Addr()), statePath: filepath.Join(t.TempDir(), "sessions.json")}
	const n = 30_000
	var load sync.WaitGroup
	var got []int
	for run := range 4 {
		in := start(t, o)
		in.awaitSubscribed()
		if run == 0 {
			p := newPublisher(t, broker.Addr())
			load.Go(func() { p.publish(topic, 1, 0, n) })
		}
		if run < 3 {
			eventually(t, "some messages come", func() bool { return in.count()+len(got) > (run+1)*1000 })
		} else {
			load.Wait()
			eventually(t, "all messages come", func() bool {
				all := append(slices.Clone(got), in.numbers()...)
				slices.Sort(all)
				return len(slices.Compact(all)) == n
			})
		}
		in.stop()
		got = append(got, in.numbers()...)
	}
	slices.Sort(got)
	ordered(t, slices.Compact(got), n)
}

func TestUnacknowledgedMessagesComeAgain(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	via := startLink(t, broker.Addr())
	in := newIntake(t, intakeOptions{config: configFor(via.addr())})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error)
	go func() { ended <- in.client.Run(ctx) }()
	in.awaitSubscribed()
	newPublisher(t, broker.Addr()).publish(topic, 1, 0, 10)

	receive := func(n int) (all []Message) {
		for len(all) < n {
			msgs, err := in.client.Receive(ctx, make([]Message, 0, n-len(all)))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, msgs...)
		}
		return all
	}
	taken := receive(4)
	eventually(t, "the rest is queued", func() bool { l, _ := in.client.queue.count(); return l.inFlight == 10 })
	via.cut()
	eventually(t, "the queued ones are abandoned", func() bool { l, _ := in.client.queue.count(); return l.abandoned == 6 })
	in.client.Done(taken) // too late for the broker

	again := receive(10)
	for i, m := range again {
		if want := string(rune('0' + i)); string(m.Payload) != want || !m.Duplicate {
			t.Errorf("message %d: payload %s, duplicate %v", i, m.Payload, m.Duplicate)
		}
	}
	in.client.Done(again)
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if l, _ := in.client.queue.count(); l != (ledger{received: 20, abandoned: 6}) {
		t.Errorf("ledger %+v", l)
	}
}

func TestALargeMessagePassesASmallQueue(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	in := start(t, intakeOptions{config: configFor(broker.Addr()), queueBytes: 1 << 20})
	in.awaitSubscribed()
	payload := bytes.Repeat([]byte("x"), 10<<20)
	newPublisher(t, broker.Addr()).publishEach(1, 0, 3, func(int) (string, []byte) { return topic, payload })
	eventually(t, "the large messages come", func() bool { return in.count() >= 3 })
	if !bytes.Equal(in.seen[0].Payload, payload) {
		t.Error("the payload was changed")
	}
}

// An earlier program may have left QoS 2 messages in the session.
func TestMessagesOfQoS2AreAcknowledged(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	earlier := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + broker.Addr()).
		SetClientID("imdad").SetCleanSession(false))
	wait(t, earlier.Connect())
	wait(t, earlier.Subscribe("imdad/v1/#", 2, nil))
	earlier.Disconnect(250)
	other := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + broker.Addr()).SetClientID("publisher"))
	wait(t, other.Connect())
	for i := range 50 {
		wait(t, other.Publish(topic, 2, false, []byte{byte('0' + i%10)}))
	}
	other.Disconnect(250)

	o := intakeOptions{config: configFor(broker.Addr()), statePath: filepath.Join(t.TempDir(), "sessions.json")}
	in := start(t, o)
	eventually(t, "all messages come", func() bool { return in.count() == 50 })
	if in.seen[0].QoS != 2 {
		t.Errorf("QoS %d", in.seen[0].QoS)
	}
	in.stop()

	in = start(t, o)
	in.awaitSubscribed()
	newPublisher(t, broker.Addr()).publish(topic, 1, 7, 8)
	eventually(t, "the next message comes", func() bool { return in.count() > 0 })
	if in.count() != 1 || in.seen[0].QoS != 1 {
		t.Errorf("%d messages, the first with QoS %d: the earlier ones came again", in.count(), in.seen[0].QoS)
	}
}

func wait(t *testing.T, token paho.Token) {
	t.Helper()
	if !token.WaitTimeout(deadline) || token.Error() != nil {
		t.Fatal(token.Error())
	}
}

// Acknowledgements are gathered: far fewer writes leave than messages come.
func TestAcknowledgementsAreGathered(t *testing.T) {
	t.Parallel()
	broker := startBroker(t, "max_inflight_messages 1000")
	via := startLink(t, broker.Addr())
	in := start(t, intakeOptions{config: configFor(via.addr())})
	in.awaitSubscribed()
	newPublisher(t, broker.Addr()).publish(topic, 1, 0, 20_000)
	eventually(t, "all messages come", func() bool { return in.count() == 20_000 })
	in.stop()
	if n := via.writes.Load(); n > 10_000 {
		t.Errorf("%d writes for 20,000 acknowledgements", n)
	}
}

func TestRunEndsWhileTheBrokerDoesNotAnswer(t *testing.T) {
	t.Parallel()
	deaf, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts for it, nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := deaf.Close(); err != nil {
			t.Error(err)
		}
	}()
	in := start(t, intakeOptions{config: configFor(deaf.Addr().String())})
	eventually(t, "a connection is opened", func() bool {
		in.client.mu.Lock()
		defer in.client.mu.Unlock()
		return in.client.sessions[0].origin.Load() != nil
	})
	before := time.Now()
	in.stop()
	if took := time.Since(before); took > 5*time.Second {
		t.Errorf("Run took %s to end", took)
	}
}

func TestAConsumerThatNeverFinishesDelaysTheEndByTenSecondsAtMost(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	in := newIntake(t, intakeOptions{config: configFor(broker.Addr())})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- in.client.Run(ctx) }()
	in.awaitSubscribed()
	newPublisher(t, broker.Addr()).publish(topic, 1, 0, 10)
	eventually(t, "the messages are queued", func() bool { l, _ := in.client.queue.count(); return l.inFlight == 10 })
	cancel()
	before := time.Now()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if took := time.Since(before); took > 10*time.Second {
		t.Errorf("Run took %s to end", took)
	}
	if l, _ := in.client.queue.count(); l.abandoned != 10 {
		t.Errorf("ledger %+v, want the queued messages abandoned", l)
	}
	if !strings.Contains(in.log.String(), "not stored in time") {
		t.Error("the log does not say so")
	}
}
