package metersim

import (
	"container/heap"
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/imdad-telemetry/imdad/collector/metersim/dress"
	"github.com/imdad-telemetry/imdad/collector/metersim/score"
)

// Delivery is one message as the broker hands it out.
type Delivery struct {
	Topic    string
	Payload  []byte // the receiver may keep it
	Retained bool
	At       time.Time // when it arrives, by the simulated clock

	// For the links of a fleet: whose it is, what it is a part of, who has yet to
	// number it, and what is to be done instead of a message.
	probe  *probe
	bundle *bundle
	node   *dress.Node
	act    act
}

// PlayOptions says what to play and to whom.
type PlayOptions struct {
	Plan *Plan
	// Emit takes each delivery, in the order in which they arrive. An error ends
	// the play.
	Emit func(Delivery) error
	// Commands, if set, is asked after each delivery for what the receiver tells
	// the devices: rebirths of Sparkplug nodes, keep-alives of Victron portals.
	Commands func() []Command
	// Truth, if set, takes each reading of a meter that does not speak natively,
	// before its messages are emitted.
	Truth func(Truth)

	nodes []*dress.Node // the fleet's own
	live  []*probe      // whose links publish; nil: nobody does
}

// Play plays a plan on a clock of its own, as fast as Emit takes it, and
// returns what happened. The same scenario, city and seed give the same
// deliveries. A plan is played once.
func Play(ctx context.Context, o PlayOptions) ([]score.Event, error) {
	p, err := newPlayer(o)
	if err != nil {
		return nil, err
	}
	if err := p.run(ctx); err != nil {
		return nil, err
	}
	return o.Plan.Events(), nil
}

// player carries a plan out.
type player struct {
	plan     *Plan
	emit     func(Delivery) error
	commands func() []Command
	truth    func(Truth)
	live     []*probe
	nodes    []*dress.Node
	dresses  []dress.Dress    // by probe; nil: native
	behind   []*dress.Node    // by probe; nil: none
	kept     map[string]int64 // when each portal was last told to go on, ms
	clock    int64            // when the last delivery arrived, ms
	model    *model
	probes   []*probe
	schedule schedule
	rand     *rand.Rand

	edits   [][]*incident // by probe
	pending mailbag
	count   int64 // of deliveries, so that equal times keep their order
}

// mailbag holds what is to arrive later: a heap by time.
type mailbag []mail

type mail struct {
	Delivery
	n    int64
	fire func(*player) error // instead of a delivery
}

func (b mailbag) Len() int { return len(b) }
func (b mailbag) Less(i, j int) bool {
	if !b[i].At.Equal(b[j].At) {
		return b[i].At.Before(b[j].At)
	}
	return b[i].n < b[j].n
}
func (b mailbag) Swap(i, j int) { b[i], b[j] = b[j], b[i] }
func (b *mailbag) Push(x any)   { *b = append(*b, x.(mail)) }
func (b *mailbag) Pop() any {
	last := len(*b) - 1
	m := (*b)[last]
	(*b)[last] = mail{}
	*b = (*b)[:last]
	return m
}

func newPlayer(o PlayOptions) (*player, error) {
	if o.Plan == nil || o.Emit == nil {
		return nil, errors.New("play: a plan and somebody to emit to are needed")
	}
	plan := o.Plan
	p := &player{plan: plan, emit: o.Emit, commands: o.Commands, truth: o.Truth, live: o.live, nodes: o.nodes, kept: make(map[string]int64), rand: rand.New(rand.NewPCG(uint64(plan.seed), 0x3a11))}
	var err error
	if p.model, err = newModel(plan.Registry, plan.seed, plan.Start); err != nil {
		return nil, err
	}
	plan.book(p.model)
	if p.live == nil {
		p.nodes = dress.Nodes(plan.speakers)
	}
	for _, m := range plan.speakers {
		d, n := dressOf(m, p.nodes)
		p.dresses, p.behind = append(p.dresses, d), append(p.behind, n)
	}
	var every []float64
	for _, def := range plan.Registry.Meters() {
		s, err := p.model.source(def)
		if err != nil {
			return nil, err
		}
		p.probes = append(p.probes, newProbe(def, s))
		every = append(every, 1000*def.IntervalS)
	}
	p.model.afflict(plan.incidents, plan.seed)
	p.schedule = newIntervals(float64(plan.Start.UnixMilli()), every, 0, rand.New(rand.NewPCG(uint64(plan.seed), 0x5c4ed)))
	p.assign()
	return p, nil
}

// assign tells each probe which incidents change its messages, and puts what is
// sent beside them into the bag.
func (p *player) assign() {
	p.edits = make([][]*incident, len(p.probes))
	for _, i := range p.plan.incidents {
		for _, s := range i.shots {
			p.put(mail{Delivery: Delivery{At: time.UnixMilli(s.at)}, fire: s.fire})
		}
		if i.edit == nil {
			continue
		}
		for k, def := range p.plan.Registry.Meters() {
			if i.edit.probes == nil || i.edit.probes[key(def)] {
				p.edits[k] = append(p.edits[k], i)
			}
		}
	}
}

// run plays to the end.
func (p *player) run(ctx context.Context) error {
	end := float64(p.plan.End.UnixMilli())
	for n := 0; ; n++ {
		k, at := p.schedule.next()
		if at >= end {
			p.model.advanceTo(end - 1)
			return p.empty(p.plan.End)
		}
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := p.empty(time.UnixMilli(int64(at))); err != nil {
			return err
		}
		if err := p.read(k, at); err != nil {
			return err
		}
	}
}

// read takes the reading of a meter and sends it, unless an incident has it
// otherwise.
func (p *player) read(k int, at float64) error {
	x := p.model.advanceTo(at)
	m := p.probes[k].message(at, x)
	r := reading{
		probe: k, def: &p.plan.Registry.Meters()[k], topic: p.probes[k].topic,
		payload: append([]byte(nil), m.payload()...), ts: p.probes[k].ts, at: int64(at), taken: int64(at),
	}
	m.release()
	for _, i := range p.edits[k] {
		if i.start <= int64(at) && int64(at) < i.end && !r.drop {
			i.edit.do(p, &r)
		}
	}
	if r.drop {
		return nil
	}
	return p.say(&r)
}

// say sends a reading in its meter's dress.
func (p *player) say(r *reading) error {
	if d := p.dresses[r.probe]; d != nil {
		var taken dress.Reading
		r.change(func(c *content) { taken = c.reading(r.ts, r.trap) })
		return p.utter(r.probe, r, d.Put(taken))
	}
	d := Delivery{Topic: r.topic, Payload: r.payload, At: time.UnixMilli(r.at)}
	if err := p.post(d, r); err != nil {
		return err
	}
	p.repeat(d, r.again)
	return nil
}

// later sends d at its time.
func (p *player) later(d Delivery) { p.put(mail{Delivery: d}) }

func (p *player) put(m mail) {
	p.count++
	m.n = p.count
	heap.Push(&p.pending, m)
}

// empty sends what is due at t.
func (p *player) empty(t time.Time) error {
	for len(p.pending) > 0 && !p.pending[0].At.After(t) {
		m := heap.Pop(&p.pending).(mail)
		if m.fire != nil {
			p.model.advanceTo(float64(m.At.UnixMilli()))
			if err := m.fire(p); err != nil {
				return err
			}
			continue
		}
		if err := p.send(m.Delivery); err != nil {
			return err
		}
	}
	return nil
}

func (p *player) send(d Delivery) error {
	p.clock = max(p.clock, d.At.UnixMilli())
	if err := p.emit(d); err != nil {
		return err
	}
	p.listen()
	return nil
}

// now reads a meter.
func (p *player) now(k int) map[string]float64 {
	r := reading{payload: newProbe(p.plan.Registry.Meters()[k], p.probes[k].source).message(float64(p.model.now), 0).payload()}
	var values map[string]float64
	r.change(func(c *content) { values = c.Values })
	return values
}
