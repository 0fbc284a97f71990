package vet_test

import (
	"math"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/vet"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// depot is a registry of tanks; each has a meter with its id.
func depot(t testing.TB, tanks ...zone.Tank) *zone.Registry {
	t.Helper()
	name := zone.Name{En: "a", Ar: "ا"}
	f := &zone.File{City: zone.City{ID: "c", Name: name}, Zones: []zone.Zone{{ID: "z", Name: name}}, Tanks: tanks}
	for i := range f.Tanks {
		k := &f.Tanks[i]
		k.Name, k.Zone = name, "z"
		f.Meters = append(f.Meters, zone.Meter{ID: k.ID, Zone: "z", Utility: k.Utility, At: k.ID})
	}
	r, err := zone.New([]*zone.File{f})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var (
	lying = zone.TankShape{Form: zone.HorizontalCylinder, DiameterM: 2.5, LengthM: 10}

	dieselTank = zone.Tank{ID: "diesel", Utility: meter.Fuel, Fuel: "diesel", CapacityM3: 49, Shape: lying}
	heavyTank  = zone.Tank{ID: "heavy", Utility: meter.Fuel, Fuel: "fuel_oil", CapacityM3: 49, Shape: lying}
	tableTank  = zone.Tank{ID: "table", Utility: meter.Fuel, Fuel: "mazut", CapacityM3: 3, Shape: zone.TankShape{
		Strapping: []zone.Strapping{{LevelMM: 100, VolumeL: 50}, {LevelMM: 1000, VolumeL: 950}, {LevelMM: 2000, VolumeL: 2950}}}}
	plainTank = zone.Tank{ID: "plain", Utility: meter.Fuel, Fuel: "mazut", CapacityM3: 20}
	waterTank = zone.Tank{ID: "cistern", Utility: meter.Water, CapacityM3: 12.57, Shape: zone.TankShape{
		Form: zone.Upright, DiameterM: 2, LengthM: 4}}
)

// say is one reading of a meter at a tank: registers and values in turn.
func say(pairs ...any) []meter.Value {
	var values []meter.Value
	for i := 0; i < len(pairs); i += 2 {
		v, ok := pairs[i+1].(float64)
		if !ok {
			v = float64(pairs[i+1].(int))
		}
		values = append(values, meter.Value{Register: pairs[i].(string), Value: v})
	}
	return values
}

// sameValues compares registers in their order; values within 0.05 of a unit,
// as DOMAIN's vectors are given, or a hundred-thousandth.
func sameValues(t *testing.T, got, want []meter.Value) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%v, want %v", got, want)
	}
	for i := range want {
		if got[i].Register != want[i].Register || !(math.Abs(got[i].Value-want[i].Value) <= max(0.05, 1e-5*math.Abs(want[i].Value))) {
			t.Errorf("%v, want %v", got[i], want[i])
		}
	}
}

func TestTanks(t *testing.T) {
	t.Parallel()
	const half, quarter = 24543.7, 9596.6 // l: DOMAIN §2
	tests := []struct {
		name      string
		tank      zone.Tank
		said, add []meter.Value
		suspect   bool
	}{
		{"half full", dieselTank, say("level_mm", 1250), say("volume_l", half), false},
		{"a quarter of its height", dieselTank, say("level_mm", 625), say("volume_l", quarter), false},
		{"by its ullage", dieselTank, say("ullage_mm", 1875), say("level_mm", 625, "volume_l", quarter), false},
		{"by its ullage in m", dieselTank, say("tank_ullage_m", 1.875), say("level_mm", 625, "volume_l", quarter), false},
		{"by percent of its height", dieselTank, say("level_pct", 50), say("level_mm", 1250, "volume_l", half), false},
		{"by what is missing, in percent", dieselTank, say("ullage_pct", 75), say("level_mm", 625, "volume_l", quarter), false},
		{"by a level in m", dieselTank, say("tank_level_m", 0.625), say("level_mm", 625, "volume_l", quarter), false},
		{"by a level in cm", dieselTank, say("level_cm", 62.5), say("level_mm", 625, "volume_l", quarter), false},
		{"the level is better than its percentage", dieselTank, say("level_pct", 25, "level_mm", 1250), say("volume_l", half), false},
		{"warm diesel", dieselTank, say("level_mm", 1250, "temperature_c", 45), say("volume_l", half, "volume15_l", half*0.97450), false},
		{"hot fuel oil", heavyTank, say("level_mm", 625, "temperature_c", 60), say("volume_l", quarter, "volume15_l", quarter*0.96735), false},
		{"a volume of its own", dieselTank, say("level_mm", 1250, "volume_l", 24000, "temperature_c", 45), say("volume15_l", 24000*0.97450), false},
		{"a volume of its own, in m³", dieselTank, say("tank_volume_m3", 24, "temperature_c", 45), say("volume_l", 24000, "volume15_l", 24000*0.97450), false},
		{"all of its own", dieselTank, say("level_mm", 1250, "volume_l", 24000, "volume15_l", 23000, "temperature_c", 45, "water_level_mm", 9), nil, false},
		{"without a shape", plainTank, say("level_mm", 1250, "temperature_c", 45), nil, false},
		{"without a shape, by percent", plainTank, say("level_pct", 50), nil, false},
		{"without a shape, a volume of its own", plainTank, say("volume_l", 1000, "temperature_c", 45), say("volume15_l", 974.50), false},
		{"a strapping table", tableTank, say("level_mm", 1250), say("volume_l", 1450), false},
		{"a strapping table, by percent", tableTank, say("level_pct", 50), say("level_mm", 1000, "volume_l", 950), false},

		{"water at the bottom", dieselTank, say("level_mm", 1250, "water_level_mm", 625, "temperature_c", 45),
			say("volume_l", half, "product_volume_l", half-quarter, "volume15_l", (half-quarter)*0.97450), false},
		{"water in litres", dieselTank, say("level_mm", 1250, "water_volume_l", 1000, "temperature_c", 15),
			say("volume_l", half, "product_volume_l", half-1000, "volume15_l", half-1000), false},
		{"no water", dieselTank, say("level_mm", 625, "water_level_mm", 0), say("volume_l", quarter, "product_volume_l", quarter), false},
		{"nothing but water", dieselTank, say("level_mm", 600, "water_level_mm", 625, "temperature_c", 15),
			say("volume_l", 9059.05, "product_volume_l", 0, "volume15_l", 0), false},
		{"water below a volume of its own", dieselTank, say("volume_l", half, "water_level_mm", 625), say("product_volume_l", half-quarter), false},
		{"water in a tank without a shape", plainTank, say("volume_l", 1000, "water_level_mm", 40, "temperature_c", 45), nil, false},
		{"no water in a tank without a shape", plainTank, say("volume_l", 1000, "water_level_mm", 0, "temperature_c", 45),
			say("product_volume_l", 1000, "volume15_l", 974.50), false},

		{"beyond its height", dieselTank, say("level_mm", 2600), say("volume_l", 49087.4), true},
		{"beyond its height, by percent", dieselTank, say("level_pct", 104), say("level_mm", 2600, "volume_l", 49087.4), true},
		{"below its bottom", dieselTank, say("ullage_mm", 2600), say("level_mm", -100, "volume_l", 0), true},
		{"a gauge adjusted by hand", dieselTank, say("level_mm", 2510), say("volume_l", 49087.4), false},
		{"a temperature that cannot be", dieselTank, say("level_mm", 1250, "temperature_c", 999), say("volume_l", half), false},
		{"no tank register", dieselTank, say("flow_lph", 100), nil, false},

		{"water by its level in m", waterTank, say("tank_level_m", 1), say("tank_volume_m3", 3.1416), false},
		{"water by its level in mm", waterTank, say("level_mm", 1000), say("tank_level_m", 1, "tank_volume_m3", 3.1416), false},
		{"water by its ullage", waterTank, say("tank_ullage_m", 3), say("tank_level_m", 1, "tank_volume_m3", 3.1416), false},
		{"water by percent, warm", waterTank, say("level_pct", 25, "temperature_c", 40), say("tank_level_m", 1, "tank_volume_m3", 3.1416), false},
		{"water in litres of its own", waterTank, say("volume_l", 3000), say("tank_volume_m3", 3), false},
		{"water beyond the height", waterTank, say("tank_level_m", 4.5), say("tank_volume_m3", 12.5664), true},
		{"the counter of a line is no tank's content", waterTank, say("volume_m3", 812.5, "flow_m3h", 2), nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := vet.New(depot(t, tt.tank))
			r := meter.Reading{
				Series: &meter.Series{Zone: "z", Utility: tt.tank.Utility, Meter: tt.tank.ID},
				Time:   received, Values: append([]meter.Value(nil), tt.said...),
			}
			if verdict, _ := v.Check(&r, received, nil); verdict != vet.Store {
				t.Errorf("verdict %d", verdict)
			}
			sameValues(t, r.Values, append(append([]meter.Value(nil), tt.said...), tt.add...))
			if got := r.Reason == "level"; got != tt.suspect || tt.suspect && r.Quality < meter.Suspect {
				t.Errorf("quality %s, reason %q", r.Quality, r.Reason)
			}
			if got := v.Findings()["level"]; (got == 1) != tt.suspect {
				t.Errorf("counted %d", got)
			}
		})
	}
}

// A story of a meter at the diesel tank.
func TestTankRemembers(t *testing.T) {
	t.Parallel()
	const half = 24543.7
	type step struct {
		minutes   int
		said, add []meter.Value
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"a temperature stands for an hour", []step{
			{0, say("temperature_c", 45), nil},
			{60, say("level_mm", 1250), say("volume_l", half, "volume15_l", half*0.97450)},
			{61, say("level_mm", 1250), say("volume_l", half)},
		}},
		{"a temperature does not stand for what was before", []step{
			{30, say("temperature_c", 45), nil},
			{29, say("level_mm", 1250), say("volume_l", half)},
		}},
		{"an old temperature does not take the place of a newer one", []step{
			{30, say("temperature_c", 45), nil},
			{10, say("temperature_c", 20), nil},
			{31, say("level_mm", 1250), say("volume_l", half, "volume15_l", half*0.97450)},
		}},
		{"water stands for a day", []step{
			{0, say("water_volume_l", 1000), nil},
			{24 * 60, say("level_mm", 1250), say("volume_l", half, "product_volume_l", half-1000)},
			{24*60 + 1, say("level_mm", 1250), say("volume_l", half)},
		}},
		{"a volume in a message of its own is not worked out beside it", []step{
			{0, say("volume_l", 24000), nil},
			{1, say("level_mm", 1250), nil},
			{2, say("volume_l", 24010), nil},
			{25 * 60, say("level_mm", 1250), say("volume_l", half)},
		}},
		{"a percentage beside a level in messages of their own", []step{
			{0, say("level_mm", 1250), say("volume_l", half)},
			{1, say("level_pct", 49), nil},
			{2, say("level_mm", 1250), say("volume_l", half)},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := vet.New(depot(t, dieselTank))
			s := &meter.Series{Zone: "z", Utility: meter.Fuel, Meter: "diesel"}
			for _, step := range tt.steps {
				at := received + int64(step.minutes)*minute
				r := meter.Reading{Series: s, Time: at, Values: append([]meter.Value(nil), step.said...)}
				v.Check(&r, at, nil)
				sameValues(t, r.Values, append(append([]meter.Value(nil), step.said...), step.add...))
			}
		})
	}
}

// What the registry says of a tank may change while its meter speaks on.
func TestTankOfAnotherRegistry(t *testing.T) {
	t.Parallel()
	s := &meter.Series{Zone: "z", Utility: meter.Fuel, Meter: "diesel"}
	v := vet.New(depot(t))
	at := received
	check := func(add ...meter.Value) {
		t.Helper()
		at += minute
		said := say("level_mm", 625, "temperature_c", 15)
		r := meter.Reading{Series: s, Time: at, Values: append([]meter.Value(nil), said...)}
		v.Check(&r, at, nil)
		sameValues(t, r.Values, append(said, add...))
	}
	check()
	v.SetRegistry(depot(t, dieselTank))
	check(say("volume_l", 9596.6, "volume15_l", 9596.6)...)
	longer := dieselTank
	longer.Shape.LengthM, longer.CapacityM3 = 20, 98
	v.SetRegistry(depot(t, longer))
	check(say("volume_l", 2*9596.6, "volume15_l", 2*9596.6)...)
	v.SetRegistry(nil)
	check()
}

// What is worked out is no part of a reading's identity: sent again, without the
// temperature that has since become known, it is the same.
func TestTankReadingSentAgain(t *testing.T) {
	t.Parallel()
	v := vet.New(depot(t, dieselTank))
	s := &meter.Series{Zone: "z", Utility: meter.Fuel, Meter: "diesel"}
	check := func(at int64, said []meter.Value) vet.Verdict {
		r := meter.Reading{Series: s, Time: at, Values: said}
		verdict, _ := v.Check(&r, received, nil)
		return verdict
	}
	check(received, say("level_mm", 1250))
	check(received-1000, say("temperature_c", 45))
	if got := check(received, say("level_mm", 1250)); got != vet.Duplicate {
		t.Errorf("verdict %d, want duplicate", got)
	}
}

func BenchmarkTank(b *testing.B) {
	v := vet.New(depot(b, dieselTank))
	values := make([]meter.Value, 0, 8)
	said := say("level_mm", 1250, "temperature_c", 45, "water_level_mm", 9, "delivered_l", 1000)
	s := &meter.Series{Zone: "z", Utility: meter.Fuel, Meter: "diesel"}
	prints := make([]byte, 0, 64)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r := meter.Reading{Series: s, Time: received + int64(i%3_000_000), Values: append(values[:0], said...)}
		v.Check(&r, received+3_000_000, prints)
	}
}
