package notify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
)

// ErrStranger is said when an answer came from nobody we know.
var ErrStranger = errors.New("this address belongs to nobody in the list of people")

// listen takes answers until ctx ends. A channel that stops listening is asked
// again, later and later.
func (w *worker) listen(ctx context.Context, l Listener) {
	for tries := 1; ctx.Err() == nil; tries++ {
		begun := time.Now()
		err := l.Listen(ctx, w.answer)
		if ctx.Err() != nil {
			return
		}
		if time.Since(begun) > maxRetry {
			tries = 1
		}
		w.n.log.Warn().Err(err).Str("channel", w.spec.Name).Msg("answers are not heard; listening begins again")
		timer := time.NewTimer(w.backoff(tries, err))
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// answer hands on an acknowledgement of somebody we know: Person is an id or
// the person's address on this channel.
func (w *worker) answer(ctx context.Context, a Acknowledgement) (string, error) {
	w.n.mu.Lock()
	who, ok := w.n.dir.knows(w.spec.Name, a.Person)
	w.n.mu.Unlock()
	if !ok {
		return "", fmt.Errorf("acknowledge %s over %s: %w", a.Alarm, w.spec.Name, ErrStranger)
	}
	a.Person = who.ID
	if a.Via == "" {
		a.Via = w.spec.Name
	}
	return w.n.o.Acknowledger.Acknowledge(ctx, a)
}

func (d *directory) knows(channel, word string) (*person, bool) {
	if who, ok := d.byID[word]; ok {
		return who, true
	}
	for i := range d.people {
		if who := &d.people[i]; word != "" && who.Contacts[channel] == word {
			return who, true
		}
	}
	return nil, false
}

// refresher tells a Refresher again and again what stands. Its zero value does
// nothing.
type refresher struct {
	w    *worker
	r    Refresher
	tick <-chan time.Time
	stop func()
}

func (w *worker) refresher() refresher {
	r, ok := w.spec.Channel.(Refresher)
	if !ok {
		return refresher{stop: func() {}}
	}
	ticker := time.NewTicker(r.Every())
	return refresher{w, r, ticker.C, ticker.Stop}
}

func (f refresher) do(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, f.w.spec.Timeout)
	defer cancel()
	if err := f.r.Refresh(ctx, f.w.n.Standing()); err != nil && !errors.Is(err, context.Canceled) {
		f.w.n.metrics.count(f.w.spec.Name, resultRetried)
		f.w.reached(err)
	}
}

// Standing returns the alarms that are shown now, in the order of their ids, as
// far as Plan has seen the journal.
func (n *Notifier) Standing() []alarm.Alarm {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []alarm.Alarm
	for th := range maps.Values(n.s.threads) {
		if th.shown() {
			out = append(out, th.Alarm)
		}
	}
	slices.SortFunc(out, func(a, b alarm.Alarm) int { return strings.Compare(a.ID, b.ID) })
	return out
}
