package collector

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/collector/influx"
	"github.com/imdad-telemetry/imdad/collector/mqtt"
	"github.com/imdad-telemetry/imdad/collector/spool"
	"github.com/imdad-telemetry/imdad/deploy/peers"
)

// sink is a database that notes each line it takes.
type sink struct {
	mu    sync.Mutex
	lines map[string]int
}

// startSink serves at the address until the test ends.
func startSink(t *testing.T, addr string) *sink {
	t.Helper()
	s := &sink{lines: make(map[string]int)}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: s}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) }) // ends with the test
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		serving.Wait()
	})
	return s
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/api/v2/write" {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client gave up
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for line := range bytes.Lines(body) {
			s.lines[string(line)]++
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *sink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.lines)
}

// site is a collector on a small spool, with a broker, and at first without a
// database.
type site struct {
	t             *testing.T
	dir           string
	broker        *peers.Process
	databaseAddr  string
	collector     *Collector
	stop          func() error
	publisher     paho.Client
	published     int
	unconfirmed   []paho.Token
	longRegisters string
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir()}
	var err error
	if s.broker, err = peers.StartMosquitto(t.Context(), peers.MosquittoOptions{Dir: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.broker.Stop(); err != nil {
			t.Error(err)
		}
	})
	if s.databaseAddr, err = peers.FreeAddr(); err != nil {
		t.Fatal(err)
	}
	s.publisher = paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + s.broker.Addr()).SetClientID("meters"))
	s.await(s.publisher.Connect())
	t.Cleanup(func() { s.publisher.Disconnect(100) })
	var b strings.Builder
	for i := range 500 {
		fmt.Fprintf(&b, `"register_with_a_long_name_%d":%d.125,`, i, i)
	}
	s.longRegisters = b.String()
	return s
}

// start runs a collector until stop, which returns what Run returned.
func (s *site) start() {
	s.t.Helper()
	c := mqtt.DefaultConfig()
	c.Brokers, c.ClientID = []string{"tcp://" + s.broker.Addr()}, "imdad"
	d := influx.DefaultConfig()
	d.URL, d.Bucket, d.Flush = "http://"+s.databaseAddr, "utility", 10*time.Millisecond
	none := func() (string, error) { return "", nil }
	var err error
	s.collector, err = New(s.t.Context(), Options{
		DataDir: s.dir, MQTT: c, Influx: d, Spool: spool.Config{MaxBytes: 8 * spool.MiB}, Quarantine: spool.DefaultQuarantineConfig(),
		Sources: native, Registry: registryOf(s.t, "c", "z"), Password: none, Token: none,
		Now: time.Now, Log: zerolog.Nop(), Registerer: prometheus.NewPedanticRegistry(),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.collector.Run(ctx) }()
	s.stop = sync.OnceValue(func() error {
		cancel()
		err := <-ended
		if closed := s.collector.Close(); closed != nil {
			s.t.Error(closed)
		}
		return err
	})
	s.t.Cleanup(func() { _ = s.stop() }) // for a test that has failed; others look at it
	s.eventually("the session stands", func() bool { return s.collector.Status().Sessions[0].Subscribed })
}

// publish sends n readings of some 15 kB each.
func (s *site) publish(n int) {
	now := time.Now().UnixMilli()
	for range n {
		payload := fmt.Sprintf(`{"ts":%d,"seq":%d,"values":{%s"flow_m3h":1}}`, now, s.published, s.longRegisters)
		topic := fmt.Sprintf("imdad/v1/z/water/w%d", s.published)
		s.unconfirmed = append(s.unconfirmed, s.publisher.Publish(topic, 1, false, payload))
		s.published++
	}
}

// fill publishes until the spool refuses, and somewhat more.
func (s *site) fill() {
	s.t.Helper()
	s.eventually("the spool refuses", func() bool {
		l, _, err := s.collector.spool.Snapshot(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		if int(l.ReadingsSpooled) == s.published { // at the collector's own pace
			s.publish(100)
		}
		return s.collector.Status().Refusing != ""
	})
	s.publish(50)
	for _, token := range s.unconfirmed {
		s.await(token)
	}
}

func (s *site) await(token paho.Token) {
	s.t.Helper()
	if !token.WaitTimeout(30*time.Second) || token.Error() != nil {
		s.t.Fatalf("the broker: %v", token.Error())
	}
}

func (s *site) eventually(what string, holds func() bool) {
	s.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(60 * time.Second)
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			s.t.Fatalf("not in a minute: %s; %+v", what, s.collector.Status())
		}
	}
}

// everythingArrives waits for each reading, exactly as it was published.
func (s *site) everythingArrives(database *sink) {
	s.t.Helper()
	s.t.Logf("%d readings are published", s.published)
	s.eventually("everything arrives", func() bool { return database.count() == s.published })
	l, stats, err := s.collector.spool.Snapshot(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	if l.ReadingsSpooled != int64(s.published) || l.Lines() != l.Written+stats.PendingLines || l.MessagesQuarantined != 0 {
		s.t.Errorf("%d published; ledger %+v", s.published, l)
	}
}

// Nothing is acknowledged while the spool refuses, and the batch that it has
// refused is stored as soon as there is room.
func TestARefusedBatchIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start()
	s.fill()
	before, _, err := s.collector.spool.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(s.collector.Status().Refusing, "8MiB") || before.ReadingsSpooled >= int64(s.published) {
		t.Errorf("%q, %d of %d spooled", s.collector.Status().Refusing, before.ReadingsSpooled, s.published)
	}
	s.everythingArrives(startSink(t, s.databaseAddr))
	s.eventually("the spool accepts", func() bool { return s.collector.Status().Refusing == "" })
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

// A collector that must end while the spool refuses leaves to the broker what
// it could not store, says so, and gets it again at the next start.
func TestTheEndDuringARefusal(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start()
	s.fill()
	begun := time.Now()
	if err := s.stop(); err == nil || !strings.Contains(err.Error(), "which the broker keeps") {
		t.Errorf("error %v", err)
	}
	if took := time.Since(begun); took > 15*time.Second {
		t.Errorf("the end took %v", took)
	}
	database := startSink(t, s.databaseAddr)
	s.start()
	s.everythingArrives(database)
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}
