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
	"slices"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// The saved state is
//
//	magic and version │ gob: header, chunk, chunk, … │ CRC-32C of all before, big-endian
//
// Everything is by name, since the registry may have changed before it is
// read again.
const stateMagic = "imdad live 1\n"

// ErrDamaged is returned for a saved state that cannot be believed.
var ErrDamaged = errors.New("the saved live state is damaged")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header is what is saved once.
type header struct {
	Stages   map[string]int
	Gateways map[gatewayKey]*gateway
	Orders   map[string]*order
}

// chunk is some of what is saved of meters and objects.
type chunk struct {
	Facts  []savedFacts
	Memory memory
}

type savedFacts struct {
	Zone    string
	Utility meter.Utility
	Meter   string
	Facts   facts
}

// chunkSize bounds how long the stream is held up by saving: a chunk takes a
// few milliseconds.
const chunkSize = 512

// Save writes the state. It holds the stream up for a few milliseconds at a
// time, so what it writes of different meters may be some readings apart.
func (s *State) Save(w io.Writer) error {
	sum := crc32.New(castagnoli)
	var buf bytes.Buffer
	encoder := gob.NewEncoder(&buf)
	flush := func(fill func() any) error {
		s.mu.Lock()
		err := encoder.Encode(fill())
		s.mu.Unlock()
		if err == nil {
			_, err = io.MultiWriter(sum, w).Write(buf.Bytes())
		}
		buf.Reset()
		return err
	}
	buf.WriteString(stateMagic)
	err := flush(func() any {
		m := s.world.memory
		return header{Stages: m.Stages, Gateways: m.Gateways, Orders: m.Orders}
	})
	for _, next := range s.sections() {
		for more := true; more && err == nil; {
			err = flush(func() any {
				var c chunk
				more = next(&c)
				return c
			})
		}
	}
	if err == nil {
		err = binary.Write(w, binary.BigEndian, sum.Sum32())
	}
	if err != nil {
		return fmt.Errorf("save the live state: %w", err)
	}
	return nil
}

// sections returns what fills chunks, one kind of thing after another. Each is
// called with State.mu held until it says that nothing is left.
func (s *State) sections() []func(*chunk) bool {
	at := 0
	meters := func(c *chunk) bool {
		all := s.world.registry.Meters()
		for ; at < len(all) && len(c.Facts) < chunkSize; at++ {
			if f := s.world.facts[at]; f.Heard > 0 || f.Silent {
				m := &all[at]
				c.Facts = append(c.Facts, savedFacts{m.Zone, m.Utility, m.ID, f})
			}
		}
		return at < len(all)
	}
	memory := func() *memory { return s.world.memory }
	// Last: of what a tank has ended meanwhile, the event is not lost.
	events := func(c *chunk) bool {
		c.Memory.Events = &tankEvents{slices.Clone(memory().Events.Waiting), memory().Events.Dropped}
		return false
	}
	return []func(*chunk) bool{
		meters,
		section(s, func() map[string]*electric { return memory().Electric }, func(c *chunk) *map[string]*electric { return &c.Memory.Electric }),
		section(s, func() map[string]*pipe { return memory().Pipes }, func(c *chunk) *map[string]*pipe { return &c.Memory.Pipes }),
		section(s, func() map[burnerKey]*burner { return memory().Burners }, func(c *chunk) *map[burnerKey]*burner { return &c.Memory.Burners }),
		section(s, func() map[string]*tank { return memory().Tanks }, func(c *chunk) *map[string]*tank { return &c.Memory.Tanks }),
		section(s, func() map[groupKey]*group { return memory().Groups }, func(c *chunk) *map[groupKey]*group { return &c.Memory.Groups }),
		section(s, func() map[string]*gap { return memory().Gaps }, func(c *chunk) *map[string]*gap { return &c.Memory.Gaps }),
		section(s, func() map[string]*plantBook { return memory().Plants }, func(c *chunk) *map[string]*plantBook { return &c.Memory.Plants }),
		section(s, func() map[string]*silence { return memory().Silences }, func(c *chunk) *map[string]*silence { return &c.Memory.Silences }),
		section(s, func() map[string]*zoneBook { return memory().Zones }, func(c *chunk) *map[string]*zoneBook { return &c.Memory.Zones }),
		events,
	}
}

// section deals out a map of the memory. A registry that changes meanwhile
// takes some of its keys away.
func section[K comparable, V any](s *State, from func() map[K]*V, to func(*chunk) *map[K]*V) func(*chunk) bool {
	s.mu.Lock()
	keys := slices.Collect(maps.Keys(from()))
	s.mu.Unlock()
	return func(c *chunk) bool {
		part := make(map[K]*V)
		n := min(len(keys), chunkSize)
		for _, k := range keys[:n] {
			if v, ok := from()[k]; ok {
				part[k] = v
			}
		}
		*to(c) = part
		keys = keys[n:]
		return len(keys) > 0
	}
}
