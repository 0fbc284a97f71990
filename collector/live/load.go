package live

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
)

// Load puts a saved state in force; it must come before the first reading. On
// an error nothing has changed, and a damaged state is ErrDamaged. What
// happened since it was saved is not known: silence counts from now. Unless it
// was saved at the very end, meters were heard after that, and alarmed on: what
// is saved is then true of none of them before it is heard again.
func (s *State) Load(r io.Reader, atTheEnd bool) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("read the live state: %w", err)
	}
	m, saved, err := decode(raw)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	registry := s.world.registry
	all := make([]facts, len(registry.Meters()))
	for _, f := range saved {
		if i, ok := registry.MeterIndex(f.Zone, f.Utility, f.Meter); ok {
			all[i] = f.Facts
		}
	}
	s.rebuild(registry, m, all)
	s.listening = s.now().UnixMilli()
	s.advanced = s.listening
	if !atTheEnd {
		s.doubt()
	}
	return nil
}

// doubt begins to listen anew: what is silent may have spoken, and what speaks
// may have fallen silent.
func (s *State) doubt() {
	s.doubted = s.listening
	for i := range s.world.facts {
		f := &s.world.facts[i]
		f.Silent, f.Recent = false, 0
	}
}

func decode(raw []byte) (m *memory, saved []savedFacts, err error) {
	const sumSize = 4
	if len(raw) < len(stateMagic)+sumSize || string(raw[:len(stateMagic)]) != stateMagic {
		return nil, nil, errors.New("it is cut short, or of another version")
	}
	body, sum := raw[:len(raw)-sumSize], binary.BigEndian.Uint32(raw[len(raw)-sumSize:])
	if got := crc32.Checksum(body, castagnoli); got != sum {
		return nil, nil, fmt.Errorf("its checksum is %08x, not %08x", got, sum)
	}
	decoder := gob.NewDecoder(bytes.NewReader(body[len(stateMagic):]))
	var h header
	if err := decoder.Decode(&h); err != nil {
		return nil, nil, fmt.Errorf("decode the header: %w", err)
	}
	m = newMemory()
	maps.Copy(m.Stages, h.Stages)
	maps.Copy(m.Gateways, h.Gateways)
	maps.Copy(m.Orders, h.Orders)
	for {
		var c chunk
		switch err := decoder.Decode(&c); {
		case errors.Is(err, io.EOF):
			return m, saved, nil
		case err != nil:
			return nil, nil, fmt.Errorf("decode a chunk: %w", err)
		}
		saved = append(saved, c.Facts...)
		m.add(&c.Memory)
	}
}

// add takes what another memory remembers.
func (m *memory) add(other *memory) {
	maps.Copy(m.Electric, other.Electric)
	maps.Copy(m.Pipes, other.Pipes)
	maps.Copy(m.Burners, other.Burners)
	maps.Copy(m.Tanks, other.Tanks)
	maps.Copy(m.Groups, other.Groups)
	maps.Copy(m.Gaps, other.Gaps)
	maps.Copy(m.Plants, other.Plants)
	maps.Copy(m.Silences, other.Silences)
	maps.Copy(m.Zones, other.Zones)
	if e := other.Events; e != nil {
		m.Events.Waiting, m.Events.Dropped = append(m.Events.Waiting, e.Waiting...), m.Events.Dropped+e.Dropped
	}
}
