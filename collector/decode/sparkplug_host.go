package decode

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// sparkplugHost reads the messages of one source of the profile sparkplug-b and
// remembers its nodes.
//
//	        ┌ NBIRTH, DBIRTH ─► scope: names, aliases, types, units ─► readings, saved
//	payload ┤ NDATA, DDATA ───► scope ─► readings        no birth, a gap ─► queue ─► NCMD rebirth
//	        └ NDEATH, DDEATH ─► scope forgotten, its meters stale
type sparkplugHost struct {
	source  *compiled
	catalog *meter.Catalog

	nodes   map[edgeKey]*edgeNode
	metrics int // of all nodes
	passed  int64

	meanings map[wording]*meaning

	message sparkplugMessage
	serial  uint64  // of the message
	drafts  []draft // reused
	learned int     // metrics that it brought and no birth had
	slots   map[edgeSlot]int
	last    edgeSlot
	lastAt  int
	seed    maphash.Seed

	queue    []*edgeNode // of those that owe a birth; each once, so at most maxNodes
	started  int64       // when commands were first asked for
	second   int64
	asked    int // in that second
	announce bool
}

// edgeKey names a node.
type edgeKey struct{ prefix, group, node string }

// edgeNode is an edge node: what its births say, and where its messages stand.
type edgeNode struct {
	topic    edgeTopic
	born     bool
	number   uint64 // bdSeq of the birth
	numbered bool
	sum      uint32                // of the birth message
	scopes   map[string]*edgeScope // by device; "" is the node itself
	metrics  int
	sequence sequence
	rebirth  rebirth
	gateway  Gateway
}

// edge is what a topic was found to mean.
type edge struct {
	topic edgeTopic
	node  *edgeNode
}

// edgeSlot is what the metrics of one reading have in common.
type edgeSlot struct {
	series     *meter.Series
	time       int64
	historical bool
}

func openSparkplug(c *compiled, catalog *meter.Catalog) special {
	return &sparkplugHost{
		source: c, catalog: catalog, nodes: make(map[edgeKey]*edgeNode), meanings: make(map[wording]*meaning),
		slots: make(map[edgeSlot]int), seed: maphash.MakeSeed(),
	}
}

func (h *sparkplugHost) skipped() int64 { return h.passed }

// maxSparkplug bounds a payload, in bytes: births of thousands of metrics with
// their properties are long.
const maxSparkplug = 2 << 20

// What a message may make of few bytes is bounded; births of thousands of metrics,
// each with its name and its time, are longer, and may make more of it: a reading
// for so many bytes beyond MaxReadings, and a metric beyond maxShortMetrics.
const (
	bytesPerReading = 80
	bytesPerMetric  = 48
	maxShortMetrics = 1 << 11
)

// decode reads one message into out.
func (h *sparkplugHost) decode(to *route, m *Message, out *Readings) (Result, *Reject) {
	if to.edge == nil {
		e, reject := h.edge(m.Topic)
		if reject != nil {
			return 0, reject
		}
		to.edge = e
	}
	topic := &to.edge.topic
	if topic.verb == stateVerb {
		h.state(topic.host, m)
		return Control, nil
	}
	switch {
	case len(m.Payload) == 0 && topic.verb != nodeDeath && topic.verb != deviceDeath:
		return 0, &Reject{Empty, "the payload is empty"}
	case len(m.Payload) > maxSparkplug:
		return 0, &Reject{TooLarge, fmt.Sprintf("%d bytes; at most %d are read", len(m.Payload), maxSparkplug)}
	}
	if reject := h.message.read(m.Payload); reject != nil {
		return 0, reject
	}
	h.serial++
	h.learned = 0
	clear(h.slots)
	h.last = edgeSlot{}
	if m.Retained {
		return h.retained(to, m, out)
	}
	switch topic.verb {
	case nodeBirth, deviceBirth:
		return h.birth(to, m, out)
	case nodeData, deviceData:
		return h.data(to, m, out)
	}
	// A death that cannot be read whole is none.
	if reject := h.message.each(func(*sparkplugMetric) *Reject { return nil }); reject != nil {
		return 0, reject
	}
	if topic.verb == nodeDeath {
		return h.nodeDeath(to.edge.node, out), nil
	}
	return h.deviceDeath(to.edge, m, out), nil
}

// edge finds whose topic it is.
func (h *sparkplugHost) edge(topic string) (*edge, *Reject) {
	t, _ := parseEdgeTopic(strings.Split(topic, "/"))
	e := &edge{topic: t}
	if t.verb == stateVerb {
		return e, nil
	}
	key := edgeKey{t.prefix, t.group, t.node}
	e.node = h.nodes[key]
	if e.node == nil {
		if len(h.nodes) >= maxNodes {
			return nil, &Reject{TooManyMeters, fmt.Sprintf("node %q is one too many", clip(t.node))}
		}
		e.node = &edgeNode{topic: t, scopes: make(map[string]*edgeScope)}
		h.nodes[key] = e.node
	}
	return e, nil
}

// state reads what a host application says of itself. That we are offline is
// somebody's error while we can read it, most often the broker's about our last
// connection.
func (h *sparkplugHost) state(host string, m *Message) {
	var said struct {
		Online *bool `json:"online"`
	}
	if host != h.source.host || host == "" || m.Retained || json.Unmarshal(m.Payload, &said) != nil {
		return
	}
	if said.Online != nil && !*said.Online {
		h.announce = true
	}
}

// birth takes in what a node or device is, and its first values.
func (h *sparkplugHost) birth(to *route, m *Message, out *Readings) (Result, *Reject) {
	n, topic := to.edge.node, &to.edge.topic
	s, reject := h.define(to)
	if reject != nil {
		return 0, reject
	}
	old := n.scopes[topic.device]
	if reject := h.admit(n, topic.device, old, s); reject != nil {
		return 0, reject
	}
	if reject := h.values(to, s, m, out, byAlias|byName); reject != nil {
		return 0, reject
	}
	h.finish(out, false)
	sum := h.sum(m.Payload)
	s.born, s.at = true, h.message.time
	if topic.verb == nodeBirth {
		if reject := h.nodeIsBorn(to, sum, out); reject != nil {
			return 0, reject
		}
	} else if place := h.track(n, sum, m.Received); place != inOrder && old != nil && old.born && h.message.timed && s.at < old.at {
		return result(out), nil // a redelivery of what is past
	}
	if !n.born {
		h.want(n) // it came before its node
	}
	h.replace(n, topic.device, s)
	out.saved = append(out.saved, Saved{Key: h.key(m.Topic), Value: slices.Clone(m.Payload)})
	return result(out), nil
}

// admit tells whether there is room for a scope in place of an old one.
func (h *sparkplugHost) admit(n *edgeNode, device string, old, s *edgeScope) *Reject {
	before := 0
	if old != nil {
		before = old.size()
	}
	if more := s.size() - before; n.metrics+more > maxNodeMetrics || h.metrics+more > maxAllMetrics {
		return tooManyMetrics(n.metrics + more)
	}
	if old == nil && len(n.scopes) >= maxNodeDevices {
		return &Reject{TooManyMeters, fmt.Sprintf("device %q is one too many", clip(device))}
	}
	return nil
}

// nodeIsBorn begins a session of a node. The births of devices before it are of
// an earlier one, except those that only overtook it.
func (h *sparkplugHost) nodeIsBorn(to *route, sum uint32, out *Readings) *Reject {
	n := to.edge.node
	if n.gateway.ID == "" {
		var reject *Reject
		if n.gateway, reject = h.gateway(to); reject != nil {
			return reject
		}
	}
	if n.born && n.sum == sum {
		return nil // a redelivery
	}
	n.number, n.numbered = h.message.birthNumber()
	for device, s := range n.scopes {
		if device != "" && (!s.born || s.at < h.message.time || !h.message.timed) {
			h.forget(n, device, out)
		}
	}
	n.born, n.sum = true, sum
	n.sequence.start(uint8(h.message.seq), sum)
	n.rebirth.wanted, n.rebirth.restored = false, false
	n.gateway.Online = true
	out.status = &n.gateway
	return nil
}

// gateway names the node as one.
func (h *sparkplugHost) gateway(to *route) (Gateway, *Reject) {
	zone := foreignID(h.source.zone.fill(to.value(to.place.device, "")))
	if zone == "" {
		return Gateway{}, &Reject{BadName, "the topic gives no zone"}
	}
	return Gateway{Zone: zone, ID: foreignID(to.edge.topic.node)}, nil
}

// birthNumber returns the metric bdSeq.
func (m *sparkplugMessage) birthNumber() (number uint64, ok bool) {
	// What cannot be read has no number, and was or will be refused elsewhere.
	_ = m.each(func(x *sparkplugMetric) *Reject {
		if string(x.name) == birthNumber && (x.carrier == carriesInt || x.carrier == carriesLong) {
			number, ok = x.bits, true
		}
		return nil
	})
	return number, ok
}

// data reads what has changed.
func (h *sparkplugHost) data(to *route, m *Message, out *Readings) (Result, *Reject) {
	n, device := to.edge.node, to.edge.topic.device
	sum := h.sum(m.Payload)
	place := h.track(n, sum, m.Received)
	s, before := n.scopes[device], 0
	if s == nil {
		if place == again || !n.born && h.message.hasSeq && n.sequence.had(h.message.seq, sum) {
			return Control, nil // read before its node or device died; the acknowledgement was lost
		}
		if len(n.scopes) >= maxNodeDevices {
			return 0, &Reject{TooManyMeters, fmt.Sprintf("device %q is one too many", clip(device))}
		}
		s = newScope(nil)
	} else {
		before = s.size()
	}
	if !n.born || !s.born {
		h.want(n)
	}
	trust := byAlias | byName | learning
	if place != inOrder && h.message.timed && h.message.time < s.at {
		trust &^= byAlias // it is of the session before, and its aliases meant something else
	}
	reject := h.values(to, s, m, out, trust)
	if before > 0 || len(s.byName) > 0 {
		n.scopes[device] = s
		h.count(n, s.size()-before)
	}
	if reject != nil {
		return 0, reject
	}
	h.finish(out, true)
	return result(out), nil
}

// size is what a scope counts for, in metrics.
func (s *edgeScope) size() int { return 1 + len(s.byName) }

func (h *sparkplugHost) count(n *edgeNode, metrics int) {
	n.metrics += metrics
	h.metrics += metrics
}

// track notes the number of a message.
func (h *sparkplugHost) track(n *edgeNode, sum uint32, now int64) order {
	switch {
	case !h.message.hasSeq || !n.born:
		return inOrder
	case h.message.seq > math.MaxUint8:
		h.want(n)
		return afterGap
	}
	place := n.sequence.take(uint8(h.message.seq), sum, now)
	if place == afterGap {
		h.queueUp(n)
	}
	return place
}

// sum hashes a payload; never 0.
func (h *sparkplugHost) sum(payload []byte) uint32 {
	return uint32(maphash.Bytes(h.seed, payload)) | 1
}

// result tells readings from a message without a number.
func result(out *Readings) Result {
	if out.n > 0 {
		return Decoded
	}
	return Control
}

// nodeDeath is the end of a session, if it is that of the present one: the broker
// may send the will of a lost connection after the node's next birth.
func (h *sparkplugHost) nodeDeath(n *edgeNode, out *Readings) Result {
	number, numbered := h.message.birthNumber()
	if !n.born || numbered && n.numbered && number != n.number {
		return Control
	}
	for device, s := range n.scopes {
		out.stale = append(out.stale, s.series...)
		h.forget(n, device, out)
	}
	n.born, n.sequence.known, n.sequence.lost = false, false, 0
	n.rebirth.wanted = false
	n.gateway.Online = false
	out.status = &n.gateway
	return Control
}

// deviceDeath is the end of a device's values.
func (h *sparkplugHost) deviceDeath(e *edge, m *Message, out *Readings) Result {
	place := h.track(e.node, h.sum(m.Payload), m.Received)
	s := e.node.scopes[e.topic.device]
	if s == nil || place != inOrder && h.message.timed && h.message.time < s.at {
		return Control
	}
	out.stale = append(out.stale, s.series...)
	h.forget(e.node, e.topic.device, out)
	return Control
}

// replace puts a scope in the place of the one before.
func (h *sparkplugHost) replace(n *edgeNode, device string, s *edgeScope) {
	if old := n.scopes[device]; old != nil {
		h.count(n, -old.size())
	}
	n.scopes[device] = s
	h.count(n, s.size())
}

// forget drops a scope, and what was saved of it.
func (h *sparkplugHost) forget(n *edgeNode, device string, out *Readings) {
	s := n.scopes[device]
	h.count(n, -s.size())
	delete(n.scopes, device)
	if !s.born {
		return
	}
	verb := deviceBirth
	if device == "" {
		verb = nodeBirth
	}
	out.saved = append(out.saved, Saved{Key: h.key(n.topic.with(verb, device))})
}

// retained reads what the broker had kept, which the specification forbids. Its
// values have their times; of the node as it is now it says nothing, and its
// aliases may mean something else by now.
func (h *sparkplugHost) retained(to *route, m *Message, out *Readings) (Result, *Reject) {
	var s *edgeScope
	switch to.edge.topic.verb {
	case nodeBirth, deviceBirth:
		var reject *Reject
		if s, reject = h.define(to); reject != nil {
			return 0, reject
		}
	case nodeData, deviceData:
		s = to.edge.node.scopes[to.edge.topic.device]
	}
	if s == nil {
		return Ignored, nil
	}
	if reject := h.values(to, s, m, out, byName); reject != nil {
		return 0, reject
	}
	h.finish(out, false)
	if out.n == 0 {
		return Ignored, nil
	}
	return Decoded, nil
}

// keyPrefix begins the keys of what is saved: sparkplug/SOURCE/TOPIC. The value is
// the birth message that came there, as it came.
const keyPrefix = "sparkplug/"

func (h *sparkplugHost) key(topic string) string { return keyPrefix + h.source.name + "/" + topic }

var errNoBirth = errors.New("not the topic of a birth")

// restore takes in a birth of an earlier life. The node is asked once for a new
// one nevertheless: it speaks by exception and at QoS 0, and what it said while
// nobody listened it says no more. A node that waits for our STATE gives birth by
// itself when we are back, and is not asked.
func (h *sparkplugHost) restore(key string, value []byte) error {
	topic, ok := strings.CutPrefix(key, keyPrefix+h.source.name+"/")
	if !ok {
		return nil
	}
	at := slices.IndexFunc(h.source.patterns, func(p pattern) bool { return matches(p.filter, topic) })
	if at < 0 {
		return nil // the source has other topics now
	}
	to := h.source.route(topic, &h.source.patterns[at])
	if to.reject != nil || to.place.control {
		return errNoBirth
	}
	e, reject := h.edge(topic)
	if reject != nil {
		return reject
	}
	to.edge = e
	if e.topic.verb != nodeBirth && e.topic.verb != deviceBirth {
		return errNoBirth
	}
	h.want(e.node)
	e.node.rebirth.restored = true
	reject = h.message.read(value)
	if reject == nil {
		reject = h.revive(to)
	}
	if reject != nil {
		return reject
	}
	return nil // not reject, whose type would make it an error
}

// revive makes a node or device what its birth says, without its values.
func (h *sparkplugHost) revive(to *route) *Reject {
	n, device := to.edge.node, to.edge.topic.device
	s, reject := h.define(to)
	if reject == nil {
		reject = h.admit(n, device, n.scopes[device], s)
	}
	if reject != nil {
		return reject
	}
	s.born, s.at = true, h.message.time
	if to.edge.topic.verb == nodeBirth {
		if n.gateway, reject = h.gateway(to); reject != nil {
			return reject
		}
		n.number, n.numbered = h.message.birthNumber()
		n.born, n.gateway.Online = true, true
	}
	h.replace(n, device, s)
	return nil
}
