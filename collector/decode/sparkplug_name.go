package decode

import (
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"

	pb "github.com/imdad-telemetry/imdad/collector/decode/sparkplugpb"
)

// Metrics have free names and, in a property of their birth, a unit:
//
//	Electricity/Active Power   W     active_power_kw      a register of ours, by its last words and its unit
//	Energy/Import              MWh   energy_import_kwh
//	kWh                              energy_import_kwh    nothing but the unit
//	Inverter 1/DC Power        W     inverter_1_dc_power_kw
//
// A name goes to a register of ours only if no other metric of the same device
// would; else all of them keep their whole name, so that nothing depends on the
// order in which a birth lists them.

// ours lists the registers with a meaning, by utility.
var ours = map[meter.Utility]map[string]bool{
	meter.Electricity: setOf("active_power_kw reactive_power_kvar apparent_power_kva energy_import_kwh energy_export_kwh " +
		"reactive_energy_import_kvarh reactive_energy_export_kvarh voltage_l1_v voltage_l2_v voltage_l3_v voltage_l12_v voltage_l23_v " +
		"voltage_l31_v current_l1_a current_l2_a current_l3_a active_power_l1_kw active_power_l2_kw active_power_l3_kw frequency_hz " +
		"power_factor demand_kw"),
	meter.Water: setOf("volume_m3 flow_m3h pressure_bar temperature_c tank_level_m tank_volume_m3"),
	meter.Fuel:  setOf("volume_l volume15_l level_mm temperature_c water_level_mm flow_lph consumed_l delivered_l"),
	meter.Generator: setOf("running active_power_kw energy_export_kwh energy_import_kwh run_hours_h fuel_rate_lph battery_v frequency_hz " +
		"power_factor voltage_l1_v voltage_l2_v voltage_l3_v current_l1_a current_l2_a current_l3_a reactive_power_kvar apparent_power_kva"),
}

func setOf(words string) map[string]bool {
	set := make(map[string]bool)
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
}

// unitNamed are metrics that are called by their unit and nothing else.
var unitNamed = map[string]string{
	"kw": "active_power_kw", "kva": "apparent_power_kva", "kvar": "reactive_power_kvar", "kwh": "energy_import_kwh",
	"kvarh": "reactive_energy_import_kvarh", "hz": "frequency_hz", "pf": "power_factor",
}

// suffixes are the endings of registers, by what they measure; the first is the
// usual one. Of fuel, volumes are in litres.
var suffixes = map[meter.Dimension][]string{
	meter.Power: {"_kw"}, meter.ReactivePower: {"_kvar"}, meter.ApparentPower: {"_kva"},
	meter.Energy: {"_kwh"}, meter.ReactiveEnergy: {"_kvarh"}, meter.ApparentEnergy: {"_kvah"},
	meter.Voltage: {"_v"}, meter.Current: {"_a"}, meter.Frequency: {"_hz"},
	meter.Volume: {"_m3", "_l"}, meter.VolumeFlow: {"_m3h", "_lph"}, meter.Pressure: {"_bar"}, meter.Temperature: {"_c"},
	meter.Length: {"_m", "_mm"}, meter.Duration: {"_s", "_h"}, meter.Mass: {"_kg"}, meter.Ratio: {"_pct"},
}

// edgeName is what a metric is stored as.
type edgeName struct {
	register string
	convert  meter.Conversion
}

var asItIs = meter.Conversion{Factor: 1}

// nameMetric works out the names a metric may have: the one of ours, if there is
// one, and the one made of its whole path.
func nameMetric(keys []string, unitText string, datatype pb.DataType, utility meter.Utility) (short, whole edgeName) {
	unit, err := meter.ParseUnit(unitText)
	known := err == nil // else the number is kept as it is
	whole = nameOf(keys, unit, known, datatype, utility)
	if ours[utility][whole.register] {
		return whole, whole
	}
	for i := 1; i < len(keys); i++ {
		if n := nameOf(keys[i:], unit, known, datatype, utility); ours[utility][n.register] {
			return n, whole
		}
	}
	if own := unitNamed[derived(keys[len(keys)-1:])]; ours[utility][own] {
		to, _ := meter.RegisterUnit(own)
		convert, err := unit.ConversionTo(to)
		switch {
		case !known:
			return edgeName{own, asItIs}, whole
		case err == nil:
			return edgeName{own, convert}, whole
		}
	}
	return whole, whole
}

// nameOf makes a register of words and a unit.
func nameOf(keys []string, unit meter.Unit, known bool, datatype pb.DataType, utility meter.Utility) edgeName {
	base := derived(keys)
	own, carries := meter.RegisterUnit(base)
	switch {
	case datatype == pb.DataType_DateTime:
		return edgeName{ending(base, "_ms"), asItIs}
	case datatype == pb.DataType_Boolean && carries:
		return edgeName{ending(base, "_state"), asItIs} // Inputs/A is no current
	case !known:
		return edgeName{base, asItIs}
	case carries:
		if convert, err := unit.ConversionTo(own); err == nil {
			return edgeName{base, convert}
		}
	}
	suffix := suffixOf(base, unit, utility)
	to, ok := meter.RegisterUnit(suffix)
	if !ok {
		return edgeName{base, asItIs} // a ratio
	}
	convert, err := unit.ConversionTo(to)
	if err != nil {
		return edgeName{base, asItIs}
	}
	return edgeName{ending(base, suffix), convert}
}

// suffixOf chooses the ending for a unit: one that makes a register of ours, else
// the unit's own, else the usual one.
func suffixOf(base string, unit meter.Unit, utility meter.Utility) string {
	all := suffixes[unit.Dimension]
	own := ""
	for _, s := range all {
		if ours[utility][base+s] {
			return s
		}
		if u, ok := meter.RegisterUnit(s); ok && u.Symbol == unit.Symbol {
			own = s
		}
	}
	switch {
	case own != "":
		return own
	case len(all) == 0 || unit.Dimension == meter.Ratio:
		return ""
	case unit.Dimension == meter.Volume || unit.Dimension == meter.VolumeFlow:
		if utility == meter.Fuel || utility == meter.Generator {
			return all[1]
		}
	}
	return all[0]
}

// ending adds a suffix to a name, within its length.
func ending(base, suffix string) string {
	if len(base)+len(suffix) <= meter.MaxNameLen {
		return base + suffix
	}
	return base[:meter.MaxNameLen-len(suffix)-hashLen] + hash("_", base) + suffix
}

// controls tells whether a metric is of the session and its commands, and no
// value of a meter.
func controls(name string) bool {
	return name == birthNumber || strings.HasPrefix(name, "Node Control/") || strings.HasPrefix(name, "Device Control/")
}

// birthNumber is the metric that pairs a node's birth with its death.
const birthNumber = "bdSeq"

// folderUtility is the utility that one of a metric's folders is named after.
func folderUtility(keys []string) meter.Utility {
	for _, k := range keys[:len(keys)-1] {
		if u := meter.Utility(strings.ToLower(k)); u.Valid() {
			return u
		}
	}
	return ""
}
