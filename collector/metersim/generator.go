package metersim

import "math/rand/v2"

// generator is a standby set. It runs while the grid is cut, which nothing in
// the model does yet, so it stands by on a trickle-charged battery.
type generator struct {
	energyKWh, runHours float64
	battery             flow // V
	sway                noise
}

func newGenerator(r *rand.Rand) *generator {
	hours := 200 + 3000*r.Float64()
	g := &generator{energyKWh: 180 * hours, runHours: hours, sway: newNoise(0.15, 1800, r.NormFloat64())}
	g.battery.start(27.2, 0)
	return g
}

func (g *generator) next(r *rand.Rand) { g.battery.next(27.2 + g.sway.next(r.NormFloat64())) }

func (g *generator) appendTo(v *values, x float64) {
	v.put(`"running":`, 0, 0)
	v.put(`"active_power_kw":`, 0, 3)
	v.put(`"energy_export_kwh":`, g.energyKWh, 3)
	v.put(`"run_hours_h":`, g.runHours, 2)
	v.put(`"fuel_rate_lph":`, 0, 3)
	v.put(`"battery_v":`, g.battery.at(x), 2)
}
