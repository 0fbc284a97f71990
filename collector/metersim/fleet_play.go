package metersim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/imdad-telemetry/imdad/collector/metersim/dress"
)

// newStagedFleet builds a fleet that plays a scenario.
func newStagedFleet(o Options) (*Fleet, error) {
	o.Registry, o.Start = o.Plan.Registry, o.Plan.Start
	f := &Fleet{opts: o, ledger: newLedger(o.Truth), speakers: o.Plan.speakers}
	for _, def := range o.Registry.Meters() {
		f.probes = append(f.probes, newProbe(def, nil))
	}
	f.dressUp()
	if len(f.probes) == 0 {
		return nil, fmt.Errorf("simulate meters: the registry has none")
	}
	if err := f.connectors(); err != nil {
		return nil, err
	}
	for _, l := range f.links {
		l.unheard = l.node != nil && o.Plan.lateJoin(l.node)
	}
	f.links[0].hears = f.portals()
	return f, nil
}

// errOver ends a play before its end.
var errOver = errors.New("enough was published")

// play hands the deliveries of the plan to the links, each at its time, until
// it is over or making ends.
func (f *Fleet) play(making, sending context.Context) error {
	start := f.opts.Plan.Start
	byTopic := make(map[string]*probe, len(f.probes))
	for _, p := range f.probes {
		byTopic[p.topic] = p
	}
	made := int64(0)
	_, err := Play(making, PlayOptions{Plan: f.opts.Plan, nodes: f.nodes, live: f.probes, Commands: f.told, Emit: func(d Delivery) error {
		due := time.Duration(float64(d.At.Sub(start)) / f.opts.Speed)
		if f.opts.Duration > 0 && due >= f.opts.Duration || f.opts.Messages > 0 && made >= f.opts.Messages {
			return errOver
		}
		if !waitUntil(making, f.origin.Add(due)) {
			return making.Err()
		}
		if d.act != none {
			return f.order(sending, d)
		}
		made++
		if d.probe == nil {
			d.probe = byTopic[d.Topic]
		}
		return f.hand(sending, d)
	}})
	if errors.Is(err, errOver) || making.Err() != nil {
		return nil
	}
	return err
}

// hand queues a delivery on the link of its meter; what is of no meter, such as
// a gateway's status, goes over the first.
func (f *Fleet) hand(sending context.Context, d Delivery) error {
	m := &message{topic: d.Topic, values: values{d.Payload}, retained: d.Retained, resent: true, bundle: d.bundle, node: d.node} // resent: not for reuse
	link := 0
	if p := d.probe; p != nil {
		link = p.link
		if p.dress == nil && isReading(d.Payload) {
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

// order queues what the link of a node is to do.
func (f *Fleet) order(sending context.Context, d Delivery) error {
	i := slices.IndexFunc(f.links, func(l *link) bool { return l.node == d.node })
	select {
	case f.links[i].queue <- &message{act: d.act, resent: true, untold: true}:
		return nil
	case <-sending.Done():
		return sending.Err()
	}
}

// maxTold bounds the keep-alives that nobody has come to yet; what is beyond is
// as good as the ones before.
const maxTold = 256

// portals are the subscriptions for the Victron portals of the fleet.
func (f *Fleet) portals() []hears {
	f.commands = make(chan Command, maxTold)
	var list []hears
	told := make(map[string]bool)
	for _, m := range f.speakers {
		if topic := "R/" + dress.Portal(m.Zone) + "/keepalive"; m.Profile == "victron" && !told[topic] {
			told[topic] = true
			list = append(list, hears{topic, func(c Command) {
				select {
				case f.commands <- c:
				default:
				}
			}})
		}
	}
	return list
}

// told returns what the devices were told since the last call.
func (f *Fleet) told() (list []Command) {
	for {
		select {
		case c := <-f.commands:
			list = append(list, c)
		default:
			return list
		}
	}
}
