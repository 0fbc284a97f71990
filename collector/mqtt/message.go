package mqtt

import (
	"sync/atomic"

	"github.com/rs/zerolog"
)

// Message is one received MQTT message. Topic and Payload are never changed after receipt and may be kept.
type Message struct {
	Topic     string
	Payload   []byte
	Received  int64 // milliseconds since the epoch, by Options.Now
	QoS       byte  // as delivered: 0 is gone if it is not taken, 1 and 2 are sent again until they are done
	Retained  bool
	Duplicate bool // the broker says that it may have sent this before; proves nothing

	id     uint16  // packet identifier, for the acknowledgement
	origin *origin // the connection it came by
}

// messageOverheadBytes is what a queued message costs beside its topic and payload: its place in the queue, which may
// be half empty, and the allocator's rounding.
const messageOverheadBytes = 192

func (m *Message) cost() int { return len(m.Topic) + len(m.Payload) + messageOverheadBytes }

// origin is one connection of one session, from its opening to its loss: a generation. A message can be acknowledged
// only by the connection that brought it.
type origin struct {
	transport   *transport
	log         zerolog.Logger
	presence    *presence   // nil where the session has none
	welcome     atomic.Bool // the broker has accepted the connection
	subscribing atomic.Bool // someone sees to this connection's subscriptions

	// Guarded by the queue's mutex.
	lost bool
	held int // QoS 1 and 2 messages that are queued or taken and not yet done
	window
}
