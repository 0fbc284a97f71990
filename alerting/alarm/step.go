package alarm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// Step takes what the rules say at a time: all findings, since a condition that
// is not among them is clear. It returns the transitions, which are on disk by
// then. On an error nothing has changed, and the next step finds the same.
// Without changes it touches no disk.
func (b *Book) Step(ctx context.Context, now time.Time, findings []rule.Finding) ([]Transition, error) {
	began := time.Now()
	ts, err := b.change(ctx, now, func(m *machine, ms int64) (changes, error) { return m.step(ms, findings), nil })
	b.metrics.stepped(time.Since(began))
	return ts, err
}

// change computes with f what changes, stores it, and makes it true.
func (b *Book) change(ctx context.Context, now time.Time, f func(*machine, int64) (changes, error)) ([]Transition, error) {
	b.write.Lock()
	defer b.write.Unlock()
	if err := b.ready(ctx, now.UnixMilli()); err != nil {
		return nil, err
	}
	c, err := f(b.machine, now.UnixMilli())
	if err != nil {
		return nil, err
	}
	if err := b.commit(now.UnixMilli(), c); err != nil {
		return nil, err
	}
	return c.transitions, nil
}

// ready makes up, once, for the time in which nothing ran.
func (b *Book) ready(ctx context.Context, now int64) error {
	if b.closed {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.store == nil { // a damaged file could not be replaced
		if err := b.renew(errCorrupt, ""); err != nil {
			return fmt.Errorf("store alarms: %w", err)
		}
	}
	if !b.late {
		return nil
	}
	if away := now - b.seen; away > 0 {
		if err := b.commit(now, b.machine.resume(now, away)); err != nil {
			return err
		}
	}
	b.late = false
	return nil
}

func (b *Book) commit(now int64, c changes) error {
	if err := b.keep(now, c); err != nil {
		b.metrics.failed()
		if !errors.Is(err, errCorrupt) {
			return fmt.Errorf("store alarms: %w", err)
		}
		if err = b.replace(err); err == nil {
			err = b.keep(now, c)
		}
		if err != nil {
			return fmt.Errorf("store alarms: %w", err)
		}
	}
	b.metrics.count(c.transitions)
	b.state.Lock()
	defer b.state.Unlock()
	b.machine.apply(c)
	b.now = now
	b.recent.trim(now)
	b.recent.add(c.transitions)
	if len(c.transitions) > 0 {
		for ch := range b.watchers {
			select {
			case ch <- struct{}{}:
			default: // it has not yet looked at the last
			}
		}
	}
	return nil
}

// keep writes what must be written, if anything.
func (b *Book) keep(now int64, c changes) error {
	e := entry{changes: c, seen: now}
	if b.prunable(now) {
		e.before, e.upTo = now-b.machine.config.Keep.Milliseconds(), b.read()
	}
	late := now-b.seen >= seenEvery || now < b.seen
	if len(c.dirty) == 0 && e.before == 0 && (!late || !b.machine.watching()) {
		return nil
	}
	oldest, err := b.store.write(e)
	if err != nil {
		return err
	}
	b.seen = now
	switch {
	case e.before != 0:
		b.oldest = oldest
	case b.oldest.seq == 0 && len(c.transitions) > 0:
		b.oldest = line{c.transitions[0].Seq, now}
	}
	return nil
}

// prunable tells that there are lines to prune that every reader has read.
func (b *Book) prunable(now int64) bool {
	return b.oldest.seq != 0 && b.oldest.time < now-b.machine.config.Keep.Milliseconds() && b.oldest.seq <= b.read()
}
