package mqtt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

const (
	answerTimeout = 15 * time.Second // for SUBACK and UNSUBACK
	// filtersAtOnce is how many filters go into one packet; some brokers take no more.
	filtersAtOnce     = 8
	subscribeRetry    = time.Second
	subscribeRetryMax = time.Minute
	refusal           = 0x80
)

var errLost = errors.New("connection lost")

// subscribeAll is called by paho, on a goroutine of its own, when a connection is up. The session subscribes every
// time: the broker may have forgotten it. It tries again as long as this connection lasts, since rights at the broker
// may change.
func (s *session) subscribeAll(client paho.Client) {
	o := s.origin.Load()
	if len(s.filters) == 0 || !o.subscribing.CompareAndSwap(false, true) {
		return
	}
	for retry := subscribeRetry; ; retry = min(2*retry, subscribeRetryMax) {
		err := s.subscribe(client, o)
		if err == nil {
			s.subscribed(o)
			if o.presence != nil {
				o.presence.announce()
			}
			return
		}
		if o.transport.hasEnded() {
			return
		}
		s.log.Warn().Err(err).Dur("retry_ms", retry).Msg("cannot subscribe")
		s.mu.Lock()
		s.state.LastError = err.Error()
		s.mu.Unlock()
		select {
		case <-time.After(retry):
		case <-o.transport.written:
			return
		}
	}
}

func (s *session) subscribed(o *origin) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.origin.Load() != o || !s.state.Connected {
		return
	}
	s.state.Subscribed = true
	s.state.LastError = ""
	select {
	case <-s.ready:
	default:
		close(s.ready)
	}
}

// subscribe asks for QoS 1 and names the filters that the broker refuses.
func (s *session) subscribe(client paho.Client, o *origin) error {
	var bad []string
	for some := range slices.Chunk(s.filters, filtersAtOnce) {
		wanted := make(map[string]byte, len(some))
		for _, f := range some {
			wanted[f] = 1
		}
		token := client.SubscribeMultiple(wanted, nil)
		if err := await(s.context, token, o); err != nil {
			return fmt.Errorf("subscribe: %w", err)
		}
		for filter, granted := range token.(*paho.SubscribeToken).Result() {
			switch granted {
			case 1:
			case refusal:
				bad = append(bad, filter)
			default:
				s.log.Warn().Str("filter", filter).Uint8("qos", granted).
					Msg("the broker grants less than QoS 1: messages that it cannot deliver at once are lost")
			}
		}
	}
	if len(bad) > 0 {
		slices.Sort(bad)
		return fmt.Errorf("subscribe: the broker refuses %s", strings.Join(bad, ", "))
	}
	return nil
}

// unsubscribe ends subscriptions on the connection that is up; errLost if there is none.
func (s *session) unsubscribe(ctx context.Context, filters []string) error {
	o := s.origin.Load()
	if o == nil || !s.connected() {
		return errLost
	}
	for some := range slices.Chunk(filters, filtersAtOnce) {
		if err := await(ctx, s.client.Unsubscribe(some...), o); err != nil {
			return fmt.Errorf("unsubscribe: %w", err)
		}
	}
	return nil
}

// await waits for the broker's answer. paho may leave a token open when its connection is lost.
func await(ctx context.Context, token paho.Token, o *origin) error {
	timeout := time.NewTimer(answerTimeout)
	defer timeout.Stop()
	select {
	case <-token.Done():
		return token.Error()
	case <-o.transport.written:
		return errLost
	case <-ctx.Done():
		return ctx.Err()
	case <-timeout.C:
		return errors.New("the broker does not answer")
	}
}
