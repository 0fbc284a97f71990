package spool

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"
	_ "modernc.org/sqlite"
)

func options(t testing.TB, dir string) Options {
	return Options{Dir: dir, Config: DefaultConfig(), Quarantine: DefaultQuarantineConfig(), FingerprintBytes: 64 << 20, Log: zerolog.New(zerolog.NewTestWriter(t))}
}

func cpuTime() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(0, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func BenchmarkAppend(b *testing.B) {
	for _, lines := range []int{20, 1000} {
		b.Run(fmt.Sprintf("%dlines", lines), func(b *testing.B) {
			ctx := context.Background()
			s, err := Open(ctx, options(b, b.TempDir()))
			if err != nil {
				b.Fatal(err)
			}
			batch := &Batch{Lines: []byte(strings.Repeat("electricity,city=c,zone=z,meter=m active_power_kw=431.2,energy_import_kwh=123456.7,voltage_l1_v=230.1,quality=0i 1763895600123\n", lines)),
				LineCount: lines, Origin: Reading, Fingerprints: make([]byte, 24*lines)}
			batch.Ledger = Ledger{MessagesDecoded: int64(lines), ReadingsDecoded: int64(lines), ReadingsSpooled: int64(lines)}
			b.ResetTimer()
			c0 := cpuTime()
			for i := 0; i < b.N; i++ {
				if err := s.Append(ctx, batch); err != nil {
					b.Fatal(err)
				}
				if i%(5000/lines) == 0 {
					c, err := s.Next(ctx, Sink, 5000, 0)
					if err != nil {
						b.Fatal(err)
					}
					if err := s.Done(ctx, Sink, c, nil); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64((cpuTime()-c0).Microseconds())/float64(b.N), "cpu-us/op")
			b.StopTimer()
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
