package vet

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/cespare/xxhash/v2"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// PrintSize is the size of one fingerprint, in bytes, and MaxRemembered the
// number kept: 12 MiB on disk, and twice that in memory. Four hundred meters
// that report every two seconds fill it in more than the hour, a hundred
// thousand that report every minute in ten minutes.
const (
	PrintSize     = 12
	MaxRemembered = 1 << 20
)

// print identifies a reading: key stands for its measurement, zone, meter,
// time and set of registers, values for their values.
//
// Two readings of one time with different registers have different keys: the
// database merges them, and neither is a duplicate. A false match, which would
// lose a reading, takes 96 equal bits; a correction passes for a repetition
// once in 2³².
type print struct {
	key    uint64
	values uint32
}

// identity hashes what names a meter. It is the same in every run: prints are
// stored.
func identity(s *meter.Series) uint64 {
	var d xxhash.Digest
	d.Reset()
	for _, part := range []string{string(s.Utility), s.Zone, s.Meter} {
		_, _ = d.WriteString(part) // never fails
		_, _ = d.Write([]byte{0})
	}
	return d.Sum64() | 1
}

// fingerprint hashes a reading whose registers have these rules. Their order does
// not matter.
func fingerprint(meter, id uint64, values []meter.Value, of []*rules) print {
	var set, all uint64
	for i := range values {
		name := of[i].hash
		set += mix(name)
		v := values[i].Value
		if v == 0 {
			v = 0 // -0 equals 0
		}
		all += mix(name ^ mix(math.Float64bits(v)))
	}
	return print{key: max(1, mix(meter^mix(id))^set), values: uint32(all >> 32)}
}

// mix scatters the bits of x: the finalizer of SplitMix64 (Steele, Lea and
// Flood 2014).
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

func (p print) append(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, p.key)
	return binary.LittleEndian.AppendUint32(dst, p.values)
}

func eachPrint(prints []byte, f func(print)) error {
	if len(prints)%PrintSize != 0 {
		return fmt.Errorf("read fingerprints: %d bytes are not a multiple of %d", len(prints), PrintSize)
	}
	for ; len(prints) > 0; prints = prints[PrintSize:] {
		f(print{
			key:    binary.LittleEndian.Uint64(prints),
			values: binary.LittleEndian.Uint32(prints[8:]),
		})
	}
	return nil
}

// memory remembers prints in two generations. When the younger is full, or an
// hour old, it becomes the elder and the elder is forgotten: at least half the
// bound and one window are always remembered, without a queue to keep.
type memory struct {
	max            int // in each generation
	younger, elder table
	since          int64 // when younger began, ms of receipt
}

func newMemory(max int) memory { return memory{max: max / 2} }

func (m *memory) get(key uint64) (values uint32, ok bool) {
	if values, ok = m.younger.get(key); !ok {
		values, ok = m.elder.get(key)
	}
	return values, ok
}

func (m *memory) put(p print, received int64) {
	if m.younger.len >= m.max || received-m.since > Window.Milliseconds() {
		m.elder, m.younger = m.younger, m.elder
		m.younger.clear()
		m.since = received
	}
	m.younger.put(p)
}
