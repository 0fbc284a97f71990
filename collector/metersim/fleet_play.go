package metersim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// newStagedFleet builds a fleet that plays a scenario.
func newStagedFleet(o Options) (*Fleet, error) {
	o.Registry, o.Start = o.Plan.Registry, o.Plan.Start
	f := &Fleet{opts: o, ledger: newLedger(o.Truth)}
	for i, def := range o.Registry.Meters() {
		p := newProbe(def, nil)
		p.link = i % o.Connections
		f.probes = append(f.probes, p)
	}
	if len(f.probes) == 0 {
		return nil, fmt.Errorf("simulate meters: the registry has none")
	}
	return f, f.connectors()
}

// errOver ends a play before its end.
var errOver = errors.New("enough was published")

// play hands the deliveries of the plan to the links, each at its time, until
// it is over or making ends.
func (f *Fleet) play(making, sending context.Context) error {
	begun, start := f.begin(), f.opts.Plan.Start
	byTopic := make(map[string]*probe, len(f.probes))
	for _, p := range f.probes {
		byTopic[p.topic] = p
	}
	made := int64(0)
	_, err := Play(making, PlayOptions{Plan: f.opts.Plan, Emit: func(d Delivery) error {
		due := time.Duration(float64(d.At.Sub(start)) / f.opts.Speed)
		if f.opts.Duration > 0 && due >= f.opts.Duration || f.opts.Messages > 0 && made >= f.opts.Messages {
			return errOver
		}
		if !waitUntil(making, begun.Add(due)) {
			return making.Err()
		}
		made++
		return f.hand(sending, d, byTopic[d.Topic])
	}})
	if errors.Is(err, errOver) || making.Err() != nil {
		return nil
	}
	return err
}

// hand queues a delivery on the link of its meter; what is of no meter, such as
// a gateway's status, goes over the first.
func (f *Fleet) hand(sending context.Context, d Delivery, p *probe) error {
	m := &message{topic: d.Topic, values: values{d.Payload}, retained: d.Retained, resent: true} // resent: not for reuse
	link := 0
	if p != nil {
		link = p.link
		if isReading(d.Payload) {
			m.probe = p
		}
	}
	f.ledger.published.Add(1)
	select {
	case f.links[link].queue <- m:
		return nil
	case <-sending.Done():
		f.ledger.settle(m, false)
		return sending.Err()
	}
}

// isReading tells whether a payload may stand in the truth, which holds
// readings alone.
func isReading(payload []byte) bool {
	return len(payload) > 2 && len(payload) < 1<<16 && payload[0] == '{' && payload[len(payload)-1] == '}' && json.Valid(payload)
}
