package metersim

import (
	"context"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/imdad-telemetry/imdad/collector/metersim/dress"
)

// act is something that a link is to do, in the order of its queue.
type act uint8

const (
	none  act = iota
	fall      // break the connection, as a power cut would: the broker sends the will
	rise      // connect anew
	bear      // publish the births again
	haunt     // publish the death of the last session
)

// Command is what somebody tells a device: a rebirth of a Sparkplug node, or a
// keep-alive of a Victron GX device.
type Command struct {
	Topic   string
	Payload []byte
}

// hears is a subscription of a link's connection.
type hears struct {
	filter string
	do     func(Command) // must not block
}

// subscribe makes the link's subscriptions on a new connection.
func (l *link) subscribe(c paho.Client) error {
	for _, h := range l.hears {
		token := c.Subscribe(h.filter, 1, func(_ paho.Client, m paho.Message) { h.do(Command{m.Topic(), m.Payload()}) })
		if !token.WaitTimeout(dialTimeout) {
			return context.DeadlineExceeded
		}
		if err := token.Error(); err != nil {
			return err
		}
	}
	return nil
}

// obey is what a node's link does with an NCMD.
func (l *link) obey(c Command) {
	if dress.IsRebirth(c.Payload) {
		select {
		case l.rebirth <- struct{}{}:
		default: // one is asked for already
		}
	}
}

// will makes the node's death the will of the connection that comes.
func (l *link) will(o *paho.ClientOptions) {
	if l.node != nil {
		death := l.node.Next(l.now())
		o.SetBinaryWill(death.Topic, death.Payload, 1, false)
	}
}

// births publishes those of the link's node, if it has one.
func (s *session) births(flights chan<- flight) {
	l := s.link
	if l.node == nil {
		return
	}
	if l.unheard {
		l.unheard = false // the host joins later, and has to ask
		return
	}
	for _, d := range l.node.Births(l.now()) {
		m := &message{topic: d.Topic, values: values{d.Payload}, resent: true, untold: true}
		flights <- s.publish(m)
	}
}

// haunt publishes the death of the node's last session, as a broker does that
// was late to see it end.
func (s *session) haunt(flights chan<- flight) {
	death := s.link.node.Death(s.link.now(), 1)
	flights <- s.publish(&message{topic: death.Topic, values: values{death.Payload}, resent: true, untold: true})
}

// bye publishes the node's death before it leaves in order: then there is no
// will.
func (s *session) bye() {
	if s.link.node == nil {
		return
	}
	death := s.link.node.Death(s.link.now(), 0)
	s.client.Publish(death.Topic, 1, false, death.Payload).WaitTimeout(time.Second)
}

// lie keeps what is queued for a node that has fallen until it is to rise, and
// returns false if ctx ends before.
func (l *link) lie(ctx context.Context) bool {
	for l.fallen {
		select {
		case m, more := <-l.queue:
			switch {
			case !more || m.act == rise:
				l.fallen = false
			case m.act == none:
				l.retry = append(l.retry, m)
			}
		case <-ctx.Done():
			return false
		}
	}
	return true
}
