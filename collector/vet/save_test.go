package vet_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/vet"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

func save(t testing.TB, v *vet.Vetter) []byte {
	t.Helper()
	var state bytes.Buffer
	saving := v.Save()
	for more := true; more; {
		var piece []byte
		piece, more = saving.Next()
		state.Write(piece)
	}
	return state.Bytes()
}

// reload gives the vetter of a later life.
func reload(t testing.TB, v *vet.Vetter, r *zone.Registry) *vet.Vetter {
	t.Helper()
	next := vet.New(r)
	if err := next.LoadState(bytes.NewReader(save(t, v))); err != nil {
		t.Fatal(err)
	}
	return next
}

// eventful is a stream of which every kind of thing is remembered.
func eventful(t testing.TB) *stream {
	t.Helper()
	s := newStream(mill(t, 600, 6))
	for _, x := range []at{{5 * minute, 999_000}, {20 * minute, 999_010}, {90 * minute, 12}, {91 * minute, 13}, {200 * minute, 3}, {201 * minute, 900},
		{30 * minute, 999_020}, {220 * minute, 901}, {40 * minute, 999_030}} {
		s.send(t, quarter+x.ms, x.value)
	}
	return s
}

// A life that loads a state goes on as the one that saved it, also for meters
// that the next but one life sees first.
func TestSavedState(t *testing.T) {
	t.Parallel()
	first := eventful(t)
	state := save(t, first.vetter)
	second := newStream(mill(t, 600, 6))
	second.series = series(7)
	second.series.Meter = "m0"
	second.vetter = reload(t, reload(t, first.vetter, nil), mill(t, 600, 6))
	if again := save(t, second.vetter); !bytes.Equal(again, state) {
		t.Error("a state that was loaded is saved as another")
	}
	for _, x := range []at{{50 * minute, 999_040}, {221 * minute, 902}, {195 * minute, 2}, {241 * minute, 4}} {
		for _, s := range []*stream{first, second} {
			s.send(t, quarter+x.ms, x.value)
		}
	}
	if second.emitted == 0 {
		t.Error("no blocks after a restart")
	}
	for start, got := range second.blocks {
		want := first.blocks[start]
		if got.Series, want.Series = nil, nil; got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

func TestDamagedState(t *testing.T) {
	t.Parallel()
	s := eventful(t)
	state := save(t, s.vetter)
	for cut := range state {
		if err := s.vetter.LoadState(bytes.NewReader(state[:cut])); !errors.Is(err, vet.ErrDamaged) {
			t.Fatalf("the first %d of %d bytes: %v", cut, len(state), err)
		}
		bad := bytes.Clone(state)
		bad[cut] ^= 0x10
		if err := s.vetter.LoadState(bytes.NewReader(bad)); !errors.Is(err, vet.ErrDamaged) {
			t.Fatalf("byte %d of %d is another: %v", cut, len(state), err)
		}
	}
	if !bytes.Equal(save(t, s.vetter), state) {
		t.Error("a damaged state has changed something")
	}
}

// Whatever is loaded with a right checksum can be lived with.
func FuzzLoadState(f *testing.F) {
	state := save(f, eventful(f).vetter)
	f.Add(state[:len(state)-4])
	f.Add(save(f, vet.New(nil))[:20])
	f.Fuzz(func(t *testing.T, state []byte) {
		state = binary.LittleEndian.AppendUint32(state, crc32.Checksum(state, crc32.MakeTable(crc32.Castagnoli)))
		s := newStream(nil)
		if err := s.vetter.LoadState(bytes.NewReader(state)); err != nil {
			return
		}
		for _, x := range []at{{0, 999_500}, {45 * minute, 5}, {10 * minute, 999_600}, {80 * minute, 999_700}, {300 * minute, 950}, {316 * minute, 960}} {
			r := meter.Reading{Series: s.series, Time: quarter + x.ms, Values: []meter.Value{{Register: s.register, Value: x.value}}}
			s.vetter.Check(&r, quarter+x.ms, nil)
			for _, b := range s.vetter.Intervals() {
				if !(b.Amount >= 0) {
					t.Fatalf("%+v", b)
				}
			}
		}
		save(t, s.vetter)
	})
}

// However many gaps there are, the state stays within its bound, and the latest
// are remembered.
func TestGapsAreBounded(t *testing.T) {
	t.Parallel()
	const (
		meters = 1200
		hours  = 400
	)
	v := vet.New(nil)
	all := make([]*meter.Series, meters)
	for i := range all {
		all[i] = series(i)
	}
	send := func(s *meter.Series, m int) []vet.Interval {
		r := meter.Reading{Series: s, Time: quarter + int64(m)*minute, Values: []meter.Value{{Register: "energy_import_kwh", Value: float64(m)}}}
		v.Check(&r, r.Time, nil)
		return v.Intervals()
	}
	for h := range hours {
		for _, s := range all {
			for m := range 3 {
				send(s, 60*h+m+1)
			}
		}
	}
	const knot, rest = 29, 300 // bytes saved
	if n, bound := len(save(t, v)), 1<<20*knot+meters*rest; n > bound || n < bound/2 {
		t.Errorf("a state of %d bytes, want up to %d", n, bound)
	}
	anew := 0
	for m := 4; m <= 30; m++ { // in the last gap: its second block is settled
		anew += len(send(all[0], 60*(hours-2)+m))
	}
	if anew != 1 {
		t.Errorf("%d blocks anew, want 1: the latest gap is forgotten", anew)
	}
}
