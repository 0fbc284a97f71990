package forecast

import (
	"testing"
)

var noises = []float64{0.1, 0.25, 0.4}

// TestCoverage: four times out of five, and so between 70 and 90 %, the stall
// comes between p10 and p90, and no side is favoured much.
func TestCoverage(t *testing.T) {
	t.Parallel()
	for _, sh := range shapes {
		for _, noise := range noises {
			s := backtest(t, sh, noise, 0.9, 300, true)
			t.Logf("%-22s noise %.2f: %s", sh.name, noise, s)
			if c := s.coverage(); c < 0.7 || c > 0.9 {
				t.Errorf("%s, noise %v: %.1f %% covered", sh.name, noise, 100*c)
			}
			if d := s.below - s.above; d > s.n/10 || d < -s.n/10 {
				t.Errorf("%s, noise %v: one-sided: %s", sh.name, noise, s)
			}
		}
	}
}

// TestCoverageElsewhere: what was assumed does not fit (a shorter or longer
// memory, no learned profile), and the interval is still of use.
func TestCoverageElsewhere(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		phi     float64
		learned bool
	}{{"short memory", 0.6, true}, {"long memory", 0.96, true}, {"by declared shifts", 0.9, false}} {
		for _, sh := range shapes {
			s := backtest(t, sh, 0.25, tt.phi, 100, tt.learned)
			t.Logf("%-18s %-22s %s", tt.name, sh.name, s)
			if c := s.coverage(); c < 0.55 || c > 0.97 {
				t.Errorf("%s, %s: %.1f %% covered", tt.name, sh.name, 100*c)
			}
		}
	}
}

// BenchmarkBacktest prints the coverage of p10–p90 beside what a forecast costs.
func BenchmarkBacktest(b *testing.B) {
	for _, sh := range shapes {
		b.Run(sh.name, func(b *testing.B) {
			total := new(score)
			for b.Loop() {
				for _, noise := range noises {
					s := backtest(b, sh, noise, 0.9, 50, true)
					total.n, total.within = total.n+s.n, total.within+s.within
					total.width, total.miss = total.width+s.width, total.miss+s.miss
				}
			}
			b.ReportMetric(100*total.coverage(), "%covered")
			b.ReportMetric(100*total.miss/float64(total.n), "%miss")
			b.ReportMetric(100*total.width/float64(total.n), "%width")
		})
	}
}
