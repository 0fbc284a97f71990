package decode

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// Source says which profile reads the messages of some topics.
type Source struct {
	Name    string   `yaml:"name"`
	Topics  []string `yaml:"topics"` // MQTT filters, + and # allowed
	Profile string   `yaml:"profile"`
}

// Profiles lists the names that Source.Profile may have.
func Profiles() []string { return []string{"imdad"} }

// Validate reports every mistake in the source, keyed by its field.
func (s Source) Validate() []error {
	var errs []error
	if !meter.ValidID(s.Name) {
		errs = append(errs, fmt.Errorf("name: %q is not a legal name; use letters, digits and ._:-", s.Name))
	}
	if len(s.Topics) == 0 {
		errs = append(errs, fmt.Errorf("topics: no topic filter; the native one is imdad/v1/#"))
	}
	for i, filter := range s.Topics {
		if err := checkFilter(filter); err != nil {
			errs = append(errs, fmt.Errorf("topics[%d]: %w", i, err))
		}
	}
	if !slices.Contains(Profiles(), s.Profile) {
		errs = append(errs, fmt.Errorf("profile: unknown profile %q; known: %s", s.Profile, strings.Join(Profiles(), ", ")))
	}
	return errs
}

// Message is what arrived.
type Message struct {
	Topic    string
	Payload  []byte
	Retained bool
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
}

// Gateway is the status of a gateway: what its birth or will says.
type Gateway struct {
	Zone, ID string
	Online   bool
}

// Reset forgets the readings and keeps their memory.
func (r *Readings) Reset() { r.n, r.status = 0, nil }

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
// A remembered topic costs about 250 bytes.
const MaxTopics = 1 << 18

// Decoder decodes the messages of all sources. It is not safe for concurrent
// use.
type Decoder struct {
	sources []Source
	native  native
	catalog *meter.Catalog
	routes  map[string]*route
}

// route is what a topic was found to mean.
type route struct {
	series  *meter.Series
	gateway *Gateway // whose status it is
	reject  *Reject
	shape   shape // of the meter's last payload
}

// New returns a decoder for valid sources that names meters through catalog.
func New(sources []Source, catalog *meter.Catalog) *Decoder {
	return &Decoder{
		sources: sources,
		native:  newNative(),
		catalog: catalog,
		routes:  make(map[string]*route),
	}
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
	}
	result, reject := d.native.decode(r, m, out)
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
		for _, filter := range s.Topics {
			if matches(filter, topic) {
				return nativeRoute(topic, d.catalog)
			}
		}
	}
	return &route{reject: &Reject{NoSource, fmt.Sprintf("no source has a filter for topic %q", clip(topic))}}
}

// clip shortens what came from outside to what a log line can bear.
func clip(s string) string {
	const most = 96
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
