package metersim

import "math/rand/v2"

const litresPerKWh = 0.27 // of diesel, of a loaded set

// generator is a standby set. It runs while the grid is cut and otherwise stands
// by on a trickle-charged battery.
type generator struct {
	output   flow // kW, kWh
	kw       float64
	runHours float64
	battery  flow // V
	sway     noise
}

func newGenerator(r *rand.Rand) *generator {
	hours := 200 + 3000*r.Float64()
	g := &generator{output: flow{total: 180 * hours}, runHours: hours, sway: newNoise(0.15, 1800, r.NormFloat64())}
	g.battery.start(27.2, 0)
	return g
}

func (g *generator) next(r *rand.Rand) {
	g.battery.next(27.2 + g.sway.next(r.NormFloat64()))
	g.output.next(g.kw)
	if g.kw > 0 {
		g.runHours += stepHours
	}
}

func (g *generator) appendTo(v *values, x float64) {
	kw, running := g.output.at(x), 0.0
	if g.kw > 0 {
		running = 1
	}
	v.put(`"running":`, running, 0)
	v.put(`"active_power_kw":`, kw, 3)
	v.put(`"energy_export_kwh":`, g.output.integral(x), 3)
	v.put(`"run_hours_h":`, g.runHours, 2)
	v.put(`"fuel_rate_lph":`, litresPerKWh*kw, 3)
	v.put(`"battery_v":`, g.battery.at(x), 2)
}
