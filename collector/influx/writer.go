package influx

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/api"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"
)

// grace is how long a request that is under way when the service stops may
// take to finish. Its lines would be sent again after the restart otherwise.
const grace = 3 * time.Second

// Options are what a Writer works with; all are required but Token.
type Options struct {
	Config Config
	Log    Log
	// Token returns the credentials. It is asked at the start and again after
	// each answer 401 or 403, so a rotated secret is taken up without a
	// restart. Without it, Config.Token is used for ever.
	Token      func() (string, error)
	Logger     zerolog.Logger
	Registerer prometheus.Registerer
}

// Writer carries lines from the log into InfluxDB.
type Writer struct {
	config    Config
	log       Log
	logger    zerolog.Logger
	metrics   *metrics
	gate      gate
	transport *transport
	server    *server
	api       api.WriteAPIBlocking
	pause     pause
}

// New returns a Writer that has not begun: nothing is connected before Run.
func New(o Options) (*Writer, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	if o.Log == nil || o.Registerer == nil {
		return nil, errors.New("influx: a log and a registerer are required")
	}
	if o.Token == nil {
		o.Token = func() (string, error) { return o.Config.Token, nil }
	}
	w := &Writer{
		config:    o.Config,
		log:       o.Log,
		logger:    o.Logger,
		transport: newTransport(o.Config, o.Token),
		pause:     defaultPause,
	}
	w.gate.logger = o.Logger
	client := newClient(o.Config, w.transport)
	w.server = &server{config: o.Config, client: client, transport: w.transport}
	w.api = client.WriteAPIBlocking(o.Config.Org, o.Config.Bucket)

	var err error
	if w.metrics, err = newMetrics(o.Registerer, &w.gate); err != nil {
		return nil, fmt.Errorf("register metrics of influx: %w", err)
	}
	return w, nil
}

// Status tells whether the database takes lines, and if not, since when and why.
func (w *Writer) Status() Status { return w.gate.status() }

// Run writes until ctx ends, and then returns nil within a few seconds: the
// requests under way may finish, chunks that are not done stay in the log.
func (w *Writer) Run(ctx context.Context) error {
	defer w.transport.close()
	// late outlives ctx by the grace, for what must not be torn off.
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	defer stop()

	if err := w.start(ctx); err != nil {
		return nil // ctx ended before the server answered
	}
	var workers errgroup.Group
	for range w.config.Requests {
		workers.Go(func() error {
			w.work(ctx, late)
			return nil
		})
	}
	return workers.Wait()
}

// start waits for the server's first answer, so that a wrong address shows
// before there is anything to write.
func (w *Writer) start(ctx context.Context) error {
	if err := w.transport.readToken(); err != nil {
		w.logger.Warn().Err(err).Msg("cannot read the token of InfluxDB yet")
	}
	err := w.insist(ctx, func() verdict {
		return w.judge(w.server.hello(ctx))
	})
	if err != nil {
		return err
	}
	w.logger.Info().Str("url", w.config.URL).Str("version", w.server.version()).Msg("InfluxDB answers")
	if w.config.Create {
		// The account may lack the right to create what exists already, so
		// only a write can tell whether this matters.
		if err := w.server.create(ctx); err != nil {
			w.logger.Warn().Err(err).Msg("cannot create the database")
		}
	}
	return nil
}

// work moves chunks until ctx ends.
func (w *Writer) work(ctx, late context.Context) {
	for {
		if w.gate.wait(ctx) != nil {
			return
		}
		c, err := w.next(ctx)
		if err != nil || w.gate.wait(ctx) != nil {
			return
		}
		if c.Count == 0 {
			continue
		}
		refused, err := w.deliver(ctx, late, c)
		if err != nil {
			return
		}
		if w.settle(ctx, late, c, refused) != nil {
			return
		}
	}
}

// next takes a chunk from the log; an empty one means to ask again. Its error
// means that ctx has ended.
func (w *Writer) next(ctx context.Context) (Chunk, error) {
	c, err := w.log.Next(ctx, w.config.Batch, w.config.Flush)
	if err == nil || ctx.Err() != nil {
		return c, err
	}
	err = w.insist(ctx, func() verdict {
		c, err = w.nextSoon(ctx)
		return judgeLog("read the log", err)
	})
	return c, err
}

// nextSoon is next for a log that has failed. It does not wait for lines any
// longer than shows that the log works again: the gate is shut meanwhile, and
// other workers may hold chunks.
func (w *Writer) nextSoon(ctx context.Context) (Chunk, error) {
	soon, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	c, err := w.log.Next(soon, w.config.Batch, w.config.Flush)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return Chunk{}, nil
	}
	return c, err
}

// settle reports a chunk as done. Its error means that ctx has ended.
func (w *Writer) settle(ctx, late context.Context, c Chunk, refused []Refused) error {
	if len(refused) > 0 {
		w.logger.Warn().Int("lines", len(refused)).Int("of", c.Count).Str("cause", refused[0].Detail).
			Msg("InfluxDB refused lines; they go to quarantine")
	}
	return w.insist(ctx, func() verdict {
		return judgeLog("advance the log", w.log.Done(late, c, refused))
	})
}

// insist calls try until its verdict is final. The first worker to fail shuts
// the gate and probes; the others wait for it and then try for themselves. Its
// error means that ctx has ended.
func (w *Writer) insist(ctx context.Context, try func() verdict) error {
	for {
		v := try()
		if !v.waits() {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if w.gate.shut(v.words) {
			return w.probe(ctx, v, try)
		}
		if err := w.gate.wait(ctx); err != nil {
			return err
		}
	}
}

// probe calls try, with growing pauses, until its verdict is final, and opens
// the gate. v is the verdict that shut it.
func (w *Writer) probe(ctx context.Context, v verdict, try func() verdict) error {
	defer w.gate.open(ctx)
	for attempt := 0; ; attempt++ {
		if err := w.pause.wait(ctx, attempt, v.after); err != nil {
			return err
		}
		trouble := w.remedy(ctx, v)
		if v = try(); !v.waits() {
			return nil
		}
		if trouble != nil {
			v.words = fmt.Sprintf("%s; %v", v.words, trouble)
		}
		w.gate.says(v.words)
	}
}

// remedy does what can be done from here about the cause of a refusal.
func (w *Writer) remedy(ctx context.Context, v verdict) error {
	switch {
	case v.class == denied:
		return w.transport.readToken()
	case v.missing && w.config.Create:
		return w.server.create(ctx)
	}
	return nil
}
