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
	joined   *joined    // nil: its readings are never partial
}

func (v *Vetter) device(s *meter.Series) *device {
	d := &device{series: s, found: &v.found}
	d.lookUp(v.registry)
	return d
}

// lookUp takes what a registry says of the meter.
func (d *device) lookUp(r *zone.Registry) {
	d.registry, d.def = r, nil
	if r == nil {
		d.tank = nil
		return
	}
	if m, ok := r.Meter(d.series.Zone, d.series.Utility, d.series.Meter); ok {
		d.def = m
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
