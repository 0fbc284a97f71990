package zone

import (
	"math"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// Rating is the most that can pass what a meter measures; 0: not known.
type Rating struct {
	PowerKW float64
	FlowM3H float64
	FlowLPH float64
}

const (
	// mediumKV is between the phases of a feeder, where its meter does not say
	// that it is more.
	mediumKV = 20
	// burnLPerKWh is more than any diesel generator burns at full load: tables of
	// makers give 0.27 l/kWh for 1,000 kW and 0.37 for 30 kW
	// (https://oer.enviraj.com/general/diesel-generator-fuel-consumption-chart).
	burnLPerKWh = 0.5
)

// Rating returns what the object that a meter measures is built for, an upper
// bound: kVA count as kW, and what is not sure is not known. What a plant draws
// from a main is bounded by the station above; what its boilers burn, and what
// goes into and out of a tank, nothing bounds.
func (r *Registry) Rating(m *Meter) Rating {
	switch o := r.objects[m.At]; m.Utility {
	case meter.Electricity:
		return Rating{PowerKW: r.apparentKVA(o, m.NominalV)}
	case meter.Water:
		return Rating{FlowM3H: r.supplyM3H(o)}
	case meter.Generator:
		if p, ok := r.Plant(o.ID); ok {
			return Rating{PowerKW: p.StandbyKW, FlowLPH: burnLPerKWh * p.StandbyKW}
		}
	}
	return Rating{}
}

// apparentKVA is what an electric object is built for. A nominal voltage below
// that of the network is taken behind voltage transformers, and says nothing.
func (r *Registry) apparentKVA(o Object, nominalV float64) float64 {
	switch o.Kind {
	case SubstationKind:
		s, _ := r.Substation(o.ID)
		return 1000 * s.RatingMVA
	case FeederKind:
		f, _ := r.Feeder(o.ID)
		return math.Sqrt(3) * max(mediumKV, math.Sqrt(3)*nominalV/1000) * f.RatingA
	case PlantKind:
		p, _ := r.Plant(o.ID)
		return p.ContractKVA
	}
	return 0
}

// supplyM3H is the capacity of the pumping station that an object's water comes
// from.
func (r *Registry) supplyM3H(o Object) float64 {
	id := o.ID
	if p, ok := r.Plant(id); ok {
		id = p.WaterLine
	}
	for {
		line, ok := r.WaterLine(id) // there are no rings of them
		if !ok {
			break
		}
		id = line.From
	}
	if s, ok := r.PumpingStation(id); ok {
		return s.CapacityM3H
	}
	return 0
}
