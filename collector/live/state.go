package live

import (
	"sync"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// Silence before a meter counts as unknown: three of its intervals, but at
// least minSilence, since one slow message is not an outage.
const (
	silentIntervals = 3
	minSilence      = time.Minute
)

// State is the last value of every register. It is safe for concurrent use;
// its memory is some 64 bytes a meter and 24 a register, for registered meters
// some 200 more, and what follows their objects (electric, pipe, tank).
type State struct {
	now func() time.Time

	mu        sync.Mutex
	network   *network
	world     *world
	meters    []meterState // by Series.Index
	kinds     []kind
	kindOf    map[string]kindID
	scratch   scratch
	listening int64 // since when we could have heard a meter, ms
	doubted   int64 // what was heard until then, ms, is not believed: it was saved some time before a crash
	advanced  int64 // up to when the accounts of the zones go, ms

	unknownShare float64
	shared       shared
}

type meterState struct {
	series    *meter.Series
	place     *place // what it measures; nil: unregistered
	received  int64  // when it was last heard, ms
	registers []register
}

type register struct {
	value float64
	time  int64 // ms
	kind  kindID
}

// kind is what registers of one name have in common.
type kind struct {
	name string
	role role
}

// kindID is the place of a kind in State.kinds.
type kindID uint32

// New returns an empty state over the registry.
func New(registry *zone.Registry, now func() time.Time) *State {
	s := &State{
		network: newNetwork(registry), now: now, listening: now().UnixMilli(), unknownShare: DefaultSupplyConfig().UnknownShare,
		meters: make([]meterState, 0, len(registry.Meters())), kindOf: make(map[string]kindID),
	}
	s.world = build(registry, newMemory(), make([]facts, len(registry.Meters())))
	s.world.tell(s.listening)
	return s
}

// SetRegistry replaces the registry; values stay.
func (s *State) SetRegistry(registry *zone.Registry) {
	n := newNetwork(registry)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.network = n
	s.rebuild(registry, s.world.memory, s.carriedFacts(registry))
}

// rebuild puts a registry in force together with what is remembered.
func (s *State) rebuild(registry *zone.Registry, m *memory, facts []facts) {
	s.world = build(registry, m, facts)
	s.world.tell(s.now().UnixMilli())
	for i := range s.meters {
		if m := &s.meters[i]; m.series != nil {
			m.place = s.place(m.series)
		}
	}
}

// carriedFacts are the facts of the meters that both registries have.
func (s *State) carriedFacts(registry *zone.Registry) []facts {
	meters := registry.Meters()
	out := make([]facts, len(meters))
	for i := range meters {
		m := &meters[i]
		if j, ok := s.world.registry.MeterIndex(m.Zone, m.Utility, m.ID); ok {
			out[i] = s.world.facts[j]
		}
	}
	return out
}

// place returns what a series measures; nil if the registry does not know it.
func (s *State) place(series *meter.Series) *place {
	p := s.network.place(series)
	if p != nil {
		i, _ := s.world.registry.MeterIndex(series.Zone, series.Utility, series.Meter)
		p.at, p.facts = &s.world.meters[i], &s.world.facts[i]
	}
	return p
}

// SetSupply puts a configuration in force.
func (s *State) SetSupply(c SupplyConfig) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unknownShare = c.UnknownShare
}

// SetStage announces a city's stage of rationing; 0 is none.
func (s *State) SetStage(city string, stage int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.memory.Stages[city] = stage
}

// Update takes a reading that was received at the given time, in ms. Backfills
// and late readings are history: they tell that the meter is alive, but not
// what is true now. The same goes, register by register, for a reading older
// than the one already held.
func (s *State) Update(r *meter.Reading, received int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.meter(r.Series)
	m.received = max(m.received, received)
	if m.place != nil {
		m.place.facts.hear(r, received)
	}
	if history(r, received) {
		return
	}
	s.scratch.has = 0
	for i := range r.Values {
		v := &r.Values[i]
		reg := s.register(m, i, v.Register, len(r.Values))
		if r.Time >= reg.time {
			reg.value, reg.time = v.Value, r.Time
		}
		if role := s.kinds[reg.kind].role; role != noRole {
			s.scratch.put(role, v.Value)
		}
	}
	// What is out of range is kept for people to look at, not for sums.
	if m.place != nil && s.scratch.has != 0 && r.Quality < meter.OutOfRange {
		s.scratch.exchanges, s.scratch.sum = m.place.def.Replacements, m.sum()
		m.place.follow(&s.scratch, r.Time)
	}
}

// sum adds up all that the meter says, whichever registers a message brought: it
// stays the same as long as they do.
func (m *meterState) sum() (sum float64) {
	for i := range m.registers {
		sum += m.registers[i].value
	}
	return sum
}

// follow hands a reading to what follows the meter's object.
func (p *place) follow(s *scratch, t int64) {
	for _, main := range mains[p.at.main] {
		if main != noRole && s.got(main) {
			if t >= p.facts.Time {
				p.facts.observe(s.values[main], s.sum, t)
			}
			break
		}
	}
	if p.at.track != nil && p.at.track.take(s, t) {
		p.facts.ResetAt = t
	}
}

func (s *State) meter(series *meter.Series) *meterState {
	for len(s.meters) <= series.Index {
		s.meters = append(s.meters, meterState{})
	}
	m := &s.meters[series.Index]
	if m.series == nil {
		m.series = series
		m.place = s.place(series)
	}
	return m
}

// register returns the slot for name. Meters repeat their registers in the
// same order, so the hint is nearly always right, and the first message nearly
// always has all there will be.
func (s *State) register(m *meterState, hint int, name string, all int) *register {
	if hint < len(m.registers) && s.kinds[m.registers[hint].kind].name == name {
		return &m.registers[hint]
	}
	for i := range m.registers {
		if s.kinds[m.registers[i].kind].name == name {
			return &m.registers[i]
		}
	}
	if len(m.registers) == cap(m.registers) {
		// Grown by hand: append would double what hardly ever grows again.
		grown := make([]register, len(m.registers), max(all, len(m.registers)+1))
		copy(grown, m.registers)
		m.registers = grown
	}
	m.registers = append(m.registers, register{time: minTime, kind: s.kind(name)})
	return &m.registers[len(m.registers)-1]
}

// kind returns the kind of the registers of a name.
func (s *State) kind(name string) kindID {
	id, ok := s.kindOf[name]
	if !ok {
		id = kindID(len(s.kinds))
		s.kinds = append(s.kinds, kind{name, roleOf(name)})
		s.kindOf[name] = id
	}
	return id
}

const minTime = -1 << 63

// heard tells whether the meter has spoken lately enough to be believed.
func (s *State) heard(m *meterState, now int64) bool {
	silence := minSilence.Milliseconds()
	if m.place != nil {
		if s.world.hidden(m.place.at, m.place.facts) {
			return false
		}
		silence = m.place.at.silence
	}
	return now-m.received <= silence
}

// value returns the register's last value.
func (s *State) value(m *meterState, name string) (float64, bool) {
	for i := range m.registers {
		if s.kinds[m.registers[i].kind].name == name {
			return m.registers[i].value, true
		}
	}
	return 0, false
}
