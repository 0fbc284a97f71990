package metersim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/collector/metersim/dress"
)

const (
	// window is how many messages may be under way on one connection. At some
	// 350 bytes each and as much again in the client library, 4 MiB.
	window       = 4096
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 2 * time.Second
)

// link carries the messages of its share of the meters over one connection
// after another, until the broker has acknowledged each.
//
// Each connection is a new client with a clean session, and what the last one
// left unacknowledged is published again. The client library's own resending
// must not be used here: on reconnect it completes the tokens of messages that
// it is about to send again, which looks like an acknowledgement.
type link struct {
	broker             *url.URL
	id                 string
	username, password string
	qos                byte
	ledger             *ledger
	log                zerolog.Logger

	node    *dress.Node // whose connection it is alone; nil: that of many meters
	now     func() int64
	hears   []hears
	rebirth chan struct{}
	unheard bool // the births of the first connection are kept back
	fallen  bool // the node is dead until it is to rise

	queue chan *message // closed when there will be no more
	retry []*message    // unacknowledged, in their order; they go before the queue
}

// run publishes until the queue is closed and everything is acknowledged, or
// until ctx ends; then it books the rest as not acknowledged. It returns an
// error if the broker refuses the client for good.
func (l *link) run(ctx context.Context) error {
	err := l.publish(ctx)
	for _, m := range l.retry {
		l.ledger.settle(m, false)
	}
	return err
}

// drop books what is left in the queue as not acknowledged. The queue must be
// closed.
func (l *link) drop() {
	for m := range l.queue {
		l.ledger.settle(m, false)
	}
}

func (l *link) publish(ctx context.Context) error {
	backoff := firstBackoff
	for ctx.Err() == nil && l.lie(ctx) {
		s, err := l.connect(ctx)
		switch {
		case refusedForGood(err):
			return fmt.Errorf("connect to %s: %w", l.broker, err)
		case err != nil:
			l.log.Warn().Err(err).Str("broker", l.broker.String()).Dur("retry_in", backoff).Msg("broker cannot be reached")
			pause(ctx, backoff)
			backoff = min(2*backoff, lastBackoff)
			continue
		}
		backoff = firstBackoff
		if s.carry(ctx) {
			s.bye()
			s.client.Disconnect(uint(sendTimeout / time.Millisecond))
			return nil
		}
		s.end()
		if ctx.Err() != nil {
			break
		}
		if l.fallen {
			continue
		}
		l.ledger.lost.Add(1)
		l.log.Warn().Int("again", len(l.retry)).Msg("connection lost")
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// refusedForGood tells whether trying again cannot help.
func refusedForGood(err error) bool {
	for _, final := range []error{
		packets.ErrorRefusedBadProtocolVersion,
		packets.ErrorRefusedIDRejected,
		packets.ErrorRefusedBadUsernameOrPassword,
		packets.ErrorRefusedNotAuthorised,
	} {
		if errors.Is(err, final) {
			return true
		}
	}
	return false
}

func (l *link) connect(ctx context.Context) (*session, error) {
	s := &session{link: l, lost: make(chan struct{})}
	o := paho.NewClientOptions().
		AddBroker(l.broker.String()).
		SetClientID(l.id).
		SetUsername(l.username).
		SetPassword(l.password).
		SetProtocolVersion(4).
		SetCleanSession(true).
		SetAutoReconnect(false).
		SetConnectTimeout(dialTimeout).
		SetWriteTimeout(2 * time.Second).
		SetKeepAlive(15 * time.Second).
		SetPingTimeout(5 * time.Second).
		SetStore(forgetful{}).
		SetConnectionLostHandler(func(paho.Client, error) { close(s.lost) }).
		SetCustomOpenConnectionFn(func(u *url.URL, _ paho.ClientOptions) (net.Conn, error) {
			w, err := dial(ctx, u)
			if err != nil {
				return nil, err
			}
			s.wire = w
			return w, nil
		})
	l.will(o)
	s.client = paho.NewClient(o)
	token := s.client.Connect()
	<-token.Done() // bounded by the connect timeout
	if err := token.Error(); err != nil {
		return nil, err
	}
	if l.node != nil {
		l.node.Connect()
	}
	if err := l.subscribe(s.client); err != nil {
		s.end()
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	return s, nil
}

// forgetful is the client library's store for clients that resend by
// themselves.
type forgetful struct{}

func (forgetful) Open()                             {}
func (forgetful) Put(string, packets.ControlPacket) {}
func (forgetful) Get(string) packets.ControlPacket  { return nil }
func (forgetful) All() []string                     { return nil }
func (forgetful) Del(string)                        {}
func (forgetful) Close()                            {}
func (forgetful) Reset()                            {}
