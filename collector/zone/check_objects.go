package zone

import (
	"fmt"
	"slices"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

func (c *checker) electricity(file int, f *File) {
	for i, o := range f.Substations {
		c.quantity(Place{file, fmt.Sprintf("substations[%d].rating_mva", i)}, o.RatingMVA)
	}
	for i, o := range f.Feeders {
		at := Place{file, fmt.Sprintf("feeders[%d]", i)}
		c.zone(at.key("zone"), o.Zone, f.City.ID)
		c.reference(at.key("from"), o.From, "a feeder comes from", SubstationKind, FeederKind)
		c.quantity(at.key("rating_a"), o.RatingA)
	}
}

func (c *checker) water(file int, f *File) {
	for i, o := range f.PumpingStations {
		c.quantity(Place{file, fmt.Sprintf("pumping_stations[%d].capacity_m3h", i)}, o.CapacityM3H)
	}
	for i, o := range f.WaterLines {
		at := Place{file, fmt.Sprintf("water_lines[%d]", i)}
		c.zone(at.key("zone"), o.Zone, f.City.ID)
		c.reference(at.key("from"), o.From, "a water line comes from", PumpingStationKind, WaterLineKind)
	}
}

func (c *checker) tanks(file int, f *File) {
	for i, o := range f.Tanks {
		at := Place{file, fmt.Sprintf("tanks[%d]", i)}
		if c.index[o.ID].Place == at {
			c.holds[o.ID] = o.Utility
		}
		c.zone(at.key("zone"), o.Zone, f.City.ID)
		c.quantity(at.key("capacity_m3"), o.CapacityM3)
		if o.Plant != "" {
			c.tankPlant(at.key("plant"), o)
		}
		c.contents(at, o)
	}
}

func (c *checker) tankPlant(at Place, o Tank) {
	plant, ok := c.reference(at, o.Plant, "a tank belongs to", PlantKind)
	if ok && plant.Zone != o.Zone {
		c.addSee(at, plant.Place, "plant %q lies in zone %s, its tank in %s", o.Plant, excerpt(plant.Zone), excerpt(o.Zone))
	}
}

func (c *checker) contents(at Place, o Tank) {
	switch o.Utility {
	case meter.Water:
		if o.Fuel != "" {
			c.add(at.key("fuel"), "a water tank holds no fuel; remove it, or say utility: fuel")
		}
	case meter.Fuel:
		if o.Fuel == "" {
			c.add(at.key("fuel"), "missing; use %s", either(Fuels))
		} else if !slices.Contains(Fuels, o.Fuel) {
			c.add(at.key("fuel"), "unknown fuel %s%s", excerpt(o.Fuel), c.suggest(o.Fuel, Fuels))
		}
	case "":
		c.add(at.key("utility"), "missing; use water or fuel")
	default:
		c.add(at.key("utility"), "a tank holds water or fuel, not %s", excerpt(o.Utility))
	}
}

func (c *checker) plants(file int, f *File) {
	for i, o := range f.Plants {
		at := Place{file, fmt.Sprintf("plants[%d]", i)}
		c.zone(at.key("zone"), o.Zone, f.City.ID)
		c.reference(at.key("feeder"), o.Feeder, "a plant is fed by", FeederKind)
		if o.WaterLine != "" {
			c.reference(at.key("water_line"), o.WaterLine, "a plant takes water from", WaterLineKind)
		}
		c.sector(at.key("sector"), o.Sector)
		c.quantity(at.key("contract_kva"), o.ContractKVA)
		c.quantity(at.key("requirement.power_kw"), o.Requirement.PowerKW)
		c.quantity(at.key("requirement.water_m3_per_day"), o.Requirement.WaterM3PerD)
		c.quantity(at.key("requirement.fuel_l_per_day"), o.Requirement.FuelLPerD)
	}
}

func (c *checker) sector(at Place, s Sector) {
	switch {
	case s == "":
		c.add(at, "missing; use %s", either(texts(Sectors)))
	case !slices.Contains(Sectors, s):
		c.add(at, "unknown sector %s%s", excerpt(s), c.suggest(string(s), texts(Sectors)))
	}
}

// texts turns enumerated values into strings.
func texts[T ~string](values []T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}
