package vet

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// The saved state is
//
//	magic and version │ meters: identity, counters, their gaps │ 0 │ CRC-32C of all before
//
// every number little-endian. Meters go by the hash of their identity, which is
// the same in every run: 9 bytes for a meter and some 160 for a counter.
const stateMagic = "imdad vet 2\n"

// ErrDamaged is returned for a saved state that cannot be believed.
var ErrDamaged = errors.New("the saved state of vetting is damaged")

// maxSaved bounds the meters of a saved state.
const maxSaved = 1 << 22

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// savedAtOnce is how many meters are a piece of the saved state: 1 to 2 ms.
const savedAtOnce = 1000

// Saving is a state that is being saved, for LoadState in a later life. Readings
// may be checked between its pieces: each meter is saved as of its piece.
type Saving struct {
	head   string // until it is written
	meters []savedMeter
	coder  coder
	sum    uint32
}

type savedMeter struct {
	identity uint64
	device   *device
}

// Save begins to save what is known of counters.
func (v *Vetter) Save() *Saving {
	s := &Saving{head: stateMagic, meters: make([]savedMeter, 0, len(v.meters)+len(v.saved))}
	for i := range v.meters {
		s.add(v.meters[i].hash, v.meters[i].device)
	}
	for identity, d := range v.saved {
		s.add(identity, d)
	}
	return s
}

func (s *Saving) add(identity uint64, d *device) {
	if d != nil && len(d.counters) > 0 {
		s.meters = append(s.meters, savedMeter{identity, d})
	}
}

// Next returns the next piece, valid until the next call, and whether there are
// more.
func (s *Saving) Next() (piece []byte, more bool) {
	c := &s.coder
	c.buf = append(c.buf[:0], s.head...)
	s.head = ""
	n := min(len(s.meters), savedAtOnce)
	for i := range s.meters[:n] {
		c.u64(&s.meters[i].identity)
		c.device(s.meters[i].device)
	}
	s.meters = s.meters[n:]
	if more = len(s.meters) > 0; !more {
		var end uint64 // no meter's identity
		c.u64(&end)
	}
	if s.sum = crc32.Update(s.sum, castagnoli, c.buf); !more {
		c.buf = binary.LittleEndian.AppendUint32(c.buf, s.sum)
	}
	return c.buf, more
}

// LoadState reads what a Saving has made, before the first Check. A damaged state
// is an error, and changes nothing.
func (v *Vetter) LoadState(r io.Reader) error {
	s := coder{in: bufio.NewReaderSize(r, 1<<16)}
	if magic := s.read(len(stateMagic)); s.err == nil && string(magic) != stateMagic {
		return fmt.Errorf("%w: it does not begin with its name and version", ErrDamaged)
	}
	saved, knots := make(map[uint64]*device), 0
	for s.err == nil {
		var identity uint64
		if s.u64(&identity); identity == 0 {
			break
		}
		d := &device{}
		s.device(d)
		for i := range d.counters {
			knots += d.counters[i].past.size()
		}
		saved[identity] = d
		s.check(len(saved) <= maxSaved && knots <= 2*maxKnots)
	}
	want := s.sum
	var got uint32
	if s.u32(&got); s.err == nil && got != want {
		s.err = errors.New("its checksum is wrong")
	}
	if s.err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, s.err)
	}
	v.saved, v.knots = saved, knots
	for i := range v.meters {
		v.meters[i] = meterState{} // looked up anew
	}
	return nil
}

// coder writes to buf, or reads from in, what its methods are given: a state is
// described once for both.
type coder struct {
	buf []byte
	in  *bufio.Reader // nil: it writes
	sum uint32        // of what was read
	err error
}

// read returns the next bytes, at most 255, or zeroes behind an error.
func (s *coder) read(n int) []byte {
	if cap(s.buf) < 255 {
		s.buf = make([]byte, 255)
	}
	b := s.buf[:n]
	if s.err == nil {
		_, s.err = io.ReadFull(s.in, b)
	}
	if s.err != nil {
		clear(b)
	}
	s.sum = crc32.Update(s.sum, castagnoli, b)
	return b
}

// check makes an error of what cannot be.
func (s *coder) check(ok bool) {
	if s.err == nil && s.in != nil && !ok {
		s.err = errors.New("it holds what cannot be")
	}
}

func (s *coder) u8(x *uint8) {
	if s.in == nil {
		s.buf = append(s.buf, *x)
		return
	}
	*x = s.read(1)[0]
}

func (s *coder) u32(x *uint32) {
	if s.in == nil {
		s.buf = binary.LittleEndian.AppendUint32(s.buf, *x)
		return
	}
	*x = binary.LittleEndian.Uint32(s.read(4))
}

func (s *coder) u64(x *uint64) {
	if s.in == nil {
		s.buf = binary.LittleEndian.AppendUint64(s.buf, *x)
		return
	}
	*x = binary.LittleEndian.Uint64(s.read(8))
}

func (s *coder) i32(x *int32) {
	u := uint32(*x)
	s.u32(&u)
	*x = int32(u)
	s.check(*x >= 0)
}

// time is in ms, and small enough to reckon with.
func (s *coder) time(x *int64) {
	u := uint64(*x)
	s.u64(&u)
	*x = int64(u)
	s.check(*x >= 0 && *x < math.MaxInt64/4)
}

func (s *coder) float(x *float64) {
	u := math.Float64bits(*x)
	s.u64(&u)
	*x = math.Float64frombits(u)
	s.check(math.Abs(*x) <= math.MaxFloat64/4)
}

func (s *coder) name(x *string) {
	n := uint8(len(*x)) // at most meter.MaxNameLen
	s.u8(&n)
	if s.in == nil {
		s.buf = append(s.buf, *x...)
		return
	}
	*x = strings.Clone(string(s.read(int(n))))
	s.check(meter.ValidRegister(*x))
}

func (s *coder) point(x *point) {
	s.time(&x.time)
	s.float(&x.total)
	s.float(&x.raw)
}

func (s *coder) mark(x *mark) {
	s.u8((*uint8)(&x.quality))
	s.u8((*uint8)(&x.why))
	s.check(int(x.quality) < meter.Qualities && int(x.why) < len(findingNames))
}

func (s *coder) device(d *device) {
	n := uint8(len(d.counters))
	s.u8(&n)
	if s.check(n <= maxCounters); s.in != nil && s.err == nil {
		d.counters = make([]counter, n)
	}
	for i := range d.counters {
		s.counter(&d.counters[i])
	}
}

func (s *coder) counter(c *counter) {
	s.name(&c.register)
	s.float(&c.last.Value)
	s.time(&c.last.Time)
	s.i32(&c.last.Epoch)
	s.float(&c.offset)
	s.float(&c.before.value)
	s.float(&c.before.offset)
	s.i32(&c.still)
	s.i32(&c.step)
	s.point(&c.block.start)
	s.mark(&c.block.edge)
	s.mark(&c.block.marks)
	s.time(&c.first.time)
	s.float(&c.first.value)
	s.float(&c.first.end)
	s.mark(&c.inFirst)
	sealed := uint8(0)
	if c.sealed {
		sealed = 1
	}
	s.u8(&sealed)
	c.sealed = sealed != 0
	s.check(c.last.Time > 0 && c.first.time <= c.block.start.time && c.block.start.time <= c.last.Time &&
		c.last.Time-c.block.start.time < BlockMS)
	s.history(c)
}

// history codes the gaps of a counter.
func (s *coder) history(c *counter) {
	n := uint32(c.past.size())
	s.u32(&n)
	if n == 0 {
		return
	}
	if s.in != nil {
		c.past = &past{}
	}
	p := c.past
	s.time(&p.stale.from)
	s.time(&p.stale.to)
	s.check(p.stale.from%BlockMS == 0 && p.stale.to%BlockMS == 0 && p.stale.to-p.stale.from <= 2*maxGap)
	for i := range int(n) {
		if s.in != nil {
			if s.err != nil {
				return
			}
			p.knots = append(p.knots, knot{})
		}
		k := &p.knots[i]
		s.point(&k.point)
		s.u8((*uint8)(&k.link))
		s.mark(&k.mark)
		s.check(k.link <= openLost && k.time <= c.last.Time)
		if i == 0 {
			s.check(k.link == blank)
			continue
		}
		step := k.time - p.knots[i-1].time
		s.check(step > 0 && (k.link == blank || step <= maxGap))
	}
}
