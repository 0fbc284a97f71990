package metersim

import (
	"math"
	"math/rand/v2"
)

const (
	mediumVolts = 20000.0 // line to line, on feeders
	lowVolts    = 400.0   // line to line, at plants
	quarterMS   = 15 * 60 * 1000
	root3       = 1.7320508075688772
)

// load is the electricity that passes one point of the network: a substation's
// 20 kV bars, a feeder's head or a plant's connection.
type load struct {
	active   flow // kW, kWh
	reactive flow // kvar, kvarh
	perUnit  flow // voltage as a share of nominal
	nominal  float64
	ratedKW  float64
	full     bool       // a network meter, which shows every register
	share    [3]float64 // each phase's share of the power; their sum is 1
	tilt     [3]float64 // each phase's voltage as a share of the mean
	hertz    *flow

	demandKW   float64 // mean over the last whole quarter of an hour
	quarterKWh float64 // the counter when the present one began
}

func newLoad(nominal, ratedKW float64, hertz *flow, r *rand.Rand) load {
	l := load{nominal: nominal, ratedKW: ratedKW, hertz: hertz}
	a, b := 0.02*r.NormFloat64(), 0.02*r.NormFloat64()
	l.share = [3]float64{(1 + a) / 3, (1 + b) / 3, (1 - a - b) / 3}
	a, b = 0.002*r.NormFloat64(), 0.002*r.NormFloat64()
	l.tilt = [3]float64{1 + a, 1 + b, 1 - a - b}
	return l
}

// begin sets the counters as if a mean load of kw had run for some time.
func (l *load) begin(kw float64, r *rand.Rand) {
	hours := 24 * (100 + 900*r.Float64())
	l.active.start(0, kw*hours)
	l.reactive.start(0, kw*hours*0.4)
	l.demandKW, l.quarterKWh = kw, l.active.total
}

// next goes on to the step that begins at ms.
func (l *load) next(ms int64, kw, kvar float64) {
	l.active.next(kw)
	l.reactive.next(kvar)
	if ms%quarterMS == 0 {
		l.demandKW = (l.active.total - l.quarterKWh) / 0.25
		l.quarterKWh = l.active.total
	}
}

// loading is the power at the step's end as a share of the rating.
func (l *load) loading() float64 { return min(2, l.active.to/l.ratedKW) }

func (l *load) appendTo(v *values, x float64) {
	kw, kvar := l.active.at(x), l.reactive.at(x)
	kva := math.Hypot(kw, kvar)
	pf := 1.0
	if kva > 0 {
		pf = kw / kva
	}
	phase := l.nominal * l.perUnit.at(x) / root3
	v1, v2, v3 := phase*l.tilt[0], phase*l.tilt[1], phase*l.tilt[2]

	v.put(`"active_power_kw":`, kw, 3)
	v.put(`"reactive_power_kvar":`, kvar, 3)
	v.put(`"energy_import_kwh":`, l.active.integral(x), 3)
	v.put(`"voltage_l1_v":`, v1, 2)
	v.put(`"voltage_l2_v":`, v2, 2)
	v.put(`"voltage_l3_v":`, v3, 2)
	v.put(`"current_l1_a":`, current(kva*l.share[0], v1), 3)
	v.put(`"current_l2_a":`, current(kva*l.share[1], v2), 3)
	v.put(`"current_l3_a":`, current(kva*l.share[2], v3), 3)
	v.put(`"frequency_hz":`, l.hertz.at(x), 3)
	v.put(`"power_factor":`, pf, 4)
	v.put(`"demand_kw":`, l.demandKW, 3)
	if !l.full {
		return
	}
	v.put(`"apparent_power_kva":`, kva, 3)
	v.put(`"energy_export_kwh":`, 0, 3)
	v.put(`"reactive_energy_import_kvarh":`, l.reactive.integral(x), 3)
	v.put(`"voltage_l12_v":`, between(v1, v2), 2)
	v.put(`"voltage_l23_v":`, between(v2, v3), 2)
	v.put(`"voltage_l31_v":`, between(v3, v1), 2)
}

// current in A of one phase that carries kva at volts to neutral.
func current(kva, volts float64) float64 {
	if volts <= 0 {
		return 0
	}
	return 1000 * kva / volts
}

// between returns the voltage between two phases 120° apart.
func between(a, b float64) float64 { return math.Sqrt(a*a + b*b + a*b) }
