package metersim

import (
	"cmp"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

const (
	lateAfter   = 4 * time.Hour // past the ETA
	lateWithin  = lateAfter + 30*time.Minute
	shortWithin = 45 * time.Minute // after the tanker has left: settling and the gauges' interval
	lossWithin  = 75 * time.Minute // from the beginning of a theft of at most half an hour
	shortLeast  = 0.5              // % under the ticket that is worth an alarm
)

// arrival is when an order comes, and how much of it.
type arrival struct {
	def  zone.Tanker
	at   time.Time
	part float64 // of the ticket's volume
}

// order returns the arrival of an order, as announced if no cause has changed
// it yet.
func (st *stage) order(id string) *arrival {
	a := st.orders[id]
	if a == nil {
		a = &arrival{part: 1}
		for _, t := range st.Registry.Tankers() {
			if t.ID == id {
				a.def, a.at = t, t.ETA
			}
		}
		st.orders[id] = a
	}
	return a
}

// site is what an alarm about an order or its tank may be about.
func (st *stage) site(tank string) []string {
	def, _ := st.Registry.Tank(tank)
	if def.Plant == "" {
		return []string{tank, def.Zone}
	}
	return []string{tank, def.Plant}
}

// tankerLate lets an order come late. Its event begins at the ETA.
func (st *stage) tankerLate(i *incident) {
	a := st.order(i.Object)
	late := cmp.Or(i.Late, 6*time.Hour)
	a.at = a.def.ETA.Add(late)
	i.start, i.end = onGrid(a.def.ETA), min(onGrid(a.at), onGrid(st.End))
	i.event.Start, i.event.End = st.at(i.start), st.at(i.end)
	object := i.Object
	for _, id := range st.site(a.def.Tank) {
		object += "|" + id
	}
	if late > lateWithin && a.def.ETA.Add(lateWithin).Before(st.End) {
		i.expect("fuel.tanker_late", object, lateWithin)
	} else if late < lateAfter {
		i.forbid("fuel.tanker_late", flicker, object)
	}
	i.allow("fuel.cover_low", aftermath, st.site(a.def.Tank)...)
	i.allow("plant.stall_forecast|plant.stalled", aftermath, st.site(a.def.Tank)...)
	i.forbid("fuel.loss", aftermath, a.def.Tank)
}

// deliveryShort lets an order bring less than its ticket says. Its event begins
// when the tanker does.
func (st *stage) deliveryShort(i *incident) {
	a := st.order(i.Object)
	short := cmp.Or(i.ShortPct, 3)
	a.part = 1 - short/100
	i.start = onGrid(a.at)
	i.end = min(i.start+int64(a.def.VolumeL/tankerLPH*3.6e6)+stepMS, onGrid(st.End))
	i.event.Start, i.event.End = st.at(i.start), st.at(i.end)
	object := i.Object
	for _, id := range st.site(a.def.Tank) {
		object += "|" + id
	}
	within := i.length() + shortWithin
	if short > shortLeast && st.at(i.start).Add(within).Before(st.End) {
		i.expect("fuel.delivery_short", object, within)
	}
	i.forbid("fuel.loss", aftermath, a.def.Tank)
	i.allow("fuel.delivery_short", aftermath, object)
}

// deliveries brings every order of the registry that falls into the play.
func (st *stage) deliveries() {
	for _, def := range st.Registry.Tankers() {
		a := st.order(def.ID)
		i := st.incident(Cause{Cause: "delivery", Object: def.Tank}, a.at, a.at.Add(time.Hour))
		i.untold = true
		if a.at.Before(st.Start) || !a.at.Before(st.End) {
			i.end = i.start // it never comes
			continue
		}
		i.apply = func(m *model, on bool) {
			if t, ok := m.sources[point{meter.Fuel, def.Tank}].(*oilTank); ok && on {
				t.ordered = t.delivered.integral(1) + a.part*def.VolumeL
			}
		}
	}
}

// book keeps tankers that nobody ordered from tanks that have orders.
func (st *Plan) book(m *model) {
	for _, def := range st.Registry.Tankers() {
		if t, ok := m.sources[point{meter.Fuel, def.Tank}].(*oilTank); ok {
			t.booked = true
		}
	}
}

// fuelTank checks that the incident's object is one.
func (st *stage) fuelTank(i *incident) bool {
	def, ok := st.Registry.Tank(i.Object)
	if !ok || def.Utility != meter.Fuel {
		st.wrong("object", "%s holds no fuel", i.Object)
		return false
	}
	return true
}

// theft draws fuel beside the meters. Unless it says how long, it takes twenty
// minutes.
func (st *stage) theft(i *incident) {
	if !st.fuelTank(i) {
		return
	}
	if i.openEnded {
		i.end = min(i.end, i.start+20*minuteMS)
		i.event.End = st.at(i.end)
	}
	rate := cmp.Or(i.Litres, 800) / i.length().Hours()
	i.apply = func(m *model, on bool) {
		t := m.sources[point{meter.Fuel, i.Object}].(*oilTank)
		t.theft = 0
		if on {
			t.theft = rate
		}
	}
	i.expect("fuel.loss", i.Object, lossWithin)
	i.forbid("fuel.delivery_short", aftermath, i.Object)
	i.allow("fuel.cover_low|plant.stall_forecast", 24*time.Hour, st.site(i.Object)...)
	i.allow("fuel.loss|fuel.reconcile", 24*time.Hour, i.Object)
	i.event.Allow[len(i.event.Allow)-1].Max = 1
}

// tankWarming warms a tank from one temperature to another. What its gauge sees
// swells; what it holds at 15 °C does not.
func (st *stage) tankWarming(i *incident) {
	if !st.fuelTank(i) {
		return
	}
	from, to := cmp.Or(i.FromC, 25), cmp.Or(i.ToC, 45)
	i.ready = func(m *model) {
		t := m.sources[point{meter.Fuel, i.Object}].(*oilTank)
		t.warm = from
		t.celsius.start(from, 0)
	}
	i.apply = func(m *model, on bool) {
		if !on {
			m.sources[point{meter.Fuel, i.Object}].(*oilTank).warm = 0
		}
	}
	i.tick = func(m *model, ms int64) {
		done := float64(ms-i.start) / float64(i.end-i.start)
		m.sources[point{meter.Fuel, i.Object}].(*oilTank).warm = from + (to-from)*done
	}
	i.forbid("fuel.loss|fuel.delivery_short|fuel.reconcile", aftermath, i.Object)
}
