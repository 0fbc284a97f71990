package zone

import (
	"cmp"
	"math"
	"slices"
)

// span is a stretch of time from its start up to, but not including, its end:
// milliseconds since the epoch.
type span struct{ start, end int64 }

// always is the span without ends.
var always = span{math.MinInt64, math.MaxInt64}

func (s span) empty() bool { return s.end <= s.start }

func (s span) has(ms int64) bool { return s.start <= ms && ms < s.end }

// within is what s and t have in common, possibly nothing.
func (s span) within(t span) span { return span{max(s.start, t.start), min(s.end, t.end)} }

// merge sorts spans and joins those that touch or overlap, in place.
func merge(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && s.start <= out[n-1].end {
			out[n-1].end = max(out[n-1].end, s.end)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// without cuts the holes out of spans; both are merged, and so is the result.
func without(spans, holes []span) []span {
	var out []span
	for _, s := range spans {
		for _, h := range holes {
			if h.end <= s.start || h.start >= s.end {
				continue
			}
			if h.start > s.start {
				out = append(out, span{s.start, h.start})
			}
			s.start = h.end
		}
		if !s.empty() {
			out = append(out, s)
		}
	}
	return out
}

// around finds where ms lies in merged spans: in one of them, or in the gap
// before next, which is their number if there is no later one. bounds is that
// span or gap.
func around(spans []span, ms int64) (bounds span, next int, inside bool) {
	next, _ = slices.BinarySearchFunc(spans, ms, func(s span, ms int64) int {
		if s.end <= ms {
			return -1
		}
		return 1
	})
	if next < len(spans) && spans[next].has(ms) {
		return spans[next], next, true
	}
	bounds = always
	if next > 0 {
		bounds.start = spans[next-1].end
	}
	if next < len(spans) {
		bounds.end = spans[next].start
	}
	return bounds, next, false
}
