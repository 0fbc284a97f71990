package mqtt

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// Options is what a Client needs. All fields but Presence, ReceivedBase, Password and Log must be set.
type Options struct {
	Config Config
	// Filters are the topic filters of all sources. They are spread over the connections.
	Filters []string
	// Password resolves the secret; it is asked at each connect. Nil means Config.Password as it stands.
	Password func() (string, error)
	// Now stamps Message.Received.
	Now func() time.Time
	// Accepting tells whether what is received could be stored. No connection is made while it could not.
	// It must not block for long and may be called by any goroutine.
	Accepting func() bool
	// StatePath is the file that remembers the sessions and their filters.
	StatePath string
	// Presence is what the client says of itself; nil: nothing.
	Presence *Presence
	// ReceivedBase is where the received counter starts: the messages that earlier lives have dealt with.
	ReceivedBase int64
	Log          zerolog.Logger
	Registerer   prometheus.Registerer
}

func (o Options) validate() error {
	errs := []error{o.Config.Validate()}
	if len(o.Filters) == 0 {
		errs = append(errs, errors.New("no topic filter"))
	}
	for _, f := range o.Filters {
		if err := checkFilter(f); err != nil {
			errs = append(errs, fmt.Errorf("topic filter %q: %w", f, err))
		}
	}
	if err := o.Presence.validate(); err != nil {
		errs = append(errs, err)
	}
	if o.Now == nil || o.Accepting == nil || o.StatePath == "" || o.Registerer == nil {
		errs = append(errs, errors.New("options Now, Accepting, StatePath and Registerer must be set"))
	}
	return errors.Join(errs...)
}

const (
	drainTimeout    = 6 * time.Second // for the consumer, at the end
	holdBackTimeout = 4 * time.Second // below the least time that the answer to a ping may take
)

// Client is the intake: sessions, the queue they fill, and the acknowledgements. See the package's documentation.
type Client struct {
	shared *shared
	queue  *queue
	state  *state
	plan   plan

	mu       sync.Mutex
	sessions []*session
}

// New checks the options and reads the remembered sessions. It opens nothing on the network and starts no goroutine.
func New(o Options) (*Client, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if _, err := o.Config.TLS.load(); err != nil {
		return nil, err
	}
	brokers, err := parseBrokers(o.Config.Brokers)
	if err != nil {
		return nil, err
	}
	if o.Password == nil {
		o.Password = func() (string, error) { return o.Config.Password, nil }
	}
	st, err := loadState(o.StatePath)
	if errors.Is(err, errDamagedState) {
		o.Log.Error().Err(err).Msg("sessions of earlier configurations, if any, must be ended by hand")
	} else if err != nil {
		return nil, err
	}
	c := &Client{queue: newQueue(o.Config.QueueMiB<<20, holdBackTimeout, o.ReceivedBase), state: st}
	c.shared = &shared{o.Config, c.queue, o.Password, o.Now, o.Accepting, o.Log}
	c.makeSessions(brokers, o.Filters)
	c.sessions[0].presence = o.Presence // there is a filter, and so a session
	if err := o.Registerer.Register(newMetrics(c)); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return c, nil
}

func (c *Client) makeSessions(brokers []*url.URL, filters []string) {
	config := c.shared.config
	wanted := make([]string, len(filters))
	for i, f := range filters {
		wanted[i] = inGroup(config.Share, f)
	}
	before := c.state.all()
	c.plan = makePlan(clientIDs(config.ClientID, config.Connections), wanted, before)
	for _, a := range c.plan.sessions {
		known := slices.ContainsFunc(before, func(r remembered) bool { return r.ClientID == a.clientID && r.Established })
		c.sessions = append(c.sessions, newSession(a, brokers, known, c.shared))
	}
	if n := len(c.plan.sessions); n < config.Connections {
		c.shared.log.Warn().Int("connections", config.Connections).Int("used", n).
			Msg("more connections than topic filters: the rest is not made")
	}
}

// Run connects, and keeps connecting, until ctx ends. It then takes no more messages, lets the consumer finish what is
// queued, acknowledges what is done and disconnects; the broker keeps the sessions. That takes at most 10 s. Run may
// be called once.
func (c *Client) Run(ctx context.Context) error {
	// Written first: a crash must not make anyone forget a subscription.
	for _, a := range c.plan.sessions {
		c.note(c.state.remember(remembered{ClientID: a.clientID, Brokers: c.shared.config.Brokers, Filters: a.all()}))
	}
	for _, s := range c.list() {
		s.start()
	}
	var background sync.WaitGroup
	background.Go(func() { c.watch(ctx) })
	background.Go(func() { c.tidy(ctx) })
	<-ctx.Done()

	c.queue.stop()
	background.Wait() // first, so that no session is added while the sessions are stopped
	c.finish()
	return nil
}

// finish waits for the consumer and stops the sessions, all at once.
func (c *Client) finish() {
	patience := time.NewTimer(drainTimeout)
	defer patience.Stop()
	select {
	case <-c.queue.finished:
	case <-patience.C:
		l, _ := c.queue.count()
		c.shared.log.Warn().Int64("messages", l.inFlight).
			Msg("stopping with messages that were not stored in time; the broker will send them again")
	}
	var all sync.WaitGroup
	for _, s := range c.list() {
		all.Go(s.stop)
	}
	all.Wait()
}

// Receive replaces buf's content by up to cap(buf) queued messages in the order of receipt. It blocks until there is
// one; cap(buf) must not be 0. io.EOF says that Run has been told to end and the queue is empty. There may be one
// caller at a time.
func (c *Client) Receive(ctx context.Context, buf []Message) ([]Message, error) {
	return c.queue.take(ctx, buf)
}

// Done is told that these messages are durably stored, or of no more interest. They are acknowledged in this order, each
// to the connection that brought it; if that is gone, the broker sends the message again. Done never waits for a socket
// and may be called by any goroutine, also after Run has returned.
func (c *Client) Done(msgs []Message) {
	if len(msgs) == 0 {
		return
	}
	if n := c.queue.observe(msgs[0].origin); n > 0 {
		msgs[0].origin.log.Info().Int("window", n).Msg("the broker waits for acknowledgements after so many messages: " +
			"a larger in-flight window (max_inflight_messages) would let more through")
	}
	// Acknowledged first: when nothing is in flight any more, sessions may be stopped.
	for rest := msgs; len(rest) > 0; {
		o, n := rest[0].origin, 1
		for n < len(rest) && rest[n].origin == o {
			n++
		}
		o.transport.acknowledge(rest[:n])
		rest = rest[n:]
	}
	c.queue.done(msgs)
}

// TakeDropped returns how many QoS 0 messages were dropped for want of room since the last call. Call it a last time
// after Run has returned.
func (c *Client) TakeDropped() int64 { return c.queue.takeDropped() }

// Status describes each session.
func (c *Client) Status() []SessionStatus {
	var all []SessionStatus
	for _, s := range c.list() {
		status, _ := s.status()
		all = append(all, status)
	}
	return all
}

func (c *Client) list() []*session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.sessions)
}

func (c *Client) add(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions = append(c.sessions, s)
}

func (c *Client) remove(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions = slices.DeleteFunc(c.sessions, func(other *session) bool { return other == s })
}

// note logs that the sessions could not be remembered: until that works, a changed configuration may leave some behind.
func (c *Client) note(err error) {
	if err != nil {
		c.shared.log.Error().Err(err).Msg("cannot remember the sessions")
	}
}
