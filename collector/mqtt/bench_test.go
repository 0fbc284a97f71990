package mqtt

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

const benchMessages = 100_000

// BenchmarkIntake drains a session that Mosquitto has prefilled, with clients that only count. It reports the
// messages a second and this process's CPU time a message (the broker is another process).
func BenchmarkIntake(b *testing.B) {
	for _, window := range []int{20, 1000} {
		for _, c := range []struct {
			name  string
			drain func(b *testing.B, addr string)
		}{
			{"paho", func(b *testing.B, addr string) { drainBare(b, addr, nil) }},
			{"paho_on_transport", func(b *testing.B, addr string) { drainBare(b, addr, OpenConnection) }},
			{"client", func(b *testing.B, addr string) { drainClient(b, addr, nil) }},
			{"client_with_presence", func(b *testing.B, addr string) { drainClient(b, addr, testPresence()) }},
		} {
			b.Run(fmt.Sprintf("window=%d/%s", window, c.name), func(b *testing.B) {
				broker := startBroker(b, fmt.Sprintf("max_inflight_messages %d", window))
				var cpu, elapsed time.Duration
				for b.Loop() {
					b.StopTimer()
					prefill(b, broker.Addr())
					cpuBefore, before := cpuTime(b), time.Now()
					b.StartTimer()
					c.drain(b, broker.Addr())
					b.StopTimer()
					cpu += cpuTime(b) - cpuBefore
					elapsed += time.Since(before)
					b.StartTimer()
				}
				n := float64(b.N) * benchMessages
				b.ReportMetric(n/elapsed.Seconds(), "msg/s")
				b.ReportMetric(float64(cpu.Nanoseconds())/1e3/n, "cpu-µs/msg")
			})
		}
	}
}

// prefill makes the session imdad and fills it.
func prefill(b *testing.B, addr string) {
	client := paho.NewClient(benchOptions(addr, func(paho.Client, paho.Message) {}))
	if t := client.Connect(); t.Wait() && t.Error() != nil {
		b.Fatal(t.Error())
	}
	if t := client.Subscribe("imdad/v1/#", 1, nil); t.Wait() && t.Error() != nil {
		b.Fatal(t.Error())
	}
	client.Disconnect(250)
	p := newPublisher(b, addr)
	defer p.close()
	p.publishEach(1, 0, benchMessages, func(i int) (string, []byte) {
		return "imdad/v1/naj-1/electricity/m" + strconv.Itoa(i%10_000),
			fmt.Appendf(nil, `{"ts":%d,"seq":%d,"values":{"active_power_kw":%d.5,"energy_import_kwh":%d.25,"voltage_l1_v":229.4}}`,
				1763895600000+i, i, i%500, i)
	})
}

func benchOptions(addr string, handle paho.MessageHandler) *paho.ClientOptions {
	o := paho.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("imdad").SetProtocolVersion(4)
	o.SetCleanSession(false).SetAutoAckDisabled(true).SetDefaultPublishHandler(handle)
	return o
}

func drainBare(b *testing.B, addr string, open func(*url.URL, paho.ClientOptions) (net.Conn, error)) {
	var n atomic.Int64
	all := make(chan struct{})
	o := benchOptions(addr, func(_ paho.Client, m paho.Message) {
		m.Ack()
		if n.Add(1) == benchMessages {
			close(all)
		}
	})
	if open != nil {
		o.SetCustomOpenConnectionFn(open)
	}
	client := paho.NewClient(o)
	if t := client.Connect(); t.Wait() && t.Error() != nil {
		b.Fatal(t.Error())
	}
	select {
	case <-all:
	case <-time.After(time.Minute):
		b.Fatalf("%d of %d messages", n.Load(), benchMessages)
	}
	client.Disconnect(250)
}

func drainClient(b *testing.B, addr string, p *Presence) {
	client, err := New(Options{
		Config: configFor(addr), Filters: []string{"imdad/v1/#"}, Now: time.Now, Accepting: func() bool { return true },
		StatePath: filepath.Join(b.TempDir(), "sessions.json"), Presence: p, Log: zerolog.Nop(), Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- client.Run(ctx) }()
	buf := make([]Message, 0, 256)
	for n := 0; n < benchMessages; n += len(buf) {
		if buf, err = client.Receive(ctx, buf); err != nil {
			b.Fatal(err)
		}
		client.Done(buf)
	}
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
