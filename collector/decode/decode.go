package decode

import (
	"errors"
	"fmt"
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// Message is what arrived.
type Message struct {
	Topic    string
	Payload  []byte
	Retained bool
	// Received is when it arrived, in ms since the epoch: the time of readings
	// whose device gives none. 0: nobody knows, and such readings are refused.
	Received int64
}

// Result says what became of a message that was not rejected.
type Result uint8

const (
	// Decoded: the readings are in out.
	Decoded Result = iota
	// Control: a birth, a will or a status; nothing to store.
	Control
	// Ignored: retained by the broker and without a time of its own, so
	// nobody can say when it was true.
	Ignored
)

// Readings collects what one message decodes into and is reused for the next.
type Readings struct {
	list   []meter.Reading
	n      int
	status *Gateway
	stale  []*meter.Series
	saved  []Saved
	source *compiled
}

// Saved is what a decoder must remember beyond its life, such as the birth of
// a Sparkplug node. It is durable before the message is acknowledged, or what
// follows it could not be read after a crash.
type Saved struct {
	Key   string
	Value []byte // nil: forget the key
}

// Command is a message that a profile wants sent, at QoS 0 and not retained.
type Command struct {
	Topic   string
	Payload []byte
	// Announce, instead of a topic, asks for the host's own STATE to be said
	// again: somebody has said that it is offline.
	Announce bool
}

// Gateway is the status of a gateway: what its birth or will says.
type Gateway struct {
	Zone, ID string
	Online   bool
}

// Reset forgets the readings and keeps their memory.
func (r *Readings) Reset() {
	r.n, r.status = 0, nil
	r.stale, r.saved = r.stale[:0], r.saved[:0]
}

// Stale returns the meters whose values are unknown from this message on: what
// they spoke through has died. They are valid until the next Reset.
func (r *Readings) Stale() []*meter.Series { return r.stale }

// Source returns the name of the source that read the message, and its profile;
// both are empty where none has it.
func (r *Readings) Source() (name, profile string) {
	if r.source == nil {
		return "", ""
	}
	return r.source.name, r.source.profile
}

// Saved returns what the decoder must remember of this message, valid until the
// next Reset.
func (r *Readings) Saved() []Saved { return r.saved }

// Gateway returns the status that the message was, nil if it was none. Its
// strings may be kept.
func (r *Readings) Gateway() *Gateway { return r.status }

// All returns the readings; they are valid until the next Reset.
func (r *Readings) All() []meter.Reading { return r.list[:r.n] }

// next returns an empty reading of s to fill.
func (r *Readings) next(s *meter.Series) *meter.Reading {
	if r.n == len(r.list) {
		r.list = append(r.list, meter.Reading{})
	}
	reading := &r.list[r.n]
	*reading = meter.Reading{Series: s, Values: reading.Values[:0]}
	r.n++
	return reading
}

// MaxTopics bounds the topics remembered; beyond it the memory starts afresh.
// A remembered topic costs about 250 bytes, one of a foreign profile up to 1 kB.
const MaxTopics = 1 << 18

// Decoder decodes the messages of all sources. It is not safe for concurrent
// use.
type Decoder struct {
	sources []*compiled
	native  native
	foreign Message // the last, where readers find it without an allocation
	catalog *meter.Catalog
	routes  map[string]*route
}

// route is what a topic was found to mean: 48 bytes for one of the native
// profile.
type route struct {
	from          *compiled // nil: no source has it
	series        *meter.Series
	gateway       *Gateway // whose status it is
	reject        *Reject
	*foreignRoute         // nil: of the native profile, or rejected
	shape         shapeID // of the meter's last payload
}

// foreignRoute is what a foreign profile needs of a topic.
type foreignRoute struct {
	reader   *reader
	special  special
	place    *place
	captured map[string]string
	utility  meter.Utility // "": the payload says it, or the profile
	meters   map[seriesKey]*meter.Series
	edge     *edge  // of the profile sparkplug-b
	bare     *route // of payloads that are not JSON, if they mean something else
}

// New returns a decoder for valid sources that names meters through catalog.
// Sources that Validate refuses are a mistake of the caller.
func New(sources []Source, catalog *meter.Catalog) *Decoder {
	d := &Decoder{
		native:  newNative(),
		catalog: catalog,
		routes:  make(map[string]*route),
	}
	for _, s := range sources {
		c, errs := compile(s)
		if len(errs) > 0 {
			panic(fmt.Sprintf("decode: source %s was not validated: %v", s.Name, errors.Join(errs...)))
		}
		switch {
		case c.native:
		case c.format.open != nil:
			c.special = c.format.open(c, catalog)
		default:
			c.reader = newReader(c, catalog)
		}
		d.sources = append(d.sources, c)
	}
	return d
}

// Decode appends the message's readings to out, which it resets first. The
// error is a *Reject, or nil.
func (d *Decoder) Decode(m Message, out *Readings) (Result, error) {
	out.Reset()
	r, ok := d.routes[m.Topic]
	if !ok {
		r = d.route(m.Topic)
		if len(d.routes) >= MaxTopics {
			clear(d.routes)
		}
		d.routes[m.Topic] = r
	}
	out.source = r.from
	switch {
	case r.reject != nil:
		return Decoded, r.reject
	case r.gateway != nil:
		if reject := gatewayStatus(m.Payload); reject != nil {
			return Control, reject
		}
		r.gateway.Online = string(m.Payload) == "online"
		out.status = r.gateway
		return Control, nil
	case r.foreignRoute != nil:
		d.foreign = m
		return r.decode(&d.foreign, out)
	}
	result, reject := d.native.decode(r, &m, out)
	if reject != nil || result != Decoded {
		out.Reset()
	}
	if reject != nil {
		return Decoded, reject
	}
	return result, nil
}

func (d *Decoder) route(topic string) *route {
	for _, s := range d.sources {
		if s.host != "" && topic == HostTopic(s.host) {
			return s.route(topic, &pattern{})
		}
	}
	for _, s := range d.sources {
		for i := range s.patterns {
			switch {
			case !matches(s.patterns[i].filter, topic):
			case s.native:
				r := nativeRoute(topic, d.catalog)
				r.from = s
				return r
			default:
				return s.route(topic, &s.patterns[i])
			}
		}
	}
	return &route{reject: &Reject{NoSource, fmt.Sprintf("no source has a filter for topic %q", clip(topic))}}
}

// route reads a topic of a foreign profile.
func (c *compiled) route(topic string, p *pattern) *route {
	levels := strings.Split(topic, "/")
	captured := p.capture(levels)
	found := c.format.place(levels, captured)
	if found.reject != nil {
		return &route{reject: found.reject}
	}
	to := &route{from: c, foreignRoute: &foreignRoute{
		reader: c.reader, special: c.special, place: &found, captured: captured, utility: c.utility,
	}}
	if to.utility == "" {
		to.utility = meter.Utility(captured["utility"])
	}
	if found.bare != nil {
		bare := *to.foreignRoute
		bare.place = found.bare
		to.bare = &route{from: c, foreignRoute: &bare}
	}
	return to
}

// decode reads a message of a foreign profile.
func (r *route) decode(m *Message, out *Readings) (Result, error) {
	if r.place.control {
		return Control, nil
	}
	var reader special = r.reader
	if r.special != nil {
		reader = r.special
	}
	result, reject := reader.decode(r, m, out)
	if reject != nil {
		out.Reset()
		return Decoded, reject
	}
	return result, nil
}

// Commands appends the messages that are due at a time in ms to to: what
// devices must be told so that they go on speaking, or speak from the start.
// Ask once a second.
func (d *Decoder) Commands(now int64, to []Command) []Command {
	for _, c := range d.sources {
		if s, ok := c.special.(speaker); ok {
			to = s.commands(now, to)
		}
	}
	return to
}

// Restore gives back what an earlier life of the decoder had Saved. A key that
// no source knows any more is no error.
func (d *Decoder) Restore(key string, value []byte) error {
	for _, c := range d.sources {
		if h, ok := c.special.(host); ok {
			if err := h.restore(key, value); err != nil {
				return fmt.Errorf("restore %s: %w", key, err)
			}
		}
	}
	return nil
}

// Skipped returns how many values were passed over because there is no number in
// them to store, or none that may be stored: the data sets, templates, arrays,
// bytes, transient metrics and unknown aliases of Sparkplug.
func (d *Decoder) Skipped() int64 {
	n := int64(0)
	for _, c := range d.sources {
		if h, ok := c.special.(host); ok {
			n += h.skipped()
		}
	}
	return n
}

// clip shortens what came from outside to what a log line can bear.
func clip(s string) string {
	const most = 96
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
