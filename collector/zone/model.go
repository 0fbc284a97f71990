// Package zone is the registry: which cities, zones, networks, plants and
// meters there are and how they hang together. It is pure: package configs
// reads the files, this package says what they must mean.
//
//	City ─ Zone ┬ Feeder ◄─ Substation | Feeder        (electricity, From)
//	            ├ WaterLine ◄─ PumpingStation | WaterLine  (water, From)
//	            ├ Tank  (of a zone or of a plant)
//	            └ Plant (on one feeder, one water line)
//	Meter ─ measures one of these objects (At)
package zone

import "github.com/imdad-telemetry/imdad/collector/meter"

// Name is an object's name in both languages.
type Name struct {
	En string `yaml:"en"`
	Ar string `yaml:"ar"`
}

// File is one registry file: one city with everything in it. Object ids are
// unique in the whole registry, across files and kinds, so that Meter.At and
// From name an object without saying its kind. Meter ids are unique per zone
// and utility, as in topics.
type File struct {
	City            City             `yaml:"city"`
	Zones           []Zone           `yaml:"zones"`
	Substations     []Substation     `yaml:"substations"`
	Feeders         []Feeder         `yaml:"feeders"`
	PumpingStations []PumpingStation `yaml:"pumping_stations"`
	WaterLines      []WaterLine      `yaml:"water_lines"`
	Tanks           []Tank           `yaml:"tanks"`
	Plants          []Plant          `yaml:"plants"`
	Meters          []Meter          `yaml:"meters"`
	// MetersCSV names further files of meters, relative to this one, with the
	// columns of Meter under their YAML names.
	MetersCSV []string `yaml:"meters_csv"`
}

// City is one industrial city.
type City struct {
	ID       string `yaml:"id"`
	Name     Name   `yaml:"name"`
	Timezone string `yaml:"timezone"` // IANA name; default Asia/Damascus
}

// Zone is an industrial zone: what one zone manager answers for.
type Zone struct {
	ID   string `yaml:"id"`
	Name Name   `yaml:"name"`
}

// Substation is a 66/20 kV transformer station.
type Substation struct {
	ID        string  `yaml:"id"`
	Name      Name    `yaml:"name"`
	RatingMVA float64 `yaml:"rating_mva"`
}

// Feeder is a 20 kV line from a substation, or a branch of another feeder.
type Feeder struct {
	ID      string  `yaml:"id"`
	Name    Name    `yaml:"name"`
	Zone    string  `yaml:"zone"`
	From    string  `yaml:"from"` // substation or feeder
	RatingA float64 `yaml:"rating_a"`
}

// PumpingStation feeds water lines from wells or the grid.
type PumpingStation struct {
	ID          string  `yaml:"id"`
	Name        Name    `yaml:"name"`
	CapacityM3H float64 `yaml:"capacity_m3h"`
}

// WaterLine is a main from a pumping station, or a branch of another line.
type WaterLine struct {
	ID   string `yaml:"id"`
	Name Name   `yaml:"name"`
	Zone string `yaml:"zone"`
	From string `yaml:"from"` // pumping station or water line
}

// Tank holds water or fuel for a zone or for one plant.
type Tank struct {
	ID         string        `yaml:"id"`
	Name       Name          `yaml:"name"`
	Zone       string        `yaml:"zone"`
	Plant      string        `yaml:"plant"`   // empty: the zone's own
	Utility    meter.Utility `yaml:"utility"` // water or fuel
	Fuel       string        `yaml:"fuel"`    // mazut, diesel or fuel_oil, for fuel tanks
	CapacityM3 float64       `yaml:"capacity_m3"`
}

// Plant is a factory, or a row of workshops behind one connection.
type Plant struct {
	ID          string      `yaml:"id"`
	Name        Name        `yaml:"name"`
	Zone        string      `yaml:"zone"`
	Feeder      string      `yaml:"feeder"`
	WaterLine   string      `yaml:"water_line"` // empty: none
	Sector      Sector      `yaml:"sector"`
	ContractKVA float64     `yaml:"contract_kva"`
	Requirement Requirement `yaml:"requirement"`
}

// Requirement is what a plant needs to run as planned.
type Requirement struct {
	PowerKW     float64 `yaml:"power_kw"`
	WaterM3PerD float64 `yaml:"water_m3_per_day"`
	FuelLPerD   float64 `yaml:"fuel_l_per_day"`
}

// Sector is a plant's line of business; it fixes its load shape.
type Sector string

// The sectors of the four cities' surveys.
const (
	RingSpinning  Sector = "ring_spinning"
	Weaving       Sector = "weaving"
	DyeHouse      Sector = "dye_house"
	Food          Sector = "food"
	Pharma        Sector = "pharma"
	Plastics      Sector = "plastics"
	CementBlock   Sector = "cement_block"
	Foundry       Sector = "foundry"
	CraftWorkshop Sector = "craft_workshop"
	OtherSector   Sector = "other"
)

// Sectors lists the valid sectors.
var Sectors = []Sector{
	RingSpinning, Weaving, DyeHouse, Food, Pharma, Plastics, CementBlock, Foundry, CraftWorkshop, OtherSector,
}

// Meter is one measuring point. Its readings arrive under Zone, Utility, ID.
type Meter struct {
	ID        string        `yaml:"id"`
	Zone      string        `yaml:"zone"`
	Utility   meter.Utility `yaml:"utility"`
	At        string        `yaml:"at"`         // the object it measures
	IntervalS float64       `yaml:"interval_s"` // planned seconds between messages; default 60
}
