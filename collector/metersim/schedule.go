package metersim

import (
	"math/rand/v2"
	"time"
)

// schedule says whose turn is next and when, in milliseconds of the simulated
// clock since the epoch. Times never go back.
type schedule interface {
	next() (probe int, at float64)
}

// turns lets n meters take turns, a message every spacing milliseconds.
type turns struct {
	n       int
	start   float64
	spacing float64
	count   int64
}

func (t *turns) next() (int, float64) {
	i := int(t.count % int64(t.n))
	at := t.start + float64(t.count)*t.spacing
	t.count++
	return i, at
}

// intervals lets every meter report at its own interval: a binary heap of the
// meters by the time they are due.
type intervals struct {
	heap   []due
	every  []float64 // ms, by meter
	jitter float64   // ms
	rand   *rand.Rand
}

type due struct {
	at    float64 // with jitter
	plain float64 // without
	probe int
}

// newIntervals spreads the meters' first reports over their intervals.
func newIntervals(start float64, every []float64, jitter time.Duration, r *rand.Rand) *intervals {
	s := &intervals{every: every, jitter: float64(jitter) / 1e6, rand: r}
	for i, interval := range every {
		s.push(due{plain: start + interval*r.Float64(), probe: i})
	}
	return s
}

func (s *intervals) next() (int, float64) {
	d := s.heap[0]
	last := len(s.heap) - 1
	s.heap[0] = s.heap[last]
	s.heap = s.heap[:last]
	s.down(0)
	i, at := d.probe, d.at
	d.plain += s.every[i]
	s.push(d)
	return i, at
}

func (s *intervals) push(d due) {
	d.at = d.plain + s.jitter*s.rand.Float64()
	s.heap = append(s.heap, d)
	for i := len(s.heap) - 1; i > 0; {
		parent := (i - 1) / 2
		if s.heap[parent].at <= s.heap[i].at {
			return
		}
		s.heap[parent], s.heap[i] = s.heap[i], s.heap[parent]
		i = parent
	}
}

func (s *intervals) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(s.heap); child++ {
			if s.heap[child].at < s.heap[least].at {
				least = child
			}
		}
		if least == i {
			return
		}
		s.heap[least], s.heap[i] = s.heap[i], s.heap[least]
		i = least
	}
}
