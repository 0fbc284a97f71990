package metersim

import (
	"context"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// session is one connection of a link.
type session struct {
	link   *link
	client paho.Client
	wire   *wire
	lost   chan struct{} // closed when the client has given the connection up
}

// flight is a message whose acknowledgement is awaited.
type flight struct {
	message *message
	token   paho.Token
}

// carry publishes the link's messages, many at a time, and returns true when
// the queue has ended and all are acknowledged. Otherwise the connection is
// lost or ctx has ended, and the link's retry holds what is not acknowledged.
func (s *session) carry(ctx context.Context) bool {
	flights := make(chan flight, window)
	open := make(chan []*message)
	go func() { open <- s.settle(ctx, flights) }()

	unsent, ended := s.send(ctx, flights)
	close(flights)
	s.link.retry = append(<-open, unsent...)
	return ended && len(s.link.retry) == 0
}

// send publishes what is to be sent again, then the queue, until that is closed
// (ended), the connection is lost, or ctx ends. It returns what of the former
// it did not come to.
func (s *session) send(ctx context.Context, flights chan<- flight) (unsent []*message, ended bool) {
	s.births(flights)
	for i, m := range s.link.retry {
		select {
		case <-s.lost:
			return s.link.retry[i:], false
		case <-ctx.Done():
			return s.link.retry[i:], false
		default:
			m.resent = true
			s.link.ledger.resent.Add(1)
			flights <- s.publish(m)
		}
	}
	for {
		select {
		case m, more := <-s.link.queue:
			switch {
			case !more:
				return nil, true
			case m.act == none:
				flights <- s.publish(m)
			case m.act == bear:
				s.births(flights)
			case m.act == haunt:
				s.haunt(flights)
			case m.act == fall, m.act == rise:
				s.link.fallen = m.act == fall
				return nil, false
			}
		case <-s.link.rebirth:
			s.births(flights)
		case <-s.lost:
			return nil, false
		case <-ctx.Done():
			return nil, false
		}
	}
}

func (s *session) publish(m *message) flight {
	return flight{m, s.client.Publish(m.topic, s.link.qos, m.retained, m.sealed())}
}

// settle waits for the acknowledgements in the order of publishing and returns
// the messages that did not get one. It never stops taking flights.
func (s *session) settle(ctx context.Context, flights <-chan flight) (open []*message) {
	for f := range flights {
		select {
		case <-f.token.Done():
		case <-s.lost:
		case <-ctx.Done():
		}
		switch {
		case f.message.untold:
		case s.link.qos == 0:
			s.link.ledger.settle(f.message, false)
		case acknowledged(f.token):
			s.link.ledger.settle(f.message, true)
		default:
			f.message.resent = true
			open = append(open, f.message)
			if err := f.token.Error(); err != nil {
				s.wire.fail(err)
			}
		}
	}
	return open
}

// acknowledged tells whether the broker's PUBACK has come. With a clean session
// and no reconnecting the client completes a token without an error for nothing
// else.
func acknowledged(t paho.Token) bool {
	select {
	case <-t.Done():
		return t.Error() == nil
	default:
		return false
	}
}

// end makes sure that the connection is over before the next begins.
func (s *session) end() {
	s.wire.fail(context.Canceled)
	<-s.lost
}
