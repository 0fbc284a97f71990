package forecast

import (
	"math"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
)

// prior is what a plant is expected to use before its tank's history is asked.
type prior struct {
	usual usual
	level level
}

const litresPerM3 = 1000

// prior is the learned profile; else the declared shifts, at the mean draw of
// the last days or the declared one; else that mean, evenly.
func (f *Forecaster) prior(learned *snapshot.Profile, p *plant, resource int, snap *snapshot.Snapshot) prior {
	daily, sigma := draw(p.tanks[resource], snap)
	if learned != nil {
		if u, ok := byHour(learned, f.offsets[p.city]); ok {
			e := prior{u, level{share: 1, variance: square(f.config.LevelNoise)}}
			e.expectNoise(f.config.DayNoise, sigma)
			e.level.perLitre *= profileError
			return e
		}
	}
	declared := p.def.Requirement.FuelLPerD
	if resource == Water {
		declared = litresPerM3 * p.def.Requirement.WaterM3PerD
	}
	e := prior{evenly(declared / 24), level{share: 1, variance: square(f.config.DeclaredNoise)}}
	if shape := p.declared[resource]; shape != nil {
		e.usual, _ = byHour(shape, f.offsets[p.city])
	}
	if daily > 0 {
		e.level.share = daily / e.usual.dayL()
		e.level.variance = square(e.level.share * 2 * f.config.LevelNoise)
	}
	e.expectNoise(f.config.DayNoise, sigma)
	return e
}

// expectNoise weighs what is assumed of the noise against what the daily draws
// of the last week tell, less what the week's shape explains of it.
func (p *prior) expectNoise(assumed, sigma float64) {
	l, u := &p.level, &p.usual
	l.perLitre = square(assumed*l.share) * 24 * u.workLPH
	if sigma > 0 {
		left := max(0, square(sigma)-square(l.share)*u.spreadL2)
		l.perLitre = (assumedWeight*l.perLitre + weekWeight*left/u.dayL()) / (assumedWeight + weekWeight)
	}
}

// profileError is by how much the profile's own error adds to the noise: each
// hour is the median of four weeks, whose variance is π/2 times a quarter.
const profileError = 1 + math.Pi/8

// Weights of what tells of the noise, in independent samples†: what is assumed,
// and the days of a week.
const (
	assumedWeight = 0.5
	weekWeight    = 6
)

// draw is the mean draw of some tanks, l/d, and its standard deviation; 0 where
// it is not known.
func draw(tanks []int, snap *snapshot.Snapshot) (daily, sigma float64) {
	variance := 0.0
	for _, t := range tanks {
		d, s := snap.Tanks[t].DailyL, snap.Tanks[t].DailySigma
		if !d.Known() {
			return 0, 0
		}
		daily += float64(d)
		if s.Known() {
			variance += square(float64(s))
		}
	}
	return daily, math.Sqrt(variance)
}

// observe learns the level from the history: by Theil and Sen, or else, where
// nothing at all is expected, by Holt.
func (p *prior) observe(h *history) {
	n := len(h.xs)
	if n < 2 || h.xs[n-1] <= 0 {
		return
	}
	s, ok := slope{}, false
	if n >= leastPoints {
		s, ok = h.slope()
	}
	if ok {
		l := &p.level
		perLitre, independent := h.noise(s.mid)
		l.perLitre = (priorWeight*l.perLitre + independent*perLitre) / (priorWeight + independent)
		l.believe(s.mid, max(l.perLitre/h.xs[n-1], square((s.high-s.low)/(2*z10))))
		return
	}
	if trend, ok := holt(h.xs, h.ys); ok && math.IsInf(p.level.variance, 1) {
		p.level.share, p.level.variance = trend, square(trend/2)
	}
}

func square(x float64) float64 { return x * x }
