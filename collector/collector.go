package collector

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/influx"
	"github.com/imdad-telemetry/imdad/collector/live"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/mqtt"
	"github.com/imdad-telemetry/imdad/collector/spool"
	"github.com/imdad-telemetry/imdad/collector/vet"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// MaxMeters bounds the meters that one collector keeps apart. Beyond it, new
// ones go to quarantine.
const MaxMeters = 1 << 20

// Options is what a collector is made of. All fields but Supply are required.
type Options struct {
	DataDir    string
	Supply     live.SupplyConfig // zero: the defaults
	MQTT       mqtt.Config
	Influx     influx.Config
	Spool      spool.Config
	Quarantine spool.QuarantineConfig
	Sources    []decode.Source
	Registry   *zone.Registry
	Password   func() (string, error) // for the broker, asked at each connect
	Token      func() (string, error) // for the database, asked again after a 401
	Now        func() time.Time
	Log        zerolog.Logger
	Registerer prometheus.Registerer
}

// Collector carries readings from the broker to the database.
type Collector struct {
	now      func() time.Time
	log      zerolog.Logger
	spool    *spool.Spool
	intake   *mqtt.Client
	writer   *influx.Writer
	live     *live.State
	registry atomic.Pointer[zone.Registry]

	stream   *Stream
	keeper   keeper // of the goroutine that ingests, for reuse, as is message
	message  decode.Message
	encoder  encoder
	batches  *batches
	lag      prometheus.Histogram
	sizes    prometheus.Histogram
	commands *prometheus.CounterVec
	dir      string
	derived  []byte         // lines of the derived series, for reuse
	blocks   []vet.Interval // of consumption, that are not spooled yet
	deferred zerolog.Logger // says at most once in a while that batches wait
}

// New opens the spool and makes the stages; nothing runs yet. Close it even
// if it never ran.
func New(ctx context.Context, o Options) (*Collector, error) {
	store, err := spool.Open(ctx, spool.Options{
		Dir: o.DataDir, Config: o.Spool, Quarantine: o.Quarantine,
		FingerprintBytes: vet.MaxRemembered * vet.PrintSize,
		Now:              o.Now, Log: o.Log.With().Str("part", "spool").Logger(),
	})
	if err != nil {
		return nil, fmt.Errorf("open the spool: %w", err)
	}
	c := &Collector{
		now: o.Now, log: o.Log, spool: store, dir: o.DataDir,
		live:     live.New(o.Registry, o.Now),
		batches:  newBatches(),
		deferred: o.Log.Sample(&zerolog.BurstSampler{Burst: 1, Period: 10 * time.Second}),
	}
	c.registry.Store(o.Registry)
	c.stream = NewStream(o.Sources, meter.NewCatalog(MaxMeters), o.Registry, c.live)
	c.stream.seen = newSightings()
	c.stream.seen.use(o.Registry)
	c.keeper.collector = c
	if o.Supply != (live.SupplyConfig{}) {
		c.live.SetSupply(o.Supply)
	}
	c.loadState()
	if err := c.join(ctx, o); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return c, nil
}

// join makes what stands on an open spool.
func (c *Collector) join(ctx context.Context, o Options) error {
	now := o.Now().UnixMilli()
	if err := c.spool.Fingerprints(ctx, func(prints []byte) error { return c.stream.LoadPrints(prints, now) }); err != nil {
		return fmt.Errorf("load fingerprints: %w", err)
	}
	if err := c.spool.States(ctx, c.restore); err != nil {
		return fmt.Errorf("load what devices have said at their birth: %w", err)
	}
	ledger, err := c.spool.Ledger(ctx)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	c.intake, err = mqtt.New(mqtt.Options{
		Config: o.MQTT, Filters: filters(o.Sources), Password: o.Password, Now: o.Now,
		Accepting: c.spool.Accepting, StatePath: filepath.Join(o.DataDir, "sessions.json"),
		ReceivedBase: messages(ledger), Presence: presence(o.Sources),
		Log: o.Log.With().Str("part", "mqtt").Logger(), Registerer: o.Registerer,
	})
	if err != nil {
		return fmt.Errorf("set up MQTT: %w", err)
	}
	c.writer, err = influx.New(influx.Options{
		Config: o.Influx, Log: delivery{c.spool}, Token: o.Token,
		Logger: o.Log.With().Str("part", "influx").Logger(), Registerer: o.Registerer,
	})
	if err != nil {
		return fmt.Errorf("set up InfluxDB: %w", err)
	}
	return c.register(o.Registerer)
}

// restore gives the decoder back what it had kept. What it cannot use it will
// ask for again.
func (c *Collector) restore(s spool.State) error {
	if err := c.stream.Restore(s.Key, s.Value); err != nil {
		c.log.Warn().Err(err).Msg("a kept birth cannot be read; the device is asked for another")
	}
	return nil
}

// messages is the number of messages that ever got a result.
func messages(l spool.Ledger) int64 {
	return l.MessagesDecoded + l.MessagesQuarantined + l.MessagesControl + l.MessagesIgnored + l.MessagesDropped
}

func filters(sources []decode.Source) []string {
	var all []string
	for _, s := range sources {
		all = append(all, s.Filters()...)
	}
	return all
}

// Run collects until ctx ends, then takes nothing more, stores and
// acknowledges what had arrived, and stops delivering; what is left waits in
// the spool.
func (c *Collector) Run(ctx context.Context) error {
	g, running := errgroup.WithContext(ctx)
	delivering, stopDelivery := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDelivery()
	g.Go(func() error { return c.intake.Run(running) })
	g.Go(func() error { return c.ingest() })
	g.Go(func() error {
		defer stopDelivery() // last: nothing else will come
		return c.commit(running)
	})
	g.Go(func() error { return c.writer.Run(delivering) })
	g.Go(func() error { return c.derive(running) })
	g.Go(func() error { return c.converse(running) })
	err := g.Wait()
	c.saveState(context.WithoutCancel(ctx), stateName) // with all that had arrived
	return errors.Join(err, c.countDropped(context.WithoutCancel(ctx)))
}

// countDropped puts into the ledger what was dropped since the last batch.
func (c *Collector) countDropped(ctx context.Context) error {
	n := c.intake.TakeDropped()
	if n == 0 {
		return nil
	}
	if err := c.spool.Append(ctx, &spool.Batch{Ledger: spool.Ledger{MessagesDropped: n}}); err != nil {
		return fmt.Errorf("count %d dropped messages: %w", n, err)
	}
	return nil
}

// Close closes the spool. Run must have returned.
func (c *Collector) Close() error { return c.spool.Close() }

// SetRegistry puts a new registry in force, from the next messages on.
func (c *Collector) SetRegistry(r *zone.Registry) {
	c.registry.Store(r)
	c.stream.SetRegistry(r)
}

// Live returns the current state.
func (c *Collector) Live() *live.State { return c.live }

// Status is the collector's health at one moment.
type Status struct {
	Sessions []mqtt.SessionStatus
	Refusing string // why the spool takes nothing; empty: it does
	Database influx.Status
}

// Status returns the health of the parts that depend on the world outside.
func (c *Collector) Status() Status {
	return Status{Sessions: c.intake.Status(), Refusing: c.spool.Refusing(), Database: c.writer.Status()}
}
