package metersim

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"
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
	every := make([]float64, len(defs))
	least := math.Inf(1)
	for i, def := range defs {
		s, err := f.model.source(def)
		if err != nil {
			return err
		}
		p := newProbe(def, s)
		p.link = i % f.opts.Connections
		f.probes = append(f.probes, p)
		every[i] = 1000 * def.IntervalS
		if f.opts.Interval > 0 {
			every[i] = float64(f.opts.Interval) / 1e6
		}
		least = min(least, every[i])
	}
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

func (f *Fleet) connectors() error {
	broker, err := url.Parse(f.opts.Broker)
	if err != nil {
		return fmt.Errorf("simulate meters: %w", err)
	}
	for i := range f.opts.Connections {
		f.links = append(f.links, &link{
			broker:   broker,
			id:       fmt.Sprintf("%s-%d", f.opts.ClientID, i),
			username: f.opts.Username,
			password: f.opts.Password,
			qos:      f.opts.QoS,
			ledger:   f.ledger,
			log:      f.opts.Log.With().Int("connection", i).Logger(),
			queue:    make(chan *message, 512),
		})
	}
	return nil
}

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
	begun := f.begin()
	start := float64(f.opts.Start.UnixMilli())
	for n := int64(0); f.opts.Messages == 0 || n < f.opts.Messages; n++ {
		i, at := f.schedule.next()
		due := time.Duration((at - start) / f.opts.Speed * 1e6)
		if f.opts.Duration > 0 && due >= f.opts.Duration {
			return
		}
		if !waitUntil(making, begun.Add(due)) {
			return
		}
		p := f.probes[i]
		m := p.message(at, f.model.advanceTo(at))
		f.ledger.published.Add(1)
		select {
		case f.links[p.link].queue <- m:
		case <-sending.Done():
			f.ledger.settle(m, false)
			return
		}
	}
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
