package metersim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/deploy/peers"
)

// broker starts Mosquitto, which keeps its sessions in dir over restarts.
func broker(t testing.TB, dir, addr string) *peers.Process {
	t.Helper()
	p, err := peers.StartMosquitto(t.Context(), peers.MosquittoOptions{
		Dir: dir, Addr: addr, Extra: []string{"max_inflight_messages 1000"},
	})
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

// truthLine is a line of the truth file.
type truthLine struct {
	Zone    string          `json:"zone"`
	Utility meter.Utility   `json:"utility"`
	Meter   string          `json:"meter"`
	TS      int64           `json:"ts"`
	Seq     int64           `json:"seq"`
	Values  json.RawMessage `json:"values"`
	Acked   bool            `json:"acked"`
}

func (l truthLine) topic() string {
	return fmt.Sprintf("imdad/v1/%s/%s/%s", l.Zone, l.Utility, l.Meter)
}

func (l truthLine) payload() string {
	return fmt.Sprintf(`{"ts":%d,"seq":%d,"values":%s}`, l.TS, l.Seq, l.Values)
}

func readTruth(t testing.TB, r io.Reader) []truthLine {
	t.Helper()
	var lines []truthLine
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	for {
		var l truthLine
		err := d.Decode(&l)
		if err == io.EOF {
			return lines
		}
		if err != nil {
			t.Fatalf("truth line %d: %v", len(lines)+1, err)
		}
		lines = append(lines, l)
	}
}

// subscriber is a persistent QoS 1 session that counts what it receives.
type subscriber struct {
	client paho.Client

	mu   sync.Mutex
	seen map[string]int // topic and payload → times
}

func subscribe(t testing.TB, addr string) *subscriber {
	t.Helper()
	s := &subscriber{seen: make(map[string]int)}
	subscribed := make(chan error, 16)
	o := paho.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("subscriber").
		SetCleanSession(false).SetProtocolVersion(4).SetMaxReconnectInterval(time.Second).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
			s.mu.Lock()
			s.seen[m.Topic()+" "+string(m.Payload())]++
			s.mu.Unlock()
		}).
		SetOnConnectHandler(func(c paho.Client) {
			token := c.Subscribe("imdad/v1/#", 1, nil)
			token.Wait()
			subscribed <- token.Error()
		})
	s.client = paho.NewClient(o)
	s.client.Connect().Wait()
	select {
	case err := <-subscribed:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("no subscription within 10 s")
	}
	t.Cleanup(s.close)
	return s
}

// close ends the connection, while its broker still runs: a client that is
// waiting to reconnect takes its time.
func (s *subscriber) close() { s.client.Disconnect(5000) }

// times returns how often a message arrived.
func (s *subscriber) times(l truthLine) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[l.topic()+" "+l.payload()]
}

func (s *subscriber) distinct() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seen)
}

// eventually waits for a condition, up to 30 s.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for !is() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

// checkTruth holds the truth against the summary and against what arrived: each
// meter's numbers without a gap, times that grow, each message once, and every
// acknowledged message delivered as it stands there.
func checkTruth(t testing.TB, truth io.Reader, s Summary, sub *subscriber) []truthLine {
	t.Helper()
	lines := readTruth(t, truth)
	if int64(len(lines)) != s.Published {
		t.Errorf("%d lines of truth for %d messages", len(lines), s.Published)
	}
	acked := 0
	readings := make(map[meter.Utility]int64)
	for _, l := range lines {
		if l.Acked {
			acked++
			readings[l.Utility]++
		}
	}
	if int64(acked) != s.Acknowledged {
		t.Errorf("%d acknowledged by the truth, %d by the summary", acked, s.Acknowledged)
	}
	for _, u := range meter.Utilities {
		if readings[u] != s.Readings[u] {
			t.Errorf("%s: %d readings by the truth, %d by the summary", u, readings[u], s.Readings[u])
		}
	}
	checkNumbers(t, lines)
	if sub == nil {
		return lines
	}
	eventually(t, "all acknowledged messages delivered", func() bool { return sub.distinct() >= acked })
	missing := 0
	for _, l := range lines {
		if l.Acked && sub.times(l) == 0 {
			missing++
		}
	}
	if missing > 0 {
		t.Errorf("%d of %d acknowledged messages were not delivered as the truth has them", missing, acked)
	}
	return lines
}

func checkNumbers(t testing.TB, lines []truthLine) {
	t.Helper()
	byMeter := make(map[string][]truthLine)
	for _, l := range lines {
		byMeter[l.topic()] = append(byMeter[l.topic()], l)
	}
	for topic, of := range byMeter {
		slices.SortFunc(of, func(a, b truthLine) int { return int(a.Seq - b.Seq) })
		for i, l := range of {
			if l.Seq != int64(i+1) || i > 0 && l.TS <= of[i-1].TS {
				t.Fatalf("%s: message %d has number %d and time %d", topic, i+1, l.Seq, l.TS)
			}
		}
	}
}

type result struct {
	summary Summary
	err     error
}

// launch runs a fleet beside the test.
func launch(t testing.TB, o Options) (*Fleet, <-chan result) {
	t.Helper()
	f, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan result, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		s, err := f.Run(ctx)
		done <- result{s, err}
	}()
	t.Cleanup(cancel)
	return f, done
}

func await(t testing.TB, done <-chan result) Summary {
	t.Helper()
	select {
	case r := <-done:
		if r.err != nil {
			t.Fatal(r.err)
		}
		return r.summary
	case <-time.After(60 * time.Second):
		t.Fatal("the fleet did not end within a minute")
	}
	return Summary{}
}

func TestPublish(t *testing.T) {
	t.Parallel()
	b := broker(t, t.TempDir(), "")
	reg := testCity(t)
	for _, c := range []struct {
		name   string
		change func(*Options)
		want   int64 // messages
	}{
		{"as fast as it goes", func(o *Options) { o.Rate, o.Messages = 50_000, 20_000 }, 20_000},
		{"over several connections", func(o *Options) { o.Rate, o.Messages, o.Connections = 50_000, 20_000, 3 }, 20_000},
		{"each at its interval", func(o *Options) { o.Speed, o.Messages = 3600, 20_000 }, 20_000},
		{"ten simulated seconds in one", func(o *Options) {
			o.Speed, o.Interval, o.Duration = 10, time.Second, time.Second
		}, int64(10 * len(reg.Meters()))},
		{"with jitter", func(o *Options) {
			o.Speed, o.Interval, o.Jitter, o.Messages = 600, time.Minute, 30*time.Second, 500
		}, 500},
		{"few meters", func(o *Options) { o.Meters, o.Rate, o.Messages = 5, 2000, 1000 }, 1000},
	} {
		t.Run(c.name, func(t *testing.T) {
			var truth bytes.Buffer
			sub := subscribe(t, b.Addr())
			o := with(Options{Registry: reg, Broker: "tcp://" + b.Addr(), Start: monday, Truth: &truth})
			c.change(&o)
			_, done := launch(t, o)
			s := await(t, done)
			if s.Acknowledged != s.Published || s.Published != c.want {
				t.Errorf("%s, want %d", s, c.want)
			}
			lines := checkTruth(t, &truth, s, sub)
			for _, l := range lines {
				if n := sub.times(l); n != 1 {
					t.Fatalf("%s arrived %d times over an undisturbed connection", l.topic(), n)
				}
			}
		})
	}
}

func TestAtMostOnceIsNeverAcknowledged(t *testing.T) {
	t.Parallel()
	b := broker(t, t.TempDir(), "")
	sub := subscribe(t, b.Addr())
	var truth bytes.Buffer
	o := with(Options{Registry: testCity(t), Broker: "tcp://" + b.Addr(), Rate: 5000, Messages: 2000, Truth: &truth})
	o.QoS = 0
	_, done := launch(t, o)
	s := await(t, done)
	if s.Published != 2000 || s.Acknowledged != 0 {
		t.Errorf("%s", s)
	}
	checkTruth(t, &truth, s, nil)
	eventually(t, "all messages delivered", func() bool { return sub.distinct() == 2000 })
}

// TestSameSeedSameTruth compares two runs, and a third with another seed.
func TestSameSeedSameTruth(t *testing.T) {
	t.Parallel()
	b := broker(t, t.TempDir(), "")
	run := func(seed int64, connections int, change func(*Options)) []string {
		var truth bytes.Buffer
		o := with(Options{
			Registry: testCity(t), Broker: "tcp://" + b.Addr(), ClientID: t.Name(), Seed: seed, Connections: connections,
			Start: monday, Truth: &truth,
		})
		change(&o)
		_, done := launch(t, o)
		await(t, done)
		lines := strings.SplitAfter(truth.String(), "\n")
		slices.Sort(lines)
		return lines
	}
	for name, change := range map[string]func(*Options){
		"rate":     func(o *Options) { o.Rate, o.Messages = 20_000, 5000 },
		"interval": func(o *Options) { o.Speed, o.Jitter, o.Messages = 1800, time.Second, 5000 },
	} {
		first := run(7, 1, change)
		if len(first) != 5001 {
			t.Fatalf("%s: %d lines", name, len(first))
		}
		if second := run(7, 2, change); !slices.Equal(first, second) {
			t.Errorf("%s: the same seed gave another truth", name)
		}
		if other := run(8, 1, change); slices.Equal(first, other) {
			t.Errorf("%s: another seed gave the same truth", name)
		}
	}
}

// TestBrokerRestarts stops the broker with SIGTERM in mid-stream, twice: it
// saves what it has acknowledged, and the fleet sends the rest again.
func TestBrokerRestarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := broker(t, dir, "")
	sub := subscribe(t, b.Addr())
	defer sub.close()
	var truth bytes.Buffer
	f, done := launch(t, with(Options{
		Registry: testCity(t), Broker: "tcp://" + b.Addr(), Rate: 5000, Messages: 20_000, Connections: 2, Truth: &truth,
	}))
	for _, after := range []int64{4000, 12_000} {
		eventually(t, "messages acknowledged", func() bool { return f.Progress().Acknowledged >= after })
		if err := b.Stop(); err != nil {
			t.Fatal(err)
		}
		b = broker(t, dir, b.Addr())
	}
	s := await(t, done)
	if s.Acknowledged != 20_000 || s.Lost < 2 {
		t.Errorf("%s", s)
	}
	checkTruth(t, &truth, s, sub)
}

// TestCutConnections cuts the fleet's connection again and again, each time
// with messages and acknowledgements under way.
func TestCutConnections(t *testing.T) {
	t.Parallel()
	b := broker(t, t.TempDir(), "")
	sub := subscribe(t, b.Addr())
	p := newProxy(t, b.Addr())
	var truth bytes.Buffer
	f, done := launch(t, with(Options{
		Registry: testCity(t), Broker: "tcp://" + p.addr(), Rate: 10_000, Messages: 30_000, Truth: &truth,
	}))
	const cuts = 8
	for n := int64(1); n <= cuts; n++ {
		eventually(t, "messages acknowledged", func() bool { return f.Progress().Acknowledged >= n*3000 })
		p.cut()
	}
	s := await(t, done)
	if s.Acknowledged != 30_000 || s.Lost < cuts || s.Resent == 0 {
		t.Errorf("%s", s)
	}
	checkTruth(t, &truth, s, sub)
}

// TestSwallowedAcknowledgements: the network carries messages but no answers.
// What the fleet says is acknowledged was; the rest it says is not, though it
// arrived.
func TestSwallowedAcknowledgements(t *testing.T) {
	t.Parallel()
	b := broker(t, t.TempDir(), "")
	sub := subscribe(t, b.Addr())
	p := newProxy(t, b.Addr())
	var truth bytes.Buffer
	f, done := launch(t, with(Options{
		Registry: testCity(t), Broker: "tcp://" + p.addr(), Rate: 2000, Messages: 4000, Drain: time.Second, Truth: &truth,
	}))
	eventually(t, "messages acknowledged", func() bool { return f.Progress().Acknowledged >= 1000 })
	p.swallow()
	s := await(t, done)
	if s.Published != 4000 || s.Acknowledged >= 4000 || s.Acknowledged < 1000 {
		t.Errorf("%s", s)
	}
	checkTruth(t, &truth, s, sub)
	eventually(t, "all messages delivered", func() bool { return sub.distinct() == 4000 })
}

// TestNoBroker: nobody answers, and the fleet still ends, with the truth that
// nothing was acknowledged.
func TestNoBroker(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	var truth bytes.Buffer
	_, done := launch(t, with(Options{
		Registry: testCity(t), Broker: "tcp://" + addr, Rate: 1000, Messages: 100, Drain: 300 * time.Millisecond, Truth: &truth,
	}))
	s := await(t, done)
	if s.Published != 100 || s.Acknowledged != 0 {
		t.Errorf("%s", s)
	}
	checkTruth(t, &truth, s, nil)
}

// TestLateBroker: the fleet starts first; the broker comes after its first
// attempts.
func TestLateBroker(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := broker(t, dir, "")
	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
	var truth bytes.Buffer
	f, done := launch(t, with(Options{
		Registry: testCity(t), Broker: "tcp://" + b.Addr(), Rate: 1000, Messages: 500, Truth: &truth, Drain: 20 * time.Second,
	}))
	eventually(t, "messages made", func() bool { return f.Progress().Published >= 200 })
	broker(t, dir, b.Addr())
	s := await(t, done)
	if s.Acknowledged != 500 {
		t.Errorf("%s", s)
	}
	checkTruth(t, &truth, s, nil)
}

func TestCancelEndsCleanly(t *testing.T) {
	t.Parallel()
	b := broker(t, t.TempDir(), "")
	sub := subscribe(t, b.Addr())
	var truth bytes.Buffer
	f, err := New(with(Options{Registry: testCity(t), Broker: "tcp://" + b.Addr(), Rate: 5000, Truth: &truth}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan result, 1)
	go func() {
		s, err := f.Run(ctx)
		done <- result{s, err}
	}()
	eventually(t, "messages acknowledged", func() bool { return f.Progress().Acknowledged >= 1000 })
	cancel()
	s := await(t, done)
	if s.Published != s.Acknowledged {
		t.Errorf("%s", s)
	}
	checkTruth(t, &truth, s, sub)
}

func TestRefusedForGood(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b, err := peers.StartMosquitto(t.Context(), peers.MosquittoOptions{Dir: dir, Extra: []string{"allow_anonymous false"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Stop(); err != nil {
			t.Error(err)
		}
	})
	var truth bytes.Buffer
	_, done := launch(t, with(Options{Registry: testCity(t), Broker: "tcp://" + b.Addr(), Rate: 1000, Truth: &truth}))
	select {
	case r := <-done:
		if r.err == nil || !strings.Contains(r.err.Error(), "not Authorized") {
			t.Errorf("%v", r.err)
		}
		checkTruth(t, &truth, r.summary, nil)
	case <-time.After(30 * time.Second):
		t.Fatal("the fleet goes on though the broker refuses it")
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestTruthThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	b := broker(t, t.TempDir(), "")
	_, done := launch(t, with(Options{
		Registry: testCity(t), Broker: "tcp://" + b.Addr(), Rate: 1000, Messages: 100, Truth: fullDisk{},
	}))
	if r := <-done; r.err == nil || !strings.Contains(r.err.Error(), "write truth") {
		t.Errorf("%v", r.err)
	}
}

func TestWrongOptions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"no registry", func(o *Options) { o.Registry = nil }, "registry: missing"},
		{"no broker", func(o *Options) { o.Broker = "" }, "broker: missing"},
		{"scheme", func(o *Options) { o.Broker = "htp://x:1" }, `broker: unknown scheme "htp"`},
		{"no port", func(o *Options) { o.Broker = "tcp://x" }, "has no port"},
		{"qos 2", func(o *Options) { o.QoS = 2 }, "qos: 2"},
		{"no connections", func(o *Options) { o.Connections = 0 }, "connections: 0"},
		{"negative speed", func(o *Options) { o.Speed = -1 }, "time runs forward"},
		{"negative rate", func(o *Options) { o.Rate = -1 }, "must not be negative"},
		{"rate and interval", func(o *Options) { o.Rate, o.Interval = 1, 1 }, "rate: excludes interval"},
		{"rate too high for the fleet", func(o *Options) { o.Rate, o.Meters = 100_000, 99 }, "needs 100 meters or more"},
		{"jitter beyond the interval", func(o *Options) { o.Jitter = time.Minute }, "longer than the jitter"},
	} {
		o := with(Options{Registry: testCity(t), Broker: "tcp://127.0.0.1:1883"})
		c.change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
