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
	reader     = "notify"  // as the journal knows us
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
	if n.o.Journal.LastSeq() <= n.s.Cursor && !n.unsettled && (n.due.IsZero() || now.Before(n.due)) {
		return nil
	}
	p := n.planner(now)
	if err := n.read(ctx, p); err != nil {
		return fmt.Errorf("plan notices: %w", err)
	}
	n.store.lost = false
	return n.settle(p)
}

func (n *Notifier) planner(now time.Time) *planner {
	return &planner{directory: n.dir, s: n.s, now: now, again: n.store.lost}
}

// compare drops the threads of alarms that the journal does not know: it was
// lost in part, and nothing would ever end them. Streams are told; people are
// not, since nobody knows whether those alarms have returned.
func (n *Notifier) compare(p *planner) {
	known := make(map[string]bool)
	for _, a := range n.o.Journal.List() {
		known[a.ID] = true
	}
	for _, th := range n.s.sortedThreads() {
		if known[th.Alarm.ID] {
			continue
		}
		n.log.Warn().Str("alarm", th.Alarm.ID).Msg("the journal does not know an alarm that notices went out for; it is dropped")
		gone := th.Alarm
		gone.State = alarm.Normal
		p.stream(&alarm.Transition{Time: p.now, Event: alarm.Return, From: th.Alarm.State, To: gone.State, Alarm: gone})
		for i := range p.people {
			p.withdraw(p.people[i].ID, gone.ID)
		}
		n.s.dropThread(gone.ID)
	}
	n.compared = true
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
	if first {
		p.recount()
	}
	if !n.compared {
		n.compare(p)
	}
	return nil
}

// settle sends what is due to the outbox and commits.
func (n *Notifier) settle(p *planner) error {
	p.settle()
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
	n.o.Journal.Hold(reader, n.s.Cursor)
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
	n.showQueues()
	return nil
}

func (n *Notifier) showQueues() {
	for _, w := range n.workers {
		n.metrics.queue.WithLabelValues(w.spec.Name).Set(float64(len(n.s.queues[w.spec.Name])))
	}
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
