package alerting

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/forecast"
	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// Source is where the state comes from. Snapshot fills dst, reusing its
// memory; it never waits for anything outside the process.
type Source interface {
	Snapshot(dst *snapshot.Snapshot)
}

// Options are what a manager needs.
type Options struct {
	DataDir  string
	Config   Config
	Alarms   alarm.Config
	Rules    rule.Config
	Forecast forecast.Config
	People   notify.Config
	Channels []notify.Spec
	Renderer notify.Renderer
	Registry *zone.Registry
	Source   Source
	Recorder Recorder // nil: transitions are kept in the journal alone
	// Parts tells the health of the service's own parts, from one goroutine.
	Parts      func() []snapshot.Part
	Now        func() time.Time
	Log        zerolog.Logger
	Registerer prometheus.Registerer
}

// Manager runs alerting. Its methods are safe for concurrent use.
type Manager struct {
	opts     Options
	book     *alarm.Book
	notifier *notify.Notifier
	metrics  *metrics

	told     atomic.Pointer[rule.Set] // for routes
	recorded int64                    // Seq of the last transition recorded; record's own

	mu    sync.Mutex // one cycle at a time; guards what follows
	rules rule.Config
	round round
}

// New opens the alarm journal and the outbox in the data directory; nothing
// runs yet. Close it even if it never ran.
func New(ctx context.Context, o Options) (*Manager, error) {
	set, err := rule.New(o.Rules, o.Registry)
	if err != nil {
		return nil, fmt.Errorf("alert rules: %w", err)
	}
	m := &Manager{
		opts: o, rules: o.Rules, metrics: newMetrics(o.Registerer),
		round: round{set: set, registry: o.Registry, forecast: forecast.New(o.Forecast), recount: true},
	}
	if m.recorded, err = loadSeq(filepath.Join(o.DataDir, recordedFile)); err != nil {
		return nil, err
	}
	m.book, err = alarm.Open(ctx, alarm.Options{
		Path: filepath.Join(o.DataDir, "alarms.db"), Config: o.Alarms, Metrics: o.Registerer,
		Now: o.Now, Log: o.Log.With().Str("part", "alarm").Logger(),
	})
	if err != nil {
		return nil, err
	}
	if err := m.openOutbox(); err != nil {
		return nil, errors.Join(err, m.book.Close())
	}
	m.book.Hold(recorderName, m.recorded)
	return m, nil
}

func (m *Manager) openOutbox() error {
	o := &m.opts
	m.told.Store(m.round.set)
	var err error
	m.notifier, err = notify.New(notify.Options{
		Dir: o.DataDir, Config: o.People, Registry: o.Registry, Channels: o.Channels,
		Journal: m.book, Renderer: o.Renderer, Acknowledger: m, To: m.to, PublicURL: o.Config.PublicURL,
		Now: o.Now, Registerer: o.Registerer, Log: o.Log.With().Str("part", "notify").Logger(),
	})
	return err
}

// to tells whom a kind of alarm is addressed to where there are no routes.
func (m *Manager) to(kind string) []rule.Role { return m.told.Load().To(kind) }

// Run works until ctx ends. What the outbox holds then waits for the next
// start.
func (m *Manager) Run(ctx context.Context) error {
	g, running := errgroup.WithContext(ctx)
	g.Go(func() error { return m.notifier.Run(running) })
	g.Go(func() error { return m.record(running) })
	g.Go(func() error { m.cycles(running); return nil })
	return g.Wait()
}

// restShare is how many times the length of a cycle the next one waits, at
// least, so that alerting leaves the core to the stream.
const restShare = 3

// cycles runs cycles until ctx ends. A cycle that fails has stored nothing;
// the next one sees the same conditions and makes up for it.
func (m *Manager) cycles(ctx context.Context) {
	complaints := m.opts.Log.Sample(&zerolog.BurstSampler{Burst: 1, Period: time.Minute})
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		begun := time.Now()
		if err := m.Cycle(ctx); err != nil && ctx.Err() == nil {
			m.metrics.failures.Inc()
			complaints.Error().Err(err).Msg("alarms could not be brought up to date; trying again")
		}
		took := time.Since(begun)
		m.metrics.cycle.Observe(took.Seconds())
		timer.Reset(max(m.opts.Config.Interval-took, restShare*took))
	}
}

// Deliver makes one attempt at every notice that may leave now. It is for those
// who drive the clock themselves, with Cycle instead of Run.
func (m *Manager) Deliver(ctx context.Context) error { return m.notifier.Deliver(ctx) }

// Reload puts other rules and people in force. The registry is that of the
// next snapshots, which people are checked against too. An error means that
// nothing has changed.
func (m *Manager) Reload(rules rule.Config, people notify.Config, registry *zone.Registry) error {
	set, err := rule.New(rules, registry)
	if err != nil {
		return fmt.Errorf("alert rules: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.notifier.Reload(people, registry); err != nil {
		return fmt.Errorf("people: %w", err)
	}
	m.rules = rules
	m.told.Store(set)
	if m.round.registry == registry {
		m.round.set, m.round.recount = set, true
	}
	return nil
}

// Close closes the files. Run must have returned.
func (m *Manager) Close() error {
	return errors.Join(m.notifier.Close(), m.book.Close())
}
