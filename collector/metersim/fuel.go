package metersim

import (
	"math"
	"math/rand/v2"

	"github.com/imdad-telemetry/imdad/collector/zone"
)

const (
	tankerLPH    = 30000 // how fast a tanker empties, l/h
	tankerLoadL  = 20000
	reorderLevel = 0.35
	fullLevel    = 0.92
)

// burner is the metered burn of a plant's boilers and furnaces, in litres at
// 15 °C.
type burner struct {
	flow    flow // l/h, l
	celsius *flow
}

func (b *burner) appendTo(v *values, x float64) {
	v.put(`"flow_lph":`, b.flow.at(x), 3)
	v.put(`"consumed_l":`, b.flow.integral(x), 3)
	v.put(`"temperature_c":`, b.celsius.at(x), 1)
}

// oilTank is a lying cylinder, four times as long as wide. Its content is kept
// in litres at 15 °C, so that warming swells what a gauge sees and changes
// nothing in the balance.
type oilTank struct {
	town      *town
	net       flow // l/h in less out; the integral is the content, l
	delivered flow // l/h, l
	celsius   flow
	capacity  float64 // l
	radius    float64 // m
	density   float64 // kg/m³ at 15 °C
	standby   bool    // for generators, not for burning
	ordered   float64 // the total of delivered at which the tanker is empty
	booked    bool    // tankers come as ordered, not when it runs low
	theft     float64 // l/h drawn beside the meters
	warm      float64 // °C that something warms it to; 0: the air
}

func newOilTank(def zone.Tank, t *town, r *rand.Rand) *oilTank {
	o := &oilTank{
		town:     t,
		capacity: 1000 * def.CapacityM3,
		radius:   math.Cbrt(def.CapacityM3/math.Pi) / 2,
		density:  840,
		standby:  def.Fuel == "diesel",
	}
	if def.Fuel == "fuel_oil" {
		o.density = 950
	}
	o.net.start(0, o.capacity*(0.45+0.4*r.Float64()))
	o.delivered.start(0, o.capacity*(5+20*r.Float64()))
	o.ordered = o.delivered.total
	o.celsius.start(t.now.ambient, 0)
	return o
}

// level is the content at the end of the present step as a share of capacity.
func (o *oilTank) level() float64 { return o.net.integral(1) / o.capacity }

// next burns out l/h and takes what a tanker brings.
func (o *oilTank) next(out float64, r *rand.Rand) {
	in := o.delivery(r)
	o.delivered.next(in)
	o.net.next(in - out - o.theft)
	if o.warm != 0 {
		o.celsius.next(o.warm)
		return
	}
	const lagHours = 8 // of a tank behind the air
	o.celsius.next(o.celsius.to + (o.town.now.ambient-o.celsius.to)*stepHours/lagHours)
}

// delivery returns the flow from a tanker. One comes by day, but not on
// Friday, within an hour or so of the content falling to the reorder level.
func (o *oilTank) delivery(r *rand.Rand) float64 {
	had := o.delivered.integral(1)
	if left := o.ordered - had; left > 0.01 {
		// Rates run straight: what this one adds while it falls to nothing in
		// the step after is counted in, so that the tanker ends empty.
		return min(tankerLPH, max(0, left/stepHours-o.delivered.to/2))
	}
	m := o.town.now
	if !o.booked && o.level() < reorderLevel && !m.friday() && m.during(8, 16) == 1 && r.Float64() < 0.002 {
		o.ordered = had + min(tankerLoadL, (fullLevel-o.level())*o.capacity)
	}
	return 0
}

func (o *oilTank) appendTo(v *values, x float64) {
	celsius := o.celsius.at(x)
	litres15 := o.net.integral(x)
	litres := litres15 / correction(o.density, celsius)
	v.put(`"volume_l":`, litres, 1)
	v.put(`"volume15_l":`, litres15, 1)
	v.put(`"level_mm":`, 1000*o.height(litres/1000), 1)
	v.put(`"temperature_c":`, celsius, 2)
	v.put(`"water_level_mm":`, 4, 0)
	v.put(`"delivered_l":`, o.delivered.integral(x), 1)
}

// height returns how high, in m, so many m³ stand in the cylinder, by Newton's
// method on V = L·[r²·acos((r−h)/r) − (r−h)·√(2rh−h²)], whose derivative is
// 2·L·√(2rh−h²).
func (o *oilTank) height(m3 float64) float64 {
	r := o.radius
	length := 8 * r
	h := 2 * r * min(0.999, max(0.001, 1000*m3/o.capacity))
	for range 6 {
		root := math.Sqrt(2*r*h - h*h)
		v := length * (r*r*math.Acos((r-h)/r) - (r-h)*root)
		h -= (v - m3) / (2 * length * root)
		h = min(1.9999*r, max(0.0001*r, h))
	}
	return h
}

// correction is the volume correction factor to 15 °C of a fuel of the given
// density, kg/m³ at 15 °C: exp(−αΔt(1+0.8αΔt)) with α = K₀/ρ² + K₁/ρ and the
// constants of ASTM D1250 for fuel oils and heavy diesel (ρ ≥ 838.3).
func correction(density, celsius float64) float64 {
	alpha := 186.9696/(density*density) + 0.4862/density
	x := alpha * (celsius - 15)
	return math.Exp(-x * (1 + 0.8*x))
}

// nextBurn takes what the plant burns out of its tanks in proportion to what
// they hold, leaving an empty one alone.
func (p *plant) nextBurn(wanted float64, r *rand.Rand) {
	content := 0.0
	for _, t := range p.oil {
		if p.feeds(t) {
			content += t.net.integral(1)
		}
	}
	burnt := 0.0
	for _, t := range p.oil {
		out := 0.0
		if p.feeds(t) && t.level() > 0.01 {
			out = wanted * t.net.integral(1) / content
		}
		if p.trouble != nil {
			out += p.trouble.generatorLPH(t)
		}
		t.next(out, r)
		burnt += out
		if p.trouble != nil {
			burnt -= p.trouble.generatorLPH(t) // the boilers' meter does not see it
		}
	}
	if len(p.oil) == 0 {
		burnt = wanted
	}
	p.burn.flow.next(burnt)
}

// feeds tells whether the tank feeds the plant's boilers: a generator's tank
// does so only where there is no other.
func (p *plant) feeds(t *oilTank) bool { return !t.standby || p.onlyStandby }
