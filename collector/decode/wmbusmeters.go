package decode

import (
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// wmbusmeters reads what the program of that name makes of wireless and wired
// M-Bus telegrams, under a topic that its user chooses:
//
//	{"_":"telegram","media":"cold water","meter":"multical21","name":"MyTapWater","id":"76348799",
//	 "total_m3":6.408,"flow_temperature_c":127,"timestamp":"2026-11-23T08:15:00Z"}
//
// The last part of a name is the unit. The id is a text, whose leading zeros
// count. What is measured is told by media, unless the source says it; what is none
// of ours, such as heat, goes with water, as its registers cannot be taken for
// electricity there.
//
// https://github.com/wmbusmeters/wmbusmeters (README.md; src/units.h: the suffixes; simulations/: what the
// drivers make of telegrams)
var wmbusmeters = format{
	name: "wmbusmeters", utility: meter.Water, device: true, tellsUtility: true,
	place:    func([]string, map[string]string) place { return place{} },
	classify: wmbusField,
}

// wmbusNames are the fields of the drivers that have a name of ours.
var wmbusNames = map[string]string{
	"total_m3":                                "volume_m3",
	"flow_m3h":                                "flow_m3h",
	"current_flow_m3h":                        "flow_m3h",
	"volume_flow_m3h":                         "flow_m3h",
	"total_energy_consumption_kwh":            "energy_import_kwh",
	"total_energy_production_kwh":             "energy_export_kwh",
	"current_power_consumption_kw":            "active_power_kw",
	"current_power_production_kw":             "active_power_export_kw",
	"current_power_consumption_phase1_kw":     "active_power_l1_kw",
	"current_power_consumption_phase2_kw":     "active_power_l2_kw",
	"current_power_consumption_phase3_kw":     "active_power_l3_kw",
	"voltage_at_phase_1_v":                    "voltage_l1_v",
	"voltage_at_phase_2_v":                    "voltage_l2_v",
	"voltage_at_phase_3_v":                    "voltage_l3_v",
	"current_at_phase_1_a":                    "current_l1_a",
	"current_at_phase_2_a":                    "current_l2_a",
	"current_at_phase_3_a":                    "current_l3_a",
	"total_reactive_energy_consumption_kvarh": "reactive_energy_import_kvarh",
	"total_reactive_energy_production_kvarh":  "reactive_energy_export_kvarh",
}

// wmbusTariffs are what drivers call a tariff's counter, with and without a line
// before its number.
var wmbusTariffs = map[string]string{
	"total_energy_consumption_tariff": "energy_import_t", "total_energy_production_tariff": "energy_export_t",
}

// wmbusUnits are the suffixes of units.h that we name otherwise: how they are
// read, and the suffix they are stored under.
var wmbusUnits = map[string]struct{ unit, suffix string }{
	"wh": {"Wh", "kwh"}, "mwh": {"MWh", "kwh"}, "mj": {"MJ", "kwh"}, "gj": {"GJ", "kwh"}, "w": {"W", "kw"},
	"lh": {"l/h", "m3h"}, "f": {"°F", "c"}, "k": {"K", "c"}, "pa": {"Pa", "bar"}, "rh": {"%", "pct"},
}

func wmbusField(path []string) field {
	if len(path) != 1 {
		return field{}
	}
	switch key := path[0]; {
	case key == "timestamp", key == "timestamp_utc":
		return field{role: clock, name: key}
	case key == "timestamp_ut":
		return field{role: clock, name: key, moment: moment{perSecond: 1}}
	case key == "id":
		return field{role: deviceID, name: key}
	case key == "media":
		return field{role: media, name: key}
	case wmbusNames[key] != "":
		return field{role: register, name: wmbusNames[key]}
	}
	for prefix, own := range wmbusTariffs {
		if tariff, ok := strings.CutPrefix(path[0], prefix); ok {
			return field{role: register, name: own + strings.TrimPrefix(tariff, "_")}
		}
	}
	return wmbusSuffix(path[0])
}

// wmbusSuffix keeps a field under its own name, in one of our units if it has
// one.
func wmbusSuffix(key string) field {
	if i := strings.LastIndexByte(key, '_'); i > 0 {
		if u, ok := wmbusUnits[key[i+1:]]; ok {
			name := derived([]string{key[:i+1] + u.suffix})
			if own := wmbusNames[name]; own != "" {
				name = own
			}
			return field{role: register, name: name, unit: u.unit}
		}
	}
	return field{}
}

// mediaUtility reads what an M-Bus meter measures (EN 13757-7, table of device
// types, in the words of wmbusmeters).
func mediaUtility(text []byte) meter.Utility {
	word := strings.ToLower(string(text))
	switch {
	case strings.Contains(word, "water"):
		return meter.Water
	case strings.Contains(word, "electricity"):
		return meter.Electricity
	case strings.Contains(word, "oil"), strings.Contains(word, "gas"):
		return meter.Fuel
	}
	return ""
}
