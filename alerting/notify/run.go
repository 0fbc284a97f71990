package notify

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// pollEvery is how often Run looks, in real time, whether there is news or
// something is due: that costs less than a microsecond, and the clock of alarms
// may run fast.
const pollEvery = 50 * time.Millisecond

// Run plans when there is news or something is due, sends over all channels at
// once and takes people's answers, until ctx ends. An attempt under way gets
// some seconds to end.
func (n *Notifier) Run(ctx context.Context) error {
	var group errgroup.Group
	group.Go(func() error { n.plans(ctx); return nil })
	for _, w := range n.workers {
		group.Go(func() error { w.run(ctx); return nil })
		if l, ok := w.spec.Channel.(Listener); ok {
			group.Go(func() error { w.listen(ctx, l); return nil })
		}
	}
	return group.Wait()
}

func (n *Notifier) plans(ctx context.Context) {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	failing := false
	for {
		err := n.Plan(ctx, n.o.Now())
		if err != nil && ctx.Err() == nil && !failing {
			n.log.Error().Err(err).Msg("notices are not planned; this is tried again")
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Deliver makes one attempt at every row that may be sent now, channel by
// channel, and returns. It is for those who drive the clock themselves, and
// must not run beside Run.
func (n *Notifier) Deliver(ctx context.Context) error {
	for _, w := range n.workers {
		for ctx.Err() == nil {
			r, _ := w.next(time.Now())
			if r == nil {
				break
			}
			w.deliver(ctx, r)
		}
	}
	return ctx.Err()
}

// notice puts a row into words.
func (n *Notifier) notice(r *row, stream bool) (Notice, error) {
	n.mu.Lock()
	dir := n.dir
	n.mu.Unlock()
	c := r.Content
	c.Repeated = r.Repeated
	loc := dir.location(r)
	languages := []message.Language{r.Language}
	if stream {
		languages = []message.Language{message.Arabic, message.English}
	} else if n.o.PublicURL != "" && len(c.Alarms) == 1 && c.Alarms[0].State == alarm.Unacknowledged {
		a := c.Alarms[0]
		expires := n.o.Now().Add(dir.config.LinkValid)
		c.AckURL = strings.TrimSuffix(n.o.PublicURL, "/") + "/acknowledge?token=" + n.links.Sign(Link{Alarm: a.ID, Occurrence: a.Occurrence, Person: r.Person, Expires: expires})
	}
	out := Notice{
		ID: r.ID, Channel: r.Channel, Address: r.Address, Person: r.Person, Language: r.Language,
		Created: r.Created, Repeated: r.Repeated, Content: c, Texts: make(map[message.Language]message.Text),
	}
	for _, l := range languages {
		text, err := n.o.Renderer.Render(c, l, loc)
		if err != nil {
			return Notice{}, fmt.Errorf("put notice %d into words: %w", r.ID, err)
		}
		out.Texts[l] = text
	}
	return out, nil
}

// location is where the clock is that a notice speaks of: the person's, or the
// alarm's city's.
func (d *directory) location(r *row) *time.Location {
	if who, ok := d.byID[r.Person]; ok {
		return who.loc
	}
	name := zone.DefaultTimezone
	for _, c := range d.registry.Cities() {
		if len(r.Content.Alarms) > 0 && c.ID == r.Content.Alarms[0].City {
			name = c.Timezone
		}
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC // the registry has checked its own; ours is built in
	}
	return loc
}
