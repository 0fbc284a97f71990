package metersim

import "math"

// A step is the grid on which the model computes; between its ends every rate
// runs along a straight line. Sums of straight lines are straight lines, so a
// balance that holds at the ends of a step holds at any moment within it, and
// a counter is the exact integral of the rate that the same meter shows.
const (
	stepMS    = 5000
	stepHours = stepMS / 3.6e6
)

// flow is a rate over one step (kW, kvar, m³/h or l/h) with its integral
// (kWh, kvarh, m³ or l).
type flow struct {
	from, to float64 // the rate at the step's ends
	total    float64 // the integral up to the step's start
}

// start sets a constant rate and where the integral begins.
func (f *flow) start(rate, total float64) { *f = flow{from: rate, to: rate, total: total} }

// next goes on to the next step, at whose end the rate will be to.
func (f *flow) next(to float64) {
	f.total = f.integral(1)
	f.from, f.to = f.to, to
}

// at returns the rate at the part x (0 to 1) of the step.
func (f *flow) at(x float64) float64 { return f.from + (f.to-f.from)*x }

// integral returns the total at the part x of the step.
func (f *flow) integral(x float64) float64 {
	return f.total + stepHours*x*(f.from+(f.to-f.from)*x/2)
}

// noise is a first-order autoregressive process around zero.
type noise struct {
	value float64
	keep  float64 // what is left of a deviation after one step
	push  float64 // the standard deviation of the innovation
}

// newNoise returns noise of the standard deviation sigma that forgets with the
// time constant tau, in seconds; normal says where in its range it begins.
func newNoise(sigma, tau, normal float64) noise {
	keep := math.Exp(-stepMS / 1000 / tau)
	return noise{value: sigma * normal, keep: keep, push: sigma * math.Sqrt(1-keep*keep)}
}

func (n *noise) next(normal float64) float64 {
	n.value = n.keep*n.value + n.push*normal
	return n.value
}
