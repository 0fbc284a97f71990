package metersim

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/imdad-telemetry/imdad/collector/zone"
)

const (
	offlineIntervals = 3                // of silence
	offlineSlack     = 4 * time.Minute  // beyond them
	gatewayWithin    = 5 * time.Minute  // from its will
	skewLeast        = 60 * time.Second // that is worth an alarm
	stuckIntervals   = 6
	resetSlack       = 5 * time.Minute
)

// meterOf returns the cause's meter; the first of that id if there are more.
func (st *stage) meterOf(i *incident) zone.Meter { return st.metersCalled(i.Object)[0] }

// befall edits the messages of one meter, and says what silence or nonsense of
// it must not be taken for.
func (st *stage) befall(i *incident, do func(*player, *reading)) zone.Meter {
	m := st.meterOf(i)
	i.event.Object = m.ID
	i.Object = m.ID
	i.edit = &edit{probes: map[string]bool{key(m): true}, do: do}
	st.innocent(i, m.At)
	return m
}

// innocent says that nothing is wrong with the supply of the objects.
func (st *stage) innocent(i *incident, objects ...string) {
	i.forbid("elec.outage|elec.phase_loss|elec.voltage_low|elec.voltage_high|elec.unbalance|elec.ration_unannounced", flicker, objects...)
	i.forbid("water.stopped|water.burst|water.pressure_low|fuel.loss|fuel.delivery_short|plant.stalled", flicker, objects...)
	i.forbid("elec.shortfall|water.shortfall|zone.inadequate|water.stopped", flicker, append(st.zonesOf(objects), st.Files[0].City.ID)...)
}

func (st *stage) zonesOf(objects []string) []string {
	var list []string
	for _, id := range objects {
		list = append(list, st.net.zones(id)...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// intervals is so many of a meter's intervals.
func intervalsOf(m zone.Meter, n float64) time.Duration {
	return time.Duration(n * m.IntervalS * float64(time.Second))
}

func (st *stage) meterOffline(i *incident) {
	m := st.befall(i, func(_ *player, r *reading) { r.drop = true })
	if within := intervalsOf(m, offlineIntervals+1) + offlineSlack; i.length() > within {
		i.expect("meter.offline", m.ID, within)
	}
	i.allow("meter.offline", flicker, m.ID)
}

// gatewayOffline silences every meter behind a gateway; the broker publishes
// its will.
func (st *stage) gatewayOffline(i *incident) {
	silent := make(map[string]bool)
	var ids, at []string
	zoneID := ""
	for _, m := range st.Registry.Meters() {
		if m.Gateway == i.Object {
			silent[key(m)] = true
			ids, at, zoneID = append(ids, m.ID), append(at, m.At), m.Zone
		}
	}
	i.edit = &edit{probes: silent, do: func(_ *player, r *reading) { r.drop = true }}
	i.shots = append(i.shots, status(zoneID, i.Object, "offline", i.start))
	if !i.openEnded {
		i.shots = append(i.shots, status(zoneID, i.Object, "online", i.end))
	}
	if i.length() > gatewayWithin {
		i.expect("gateway.offline", i.Object, gatewayWithin)
	}
	i.forbid("meter.offline", flicker, ids...)
	slices.Sort(at)
	st.innocent(i, slices.Compact(at)...)
}

// births publishes every gateway's status before anything else.
func (st *stage) births() {
	told := make(map[string]bool)
	i := st.incident(Cause{Cause: "birth"}, st.Start, st.End)
	i.untold = true
	for _, m := range st.Registry.Meters() {
		if m.Gateway != "" && !told[m.Zone+"/"+m.Gateway] {
			told[m.Zone+"/"+m.Gateway] = true
			i.shots = append(i.shots, status(m.Zone, m.Gateway, "online", st.Start.UnixMilli()))
		}
	}
}

// status publishes a gateway's state, retained; that of a Sparkplug node is its
// birth or death.
func status(zoneID, gateway, state string, at int64) shot {
	return shot{at: at, fire: func(p *player) error {
		if n := p.node(zoneID, gateway); n != nil {
			switch {
			case state != "online":
				return p.fall(n, at)
			case at == p.plan.Start.UnixMilli() && p.live != nil:
				return nil // it is born as it connects
			case at == p.plan.Start.UnixMilli() && p.plan.lateJoin(n):
				n.Connect() // nobody heard its birth
				return nil
			}
			return p.rise(n, at)
		}
		return p.send(Delivery{Topic: "imdad/v1/" + zoneID + "/gateway/" + gateway, Payload: []byte(state), Retained: true, At: time.UnixMilli(at)})
	}}
}

func (st *stage) clockSkew(i *incident) {
	skew := i.Skew
	if skew == 0 {
		skew = 5 * time.Minute
	}
	m := st.befall(i, func(_ *player, r *reading) { r.stampMS(r.ts + skew.Milliseconds()) })
	if skew.Abs() > skewLeast {
		i.expect("meter.clock", m.ID, intervalsOf(m, 5)+resetSlack)
	}
	i.allow("meter.clock|meter.offline", aftermath, m.ID)
}

// clock1970 lets the meter's clock begin at the epoch, as after a dead battery.
func (st *stage) clock1970(i *incident) {
	m := st.befall(i, func(_ *player, r *reading) { r.stampMS(r.ts - i.start + 1000) })
	i.expect("meter.clock", m.ID, intervalsOf(m, 5)+resetSlack)
	i.allow("meter.clock|meter.offline", aftermath, m.ID)
}

// missingZone lets the meter write local time without its zone, which no
// reader can place.
func (st *stage) missingZone(i *incident) {
	m := st.befall(i, func(_ *player, r *reading) { r.stamp(localText(r.ts, st.loc)) })
	within := intervalsOf(m, offlineIntervals+2) + offlineSlack
	if i.length() > within {
		i.expect("meter.clock|meter.offline", m.ID, within)
	}
	i.allow("meter.clock|meter.offline", aftermath, m.ID)
}

// counterReset lets the meter's counters begin at zero, for good.
func (st *stage) counterReset(i *incident) { st.restart(i, false) }

// replacement puts a new meter in its place: other counters, and its messages
// are numbered from one.
func (st *stage) replacement(i *incident) { st.restart(i, true) }

func (st *stage) restart(i *incident, replaced bool) {
	i.end = onGrid(st.End)
	i.event.End = st.at(i.end)
	base := make(map[string]float64)
	var first int64
	m := st.befall(i, func(_ *player, r *reading) {
		r.change(func(c *content) {
			for name, x := range c.Values {
				if !isCounter(name) {
					continue
				}
				if _, known := base[name]; !known {
					base[name] = x
					if replaced {
						base[name] -= 0.02 * x // it has run on a bench
					}
				}
				c.Values[name] = round(x - base[name])
			}
			if replaced {
				if first == 0 {
					first = c.Seq
				}
				c.Seq -= first - 1
			}
		})
	})
	i.expect("meter.reset", m.ID, intervalsOf(m, 3)+resetSlack)
	i.allow("meter.reset", 0, m.ID)
}

// rollover shifts the meter's counters so that they pass their last digit at
// the start of the cause. Where the registry says how many digits there are, it
// must not be taken for a reset.
func (st *stage) rollover(i *incident) {
	digits := st.meterOf(i).Digits
	full, target := math.Pow10(cmp.Or(i.Digits, digits, 6)), i.start
	i.start, i.end = onGrid(st.Start), onGrid(st.End)
	i.event.Start, i.event.End = st.at(i.start), st.at(i.end)
	shift := make(map[string]float64)
	m := st.befall(i, func(_ *player, r *reading) {
		r.change(func(c *content) {
			for name, x := range c.Values {
				rate, known := rates[name]
				if !known {
					continue
				}
				if _, known = shift[name]; !known {
					shift[name] = full - x - c.Values[rate]*float64(target-r.ts)/3.6e6
				}
				c.Values[name] = round(math.Mod(x+shift[name]+full, full))
			}
		})
	})
	i.forbid("meter.offline", flicker, m.ID)
	if digits > 0 && cmp.Or(i.Digits, digits) == digits {
		i.forbid("meter.reset", 0, m.ID)
		return
	}
	i.allow("meter.reset", 0, m.ID)
	i.event.Allow[0].Max = 1
}

// round keeps what a meter's display shows.
func round(x float64) float64 { return math.Round(x*1000) / 1000 }

// stuckMeter repeats the values of its first message while its time goes on.
func (st *stage) stuckMeter(i *incident) {
	var values map[string]float64
	m := st.befall(i, func(_ *player, r *reading) {
		r.change(func(c *content) {
			if values == nil {
				values = c.Values
			}
			c.Values = values
		})
	})
	if within := intervalsOf(m, stuckIntervals+3) + offlineSlack; i.length() > within {
		i.expect("meter.stuck", m.ID, within)
	}
	i.allow("meter.stuck", flicker, m.ID)
	i.allow("balance.gap", aftermath, "*")
}
