package zone

import (
	"math"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

func TestRating(t *testing.T) {
	t.Parallel()
	f := town()
	f.Feeders = append(f.Feeders, Feeder{ID: "feeder-3", Name: named(), Zone: "zone-a", From: "station"})
	f.Plants[0].StandbyKW = 400
	f.Plants = append(f.Plants, Plant{ID: "shop", Name: named(), Zone: "zone-a", Feeder: "feeder-1", Sector: Weaving})
	r, err := New([]*File{f})
	if err != nil {
		t.Fatal(err)
	}
	root3 := math.Sqrt(3)
	tests := []struct {
		name    string
		utility meter.Utility
		at      string
		nominal float64
		want    Rating
	}{
		{"a substation by its transformers", meter.Electricity, "station", 0, Rating{PowerKW: 60_000}},
		{"a feeder of 400 A at 20 kV", meter.Electricity, "feeder-1", 0, Rating{PowerKW: root3 * 20 * 400}},
		{"a branch by its own cable", meter.Electricity, "feeder-2", 0, Rating{PowerKW: root3 * 20 * 200}},
		{"a feeder of 66 kV", meter.Electricity, "feeder-1", 66_000 / root3, Rating{PowerKW: root3 * 66 * 400}},
		{"a feeder whose meter sees 100 V", meter.Electricity, "feeder-1", 100 / root3, Rating{PowerKW: root3 * 20 * 400}},
		{"a feeder nobody has rated", meter.Electricity, "feeder-3", 0, Rating{}},
		{"a plant by its contract", meter.Electricity, "mill", 0, Rating{PowerKW: 630}},
		{"a plant at another voltage", meter.Electricity, "mill", 400, Rating{PowerKW: 630}},
		{"a plant without a contract", meter.Electricity, "shop", 0, Rating{}},
		{"the pumps' electricity", meter.Electricity, "pumps", 0, Rating{}},
		{"a pumping station", meter.Water, "pumps", 0, Rating{FlowM3H: 600}},
		{"a main", meter.Water, "main-1", 0, Rating{FlowM3H: 600}},
		{"a branch of a main", meter.Water, "main-2", 0, Rating{FlowM3H: 600}},
		{"a plant on a main", meter.Water, "mill", 0, Rating{FlowM3H: 600}},
		{"a plant with water of its own", meter.Water, "shop", 0, Rating{}},
		{"a water tank", meter.Water, "cistern", 0, Rating{}},
		{"a fuel tank", meter.Fuel, "oil", 0, Rating{}},
		{"a boiler", meter.Fuel, "mill", 0, Rating{}},
		{"a generator", meter.Generator, "mill", 0, Rating{PowerKW: 400, FlowLPH: 200}},
		{"a generator nobody has rated", meter.Generator, "shop", 0, Rating{}},
		{"nowhere", meter.Electricity, "nowhere", 0, Rating{}},
		{"nothing", "", "", 0, Rating{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := r.Rating(&Meter{ID: "m", Utility: tt.utility, At: tt.at, NominalV: tt.nominal})
			near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*b }
			if !near(got.PowerKW, tt.want.PowerKW) || !near(got.FlowM3H, tt.want.FlowM3H) || !near(got.FlowLPH, tt.want.FlowLPH) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}
