package metersim

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/imdad-telemetry/imdad/collector/metersim/dress"
)

// earliest is how much before its time a message may leave, so that a fast
// fleet does not sleep for every single message.
const earliest = 500 * time.Microsecond

// Fleet is a registry's meters, ready to publish.
type Fleet struct {
	opts     Options
	model    *model
	probes   []*probe
	schedule schedule
	links    []*link
	ledger   *ledger
	speakers []dress.Meter // in the order of the probes
	nodes    []*dress.Node // each with a link of its own
	commands chan Command  // to Victron portals, in a play
	origin   time.Time     // the real time at which the simulated clock shows its start
}

// New builds the fleet. It neither connects nor starts anything.
func New(o Options) (*Fleet, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("simulate meters: %w", err)
	}
	if o.Plan != nil {
		return newStagedFleet(o)
	}
	if o.Start.IsZero() {
		o.Start = time.Now()
	}
	if o.Meters > 0 && o.Meters != len(o.Registry.Meters()) {
		scaled, err := Scale(o.Registry, o.Meters)
		if err != nil {
			return nil, err
		}
		o.Registry = scaled
	}
	f := &Fleet{opts: o, ledger: newLedger(o.Truth)}
	if err := f.furnish(); err != nil {
		return nil, err
	}
	return f, f.connectors()
}

// furnish makes the model, its meters and their schedule.
func (f *Fleet) furnish() (err error) {
	defs := f.opts.Registry.Meters()
	if len(defs) == 0 {
		return fmt.Errorf("simulate meters: the registry has none")
	}
	if f.model, err = newModel(f.opts.Registry, f.opts.Seed, f.opts.Start); err != nil {
		return err
	}
	if f.speakers, err = dress.Assign(f.opts.Registry, dress.Wish{Profiles: f.opts.Profiles, Seed: f.opts.Seed}); err != nil {
		return fmt.Errorf("simulate meters: %w", err)
	}
	every := make([]float64, len(defs))
	least := math.Inf(1)
	for i, def := range defs {
		s, err := f.model.source(def)
		if err != nil {
			return err
		}
		f.probes = append(f.probes, newProbe(def, s))
		every[i] = 1000 * def.IntervalS
		if f.opts.Interval > 0 {
			every[i] = float64(f.opts.Interval) / 1e6
		}
		least = min(least, every[i])
		if r := dress.Resolution(f.speakers[i].Profile); every[i] < float64(r)/1e6 {
			return fmt.Errorf("simulate meters: meter %s speaks %s, whose times are %v apart at least; its interval is shorter", def.ID, f.speakers[i].Profile, r)
		}
	}
	f.dressUp()
	start := float64(f.opts.Start.UnixMilli())
	if f.opts.Rate > 0 {
		return f.takeTurns(start)
	}
	if jitter := float64(f.opts.Jitter) / 1e6; jitter >= least || least < 1 {
		return fmt.Errorf("simulate meters: the shortest interval, %v ms, must be at least 1 ms and longer than the jitter", least)
	}
	r := rand.New(rand.NewPCG(uint64(f.opts.Seed), 0x5c4ed))
	f.schedule = newIntervals(start, every, f.opts.Jitter, r)
	return nil
}

// takeTurns sets a schedule for Rate. Times are in milliseconds and differ
// within a meter, so that the fleet must be large enough for its rate.
func (f *Fleet) takeTurns(start float64) error {
	spacing := 1000 * f.opts.Speed / f.opts.Rate
	if need := int(math.Ceil(1 / spacing)); len(f.probes) < need {
		return fmt.Errorf("simulate meters: rate %v needs %d meters or more, since a meter's times are a millisecond apart; there are %d",
			f.opts.Rate, need, len(f.probes))
	}
	f.schedule = &turns{n: len(f.probes), start: start, spacing: spacing}
	return nil
}

// dressUp gives the meters their dresses and connections.
func (f *Fleet) dressUp() {
	f.nodes = dress.Nodes(f.speakers)
	for i, p := range f.probes {
		m := f.speakers[i]
		p.link = i % f.opts.Connections
		p.dress, p.node = dressOf(m, f.nodes)
		if n := slices.Index(f.nodes, p.node); n >= 0 {
			p.link = f.opts.Connections + n
		}
	}
}

// dressOf returns the dress of a meter, and its node if it has one; a meter
// that speaks natively has neither.
func dressOf(m dress.Meter, nodes []*dress.Node) (dress.Dress, *dress.Node) {
	switch m.Profile {
	case dress.Native:
		return nil, nil
	case dress.Sparkplug:
		n := nodes[slices.IndexFunc(nodes, func(n *dress.Node) bool { return n.Has(m) })]
		return n.Device(m.ID), n
	}
	return dress.New(m), nil
}

// connectors makes the links: so many as there are connections, and one for
// each node.
func (f *Fleet) connectors() error {
	broker, err := url.Parse(f.opts.Broker)
	if err != nil {
		return fmt.Errorf("simulate meters: %w", err)
	}
	for i := range f.opts.Connections {
		f.links = append(f.links, f.newLink(broker, fmt.Sprintf("%s-%d", f.opts.ClientID, i)))
	}
	for _, n := range f.nodes {
		l := f.newLink(broker, fmt.Sprintf("%s-node-%s-%s", f.opts.ClientID, n.Group, n.ID))
		l.node, l.rebirth = n, make(chan struct{}, 1)
		l.hears = []hears{{n.Commands(), l.obey}}
		f.links = append(f.links, l)
	}
	return nil
}

func (f *Fleet) newLink(broker *url.URL, id string) *link {
	return &link{
		broker:   broker,
		id:       id,
		username: f.opts.Username,
		password: f.opts.Password,
		qos:      f.opts.QoS,
		ledger:   f.ledger,
		now:      f.simulated,
		log:      f.opts.Log.With().Str("client", id).Logger(),
		queue:    make(chan *message, 512),
	}
}

// simulated is what the simulated clock shows, in ms.
func (f *Fleet) simulated() int64 {
	return f.opts.Start.UnixMilli() + int64(float64(time.Since(f.origin).Milliseconds())*f.opts.Speed)
}

// SourcesYAML returns the section sources: of the service's configuration that
// reads this fleet.
func (f *Fleet) SourcesYAML() ([]byte, error) { return dress.SourcesYAML(f.speakers) }

// Meters is the number of meters that publish.
func (f *Fleet) Meters() int { return len(f.probes) }

// Progress tells what has been published and acknowledged so far. It may be
// called at any time.
func (f *Fleet) Progress() Summary { return f.ledger.summary() }

// Run publishes until Duration or Messages is reached or ctx ends, waits for
// the outstanding acknowledgements, at most for Drain, and returns the summary.
// Unacknowledged messages are no error; a truth that could not be written and a
// broker that refuses the client are. A fleet runs once.
func (f *Fleet) Run(ctx context.Context) (Summary, error) {
	f.ledger.begun.Store(time.Now().UnixNano())
	f.origin = f.begin()
	making, stop := f.limit(ctx)
	defer stop()
	sending, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	context.AfterFunc(making, func() { time.AfterFunc(f.opts.Drain, cut) })

	var links errgroup.Group
	for _, l := range f.links {
		links.Go(func() error {
			err := l.run(sending)
			if err != nil {
				stop()
				cut()
			}
			return err
		})
	}
	var broken error
	if f.opts.Plan != nil {
		broken = f.play(making, sending)
	} else {
		f.generate(making, sending)
	}
	stop()
	for _, l := range f.links {
		close(l.queue)
	}
	err := links.Wait()
	for _, l := range f.links {
		l.drop()
	}
	if flushErr := f.ledger.flush(); err == nil {
		err = flushErr
	}
	if broken != nil && err == nil {
		err = fmt.Errorf("play the scenario: %w", broken)
	}
	return f.Progress(), err
}

// limit ends ctx a second after Duration, for a fleet that cannot keep up with
// its schedule.
func (f *Fleet) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if f.opts.Duration > 0 {
		return context.WithTimeout(ctx, f.opts.Duration+time.Second)
	}
	return context.WithCancel(ctx)
}

// generate makes the messages, each at its time, until enough are made or
// making ends, and hands them to the links, until sending ends.
func (f *Fleet) generate(making, sending context.Context) {
	start := float64(f.opts.Start.UnixMilli())
	for n := int64(0); f.opts.Messages == 0 || n < f.opts.Messages; n++ {
		i, at := f.schedule.next()
		due := time.Duration((at - start) / f.opts.Speed * 1e6)
		if f.opts.Duration > 0 && due >= f.opts.Duration {
			return
		}
		if !waitUntil(making, f.origin.Add(due)) {
			return
		}
		p := f.probes[i]
		m := p.message(at, f.model.advanceTo(at))
		if p.dress != nil {
			if !f.queueAll(sending, p, f.foreign(i, m)) {
				return
			}
			continue
		}
		f.ledger.published.Add(1)
		select {
		case f.links[p.link].queue <- m:
		case <-sending.Done():
			f.ledger.settle(m, false)
			return
		}
	}
}

// foreign dresses a native message.
func (f *Fleet) foreign(i int, m *message) []*message {
	p := f.probes[i]
	r := reading{payload: m.payload(), ts: p.ts}
	var taken dress.Reading
	r.change(func(c *content) { taken = c.reading(p.ts, "") })
	m.release()
	return p.put(f.speakers[i], taken)
}

// queueAll hands over the messages of one reading, and returns false if sending
// ends before.
func (f *Fleet) queueAll(sending context.Context, p *probe, list []*message) bool {
	f.ledger.published.Add(int64(len(list)))
	for n, m := range list {
		select {
		case f.links[p.link].queue <- m:
		case <-sending.Done():
			for _, left := range list[n:] {
				f.ledger.settle(left, false)
			}
			return false
		}
	}
	return true
}

// begin is the real time at which the simulated clock shows its start.
func (f *Fleet) begin() time.Time {
	if f.opts.Begin.IsZero() {
		return time.Now()
	}
	return f.opts.Begin
}

// waitUntil returns true at t, or false if ctx ends before.
func waitUntil(ctx context.Context, t time.Time) bool {
	left := time.Until(t)
	if left > earliest {
		pause(ctx, left)
	}
	return ctx.Err() == nil
}
