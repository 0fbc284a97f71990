package mqtt

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// Presence is a retained status on a topic of its own, at QoS 1, over the first
// session: Online is published whenever its filters have been subscribed,
// Offline is the will of the same connection and is published before a clean
// end. Both are given the time, in ms by Options.Now, at which that connection
// was begun.
//
// It is what Sparkplug 3.0 asks of a host application, chapters 4.2.3 and 5.14
// (tck-id-host-topic-phid-birth-* and -death-*,
// tck-id-operational-behavior-host-application-connect-* and -death-*).
type Presence struct {
	Topic   string
	Online  func(at int64) []byte
	Offline func(at int64) []byte // 65,535 bytes at most
}

func (p *Presence) validate() error {
	switch {
	case p == nil:
		return nil
	case p.Topic == "" || len(p.Topic) > 65535 || !utf8.ValidString(p.Topic):
		return errors.New("presence: a topic is 1 to 65535 bytes of UTF-8")
	case strings.ContainsAny(p.Topic, "+#") || strings.ContainsFunc(p.Topic, isControl):
		return fmt.Errorf("presence: %q is no topic to publish on", p.Topic)
	case p.Online == nil || p.Offline == nil:
		return errors.New("presence: Online and Offline must be set")
	}
	return nil
}

// Announce publishes the presence once more, for example when someone else has
// said Offline on its topic. It never blocks, and does nothing on a connection
// that has not yet been announced.
func (c *Client) Announce() {
	o := c.first().up()
	if o != nil && o.presence != nil && o.presence.announced() {
		o.presence.announce()
	}
}

// Publish sends a message at QoS 0, not retained, over the first session. It
// never blocks; false says that there is no connection to send it on, that it
// has not been announced yet where there is a presence (which must be the first
// that is published), or that more than 256 KiB wait to be written.
func (c *Client) Publish(topic string, payload []byte) bool {
	o := c.first().up()
	if o == nil || (o.presence != nil && !o.presence.announced()) {
		return false
	}
	return o.transport.offer(publication(topic, payload, 0, 0))
}

// first is the session that speaks for the client.
func (c *Client) first() *session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sessions[0]
}

// publication encodes a PUBLISH packet. With an id it has QoS 1 and is retained.
func publication(topic string, payload []byte, qos byte, id uint16) []byte {
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Payload, p.Qos, p.MessageID, p.Retain = topic, payload, qos, id, qos > 0
	return encode(p)
}

func encode(p packets.ControlPacket) []byte {
	var b bytes.Buffer
	_ = p.Write(&b) // a bytes.Buffer takes everything
	return b.Bytes()
}

// The packet identifiers of what is published here. paho counts up from 1, by
// one for each SUBSCRIBE and UNSUBSCRIBE of a client's life.
const (
	firstPublishID = 0xff00
	maxUnanswered  = 0x100
)

// presence is the Presence on one connection. It stands between paho and the
// transport, because paho
//   - sets the will when a client is made, for all its connections: it is put
//     into the CONNECT here;
//   - sends what it is given to publish over whatever connection comes next, and
//     keeps an identifier for ever when that is lost: what this connection has to
//     say is written into it, or not at all;
//   - would look for those identifiers among its own: their PUBACKs are taken out
//     of what it reads.
type presence struct {
	*transport
	*Presence
	at       int64 // ms since the epoch
	greeting bool  // CONNECT was written; used by Write only
	packet   cut   // used by Read only

	mu         sync.Mutex
	online     bool // announced
	leaving    bool // the client goes away: nothing may follow Offline
	last       uint16
	unanswered map[uint16]chan struct{} // closed by the PUBACK

	waiting atomic.Int32 // len(unanswered)
}

func newPresence(t *transport, p *Presence, at int64) *presence {
	return &presence{transport: t, Presence: p, at: at, unanswered: make(map[uint16]chan struct{})}
}

// Write puts the will into the first packet.
func (p *presence) Write(b []byte) (int, error) {
	if p.greeting {
		return p.transport.Write(b)
	}
	p.greeting = true
	packet, err := packets.ReadPacket(bytes.NewReader(b))
	if err != nil {
		return 0, fmt.Errorf("read the connect request: %w", err)
	}
	connect, ok := packet.(*packets.ConnectPacket)
	if !ok {
		return 0, fmt.Errorf("the first packet is no connect request: %s", packet)
	}
	connect.WillFlag, connect.WillQos, connect.WillRetain = true, 1, true
	connect.WillTopic, connect.WillMessage = p.Topic, p.Offline(p.at)
	if _, err := p.transport.Write(encode(connect)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Read hands out what is not for this package: never more than the rest of a
// packet, so that it always sees the next one begin.
func (p *presence) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for p.packet.between() && p.transport.started {
		head, err := p.transport.peek(2)
		if err != nil {
			return 0, err
		}
		if head[0]>>4 != packets.Puback || head[1] != 2 {
			break
		}
		if head, err = p.transport.peek(4); err != nil {
			return 0, err
		}
		p.answered(uint16(head[2])<<8 | uint16(head[3]))
		_, _ = p.transport.in.Discard(4) // they have been peeked at
	}
	n, err := p.transport.Read(b[:p.packet.most(len(b))])
	p.packet.follow(b[:n])
	return n, err
}

func (p *presence) answered(id uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if answer, ok := p.unanswered[id]; ok {
		close(answer)
		delete(p.unanswered, id)
		p.waiting.Add(-1)
	}
}

// publish writes a retained message at QoS 1. The channel is closed when the
// broker has it; nil says that it could not be written. p.mu is held.
func (p *presence) publish(payload []byte) chan struct{} {
	if len(p.unanswered) == maxUnanswered {
		return nil
	}
	id := p.last
	for taken := true; taken; _, taken = p.unanswered[id] {
		id = firstPublishID + (id+1)%maxUnanswered
	}
	if !p.transport.offer(publication(p.Topic, payload, 1, id)) {
		return nil
	}
	p.last = id
	answer := make(chan struct{})
	p.unanswered[id] = answer
	p.waiting.Add(1)
	return answer
}

// announce publishes Online, unless the client is going away. Where it could not
// be written, the connection has ended or is about to.
func (p *presence) announce() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.leaving && p.publish(p.Online(p.at)) != nil {
		p.online = true
	}
}

func (p *presence) announced() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.online && !p.leaving
}

// unheard tells whether something was published that the broker has not answered. It takes no lock: the transport may
// be holding its own, which publish takes after p.mu.
func (p *presence) unheard() bool { return p.waiting.Load() > 0 }

// leave publishes Offline and reports whether the broker has it in time. If not,
// the connection must end without a DISCONNECT, so that the broker itself says
// the same, by the will.
func (p *presence) leave() bool {
	p.mu.Lock()
	p.leaving = true
	answer := p.publish(p.Offline(p.at))
	p.mu.Unlock()
	if answer == nil {
		return false
	}
	patience := time.NewTimer(farewellTimeout)
	defer patience.Stop()
	select {
	case <-answer:
		return true
	case <-p.transport.written:
		return false
	case <-patience.C:
		return false
	}
}

// cut follows a stream of packets by their fixed headers (MQTT 3.1.1 section 2.2).
type cut struct {
	inside bool // within a packet
	header bool // the remaining length is being read
	shift  uint
	left   int // bytes of the body
}

func (c *cut) between() bool { return !c.inside }

// most is how many of n bytes may be read without going past a header's byte or
// the packet's end.
func (c *cut) most(n int) int {
	if c.inside && !c.header {
		return min(n, c.left)
	}
	return min(n, 1)
}

// follow is told what was read: no more than most.
func (c *cut) follow(b []byte) {
	switch {
	case len(b) == 0:
	case !c.inside:
		*c = cut{inside: true, header: true}
	case c.header:
		c.left |= int(b[0]&0x7f) << c.shift
		c.shift += 7
		c.header = b[0]&0x80 != 0 && c.shift < 28
		c.inside = c.header || c.left > 0
	default:
		c.left -= len(b)
		c.inside = c.left > 0
	}
}
