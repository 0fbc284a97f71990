package mqtt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

const (
	quietPeriod = 2 * time.Second        // without a message, after which a session counts as drained
	handlerLag  = 100 * time.Millisecond // paho hands messages on a little after it has read them
	tidyRetry   = 500 * time.Millisecond
)

// tidy removes what earlier configurations have left at the broker. It begins when all that is wanted now is
// subscribed, so that no message falls between an old and a new subscription.
func (c *Client) tidy(ctx context.Context) {
	for _, s := range c.list() {
		select {
		case <-s.ready:
			c.note(c.state.establish(s.clientID))
		case <-ctx.Done():
			return
		}
	}
	var all sync.WaitGroup
	for _, s := range c.list() {
		if len(s.stale) > 0 {
			all.Go(func() { c.unsubscribeStale(ctx, s) })
		}
	}
	for _, r := range c.plan.surplus {
		all.Go(func() { c.retire(ctx, r) })
	}
	all.Wait()
}

func (c *Client) unsubscribeStale(ctx context.Context, s *session) {
	if err := s.unsubscribeSurely(ctx, s.stale); err != nil {
		return // shutting down: the next start knows of them still
	}
	s.log.Info().Strs("filters", s.stale).Msg("unsubscribed what is no longer configured here")
	c.note(c.state.remember(remembered{ClientID: s.clientID, Brokers: c.shared.config.Brokers, Filters: s.filters}))
}

// retire drains a session that no connection uses any more, and ends it.
func (c *Client) retire(ctx context.Context, r remembered) {
	log := c.shared.log.With().Str("session", r.ClientID).Logger()
	brokers, err := parseBrokers(r.Brokers)
	if err != nil {
		log.Error().Err(err).Msg("cannot end the session of an earlier configuration")
		return
	}
	log.Info().Strs("filters", r.Filters).Msg("draining the session of an earlier configuration")
	s := newSession(assignment{clientID: r.ClientID}, brokers, true, c.shared)
	s.retiring, s.state.Retiring = true, true
	c.add(s)
	s.start()
	if err := s.drain(ctx, r.Filters); err != nil {
		return // shutting down, which stops this session with all others; the next start goes on
	}
	s.stop()
	c.remove(s)
	if err := s.end(ctx); err != nil {
		log.Warn().Err(err).Msg("could not end the session of an earlier configuration; the next start tries again")
		return
	}
	log.Info().Int64("messages", s.arrivals.Load()).Msg("ended the session of an earlier configuration")
	c.note(c.state.forget(r.ClientID))
}

// drain returns when the broker has nothing left for this session and everything it had is done. It fails only with
// ctx.
func (s *session) drain(ctx context.Context, filters []string) error {
	for {
		if err := s.unsubscribeSurely(ctx, filters); err != nil {
			return err
		}
		o, n := s.origin.Load(), s.arrivals.Load()
		if err := pause(ctx, quietPeriod); err != nil {
			return err
		}
		if s.shared.queue.heldBy(o) > 0 {
			continue
		}
		// Silence may also come from a full queue, for which the transport does not read. This answer comes after
		// whatever the broker had to send once it had seen all acknowledgements.
		if err := s.unsubscribeSurely(ctx, filters); err != nil {
			return err
		}
		if err := pause(ctx, handlerLag); err != nil {
			return err
		}
		if s.arrivals.Load() == n && s.origin.Load() == o && !o.transport.hasEnded() && s.shared.queue.heldBy(o) == 0 {
			return nil
		}
	}
}

func (s *session) unsubscribeSurely(ctx context.Context, filters []string) error {
	return persist(ctx, func() error { return s.unsubscribe(ctx, filters) })
}

// end makes the broker forget the session, by connecting with a clean one.
func (s *session) end(ctx context.Context) error {
	options := s.options()
	options.SetCleanSession(true)
	options.SetConnectRetry(false)
	options.SetAutoReconnect(false)
	options.SetConnectionNotificationHandler(nil)
	options.SetOnConnectHandler(nil)
	unwatch := func() bool { return true }
	options.SetCustomOpenConnectionFn(func(broker *url.URL, _ paho.ClientOptions) (net.Conn, error) {
		conn, err := s.dial(ctx, broker)
		if err != nil {
			return nil, err
		}
		// The greeting may be long in coming; ctx must not wait for it.
		t := newTransport(conn, hooks{})
		unwatch = context.AfterFunc(ctx, func() { t.fail(errClosed) })
		return t, nil
	})
	client := paho.NewClient(options)
	token := client.Connect()
	<-token.Done() // open and greeting are bounded by connectTimeout and by ctx
	unwatch()
	if err := token.Error(); err != nil {
		return fmt.Errorf("connect with a clean session: %w", err)
	}
	client.Disconnect(uint(disconnectTimeout.Milliseconds()))
	return nil
}

// persist tries until it works; it fails only with ctx.
func persist(ctx context.Context, try func() error) error {
	for {
		err := try()
		if err == nil {
			return nil
		}
		if err := pause(ctx, tidyRetry); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func parseBrokers(addresses []string) ([]*url.URL, error) {
	var urls []*url.URL
	var errs []error
	for _, a := range addresses {
		u, err := parseBroker(a)
		urls, errs = append(urls, u), append(errs, err)
	}
	return urls, errors.Join(errs...)
}
