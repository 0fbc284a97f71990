package collector

import (
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/live"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/vet"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// Stream is what a message passes before anything is stored:
//
//	message ─► decode ─► vet ─┬─► keep     each reading that is no duplicate
//	              │           ├─► live     the same, with what a partial one left out
//	              │           └─► blocks   what counters counted, by 15 minutes
//	              └─ commands ─► devices
//
// It is safe for concurrent use.
type Stream struct {
	live *live.State
	seen *sightings // nil: nobody asks for unregistered meters

	mu      sync.Mutex
	decoder *decode.Decoder
	vetter  *vet.Vetter
	out     decode.Readings
	blocks  []vet.Interval // not yet taken; bounded by what the batches in flight can end
}

// NewStream makes a stream that names meters through catalog and tells state of
// what passes.
func NewStream(sources []decode.Source, catalog *meter.Catalog, registry *zone.Registry, state *live.State) *Stream {
	return &Stream{live: state, decoder: decode.New(sources, catalog), vetter: vet.New(registry)}
}

// Keeper takes what a message brings. The arguments are valid during the call.
type Keeper interface {
	// Duplicate is told of a reading that was stored before.
	Duplicate(*meter.Reading)
	// Keep takes a reading to store. conflicting says that it replaces other
	// values of the same registers at the same time.
	Keep(r *meter.Reading, conflicting bool)
	// Remember takes what the decoder must find again after a crash.
	Remember(decode.Saved)
}

// Take lets a message pass. It appends the fingerprints of what is kept to
// prints. The error is a *decode.Reject.
func (s *Stream) Take(m *decode.Message, keeper Keeper, prints []byte) (decode.Result, []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	result, err := s.decoder.Decode(*m, &s.out)
	if err != nil {
		return result, prints, err
	}
	if g := s.out.Gateway(); g != nil {
		s.live.Gateway(g.Zone, g.ID, g.Online, m.Received)
	}
	for _, series := range s.out.Stale() {
		s.live.Stale(series, m.Received)
		s.vetter.Forget(series)
	}
	for _, saved := range s.out.Saved() {
		keeper.Remember(saved)
	}
	readings := s.out.All()
	if m.Retained && !clocksValid(readings, m.Received) {
		return decode.Ignored, prints, nil
	}
	if s.seen != nil && !s.registered(readings) {
		source, profile := s.out.Source()
		s.seen.note(m.Topic, m.Payload, m.Received, source, profile, readings)
	}
	for i := range readings {
		prints = s.vet(&readings[i], m.Received, keeper, prints)
	}
	return result, prints, nil
}

func (s *Stream) vet(r *meter.Reading, received int64, keeper Keeper, prints []byte) []byte {
	verdict, prints := s.vetter.Check(r, received, prints)
	if verdict == vet.Duplicate {
		keeper.Duplicate(r)
		return prints
	}
	keeper.Keep(r, verdict == vet.Conflict)
	s.live.Update(s.vetter.Whole(r), received)
	s.blocks = append(s.blocks, s.vetter.Intervals()...)
	return prints
}

// registered tells whether all readings are of meters that the registry knows.
func (s *Stream) registered(readings []meter.Reading) bool {
	for i := range readings {
		if !s.vetter.Registered(readings[i].Series) {
			return false
		}
	}
	return true
}

// clocksValid tells whether all readings have a time of their own that can be
// believed. A retained message without one could be of any age.
func clocksValid(readings []meter.Reading, received int64) bool {
	return !slices.ContainsFunc(readings, func(r meter.Reading) bool { return !vet.ClockValid(r.Time, received) })
}

// LoadPrints remembers fingerprints that Take had given in an earlier life.
func (s *Stream) LoadPrints(prints []byte, now int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.vetter.Load(prints, now)
}

// LoadState reads what SaveState has saved.
func (s *Stream) LoadState(r io.Reader) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.vetter.LoadState(r)
}

// Restore gives back what Remember was given in an earlier life.
func (s *Stream) Restore(key string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.decoder.Restore(key, value)
}

// Commands appends what devices are to be told at a time in ms.
func (s *Stream) Commands(now int64, to []decode.Command) []decode.Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.decoder.Commands(now, to)
}

// Blocks takes the intervals that have ended or changed since the last call.
func (s *Stream) Blocks(into []vet.Interval) []vet.Interval {
	s.mu.Lock()
	defer s.mu.Unlock()
	into = append(into, s.blocks...)
	s.blocks = s.blocks[:0]
	return into
}

// SaveState saves what vetting knows while messages go on to pass. All that it
// has made of them by then is in the blocks that Blocks gives afterwards, or has
// given.
func (s *Stream) SaveState(w io.Writer) error {
	s.mu.Lock()
	saving := s.vetter.Save()
	s.mu.Unlock()
	for more := true; more; {
		var piece []byte
		s.mu.Lock()
		piece, more = saving.Next()
		s.mu.Unlock()
		if _, err := w.Write(piece); err != nil {
			return fmt.Errorf("save the state of vetting: %w", err)
		}
	}
	return nil
}

// counts returns what vetting found, by its name, and how many metrics decoding
// has passed over.
func (s *Stream) counts() (found map[string]int64, passed int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.vetter.Findings(), s.decoder.Skipped()
}

// SetRegistry puts a new registry in force.
func (s *Stream) SetRegistry(r *zone.Registry) {
	s.mu.Lock()
	s.vetter.SetRegistry(r)
	s.mu.Unlock()
	s.live.SetRegistry(r)
	if s.seen != nil {
		s.seen.use(r)
	}
}
