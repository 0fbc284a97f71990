package metersim

import (
	"math"
	"math/rand/v2"

	"github.com/imdad-telemetry/imdad/collector/zone"
)

// pipe is the water that passes one point: a pumping station's outlet, the
// head of a line, or a plant's connection.
type pipe struct {
	flow     flow // m³/h, m³
	pressure flow // bar
	celsius  *flow
}

func (p *pipe) appendTo(v *values, x float64) {
	v.put(`"volume_m3":`, p.flow.integral(x), 3)
	v.put(`"flow_m3h":`, p.flow.at(x), 3)
	v.put(`"pressure_bar":`, p.pressure.at(x), 3)
	v.put(`"temperature_c":`, p.celsius.at(x), 1)
}

// waterMain is a pumping station or one of its water lines.
type waterMain struct {
	pipe
	town     *town
	parent   *waterMain // nil for a pumping station
	children []*waterMain
	plants   []*plant
	tank     *waterTank // the zone's, on the zone's first line
	designM3 float64    // m³/h at which its whole head loss occurs
	sway     noise      // of a station's head, bar
	pumps    *load      // of a station; the registry puts it on no feeder
	trouble  *mainTrouble
}

const (
	stationBar = 5.5  // head of a pumping station
	leakShare  = 0.02 // of a line's design flow, lost under way
	pumpKWh    = 0.35 // per m³ lifted
	floatLevel = 0.9  // at which plants' float valves let in what they use on average
)

// nextFlow goes on to the step that begins at ms. It sums what leaves the main: its branches and plants, its leaks, and
// what the zone's tank takes or gives back.
func (w *waterMain) nextFlow(ms int64) {
	sum := 0.0
	for _, c := range w.children {
		sum += c.flow.to
	}
	for _, p := range w.plants {
		sum += p.intake.flow.to
	}
	if w.parent != nil {
		sum += leakShare * w.designM3
	}
	if w.tank != nil {
		sum += w.tank.balance(w.town.now, sum)
	}
	if w.trouble != nil {
		sum = w.trouble.flow(sum)
	}
	w.flow.next(sum)
	if w.pumps != nil {
		w.pumps.next(ms, pumpKWh*sum, 0.5*pumpKWh*sum)
	}
}

// nextPressure loses head with the square of the flow.
func (w *waterMain) nextPressure(r *rand.Rand) {
	load := min(1.5, w.flow.to/w.designM3)
	head := stationBar + w.sway.next(r.NormFloat64())
	if w.parent != nil {
		head = w.parent.pressure.to
	}
	bar := head - 0.6*load*load
	if w.trouble != nil {
		bar *= w.trouble.reach * (1 - w.trouble.lost)
	}
	w.pressure.next(max(0, bar))
	if w.pumps != nil {
		w.pumps.perUnit.next(1 - 0.02*w.pumps.loading())
	}
}

// waterTank is an upright tank; net's integral is its content in m³.
type waterTank struct {
	net      flow
	capacity float64 // m³
	celsius  *flow
	fill     float64 // m³/h that it is being filled with; 0: as usual
}

func newWaterTank(def zone.Tank, t *town, level float64) *waterTank {
	w := &waterTank{capacity: def.CapacityM3, celsius: &t.water}
	w.net.start(0, level*w.capacity)
	return w
}

// heightM is the height of the water when the tank is full.
func (w *waterTank) heightM() float64 {
	if w.capacity < 10 {
		return 1.5
	}
	return 4
}

// balance lets the tank fill by night and empty by day. It returns the flow
// into it, m³/h, never taking more than 80 % off the line's flow.
func (w *waterTank) balance(m moment, demand float64) float64 {
	target := 0.7 + 0.2*math.Cos(2*math.Pi*(m.hour-4)/24)
	level := w.net.integral(1) / w.capacity
	net := max(-0.8*demand, w.capacity/6*(target-level))
	if w.fill > 0 {
		net = w.fill * min(1, max(0, 50*(0.98-level))) // its float valve closes
	}
	w.net.next(net)
	return net
}

func (w *waterTank) appendTo(v *values, x float64) {
	volume := w.net.integral(x)
	v.put(`"tank_level_m":`, w.heightM()*volume/w.capacity, 4)
	v.put(`"tank_volume_m3":`, volume, 4)
	v.put(`"temperature_c":`, w.celsius.at(x), 1)
}

// nextWater draws what the plant uses through its tanks, whose float valves
// hold them at about nine tenths; without a tank it draws what it uses.
func (p *plant) nextWater(wanted float64, r *rand.Rand) {
	intake := wanted
	if len(p.water) > 0 {
		capacity, content := 0.0, 0.0
		for _, t := range p.water {
			capacity += t.capacity
			content += t.net.integral(1)
		}
		level := content / capacity
		intake = p.meanM3H * min(3, max(0, 1+10*(floatLevel-level)))
		if p.trouble != nil {
			intake = p.trouble.reach(p, intake)
		}
		if level < 0.02 {
			wanted = min(wanted, intake)
		}
		for _, t := range p.water {
			t.net.next((intake - wanted) * t.capacity / capacity)
		}
	}
	if p.trouble != nil {
		intake = p.trouble.drink(p, intake, wanted)
	}
	p.intake.flow.next(intake)
	if p.line != nil {
		p.intake.pressure.next(max(0, p.line.pressure.to-p.far*0.4+0.02*r.NormFloat64()))
	}
}
