package decode

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// trust says how a message's metrics may be found.
type trust uint8

const (
	byAlias  trust = 1 << iota
	byName         // of the birth
	learning       // by a name that is in no birth; of data messages
)

// values makes readings of the metrics of a message. A data message of which not
// one value can be told apart is refused; else what is of no known metric is
// counted.
func (h *sparkplugHost) values(to *route, s *edgeScope, m *Message, out *Readings, how trust) *Reject {
	nameless := 0
	reject := h.message.each(func(x *sparkplugMetric) *Reject {
		known, reject := h.known(to, s, x, how)
		switch {
		case reject != nil:
			return reject
		case known == nil:
			nameless++
			return nil
		}
		return h.value(known, x, m, out, &nameless)
	})
	if reject != nil {
		return reject
	}
	switch {
	case nameless == 0:
		return nil
	case how&learning != 0:
		h.want(to.edge.node)
		if out.n == 0 {
			return &Reject{NoBirth, fmt.Sprintf("%d metrics without a name, of a birth that is not known", nameless)}
		}
	}
	h.passed += int64(nameless)
	return nil
}

// known finds the metric that a value is of; nil if it has neither a known alias
// nor a name.
func (h *sparkplugHost) known(to *route, s *edgeScope, x *sparkplugMetric, how trust) (*edgeMetric, *Reject) {
	if len(x.name) == 0 {
		if !x.hasAlias || how&byAlias == 0 {
			return nil, nil
		}
		return s.byAlias[x.alias], nil
	}
	if known, ok := s.byName[string(x.name)]; ok || how&learning == 0 {
		return known, nil
	}
	if s.born {
		h.want(to.edge.node) // it is in no birth
	}
	return h.learn(to, to.edge.node, s, x)
}

// value puts one value into its reading.
func (h *sparkplugHost) value(known *edgeMetric, x *sparkplugMetric, m *Message, out *Readings, nameless *int) *Reject {
	switch {
	case x.null || !known.kept && x.carrier != carriesOther:
		return nil
	case !known.kept || x.carrier == carriesOther || x.transient:
		h.passed++
		return nil
	}
	datatype := known.datatype
	if x.datatype != 0 {
		datatype = x.datatype
	}
	v, ok := x.number(datatype)
	switch {
	case x.carrier == carriesNothing:
		return nil
	case x.carrier == carriesText:
		if v, ok = known.words[string(x.text)]; !ok {
			return nil
		}
	case !ok:
		*nameless++ // it may be negative or not: its birth would tell
		return nil
	}
	v = known.convert.Convert(v)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		h.passed++
		return nil
	}
	slot := edgeSlot{series: known.series, historical: x.historical}
	switch {
	case x.timed:
		slot.time = clampTime(x.time)
	case h.message.timed:
		slot.time = clampTime(h.message.time)
	case m.Retained:
		return nil
	case m.Received == 0:
		return &Reject{NoTime, "the message has no time"}
	default:
		slot.time = m.Received
	}
	at, reject := h.reading(slot, out)
	if reject != nil {
		return reject
	}
	h.put(known, v, at, out)
	if x.doubted() {
		out.list[at].Quality = max(out.list[at].Quality, meter.Suspect)
	}
	return nil
}

// clampTime returns a time in ms as it can be kept.
func clampTime(ms uint64) int64 { return int64(min(ms, math.MaxInt64)) }

// reading returns the reading that a value belongs to. One of many registers is
// continued in another.
func (h *sparkplugHost) reading(slot edgeSlot, out *Readings) (int, *Reject) {
	at, ok := h.lastAt, out.n > 0 && slot == h.last
	if !ok {
		at, ok = h.slots[slot]
	}
	if ok && len(out.list[at].Values) < MaxRegisters {
		h.last, h.lastAt = slot, at
		return at, nil
	}
	if most := MaxReadings + len(h.message.payload)/bytesPerReading; out.n == most {
		return 0, &Reject{TooLarge, fmt.Sprintf("more than %d readings in %d bytes", most, len(h.message.payload))}
	}
	r := out.next(slot.series)
	r.Time, r.Historical, r.Quality = slot.time, slot.historical, h.source.quality
	at = out.n - 1
	h.last, h.lastAt, h.slots[slot] = slot, at, at
	return at, nil
}

// put sets a register; the last of two values of one metric at one time counts.
func (h *sparkplugHost) put(known *edgeMetric, v float64, at int, out *Readings) {
	r := &out.list[at]
	if known.seen == h.serial {
		index := int(known.index)
		if int(known.reading) != at {
			index = slices.IndexFunc(r.Values, func(x meter.Value) bool { return x.Register == known.register })
		}
		if index >= 0 {
			r.Values[index].Value = v
			return
		}
	}
	known.seen, known.reading, known.index = h.serial, int32(at), int32(len(r.Values))
	r.Values = append(r.Values, meter.Value{Register: known.register, Value: v})
}

// finish puts the readings in order of time and says which of them are not the
// whole meter: those of data messages, and those of a birth whose metrics changed
// at different times.
func (h *sparkplugHost) finish(out *Readings, data bool) {
	list := out.All()
	for i := range list {
		list[i].Partial, list[i].ByException = data, true
	}
	if !data && len(list) > 1 {
		counts := make(map[*meter.Series]int)
		for i := range list {
			counts[list[i].Series]++
		}
		for i := range list {
			list[i].Partial = counts[list[i].Series] > 1
		}
	}
	byTime := func(a, b meter.Reading) int { return cmp.Compare(a.Time, b.Time) }
	if !slices.IsSortedFunc(list, byTime) {
		slices.SortStableFunc(list, byTime)
	}
}
