package decode

import (
	"slices"
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// tasmota reads the telemetry of the Tasmota firmware:
//
//	tele/DEV/SENSOR   {"Time":"2026-11-23T11:15:00","ENERGY":{"Total":514.153,"Power":56,"Voltage":234,…}}
//	stat/DEV/STATUS8  {"StatusSNS":{"Time":…,"ENERGY":{…}}}   (and STATUS10)
//	tele/DEV/LWT      Online | Offline
//
// Time is local and names no zone. Energy is in kWh, but for Period in Wh;
// power in W, VA and var. A device with several phases sends arrays in place of
// numbers, and then what adds up is added up too. TempUnit and PressureUnit, which
// come last, say what the sensors of the same message measure in.
//
// https://tasmota.github.io/docs/MQTT/, https://tasmota.github.io/docs/Commands/#energymonitoring,
// tasmota/tasmota_xdrv_driver/xdrv_03_energy.ino (EnergyShow).
var tasmota = format{
	name: "tasmota", utility: meter.Electricity, device: true, silent: true,
	wrappers: [][]string{{"StatusSNS"}, {"StatusSNS", "ENERGY"}, {"ENERGY"}},
	place:    tasmotaPlace,
	classify: tasmotaField,
}

// tasmotaPlace finds the device in topics of both usual orders,
// %prefix%/%topic%/ and %topic%/%prefix%/.
func tasmotaPlace(levels []string, _ map[string]string) place {
	n := len(levels)
	last := levels[n-1]
	if last != "SENSOR" && last != "STATUS8" && last != "STATUS10" && last != "STATE" {
		return place{control: true}
	}
	var p place
	for i := n - 2; i >= 0 && p.device == ""; i-- {
		if levels[i] != "tele" && levels[i] != "stat" {
			p.device = levels[i]
		}
	}
	return p
}

// tasmotaEnergy are the members of ENERGY.
var tasmotaEnergy = map[string]field{
	"Total":          {name: "energy_import_kwh", unit: "kWh"},
	"Today":          {name: "energy_today_kwh", unit: "kWh"},
	"Yesterday":      {name: "energy_yesterday_kwh", unit: "kWh"},
	"Period":         {name: "energy_period_kwh", unit: "Wh"},
	"ExportActive":   {name: "energy_export_kwh", unit: "kWh"},
	"ImportReactive": {name: "reactive_energy_import_kvarh", unit: "kvarh"},
	"ExportReactive": {name: "reactive_energy_export_kvarh", unit: "kvarh"},
	"Power":          {name: "active_power_kw", unit: "W"},
	"ApparentPower":  {name: "apparent_power_kva", unit: "VA"},
	"ReactivePower":  {name: "reactive_power_kvar", unit: "var"},
	"Factor":         {name: "power_factor"},
	"Frequency":      {name: "frequency_hz", unit: "Hz"},
	"Voltage":        {name: "voltage_l1_v", unit: "V"},
	"Current":        {name: "current_l1_a", unit: "A"},
}

// tasmotaSums are the registers of which several phases make one.
var tasmotaSums = []string{
	"energy_import_kwh", "energy_today_kwh", "energy_yesterday_kwh", "energy_period_kwh", "energy_export_kwh",
	"reactive_energy_import_kvarh", "reactive_energy_export_kvarh",
	"active_power_kw", "apparent_power_kva", "reactive_power_kvar",
}

func tasmotaField(path []string) field {
	if len(path) > 0 && path[0] == "StatusSNS" {
		path = path[1:]
	}
	switch {
	case len(path) == 1 && path[0] == "Time":
		return field{role: clock, name: "Time"}
	case len(path) == 1 && strings.HasSuffix(path[0], "Unit"):
		return field{role: note, name: path[0]}
	case len(path) == 0, path[len(path)-1] == "TotalStartTime":
		return field{role: skipped}
	case len(path) == 2 && path[0] == "ENERGY":
		if f, ok := tasmotaEnergy[path[1]]; ok {
			f.role = register
			return f
		}
	case len(path) == 3 && path[0] == "ENERGY":
		if f, ok := tasmotaEnergy[path[1]]; ok {
			return tasmotaPhase(f, oneBased(path[2]))
		}
	case len(path) == 2 && path[1] == "Temperature":
		return field{role: register, name: derived(append(slices.Clone(path), "c")), unit: "°C", unitKey: "TempUnit"}
	case len(path) == 2 && path[1] == "Pressure":
		return field{role: register, name: derived(append(slices.Clone(path), "bar")), unit: "hPa", unitKey: "PressureUnit"}
	}
	if words := map[string]float64{"ON": 1, "OFF": 0}; len(path) == 1 && (strings.HasPrefix(path[0], "POWER") || strings.HasPrefix(path[0], "Switch")) {
		return field{role: register, name: derived(path), words: words}
	}
	return field{}
}

// tasmotaPhase names what one phase has of f: active_power_l2_kw.
func tasmotaPhase(f field, phase string) field {
	f.role = register
	if slices.Contains(tasmotaSums, f.name) {
		f.total = f.name
	}
	stem, unit := f.name, ""
	if i := strings.LastIndexByte(f.name, '_'); i > 0 && f.name != "power_factor" {
		stem, unit = f.name[:i], f.name[i:]
	}
	f.name = strings.TrimSuffix(stem, "_l1") + "_l" + phase + unit
	return f
}

// alone is a part of which no total is made.
func (f field) alone() field {
	f.total, f.parts = "", 0
	return f
}
