package metersim

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/metersim/dress"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

const faultWithin = 5 * time.Minute

// badPatterns are the kinds of payloads that are no readings, or wrong ones.
var badPatterns = []string{"malformed", "truncated", "empty", "nan", "oversized", "bad_name", "no_time", "wrong_unit"}

// concerned are the meters of the cause: one, or all of the city.
func (st *stage) concerned(i *incident) (probes map[string]bool, ids []string) {
	if i.Object == "" || i.Object == "*" || i.Object == st.Files[0].City.ID {
		return nil, []string{"*"}
	}
	m := st.meterOf(i)
	return map[string]bool{key(m): true}, []string{m.ID}
}

// harmless says that what happens to the stream is nobody's alarm.
func (st *stage) harmless(i *incident, ids []string) {
	i.forbid("elec.*|water.*|fuel.*|plant.*|zone.*", flicker, "*")
	i.forbid("meter.reset|meter.clock|meter.stuck|meter.offline", flicker, ids...)
}

// duplicates sends each message again, so many times.
func (st *stage) duplicates(i *incident) {
	probes, ids := st.concerned(i)
	i.edit = &edit{probes: probes, do: func(_ *player, r *reading) {
		for n := range cmp.Or(i.Count, 1) {
			r.again = append(r.again, int64(50+900*n))
		}
	}}
	st.harmless(i, ids)
}

// outOfOrder delays every third message of a meter by up to Lag.
func (st *stage) outOfOrder(i *incident) {
	probes, ids := st.concerned(i)
	lag := cmp.Or(i.Lag, 90*time.Second)
	sent := make(map[int]int)
	i.edit = &edit{probes: probes, do: func(p *player, r *reading) {
		if sent[r.probe]++; sent[r.probe]%3 == 0 {
			r.at += int64(p.rand.Float64() * float64(lag.Milliseconds()))
		}
	}}
	st.harmless(i, ids)
}

// seqGap loses so many messages, once.
func (st *stage) seqGap(i *incident) {
	probes, _ := st.concerned(i)
	left := cmp.Or(i.Count, 2)
	i.edit = &edit{probes: probes, do: func(_ *player, r *reading) {
		r.drop = left > 0
		left--
	}}
	st.harmless(i, nil)
}

// retainedStale lets the broker hand out a message that was retained long ago,
// and that says there was no voltage and no pressure.
func (st *stage) retainedStale(i *incident) {
	m := st.meterOf(i)
	ts := i.start - cmp.Or(i.Span, 3*time.Hour).Milliseconds()
	payload := (&content{TS: ts, Values: lifeless(m.Utility)}).encode()
	i.shots = []shot{{at: i.start, fire: func(p *player) error {
		return p.send(Delivery{Topic: topicOf(m), Payload: payload, Retained: true, At: st.at(i.start)})
	}}}
	st.harmless(i, []string{m.ID})
}

// lifeless are the registers of a meter without supply.
func lifeless(u meter.Utility) map[string]float64 {
	switch u {
	case meter.Electricity:
		return map[string]float64{"active_power_kw": 0, "voltage_l1_v": 0, "voltage_l2_v": 0, "voltage_l3_v": 0}
	case meter.Water:
		return map[string]float64{"flow_m3h": 0, "pressure_bar": 0}
	case meter.Fuel:
		return map[string]float64{"volume_l": 0}
	}
	return map[string]float64{"running": 1}
}

func topicOf(m zone.Meter) string {
	return "imdad/v1/" + m.Zone + "/" + string(m.Utility) + "/" + m.ID
}

// badPayload sends what is no reading between a meter's own messages, one each
// Gap; a wrong unit is in its own messages.
func (st *stage) badPayload(i *incident) {
	m := st.meterOf(i)
	pattern := cmp.Or(i.Pattern, "malformed")
	if pattern == "wrong_unit" {
		i.edit = &edit{probes: map[string]bool{key(m): true}, do: func(_ *player, r *reading) {
			r.change(func(c *content) {
				for name, x := range c.Values {
					if name == "active_power_kw" || name == "pressure_bar" || name == "flow_m3h" {
						c.Values[name] = 1000 * x
					}
				}
			})
		}}
	} else {
		for at := i.start; at < i.end; at += cmp.Or(i.Gap, time.Minute).Milliseconds() {
			i.shots = append(i.shots, shot{at: at, fire: func(p *player) error {
				return p.send(Delivery{Topic: topicOf(m), Payload: bad(pattern, at), At: time.UnixMilli(at)})
			}})
		}
	}
	i.forbid("elec.*|water.*|fuel.*|plant.*|zone.*", flicker, "*")
	i.forbid("meter.reset|meter.clock", flicker, m.ID)
	i.allow("meter.stuck|meter.offline|balance.gap", flicker, m.ID)
}

// bad is a payload of a pattern.
func bad(pattern string, ts int64) []byte {
	switch pattern {
	case "truncated":
		return fmt.Appendf(nil, `{"ts":%d,"values":{"voltage_l1_v":0,"volt`, ts)
	case "empty":
		return []byte{}
	case "nan":
		return fmt.Appendf(nil, `{"ts":%d,"values":{"voltage_l1_v":NaN,"voltage_l2_v":NaN,"voltage_l3_v":NaN}}`, ts)
	case "oversized":
		return append(fmt.Appendf(nil, `{"ts":%d,"values":{"voltage_l1_v":0},"pad":"`, ts), bytes.Repeat([]byte{'x'}, 1<<20)...)
	case "bad_name":
		return fmt.Appendf(nil, `{"ts":%d,"values":{"Voltage L1 (V)":0}}`, ts)
	case "no_time":
		return []byte(`{"values":{"voltage_l1_v":0,"voltage_l2_v":0,"voltage_l3_v":0}}`)
	}
	return []byte("\x00\xffV=0;P=0")
}

// brokerOutage holds everything back until it is over, then hands it out in its
// order. At a real broker it is a hint: the harness stops the broker itself.
func (st *stage) brokerOutage(i *incident) {
	n := int64(0)
	i.edit = &edit{do: func(_ *player, r *reading) {
		n++
		r.at = max(r.at, i.end+n/2) // 2,000 messages a second
	}}
	i.expect("pipeline.fault", "*", faultWithin)
	i.allow("pipeline.fault", flicker, "*")
	i.forbid("elec.*|water.*|fuel.*|plant.*|zone.*|meter.*|gateway.*", flicker, "*")
}

// databaseDown does nothing by itself: the harness stops the database.
func (st *stage) databaseDown(i *incident) {
	i.expect("pipeline.fault", "*", faultWithin)
	i.allow("pipeline.fault", flicker, "*")
	i.forbid("meter.*|gateway.*", flicker, "*")
}

// backfill hands in the history of the last hours, marked as such, beside what
// the meters go on sending. With a blackout the middle third of it is dead.
func (st *stage) backfill(i *incident) {
	span := cmp.Or(i.Span, 6*time.Hour)
	i.shots = []shot{{at: i.start, fire: func(p *player) error { return st.history(p, i, span) }}}
	i.end = min(onGrid(st.End), i.start+30*minuteMS)
	i.event.End = st.at(i.end)
	st.harmless(i, []string{"*"})
}

// history plays the past of the object's meters on a model of its own, whose
// counters end where the present ones stand.
func (st *stage) history(p *player, i *incident, span time.Duration) error {
	from := st.at(i.start).Add(-span)
	past, err := newModel(st.Registry, st.seed, from)
	if err != nil {
		return err
	}
	if i.Blackout {
		dark := &incident{start: i.start - 2*span.Milliseconds()/3, end: i.start - span.Milliseconds()/3, apply: cut(append(st.net.feeders(i.Object), i.Object)...)}
		past.afflict([]*incident{dark}, st.seed)
	}
	inside := append(append(st.net.feeders(i.Object), st.net.plants(i.Object)...), i.Object)
	made := make(map[string][]*content) // by topic
	for k, def := range st.Registry.Meters() {
		if def.Utility == meter.Electricity && slices.Contains(inside, def.At) && dress.Keeps(st.Plan.speakers[k].Profile) {
			made[topicOf(def)] = nil
		}
	}
	every := int64(60_000)
	for ts := from.UnixMilli(); ts < i.start; ts += every {
		x := past.advanceTo(float64(ts))
		for k, def := range st.Registry.Meters() {
			topic := topicOf(def)
			if _, wanted := made[topic]; wanted {
				s := past.sources[point{def.Utility, def.At}]
				r := reading{payload: newProbe(def, s).message(float64(ts), x).payload(), ts: ts, probe: k}
				r.change(func(c *content) { c.Historical, c.Seq = true, 0; made[topic] = append(made[topic], c) })
			}
		}
	}
	return p.handIn(made, i.start)
}

// handIn aligns histories with the counters of now and sends them, 100 a second.
func (p *player) handIn(made map[string][]*content, at int64) error {
	n := int64(0)
	for _, topic := range slices.Sorted(maps.Keys(made)) {
		list := made[topic]
		k := slices.IndexFunc(p.probes, func(x *probe) bool { return x.topic == topic })
		now := p.now(k)
		last := list[len(list)-1].Values
		for _, c := range list {
			behind := maps.Clone(c.Values)
			for name := range behind {
				if isCounter(name) {
					behind[name] = round(math.Max(0, behind[name]+now[name]-last[name]))
				}
			}
			c.Values = behind
			n++
			ts := int64(c.TS.(int64))
			due := at + 10*n
			p.put(mail{Delivery: Delivery{At: time.UnixMilli(due)}, fire: func(p *player) error {
				return p.say(&reading{probe: k, topic: topic, payload: c.encode(), ts: ts, at: due, taken: due})
			}})
		}
	}
	return nil
}
