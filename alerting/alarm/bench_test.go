package alarm

import (
	"fmt"
	"os"
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

// BenchmarkStorm raises 2,000 alarms in one step, and ends them in the next.
func BenchmarkStorm(b *testing.B) {
	book, findings, now := openFast(b), storm(2000), start
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Second)
		if ts := step(b, book, now, findings...); len(ts) < 2000 {
			b.Fatal(len(ts))
		}
		b.StopTimer()
		now = now.Add(time.Second)
		step(b, book, now)
		b.StartTimer()
	}
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
