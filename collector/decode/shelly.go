package decode

import (
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// shelly reads devices of Shelly's second generation and later:
//
//	ID/events/rpc    {"src":ID,"dst":…,"method":"NotifyStatus","params":{"ts":1675072985.86,"em:0":{"a_act_power":…}}}
//	ID/status/em:0   {"id":0,"a_current":4.029,"a_voltage":236.1,…}        without a time
//	ID/online        true | false
//
// A NotifyStatus carries what has changed, and every value that it leaves out still
// holds; a NotifyFullStatus is whole; a status topic has one component of several. ts
// is in seconds with a fraction. Power is in W and VA, energy in Wh, that of the last
// minutes in mWh. What is not measured is null. The device is named by its topic.
// Component 0 is the device itself, others are meters of their own, DEVICE:1 and
// so on.
//
// https://shelly-api-docs.shelly.cloud/gen2/ComponentsAndServices/ (Mqtt, EM, EMData, EM1, EM1Data, PM1, Switch)
// and /gen2/General/Notifications
var shelly = format{
	name: "shelly", utility: meter.Electricity, device: true, silent: true, presence: true,
	wrappers: [][]string{{"params"}},
	place:    shellyPlace,
	classify: shellyField,
}

func shellyPlace(levels []string, _ map[string]string) place {
	n := len(levels)
	switch {
	case n >= 3 && levels[n-2] == "events" && levels[n-1] == "rpc":
		return place{device: levels[n-3], partial: true}
	case n >= 3 && levels[n-2] == "status":
		return place{device: levels[n-3], prefix: []string{"params", levels[n-1]}, partial: true}
	case n >= 2 && levels[n-1] == "online":
		return place{device: levels[n-2], presence: true}
	}
	return place{control: true} // announcements, commands and their answers
}

// shellyPhase are the values of a component, by what follows the phase in EM
// and EMData, and as they are in those of one phase.
var shellyPhase = map[string]field{
	"voltage":              {name: "voltage_l1_v", unit: "V"},
	"current":              {name: "current_l1_a", unit: "A"},
	"act_power":            {name: "active_power_l1_kw", unit: "W"},
	"active_power":         {name: "active_power_l1_kw", unit: "W"}, // so in one of the manual's examples
	"aprt_power":           {name: "apparent_power_l1_kva", unit: "VA"},
	"pf":                   {name: "power_factor_l1"},
	"freq":                 {name: "frequency_l1_hz", unit: "Hz"},
	"total_act_energy":     {name: "energy_import_l1_kwh", unit: "Wh"},
	"total_act_ret_energy": {name: "energy_export_l1_kwh", unit: "Wh"},
}

// shellyWhole are the values of a whole component.
var shellyWhole = map[string]field{
	"total_act_power":      {name: "active_power_kw", unit: "W"},
	"total_aprt_power":     {name: "apparent_power_kva", unit: "VA"},
	"total_current":        {name: "current_total_a", unit: "A"},
	"n_current":            {name: "current_n_a", unit: "A"},
	"total_act":            {name: "energy_import_kwh", unit: "Wh"},
	"total_act_ret":        {name: "energy_export_kwh", unit: "Wh"},
	"total_act_energy":     {name: "energy_import_kwh", unit: "Wh"},
	"total_act_ret_energy": {name: "energy_export_kwh", unit: "Wh"},
	"act_power":            {name: "active_power_kw", unit: "W"},
	"apower":               {name: "active_power_kw", unit: "W"},
	"aprt_power":           {name: "apparent_power_kva", unit: "VA"},
	"aprtpower":            {name: "apparent_power_kva", unit: "VA"}, // of PM1
	"pf":                   {name: "power_factor"},
	"freq":                 {name: "frequency_hz", unit: "Hz"},
	"voltage":              {name: "voltage_l1_v", unit: "V"},
	"current":              {name: "current_l1_a", unit: "A"},
	"aenergy.total":        {name: "energy_import_kwh", unit: "Wh"},
	"ret_aenergy.total":    {name: "energy_export_kwh", unit: "Wh"},
	"temperature.tC":       {name: "temperature_c", unit: "°C"},
	"output":               {name: "output"},
}

// shellyMeters are the components that measure; each instance but the first is
// a meter of its own.
var shellyMeters = map[string]bool{
	"em": true, "emdata": true, "em1": true, "em1data": true, "pm1": true, "switch": true, "cover": true,
	"light": true, "rgb": true, "rgbw": true, "cct": true,
}

// shellySensors are the values of other components, such as those of an add-on,
// by component and key.
var shellySensors = map[string]struct{ suffix, unit string }{
	"temperature.tC":        {"c", "°C"},
	"humidity.rh":           {"pct", "%"},
	"voltmeter.voltage":     {"v", "V"},
	"devicepower.battery.V": {"v", "V"},
	"input.percent":         {"pct", "%"},
	"input.freq":            {"hz", "Hz"},
}

func shellyField(path []string) field {
	switch {
	case len(path) == 1 && path[0] == "method":
		return field{role: whole, name: "NotifyFullStatus"}
	case len(path) == 2 && path[0] == "params" && path[1] == "ts":
		return field{role: clock, name: "ts", moment: moment{perSecond: 1}}
	case len(path) < 3 || path[0] != "params" || path[1] == "events", len(path) == 3 && path[2] == "id":
		return field{role: skipped}
	}
	kind, instance, _ := strings.Cut(path[1], ":")
	if !shellyMeters[kind] {
		return shellyOther(kind, instance, path)
	}
	f, ok := shellyValue(kind, strings.Join(path[2:], "."))
	if !ok {
		f = shellyUnknown(append([]string{kind}, path[2:]...))
	}
	if instance != "0" {
		f.channel = instance
	}
	return f
}

// shellyUnknown names a value by its path.
func shellyUnknown(path []string) field {
	if n := len(path); n > 2 && path[n-2] == "by_minute" {
		// Each is the energy of one of the last minutes, in mWh.
		return field{role: register, name: derived(append(path, "kwh")), convert: meter.Conversion{Factor: 1e-6}}
	}
	return field{name: derived(path)}
}

// shellyOther names what the device says beside its measurements.
func shellyOther(kind, instance string, path []string) field {
	if s, ok := shellySensors[kind+"."+strings.Join(path[2:], ".")]; ok {
		return field{role: register, name: derived([]string{kind, instance, s.suffix}), unit: s.unit}
	}
	return field{name: derived(path[1:])}
}

// shellyValue finds a value of a component that measures.
func shellyValue(kind, key string) (field, bool) {
	f, ok := shellyWhole[key]
	if (kind == "em" || kind == "emdata") && len(key) > 2 && key[1] == '_' && key[0] >= 'a' && key[0] <= 'c' {
		f, ok = shellyPhase[key[2:]]
		f.name = strings.Replace(f.name, "_l1", "_l"+string(rune(key[0]-'a'+'1')), 1)
	}
	if f.name == "frequency_l1_hz" {
		f.name = "frequency_hz" // the phases of one grid have one frequency
	}
	if ok {
		f.role = register
	}
	return f, ok
}
