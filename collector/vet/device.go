package vet

import (
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// device is what vetting keeps of one meter between its readings.
type device struct {
	series   *meter.Series
	def      *zone.Meter    // nil: not registered
	registry *zone.Registry // nil: none
	found    *findings      // of all meters
	counters []counter
	watched  watched
	tank     *tankGauge // nil: it gauges no tank
	joined   *joined    // nil: it sends no partial readings
}

// device makes a meter's device at first sight, or takes the one of an earlier
// life.
func (v *Vetter) device(s *meter.Series, hash uint64) *device {
	d, ok := v.saved[hash]
	if ok {
		delete(v.saved, hash)
	} else {
		d = &device{}
	}
	d.series, d.found = s, &v.found
	d.lookUp(v.registry)
	return d
}

// devices yields the devices of all meters, also of those not seen since the
// state was loaded.
func (v *Vetter) devices(yield func(*device) bool) {
	for i := range v.meters {
		if d := v.meters[i].device; d != nil && !yield(d) {
			return
		}
	}
	for _, d := range v.saved {
		if !yield(d) {
			return
		}
	}
}

// lookUp takes what a registry says of the meter.
func (d *device) lookUp(r *zone.Registry) {
	d.registry, d.def = r, nil
	if r != nil {
		d.def, _ = r.Meter(d.series.Zone, d.series.Utility, d.series.Meter)
	}
	for i := range d.counters {
		d.limit(&d.counters[i])
	}
	d.gaugeTank()
}

// note marks a reading with a finding. The reason of the worst quality is the
// one that is told.
func (d *device) note(r *meter.Reading, f finding, q meter.Quality) {
	d.found[f]++
	if r.Reason == "" || q > r.Quality {
		r.Reason = f.String()
	}
	r.Quality = r.Quality.Worst(q)
}
