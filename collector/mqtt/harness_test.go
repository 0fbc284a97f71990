package mqtt

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/imdad-telemetry/imdad/deploy/peers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const deadline = 30 * time.Second

// eventually waits until the condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	timeout := time.After(deadline)
	for !holds() {
		select {
		case <-ticker.C:
		case <-timeout:
			t.Fatalf("not in %s: %s", deadline, what)
		}
	}
}

// startBroker runs Mosquitto for the test.
func startBroker(t testing.TB, extra ...string) *peers.Process {
	t.Helper()
	return startBrokerAt(t, t.TempDir(), "", extra...)
}

func startBrokerAt(t testing.TB, dir, addr string, extra ...string) *peers.Process {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	p, err := peers.StartMosquitto(ctx, peers.MosquittoOptions{Dir: dir, Addr: addr, Extra: extra})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// publisher is a bare MQTT client that publishes, independent of the code under test.
type publisher struct {
	t      testing.TB
	conn   net.Conn
	out    *bufio.Writer
	nextID uint16
	acked  atomic.Int64
	failed chan error
}

func newPublisher(t testing.TB, addr string) *publisher {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	p := &publisher{t: t, conn: conn, out: bufio.NewWriterSize(conn, 1<<16), failed: make(chan error, 1)}
	hello := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	hello.ProtocolName, hello.ProtocolVersion, hello.CleanSession = "MQTT", 4, true
	hello.ClientIdentifier = "publisher" + strconv.FormatInt(time.Now().UnixNano(), 36)
	if err := hello.Write(conn); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	if answer, err := packets.ReadPacket(in); err != nil || answer.(*packets.ConnackPacket).ReturnCode != 0 {
		t.Fatalf("publisher was refused: %v, %v", answer, err)
	}
	go func() {
		for {
			packet, err := packets.ReadPacket(in)
			if err != nil {
				p.failed <- err
				return
			}
			if packet, ok := packet.(*packets.PubackPacket); ok && packet != nil {
				p.acked.Add(1)
			}
		}
	}()
	t.Cleanup(p.close)
	return p
}

func (p *publisher) close() {
	if p.conn.Close() == nil {
		<-p.failed //nolint:errcheck // only that it has ended matters
	}
}

// publish sends the numbers from ≤ i < to as payloads, and waits for the broker to have them all (QoS 1).
func (p *publisher) publish(topic string, qos byte, from, to int) {
	p.t.Helper()
	p.publishEach(qos, from, to, func(i int) (string, []byte) { return topic, strconv.AppendInt(nil, int64(i), 10) })
}

func (p *publisher) publishEach(qos byte, from, to int, message func(int) (string, []byte)) {
	p.t.Helper()
	want := p.acked.Load()
	packet := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	packet.Qos = qos
	for i := from; i < to; i++ {
		packet.TopicName, packet.Payload = message(i)
		if qos > 0 {
			want++
			if p.nextID++; p.nextID == 0 {
				p.nextID = 1
			}
			packet.MessageID = p.nextID
		}
		if err := packet.Write(p.out); err != nil {
			p.t.Fatal(err)
		}
	}
	if err := p.out.Flush(); err != nil {
		p.t.Fatal(err)
	}
	eventually(p.t, "the broker acknowledges what was published", func() bool { return p.acked.Load() >= want })
}

// intake is a Client with a consumer that notes what it gets.
type intake struct {
	t         testing.TB
	client    *Client
	registry  *prometheus.Registry
	log       *syncBuffer
	accepting atomic.Bool
	paused    atomic.Bool // the consumer receives no more

	mu      sync.Mutex
	seen    []Message
	results int64
	dropped int64

	stopRun context.CancelFunc
	running sync.WaitGroup
}

type intakeOptions struct {
	statePath    string
	config       Config
	filters      []string
	queueBytes   int
	receivedBase int64
	password     func() (string, error)
	patience     time.Duration
	presence     *Presence
}

func configFor(addr string) Config {
	c := DefaultConfig()
	c.Brokers, c.ClientID = []string{"tcp://" + addr}, "imdad"
	return c
}

func newIntake(t testing.TB, o intakeOptions) *intake {
	t.Helper()
	in := &intake{t: t, registry: prometheus.NewRegistry(), log: &syncBuffer{}}
	in.accepting.Store(true)
	if o.statePath == "" {
		o.statePath = filepath.Join(t.TempDir(), "sessions.json")
	}
	if o.filters == nil {
		o.filters = []string{"imdad/v1/#"}
	}
	client, err := New(Options{
		Config: o.config, Filters: o.filters, Password: o.password, Now: time.Now, Accepting: in.accepting.Load,
		StatePath: o.statePath, Presence: o.presence, ReceivedBase: o.receivedBase, Log: zerolog.New(in.log), Registerer: in.registry,
	})
	if err != nil {
		t.Fatal(err)
	}
	if o.queueBytes > 0 {
		client.queue.limitBytes = o.queueBytes
	}
	if o.patience > 0 {
		client.queue.patience = o.patience
	}
	in.client = client
	in.results = o.receivedBase
	return in
}

// start runs an intake until stop, at the latest until the test ends.
func start(t testing.TB, o intakeOptions) *intake {
	t.Helper()
	in := newIntake(t, o)
	in.start()
	return in
}

func (in *intake) start() {
	ctx, cancel := context.WithCancel(context.Background())
	in.stopRun = cancel
	in.running.Go(func() {
		if err := in.client.Run(ctx); err != nil {
			in.t.Errorf("Run: %v", err)
		}
	})
	in.running.Go(in.consume)
	in.t.Cleanup(in.stop)
}

func (in *intake) consume() {
	buf := make([]Message, 0, 256)
	for {
		msgs, err := in.client.Receive(context.Background(), buf)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			in.t.Errorf("Receive: %v", err)
			return
		}
		in.mu.Lock()
		in.seen = append(in.seen, msgs...)
		in.results += int64(len(msgs))
		in.mu.Unlock()
		in.client.Done(msgs)
		for in.paused.Load() {
			<-time.After(time.Millisecond)
		}
	}
}

// stop ends the run and checks the ledger.
func (in *intake) stop() {
	in.t.Helper()
	in.paused.Store(false)
	in.stopRun()
	in.running.Wait()
	in.balance()
}

// balance checks the ledger's equation; nothing may be under way.
func (in *intake) balance() {
	in.t.Helper()
	in.mu.Lock()
	defer in.mu.Unlock()
	in.dropped += in.client.TakeDropped()
	l, _ := in.client.queue.count()
	if l.received != in.results+in.dropped+l.inFlight+l.abandoned {
		in.t.Errorf("ledger: received %d ≠ results %d + dropped %d + in flight %d + abandoned %d",
			l.received, in.results, in.dropped, l.inFlight, l.abandoned)
	}
}

func (in *intake) count() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.seen)
}

// numbers are the payloads in the order of receipt.
func (in *intake) numbers() []int {
	in.t.Helper()
	in.mu.Lock()
	defer in.mu.Unlock()
	var all []int
	for _, m := range in.seen {
		n, err := strconv.Atoi(string(m.Payload))
		if err != nil {
			in.t.Fatalf("payload %q on %s", m.Payload, m.Topic)
		}
		all = append(all, n)
	}
	return all
}

// has tells whether all numbers from 0 to n-1 have come, at least once.
func (in *intake) has(n int) bool {
	all := in.numbers()
	slices.Sort(all)
	return len(slices.Compact(all)) == n && all[0] == 0 && all[n-1] == n-1
}

func (in *intake) session(id string) SessionStatus {
	for _, s := range in.client.Status() {
		if s.ClientID == id {
			return s
		}
	}
	return SessionStatus{}
}

func (in *intake) awaitSubscribed() {
	in.t.Helper()
	eventually(in.t, "all sessions are subscribed", func() bool {
		return !slices.ContainsFunc(in.client.Status(), func(s SessionStatus) bool { return !s.Subscribed && !s.Retiring })
	})
}

// syncBuffer collects a log.
type syncBuffer struct {
	mu   sync.Mutex
	data []byte
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.data = append(b.data, p...)
	return len(p), nil
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.data)
}

// ordered checks that the numbers are 0 to n-1, each once.
func ordered(t testing.TB, got []int, n int) {
	t.Helper()
	want := make([]int, n)
	for i := range want {
		want[i] = i
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %d messages, want 0 to %d in order: %s", len(got), n-1, firstDifference(got, want))
	}
}

func firstDifference(got, want []int) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Sprintf("at %d: %d", i, got[i])
		}
	}
	return "one is shorter"
}
