package forecast

// Holt's linear smoothing (Holt 1957): weights of the newest value and of the
// newest trend†.
const (
	holtLevel = 0.5
	holtTrend = 0.3
)

// holt returns the trend of ys per unit of xs, by Holt's method with the trend
// weighted by the distance of points. It needs two points of different x.
func holt(xs, ys []float64) (trend float64, ok bool) {
	level := 0.0
	for i := 1; i < len(xs); i++ {
		d := xs[i] - xs[i-1]
		if d <= 0 {
			continue
		}
		if !ok {
			level, trend, ok = ys[i], (ys[i]-ys[i-1])/d, true
			continue
		}
		next := holtLevel*ys[i] + (1-holtLevel)*(level+trend*d)
		trend = holtTrend*(next-level)/d + (1-holtTrend)*trend
		level = next
	}
	return trend, ok
}
