package decode

// sequence watches the message numbers of a node, 0 to 255 and round again, over
// all its topics.
type sequence struct {
	known   bool // the last number is
	last    uint8
	missing [4]uint64 // a bit for each number that was passed over
	lost    int       // of them
	since   int64     // when the first of them was missed, in ms
	sums    *[256]uint32
}

// order is where a message stands among those of its node.
type order uint8

const (
	inOrder  order = iota
	again          // it was here before: a redelivery
	late           // it was missed, and has come
	afterGap       // others are missing before it
)

// start begins anew with a birth.
func (s *sequence) start(n uint8, sum uint32) {
	s.known, s.last, s.lost, s.missing = true, n, 0, [4]uint64{}
	if s.sums == nil {
		s.sums = new([256]uint32)
	}
	clear(s.sums[:])
	s.sums[n] = sum
}

// take notes a message: its number, a hash of it, and when it came.
func (s *sequence) take(n uint8, sum uint32, now int64) order {
	if !s.known {
		s.start(n, sum)
		return inOrder
	}
	next := s.last + 1
	switch {
	case n == next:
		s.last = n
		s.found(n)
		s.sums[n] = sum
		return inOrder
	case s.sums[n] == sum:
		return again
	case s.found(n):
		s.sums[n] = sum
		return late
	}
	if s.lost == 0 {
		s.since = now
	}
	for ; next != n; next++ {
		if bit := uint64(1) << (next % 64); s.missing[next/64]&bit == 0 {
			s.missing[next/64] |= bit
			s.lost++
		}
	}
	s.last, s.sums[n] = n, sum
	return afterGap
}

// had tells whether a message came since the last birth.
func (s *sequence) had(n uint64, sum uint32) bool {
	return s.sums != nil && n < uint64(len(s.sums)) && s.sums[n] == sum
}

// found takes a number off those that are missing.
func (s *sequence) found(n uint8) bool {
	bit := uint64(1) << (n % 64)
	if s.missing[n/64]&bit == 0 {
		return false
	}
	s.missing[n/64] &^= bit
	s.lost--
	return true
}
