package metersim

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// monday is a working day in spring, at midnight in Damascus.
var monday = time.Date(2026, time.April, 27, 0, 0, 0, 0, time.FixedZone("", 3*3600))

func testModel(t testing.TB, start time.Time) *model {
	t.Helper()
	m, err := newModel(testCity(t), 1, start)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// near tells whether two numbers agree to a billionth of their size.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*(1+math.Abs(a)+math.Abs(b)) }

// TestElectricityBalances checks at odd moments of two days that what passes
// each feeder and substation is what leaves it and what it loses.
func TestElectricityBalances(t *testing.T) {
	t.Parallel()
	m := testModel(t, monday)
	start := float64(monday.UnixMilli())
	before := make(map[*node]float64)
	for _, n := range m.grid {
		before[n] = n.active.integral(0)
	}
	for at := 0.0; at < 48*3.6e6; at += 977_131 {
		x := m.advanceTo(start + at)
		for _, n := range m.grid {
			sum := 0.0
			for _, c := range n.children {
				sum += c.active.at(x)
			}
			for _, p := range n.plants {
				sum += p.load.active.at(x)
			}
			kw := n.active.at(x)
			if lost := kw - sum; lost <= 0 || lost > 0.06*kw+1 {
				t.Fatalf("%v after start: %.3f kW come in, %.3f kW go out", time.Duration(at*1e6), kw, sum)
			}
			if energy := n.active.integral(x); energy < before[n] {
				t.Fatalf("the counter ran back from %v to %v", before[n], energy)
			} else {
				before[n] = energy
			}
		}
	}
}

// TestEnergyIsTheIntegralOfPower integrates what a meter shows in fine steps.
func TestEnergyIsTheIntegralOfPower(t *testing.T) {
	t.Parallel()
	m := testModel(t, monday)
	l := &m.plants[6].load // the cement block plant, with its pulses
	at := float64(monday.UnixMilli()) + 9*3.6e6
	x := m.advanceTo(at)
	first, sum := l.active.integral(x), 0.0
	const slice = 50.0 // ms
	for i := 0; i < 20000; i++ {
		middle := m.advanceTo(at + (float64(i)+0.5)*slice)
		sum += l.active.at(middle) * slice / 3.6e6
	}
	x = m.advanceTo(at + 20000*slice)
	if got := l.active.integral(x) - first; math.Abs(got-sum) > 1e-6*sum {
		t.Errorf("the counter grew by %v kWh, power integrates to %v kWh", got, sum)
	}
}

// TestWaterBalances checks mains against what leaves them, and tanks against
// what flows in and out.
func TestWaterBalances(t *testing.T) {
	t.Parallel()
	m := testModel(t, monday)
	start := float64(monday.UnixMilli())
	for at := 0.0; at < 48*3.6e6; at += 977_131 {
		x := m.advanceTo(start + at)
		for i, w := range m.mains {
			sum := 0.0
			for _, c := range w.children {
				sum += c.flow.at(x)
			}
			for _, p := range w.plants {
				sum += p.intake.flow.at(x)
			}
			if w.parent != nil {
				sum += leakShare * w.designM3
			}
			if w.tank != nil {
				sum += w.tank.net.at(x)
			}
			if got := w.flow.at(x); !near(got, sum) || got < 0 {
				t.Fatalf("main %d: %v m³/h come in, %v m³/h go out", i, got, sum)
			}
			if bar := w.pressure.at(x); bar < 2 || bar > 6.5 {
				t.Fatalf("main %d: %v bar", i, bar)
			}
		}
		for i, p := range m.plants {
			for _, tank := range p.water {
				if level := tank.net.integral(x) / tank.capacity; level < 0 || level > 1.01 {
					t.Fatalf("plant %d's water tank stands at %v of its capacity", i, level)
				}
			}
		}
	}
}

// TestFuelBalances runs three weeks: what tanks lose is what was burnt less
// what was delivered, and nobody runs dry or over.
func TestFuelBalances(t *testing.T) {
	t.Parallel()
	m := testModel(t, monday)
	type state struct{ content, delivered, burnt float64 }
	read := func(p *plant, x float64) (s state) {
		for _, o := range p.oil {
			s.content += o.net.integral(x)
			s.delivered += o.delivered.integral(x)
		}
		s.burnt = p.burn.flow.integral(x)
		return s
	}
	before := make(map[*plant]state)
	for _, p := range m.plants {
		before[p] = read(p, 0)
	}
	deliveries := 0.0
	for day := range 21 {
		x := m.advanceTo(float64(monday.Add(time.Duration(day)*24*time.Hour + 7*time.Hour).UnixMilli()))
		for _, p := range m.plants {
			was, is := before[p], read(p, x)
			in, out := is.delivered-was.delivered, is.burnt-was.burnt
			if p.meanLPH > 0 && math.Abs(was.content+in-out-is.content) > 1e-6*was.content {
				t.Fatalf("day %d, %s: %v l and %v l delivered less %v l burnt are not %v l", day, p.def.Sector, was.content, in, out, is.content)
			}
			deliveries += in
			before[p] = is
			for _, o := range p.oil {
				if level := o.level(); level < 0.05 || level > 0.97 {
					t.Fatalf("day %d, %s: a tank stands at %v of its capacity", day, p.def.Sector, level)
				}
			}
		}
	}
	if deliveries < 20000 {
		t.Errorf("%v l were delivered in three weeks", deliveries)
	}
}

// TestSectorsMeetTheirRequirements compares a working week with what the plants
// declare: water and fuel of a working day, and power that reaches the declared
// load and stays near it.
func TestSectorsMeetTheirRequirements(t *testing.T) {
	t.Parallel()
	m := testModel(t, monday) // Monday to Wednesday
	type totals struct{ kwh, water, fuel float64 }
	read := func(p *plant) totals {
		used := p.intake.flow.integral(0)
		for _, tank := range p.water {
			used -= tank.net.integral(0)
		}
		return totals{kwh: p.load.active.integral(0), water: used, fuel: p.burn.flow.integral(0)}
	}
	before := make(map[*plant]totals)
	peaks := make(map[*plant]float64)
	for _, p := range m.plants {
		before[p] = read(p)
	}
	const days = 3
	start := m.now
	for m.now < start+days*24*3600*1000 {
		m.advance()
		for _, p := range m.plants {
			peaks[p] = max(peaks[p], p.load.active.to)
		}
	}
	loadFactor := map[zone.Sector][2]float64{
		zone.RingSpinning: {0.8, 0.9}, zone.Weaving: {0.8, 0.92}, zone.DyeHouse: {0.5, 0.85}, zone.Food: {0.5, 0.85},
		zone.Pharma: {0.5, 0.75}, zone.Plastics: {0.7, 0.85}, zone.CementBlock: {0.12, 0.3}, zone.Foundry: {0.3, 0.45},
		zone.CraftWorkshop: {0.05, 0.35}, zone.OtherSector: {0.25, 0.45},
	}
	for _, p := range m.plants {
		is, was, req := read(p), before[p], p.def.Requirement
		mean := (is.kwh - was.kwh) / (days * 24) / req.PowerKW
		if want := loadFactor[p.def.Sector]; mean < want[0] || mean > want[1] {
			t.Errorf("%s: mean load is %.2f of the declared %v kW, want %v", p.def.Sector, mean, req.PowerKW, want)
		}
		if peak := peaks[p] / req.PowerKW; peak < 0.7 || peak > 1.25 {
			t.Errorf("%s: peak load is %.2f of the declared %v kW", p.def.Sector, peak, req.PowerKW)
		}
		if share := (is.water - was.water) / days / req.WaterM3PerD; share < 0.75 || share > 1.25 {
			t.Errorf("%s: used %.2f of the declared water", p.def.Sector, share)
		}
		if req.FuelLPerD > 0 {
			if share := (is.fuel - was.fuel) / days / req.FuelLPerD; share < 0.75 || share > 1.25 {
				t.Errorf("%s: burnt %.2f of the declared fuel", p.def.Sector, share)
			}
		}
	}
}

// TestElectricityIsConsistent checks every register of a network meter against
// the laws that bind them.
func TestElectricityIsConsistent(t *testing.T) {
	t.Parallel()
	m := testModel(t, monday)
	for hour := range 24 {
		x := m.advanceTo(float64(monday.UnixMilli()) + float64(hour)*3.6e6 + 1234)
		for id, nominal := range map[string]float64{"ss1": mediumVolts, "f2": mediumVolts} {
			r := registers(t, m.sources[point{meter.Electricity, id}], x)
			apparent := 0.0
			for _, phase := range []string{"l1", "l2", "l3"} {
				volts := r["voltage_"+phase+"_v"]
				apparent += volts * r["current_"+phase+"_a"] / 1000
				if pu := volts * root3 / nominal; pu < 0.9 || pu > 1.06 {
					t.Errorf("%s at %d:00: %s stands at %.3f of nominal", id, hour, phase, pu)
				}
			}
			kva := math.Hypot(r["active_power_kw"], r["reactive_power_kvar"])
			if math.Abs(apparent-kva) > 0.001*kva || math.Abs(r["apparent_power_kva"]-kva) > 0.01 {
				t.Errorf("%s at %d:00: ΣU·I is %v kVA, √(P²+Q²) %v kVA", id, hour, apparent, kva)
			}
			if pf := r["power_factor"]; math.Abs(pf*kva-r["active_power_kw"]) > 0.001*kva || pf < 0.8 || pf > 1 {
				t.Errorf("%s at %d:00: power factor %v", id, hour, pf)
			}
			if v := r["voltage_l12_v"]; math.Abs(v/root3-(r["voltage_l1_v"]+r["voltage_l2_v"])/2) > 0.001*v {
				t.Errorf("%s at %d:00: %v V between phases", id, hour, v)
			}
			if hz := r["frequency_hz"]; hz < 49.8 || hz > 50.2 {
				t.Errorf("%s at %d:00: %v Hz", id, hour, hz)
			}
		}
	}
}

// TestDemandIsTheQuarterHoursMean compares the register with the counter.
func TestDemandIsTheQuarterHoursMean(t *testing.T) {
	t.Parallel()
	m := testModel(t, monday)
	l := &m.plants[3].load
	quarter := func(n int) float64 {
		return l.active.integral(m.advanceTo(float64(monday.UnixMilli()) + float64(n)*quarterMS))
	}
	for n := 30; n < 40; n++ {
		begun, ended := quarter(n), quarter(n+1)
		if want := (ended - begun) / 0.25; !near(l.demandKW, want) {
			t.Errorf("quarter %d: demand %v kW, want %v kW", n, l.demandKW, want)
		}
	}
}

func registers(t testing.TB, s source, x float64) map[string]float64 {
	t.Helper()
	v := values{[]byte{'{'}}
	s.appendTo(&v, x)
	var r map[string]float64
	if err := json.Unmarshal(append(v.buf, '}'), &r); err != nil {
		t.Fatalf("%s: %v", v.buf, err)
	}
	return r
}
