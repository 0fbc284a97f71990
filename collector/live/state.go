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
// its memory is some 64 bytes a meter and 48 a register.
type State struct {
	now func() time.Time

	mu      sync.Mutex
	network *network
	meters  []meterState // by Series.Index
}

type meterState struct {
	series    *meter.Series
	place     *place // what it measures; nil: unregistered
	received  int64  // when it was last heard, ms
	registers []register
}

type register struct {
	name    string
	value   float64
	time    int64 // ms
	quality meter.Quality
}

// New returns an empty state over the registry.
func New(registry *zone.Registry, now func() time.Time) *State {
	return &State{network: newNetwork(registry), now: now}
}

// SetRegistry replaces the registry; values stay.
func (s *State) SetRegistry(registry *zone.Registry) {
	n := newNetwork(registry)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.network = n
	for i := range s.meters {
		if m := &s.meters[i]; m.series != nil {
			m.place = n.place(m.series)
		}
	}
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
	if r.Historical || r.Quality == meter.Late {
		return
	}
	for i := range r.Values {
		v := &r.Values[i]
		reg := m.register(i, v.Register)
		if r.Time >= reg.time {
			reg.value, reg.time, reg.quality = v.Value, r.Time, r.Quality
		}
	}
}

func (s *State) meter(series *meter.Series) *meterState {
	for len(s.meters) <= series.Index {
		s.meters = append(s.meters, meterState{})
	}
	m := &s.meters[series.Index]
	if m.series == nil {
		m.series = series
		m.place = s.network.place(series)
	}
	return m
}

// register returns the slot for name. Meters repeat their registers in the
// same order, so the hint is nearly always right.
func (m *meterState) register(hint int, name string) *register {
	if hint < len(m.registers) && m.registers[hint].name == name {
		return &m.registers[hint]
	}
	for i := range m.registers {
		if m.registers[i].name == name {
			return &m.registers[i]
		}
	}
	if len(m.registers) == cap(m.registers) {
		// Grown by hand: append would double what hardly ever grows again.
		grown := make([]register, len(m.registers), len(m.registers)+4)
		copy(grown, m.registers)
		m.registers = grown
	}
	m.registers = append(m.registers, register{name: name, time: minTime})
	return &m.registers[len(m.registers)-1]
}

const minTime = -1 << 63

// heard tells whether the meter has spoken lately enough to be believed.
func (m *meterState) heard(now int64) bool {
	silence := minSilence
	if m.place != nil {
		silence = max(silence, silentIntervals*m.place.interval)
	}
	return now-m.received <= silence.Milliseconds()
}

// value returns the register's last value.
func (m *meterState) value(name string) (float64, bool) {
	for i := range m.registers {
		if m.registers[i].name == name {
			return m.registers[i].value, true
		}
	}
	return 0, false
}
