package metersim

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

func TestRamadan(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		date string
		want bool
	}{
		{"2025-02-26", false}, {"2025-03-03", true}, {"2025-03-28", true}, {"2025-04-02", false},
		{"2026-02-16", false}, {"2026-02-20", true}, {"2026-03-17", true}, {"2026-03-22", false},
		{"2030-01-08", true}, {"2030-07-01", false}, {"2030-12-28", true}, // twice in one year
	} {
		day, err := time.Parse(time.DateOnly, c.date)
		if err != nil {
			t.Fatal(err)
		}
		if got := ramadan(day); got != c.want {
			t.Errorf("%s: ramadan is %v", c.date, got)
		}
	}
}

func TestShifts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name             string
		hour, start, end float64
		want             float64
	}{
		{"inside", 12, 6, 22, 1},
		{"before", 5.9, 6, 22, 0},
		{"after", 22.1, 6, 22, 0},
		{"ramp up", 6.125, 6, 22, 0.5},
		{"ramp down", 21.875, 6, 22, 0.5},
		{"over midnight, late", 23, 22, 6, 1},
		{"over midnight, early", 5, 22, 6, 1},
		{"over midnight, by day", 12, 22, 6, 0},
	} {
		if got := (moment{hour: c.hour}).during(c.start, c.end); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if (moment{hour: 15, ramadan: true}).dayShift(8, 16) != 0 {
		t.Error("the day shift does not end earlier in Ramadan")
	}
}

// TestCalendarShapes checks who works when.
func TestCalendarShapes(t *testing.T) {
	t.Parallel()
	loc, err := time.LoadLocation("Asia/Damascus")
	if err != nil {
		t.Fatal(err)
	}
	const working, resting = true, false
	for _, c := range []struct {
		name   string
		sector zone.Sector
		at     string
		want   bool
	}{
		{"spinning on Friday night", zone.RingSpinning, "2026-05-01T03:00", working},
		{"weaving on Friday noon", zone.Weaving, "2026-05-01T12:00", resting},
		{"weaving on Saturday night", zone.Weaving, "2026-05-02T03:00", working},
		{"plastics on Saturday", zone.Plastics, "2026-05-02T12:00", resting},
		{"plastics on Sunday night", zone.Plastics, "2026-05-03T03:00", working},
		{"food at noon", zone.Food, "2026-05-03T12:00", working},
		{"food at night", zone.Food, "2026-05-03T03:00", resting},
		{"food on a Ramadan night", zone.Food, "2026-03-03T00:30", working},
		{"foundry at night", zone.Foundry, "2026-05-04T02:30", working},
		{"foundry at noon", zone.Foundry, "2026-05-04T12:00", resting},
		{"pharma on Saturday", zone.Pharma, "2026-05-02T12:00", resting},
	} {
		at, err := time.ParseInLocation("2006-01-02T15:04", c.at, loc)
		if err != nil {
			t.Fatal(err)
		}
		u := shapeOf(c.sector)(newMoment(at.UnixMilli(), loc), &cycle{}, rand.New(rand.NewPCG(1, 1)))
		if got := u.power > 0.5; got != c.want {
			t.Errorf("%s: power %.2f of the declared", c.name, u.power)
		}
	}
}

// TestTankVectors uses a cylinder of 2.5 m by 10 m.
func TestTankVectors(t *testing.T) {
	t.Parallel()
	o := newOilTank(zone.Tank{CapacityM3: math.Pi * 1.25 * 1.25 * 10}, &town{}, rand.New(rand.NewPCG(1, 1)))
	for _, c := range []struct{ litres, metres float64 }{
		{24543.7, 1.25}, {9596.6, 0.625}, {49087.4 - 9596.6, 1.875}, {48428.777, 2.4},
	} {
		if got := o.height(c.litres / 1000); math.Abs(got-c.metres) > 1e-4 {
			t.Errorf("%v l stand %v m high, want %v", c.litres, got, c.metres)
		}
	}
}

func TestVolumeCorrectionVectors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ density, celsius, want float64 }{
		{840, 45, 0.97450}, {950, 60, 0.96735}, {840, 15, 1},
	} {
		if got := correction(c.density, c.celsius); math.Abs(got-c.want) > 5e-6 {
			t.Errorf("%v kg/m³ at %v °C: %v, want %v", c.density, c.celsius, got, c.want)
		}
	}
}

func TestValuesAreJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		x        float64
		decimals int
		want     string
	}{
		{"integer", 4, 0, "4"},
		{"zero", 0, 3, "0.000"},
		{"rounds up", 1.9996, 3, "2.000"},
		{"keeps leading zeros", 7.0041, 3, "7.004"},
		{"small negative", -0.25, 2, "-0.25"},
		{"negative", -12.5, 1, "-12.5"},
		{"rounds to nothing", -0.0001, 2, "0.00"},
		{"large", 123456789.1254, 3, "123456789.125"},
	} {
		v := values{[]byte{'{'}}
		v.put(`"x":`, c.x, c.decimals)
		if got := string(v.buf); got != `{"x":`+c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestRegistersAreKnown checks that every meter of the city sends the listed
// registers of its utility and nothing else, as JSON.
func TestRegistersAreKnown(t *testing.T) {
	t.Parallel()
	known := map[meter.Utility][]string{
		meter.Electricity: {"active_power_kw", "reactive_power_kvar", "apparent_power_kva", "energy_import_kwh", "energy_export_kwh",
			"reactive_energy_import_kvarh", "voltage_l1_v", "voltage_l2_v", "voltage_l3_v", "voltage_l12_v", "voltage_l23_v", "voltage_l31_v",
			"current_l1_a", "current_l2_a", "current_l3_a", "frequency_hz", "power_factor", "demand_kw"},
		meter.Water: {"volume_m3", "flow_m3h", "pressure_bar", "temperature_c", "tank_level_m", "tank_volume_m3"},
		meter.Fuel: {"volume_l", "volume15_l", "level_mm", "temperature_c", "water_level_mm", "flow_lph", "consumed_l",
			"delivered_l"},
		meter.Generator: {"running", "active_power_kw", "energy_export_kwh", "run_hours_h", "fuel_rate_lph", "battery_v"},
	}
	sent := make(map[meter.Utility]map[string]bool)
	m := testModel(t, monday)
	for _, def := range testCity(t).Meters() {
		s, err := m.source(def)
		if err != nil {
			t.Fatal(err)
		}
		if sent[def.Utility] == nil {
			sent[def.Utility] = make(map[string]bool)
		}
		for name, x := range registers(t, s, 0.5) {
			sent[def.Utility][name] = true
			if x < 0 {
				t.Errorf("%s: %s is %v", def.ID, name, x)
			}
		}
	}
	for u, names := range known {
		for _, name := range names {
			if !sent[u][name] {
				t.Errorf("%s: no meter sends %s", u, name)
			}
			delete(sent[u], name)
		}
		for name := range sent[u] {
			t.Errorf("%s: %s is not a listed register", u, name)
		}
	}
}

func TestScale(t *testing.T) {
	t.Parallel()
	reg := testCity(t)
	have := len(reg.Meters())
	for _, c := range []struct {
		name   string
		meters int
		plants int
	}{
		{"fewer", 7, 10}, {"the same", have, 10}, {"one more", have + 1, 20}, {"many", 5000, 10 * (5000/have + 1)},
	} {
		scaled, err := Scale(reg, c.meters)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := len(scaled.Meters()); got != c.meters {
			t.Errorf("%s: %d meters, want %d", c.name, got, c.meters)
		}
		if got := len(scaled.Plants()); got != c.plants {
			t.Errorf("%s: %d plants, want %d", c.name, got, c.plants)
		}
		m, err := newModel(scaled, 1, monday)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		for i, n := range m.grid {
			if pu := n.perUnit.at(0.5); pu < 0.93 || pu > 1.04 {
				t.Errorf("%s: node %d stands at %v of nominal voltage", c.name, i, pu)
			}
		}
	}
	if _, err := Scale(reg, 0); err == nil {
		t.Error("a fleet of no meters was made")
	}
}

func TestIntervalsKeepTime(t *testing.T) {
	t.Parallel()
	every := []float64{1000, 250, 60000}
	s := newIntervals(5000, every, 100*time.Millisecond, rand.New(rand.NewPCG(1, 1)))
	count, last, latest := make([]int, len(every)), make([]float64, len(every)), 0.0
	for latest < 5000+600_000 {
		i, at := s.next()
		if at < latest {
			t.Fatalf("time went back from %v to %v", latest, at)
		}
		if gap := at - last[i]; count[i] > 0 && math.Abs(gap-every[i]) > 100 {
			t.Fatalf("meter %d: %v ms after its last message", i, gap)
		}
		latest, last[i] = at, at
		count[i]++
	}
	for i, want := range []int{600, 2400, 10} {
		if count[i] < want-1 || count[i] > want+1 {
			t.Errorf("meter %d reported %d times, want %d", i, count[i], want)
		}
	}
}

// TestMessagesAreNative checks the payload and that times and numbers of a
// meter grow, even where its turns come faster than milliseconds.
func TestMessagesAreNative(t *testing.T) {
	t.Parallel()
	m := testModel(t, monday)
	p := newProbe(testCity(t).Meters()[0], m.sources[point{meter.Electricity, "ss1"}])
	if p.topic != "imdad/v1/z1/electricity/ss1-e" {
		t.Errorf("topic %s", p.topic)
	}
	start := monday.UnixMilli()
	for n := int64(1); n <= 5; n++ {
		msg := p.message(float64(start)+0.1*float64(n), 0)
		var payload struct {
			TS     int64              `json:"ts"`
			Seq    int64              `json:"seq"`
			Values map[string]float64 `json:"values"`
		}
		d := json.NewDecoder(bytes.NewReader(msg.payload()))
		d.DisallowUnknownFields()
		if err := d.Decode(&payload); err != nil {
			t.Fatalf("%s: %v", msg.payload(), err)
		}
		if payload.TS != start+n-1 || payload.Seq != n || len(payload.Values) != 18 {
			t.Errorf("message %d: ts %d, seq %d, %d values", n, payload.TS-start, payload.Seq, len(payload.Values))
		}
	}
}
