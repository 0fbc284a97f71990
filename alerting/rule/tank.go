package rule

import (
	"math"
	"time"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// judgeTanks judges every tank, and the orders that are on their way to it.
func (e *evaluation) judgeTanks() {
	tanks := e.net.registry.Tanks()
	for i := range tanks {
		r := ref{tankClass, int32(i)}
		if tanks[i].Utility == meter.Fuel {
			e.judgeLate(r, &tanks[i])
			e.judgeDelivery(r, &tanks[i])
		}
		switch {
		case e.snap.Tanks[i].Meter < 0:
		case tanks[i].Utility == meter.Water:
			e.judgeTankLow(r)
		default:
			e.judgeCover(r, &tanks[i])
			e.judgeLoss(r, &tanks[i])
			e.judgeReconcile(r)
		}
	}
}

// addStock adds a finding about how long a tank lasts.
func (e *evaluation) addStock(k kindIndex, r ref, p *setting, state State, left snapshot.Value) *Finding {
	f := e.add(k, r, p, state)
	if state != Raised {
		return f
	}
	if float64(left) < p.severe {
		f.Severity = p.stepped
	}
	if plant := e.net.tankPlant[r.index]; plant >= 0 {
		f.Stalls = []string{e.net.places[plantClass][plant].id}
	}
	return f
}

// small is below 1 where even a share of the full tank lasts for less than the
// wanted hours: its thresholds are so much lower.
func (e *evaluation) small(r ref, wantedH, share float64) snapshot.Value {
	tank, daily := &e.net.registry.Tanks()[r.index], float64(e.snap.Tanks[r.index].DailyL)
	fullH := 24 * 1000 * (tank.CapacityM3 - tank.DeadM3) / daily
	if !(share*fullH < wantedH) || fullH <= 0 {
		return 1
	}
	return snapshot.Value(share * fullH / wantedH)
}

func (e *evaluation) judgeTankLow(r ref) {
	p := e.at(tankLow, tankClass, r.index)
	cover := e.snap.Tanks[r.index].CoverH
	small := e.small(r, p.on, p.params[tankFull])
	state := p.judge(cover/small, true)
	if !p.enabled || state == Clear {
		return
	}
	if f := e.addStock(tankLow, r, p, state, cover/small); state == Raised {
		f.number("h", float64(cover))
	}
}

// judgeCover holds the stock against a number of days, and against the reorder
// point d·L + z·σ·√L (DOMAIN §3), which is what will be drawn until a delivery
// that is ordered now.
func (e *evaluation) judgeCover(r ref, tank *zone.Tank) {
	p := e.at(coverLow, tankClass, r.index)
	t := &e.snap.Tanks[r.index]
	if !p.enabled {
		return
	}
	days := t.CoverH / 24
	lead := p.params[coverLead]
	reorder := float64(t.DailyL) * lead
	if t.DailySigma.Known() {
		reorder += p.params[coverZ] * float64(t.DailySigma) * math.Sqrt(lead)
	}
	small := e.small(r, 24*p.on, p.params[coverFull])
	state := p.judge(days/small, true)
	switch usable := float64(t.UsableL); {
	case state == Unknown || state == Raised:
	case usable < reorder:
		state = Raised
	case usable < reorder*p.params[coverMargin]:
		state = Held
	}
	if state == Clear {
		return
	}
	f := e.addStock(coverLow, r, p, state, days/small)
	if state == Raised {
		f.number("d", float64(days))
		f.number("l", float64(t.UsableL))
		f.word("fuel", tank.Fuel)
	}
}

// judgeLoss: volumes are at 15 °C, so that a tank that warms or cools loses
// nothing.
func (e *evaluation) judgeLoss(r ref, tank *zone.Tank) {
	p := e.at(fuelLoss, tankClass, r.index)
	t := &e.snap.Tanks[r.index]
	if !p.enabled {
		return
	}
	least := max(p.params[lossShare]*tank.CapacityM3*1000, p.params[lossLeast])
	switch loss := float64(t.LossL); {
	case !t.LossL.Known() || !t.LossSigmaL.Known():
		e.add(fuelLoss, r, p, Unknown)
	case t.Delivery.Start > 0 && t.Delivery.End == 0: // the level swings while it is filled
		e.add(fuelLoss, r, p, Held)
	case loss > p.on*float64(t.LossSigmaL) && loss > least:
		f := e.add(fuelLoss, r, p, Raised)
		f.number("l", loss)
		f.word("fuel", tank.Fuel)
	}
}

func (e *evaluation) judgeReconcile(r ref) {
	p := e.at(fuelReconcile, tankClass, r.index)
	t := &e.snap.Tanks[r.index]
	if !p.enabled {
		return
	}
	variance, through := math.Abs(float64(t.VarianceL)), float64(t.ThroughputL)
	limit := p.on*through + p.params[reconcileL]
	switch end := limit * p.clear / p.on; {
	case math.IsNaN(variance) || math.IsNaN(limit):
		e.add(fuelReconcile, r, p, Unknown)
	case variance > limit:
		e.add(fuelReconcile, r, p, Raised).number("l", float64(t.VarianceL))
	case variance >= end:
		e.add(fuelReconcile, r, p, Held)
	}
}

// judgeLate speaks of the order that is overdue for longest.
func (e *evaluation) judgeLate(r ref, tank *zone.Tank) {
	p := e.at(tankerLate, tankClass, r.index)
	if !p.enabled {
		return
	}
	forget := int64(p.params[tankerForget] * float64(time.Hour/time.Millisecond))
	orders := e.net.registry.Tankers()
	late := int32(-1)
	for _, o := range e.net.tankOrders[r.index] {
		overdue := e.now - orders[o].ETA.UnixMilli()
		if e.snap.Tankers[o].Arrived != 0 || overdue <= 0 || overdue > forget {
			continue
		}
		if late < 0 || orders[o].ETA.Before(orders[late].ETA) {
			late = o
		}
	}
	if late < 0 {
		return
	}
	f := e.add(tankerLate, r, p, Raised)
	f.Since = orders[late].ETA.UnixMilli()
	f.number("h", float64(e.now-f.Since)/float64(time.Hour/time.Millisecond))
	f.word("fuel", tank.Fuel)
	f.word("order", orders[late].ID)
}

// judgeDelivery holds what came against the ticket, for the newest delivery.
func (e *evaluation) judgeDelivery(r ref, tank *zone.Tank) {
	p := e.at(deliveryShort, tankClass, r.index)
	if !p.enabled {
		return
	}
	shown := int64(p.params[shortShownH] * float64(time.Hour/time.Millisecond))
	newest := int32(-1)
	for _, o := range e.net.tankOrders[r.index] {
		t := &e.snap.Tankers[o]
		if !t.Settled || t.Arrived == 0 || e.now-t.Arrived > shown {
			continue
		}
		if newest < 0 || t.Arrived > e.snap.Tankers[newest].Arrived {
			newest = o
		}
	}
	if newest < 0 {
		return
	}
	order, got := &e.net.registry.Tankers()[newest], float64(e.snap.Tankers[newest].VolumeL)
	switch {
	case math.IsNaN(got):
		e.add(deliveryShort, r, p, Unknown)
	case got < order.VolumeL*(1-p.on):
		f := e.add(deliveryShort, r, p, Raised)
		f.Since = e.snap.Tankers[newest].Arrived
		f.number("l", order.VolumeL-got)
		f.word("fuel", tank.Fuel)
		f.word("order", order.ID)
	}
}
