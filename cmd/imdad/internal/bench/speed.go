package main

import (
	"context"
	"errors"
	"fmt"
)

// windows are Mosquitto's default of messages under way, and a generous one.
var windows = []int{20, 1000}

// pair is one run of each side, one after the other.
type pair struct{ service, bare measurement }

func (p pair) ratio() float64 { return p.service.rate() / p.bare.rate() }

// speed compares the service with the bare client, at each window.
func (b *bench) speed(ctx context.Context) error {
	f, err := b.fleet(b.meters)
	if err != nil {
		return err
	}
	for _, window := range windows {
		b.title("Speed: %d messages of %d meters, in-flight window %d", b.messages, b.meters, window)
		s, err := b.prefill(ctx, f, b.messages, window)
		if err != nil {
			return err
		}
		pairs, err := b.comparePairs(ctx, s)
		if err := errors.Join(err, s.remove()); err != nil {
			return err
		}
		b.judgeSpeed(window, pairs)
	}
	return nil
}

func (b *bench) comparePairs(ctx context.Context, s *session) (pairs []pair, err error) {
	t := b.table("pair", "imdad msg/s", "bare msg/s", "ratio", "imdad µs/msg", "acked only", "bare µs/msg", "imdad MB", "at start", "bare MB", "delivered/s")
	for i := range b.pairs {
		var p pair
		if p.service, err = b.drainService(ctx, s, 0, nil); err != nil {
			return nil, fmt.Errorf("imdad, run %d: %w", i+1, err)
		}
		if p.bare, err = b.drainBare(ctx, s); err != nil {
			return nil, fmt.Errorf("bare client, run %d: %w", i+1, err)
		}
		pairs = append(pairs, p)
		t.row(i+1, p.service.rate(), p.bare.rate(), p.ratio(), p.service.cpuAll(), p.service.cpuTaken(), p.bare.cpuAll(),
			p.service.megabytes(), p.service.atStart(), p.bare.megabytes(), p.service.delivery())
	}
	for i, p := range pairs {
		fmt.Fprintf(b.out, "  run %d: %s\n", i+1, p.service.page.batches())
	}
	return pairs, nil
}

func (b *bench) judgeSpeed(window int, pairs []pair) {
	name := func(what string) string { return fmt.Sprintf("window %d: %s", window, what) }
	of := func(f func(measurement) float64) func(pair) float64 {
		return func(p pair) float64 { return f(p.service) }
	}
	ofBare := func(f func(measurement) float64) func(pair) float64 { return func(p pair) float64 { return f(p.bare) } }
	fmt.Fprintf(b.out, "  medians: imdad %.0f msg/s, %.2f µs (%.2f when acknowledged); bare %.0f msg/s, %.2f µs; ratio %.2f\n",
		median(pairs, of(measurement.rate)), median(pairs, of(measurement.cpuAll)), median(pairs, of(measurement.cpuTaken)),
		median(pairs, ofBare(measurement.rate)), median(pairs, ofBare(measurement.cpuAll)), median(pairs, pair.ratio))
	b.atLeast(name("throughput against the bare client"), median(pairs, pair.ratio), 0.7, "")
	b.atMost(name("CPU until delivered"), median(pairs, of(measurement.cpuAll)), 12, "µs a message")
	b.atMost(name("peak memory"), median(pairs, of(measurement.megabytes)), 100, "MB")
}
