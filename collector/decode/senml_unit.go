package decode

import (
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// senmlUnit is what a unit of a pack means here: sent · scale is in unit.
type senmlUnit struct {
	unit   string  // one of package meter's; "": it has none for it
	scale  float64 // 0: 1
	suffix string  // of the registers in it
	alone  string  // what a record without a name is called
}

// senmlUnits are the units of the registry at https://www.iana.org/assignments/senml
// (RFC 8428 section 12.1, RFC 8798) that are also ours, and those whose symbol
// means something else elsewhere. % is no percentage there but the same as /.
// Others keep their symbol in the register's name.
var senmlUnits = map[string]senmlUnit{
	"W": {unit: "W"}, "kW": {unit: "kW"}, "VA": {unit: "VA"}, "kVA": {unit: "kVA"}, "var": {unit: "var"}, "kvar": {unit: "kvar"},
	"J": {unit: "J"}, "Wh": {unit: "Wh"}, "kWh": {unit: "kWh"},
	"VAs": {unit: "VAh", scale: 1.0 / 3600}, "kVAh": {unit: "kVAh"},
	"vars": {unit: "varh", scale: 1.0 / 3600}, "varh": {unit: "varh"}, "kvarh": {unit: "kvarh"},
	"V": {unit: "V"}, "mV": {unit: "mV"}, "A": {unit: "A"}, "mA": {unit: "mA"}, "Hz": {unit: "Hz"}, "MHz": {unit: "Hz", scale: 1e6},
	"m3": {unit: "m3"}, "l": {unit: "l"}, "m3/s": {unit: "m3/s"}, "l/s": {unit: "l/s"}, "Pa": {unit: "Pa"}, "hPa": {unit: "hPa"},
	"Cel": {unit: "°C"}, "K": {unit: "K"}, "m": {unit: "m"}, "mm": {unit: "mm"}, "cm": {unit: "cm"}, "km": {unit: "m", scale: 1000},
	"s": {unit: "s"}, "ms": {unit: "ms"}, "min": {unit: "min"}, "h": {unit: "h", suffix: "h"}, "kg": {unit: "kg"}, "g": {unit: "kg", scale: 1e-3},
	"/": {unit: "1"}, "%": {unit: "1"}, "/100": {unit: "%"}, "/1000": {unit: "%", scale: 0.1},
	"%RH": {unit: "%", alone: "humidity"}, "%EL": {unit: "%", alone: "battery"}, "EL": {unit: "s", alone: "battery"},
	"lat": {suffix: "latitude"}, "lon": {suffix: "longitude"}, "count": {alone: "count"},
	"C": {suffix: "coulomb"}, "F": {suffix: "farad"}, "H": {suffix: "henry"}, "S": {suffix: "siemens"}, "T": {suffix: "tesla"},
	"N": {suffix: "newton"}, "B": {suffix: "byte"}, "1/s": {suffix: "per_second"}, "1/min": {suffix: "rpm"},
}

// senmlIntegrals are the units of sums, value · s, that are ours.
var senmlIntegrals = map[string]senmlUnit{
	"W": {unit: "J"}, "kW": {unit: "kJ"}, "VA": {unit: "VAh", scale: 1.0 / 3600}, "kVA": {unit: "kVAh", scale: 1.0 / 3600},
	"var": {unit: "varh", scale: 1.0 / 3600}, "kvar": {unit: "kvarh", scale: 1.0 / 3600}, "m3/s": {unit: "m3"}, "l/s": {unit: "l"},
}

// senmlUnitOf returns what a unit means: that of the registry, else one that
// devices use all the same, such as bar.
func senmlUnitOf(symbol string) senmlUnit {
	u, ok := senmlUnits[symbol]
	switch {
	case ok || symbol == "":
	case isUnit(symbol):
		u = senmlUnit{unit: symbol}
	default:
		u = senmlUnit{suffix: unitWord(symbol)}
	}
	return u
}

func isUnit(symbol string) bool {
	_, err := meter.ParseUnit(symbol)
	return err == nil
}

// unitWord makes a suffix of a unit that is none of ours, and none that looks
// like one of ours: m/s is mps.
func unitWord(symbol string) string {
	word := derived([]string{strings.ReplaceAll(symbol, "/", "p")})
	if _, ours := meter.RegisterUnit("x_" + word); ours {
		word += "_unit"
	}
	return word
}

// integral returns the unit of a sum of values in u.
func (u senmlUnit) integral(symbol string) senmlUnit {
	if sum, ok := senmlIntegrals[symbol]; ok {
		return sum
	}
	if symbol == "" {
		return senmlUnit{}
	}
	return senmlUnit{suffix: unitWord(symbol + "s")}
}

// dimension returns what u measures; "" if that is none of ours.
func (u senmlUnit) dimension() meter.Dimension {
	if u.unit == "" {
		return ""
	}
	own, err := meter.ParseUnit(u.unit)
	if err != nil {
		panic("decode: " + err.Error()) // senmlUnitOf has asked, or it is a constant
	}
	return own.Dimension
}

// conversion returns how values in u become those of a register. Where either
// of them has no unit of ours, they stay as they were sent.
func (u senmlUnit) conversion(register string) (meter.Conversion, error) {
	same := meter.Conversion{Factor: 1}
	if _, ok := meter.RegisterUnit(register); !ok || u.unit == "" {
		return same, nil
	}
	c, err := conversion(u.unit, register)
	if err == nil && u.scale != 0 {
		c.Factor *= u.scale
	}
	return c, err
}

// dimensionSuffixes are the units registers are kept in.
var dimensionSuffixes = map[meter.Dimension]string{
	meter.Power: "kw", meter.ReactivePower: "kvar", meter.ApparentPower: "kva",
	meter.Energy: "kwh", meter.ReactiveEnergy: "kvarh", meter.ApparentEnergy: "kvah",
	meter.Voltage: "v", meter.Current: "a", meter.Frequency: "hz", meter.Volume: "m3", meter.VolumeFlow: "m3h", meter.Pressure: "bar",
	meter.Temperature: "c", meter.Length: "m", meter.Duration: "s", meter.Mass: "kg",
}

// suffixOf returns the suffix of registers with values in u: fuel is counted in
// litres and its level in millimetres, that of water in metres.
func (u senmlUnit) suffixOf(utility meter.Utility) string {
	dimension := u.dimension()
	switch fuel := utility == meter.Fuel || utility == meter.Generator; {
	case u.suffix != "":
		return u.suffix
	case fuel && dimension == meter.Volume:
		return "l"
	case fuel && dimension == meter.VolumeFlow:
		return "lph"
	case dimension == meter.Length && (utility == meter.Fuel || u.unit == "mm" && utility != meter.Water):
		return "mm"
	case u.unit == "%":
		return "pct"
	}
	return dimensionSuffixes[dimension]
}

// senmlStems are names in use for what we call otherwise, by what they measure;
// that of "" is a record's without a name.
var senmlStems = map[meter.Dimension]map[string]string{
	meter.Power:          {"": "active_power", "power": "active_power"},
	meter.ReactivePower:  {"": "reactive_power", "power": "reactive_power"},
	meter.ApparentPower:  {"": "apparent_power", "power": "apparent_power"},
	meter.Energy:         {"": "energy_import", "energy": "energy_import", "active_energy": "energy_import", "total_energy": "energy_import", "energy_total": "energy_import", "consumption": "energy_import"},
	meter.ReactiveEnergy: {"": "reactive_energy_import", "energy": "reactive_energy_import", "reactive_energy": "reactive_energy_import"},
	meter.ApparentEnergy: {"": "apparent_energy", "energy": "apparent_energy"},
	meter.Voltage:        {"": "voltage"},
	meter.Current:        {"": "current"},
	meter.Frequency:      {"": "frequency", "freq": "frequency"},
	meter.Volume:         {"": "volume", "total": "volume", "total_volume": "volume", "volume_total": "volume"},
	meter.VolumeFlow:     {"": "flow", "flow_rate": "flow", "flowrate": "flow", "volume_flow": "flow"},
	meter.Pressure:       {"": "pressure"},
	meter.Temperature:    {"": "temperature", "temp": "temperature"},
	meter.Length:         {"": "level"},
	meter.Duration:       {"": "duration"},
	meter.Mass:           {"": "mass"},
}

// senmlSums are the registers that sums of known values are, by what the sums
// measure and what the values are called.
var senmlSums = map[meter.Dimension]map[string]string{
	meter.Energy:         {"": "energy", "power": "energy", "active_power": "energy"},
	meter.ReactiveEnergy: {"": "energy", "power": "energy", "reactive_power": "energy"},
	meter.ApparentEnergy: {"": "energy", "power": "energy", "apparent_power": "energy"},
	meter.Volume:         {"": "volume", "flow": "volume", "flow_rate": "volume", "flowrate": "volume", "volume_flow": "volume"},
}

// sumOf names the sum of the values called part; u is the unit of the sum.
func sumOf(part string, u senmlUnit) string {
	stem := stemOf(part)
	if own, ok := senmlSums[u.dimension()][stem]; ok {
		return own
	}
	// A name that carries the unit of the value does not carry that of the sum.
	if own, ok := meter.RegisterUnit(stem); ok {
		stem = strings.TrimSuffix(stem, "_"+dimensionSuffixes[own.Dimension])
		if own, ok := senmlSums[u.dimension()][stem]; ok {
			return own
		}
	}
	return strings.TrimLeft(stem+"_sum", "_")
}

// stemOf makes a register's name of a part of a SenML name; "" stays.
func stemOf(part string) string {
	if part == "" {
		return ""
	}
	return derived([]string{part})
}

// registerOf names the register of a value: as it is called if that carries its
// unit already, else by its unit.
func registerOf(part string, u senmlUnit, utility meter.Utility) string {
	name, dimension := stemOf(part), u.dimension()
	if own, ok := meter.RegisterUnit(name); ok && (own.Dimension == dimension || u == senmlUnit{}) {
		return name
	}
	if stem, ok := senmlStems[dimension][name]; ok && u.alone == "" {
		name = stem
	}
	switch {
	case utility == meter.Generator && dimension == meter.Energy && name == "energy_import":
		name = "energy_export"
	case utility == meter.Water && dimension == meter.Length && name == "level":
		name = "tank_level"
	case dimension == meter.Duration && (name == "run_hours" || name == "running_hours" || name == "operating_hours"):
		return "run_hours_h"
	case name == "" && u.alone != "":
		name = u.alone
	}
	suffix := u.suffixOf(utility)
	switch {
	case name == "" && suffix == "":
		return "value"
	case name == "":
		return suffix
	case suffix == "" || name == suffix || strings.HasSuffix(name, "_"+suffix):
		return name
	case name == "count" && u.alone == "count":
		return name
	}
	return shorten(name+"_"+suffix, name+"_"+suffix)
}
