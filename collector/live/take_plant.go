package live

import (
	"math"
	"time"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// bridged is how long, in h, a stock must last for a plant to be supplied from
// it.
const bridged = 0.25

func (v *view) plants() {
	for i := range v.w.plants {
		p, out := &v.w.plants[i], &v.d.Plants[i]
		u := snapshot.Unknown
		*out = snapshot.Plant{Electricity: out.Electricity, WaterM3H: u, PressureBar: u, FuelLPH: u, GeneratorKW: u}
		for r := range out.Stall {
			out.Stall[r] = snapshot.Stall{P10H: u, P50H: u, P90H: u}
		}
		if v.known(p.waterMeter) {
			out.WaterM3H, out.PressureBar = snapshot.Value(p.water.Flow), snapshot.Value(p.water.Bar)
		}
		out.FuelLPH = v.total(&p.fuel, func(b *burner) float64 { return b.LPH })
		out.GeneratorKW = v.total(&p.sets, func(b *burner) float64 { return b.Power })
		if p.waterGroup != nil {
			out.WaterProfileLPH = p.waterGroup.Usual.whole()
		}
		if p.fuelGroup != nil {
			out.FuelProfileLPH = p.fuelGroup.Usual.whole()
		}
		v.require(p, out)
		out.PowerCapability = v.powerCapability(p, out)
		out.WaterCapability = v.waterCapability(p, out)
		out.FuelCapability = v.fuelCapability(p)
		v.judge(p, out)
	}
}

// total sums what all of them say; Unknown if there is none, or one is silent.
func (v *view) total(of *burners, say func(*burner) float64) snapshot.Value {
	if len(of.all) == 0 {
		return snapshot.Unknown
	}
	sum := 0.0
	for i, b := range of.all {
		if !v.known(of.meters[i]) {
			return snapshot.Unknown
		}
		sum += say(b)
	}
	return snapshot.Value(sum)
}

// require says what the plant needs now: what it declares, in a shift, or what
// was learned where it declares nothing.
func (v *view) require(p *plantAt, out *snapshot.Plant) {
	v.shift(p)
	out.InShift, out.ShiftSince = p.work.On, p.workSince
	gross := 0.0
	switch {
	case p.needs.PowerKW == 0:
		v.learnPower(p, out)
		if usual := p.book.Usual.at(ofWeek(v.hour(p))); usual > 0 {
			gross = usual
		}
	case p.work.On:
		gross = p.needs.PowerKW
	}
	if p.def.ContractKVA > 0 {
		gross = min(gross, p.def.ContractKVA)
	}
	out.RequiredGrossKW, out.RequiredKW = snapshot.Value(gross), snapshot.Value(gross)
	if p.feeder >= 0 && v.d.Feeders[p.feeder].Plan.Off {
		out.RequiredKW = 0
	}
}

func (v *view) hour(p *plantAt) int64 { return v.w.cities[v.w.zones[p.zone].city].hour(v.now) }

// shift looks the plant's shifts up, as long as an answer holds.
func (v *view) shift(p *plantAt) {
	if p.workUntil > v.now && p.workSince <= v.now {
		return
	}
	city := v.w.zones[p.zone].city
	p.work = p.def.InShift(v.time(), v.w.cities[city].loc, v.w.registry.Cities()[city].Holidays)
	p.workSince, p.workUntil = ms(p.work.Since), ms(p.work.Until)
	if p.work.Until.IsZero() {
		p.workUntil = math.MaxInt64
	}
}

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// learnPower adds to the hour's energy, and closes hours that have passed.
func (v *view) learnPower(p *plantAt, out *snapshot.Plant) {
	b, hour := p.book, v.hour(p)
	if p.meter < 0 {
		return
	}
	if b.Usual == nil {
		b.Usual = new(learner)
	}
	if hour != b.Hour {
		if span := v.now - b.From; hour == b.Hour+1 && !b.Cut && span >= hourMS*3/4 && span <= hourMS*5/4 {
			b.Usual.add(ofWeek(b.Hour), b.Sum/float64(span))
		}
		b.Hour, b.From, b.Sum, b.Cut = hour, v.now, 0, false
		return
	}
	if !out.PowerKW.Known() || out.Dead.Since > 0 {
		b.Cut = true
		return
	}
	b.Sum += float64(out.PowerKW) * float64(v.now-v.s.advanced)
}

// powerCapability is 1 while the voltage is in the plant's band or a cut is
// short enough, else what still reaches it.
func (v *view) powerCapability(p *plantAt, out *snapshot.Plant) snapshot.Value {
	if out.RequiredKW == 0 {
		return 1
	}
	need := float64(out.RequiredKW)
	if dead := out.Dead; dead.Since > 0 {
		if float64(v.now-dead.Since) <= p.needs.RideThroughS*1000 {
			return 1
		}
		if out.GeneratorKW.Known() {
			return capped(max(0, float64(out.GeneratorKW)) / need)
		}
		if p.def.StandbyKW > 0 && len(p.sets.all) > 0 {
			return snapshot.Unknown
		}
		return 0
	}
	phases, known := v.voltages(p, out)
	if !known {
		if out.PowerKW > 0 {
			return 1
		}
		return snapshot.Unknown
	}
	return banded(phases, p.needs, float64(out.PowerKW)/need)
}

// voltages returns those at the plant, or else those of its feeder.
func (v *view) voltages(p *plantAt, out *snapshot.Plant) ([3]float64, bool) {
	e := &out.Electricity
	if !out.VoltagePU[0].Known() && !out.VoltagePU[1].Known() && !out.VoltagePU[2].Known() {
		if p.feeder < 0 {
			return [3]float64{}, false
		}
		e = &v.d.Feeders[p.feeder].Electricity
	}
	phases := [3]float64{float64(e.VoltagePU[0]), float64(e.VoltagePU[1]), float64(e.VoltagePU[2])}
	return phases, !math.IsNaN(highest(phases))
}

// banded is 1 within the band. Outside of it, what the plant still draws is
// what it can use.
func banded(phases [3]float64, needs zone.Requirement, drawn float64) snapshot.Value {
	low, high := lowest(phases), highest(phases)
	least, most := needs.VoltageMinPct/100, needs.VoltageMaxPct/100
	c := 1.0
	if least > 0 && low < least {
		c = min(c, low/least)
	}
	if most > 0 && high > most {
		c = min(c, most/high)
	}
	if c == 1 {
		return 1
	}
	if !math.IsNaN(drawn) {
		c = min(c, max(0, drawn))
	}
	return snapshot.Value(c)
}

func capped(c float64) snapshot.Value { return snapshot.Value(min(1, c)) }

// waterCapability is 1 while pressure, flow or the plant's own stock suffice.
func (v *view) waterCapability(p *plantAt, out *snapshot.Plant) snapshot.Value {
	if !p.work.On || p.needs.WaterM3H == 0 && p.needs.PressureBar == 0 {
		return 1
	}
	stock, all := v.stock(p.waterTanks)
	if len(p.waterTanks) > 0 && stock >= bridged*1000*p.needs.WaterM3H {
		return 1
	}
	bar := out.PressureBar
	if !bar.Known() && p.line >= 0 {
		bar = v.d.WaterLines[p.line].PressureBar
	}
	c := math.Inf(-1)
	if bar.Known() && p.needs.PressureBar > 0 {
		c = max(c, float64(bar)/p.needs.PressureBar)
	}
	if out.WaterM3H.Known() && p.needs.WaterM3H > 0 {
		c = max(c, float64(out.WaterM3H)/p.needs.WaterM3H)
	}
	if c < 1 && !all || math.IsInf(c, -1) {
		return snapshot.Unknown // a silent tank may be full
	}
	return capped(max(0, c))
}

// fuelCapability is 1 while there is something to burn.
func (v *view) fuelCapability(p *plantAt) snapshot.Value {
	if !p.work.On || p.needs.FuelLPerD == 0 {
		return 1
	}
	tanks := p.fuelTanks()
	stock, all := v.stock(tanks)
	c := stock / (bridged * p.needs.FuelLPerD / 24)
	if len(tanks) == 0 || c < 1 && !all {
		return snapshot.Unknown
	}
	return capped(c)
}

// stock sums what can be drawn from tanks, in litres; all tells whether all of
// them are known.
func (v *view) stock(tanks []int32) (litres float64, all bool) {
	all = true
	for _, i := range tanks {
		if u := v.d.Tanks[i].UsableL; u.Known() {
			litres += float64(u)
		} else {
			all = false
		}
	}
	return litres, all
}

// judge draws the conclusions from the three capabilities.
func (v *view) judge(p *plantAt, out *snapshot.Plant) {
	least, unknown := 1.0, false
	for _, c := range []snapshot.Value{out.PowerCapability, out.WaterCapability, out.FuelCapability} {
		if c.Known() {
			least = min(least, float64(c))
		} else {
			unknown = true
		}
	}
	out.Constrained = least < 1
	out.Capability = snapshot.Value(least)
	b := p.book
	switch {
	case least < 1 && b.ShortSince == 0:
		b.ShortSince = v.now
		if dead := out.Dead.Since; dead > 0 && out.PowerCapability < 1 {
			b.ShortSince = min(v.now, max(dead, out.ShiftSince, out.Dead.Return))
		}
	case least == 1 && unknown:
		out.Capability = snapshot.Unknown // what was, stays
	case least == 1:
		b.ShortSince = 0
	}
	out.ShortSince = b.ShortSince
	out.Stalled = least < 1 && float64(v.now-b.ShortSince) > p.needs.HoldUpMin*float64(minuteMS)
}
