package main

import (
	"context"
	"errors"
	"fmt"
)

// memory lets many meters report a few times each.
func (b *bench) memory(ctx context.Context) error {
	b.title("Memory: %d meters, three messages each", b.many)
	m, err := b.drainFleet(ctx, b.many, int64(3*b.many))
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "  peak %.0f MB; after loading the registry and before the first message %.0f MB\n", m.megabytes(), m.atStart())
	b.atMost(fmt.Sprintf("memory: peak with %d meters", b.many), m.megabytes(), 300, "MB")
	return nil
}

// growth shows what more meters cost.
func (b *bench) growth(ctx context.Context) error {
	b.title("Growth with meters, in-flight window 1000")
	t := b.table("meters", "messages", " msg/s", "µs CPU/msg", "peak MB", "at start MB")
	for _, times := range []int{1, 4, 16} {
		meters := times * b.meters
		messages := max(b.messages, int64(2*meters))
		m, err := b.drainFleet(ctx, meters, messages)
		if err != nil {
			return err
		}
		t.row(meters, messages, m.rate(), m.cpuAll(), m.megabytes(), m.atStart())
	}
	return nil
}

func (b *bench) drainFleet(ctx context.Context, meters int, messages int64) (measurement, error) {
	f, err := b.fleet(meters)
	if err != nil {
		return measurement{}, err
	}
	s, err := b.prefill(ctx, f, messages, 1000)
	if err != nil {
		return measurement{}, err
	}
	m, err := b.drainService(ctx, s, 0, nil)
	return m, errors.Join(err, s.remove())
}
