package live

import (
	"math"
	"slices"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// The windows of water: means of five minutes and the night flow of 02–04.
const (
	flowMinutes = 5
	nightFrom   = 2 // local hour
	nightTo     = 4
	nightsKept  = 17 // the last three, and the fortnight before them
	nightShare  = 0.75
)

// pipe follows the water through a pumping station, a main or a plant's
// connection. Some 250 bytes, and a profile where one is learned.
type pipe struct {
	Time  int64
	Flow  float64 // m³/h
	Bar   float64
	Means ring // flow, pressure

	Counter meter.Counter // m³; without a register of it, its integral
	Metered bool
	Total   float64 // m³ since the tracker began

	Usual  *learner // m³/h; mains and stations alone
	Hour   int64    // local, that the following belong to
	Begin  float64  // Total when it began
	From   int64    // event time of Begin
	Cut    bool     // supply failed in this hour
	Nights []float64
	Night  int64 // local day of the night that NightSum belongs to
	NightN int64
	Sum    float64

	limits meter.CounterLimits
	local  *local
}

func newPipe(main bool) *pipe {
	p := &pipe{Flow: nan, Bar: nan, Means: newRing(flowMinutes + 2)}
	if main {
		p.Usual = new(learner)
	}
	return p
}

func (p *pipe) take(s *scratch, t int64) counterNews {
	if s.any(waterFlow, pressure) {
		p.Means.add(t, s.get(waterFlow), s.get(pressure), 0)
	}
	before := p.Flow
	newer := t >= p.Time
	if newer && s.got(waterFlow) {
		p.Flow = s.values[waterFlow]
	}
	if newer && s.got(pressure) {
		p.Bar = s.values[pressure]
	}
	news := p.count(s, t, before)
	if newer {
		p.learn(t)
		p.Time = t
	}
	return news
}

// count advances the counter, or the integral of the flow that was before.
func (p *pipe) count(s *scratch, t int64, before float64) counterNews {
	if !s.got(waterTotal) {
		if dt := t - p.Time; !p.Metered && dt > 0 && dt <= integralGap && before > 0 {
			p.Total += before * float64(dt) / float64(hourMS)
		}
		return false
	}
	p.Metered = true
	step := s.advance(&p.Counter, waterRegister, s.values[waterTotal], t, p.limits)
	p.Total += step.Amount
	return counterNews(step.Event == meter.CounterReset)
}

// learn closes hours and nights that have passed.
func (p *pipe) learn(t int64) {
	if p.Usual == nil {
		return
	}
	hour := p.local.hour(t)
	if hour != p.Hour {
		if span := t - p.From; hour == p.Hour+1 && !p.Cut && span >= hourMS*3/4 && span <= hourMS*5/4 {
			p.Usual.add(ofWeek(p.Hour), (p.Total-p.Begin)*float64(hourMS)/float64(span))
		}
		p.Hour, p.Begin, p.From, p.Cut = hour, p.Total, t, false
	}
	if p.stopped() {
		p.Cut = true
	}
	p.night(t)
}

// stopped tells that nothing flows and nothing presses.
func (p *pipe) stopped() bool { return p.Bar < stoppedBar && math.Abs(p.Flow) < stoppedM3H }

const (
	stoppedBar = 0.3
	stoppedM3H = 0.1
)

// night sums up the flow of the small hours.
func (p *pipe) night(t int64) {
	day, hour := p.local.day(t), p.local.hour(t)%24
	if hour >= nightFrom && hour < nightTo && !math.IsNaN(p.Flow) {
		if p.Night != day {
			p.Night, p.Sum, p.NightN = day, 0, 0
		}
		if dt := t - p.Time; p.Time > 0 && dt <= integralGap {
			p.Sum += p.Flow * float64(dt)
			p.NightN += dt
		}
		return
	}
	if p.NightN > 0 {
		if float64(p.NightN) >= nightShare*float64((nightTo-nightFrom)*hourMS) {
			p.Nights = append([]float64{p.Sum / float64(p.NightN)}, p.Nights...)
			p.Nights = p.Nights[:min(len(p.Nights), nightsKept)]
		}
		p.Sum, p.NightN = 0, 0
	}
}

// nights returns the last three nights and the median of those before.
func (p *pipe) nights() (last [3]float64, usual float64) {
	last, usual = [3]float64{nan, nan, nan}, nan
	copy(last[:], p.Nights)
	if len(p.Nights) > 3 {
		before := slices.Sorted(slices.Values(p.Nights[3:]))
		usual = (before[(len(before)-1)/2] + before[len(before)/2]) / 2
	}
	return last, usual
}

// burner follows the fuel that a plant's boilers and furnaces burn, and a
// generator's power and burn: some 100 bytes.
type burner struct {
	Time    int64
	LPH     float64 // of fuel
	Power   float64 // kW, of a generator
	Counter meter.Counter
	Metered bool
	Total   float64 // litres at 15 °C since the tracker began

	digits int // of the counter; 0: not known
}

func newBurner() *burner { return &burner{LPH: nan, Power: nan} }

func (b *burner) take(s *scratch, t int64) counterNews {
	before := b.LPH
	newer := t >= b.Time
	if newer {
		switch {
		case s.got(fuelFlow):
			b.LPH = s.values[fuelFlow]
		case s.got(burnRate):
			b.LPH = s.values[burnRate]
		}
		if s.got(power) {
			b.Power = s.values[power]
		}
	}
	news := counterNews(false)
	if s.got(burnt) {
		b.Metered = true
		step := s.advance(&b.Counter, burntRegister, s.values[burnt], t, meter.CounterLimits{Digits: b.digits})
		b.Total += step.Amount
		news = step.Event == meter.CounterReset
	} else if dt := t - b.Time; !b.Metered && dt > 0 && dt <= integralGap && before > 0 {
		b.Total += before * float64(dt) / float64(hourMS)
	}
	if newer {
		b.Time = t
	}
	return news
}
