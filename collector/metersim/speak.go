package metersim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/collector/metersim/dress"
)

// nativeOnly are the causes whose doings only a native payload can show, or a
// device's own clock.
var nativeOnly = []string{"clock_skew", "clock_1970", "missing_zone", "bad_payload", "retained_stale"}

// speakers decides who speaks what in the play: what the scenario says, what
// its causes need, and of the rest what the seed makes of its profiles.
func (st *stage) speakers() {
	s := st.Scenario
	w := dress.Wish{
		Profiles: s.Profiles, Seed: st.seed, Fixed: make(map[string]string),
		Native: make(map[string]bool), Nodes: make(map[string]bool), Judged: make(map[string]bool),
	}
	for id, profile := range s.Meters {
		if len(st.metersCalled(id)) == 0 {
			st.errs = append(st.errs, fmt.Errorf("meters.%s: there is no such meter in %s", id, st.Files[0].City.ID))
		}
		w.Fixed[id] = profile
	}
	for i := range s.Causes {
		c := &s.Causes[i]
		for _, id := range append(slices.Clone(c.AnyOf), c.Object) {
			st.need(&w, c, id)
		}
	}
	meters, err := dress.Assign(st.Registry, w)
	if err != nil {
		st.errs = append(st.errs, fmt.Errorf("profiles: %w", err))
		return
	}
	st.Plan.speakers = meters
	for _, m := range meters {
		for _, id := range []string{m.ID, m.Key()} {
			if p, fixed := w.Fixed[id]; fixed && !dress.Suits(p, m.Kind) {
				st.errs = append(st.errs, fmt.Errorf("meters.%s: there are no devices of the profile %s for what it measures", id, p))
			}
		}
	}
}

// need notes what a cause wants of the object that it may befall.
func (st *stage) need(w *dress.Wish, c *Cause, id string) {
	w.Judged[id] = true
	switch {
	case slices.Contains(nativeOnly, c.Cause):
		for _, m := range st.metersCalled(id) {
			w.Native[key(m)] = true
		}
	case c.Cause == "trap":
		profile, _ := dress.OfTrap(c.Pattern)
		for _, m := range st.metersCalled(id) {
			w.Fixed[key(m)] = profile
		}
	case slices.Contains(nodeCauses, c.Cause):
		w.Nodes[id] = true
	}
}

// SourcesYAML returns the section sources: of the service's configuration that
// reads the meters of the play.
func (p *Plan) SourcesYAML() ([]byte, error) { return dress.SourcesYAML(p.speakers) }

// node returns the node of a gateway; nil if that is none.
func (p *player) node(zoneID, gateway string) *dress.Node {
	for _, n := range p.nodes {
		if n.Group == zoneID && n.ID == gateway {
			return n
		}
	}
	return nil
}

// rise gives a node a new session.
func (p *player) rise(n *dress.Node, at int64) error {
	if p.live != nil {
		return p.send(Delivery{At: time.UnixMilli(at), node: n, act: rise})
	}
	n.Connect()
	return p.births(n, at)
}

// births publishes those of a node.
func (p *player) births(n *dress.Node, at int64) error {
	if p.live != nil {
		return p.send(Delivery{At: time.UnixMilli(at), node: n, act: bear})
	}
	for _, m := range n.Births(at) {
		if err := p.send(Delivery{Topic: m.Topic, Payload: m.Payload, At: time.UnixMilli(at)}); err != nil {
			return err
		}
	}
	return nil
}

// fall ends a node's session as its will does.
func (p *player) fall(n *dress.Node, at int64) error {
	if p.live != nil {
		return p.send(Delivery{At: time.UnixMilli(at), node: n, act: fall})
	}
	return p.bury(n, 0, at)
}

// bury publishes the NDEATH of the session so many before the present one.
func (p *player) bury(n *dress.Node, before uint64, at int64) error {
	if p.live != nil {
		return p.send(Delivery{At: time.UnixMilli(at), node: n, act: haunt})
	}
	m := n.Death(at, before)
	return p.send(Delivery{Topic: m.Topic, Payload: m.Payload, At: time.UnixMilli(at)})
}

// utter sends what became of a reading, when r is to arrive.
func (p *player) utter(k int, r *reading, sent dress.Sent) error {
	m, node := p.plan.speakers[k], p.behind[k]
	if p.truth != nil && len(sent.Values) > 0 {
		p.truth(truthOf(m, sent))
	}
	d := Delivery{At: time.UnixMilli(r.at)}
	if p.live != nil {
		d.probe, d.bundle, d.node = p.live[k], newBundle(p.live[k], m, sent), node
	}
	for n, msg := range sent.Messages {
		d.Topic, d.Payload, d.Retained = msg.Topic, msg.Payload, msg.Retained
		if node != nil && p.live == nil {
			d.Payload = node.Seal(d.Payload)
		}
		if err := p.post(d, r); err != nil {
			return err
		}
		again := r.again
		if n == 0 && sent.Copy {
			again = append(again, copyMS)
		}
		p.repeat(d, again)
	}
	return nil
}

// post sends d, or has it sent when r is to arrive.
func (p *player) post(d Delivery, r *reading) error {
	if r.at > r.taken {
		p.later(d)
		return nil
	}
	return p.send(d)
}

// repeat has d sent again, so many milliseconds later each.
func (p *player) repeat(d Delivery, after []int64) {
	d.bundle = nil // the reading is in the truth once
	for _, ms := range after {
		again := d
		again.Payload, again.At = slices.Clone(d.Payload), d.At.Add(time.Duration(ms)*time.Millisecond)
		p.later(again)
	}
}

// listen takes what a receiver tells the devices.
func (p *player) listen() {
	if p.commands == nil {
		return
	}
	for _, c := range p.commands() {
		levels := strings.Split(c.Topic, "/")
		if len(levels) == 3 && levels[0] == "R" && levels[2] == "keepalive" {
			p.kept[levels[1]] = p.clock
		}
		for _, n := range p.nodes {
			if c.Topic == n.Commands() && dress.IsRebirth(c.Payload) {
				at := p.clock + rebirthMS
				p.put(mail{Delivery: Delivery{At: time.UnixMilli(at)}, fire: func(p *player) error { return p.births(n, at) }})
			}
		}
	}
}

const (
	rebirthMS = 200 // how long a node takes to answer
	copyMS    = 80  // after which a network server tells an uplink again
)
