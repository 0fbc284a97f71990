package forecast

import "math"

const (
	// z10 is the quantile of the normal distribution at 90 %, and t10 Student's
	// with 5 degrees of freedom: the noise is known from some days at most.
	z10 = 1.2816
	t10 = 1.4759
	// maxHours is as far as anybody looks, 60 days: beyond it, nothing is in sight.
	maxHours = 60 * 24
	// least is the share of its usual consumption below which a tank is not
	// being emptied.
	least = 0.02
)

// level is how much of its usual consumption a plant uses now.
type level struct {
	share    float64
	variance float64
	perLitre float64 // ν²: variance of consumption per litre of the usual, l
	weight   float64 // of perLitre, in independent samples
}

// emptied returns after how many litres of usual consumption volume litres are
// used up: p10, p50, p90. See the package's comment.
func (l *level) emptied(volume float64) [3]float64 {
	never := math.Inf(1)
	if l.share < least {
		return [3]float64{never, never, never}
	}
	a := l.share*l.share - t10*t10*l.variance
	b := 2*l.share*volume + t10*t10*l.perLitre
	root := math.Sqrt(max(0, b*b-4*a*volume*volume))
	q := [3]float64{2 * volume * volume / (b + root), volume / l.share, never}
	if a > 0 {
		q[2] = (b + root) / (2 * a)
	}
	return q
}

// believe weighs what was observed against what was expected, both with their
// variances: the usual update of a normal mean.
func (l *level) believe(observed, variance float64) {
	if math.IsInf(l.variance, 1) {
		l.share, l.variance = observed, variance
		return
	}
	w := l.variance / (l.variance + variance)
	l.share += w * (observed - l.share)
	l.variance *= 1 - w
}

// weighIn takes another estimate of the noise in, by independent samples.
func (l *level) weighIn(perLitre, independent float64) {
	l.perLitre = (l.weight*l.perLitre + independent*perLitre) / (l.weight + independent)
	l.weight += independent
}
