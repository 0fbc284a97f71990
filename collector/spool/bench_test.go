package spool

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// cpuTime is what this process has used, user and system.
func cpuTime(tb testing.TB) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func openBench(b *testing.B, dir string) *Spool {
	b.Helper()
	s, err := Open(b.Context(), options(dir, &logBook{}))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { shut(b, s) })
	return s
}

// BenchmarkAppend is the steady state: everything is delivered in chunks of
// 5,000 lines while it comes in. "disk" has a real fsync; "memory", a tmpfs,
// shows what the spool itself costs.
func BenchmarkAppend(b *testing.B) {
	for _, place := range []string{"disk", "memory"} {
		for _, lines := range []int{20, 100, 1000, 5000} {
			b.Run(fmt.Sprintf("%s/%dlines", place, lines), func(b *testing.B) {
				dir := b.TempDir()
				if place == "memory" {
					var err error
					if dir, err = os.MkdirTemp("/dev/shm", "spool"); err != nil {
						b.Fatal(err)
					}
					b.Cleanup(func() { _ = os.RemoveAll(dir) })
				}
				s := openBench(b, dir)
				data := batch(0, lines)
				b.SetBytes(int64(len(data.Lines)))
				b.ReportAllocs()
				b.ResetTimer()
				before := cpuTime(b)
				waiting := 0
				for range b.N {
					appendBatch(b, s, data)
					if waiting += lines; waiting >= 5000 {
						c := next(b, s, 5000)
						done(b, s, c)
						waiting -= c.Count
					}
				}
				b.StopTimer()
				used := float64(cpuTime(b)-before) / float64(b.N) / 1000
				b.ReportMetric(used, "cpu-µs/op")
				b.ReportMetric(used/float64(lines), "cpu-µs/line")
			})
		}
	}
}

// BenchmarkBacklog spools without delivering, then opens the spool again and
// drains it: what a line takes on disk, and what each step costs.
func BenchmarkBacklog(b *testing.B) {
	for _, lines := range []int{20, 1000} {
		b.Run(fmt.Sprintf("%dlines", lines), func(b *testing.B) {
			dir := b.TempDir()
			s := openBench(b, dir)
			const total = 400000
			for b.Loop() {
				for n := 0; n < total; n += lines {
					appendBatch(b, s, batch(n, lines))
				}
				st := snapshot(b, s)
				b.ReportMetric(float64(st.UsedBytes)/total, "disk-B/line")
				b.ReportMetric(float64(len(batch(0, 1000).Lines))/1000, "text-B/line")
				shut(b, s)
				start := time.Now()
				s = openBench(b, dir)
				b.ReportMetric(float64(time.Since(start).Milliseconds()), "open-ms")
				start = time.Now()
				before := cpuTime(b)
				n := 0
				for n < total {
					c := next(b, s, 5000)
					done(b, s, c)
					n += c.Count
				}
				b.ReportMetric(float64(n)/time.Since(start).Seconds(), "drained-lines/s")
				b.ReportMetric(float64(cpuTime(b)-before)/float64(n), "drain-cpu-ns/line")
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.Sys)/(1<<20), "sys-MiB")
		})
	}
}

// BenchmarkQuarantine is a flood of poison, at the cap.
func BenchmarkQuarantine(b *testing.B) {
	o := options(b.TempDir(), &logBook{})
	o.Quarantine.MaxBytes = 8 * MiB
	s, err := Open(b.Context(), o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { shut(b, s) })
	const each = 20
	data := &Batch{Quarantine: entries(each, 200)}
	for i := range data.Quarantine {
		data.Quarantine[i].Detail = strings.Repeat("x", 80)
	}
	before := cpuTime(b)
	for b.Loop() {
		appendBatch(b, s, data)
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N)/1000/each, "cpu-µs/entry")
}
