package notify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
)

const (
	readAtOnce = 1000      // transitions
	tidyEvery  = time.Hour // by the clock of alarms
)

// Plan takes in the transitions that the journal has got since, does what time
// has brought about until now, and stores what follows, in one transaction.
// Without either it costs microseconds and reads nothing. After an error what
// was planned is kept and stored by the next Plan.
func (n *Notifier) Plan(ctx context.Context, now time.Time) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	last := n.o.Journal.LastSeq()
	if last == n.s.Cursor && !n.unsettled && (n.due.IsZero() || now.Before(n.due)) {
		return nil
	}
	p := n.planner(now)
	if last < n.s.Cursor {
		n.restart(last)
	}
	if err := n.read(ctx, p); err != nil {
		return fmt.Errorf("plan notices: %w", err)
	}
	return n.settle(p)
}

func (n *Notifier) planner(now time.Time) *planner {
	return &planner{directory: n.dir, s: n.s, now: now}
}

// restart begins a journal that was begun anew. What is known of the alarms of
// the old one holds no longer.
func (n *Notifier) restart(last int64) {
	n.log.Warn().Int64("cursor", n.s.Cursor).Int64("journal", last).
		Msg("the journal of alarms was begun anew; alarms that stand are announced again")
	n.s.Cursor = 0
	for id := range n.s.threads {
		n.s.dropThread(id)
	}
}

// read takes in all that is new. On the first reading streams get the newest
// state of each alarm only: the journal may be years long.
func (n *Notifier) read(ctx context.Context, p *planner) error {
	first := n.s.Cursor == 0
	var all []alarm.Transition
	for {
		ts, err := n.o.Journal.Transitions(ctx, n.s.Cursor, readAtOnce)
		if err != nil {
			return err
		}
		for i := range ts {
			p.take(&ts[i])
			if !first {
				p.stream(&ts[i])
			}
			n.s.Cursor = ts[i].Seq
		}
		if first {
			all = newest(slices.Concat(all, ts), p.now)
		}
		if len(ts) < readAtOnce {
			break
		}
	}
	for i := range all {
		p.stream(&all[i])
	}
	return nil
}

// settle sends what is due to the outbox and commits.
func (n *Notifier) settle(p *planner) error {
	p.settle()
	if n.store.lost {
		for _, r := range n.s.changed.rows {
			r.Repeated = true
		}
		n.store.lost = false
	}
	if err := n.tidy(p.now); err != nil {
		n.log.Error().Err(err).Msg("old notices stay in the outbox")
	}
	n.due = sooner(p.due(), n.tidied.Add(tidyEvery))
	n.unsettled = false
	if err := n.commit(); err != nil {
		n.unsettled = true
		return err
	}
	for _, w := range n.workers {
		w.stir()
	}
	return nil
}

// commit stores what has changed, and counts it.
func (n *Notifier) commit() error {
	var pointless []string
	for _, r := range n.s.changed.rows {
		if r.State == cancelled {
			pointless = append(pointless, r.Channel)
		}
	}
	if n.s.saved() {
		return nil
	}
	if err := n.store.commit(n.s); err != nil {
		return err
	}
	for _, channel := range pointless {
		n.metrics.count(channel, resultCancelled)
	}
	for _, w := range n.workers {
		n.metrics.queue.WithLabelValues(w.spec.Name).Set(float64(len(n.s.queues[w.spec.Name])))
	}
	return nil
}

// tidy deletes old rows, and forgets which notices were never tried where
// nobody can ask any more.
func (n *Notifier) tidy(now time.Time) error {
	if now.Sub(n.tidied) < tidyEvery && !n.tidied.IsZero() {
		return nil
	}
	n.tidied = now
	maps.DeleteFunc(n.announced, func(_ string, end time.Time) bool { return end.Before(now) })
	asked := make(map[int64]bool)
	for _, th := range n.s.threads {
		for _, t := range th.Told {
			for _, id := range t.Notices {
				asked[id] = n.s.unsent[id]
			}
		}
	}
	for _, q := range n.s.mail {
		for _, r := range q {
			asked[r.Notice] = n.s.unsent[r.Notice]
		}
	}
	for id := range n.s.unsent {
		if !asked[id] {
			delete(n.s.unsent, id)
		}
	}
	return n.store.prune(now.Add(-n.dir.config.Keep))
}

// Upcoming announces planned cuts to whom they concern: each once, those of one
// zone and window as one notice. The same list may be given again and again.
func (n *Notifier) Upcoming(_ context.Context, now time.Time, list []Upcoming) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var news []Upcoming
	for _, u := range list {
		if _, old := n.announced[u.key()]; !old {
			n.announced[u.key()] = u.To
			news = append(news, u)
		}
	}
	if len(news) == 0 {
		return nil
	}
	p := n.planner(now)
	p.announce(news)
	return n.settle(p)
}
