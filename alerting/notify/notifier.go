package notify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// Journal is where transitions come from: an alarm.Book.
type Journal interface {
	// Transitions returns up to limit transitions after a Seq, in order.
	Transitions(ctx context.Context, after int64, limit int) ([]alarm.Transition, error)
	// LastSeq is the Seq of the newest transition, 0 while there is none. It
	// does not block: it is asked at every Plan.
	LastSeq() int64
	// List returns the alarms that are not normal now.
	List() []alarm.Alarm
	// Hold says up to which Seq the journal has been read by whom: what lies
	// behind may be pruned.
	Hold(reader string, seq int64)
}

// Renderer puts contents into words. It is called from several goroutines.
type Renderer interface {
	Render(message.Content, message.Language, *time.Location) (message.Text, error)
}

// Acknowledger takes the answers that people give on a channel. The text it
// returns is shown to the person. It is called from several goroutines.
type Acknowledger interface {
	Acknowledge(context.Context, Acknowledgement) (string, error)
}

// Options are what a notifier is made with.
type Options struct {
	Dir      string // for outbox.db and notify.key; made where it is missing
	Config   Config // LinkSecret resolved
	Registry *zone.Registry
	Channels []Spec
	Journal  Journal
	Renderer Renderer
	// To tells whom a kind is addressed to where the configuration has no
	// routes; nil: as the catalogue says.
	To func(kind string) []rule.Role
	// Acknowledger is needed where a channel is a Listener.
	Acknowledger Acknowledger
	// PublicURL is where people reach the service, for links in notices to
	// PublicURL/acknowledge?token=…; empty: notices carry none.
	PublicURL string
	// Now is the clock of alarms, for the validity of links and for Run;
	// time.Now where nil. Sending and trying again go by real time.
	Now func() time.Time
	// Jitter returns numbers in [0, 1), by which retries are spread.
	Jitter     func() float64
	Registerer prometheus.Registerer // nil: metrics go nowhere
	Log        zerolog.Logger
}

func (o *Options) validate() error {
	var errs []error
	names := make(map[string]bool)
	for _, s := range o.Channels {
		if s.Name == "" || s.Channel == nil || names[s.Name] {
			errs = append(errs, fmt.Errorf("channel %q: its name is missing or taken, or it has no Channel", s.Name))
		}
		names[s.Name] = true
		if _, ok := s.Channel.(Listener); ok && o.Acknowledger == nil {
			errs = append(errs, fmt.Errorf("channel %q: people can answer on it, but there is no Acknowledger", s.Name))
		}
	}
	if o.Registry == nil || o.Journal == nil || o.Renderer == nil {
		errs = append(errs, errors.New("registry, journal or renderer is missing"))
	}
	return errors.Join(errs...)
}

func (o *Options) names() []string {
	var out []string
	for _, s := range o.Channels {
		if !s.Stream {
			out = append(out, s.Name)
		}
	}
	return out
}

// Notifier turns transitions of alarms into notices to people.
//
//	journal ─► planner ─► outbox.db ─┬─► worker ─► channel ─► people
//	           (Plan)                └─► worker ─► …
//
// Plan takes in what the journal has got since, and writes what follows from it
// to the outbox together with its place in the journal, in one transaction.
// Each channel has a worker. A row is marked on disk before it is sent and after
// it: after a crash the rows that were being sent, one a channel at most, go
// out again, marked as repeated, and no other.
//
// One mutex guards the state and the file; it is held during fsync, and never
// while anything is sent. Memory: the rows that wait, maxQueue a channel at
// most, some 2 KB each.
type Notifier struct {
	o       Options
	log     zerolog.Logger
	links   *Links
	metrics *metrics
	workers []*worker

	mu    sync.Mutex
	store *store
	s     *state
	dir   *directory
	// due is when planning has something to do again though there is no news.
	due       time.Time
	unsettled bool                 // whatever due says
	tidied    time.Time            // when finished rows were last deleted
	compared  bool                 // threads with the alarms that the journal knows
	announced map[string]time.Time // keys of the cuts that went through announce, and their ends
}

// New opens the outbox and checks the configuration against the registry and
// the channels. No goroutine starts before Run.
func New(o Options) (*Notifier, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	n := &Notifier{o: o, log: o.Log}
	for _, s := range o.Channels {
		if s.Timeout == 0 {
			s.Timeout = DefaultTimeout
		}
		n.workers = append(n.workers, &worker{n: n, spec: s, wake: make(chan struct{}, 1)})
	}
	if err := n.Reload(o.Config, o.Registry); err != nil {
		return nil, err
	}
	if err := n.open(); err != nil {
		return nil, err
	}
	return n, nil
}

func (n *Notifier) open() (err error) {
	if n.store, err = openStore(n.o.Dir, n.log); err != nil {
		return err
	}
	if n.s, err = n.store.load(); err == nil {
		n.links, err = NewLinks(n.o.Config.LinkSecret, n.o.Dir)
	}
	if err == nil {
		n.metrics, err = newMetrics(n.o.Registerer, n.o.Channels)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("open notifier: %w", err), n.store.close())
	}
	n.abandon()
	n.showQueues()
	n.o.Journal.Hold(reader, n.s.Cursor)
	return nil
}

// abandon gives up the rows of channels that are no longer configured.
func (n *Notifier) abandon() {
	known := make(map[string]bool)
	for _, w := range n.workers {
		known[w.spec.Name] = true
	}
	for _, name := range sortedKeys(n.s.queues) {
		for !known[name] && len(n.s.queues[name]) > 0 {
			n.giveUp(n.s.queues[name][0], errors.New("the channel is no longer configured"))
		}
	}
}

// Close closes the outbox. Run must have returned.
func (n *Notifier) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.store.close()
}

// Reload puts another configuration and registry in force. Channels stay as
// they are. An error means that nothing has changed.
func (n *Notifier) Reload(c Config, reg *zone.Registry) error {
	if err := errors.Join(c.Validate(), c.Check(reg, n.o.names())); err != nil {
		return err
	}
	dir, err := newDirectory(c, reg, n.o.Channels, n.o.To)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dir, n.unsettled, n.announced = dir, true, make(map[string]time.Time)
	return nil
}

// Verify returns what a token from a notice's link stands for.
func (n *Notifier) Verify(token string) (Link, error) { return n.links.Verify(token, n.o.Now()) }

// Language returns what a person reads; Arabic for somebody unknown.
func (n *Notifier) Language(person string) message.Language {
	n.mu.Lock()
	defer n.mu.Unlock()
	if who, ok := n.dir.byID[person]; ok {
		return who.language()
	}
	return message.Arabic
}

// Rates returns how many alarms each person was told of, or is to be told of,
// within the last Pace.Every: what alarm.flood is judged by.
func (n *Notifier) Rates(now time.Time) map[string]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := make(map[string]int)
	for id, box := range n.s.inboxes {
		for _, t := range box.Recent {
			if now.Sub(t) < n.dir.config.Pace.Every {
				out[id]++
			}
		}
	}
	return out
}
