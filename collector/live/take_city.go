package live

import (
	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
)

// cities sums up zones.
func (v *view) cities() {
	for i := range v.w.cities {
		c, out := &v.w.cities[i], &v.d.Cities[i]
		*out = snapshot.City{Stage: v.stage(int32(i))}
		var weight weights
		var power, water, fuel total
		for _, z := range c.zones {
			zone, book := &v.d.Zones[z], v.w.zones[z].book
			for _, p := range v.w.zones[z].plants {
				weight.add(v.w.plants[p].def.ContractKVA, v.d.Plants[p].Capability)
			}
			power.add(&zone.Power, &book.Accounts[powerAccount])
			water.add(&zone.Water, &book.Accounts[waterAccount])
			fuel.add(&zone.Fuel, &book.Accounts[fuelAccount])
		}
		out.AdequacyRatio, out.Affected = weight.ratio(v.s.unknownShare), weight.affected
		out.Power, out.Water, out.Fuel = power.balance(v.s.unknownShare), water.balance(v.s.unknownShare), fuel.balance(v.s.unknownShare)
	}
}

// total is a sum of balances. A zone of which too much is unknown is left out,
// and its weight counts as unknown.
type total struct {
	required, gross, delivered, lost float64
	known, deliverers                float64 // of gross
	covered, stock                   float64
	settledAt                        int64
	short, mean                      float64
	settled                          bool
	notSupplied                      float64
	constrained                      bool
	share                            float64
}

func (t *total) add(b *snapshot.Balance, a *account) {
	gross := float64(b.Gross)
	t.required += float64(b.Required)
	t.gross += gross
	t.share += gross * b.KnownShare
	t.notSupplied += b.NotSupplied
	t.constrained = t.constrained || b.Constrained
	if b.Shortfall.Known() {
		t.known += gross
		t.lost += float64(b.Shortfall) * float64(b.Required)
	}
	if b.Delivered.Known() {
		t.deliverers += gross
		t.delivered += float64(b.Delivered)
	}
	if b.CoverH.Known() && gross > 0 {
		t.covered += gross
		t.stock += float64(b.CoverH) * gross
	}
	if a.SettledAt > t.settledAt {
		t.settledAt, t.short, t.mean, t.settled = a.SettledAt, 0, 0, false
	}
	if a.SettledAt == t.settledAt && b.Settled.Known() {
		t.short += a.Short
		t.mean += a.Mean
		t.settled = true
	}
}

func (t *total) balance(unknown float64) snapshot.Balance {
	u := snapshot.Unknown
	out := snapshot.Balance{
		Required: snapshot.Value(t.required), Gross: snapshot.Value(t.gross), Delivered: u, Shortfall: u, Settled: u, Short: u,
		SettledAt: t.settledAt, Constrained: t.constrained, KnownShare: 1, NotSupplied: t.notSupplied, CoverH: u,
	}
	enough := func(part float64) bool { return t.gross-part <= unknown*t.gross }
	if t.gross > 0 {
		out.KnownShare = t.share / t.gross
	}
	if enough(t.known) {
		out.Shortfall = snapshot.Value(ratio(t.lost, t.required))
	}
	if enough(t.deliverers) && t.deliverers > 0 {
		out.Delivered = snapshot.Value(t.delivered)
	}
	if t.settled {
		out.Settled, out.Short = snapshot.Value(ratio(t.short, t.mean)), snapshot.Value(t.short)
	}
	if enough(t.covered) && t.covered > 0 {
		out.CoverH = snapshot.Value(t.stock / t.covered)
	}
	return out
}

// flowing tells, for the meter of each object, whether something flows
// upstream of it. A meter that says zero is not stuck at it: nothing may be
// wanted.
func (v *view) flowing() {
	set := func(meter int32, flows bool) {
		if meter >= 0 && v.w.facts[meter].Main != 0 {
			v.d.Meters[meter].Flowing = flows
		}
	}
	for i := range v.w.feeders {
		f := &v.w.feeders[i]
		above := &v.d.Substations[f.substation].Electricity
		if f.parent >= 0 {
			above = &v.d.Feeders[f.parent].Electricity
		}
		set(f.meter, above.PowerKW > 0)
	}
	for i := range v.w.lines {
		l := &v.w.lines[i]
		if l.source >= 0 {
			set(l.meter, v.d.WaterLines[l.source].FlowM3H > 0)
		} else if l.station >= 0 {
			set(l.meter, v.d.PumpingStations[l.station].FlowM3H > 0)
		}
	}
	for i := range v.w.plants {
		p, out := &v.w.plants[i], &v.d.Plants[i]
		set(p.meter, p.feeder >= 0 && v.d.Feeders[p.feeder].PowerKW > 0)
		set(p.waterMeter, p.line >= 0 && v.d.WaterLines[p.line].FlowM3H > 0)
		for _, t := range p.fuelTanks() {
			set(v.w.tanks[t].meter, out.FuelLPH > 0)
		}
		for _, t := range p.waterTanks {
			k := v.w.tanks[t].k // a float valve may hold a full tank still
			set(v.w.tanks[t].meter, out.WaterM3H > 0 && k.Volume < 0.95*k.capacity)
		}
	}
}
