package metersim

import (
	"slices"
	"strconv"
	"sync"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/metersim/dress"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// probe is one meter: it turns the state of what it stands at into messages.
type probe struct {
	source  source
	topic   string
	truth   string      // the truth line up to its ts
	utility int         // index into meter.Utilities
	link    int         // index of its connection
	dress   dress.Dress // nil: it speaks natively
	node    *dress.Node // it speaks through; nil: none
	seq     int64
	ts      int64 // of the last message
}

func newProbe(def zone.Meter, s source) *probe {
	u := string(def.Utility)
	return &probe{
		source:  s,
		topic:   "imdad/v1/" + def.Zone + "/" + u + "/" + def.ID,
		truth:   `{"zone":"` + def.Zone + `","utility":"` + u + `","meter":"` + def.ID + `",`,
		utility: slices.Index(meter.Utilities, def.Utility),
	}
}

// message is one reading on its way to the broker.
type message struct {
	probe    *probe      // nil: no meter's message
	bundle   *bundle     // the reading that it is a part of; nil: it is the whole of one
	node     *dress.Node // that has yet to number it; nil: none
	act      act         // instead of a message
	topic    string
	values   values // with the whole payload
	resent   bool   // published more than once
	untold   bool   // in no count and no truth
	retained bool
}

// messages recycles messages that nobody else can hold any more.
var messages = sync.Pool{New: func() any { return &message{values: values{make([]byte, 0, 512)}} }}

// message reads the meter at the simulated time at, in ms since the epoch, when
// the model stands at the part x of its step. Times of one meter grow by at
// least a millisecond from message to message.
func (p *probe) message(at, x float64) *message {
	p.ts = max(p.ts+1, int64(at))
	p.seq++
	m := messages.Get().(*message)
	m.probe, m.topic, m.resent, m.retained = p, p.topic, false, false
	m.bundle, m.node, m.act, m.untold = nil, nil, none, false
	b := append(m.values.buf[:0], `{"ts":`...)
	b = strconv.AppendInt(b, p.ts, 10)
	b = append(b, `,"seq":`...)
	b = strconv.AppendInt(b, p.seq, 10)
	m.values.buf = append(b, `,"values":{`...)
	p.source.appendTo(&m.values, x)
	m.values.buf = append(m.values.buf, '}', '}')
	return m
}

// payload is valid until the message is released.
func (m *message) payload() []byte { return m.values.buf }

// sealed is the payload as it is to be published next: a node numbers it, anew
// each time.
func (m *message) sealed() []byte {
	if m.node != nil {
		return m.node.Seal(m.values.buf)
	}
	return m.values.buf
}

// release gives the message back for reuse. One that was published on two
// connections stays out of it: a dying connection may still be reading it.
func (m *message) release() {
	if !m.resent {
		messages.Put(m)
	}
}
