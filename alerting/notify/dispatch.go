package notify

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// All of this is real time.
const (
	firstRetry = time.Second
	maxRetry   = 5 * time.Minute
	maxLater   = time.Hour
	// handOver is after how long a notice takes the next way to its person.
	handOver = 2 * time.Minute
	// giveUpAfter is the age at which a notice is of no use any more.
	giveUpAfter = 24 * time.Hour
	// maxQueue bounds the rows that wait for one channel; beyond it the oldest
	// are given up. About 20 MB.
	maxQueue = 10_000
	// grace is how long an attempt may go on when Run is to end.
	grace = 5 * time.Second
)

var (
	errOverflow = errors.New("too many notices wait for this channel")
	errTooOld   = errors.New("not sent within a day")
)

// worker sends the rows of one channel, in order for each address.
type worker struct {
	n    *Notifier
	spec Spec
	wake chan struct{}
	down bool // the last attempt failed; of the goroutine that sends
}

// stir wakes the worker.
func (w *worker) stir() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run sends until ctx ends.
func (w *worker) run(ctx context.Context) {
	refresh := w.refresher()
	defer refresh.stop()
	for ctx.Err() == nil {
		r, pause := w.next(time.Now())
		if r != nil {
			w.deliver(ctx, r)
			continue
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-w.wake:
		case <-timer.C:
		case <-refresh.tick:
			refresh.do(ctx)
		}
		timer.Stop()
	}
}

// idlePause is how long a worker without rows sleeps if nothing wakes it.
const idlePause = time.Hour

// next marks the next row as being sent, on disk, and returns a copy of it; or
// it returns how long to wait for one.
func (w *worker) next(now time.Time) (*row, time.Duration) {
	n := w.n
	n.mu.Lock()
	defer n.mu.Unlock()
	if w.discard(now) {
		if err := n.commit(); err != nil {
			n.log.Error().Err(err).Msg("the outbox cannot be written; what was given up comes back at a restart")
		}
	}
	pause := idlePause
	blocked := make(map[string]bool)
	for _, r := range n.s.queues[w.spec.Name] {
		if blocked[r.Address] || r.State != waiting {
			continue
		}
		if wait := r.Next.Sub(now); wait > 0 {
			blocked[r.Address] = true
			pause = min(pause, wait)
			continue
		}
		if err := n.begin(r); err != nil {
			n.log.Error().Err(err).Str("channel", w.spec.Name).Msg("the outbox cannot be written; notices wait")
			return nil, firstRetry
		}
		c := *r
		return &c, 0
	}
	return nil, pause
}

// discard gives up what is too old or too much, and tells whether there was any.
func (w *worker) discard(now time.Time) (some bool) {
	queue := w.n.s.queues[w.spec.Name]
	for len(queue) > 0 {
		r := queue[0]
		switch {
		case len(queue) > maxQueue:
			w.n.giveUp(r, errOverflow)
		case now.Sub(r.Queued) > giveUpAfter && !r.Queued.IsZero():
			w.n.giveUp(r, errTooOld)
		default:
			return some
		}
		some = true
		queue = w.n.s.queues[w.spec.Name]
	}
	return some
}

// begin marks a row as being sent, on disk.
func (n *Notifier) begin(r *row) error {
	r.State = sending
	r.Attempts++
	untried := n.s.unsent[r.Notice]
	delete(n.s.unsent, r.Notice)
	n.s.touchRow(r)
	if err := n.commit(); err != nil {
		r.State = waiting
		r.Attempts--
		if untried {
			n.s.unsent[r.Notice] = true
		}
		return err
	}
	n.unsettled = true // its reminders count from now on
	return nil
}

// deliver makes one attempt.
func (w *worker) deliver(ctx context.Context, r *row) {
	notice, err := w.n.notice(r, w.spec.Stream)
	if err != nil {
		w.finish(r, fmt.Errorf("%w: %w", ErrPermanent, err))
		return
	}
	attempt, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.spec.Timeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(grace, cancel)
		context.AfterFunc(attempt, func() { timer.Stop() })
	})
	defer stop()
	err = w.spec.Channel.Send(attempt, notice)
	if err != nil && ctx.Err() != nil && !errors.Is(err, ErrPermanent) {
		return // nobody knows whether it arrived: it stays marked, and goes out again after the start
	}
	w.reached(err)
	w.finish(r, err)
}

// reached notes and says when the channel goes down and comes back.
func (w *worker) reached(err error) {
	ok := err == nil || errors.Is(err, ErrPermanent) // refused is an answer too
	w.n.metrics.reached(w.spec.Name, ok)
	if ok == !w.down {
		return
	}
	w.down = !ok
	if ok {
		w.n.log.Info().Str("channel", w.spec.Name).Msg("notices go out again")
		return
	}
	w.n.log.Warn().Err(err).Str("channel", w.spec.Name).Msg("notices do not go out; they wait and are tried again")
}

// finish records what came of an attempt.
func (w *worker) finish(c *row, err error) {
	n := w.n
	n.mu.Lock()
	defer n.mu.Unlock()
	r := n.s.queues[w.spec.Name].get(c.ID)
	if r == nil {
		return
	}
	now := time.Now()
	switch {
	case err == nil:
		r.Error = ""
		n.s.end(r, sent)
		n.told(r)
		n.metrics.sent(w.spec.Name, now.Sub(r.Queued))
	case errors.Is(err, ErrPermanent), len(r.Fallback) > 0 && now.Sub(r.Queued) > handOver:
		n.giveUp(r, err)
	default:
		n.metrics.count(w.spec.Name, resultRetried)
		r.State, r.Error, r.Next = waiting, err.Error(), now.Add(w.backoff(r.Attempts, err))
		n.s.touchRow(r)
	}
	if err := n.commit(); err != nil {
		n.log.Error().Err(err).Int64("row", r.ID).Msg("what came of a notice is not stored; it may go out twice if the service ends now")
		n.unsettled = true
	}
}

// told notes when a notice has left that had to wait: reminders count from then.
func (n *Notifier) told(r *row) {
	now := n.o.Now()
	for _, a := range r.Content.Alarms {
		th := n.s.threads[a.ID]
		if th == nil || th.Alarm.Occurrence != a.Occurrence {
			continue
		}
		if t := th.Told[r.Person]; t != nil && now.After(t.At) {
			t.At = now
			n.s.touchThread(a.ID)
		}
	}
	n.unsettled = true
}

// backoff doubles from attempt to attempt, spread by a quarter; the other side
// may ask for longer.
func (w *worker) backoff(attempts int, err error) time.Duration {
	d := min(firstRetry<<min(attempts-1, 16), maxRetry)
	d += time.Duration(w.n.o.Jitter() * float64(d) / 4)
	var later *Later
	if errors.As(err, &later) {
		d = max(d, min(later.After, maxLater))
	}
	return d
}

// giveUp ends a row that cannot be sent, and hands the notice to the next way.
func (n *Notifier) giveUp(r *row, err error) {
	r.Error = err.Error()
	n.s.end(r, failed)
	n.metrics.count(r.Channel, resultFailed)
	n.log.Error().Err(err).Int64("row", r.ID).Str("channel", r.Channel).Str("person", r.Person).
		Int("ways_left", len(r.Fallback)).Msg("a notice is given up on this channel")
	if len(r.Fallback) == 0 {
		return
	}
	next := r.Fallback[0]
	n.s.addRow(&row{
		Notice: r.Notice, Channel: next.Channel, Address: next.Address, Person: r.Person, Language: r.Language,
		Created: r.Created, Repeated: r.Repeated, Content: r.Content, Fallback: r.Fallback[1:],
	})
	for _, w := range n.workers {
		if w.spec.Name == next.Channel {
			w.stir()
		}
	}
}
