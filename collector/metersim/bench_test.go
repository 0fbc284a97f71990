package metersim

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/deploy/peers"
)

// BenchmarkGenerate makes messages as fast as it can, for fleets of several
// sizes, with the model running at 100 messages a meter and simulated second.
func BenchmarkGenerate(b *testing.B) {
	for _, meters := range []int{400, 10_000} {
		b.Run(fmt.Sprintf("meters=%d", meters), func(b *testing.B) {
			f, err := New(with(Options{
				Registry: testCity(b), Meters: meters, Broker: "tcp://127.0.0.1:1883",
				Start: monday, Rate: 100 * float64(meters),
			}))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			bytes := 0
			for b.Loop() {
				i, at := f.schedule.next()
				m := f.probes[i].message(at, f.model.advanceTo(at))
				bytes += len(m.payload())
				m.release()
			}
			b.ReportMetric(float64(bytes)/float64(b.N), "bytes/message")
		})
	}
}

// BenchmarkStep advances the model of a fleet of 10,000 meters by five
// simulated seconds.
func BenchmarkStep(b *testing.B) {
	reg, err := Scale(testCity(b), 10_000)
	if err != nil {
		b.Fatal(err)
	}
	m, err := newModel(reg, 1, monday)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		m.advance()
	}
}

// BenchmarkPublish publishes to a real broker without subscribers, as fast as
// it acknowledges.
func BenchmarkPublish(b *testing.B) {
	broker, err := peers.StartMosquitto(b.Context(), peers.MosquittoOptions{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := broker.Stop(); err != nil {
			b.Error(err)
		}
	})
	f, err := New(with(Options{
		Registry: testCity(b), Meters: 10_000, Broker: "tcp://" + broker.Addr(),
		Start: time.Now(), Rate: 1e6, Messages: int64(b.N),
	}))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	s, err := f.Run(context.Background())
	b.StopTimer()
	if err != nil || s.Acknowledged != int64(b.N) {
		b.Fatalf("%s: %v", s, err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
