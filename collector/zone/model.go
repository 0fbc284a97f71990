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

import (
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

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
	Rationing       []Rationing      `yaml:"rationing"`
	Tankers         []Tanker         `yaml:"tankers"`
	// MetersCSV names further files of meters, relative to this one, with the
	// columns of Meter under their YAML names.
	MetersCSV []string `yaml:"meters_csv"`
}

// City is one industrial city.
type City struct {
	ID       string `yaml:"id"`
	Name     Name   `yaml:"name"`
	Timezone string `yaml:"timezone"` // IANA name; default Asia/Damascus
	// Holidays are the days, besides those off in the shifts, on which plants
	// stand still.
	Holidays []Holiday `yaml:"holidays"`
}

// Holiday is a run of local days, both ends included.
type Holiday struct {
	Name Name `yaml:"name"`
	From Date `yaml:"from"`
	To   Date `yaml:"to"` // empty: one day
}

// Zone is an industrial zone: what one zone manager answers for.
type Zone struct {
	ID       string   `yaml:"id"`
	Name     Name     `yaml:"name"`
	Contract Contract `yaml:"contract"`
}

// Contract is what a zone was promised of each utility; 0: nothing is agreed,
// and what the plants declare counts alone.
type Contract struct {
	PowerKW     float64 `yaml:"power_kw"`
	WaterM3PerD float64 `yaml:"water_m3_per_day"`
	FuelLPerD   float64 `yaml:"fuel_l_per_day"`
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
	// DeadM3 is what no pump can draw.
	DeadM3 float64 `yaml:"dead_m3"`
	// Shape turns a level into a volume where the meter gives only a level.
	Shape TankShape `yaml:"shape"`
	// DensityKgM3 of the fuel at 15 °C; 0: the usual one of its kind.
	DensityKgM3 float64 `yaml:"density_kg_m3"`
}

// TankShape is a tank's geometry, or the strapping table that replaces it.
type TankShape struct {
	Form      string      `yaml:"form"` // horizontal_cylinder or upright; empty: unknown
	DiameterM float64     `yaml:"diameter_m"`
	LengthM   float64     `yaml:"length_m"` // or height
	Strapping []Strapping `yaml:"strapping"`
}

// Strapping is one row of a strapping table: the litres below a level.
type Strapping struct {
	LevelMM float64 `yaml:"level_mm"`
	VolumeL float64 `yaml:"volume_l"`
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
	// Shifts are when it works, in local time; none: always, holidays too.
	Shifts []Shift `yaml:"shifts"`
	// StandbyKW is what its own generators can carry.
	StandbyKW float64 `yaml:"standby_kw"`
}

// Requirement is what a plant needs to run as planned, at full work in a
// shift. Zero means none, or, for the bands, the default of its sector
// (Sector.Requirement).
type Requirement struct {
	PowerKW     float64 `yaml:"power_kw"`
	WaterM3PerD float64 `yaml:"water_m3_per_day"`
	FuelLPerD   float64 `yaml:"fuel_l_per_day"`

	VoltageMinPct float64 `yaml:"voltage_min_pct"` // of nominal
	VoltageMaxPct float64 `yaml:"voltage_max_pct"`
	RideThroughS  float64 `yaml:"ride_through_s"` // a cut so short does no harm
	WaterM3H      float64 `yaml:"water_m3h"`      // the least flow it can work with
	PressureBar   float64 `yaml:"pressure_bar"`   // the least pressure
	HoldUpMin     float64 `yaml:"hold_up_min"`    // how long it works on without a resource
}

// Shift is a daily stretch of work. One that ends at or before its start runs
// past midnight; its days are those on which it begins.
type Shift struct {
	Days []Weekday `yaml:"days"` // none: every day
	From Clock     `yaml:"from"`
	To   Clock     `yaml:"to"`
}

// Rationing is one rule of a rationing programme: when the feeders it names
// are off by plan. Either RRule with Off, or Cycle.
type Rationing struct {
	ID      string   `yaml:"id"`
	Feeders []string `yaml:"feeders"`
	Zone    string   `yaml:"zone"` // every feeder of it; instead of Feeders
	// RRule is when blocks begin, as RFC 5545 says, in the city's local time
	// ("FREQ=DAILY;BYHOUR=17;BYMINUTE=0"), and Off is how long each lasts by the
	// clock on the wall, summer time or not. Without a DTSTART in it, which
	// stands among the other parts, its intervals count from ValidFrom or from a
	// Monday long ago.
	RRule string        `yaml:"rrule"`
	Off   time.Duration `yaml:"off"`
	Cycle Cycle         `yaml:"cycle"`
	// Stage is the announced stage from which the rule is in force; 0: always.
	Stage int `yaml:"stage"`
	// Exempt turns the rule round: its feeders are never cut by others.
	Exempt    bool      `yaml:"exempt"`
	ValidFrom time.Time `yaml:"valid_from"` // zero: since ever
	ValidTo   time.Time `yaml:"valid_to"`   // zero: until further notice
	Source    string    `yaml:"source"`     // who announced it
}

// Cycle is so long off, so long on, by elapsed time, again and again before and
// after Anchor, which is the beginning of a time off.
type Cycle struct {
	Off    time.Duration `yaml:"off"`
	On     time.Duration `yaml:"on"`
	Anchor time.Time     `yaml:"anchor"`
}

// Tanker is an order of fuel that is on its way to a tank.
type Tanker struct {
	ID      string    `yaml:"id"`
	Tank    string    `yaml:"tank"`
	ETA     time.Time `yaml:"eta"`
	VolumeL float64   `yaml:"volume_l"` // by the ticket, at 15 °C
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
	Gateway   string        `yaml:"gateway"`    // that it speaks through; empty: for itself
	// NominalV is the nominal phase-to-neutral voltage; 0: 230 at plants, and
	// 20 kV between phases at feeders and substations.
	NominalV float64 `yaml:"nominal_v"`
	// Digits are those before the point of its counters: they roll over at
	// 10^Digits. 0: not known, and a rollover is told from a reset by its look.
	Digits int `yaml:"digits"`
	// Backup says that the meter has a battery and speaks on without supply.
	Backup bool `yaml:"backup"`
	// Serial is the number on the device that measures now; that of the last
	// replacement is the same.
	Serial string `yaml:"serial"`
	// Replacements are the times at which another device took the meter's place,
	// in their order: its counters go on from there.
	Replacements []Replacement `yaml:"replacements"`
}

// Replacement is the exchange of the device of a meter.
type Replacement struct {
	At     time.Time `yaml:"at"`
	Serial string    `yaml:"serial"` // of the new device; empty: not known
	// Final and Initial are what the counters showed that were taken down and put
	// up, by register; what passed between the last reading and the exchange is
	// not known without them.
	Final   map[string]float64 `yaml:"final"`
	Initial map[string]float64 `yaml:"initial"`
}
