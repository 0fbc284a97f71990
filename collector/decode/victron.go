package decode

import (
	"slices"
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// victron reads what a Victron GX device publishes of its D-Bus:
//
//	N/PORTAL/SERVICE/INSTANCE/PATH   {"value":1205.5}     null: not known at present
//
// There is no time in it: it is that of receipt, and a retained message is
// ignored. Each value is a message, and each service of each installation a
// meter, PORTAL:SERVICE:INSTANCE. The device falls silent unless somebody
// publishes to R/PORTAL/keepalive at least once a minute.
//
// https://github.com/victronenergy/dbus-flashmq (README.md: topics, keep-alive),
// https://github.com/victronenergy/venus/wiki/dbus (services, paths and units)
var victron = format{
	name: "victron", utility: meter.Electricity, device: true, silent: true,
	place:    victronPlace,
	classify: victronField,
}

func victronPlace(levels []string, _ map[string]string) place {
	at := slices.Index(levels, "N")
	if at < 0 || len(levels) < at+5 {
		return place{control: true} // R and W, keepalive, full_publish_completed
	}
	return place{
		device: strings.Join(levels[at+1:at+4], ":"),
		prefix: append([]string{levels[at+2]}, levels[at+4:]...),
	}
}

// victronPaths are the paths of most services.
var victronPaths = map[string]field{
	"Ac/Power":             {name: "active_power_kw", unit: "W"},
	"Ac/Voltage":           {name: "voltage_l1_v", unit: "V"},
	"Ac/Current":           {name: "current_l1_a", unit: "A"},
	"Ac/Frequency":         {name: "frequency_hz", unit: "Hz"},
	"Ac/PowerFactor":       {name: "power_factor"},
	"Ac/Energy/Forward":    {name: "energy_import_kwh", unit: "kWh"},
	"Ac/Energy/Reverse":    {name: "energy_export_kwh", unit: "kWh"},
	"Soc":                  {name: "soc_pct", unit: "%"},
	"Dc/0/Voltage":         {name: "dc_voltage_v", unit: "V"},
	"Dc/0/Current":         {name: "dc_current_a", unit: "A"},
	"Dc/0/Power":           {name: "dc_power_kw", unit: "W"},
	"Dc/0/Temperature":     {name: "temperature_c", unit: "°C"},
	"Temperature":          {name: "temperature_c", unit: "°C"},
	"Yield/Power":          {name: "active_power_kw", unit: "W"},
	"Yield/User":           {name: "energy_export_kwh", unit: "kWh"},
	"Yield/System":         {name: "energy_system_kwh", unit: "kWh"},
	"Pressure":             {name: "pressure_bar", unit: "kPa"},
	"Ac/L1/Power":          {name: "active_power_l1_kw", unit: "W"},
	"Ac/L1/Voltage":        {name: "voltage_l1_v", unit: "V"},
	"Ac/L1/Current":        {name: "current_l1_a", unit: "A"},
	"Ac/L1/PowerFactor":    {name: "power_factor_l1"},
	"Ac/L1/Energy/Forward": {name: "energy_import_l1_kwh", unit: "kWh"},
	"Ac/L1/Energy/Reverse": {name: "energy_export_l1_kwh", unit: "kWh"},
}

// victronServices are the paths that mean something of their own in a service.
var victronServices = map[string]map[string]field{
	// What it makes, it delivers.
	"pvinverter": {
		"Ac/Energy/Forward":    {name: "energy_export_kwh", unit: "kWh"},
		"Ac/L1/Energy/Forward": {name: "energy_export_l1_kwh", unit: "kWh"},
	},
	"genset": {
		"Ac/Energy/Forward":     {name: "energy_export_kwh", unit: "kWh"},
		"Ac/L1/Energy/Forward":  {name: "energy_export_l1_kwh", unit: "kWh"},
		"Engine/OperatingHours": {name: "run_hours_h", unit: "s"},
		"StarterVoltage":        {name: "battery_v", unit: "V"},
	},
	"tank": {
		"Level":     {name: "level_pct", unit: "%"},
		"Remaining": {name: "volume_l", unit: "m³"},
		"Capacity":  {name: "capacity_l", unit: "m³"},
	},
	"pulsemeter": {"Aggregate": {name: "volume_m3", unit: "m³"}},
}

// victronUtilities are the services that measure something else than
// electricity.
var victronUtilities = map[string]meter.Utility{"genset": meter.Generator, "tank": meter.Fuel, "pulsemeter": meter.Water}

func victronField(path []string) field {
	if len(path) < 3 || path[len(path)-1] != "value" {
		return field{role: skipped} // min and max of a setting
	}
	service, key := path[0], strings.Join(path[1:len(path)-1], "/")
	f, ok := victronPath(service, key)
	for n := '2'; n <= '3' && !ok; n++ {
		phase := "/L" + string(n) + "/"
		if strings.Contains(key, phase) {
			f, ok = victronPath(service, strings.Replace(key, phase, "/L1/", 1))
			f.name = strings.Replace(f.name, "_l1", "_l"+string(n), 1)
		}
	}
	if ok {
		f.role = register
	} else {
		f = victronUnit(path[1 : len(path)-1])
	}
	f.utility = victronUtilities[service]
	return f
}

// victronUnits are the last keys of paths whose unit is the same in every
// service.
var victronUnits = map[string]struct{ unit, suffix string }{
	"Power": {"W", "kw"}, "P": {"W", "kw"}, "S": {"VA", "kva"}, "Voltage": {"V", "v"}, "V": {"V", "v"},
	"Current": {"A", "a"}, "I": {"A", "a"}, "Frequency": {"Hz", "hz"}, "F": {"Hz", "hz"},
}

// victronUnit keeps a value under its own name, with its unit if that is known.
func victronUnit(path []string) field {
	u, ok := victronUnits[path[len(path)-1]]
	if !ok {
		return field{name: derived(path)}
	}
	return field{role: register, name: derived(append(slices.Clone(path), u.suffix)), unit: u.unit}
}

func victronPath(service, key string) (field, bool) {
	if f, ok := victronServices[service][key]; ok {
		return f, true
	}
	f, ok := victronPaths[key]
	return f, ok
}
