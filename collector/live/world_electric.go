package live

import (
	"math"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// Nominal voltages, phase to neutral, where the registry does not say.
var (
	lowNominal    = 230.0
	mediumNominal = 20_000 / math.Sqrt(3)
)

// electricOf returns the tracker of an object's electricity.
func (w *world) electricOf(old *memory, id string, m int32, nominal float64) *electric {
	e := keep(w.memory.Electric, old.Electric, id, newElectric)
	e.nominal = nominal
	if m >= 0 && w.registry.Meters()[m].NominalV > 0 {
		e.nominal = w.registry.Meters()[m].NominalV
	}
	e.limits = meter.CounterLimits{PerH: w.rating(m).PowerKW, Digits: w.digits(m)}
	e.gap, e.parent = nil, nil
	return e
}

func (w *world) placeElectricity(old *memory) {
	r := w.registry
	w.substations = make([]substationAt, len(r.Substations()))
	for i, s := range r.Substations() {
		o, _ := r.Object(s.ID)
		at := substationAt{meter: w.meterOf(meter.Electricity, s.ID), city: w.index(zone.CityKind, o.City)}
		at.e = w.electricOf(old, s.ID, at.meter, mediumNominal)
		at.e.currents = true
		at.silence = keep(w.memory.Silences, old.Silences, s.ID, func() *silence { return new(silence) })
		w.substations[i] = at
	}
	w.feeders = make([]feederAt, len(r.Feeders()))
	for i, f := range r.Feeders() {
		at := feederAt{
			meter: w.meterOf(meter.Electricity, f.ID), zone: w.zoneOf(f.Zone),
			parent: w.index(zone.FeederKind, f.From), substation: w.index(zone.SubstationKind, f.From),
			cursor: r.Programme().Cursor(f.ID),
		}
		at.city = w.zones[at.zone].city
		at.e = w.electricOf(old, f.ID, at.meter, mediumNominal)
		at.gap = keep(w.memory.Gaps, old.Gaps, f.ID, func() *gap { return new(gap) })
		at.silence = keep(w.memory.Silences, old.Silences, f.ID, func() *silence { return new(silence) })
		at.e.gap, at.e.currents = at.gap, true
		w.feeders[i] = at
	}
	w.orderFeeders()
	w.linkFeeders()
}

// orderFeeders lists each feeder after the one it branches from. The registry
// has no cycles.
func (w *world) orderFeeders() {
	w.downward = make([]int32, 0, len(w.feeders))
	listed := make([]bool, len(w.feeders))
	var list func(i int32)
	list = func(i int32) {
		if i < 0 || listed[i] {
			return
		}
		listed[i] = true
		list(w.feeders[i].parent)
		w.downward = append(w.downward, i)
	}
	for i := range w.feeders {
		list(int32(i))
	}
}

func (w *world) linkFeeders() {
	for _, i := range w.downward {
		f := &w.feeders[i]
		inZone := int32(-1)
		if f.parent >= 0 {
			parent := &w.feeders[f.parent]
			f.substation, inZone = parent.substation, parent.zone
			f.e.parent = parent.gap
			parent.below = append(parent.below, f.e)
			parent.unmetered = parent.unmetered || f.meter < 0
		} else {
			w.substations[f.substation].feeders = append(w.substations[f.substation].feeders, i)
		}
		if inZone == f.zone {
			continue // part of what the zone gets already
		}
		w.zones[f.zone].feeders = append(w.zones[f.zone].feeders, i)
		if inZone >= 0 {
			w.zones[inZone].leaving = append(w.zones[inZone].leaving, i)
		}
	}
}
