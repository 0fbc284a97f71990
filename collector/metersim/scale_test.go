package metersim

import (
	"slices"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// TestScaleSupply triples a small city and holds what supplies it to that.
func TestScaleSupply(t *testing.T) {
	t.Parallel()
	name := zone.Name{En: "Name", Ar: "اسم"}
	city := &zone.File{
		City:        zone.City{ID: "c", Name: name},
		Zones:       []zone.Zone{{ID: "z", Name: name, Contract: zone.Contract{PowerKW: 100, WaterM3PerD: 10, FuelLPerD: 1}}},
		Substations: []zone.Substation{{ID: "s", Name: name}},
		Feeders:     []zone.Feeder{{ID: "f", Name: name, Zone: "z", From: "s"}},
		Tanks:       []zone.Tank{{ID: "t", Name: name, Zone: "z", Utility: meter.Fuel, Fuel: "diesel"}},
		Meters:      []zone.Meter{{ID: "m", Zone: "z", Utility: meter.Electricity, At: "f", Gateway: "gw", Backup: true}},
		Rationing:   []zone.Rationing{{ID: "r1", Feeders: []string{"f"}, RRule: "FREQ=DAILY", Off: time.Hour}, {ID: "r2", Zone: "z", Exempt: true, Stage: 1}},
		Tankers:     []zone.Tanker{{ID: "load", Tank: "t", ETA: monday, VolumeL: 9000}},
	}
	reg, err := zone.New([]*zone.File{city})
	if err != nil {
		t.Fatal(err)
	}
	scaled, err := Scale(reg, 3)
	if err != nil {
		t.Fatal(err)
	}
	z, _ := scaled.Zone("z")
	if want := (zone.Contract{PowerKW: 300, WaterM3PerD: 30, FuelLPerD: 3}); z.Contract != want {
		t.Errorf("the zone was promised %+v, want %+v", z.Contract, want)
	}
	rules := scaled.Rationing()
	if len(rules) != 2 || !slices.Equal(rules[0].Feeders, []string{"f", "f-2", "f-3"}) || rules[1].Zone != "z" || rules[1].Feeders != nil {
		t.Errorf("rationing is %+v", rules)
	}
	loads := scaled.Tankers()
	if len(loads) != 3 || loads[2].ID != "load-3" || loads[2].Tank != "t-3" {
		t.Errorf("tankers are %+v", loads)
	}
	if m := scaled.Meters()[1]; m.Gateway != "gw-2" || !m.Backup {
		t.Errorf("the second meter is %+v", m)
	}
	if got := reg.Rationing()[0].Feeders; len(got) != 1 {
		t.Errorf("the city that was scaled has changed: %v", got)
	}
}
