package alarm

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/rule"
)

func storm(n int) []rule.Finding {
	findings := make([]rule.Finding, n)
	for i := range findings {
		findings[i] = outage(fmt.Sprintf("feeder-%04d", i))
	}
	return findings
}

// openFast opens a book where an fsync costs nothing.
func openFast(b *testing.B) *Book {
	dir, err := os.MkdirTemp("/dev/shm", "alarm")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	return open(b, options(dir, &logBook{}))
}

// cpuTime is what this process has used, user and system.
func cpuTime(b *testing.B) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkStorm raises 2,000 alarms in one step, and returns them in the next:
// an operation is both. cpu-ms is of one of the two, whatever else runs.
func BenchmarkStorm(b *testing.B) {
	book, findings, now := openFast(b), storm(2000), start
	b.ReportAllocs()
	before := cpuTime(b)
	for b.Loop() {
		for _, present := range [][]rule.Finding{findings, nil} {
			now = now.Add(time.Second)
			if ts := step(b, book, now, present...); len(ts) != 2000 {
				b.Fatal(len(ts))
			}
		}
	}
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/1000/2/float64(b.N), "cpu-ms/step")
}

// BenchmarkStanding steps over 2,000 alarms that stand.
func BenchmarkStanding(b *testing.B) {
	book, findings, now := openFast(b), storm(2000), start
	step(b, book, now, findings...)
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(250 * time.Millisecond)
		if _, err := book.Step(b.Context(), now, findings); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkIdle has nothing to do.
func BenchmarkIdle(b *testing.B) {
	book, now := openFast(b), start
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Second)
		if _, err := book.Step(b.Context(), now, nil); err != nil {
			b.Fatal(err)
		}
	}
}
