package live

import "math"

const (
	secondMS  = int64(1000)
	minuteMS  = 60 * secondMS
	quarterMS = 15 * minuteMS
	hourMS    = 60 * minuteMS
	dayMS     = 24 * hourMS
)

// ring is the mean of up to three values by minute of event time. What comes
// out of order counts in its own minute as long as that is remembered. A value
// that is missing makes the means it is part of unknown. 16 bytes a minute.
type ring struct {
	Newest  int64 // minute since the epoch
	Minutes []minute
}

type minute struct {
	Sum [3]float32
	N   uint32
}

func newRing(minutes int) ring { return ring{Minutes: make([]minute, minutes)} }

func (r *ring) add(t int64, a, b, c float64) {
	at, n := t/minuteMS, int64(len(r.Minutes))
	if at > r.Newest {
		for m := max(r.Newest+1, at-n+1); m <= at; m++ {
			r.Minutes[m%n] = minute{}
		}
		r.Newest = at
	} else if at <= r.Newest-n {
		return
	}
	m := &r.Minutes[at%n]
	m.Sum[0] += float32(a)
	m.Sum[1] += float32(b)
	m.Sum[2] += float32(c)
	m.N++
}

func (r *ring) clear() {
	clear(r.Minutes)
	r.Newest = 0
}

// mean returns the means over the newest minutes that a window of so many holds.
func (r *ring) mean(minutes int64) (sum [3]float64) {
	var n uint32
	for m := r.Newest - minutes + 1; m <= r.Newest; m++ {
		if m < 0 {
			continue
		}
		b := &r.Minutes[m%int64(len(r.Minutes))]
		n += b.N
		for i := range sum {
			sum[i] += float64(b.Sum[i])
		}
	}
	for i := range sum {
		sum[i] /= float64(n) // NaN without any
	}
	return sum
}

// before returns the mean of the minute so many minutes back, or of the oldest
// remembered one after it; NaN without any.
func (r *ring) before(back int64) [3]float64 {
	for m := max(0, r.Newest-back); m < r.Newest; m++ {
		if b := &r.Minutes[m%int64(len(r.Minutes))]; b.N > 0 {
			n := float64(b.N)
			return [3]float64{float64(b.Sum[0]) / n, float64(b.Sum[1]) / n, float64(b.Sum[2]) / n}
		}
	}
	return [3]float64{math.NaN(), math.NaN(), math.NaN()}
}
