package forecast

import (
	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
)

const (
	// leastPoints are what Sen's interval needs; with fewer, the profile or Holt.
	leastPoints = 8
	// mostPoints are enough for a median of slopes: 190 pairs.
	mostPoints = 20
	// rise is what ends a history: a delivery that nobody has cut, l.
	rise = 200
)

// history is what is left in a plant's tanks, one sample a quarter of an hour,
// since the last delivery.
type history struct {
	samples []snapshot.Sample
	xs, ys  []float64 // usual and actual consumption since the first, l
	tx, ty  []float64 // some of them
	pairs   []float64 // memory of theilSen
}

// gather adds up the histories of tanks where all have a sample, from no
// earlier than from, and cuts at rises.
func (h *history) gather(tanks []int, snap *snapshot.Snapshot, from int64) {
	h.samples = h.samples[:0]
	for i, t := range tanks {
		if i == 0 {
			h.samples = append(h.samples, snap.Tanks[t].History...)
			continue
		}
		h.add(snap.Tanks[t].History)
	}
	cut := 0
	for i := range h.samples {
		if h.samples[i].Time < from {
			cut = i + 1
		} else if i > 0 && h.samples[i].Value > h.samples[i-1].Value+rise {
			cut = i
		}
	}
	h.samples = append(h.samples[:0], h.samples[cut:]...)
}

// add keeps the samples whose time is in both, with the sum.
func (h *history) add(other []snapshot.Sample) {
	kept, j := h.samples[:0], 0
	for _, s := range h.samples {
		for j < len(other) && other[j].Time < s.Time {
			j++
		}
		if j < len(other) && other[j].Time == s.Time {
			kept = append(kept, snapshot.Sample{Time: s.Time, Value: s.Value + other[j].Value})
		}
	}
	h.samples = kept
}

// measure lays the history over the usual consumption.
func (h *history) measure(u *usual) {
	h.xs, h.ys = h.xs[:0], h.ys[:0]
	x := 0.0
	for i, s := range h.samples {
		if i > 0 {
			x += u.between(h.samples[i-1].Time, s.Time)
		}
		h.xs, h.ys = append(h.xs, x), append(h.ys, h.samples[0].Value-s.Value)
	}
}

// slope is Theil and Sen's, of some points that are evenly spread and end with
// the last.
func (h *history) slope() (slope, bool) {
	h.tx, h.ty = h.tx[:0], h.ty[:0]
	n := len(h.xs)
	every := (n + mostPoints - 1) / mostPoints
	for i := (n - 1) % every; i < n; i += every {
		h.tx, h.ty = append(h.tx, h.xs[i]), append(h.ty, h.ys[i])
	}
	s, ok, pairs := theilSen(h.tx, h.ty, z10, h.pairs)
	h.pairs = pairs
	return s, ok
}

// noise is the variance of consumption per litre of the usual, in the long run,
// and how many independent samples tell it. What is left of each quarter of an
// hour after the slope is taken to be an AR(1) process, whose sums grow by
// (1+φ)/(1−φ). A short series says little of φ: what is assumed weighs in.
func (h *history) noise(slope float64) (perLitre, independent float64) {
	var squares, products, last, n float64
	for i := 1; i < len(h.xs); i++ {
		usual := h.xs[i] - h.xs[i-1]
		if usual <= 0 {
			last = 0
			continue
		}
		e := h.ys[i] - h.ys[i-1] - slope*usual
		squares += e * e
		products += e * last
		last = e
		n++
	}
	if squares == 0 || n == 0 {
		return 0, 0
	}
	phi := max(0, min(0.95, (products/squares*n+memoryWeight*memory)/(n+memoryWeight)))
	return squares / h.xs[len(h.xs)-1] * (1 + phi) / (1 - phi), n * (1 - phi*phi) / (1 + phi*phi)
}

// memory is the assumed φ of quarters of an hour, a memory of some two hours,
// and memoryWeight how many of them it counts for†.
const (
	memory       = 0.91
	memoryWeight = 32
)
