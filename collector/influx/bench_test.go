package influx

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// benchLog hands out the same full chunk n times.
type benchLog struct {
	lines []byte
	left  atomic.Int64
	done  atomic.Int64
	all   int64
	over  context.CancelFunc
}

func (l *benchLog) Next(ctx context.Context, maxLines int, _ time.Duration) (Chunk, error) {
	if l.left.Add(-1) < 0 {
		<-ctx.Done()
		return Chunk{}, ctx.Err()
	}
	return Chunk{Lines: l.lines, Count: maxLines}, nil
}

func (l *benchLog) Done(context.Context, Chunk, []Refused) error {
	if l.done.Add(1) == l.all {
		l.over()
	}
	return nil
}

// BenchmarkWriter writes batches of 5,000 lines into a server that reads and
// forgets them. Its CPU time is the process's: the server's share is in it.
func BenchmarkWriter(b *testing.B) {
	for _, mode := range []string{GzipOff, GzipOn} {
		b.Run("gzip="+mode, func(b *testing.B) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if _, err := io.Copy(io.Discard, r.Body); err != nil {
					b.Error(err)
				}
				w.WriteHeader(http.StatusNoContent)
			}))
			defer server.Close()
			c := DefaultConfig()
			c.URL, c.Bucket, c.Gzip = server.URL, "utility", mode

			ctx, cancel := context.WithCancel(b.Context())
			log := &benchLog{lines: benchLines(c.Batch), all: int64(b.N), over: cancel}
			log.left.Store(int64(b.N))
			w, err := New(Options{Config: c, Log: log, Logger: zerolog.Nop(), Registerer: prometheus.NewRegistry()})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(log.lines)))
			before := cpuTime(b)
			b.ResetTimer()
			if err := w.Run(ctx); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			lines := float64(b.N * c.Batch)
			b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/lines, "cpu-ns/line")
			b.ReportMetric(lines/b.Elapsed().Seconds(), "lines/s")
		})
	}
}

// benchLines varies meters and values, as compression depends on that.
func benchLines(n int) []byte {
	r, _ := sample()
	var lines []byte
	for i := range n {
		for v := range r.Values {
			r.Values[v].Value = float64((i*7919+v*104729)%100_000) / 100
		}
		r.Time++
		id := "SN-E-" + strings.Repeat("0", i%3) + string(rune('A'+i%26))
		lines = AppendReading(lines, AppendSeries(nil, string(meter.Electricity), "sheikh-najjar", "sn-zone-1", id), r)
	}
	return lines
}

func cpuTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
