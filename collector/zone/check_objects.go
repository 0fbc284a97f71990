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
			c.holds[o.ID], c.room[o.ID] = o.Utility, o.CapacityM3
		}
		c.zone(at.key("zone"), o.Zone, f.City.ID)
		c.quantity(at.key("capacity_m3"), o.CapacityM3)
		if o.Plant != "" {
			c.tankPlant(at.key("plant"), o)
		}
		c.contents(at, o)
		c.shape(at, o)
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
		c.quantity(at.key("standby_kw"), o.StandbyKW)
		c.requirement(at.key("requirement"), o.Requirement)
		for j, s := range o.Shifts {
			c.shift(Place{file, fmt.Sprintf("plants[%d].shifts[%d]", i, j)}, s)
		}
	}
}

func (c *checker) requirement(at Place, r Requirement) {
	c.quantity(at.key("power_kw"), r.PowerKW)
	c.quantity(at.key("water_m3_per_day"), r.WaterM3PerD)
	c.quantity(at.key("fuel_l_per_day"), r.FuelLPerD)
	c.quantity(at.key("ride_through_s"), r.RideThroughS)
	c.quantity(at.key("water_m3h"), r.WaterM3H)
	c.quantity(at.key("pressure_bar"), r.PressureBar)
	c.quantity(at.key("hold_up_min"), r.HoldUpMin)
	if v := r.VoltageMinPct; v != 0 && !(v >= 50 && v < 100) {
		c.add(at.key("voltage_min_pct"), "%v is impossible; give the least voltage in %% of nominal, 50 to 99", v)
	}
	if v := r.VoltageMaxPct; v != 0 && !(v > 100 && v <= 150) {
		c.add(at.key("voltage_max_pct"), "%v is impossible; give the highest voltage in %% of nominal, 101 to 150", v)
	}
}

func (c *checker) shift(at Place, s Shift) {
	const day = 24 * 60
	if s.From < 0 || s.From >= day {
		c.add(at.key("from"), "a shift begins between 00:00 and 23:59")
	}
	if s.To < 0 || s.To > day {
		c.add(at.key("to"), "a shift ends between 00:00 and 24:00")
	}
	for i, d := range s.Days {
		if d < 0 || int(d) >= len(weekdays) {
			c.add(Place{at.File, fmt.Sprintf("%s.days[%d]", at.Path, i)}, "there is no day %d in a week", d)
		}
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
