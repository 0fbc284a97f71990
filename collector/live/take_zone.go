package live

import (
	"math"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
)

// The accounts of a zone, and the length of their blocks.
const (
	powerAccount = iota
	waterAccount
	fuelAccount
)

var blockMS = [3]int64{quarterMS, hourMS, hourMS}

// longestStep is the longest stretch of time that the state of its end stands
// for: beyond it nobody looked.
const longestStep = hourMS

// leastBar is the pressure of a main below which water is short, where its
// plants declare none.
const leastBar = 2

// sums is what one utility of a zone comes to, over its plants.
type sums struct {
	required, gross float64 // declared
	known           float64 // of gross, measured lately
	lost, lostGross float64
	constrained     bool
}

func (v *view) zones() {
	for i := range v.w.zones {
		z, out := &v.w.zones[i], &v.d.Zones[i]
		var all [3]sums
		weight := weights{}
		for _, p := range z.plants {
			v.count(&all, &v.w.plants[p], &v.d.Plants[p])
			weight.add(v.w.plants[p].def.ContractKVA, v.d.Plants[p].Capability)
		}
		*out = snapshot.Zone{AdequacyRatio: weight.ratio(v.s.unknownShare), Affected: weight.affected, WaterHours: true}
		out.Power = v.balance(z, powerAccount, &all[powerAccount], v.powerOf(z), v.rationed(z))
		out.Water = v.balance(z, waterAccount, &all[waterAccount], v.waterOf(z), false)
		out.Fuel = v.balance(z, fuelAccount, &all[fuelAccount], v.fuelOf(z), false)
		out.Power.CoverH = snapshot.Unknown
		out.Water.CoverH, out.Fuel.CoverH = v.covers(z)
	}
}

// weights is Σ w·min(1, capability)/Σ w, w being contracted kVA.
type weights struct {
	sum, known, all float64
	affected        int
}

func (s *weights) add(w float64, c snapshot.Value) {
	s.all += w
	if !c.Known() {
		return
	}
	s.known += w
	s.sum += w * float64(c)
	if c < 1 {
		s.affected++
	}
}

// ratio is Unknown if more than a share of the weight is.
func (s *weights) ratio(unknown float64) snapshot.Value {
	if s.known == 0 || s.all-s.known > unknown*s.all {
		return snapshot.Unknown
	}
	return snapshot.Value(s.sum / s.known)
}

// count adds a plant to the sums of its zone. Only what is constrained counts
// as lost: a low draw without a reason is low demand.
func (v *view) count(all *[3]sums, p *plantAt, out *snapshot.Plant) {
	s := &all[powerAccount]
	required, gross := float64(out.RequiredKW), float64(out.RequiredGrossKW)
	s.required += required
	s.gross += gross
	delivered := float64(out.PowerKW)
	if out.Dead.Since > 0 {
		delivered = 0
	}
	if out.PowerCapability.Known() || out.Dead.Since > 0 {
		s.known += gross
	}
	switch {
	case out.Dead.Since > 0:
		s.lost += required
		s.lostGross += gross
		s.constrained = s.constrained || required > 0
	case out.PowerCapability < 1:
		if math.IsNaN(delivered) {
			delivered = required * float64(out.PowerCapability)
		}
		s.lost += max(0, required-delivered)
		s.lostGross += max(0, required-delivered)
		s.constrained = true
	}
	v.countWater(&all[waterAccount], p, out)
	countFuel(&all[fuelAccount], p, out)
}

// countWater goes by the pressure at the plant, or in its main: a plant that
// lives on its tank is supplied, its zone is not.
func (v *view) countWater(s *sums, p *plantAt, out *snapshot.Plant) {
	need := p.needs.WaterM3PerD / 24
	if need == 0 {
		return
	}
	s.required += need
	s.gross += need
	bar := out.PressureBar
	if !bar.Known() && p.line >= 0 {
		bar = v.d.WaterLines[p.line].PressureBar
	}
	if !bar.Known() {
		return
	}
	s.known += need
	least := p.needs.PressureBar
	if least == 0 {
		least = leastBar
	}
	if float64(bar) >= least {
		return
	}
	flow := float64(out.WaterM3H)
	if math.IsNaN(flow) {
		flow = need * float64(bar) / least
	}
	s.lost += max(0, need-max(0, flow))
	s.lostGross = s.lost
	s.constrained = true
}

func countFuel(s *sums, p *plantAt, out *snapshot.Plant) {
	need := p.needs.FuelLPerD / 24
	if need == 0 {
		return
	}
	s.required += need
	s.gross += need
	if !out.FuelCapability.Known() {
		return
	}
	s.known += need
	if out.FuelCapability < 1 {
		s.lost += need * (1 - float64(out.FuelCapability))
		s.lostGross = s.lost
		s.constrained = true
	}
}

// balance holds what is required against what is delivered, and brings the
// account up to now.
func (v *view) balance(z *zoneAt, which int, s *sums, delivered snapshot.Value, cut bool) snapshot.Balance {
	a, l := &z.book.Accounts[which], &v.w.cities[z.city].local
	gross := s.gross
	if usual := a.Usual.at(ofWeek(l.hour(v.now))); usual == usual {
		gross = usual
	}
	gross = min(gross, z.contract[which])
	scale := 0.0 // from what the plants declare to what is to be expected
	if s.gross > 0 {
		scale = gross / s.gross
	}
	required, lost := s.required*scale, s.lost*scale
	out := snapshot.Balance{
		Required: snapshot.Value(required), Gross: snapshot.Value(gross), Delivered: delivered,
		Constrained: s.constrained, KnownShare: 1,
	}
	if s.gross > 0 {
		out.KnownShare = s.known / s.gross
	}
	out.Shortfall = snapshot.Value(ratio(lost, required))
	if 1-out.KnownShare > v.s.unknownShare {
		out.Shortfall, lost = snapshot.Unknown, nan
	}
	from := max(v.s.advanced, v.now-longestStep)
	if v.s.advanced == 0 {
		from = v.now
	}
	a.advance(from, v.now, blockMS[which], l, flow{
		required: required, lost: lost, gross: s.lostGross * scale, delivered: float64(delivered), cut: cut || s.constrained,
	})
	out.Settled, out.SettledAt, out.Short = snapshot.Value(a.Settled), a.SettledAt, snapshot.Value(a.Short)
	out.NotSupplied = a.NotSupplied
	return out
}

func ratio(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return max(0, part/whole)
}

// rationed tells whether a feeder of the zone is off by plan or dead.
func (v *view) rationed(z *zoneAt) bool {
	for _, i := range z.feeders {
		if f := &v.d.Feeders[i]; f.Plan.Off || f.Dead.Since > 0 {
			return true
		}
	}
	return false
}

// powerOf is what the feeders of a zone bring, less what leaves it again.
func (v *view) powerOf(z *zoneAt) snapshot.Value {
	sum, n := 0.0, 0
	add := func(feeders []int32, sign float64) {
		for _, i := range feeders {
			f := &v.d.Feeders[i]
			switch {
			case f.Dead.Since > 0:
				n++
			case f.PowerKW.Known():
				sum += sign * float64(f.PowerKW)
				n++
			}
		}
	}
	add(z.feeders, 1)
	add(z.leaving, -1)
	return v.enough(sum, n, len(z.feeders)+len(z.leaving))
}

// enough returns a sum unless too many of its parts are missing.
func (v *view) enough(sum float64, n, of int) snapshot.Value {
	if n == 0 || float64(of-n) > v.s.unknownShare*float64(of) {
		return snapshot.Unknown
	}
	return snapshot.Value(sum)
}

func (v *view) waterOf(z *zoneAt) snapshot.Value {
	sum, n := 0.0, 0
	add := func(lines []int32, sign float64) {
		for _, i := range lines {
			if f := v.d.WaterLines[i].FlowM3H; f.Known() {
				sum += sign * float64(f)
				n++
			}
		}
	}
	add(z.lines, 1)
	add(z.drained, -1)
	return v.enough(sum, n, len(z.lines)+len(z.drained))
}

func (v *view) fuelOf(z *zoneAt) snapshot.Value {
	sum, n, of := 0.0, 0, 0
	for _, i := range z.plants {
		if len(v.w.plants[i].fuel.all) == 0 {
			continue
		}
		of++
		if f := v.d.Plants[i].FuelLPH; f.Known() {
			sum += float64(f)
			n++
		}
	}
	return v.enough(sum, n, of)
}

// covers returns how long the stocks of water and fuel in a zone last, in h.
func (v *view) covers(z *zoneAt) (water, fuel snapshot.Value) {
	var w, f stockpile
	for _, i := range z.tanks {
		w.add(&v.d.Tanks[i])
	}
	for _, p := range z.plants {
		for _, i := range v.w.plants[p].waterTanks {
			w.add(&v.d.Tanks[i])
		}
		for _, i := range v.w.plants[p].fuelTanks() {
			f.add(&v.d.Tanks[i])
		}
	}
	return w.cover(v.s.unknownShare), f.cover(v.s.unknownShare)
}

// stockpile is a sum of tanks.
type stockpile struct {
	usable, daily float64
	known, all    int
}

func (s *stockpile) add(t *snapshot.Tank) {
	s.all++
	if t.UsableL.Known() && t.DailyL.Known() {
		s.known++
		s.usable += float64(t.UsableL)
		s.daily += float64(t.DailyL)
	}
}

func (s *stockpile) cover(unknown float64) snapshot.Value {
	if s.known == 0 || float64(s.all-s.known) > unknown*float64(s.all) || s.daily <= 0 {
		return snapshot.Unknown
	}
	return snapshot.Value(cover(s.usable, s.daily/24))
}
