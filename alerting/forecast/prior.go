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
			e.level.variance += profileError * e.level.perLitre / u.weekL
			e.level.perLitre *= 1 + profileError
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
// of the last week tell, less what the week's shape explains of it. With v the
// variance of days about a shape of variance S, that of their sum of squares is
// 2v²/6 + 4vS/6: seven days tell as much as 6·v/(v+2S) independent ones.
func (p *prior) expectNoise(assumed, sigma float64) {
	l, u := &p.level, &p.usual
	l.perLitre, l.weight = square(assumed*l.share)*24*u.workLPH, assumedWeight
	if sigma <= 0 {
		return
	}
	shape := square(l.share) * u.spreadL2
	left := max(0, square(sigma)-shape)
	v := max(left, l.perLitre*u.dayL())
	l.weighIn(left/u.dayL(), 6*v/(v+2*shape))
}

// assumedWeight is how many independent samples the assumed noise counts for†:
// next to nothing, once there is anything else.
const assumedWeight = 0.2

// profileError is the variance of the profile's own error as a share of that of
// a week's consumption: each hour is the median of four weeks, whose variance is
// π/2 times a quarter. It makes for an error of the level, and of each hour.
const profileError = math.Pi / 8

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
		l.weighIn(perLitre, independent)
		l.believe(s.mid, max(l.perLitre/h.xs[n-1], square((s.high-s.low)/(2*z10))))
		return
	}
	if trend, ok := holt(h.xs, h.ys); ok && math.IsInf(p.level.variance, 1) {
		p.level.share, p.level.variance = trend, square(trend/2)
	}
}

func square(x float64) float64 { return x * x }
