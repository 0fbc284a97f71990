package vet_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// told is what is said of a block.
type told struct {
	amount  float64
	quality meter.Quality
	reason  string
}

// quarters lists blocks from quarter on, or from a number before it.
func (s *stream) told(t *testing.T, from int, want []told) {
	t.Helper()
	if len(s.blocks) != len(want) {
		t.Errorf("%d blocks, want %d", len(s.blocks), len(want))
	}
	for i, w := range want {
		b, ok := s.blocks[quarter+int64(from+i)*block]
		if !ok || !near(b.Amount, w.amount) || b.Quality != w.quality || b.Reason != w.reason {
			t.Errorf("block %d (there: %v): %v %s %q, want %+v", from+i, ok, b.Amount, b.Quality, b.Reason, w)
		}
	}
}

// line is readings of one unit a minute, from and to in minutes, less a hole
// from one minute to another, both not included.
func line(from, to, hole, end int) []at {
	var all []at
	for m := from; m <= to; m++ {
		if m <= hole || m >= end {
			all = append(all, at{int64(m) * minute, 1000 + float64(m)})
		}
	}
	return all
}

func TestIntervals(t *testing.T) {
	t.Parallel()
	good := told{15, meter.Good, ""}
	estimated := func(v float64) told { return told{v, meter.Estimated, "gap"} }
	missing := func(v float64) told { return told{v, meter.Missing, "gap"} }
	none := line(0, 0, -1, 1)
	tests := []struct {
		name     string
		readings []at
		late     []at
		from     int
		want     []told
	}{
		{"from edge to edge", line(0, 30, 99, 99), nil, 0, []told{good, good}},
		{"the last is open", line(0, 29, 99, 99), nil, 0, []told{good}},
		{"first seen within", line(5, 30, 99, 99), nil, 0, []told{missing(10), good}},
		{"a line between the readings beside the edge", []at{{14*minute + 20_000, 10}, {15*minute + 20_000, 16}, {30 * minute, 20}}, nil,
			0, []told{missing(4), {6, meter.Good, ""}}},
		{"a gap within a block", line(0, 30, 3, 12), nil, 0, []told{good, good}},
		{"a gap that ends on an edge", line(0, 30, 3, 15), nil, 0, []told{good, good}},
		{"a gap over an edge", line(0, 45, 13, 17), nil, 0, []told{estimated(15), estimated(15), good}},
		{"a gap of two hours", line(0, 150, 14, 134), nil, 0, append(repeat(9, estimated(15)), good)},
		{"a gap of more", line(0, 150, 14, 135), nil, 0, append(repeat(9, missing(15)), good)},
		{"a gap, all of it late", line(0, 45, 13, 17), line(14, 16, 99, 99), 0, []told{good, good, good}},
		{"backwards", line(0, 45, 13, 17), []at{{16 * minute, 1016}, {15 * minute, 1015}, {14 * minute, 1014}}, 0, []told{good, good, good}},
		{"only the edge", line(0, 45, 13, 17), line(15, 15, 99, 99), 0, []told{good, good, good}},
		{"beside the edge", []at{{0, 0}, {14 * minute, 14}, {18 * minute, 48}, {30 * minute, 60}, {31 * minute, 61}}, []at{{16 * minute, 16}, {45 * minute, 75}},
			0, []told{estimated(15), estimated(45), good}},
		{"before the first", line(5, 30, 99, 99), line(0, 4, 99, 99), 0, []told{good, good}},
		{"before the first, backwards", line(5, 30, 99, 99), []at{{4 * minute, 1004}, {3 * minute, 1003}}, 0, []told{missing(12), good}},
		{"blocks before the first", line(5, 30, 99, 99), line(-33, 4, 99, 99), -3, []told{missing(3), good, good, good, good}},
		{"before the first, a gap", line(5, 30, 99, 99), []at{{-33 * minute, 967}, {-32 * minute, 968}, {45 * minute, 1045}}, -3,
			[]told{missing(3), estimated(15), estimated(15), estimated(15), good, good}},
		{"the first block still open", line(5, 7, 99, 99), append(line(-3, -2, 99, 99), at{15 * minute, 1015}), -1, []told{missing(3), estimated(15)}},
		{"before the first, but more", line(5, 30, 99, 99), []at{{0, 2000}}, 0, []told{missing(10), good}},
		{"late, but more than what follows", line(0, 45, 13, 17), []at{{15 * minute, 1017.5}}, 0, []told{estimated(15), estimated(15), good}},
		{"late, but less than what precedes", line(0, 45, 13, 17), []at{{15 * minute, 1012.5}}, 0, []told{estimated(15), estimated(15), good}},
		{"a reset in a gap: late from before it", []at{{0, 100}, {minute, 101}, {31 * minute, 3}, {32 * minute, 4}, {45 * minute, 5}, {46 * minute, 6}},
			[]at{{15 * minute, 115}, {30 * minute, 130}}, 0,
			[]told{good, good, {5, meter.Reset, "reset"}}},
		{"a reset in a gap: late from after it", []at{{0, 100}, {minute, 101}, {31 * minute, 33}, {32 * minute, 34}, {45 * minute, 47}, {46 * minute, 48}},
			[]at{{15 * minute, 17}, {30 * minute, 32}}, 0,
			[]told{{18, meter.Reset, "reset"}, good, {15, meter.Good, ""}}},
		{"40 days and more", append(none, at{41 * 24 * hour, 5000}, at{41*24*hour + block, 5015}), nil, 41 * 96, []told{good}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStream(mill(t, 600, 6))
			for _, x := range append(tt.readings, tt.late...) {
				s.send(t, quarter+x.ms, x.value)
			}
			s.told(t, tt.from, tt.want)
		})
	}
}

func repeat(n int, x told) []told {
	all := make([]told, n)
	for i := range all {
		all[i] = x
	}
	return all
}

// What remains of a gap comes out anew with the next block, so that the sum
// stays right.
func TestWhatRemainsOfAGap(t *testing.T) {
	t.Parallel()
	s := newStream(mill(t, 600, 6))
	for _, x := range []at{{0, 0}, {minute, 1}, {89 * minute, 90}, {90 * minute, 90}} {
		s.send(t, quarter+x.ms, x.value)
	}
	for m := int64(2); m <= 45; m++ { // twice the load first, then nothing
		s.send(t, quarter+m*minute, float64(2*m))
	}
	for m := int64(91); m <= 105; m++ {
		s.send(t, quarter+m*minute, max(90, float64(m)))
	}
	s.told(t, 0, []told{{30, meter.Good, ""}, {30, meter.Good, ""}, {30, meter.Good, ""},
		{0, meter.Estimated, "gap"}, {0, meter.Estimated, "gap"}, {0, meter.Estimated, "gap"}, {15, meter.Good, ""}})
}

// A stranger's usual step is learnt.
func TestLearntStep(t *testing.T) {
	t.Parallel()
	s := newStream(nil)
	s.send(t, quarter-hour, 1)
	s.send(t, quarter-hour+1000, 1) // a burst of two
	for m := int64(-59); m <= 120; m += 2 {
		s.send(t, quarter+m*minute, float64(100+m))
	}
	if b := s.blocks[quarter+6*block]; b.Quality != meter.Good {
		t.Errorf("%+v after an hour and a half of readings every two minutes", b)
	}
	s.send(t, quarter+136*minute, 236)
	if b := s.blocks[quarter+8*block]; b.Quality != meter.Estimated {
		t.Errorf("%+v over a gap", b)
	}
}

// A counter that comes with every tenth message of its meter has no gaps, and one
// that loses every other has them.
func TestStepBeyondThePlan(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		comes func(m int64) bool
		want  meter.Quality
	}{
		{"every tenth", func(m int64) bool { return m%10 == 3 }, meter.Good},
		{"half are lost", func(m int64) bool { return m%7 == 3 || m%5 == 1 || m%3 == 2 }, meter.Estimated},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStream(mill(t, 600, 6))
			for m := int64(0); m <= 8*60; m++ {
				if tt.comes(m) {
					s.send(t, quarter+m*minute, float64(m))
				} else if tt.want == meter.Good {
					r := meter.Reading{Series: s.series, Time: quarter + m*minute, Values: power(float64(m))}
					s.vetter.Check(&r, r.Time, nil)
				}
				if m == 7*60 {
					s.restart(t, mill(t, 600, 6))
				}
			}
			worst := meter.Good
			for i := range int64(8) {
				worst = worst.Worst(s.blocks[quarter+(22+i)*block].Quality)
			}
			if worst != tt.want {
				t.Errorf("the blocks are %s, want %s", worst, tt.want)
			}
		})
	}
}

// A clock that runs ahead and is set back counts nothing twice.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	s := newStream(mill(t, 600, 6))
	for m := int64(0); m <= 60; m++ {
		ahead := int64(0)
		if m > 11 && m < 40 {
			ahead = 4 * minute
		}
		s.send(t, quarter+m*minute+ahead, float64(m))
	}
	if len(s.blocks) != 4 || !near(s.sum(), 60) {
		t.Errorf("%d blocks of %v, want 60", len(s.blocks), s.sum())
	}
}

// In whatever order readings come, the blocks are those of the right order.
func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	registry := mill(t, 0, 0)
	rapid.Check(t, func(rt *rapid.T) {
		all := rapid.SliceOfNDistinct(rapid.IntRange(0, rapid.SampledFrom([]int{20, 60, 400, 3000}).Draw(rt, "minutes")), 2, 40, rapid.ID[int]).Draw(rt, "order")
		offset := rapid.Int64Range(-block, block).Draw(rt, "offset")
		if rapid.Bool().Draw(rt, "whole minutes") {
			offset = offset / minute * minute
		}
		values := make(map[int]float64)
		latest, earliest := all[0], all[0]
		for _, m := range all {
			latest, earliest = max(latest, m), min(earliest, m)
		}
		value, inOrder := 100.0, []int(nil)
		for m := earliest; m <= latest; m++ {
			for _, x := range all {
				if x == m {
					values[m] = value
					inOrder = append(inOrder, m)
					value += rapid.Float64Range(0, 50).Draw(rt, "step")
				}
			}
		}
		end := (latest/15 + 2) * 15
		run := func(order []int, restart bool) *stream {
			s := newStream(registry)
			for _, m := range order {
				if restart && rapid.Bool().Draw(rt, "restart") {
					s.restart(t, registry)
				}
				s.send(t, quarter+offset+int64(m)*minute, values[m])
			}
			last := quarter + offset + int64(latest)*minute
			for m := latest + 1; m <= end; m++ { // so that every block ends
				s.send(t, quarter+offset+int64(m)*minute, values[latest])
			}
			if sum := values[latest] - values[earliest]; !near(s.sum(), sum) {
				rt.Errorf("the sum is %v, want %v until %d", s.sum(), sum, last)
			}
			return s
		}
		want, got := run(inOrder, false), run(all, rapid.Bool().Draw(rt, "restarts"))
		if len(got.blocks) != len(want.blocks) {
			rt.Errorf("%d blocks, want %d", len(got.blocks), len(want.blocks))
		}
		for start, w := range want.blocks {
			g := got.blocks[start]
			if !near(g.Amount, w.Amount) || !near(g.Total, w.Total) || g.Quality != w.Quality || !near(g.Raw, w.Raw) {
				rt.Errorf("block %d: %+v, want %+v", (start-quarter)/block, g, w)
			}
		}
	})
}

// restart saves the state and goes on with it in another life, where the meter
// may have another index.
func (s *stream) restart(t testing.TB, r *zone.Registry) {
	t.Helper()
	s.vetter = reload(t, s.vetter, r)
}

// What the registry says of an exchange holds for late readings as well: their
// time tells which device they are of, and what it showed at the end counts once.
func TestLateAroundAnExchange(t *testing.T) {
	t.Parallel()
	kwh := func(v float64) map[string]float64 { return map[string]float64{"energy_import_kwh": v} }
	tests := []struct {
		name           string
		final, initial map[string]float64
		late           []at
		sum            float64
	}{
		{"the old one known, late from it", kwh(5010), nil, []at{{10 * minute, 5005}}, 10},
		{"the old one known, late from the new", kwh(5010), nil, []at{{30 * minute, 25}}, 25},
		{"the new one known, late from the old", nil, kwh(20), []at{{10 * minute, 5005}}, 25},
		{"nothing known, late from both", nil, nil, []at{{30 * minute, 25}, {10 * minute, 5005}}, 20},
		{"nothing known, late from the old, which had been reset", nil, nil, []at{{10 * minute, 3}}, 0},
		{"late from before the first", nil, nil, []at{{-30 * minute, 4}}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStream(mill(t, 600, 6, zone.Replacement{At: time.UnixMilli(quarter - 20*minute)},
				zone.Replacement{At: time.UnixMilli(quarter + 20*minute), Serial: "n", Final: tt.final, Initial: tt.initial}))
			for _, x := range append([]at{{0, 5000}, {40 * minute, 40}}, tt.late...) {
				s.send(t, quarter+x.ms, x.value)
			}
			s.send(t, quarter+60*minute, 40)
			if !near(s.sum(), tt.sum) {
				t.Errorf("the sum is %v, want %v", s.sum(), tt.sum)
			}
		})
	}
}

// A late reading from before the first makes a block good only if nothing
// happened in it, and none of more than can pass.
func TestLateBeforeTheFirst(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		first, then float64
		late        at
		want        told
	}{
		{"a reset behind it", 5000, 0, at{0, 4999}, told{1, meter.Missing, "reset"}},
		{"garbage", 9e8, 9e8, at{0, 0}, told{0, meter.Missing, "gap"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStream(nil)
			s.send(t, quarter+5*minute, tt.first)
			for _, m := range []int64{10, 15, 20} {
				s.send(t, quarter+m*minute, tt.then)
			}
			s.send(t, quarter+tt.late.ms, tt.late.value)
			s.told(t, 0, []told{tt.want})
		})
	}
}
