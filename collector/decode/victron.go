package decode

import (
	"slices"
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// victron reads what a Victron GX device publishes of its D-Bus:
//
//	N/PORTAL/SERVICE/INSTANCE/PATH   {"value":1205.5}     null: not known at present; empty: the service is gone
//
// There is no time in it: it is that of receipt, and a retained message is
// ignored. Each value is a message, and each service of each installation a
// meter, PORTAL:SERVICE:INSTANCE. The device falls silent unless somebody
// publishes to R/PORTAL/keepalive at least once a minute: see gx.
//
// https://github.com/victronenergy/dbus-flashmq (README.md: topics, keep-alive),
// https://github.com/victronenergy/venus/wiki/dbus (services and paths; SI units, but kWh and °C),
// https://github.com/victronenergy/node-red-contrib-victron src/services/services.json (paths and units)
var victron = format{
	name: "victron", utility: meter.Electricity, device: true, silent: true, presence: true,
	place:    victronPlace,
	classify: victronField,
	open:     openGX,
}

// victronRoot finds the level N; -1 if there is none.
func victronRoot(levels []string) int { return slices.Index(levels, "N") }

func victronPlace(levels []string, _ map[string]string) place {
	at := victronRoot(levels)
	switch {
	case at < 0 || len(levels) < at+3:
		return place{control: true} // R and W
	case len(levels) < at+5:
		return place{portal: keepAliveTopic(levels)} // keepalive, full_publish_completed
	}
	return place{
		portal:  keepAliveTopic(levels),
		device:  strings.Join(levels[at+1:at+4], ":"),
		prefix:  append([]string{levels[at+2]}, levels[at+4:]...),
		partial: true,
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
	"Ac/L1/Frequency":      {name: "frequency_l1_hz", unit: "Hz"},
	"Ac/L1/PowerFactor":    {name: "power_factor_l1"},
	"Ac/L1/Energy/Forward": {name: "energy_import_l1_kwh", unit: "kWh"},
	"Ac/L1/Energy/Reverse": {name: "energy_export_l1_kwh", unit: "kWh"},
}

// victronEngine are the paths of what an engine drives. What it makes, it
// delivers.
var victronEngine = map[string]field{
	"Ac/Energy/Forward":     {name: "energy_export_kwh", unit: "kWh"},
	"Ac/L1/Energy/Forward":  {name: "energy_export_l1_kwh", unit: "kWh"},
	"Engine/OperatingHours": {name: "run_hours_h", unit: "s"},
	"Engine/OilPressure":    {name: "oil_pressure_bar", unit: "kPa"},
	"Engine/Load":           {name: "engine_load_pct", unit: "%"},
	"StarterVoltage":        {name: "battery_v", unit: "V"},
}

// victronServices are the paths that mean something of their own in a service.
var victronServices = map[string]map[string]field{
	"pvinverter": {
		"Ac/Energy/Forward":    {name: "energy_export_kwh", unit: "kWh"},
		"Ac/L1/Energy/Forward": {name: "energy_export_l1_kwh", unit: "kWh"},
	},
	"genset":   victronEngine,
	"dcgenset": victronEngine,
	"generator": {
		"Runtime":      {name: "runtime_s", unit: "s"},
		"TodayRuntime": {name: "todayruntime_s", unit: "s"},
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
var victronUtilities = map[string]meter.Utility{
	"genset": meter.Generator, "dcgenset": meter.Generator, "generator": meter.Generator, "tank": meter.Fuel, "pulsemeter": meter.Water,
}

func victronField(path []string) field {
	at := slices.Index(path, "value")
	f := field{}
	switch {
	case len(path) < 3:
		return field{role: skipped}
	case at < 2:
		f.name = derived(path[1:]) // the min and max of a setting
	case at < len(path)-1:
		f.name = derived(slices.Concat(path[1:at], path[at+1:])) // of a list or an object
	default:
		f = victronValue(path[0], path[1:at])
	}
	f.utility = victronUtilities[path[0]]
	return f
}

// victronValue finds the value of a path of the D-Bus.
func victronValue(service string, path []string) field {
	key := strings.Join(path, "/")
	f, ok := victronPath(service, key)
	for n := '2'; n <= '3' && !ok; n++ {
		phase := "/L" + string(n) + "/"
		if strings.Contains(key, phase) {
			f, ok = victronPath(service, strings.Replace(key, phase, "/L1/", 1))
			f.name = strings.Replace(f.name, "_l1", "_l"+string(n), 1)
		}
	}
	if !ok {
		return victronUnit(service, path)
	}
	f.role = register
	return f
}

// victronKeys are the last keys of paths whose unit is the same in every
// service, and victronEndings those that others end in.
var (
	victronKeys = map[string]victronUnits{
		"P": {"W", "kw"}, "S": {"VA", "kva"}, "V": {"V", "v"}, "I": {"A", "a"}, "F": {"Hz", "hz"},
		"Soc": {"%", "pct"}, "Soh": {"%", "pct"}, "Humidity": {"%", "pct"}, "TimeToGo": {"s", "s"},
	}
	victronEndings = []struct {
		ending string
		victronUnits
	}{
		{"Power", victronUnits{"W", "kw"}}, {"Voltage", victronUnits{"V", "v"}}, {"Current", victronUnits{"A", "a"}},
		{"Frequency", victronUnits{"Hz", "hz"}}, {"Temperature", victronUnits{"°C", "c"}},
	}
)

type victronUnits struct{ unit, suffix string }

// victronUnit keeps a value under its own name, with its unit if that is known.
// Alarms are numbers from 0 to 2, whatever they are called.
func victronUnit(service string, path []string) field {
	last := path[len(path)-1]
	u, ok := victronKeys[last]
	for _, e := range victronEndings {
		if strings.HasSuffix(last, e.ending) {
			u, ok = e.victronUnits, true
		}
	}
	if path[0] == "Energy" && len(path) == 2 {
		u, ok = victronUnits{"kWh", "kwh"}, true // from and to the sides of a Multi or Quattro
	}
	if !ok || path[0] == "Alarms" || service == "settings" {
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
