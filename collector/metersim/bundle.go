package metersim

import (
	"encoding/json"
	"fmt"
	"sync/atomic"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/metersim/dress"
)

// Truth is what a receiver must make of one reading of a meter: its registers
// as its messages say them, rounded as its device rounds, in Imdad's units.
type Truth struct {
	Zone       string        `json:"zone"`
	Utility    meter.Utility `json:"utility"`
	Meter      string        `json:"meter"`
	TS         int64         `json:"ts"` // ms since the epoch, as the device wrote it
	Seq        int64         `json:"seq,omitempty"`
	Historical bool          `json:"historical,omitempty"`
	// Received says that the messages carry no time of their own: TS is when they
	// were made, and the receiver's time is when they come.
	Received bool `json:"received,omitempty"`
	// Unreadable says that the message refers to a birth that nobody has heard.
	Unreadable bool               `json:"unreadable,omitempty"`
	Profile    string             `json:"profile,omitempty"` // empty: native
	Values     map[string]float64 `json:"values"`
}

// truthOf is what was sent of a meter.
func truthOf(m dress.Meter, s dress.Sent) Truth {
	t := Truth{
		Zone: m.Zone, Utility: m.Utility, Meter: m.ID, TS: s.TS, Historical: s.Historical, Received: s.Received,
		Unreadable: s.Unreadable, Profile: m.Profile, Values: s.Values,
	}
	if s.HasSeq {
		t.Seq = s.Seq
	}
	return t
}

// members are those of a line of truth behind the meter's name, as an object.
func (t Truth) members() []byte {
	rest := struct {
		TS         int64              `json:"ts"`
		Seq        int64              `json:"seq,omitempty"`
		Historical bool               `json:"historical,omitempty"`
		Received   bool               `json:"received,omitempty"`
		Unreadable bool               `json:"unreadable,omitempty"`
		Profile    string             `json:"profile,omitempty"`
		Values     map[string]float64 `json:"values"`
	}{t.TS, t.Seq, t.Historical, t.Received, t.Unreadable, t.Profile, t.Values}
	b, err := json.Marshal(rest)
	if err != nil {
		panic(fmt.Sprintf("metersim: encode truth: %v", err)) // its values are finite by construction
	}
	return b
}

// bundle is a reading on its way in several messages: it is acknowledged when
// all of them are.
type bundle struct {
	probe *probe
	truth []byte       // see Truth.members
	open  atomic.Int64 // messages whose fate is not known
	lost  atomic.Bool  // one was not acknowledged
}

// newBundle makes the bundle of a reading; nil if there is nothing in it that a
// receiver could read.
func newBundle(p *probe, m dress.Meter, s dress.Sent) *bundle {
	if len(s.Values) == 0 {
		return nil
	}
	b := &bundle{probe: p, truth: truthOf(m, s).members()}
	b.open.Store(int64(len(s.Messages)))
	return b
}

// settlePart books one message of a bundle, and the reading with the last.
func (l *ledger) settlePart(b *bundle, acked bool) {
	if !acked {
		b.lost.Store(true)
	}
	last := b.open.Add(-1) == 0
	whole := last && !b.lost.Load()
	switch {
	case whole:
		l.acked[b.probe.utility].Add(1)
	case acked:
		l.others.Add(1)
	}
	if last {
		l.write(b.probe, b.truth, whole)
	}
}

// read takes a reading of the native payload apart for a dress.
func (c *content) reading(ts int64, trap string) dress.Reading {
	return dress.Reading{TS: ts, Seq: c.Seq, Historical: c.Historical, Values: c.Values, Trap: trap}
}

// put dresses a reading and returns its messages, for the fleet's links. They
// give birth before they send, so that nothing is unreadable.
func (p *probe) put(m dress.Meter, r dress.Reading) []*message {
	sent := p.dress.Put(r)
	sent.Unreadable = false
	b := newBundle(p, m, sent)
	list := make([]*message, len(sent.Messages))
	for i, d := range sent.Messages {
		// resent: its payload is not for reuse
		list[i] = &message{topic: d.Topic, values: values{d.Payload}, retained: d.Retained, resent: true, bundle: b, node: p.node}
	}
	return list
}
