package alarm

import (
	"cmp"
	"slices"

	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// machine holds all alarms that are not plainly normal. step and its like
// compute what would change and leave the machine as it is, until apply: a
// commit that fails costs nothing, the next step finds the same again.
type machine struct {
	config  Config
	records map[rule.Key]*record
	seq     int64 // of the last transition

	round uint64
	turns []turn // memory of the last round, used again
	fresh map[rule.Key]int
}

func newMachine(c Config) *machine {
	return &machine{config: c, records: make(map[rule.Key]*record), fresh: make(map[rule.Key]int)}
}

// changes are what a round amounts to. They point into the machine's memory
// and are valid until the next round.
type changes struct {
	turns       []turn // of all alarms that were looked at
	dirty       []*turn
	transitions []Transition
	seq         int64
}

// step follows all findings, absent ones being clear, and settles every alarm,
// causes before effects.
func (m *machine) step(now int64, findings []rule.Finding) changes {
	m.begin(len(m.records))
	for i := range findings {
		m.meet(now, &findings[i])
	}
	for _, r := range m.records {
		if r.seen != m.round {
			m.add(now, r, nil)
		}
	}
	for i := range m.turns {
		m.turns[i].follow()
	}
	for i := range m.turns {
		t := &m.turns[i]
		cause, depth := m.cause(&t.next)
		t.depth = depth
		t.settle(cause)
	}
	return m.finish()
}

func (m *machine) begin(size int) {
	m.round++
	clear(m.turns[:cap(m.turns)]) // let go of maps and events
	m.turns = slices.Grow(m.turns[:0], size)
	clear(m.fresh)
}

// meet takes a finding. Nothing begins with a condition that does not hold.
func (m *machine) meet(now int64, f *rule.Finding) {
	if r := m.records[f.Key]; r != nil {
		if r.seen != m.round {
			m.add(now, r, f)
		}
		return
	}
	if f.State != rule.Raised {
		return
	}
	if _, twice := m.fresh[f.Key]; twice {
		return
	}
	m.fresh[f.Key] = len(m.turns)
	m.turns = append(m.turns, turn{now: now, config: &m.config, found: f, next: newRecord(f.Key)})
}

func newRecord(k rule.Key) record {
	return record{
		Alarm:  Alarm{ID: k.ID(), Key: k, State: Normal},
		Status: status{Base: Normal},
	}
}

func (m *machine) add(now int64, r *record, f *rule.Finding) *turn {
	r.seen, r.slot = m.round, len(m.turns)
	m.turns = append(m.turns, turn{now: now, config: &m.config, old: r, next: *r, found: f})
	return &m.turns[r.slot]
}

// find returns what becomes of an alarm in this round.
func (m *machine) find(k rule.Key) *record {
	if r := m.records[k]; r != nil && r.seen == m.round {
		return &m.turns[r.slot].next
	}
	if slot, ok := m.fresh[k]; ok {
		return &m.turns[slot].next
	}
	return nil
}

// maxDepth bounds a chain of causes: city, substation, feeder, plant, meter
// are five.
const maxDepth = 16

// cause returns the alarm that explains r now, nil for none, and how many are
// above it. Alarms that explain one another explain nothing: hidden behind each
// other, nobody would see them.
func (m *machine) cause(r *record) (direct *record, depth int) {
	for up := r; depth < maxDepth; depth++ {
		if up.Status.Cause == (rule.Key{}) {
			return direct, depth
		}
		above := m.find(up.Status.Cause)
		if above == nil || !above.explains() {
			return direct, depth
		}
		if above == r {
			return nil, 0
		}
		if direct == nil {
			direct = above
		}
		up = above
	}
	return direct, depth
}

// finish numbers the transitions: causes first, then by id.
func (m *machine) finish() changes {
	c := changes{turns: m.turns, seq: m.seq}
	events := 0
	for i := range m.turns {
		if t := &m.turns[i]; t.dirty() {
			c.dirty = append(c.dirty, t)
			events += len(t.events)
		}
	}
	c.transitions = slices.Grow(c.transitions, events)
	slices.SortFunc(c.dirty, func(a, b *turn) int {
		return cmp.Or(cmp.Compare(a.depth, b.depth), cmp.Compare(a.next.Alarm.ID, b.next.Alarm.ID))
	})
	for _, t := range c.dirty {
		c.transitions = t.number(c.transitions, &c.seq)
	}
	return c
}

// dirty tells whether something must be stored. Numbers that go up and down
// while an alarm stands need not be: after a restart the next step brings them.
func (t *turn) dirty() bool {
	if t.old == nil {
		return !t.next.forgettable()
	}
	return len(t.events) > 0 || t.next.Status != t.old.Status || t.next.Alarm.Severity != t.old.Alarm.Severity
}

func (t *turn) number(all []Transition, seq *int64) []Transition {
	occurrence := t.next.Alarm.Occurrence
	for _, e := range t.events {
		*seq++
		e.Seq = *seq
		if e.Event == Raise {
			occurrence = e.Seq
		}
		e.Alarm.Occurrence = occurrence
		all = append(all, e)
	}
	t.next.Alarm.Occurrence = occurrence
	return all
}

// apply makes the changes true.
func (m *machine) apply(c changes) {
	for i := range c.turns {
		t := &c.turns[i]
		key := t.next.Alarm.Key
		switch {
		case t.next.forgettable():
			if t.old != nil {
				delete(m.records, key)
			}
		case t.old == nil:
			r := t.next
			m.records[key] = &r
		default:
			t.next.slot, t.next.seen = t.old.slot, t.old.seen
			*t.old = t.next
		}
	}
	m.seq = c.seq
}

// operate applies a person's action to one alarm, which r is, or was when the
// journal last spoke of it.
func (m *machine) operate(now int64, r *record, a Action) (changes, error) {
	m.begin(1)
	t := m.single(now, r)
	if err := t.operate(a); err != nil {
		return changes{}, err
	}
	return m.finish(), nil
}

func (m *machine) single(now int64, r *record) *turn {
	if m.records[r.Alarm.Key] == r {
		return m.add(now, r, nil)
	}
	m.turns = append(m.turns, turn{now: now, config: &m.config, next: *r})
	return &m.turns[0]
}

// retire ends the alarms that are not to be kept.
func (m *machine) retire(now int64, keep func(rule.Key) bool) changes {
	m.begin(0)
	for _, r := range m.records {
		if !keep(r.Alarm.Key) {
			m.add(now, r, nil).retire()
		}
	}
	return m.finish()
}

// resume takes the ms in which nothing ran out of the off-delays under way.
func (m *machine) resume(now, ms int64) changes {
	m.begin(0)
	for _, r := range m.records {
		if !r.Status.watched() {
			continue
		}
		t := m.add(now, r, nil)
		t.next.Status.unseen(ms)
	}
	return m.finish()
}

// watching tells that an off-delay runs, so that it matters until when the
// condition was seen clear.
func (m *machine) watching() bool {
	for _, r := range m.records {
		if r.Status.watched() {
			return true
		}
	}
	return false
}

// byID returns an alarm, nil where it is not kept.
func (m *machine) byID(id string) *record {
	for _, r := range m.records {
		if r.Alarm.ID == id {
			return r
		}
	}
	return nil
}
