package decode

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// emit turns what was read into readings.
func (r *reader) emit(to *route, m *Message, out *Readings) (Result, *Reject) {
	timeless := false
	if reject := r.units(r.shared, nil); reject != nil {
		return 0, reject
	}
	for i := range r.groups {
		g := &r.groups[i]
		if reject := r.units(r.samples[g.from:g.to], r.notes[g.notes[0]:g.notes[1]]); reject != nil {
			return 0, reject
		}
		if r.finish != nil {
			r.finish(r, g)
		}
		switch {
		case g.from == g.to && len(r.shared) == 0:
			continue
		case g.timed:
		case r.common.timed:
			g.time = r.common.time
		case m.Retained:
			timeless = true
			continue
		case m.Received == 0 || r.source.mapping.wantsTime():
			return 0, &Reject{NoTime, "the message has no time"}
		default:
			g.time, g.received = m.Received, true
		}
		if reject := r.readings(to, g, out); reject != nil {
			return 0, reject
		}
	}
	switch {
	case out.n > 0:
		return Decoded, nil
	case timeless:
		return Ignored, nil
	case r.silent:
		return Control, nil
	}
	return 0, &Reject{NoValues, "the message carries no number"}
}

// units converts what the message itself names the unit of, in notes of the
// reading or in those that belong to all.
func (r *reader) units(samples []sample, notes []noted) *Reject {
	for i := range samples {
		s := &samples[i]
		if s.field.unitKey == "" {
			continue
		}
		unit := s.field.unit
		for _, list := range [][]noted{r.sharedNotes, notes} {
			for _, n := range list {
				if n.field.name == s.field.unitKey {
					unit = string(n.text)
				}
			}
		}
		c, err := conversion(unit, s.field.name)
		if err != nil {
			return &Reject{BadUnit, fmt.Sprintf("%s: %v", clip(s.field.unitKey), err)}
		}
		if s.value = c.Convert(s.value); math.IsInf(s.value, 0) {
			return &Reject{NotFinite, fmt.Sprintf("%s is beyond a double's range", s.field.name)}
		}
	}
	return nil
}

// readings makes the readings of a group: one for every channel and utility.
func (r *reader) readings(to *route, g *group, out *Readings) *Reject {
	first := out.n
	samples := r.samples[g.from:g.to]
	var before sample
	for i := range samples {
		s := &samples[i]
		if b := before.field; b != nil && b.channel == s.field.channel && b.utility == s.field.utility {
			s.series = before.series
			continue
		}
		var reject *Reject
		if s.series, reject = r.series(to, g, s.field); reject != nil {
			return reject
		}
		before = *s
		if !slices.ContainsFunc(out.list[first:out.n], func(x meter.Reading) bool { return x.Series == s.series }) {
			r.next(out, s.series, g)
		}
	}
	if len(samples) == 0 {
		series, reject := r.series(to, g, r.shared[0].field)
		if reject != nil {
			return reject
		}
		r.next(out, series, g)
	}
	for at := first; at < out.n; at++ {
		r.fill(to, samples, &out.list[at])
	}
	return nil
}

func (r *reader) next(out *Readings, s *meter.Series, g *group) {
	reading := out.next(s)
	reading.Time, reading.Received, reading.Quality = g.time, g.received, r.source.quality
	reading.Seq, reading.HasSeq = g.seq, g.hasSeq
	reading.Partial, reading.ByException = r.partial, r.place.partial
}

// fill puts the samples of its series into a reading, and those of the whole
// message if they are of its utility.
func (r *reader) fill(to *route, samples []sample, reading *meter.Reading) {
	r.serial++
	partial := false
	for i := range samples {
		if s := &samples[i]; s.series == reading.Series {
			r.put(reading, s)
			partial = partial || s.field.parts > 0
		}
	}
	for i := range r.shared {
		s := &r.shared[i]
		if u := meter.Utility(orElse(string(s.field.utility), string(to.utility))); u == "" || u == reading.Series.Utility {
			r.put(reading, s)
		}
	}
	if !partial {
		return
	}
	reading.Values = slices.DeleteFunc(reading.Values, func(v meter.Value) bool {
		for _, s := range samples {
			if f := s.field; s.series == reading.Series && f.total == v.Register && f.whole.parts > 0 && f.whole.parts < f.parts {
				return true
			}
		}
		return false
	})
}

// given marks a register that was stated, not added up of its parts.
const given = -1

// put sets one register of a reading. Where two values want the same, the
// later one takes the name that its path gives it.
func (r *reader) put(reading *meter.Reading, s *sample) {
	reg := s.field.reg
	if reg.seen == r.serial && reg.parts > 0 {
		reading.Values[reg.index].Value, reg.parts = s.value, given
		return
	}
	for n := 1; reg.seen == r.serial; n++ {
		reg = r.register(s.field.otherName(n))
	}
	r.set(reading, reg, s.value)
	reg.parts = given
	whole := s.field.whole
	switch {
	case whole == nil:
	case whole.seen != r.serial:
		r.set(reading, whole, s.value)
		whole.parts = 1
	case whole.parts > 0:
		reading.Values[whole.index].Value += s.value
		whole.parts++
	}
}

// otherName returns the name that the path of a value gives it, with its unit and,
// from the second such on, a number.
func (f *field) otherName(n int) string {
	name := f.other
	if n > 1 {
		name += "_" + strconv.Itoa(n)
	}
	if i := strings.LastIndexByte(f.name, '_'); f.measures && i > 0 && !strings.HasSuffix(name, f.name[i:]) {
		name += f.name[i:]
	}
	return shorten(name, name)
}

func (r *reader) set(reading *meter.Reading, reg *registerName, v float64) {
	reg.seen, reg.index = r.serial, len(reading.Values)
	reading.Values = append(reading.Values, meter.Value{Register: reg.name, Value: v})
}

// seriesKey is what tells the meters under one topic apart.
type seriesKey struct {
	device, channel string
	utility         meter.Utility
}

// maxSeries bounds the meters that are remembered with one topic.
const maxSeries = 1 << 16

// series returns whose register it is.
func (r *reader) series(to *route, g *group, f *field) (*meter.Series, *Reject) {
	utility := f.utility
	if utility == "" {
		utility = to.utility
	}
	if utility == "" {
		utility = g.utility
	}
	if utility == "" {
		utility = r.utility
	}
	if s, ok := to.meters[seriesKey{string(g.device), f.channel, utility}]; ok {
		return s, nil
	}
	if !utility.Valid() {
		return nil, &Reject{BadTopic, fmt.Sprintf("nothing says which utility this is; name one of %v in the source", meter.Utilities)}
	}
	device := to.place.device
	if len(g.device) > 0 {
		device = string(g.device)
	}
	s, reject := r.source.series(r.catalog, to, device, f.channel, utility)
	if reject != nil {
		return nil, reject
	}
	if len(to.meters) >= maxSeries {
		clear(to.meters)
	}
	if to.meters == nil {
		to.meters = make(map[seriesKey]*meter.Series)
	}
	to.meters[seriesKey{string(g.device), f.channel, utility}] = s
	r.know(to, s)
	return s, nil
}

// series finds zone and meter.
func (c *compiled) series(catalog *meter.Catalog, to *route, device, channel string, utility meter.Utility) (*meter.Series, *Reject) {
	value := to.value(device, channel)
	zone, id := foreignID(c.zone.fill(value)), c.meter.fill(value)
	if zone == "" {
		return nil, &Reject{BadName, "the topic gives no zone"}
	}
	if id == "" {
		return nil, &Reject{BadName, "neither topic nor payload names the meter"}
	}
	if channel != "" && !c.meter.uses("channel") {
		id += ":" + channel
	}
	if own, ok := c.names[id]; ok {
		id = own
	}
	s := catalog.Get(zone, utility, foreignID(id))
	if s == nil {
		return nil, &Reject{TooManyMeters, fmt.Sprintf("meter %q is one too many", clip(id))}
	}
	return s, nil
}

// value returns what captures stand for in the names of a device's channel.
func (to *route) value(device, channel string) func(capture string) string {
	return func(capture string) string {
		switch {
		case capture == "device":
			return device
		case capture == "channel":
			return channel
		case capture == "meter" && to.place.meter != "":
			return to.place.meter
		}
		return to.captured[capture]
	}
}
