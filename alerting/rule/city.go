package rule

import (
	"math"
	"slices"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
)

// judgeCities judges the frequency, which is one in the whole grid: one alarm
// a city.
func (e *evaluation) judgeCities() {
	for i := range e.snap.Cities {
		r := ref{cityClass, int32(i)}
		p := e.at(frequency, cityClass, r.index)
		if !p.enabled {
			continue
		}
		hz, measured := e.cityFrequency(r.index)
		if !measured {
			continue
		}
		away := snapshot.Value(math.Abs(hz - p.params[nominalHz]))
		state := p.judge(away, false)
		if state == Clear {
			continue
		}
		f := e.add(frequency, r, p, state)
		if state == Raised {
			f.number("hz", hz)
		}
	}
}

// cityFrequency is the median of what the city's substations say, or, if they
// say nothing, its feeders: one bad meter decides nothing. It is NaN while all
// are silent, and not measured where none has a meter.
func (e *evaluation) cityFrequency(city int32) (hz float64, measured bool) {
	var room [64]float64
	known := room[:0]
	see := func(el *snapshot.Electricity) {
		measured = measured || el.Meter >= 0
		if el.FrequencyHz.Known() && el.FrequencyHz > 0 && len(known) < len(room) {
			known = append(known, float64(el.FrequencyHz))
		}
	}
	for _, s := range e.net.cityStations[city] {
		see(&e.snap.Substations[s].Electricity)
	}
	if len(known) == 0 {
		for _, f := range e.net.cityFeeders[city] {
			see(&e.snap.Feeders[f].Electricity)
		}
	}
	if len(known) == 0 {
		return math.NaN(), measured
	}
	slices.Sort(known)
	return known[len(known)/2], measured
}
