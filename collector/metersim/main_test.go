package metersim

import (
	"cmp"
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// requirements are the table of plants that the fleet follows: what a plant of
// each sector needs on a working day.
var requirements = map[zone.Sector]zone.Requirement{
	zone.RingSpinning:  {PowerKW: 1500, WaterM3PerD: 40},
	zone.Weaving:       {PowerKW: 500, WaterM3PerD: 25},
	zone.DyeHouse:      {PowerKW: 400, WaterM3PerD: 600, FuelLPerD: 3000},
	zone.Food:          {PowerKW: 300, WaterM3PerD: 150, FuelLPerD: 600},
	zone.Pharma:        {PowerKW: 250, WaterM3PerD: 60, FuelLPerD: 200},
	zone.Plastics:      {PowerKW: 450, WaterM3PerD: 15},
	zone.CementBlock:   {PowerKW: 150, WaterM3PerD: 35, FuelLPerD: 80},
	zone.Foundry:       {PowerKW: 2000, WaterM3PerD: 50, FuelLPerD: 500},
	zone.CraftWorkshop: {PowerKW: 12, WaterM3PerD: 0.5},
	zone.OtherSector:   {PowerKW: 100, WaterM3PerD: 10, FuelLPerD: 50},
}

// testCity is a small city with everything in it: a plant of each sector, two
// substations, a feeder and a water line with a branch each, tanks of plants
// and zones, generators, and a meter wherever one can be.
func testCity(t testing.TB) *zone.Registry {
	t.Helper()
	name := zone.Name{En: "test", Ar: "اختبار"}
	f := &zone.File{
		City:  zone.City{ID: "city", Name: name},
		Zones: []zone.Zone{{ID: "z1", Name: name}, {ID: "z2", Name: name}},
		Substations: []zone.Substation{
			{ID: "ss1", Name: name, RatingMVA: 10}, {ID: "ss2", Name: name, RatingMVA: 10},
		},
		Feeders: []zone.Feeder{
			{ID: "f1", Name: name, Zone: "z1", From: "ss1", RatingA: 250},
			{ID: "f2", Name: name, Zone: "z1", From: "f1", RatingA: 200},
			{ID: "f3", Name: name, Zone: "z2", From: "ss2", RatingA: 250},
		},
		PumpingStations: []zone.PumpingStation{{ID: "ps1", Name: name, CapacityM3H: 150}},
		WaterLines: []zone.WaterLine{
			{ID: "w1", Name: name, Zone: "z1", From: "ps1"},
			{ID: "w2", Name: name, Zone: "z2", From: "w1"},
		},
		Tanks: []zone.Tank{
			{ID: "zt", Name: name, Zone: "z1", Utility: meter.Water, CapacityM3: 300},
			{ID: "depot", Name: name, Zone: "z1", Utility: meter.Fuel, Fuel: "diesel", CapacityM3: 40},
		},
	}
	add := func(id string, u meter.Utility, zoneID, at string) {
		f.Meters = append(f.Meters, zone.Meter{ID: id, Zone: zoneID, Utility: u, At: at, IntervalS: 10})
	}
	for _, at := range []string{"ss1", "ss2", "f1", "f2", "ps1"} {
		add(at+"-e", meter.Electricity, "z1", at)
	}
	add("f3-e", meter.Electricity, "z2", "f3")
	for _, at := range []string{"ps1", "w1", "zt"} {
		add(at+"-w", meter.Water, "z1", at)
	}
	add("w2-w", meter.Water, "z2", "w2")
	add("depot-l", meter.Fuel, "z1", "depot")
	for i, sector := range zone.Sectors {
		id, req := fmt.Sprintf("p%d", i), requirements[sector]
		zoneID, feeder, line := "z1", "f1", "w1"
		switch i % 3 {
		case 1:
			feeder = "f2"
		case 2:
			zoneID, feeder, line = "z2", "f3", "w2"
		}
		f.Plants = append(f.Plants, zone.Plant{
			ID: id, Name: name, Zone: zoneID, Feeder: feeder, WaterLine: line, Sector: sector,
			ContractKVA: req.PowerKW * 1.2, Requirement: req,
		})
		add(id+"-e", meter.Electricity, zoneID, id)
		add(id+"-w", meter.Water, zoneID, id)
		add(id+"-g", meter.Generator, zoneID, id)
		f.Tanks = append(f.Tanks, zone.Tank{
			ID: id + "-wt", Name: name, Zone: zoneID, Plant: id, Utility: meter.Water, CapacityM3: max(2, req.WaterM3PerD/2),
		})
		add(id+"-wt", meter.Water, zoneID, id+"-wt")
		if req.FuelLPerD == 0 {
			continue
		}
		add(id+"-b", meter.Fuel, zoneID, id)
		for j, fuel := range []string{"fuel_oil", "diesel"} {
			tank := fmt.Sprintf("%s-ft%d", id, j)
			f.Tanks = append(f.Tanks, zone.Tank{
				ID: tank, Name: name, Zone: zoneID, Plant: id, Utility: meter.Fuel, Fuel: fuel, CapacityM3: max(3, req.FuelLPerD/100),
			})
			add(tank+"-l", meter.Fuel, zoneID, tank)
		}
	}
	reg, err := zone.New([]*zone.File{f})
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

// with completes options by the defaults.
func with(o Options) Options {
	d := DefaultOptions()
	o.ClientID = cmp.Or(o.ClientID, d.ClientID)
	o.QoS = cmp.Or(o.QoS, d.QoS)
	o.Connections = cmp.Or(o.Connections, d.Connections)
	o.Speed = cmp.Or(o.Speed, d.Speed)
	o.Drain = cmp.Or(o.Drain, d.Drain)
	return o
}
