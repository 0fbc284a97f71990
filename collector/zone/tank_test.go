package zone

import (
	"math"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %v, want %v ± %v", what, got, want, tolerance)
	}
}

func TestOfLevel(t *testing.T) {
	t.Parallel()
	lying := TankShape{Form: HorizontalCylinder, DiameterM: 2.5, LengthM: 10}
	upright := TankShape{Form: Upright, DiameterM: 2, LengthM: 4}
	table := TankShape{Form: Upright, DiameterM: 9, LengthM: 9, Strapping: []Strapping{{100, 50}, {1000, 950}, {2000, 2950}}}
	tests := []struct {
		name  string
		shape TankShape
		mm    float64
		want  float64
	}{
		{"a lying cylinder, half full", lying, 1250, 24543.7},
		{"a quarter of its height", lying, 625, 9596.6},
		{"empty", lying, 0, 0},
		{"full", lying, 2500, 49087.4},
		{"higher than the tank", lying, 2600, 49087.4},
		{"below its bottom", lying, -10, 0},
		{"upright", upright, 1000, 3141.6},
		{"upright and full", upright, 4000, 12566.4},
		{"a row of the table", table, 1000, 950},
		{"between two rows", table, 1250, 1450},
		{"below the first row", table, 50, 25},
		{"the last row", table, 2000, 2950},
		{"above the last row", table, 3000, 2950},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := tt.shape.OfLevel(tt.mm)
			if !ok {
				t.Fatal("the shape is not known")
			}
			near(t, "the volume", got, tt.want, 0.05)
		})
	}
}

func TestOfUllageAndPercent(t *testing.T) {
	t.Parallel()
	shape := TankShape{Form: HorizontalCylinder, DiameterM: 2.5, LengthM: 10}
	got, _ := shape.OfUllage(1875)
	near(t, "the volume by ullage", got, 9596.6, 0.05)
	got, _ = shape.OfPercent(50)
	near(t, "the volume by percent", got, 24543.7, 0.05)
	for _, s := range []TankShape{{}, {Form: "sphere", DiameterM: 1, LengthM: 1}} {
		if _, ok := s.OfLevel(100); ok {
			t.Errorf("%+v has a volume", s)
		}
	}
	if _, ok := shape.OfLevel(math.NaN()); ok {
		t.Error("a level that is no number has a volume")
	}
}

func TestCorrection(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ density, celsius, want float64 }{
		{840, 45, 0.97450}, {950, 60, 0.96735}, {840, 15, 1}, {820, 15, 1},
	} {
		near(t, "the correction", Correction(tt.density, tt.celsius), tt.want, 0.000005)
	}
	if light := Correction(800, 30); light >= Correction(900, 30) || light <= 0.98 {
		t.Errorf("diesel at 30 °C comes to %v", light)
	}
}

func TestVolume15(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		tank    Tank
		density float64
		want    float64 // of 1000 l at 45 °C
	}{
		{"diesel", Tank{Utility: meter.Fuel, Fuel: "diesel"}, 840, 974.50},
		{"mazut", Tank{Utility: meter.Fuel, Fuel: "mazut"}, 840, 974.50},
		{"fuel oil", Tank{Utility: meter.Fuel, Fuel: "fuel_oil"}, 950, 978.30},
		{"a density of its own", Tank{Utility: meter.Fuel, Fuel: "fuel_oil", DensityKgM3: 840}, 840, 974.50},
		{"water", Tank{Utility: meter.Water}, 0, 1000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			near(t, "the density", tt.tank.Density(), tt.density, 0)
			near(t, "the volume", tt.tank.Volume15(1000, 45), tt.want, 0.01)
		})
	}
}
