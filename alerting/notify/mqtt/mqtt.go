package mqtt

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
)

// every is how often the channel looks whether it has to publish everything again.
const every = time.Minute

// Options is what a channel is made of.
type Options struct {
	Config Config
	// Password returns what Config.Password stands for; it is asked at each connect. nil: there is none.
	Password func() (string, error)
	// Texts puts an alarm that stands into words, in both languages.
	Texts func(alarm.Alarm) (map[message.Language]message.Text, error)
}

// Channel publishes to one broker. It is a stream, and a notify.Refresher.
type Channel struct {
	config   Config
	password func() (string, error)
	texts    func(alarm.Alarm) (map[message.Language]message.Text, error)

	mu    sync.Mutex // Close comes from another goroutine than Send and Refresh
	link  *link      // nil until the first notice, and after a failure
	fresh bool       // everything that stands has been published over this link
}

// New checks the configuration and the files that it names; it does not connect.
func New(o Options) (*Channel, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	if _, err := o.Config.TLS.load(); err != nil {
		return nil, err
	}
	if o.Texts == nil {
		return nil, errors.New("mqtt: no texts given")
	}
	if o.Password == nil {
		o.Password = func() (string, error) { return "", nil }
	}
	return &Channel{config: o.Config, password: o.Password, texts: o.Texts}, nil
}

// Close says goodbye to the broker. Retained messages stay.
func (c *Channel) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop()
	return nil
}

// Every is how often Refresh wants to be called.
func (c *Channel) Every() time.Duration { return every }

// Send publishes the alarms of one notice, or clears them.
func (c *Channel) Send(ctx context.Context, n notify.Notice) error {
	for _, a := range n.Content.Alarms {
		if err := c.publish(ctx, a, n.Created, n.Texts); err != nil {
			return err
		}
	}
	return nil
}

// Refresh publishes all alarms that stand, if the connection is a new one: the broker may have lost what it kept.
func (c *Channel) Refresh(ctx context.Context, standing []alarm.Alarm) error {
	if c.isFresh() {
		return nil
	}
	var wrong []error
	for _, a := range standing {
		texts, err := c.texts(a)
		if err == nil {
			err = c.publish(ctx, a, time.Time{}, texts)
		}
		switch {
		case errors.Is(err, notify.ErrPermanent):
			wrong = append(wrong, err) // of this alarm alone
		case err != nil:
			return errors.Join(append(wrong, fmt.Errorf("publish %s again: %w", a.ID, err))...)
		}
	}
	c.setFresh()
	return errors.Join(wrong...)
}

func (c *Channel) publish(ctx context.Context, a alarm.Alarm, at time.Time, texts map[message.Language]message.Text) error {
	where, err := topic(a)
	if err != nil {
		return err
	}
	what, err := payload(a, at, texts)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.connect(ctx); err != nil {
		return err
	}
	if err := c.link.publish(ctx, where, what); err != nil {
		c.drop() // it may be half dead, and what it still holds must not come out later
		return err
	}
	return nil
}

// connect makes a connection if there is none. c.mu is held.
func (c *Channel) connect(ctx context.Context) error {
	if c.link != nil && c.link.up() {
		return nil
	}
	c.drop()
	password, err := c.password()
	if err != nil {
		return err
	}
	secure, err := c.config.TLS.load()
	if err != nil {
		return err
	}
	c.link, err = connect(ctx, c.config, password, secure)
	return err
}

// drop ends the connection, if any. c.mu is held.
func (c *Channel) drop() {
	if c.link != nil {
		c.link.close()
	}
	c.link, c.fresh = nil, false
}

func (c *Channel) isFresh() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fresh && c.link.up()
}

// setFresh notes that everything was published, unless the connection went meanwhile. With nothing to publish there may
// be no connection yet: then there is nothing that a broker could have lost either.
func (c *Channel) setFresh() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fresh = c.link != nil && c.link.up()
}
