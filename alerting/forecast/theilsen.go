package forecast

import "math"

// slope is a robust slope with a confidence interval.
type slope struct{ mid, low, high float64 }

// theilSen returns the median of the slopes between all pairs of points, and
// the interval of Sen at z standard deviations: with N pairs and
// C = z·√(n(n−1)(2n+5)/18), Kendall's, it reaches from the ⌊(N−C)/2⌋th smallest
// slope to the as many'th largest. P. K. Sen, JASA 63 (1968) 1379; Hollander &
// Wolfe, Nonparametric Statistical Methods, 9.2–9.3. Pairs with equal x say
// nothing; ok is false if there are none else. xs must not fall. work is memory
// that is used and returned.
func theilSen(xs, ys []float64, z float64, work []float64) (s slope, ok bool, _ []float64) {
	work = work[:0]
	for i := range xs {
		for j := i + 1; j < len(xs); j++ {
			if d := xs[j] - xs[i]; d > 0 {
				work = append(work, (ys[j]-ys[i])/d)
			}
		}
	}
	pairs := len(work)
	if pairs == 0 {
		return slope{}, false, work
	}
	n := float64(len(xs))
	c := z * math.Sqrt(n*(n-1)*(2*n+5)/18)
	m := max(1, min(int((float64(pairs)-c)/2), (pairs+1)/2))
	s.mid = nth(work, pairs/2)
	if pairs%2 == 0 {
		s.mid = (s.mid + highest(work[:pairs/2])) / 2
	}
	s.low, s.high = nth(work, m-1), nth(work, pairs-m)
	return s, true, work
}

func highest(v []float64) float64 {
	top := v[0]
	for _, x := range v {
		top = max(top, x)
	}
	return top
}

// nth puts the k-th smallest value (from 0) at its place, smaller ones before
// it, larger ones behind, and returns it: Hoare's quickselect.
func nth(v []float64, k int) float64 {
	low, high := 0, len(v)-1
	for low < high {
		pivot := v[(low+high)/2]
		i, j := low, high
		for i <= j {
			for v[i] < pivot {
				i++
			}
			for v[j] > pivot {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			high = j
		case k >= i:
			low = i
		default:
			return v[k]
		}
	}
	return v[k]
}
