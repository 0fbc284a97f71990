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
// Time is local and names no zone; Epoch, which a device may be told to add, is
// UTC and stands before it. Energy is in kWh, but for Period in Wh; power in W, VA
// and var. A device with several phases sends arrays in place of numbers, and then
// what adds up is added up too; TotalTariff and ExportTariff are arrays by tariff.
// TempUnit and PressureUnit, which come last, say what the sensors of the same
// message measure in. Firmware of before 2018 put the numbers of sensors in quotes.
//
// A French meter's TIC is a text for each label, filled up with zeros: indexes in Wh,
// apparent power in VA.
//
// https://tasmota.github.io/docs/MQTT/, https://tasmota.github.io/docs/Commands/ (Time, EnergyTotal, Tariff),
// https://github.com/arendst/Tasmota tasmota/tasmota_xdrv_driver/xdrv_03_energy.ino (EnergyShow),
// https://tasmota.github.io/docs/Teleinfo/, Enedis-NOI-CPT_54E (the labels of the TIC)
var tasmota = format{
	name: "tasmota", utility: meter.Electricity, device: true, silent: true, presence: true,
	wrappers: [][]string{{"StatusSNS"}, {"StatusSNS", "ENERGY"}, {"ENERGY"}},
	place:    tasmotaPlace,
	classify: tasmotaField,
}

// tasmotaPlace finds the device in topics of both usual orders,
// %prefix%/%topic%/ and %topic%/%prefix%/.
func tasmotaPlace(levels []string, _ map[string]string) place {
	n := len(levels)
	var p place
	for i := n - 2; i >= 0 && p.device == ""; i-- {
		if levels[i] != "tele" && levels[i] != "stat" {
			p.device = levels[i]
		}
	}
	switch levels[n-1] {
	case "SENSOR", "STATUS8", "STATUS10", "STATE":
	case "LWT":
		p.presence = true
	default:
		p.control = true
	}
	return p
}

// tasmotaEnergy are the members of ENERGY.
var tasmotaEnergy = map[string]field{
	"Total":          {name: "energy_import_kwh", unit: "kWh"},
	"Today":          {name: "energy_today_kwh", unit: "kWh"},
	"Yesterday":      {name: "energy_yesterday_kwh", unit: "kWh"},
	"Period":         {name: "energy_period_kwh", unit: "Wh"},
	"ImportActive":   {name: "energy_import_active_kwh", unit: "kWh"},
	"ExportActive":   {name: "energy_export_kwh", unit: "kWh"},
	"TodaySumImport": {name: "energy_today_import_kwh", unit: "kWh"},
	"TodaySumExport": {name: "energy_today_export_kwh", unit: "kWh"},
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

// tasmotaTariffs are the members of ENERGY that are arrays by tariff.
var tasmotaTariffs = map[string]string{"TotalTariff": "energy_import_t", "ExportTariff": "energy_export_t"}

// tasmotaSums are the registers of which several phases make one.
var tasmotaSums = []string{
	"energy_import_kwh", "energy_today_kwh", "energy_yesterday_kwh", "energy_period_kwh", "energy_export_kwh",
	"energy_import_active_kwh", "reactive_energy_import_kvarh", "reactive_energy_export_kvarh",
	"active_power_kw", "apparent_power_kva", "reactive_power_kvar",
}

// tasmotaTIC are the labels of a French meter that have a name of ours, of its
// historic and its standard mode.
var tasmotaTIC = map[string]field{
	"BASE": {name: "energy_import_kwh", unit: "Wh"}, "EAST": {name: "energy_import_kwh", unit: "Wh"},
	"HCHC": {name: "energy_import_t1_kwh", unit: "Wh"}, "HCHP": {name: "energy_import_t2_kwh", unit: "Wh"},
	"EAIT": {name: "energy_export_kwh", unit: "Wh"},
	"PAPP": {name: "apparent_power_kva", unit: "VA"}, "SINSTS": {name: "apparent_power_kva", unit: "VA"},
	"SINSTS1": {name: "apparent_power_l1_kva", unit: "VA"}, "SINSTS2": {name: "apparent_power_l2_kva", unit: "VA"}, "SINSTS3": {name: "apparent_power_l3_kva", unit: "VA"},
	"IINST": {name: "current_l1_a", unit: "A"}, "IINST1": {name: "current_l1_a", unit: "A"},
	"IINST2": {name: "current_l2_a", unit: "A"}, "IINST3": {name: "current_l3_a", unit: "A"},
	"URMS1": {name: "voltage_l1_v", unit: "V"}, "URMS2": {name: "voltage_l2_v", unit: "V"}, "URMS3": {name: "voltage_l3_v", unit: "V"},
	"ADCO": {role: skipped}, "ADSC": {role: skipped}, "PRM": {role: skipped}, // who it is
}

// tasmotaLabel finds a label of the TIC. Numbers of the others are kept, too.
func tasmotaLabel(path []string) field {
	f, ok := tasmotaTIC[path[1]]
	switch {
	case !ok:
		return field{role: register, name: derived(path)}
	case f.role == unknown:
		f.role = register
	}
	return f
}

// tasmotaSensors are the members of a sensor whose unit is known, or told by the
// message.
var tasmotaSensors = map[string]struct{ unit, unitKey, suffix string }{
	"Temperature": {"°C", "TempUnit", "c"},
	"DewPoint":    {"°C", "TempUnit", "c"},
	"HeatIndex":   {"°C", "TempUnit", "c"},
	"Pressure":    {"hPa", "PressureUnit", "bar"},
	"SeaPressure": {"hPa", "PressureUnit", "bar"},
	"Humidity":    {"%", "", "pct"},
}

func tasmotaField(path []string) field {
	if len(path) > 0 && path[0] == "StatusSNS" {
		path = path[1:]
	}
	if len(path) == 0 {
		return field{role: skipped}
	}
	last := path[len(path)-1]
	switch {
	case len(path) == 1 && (last == "Time" || last == "Epoch"):
		return field{role: clock, name: last, moment: moment{perSecond: 1}}
	case len(path) == 1 && strings.HasSuffix(last, "Unit"):
		return field{role: note, name: last}
	case last == "TotalStartTime":
		return field{role: skipped}
	case path[0] == "TIC" && len(path) == 2:
		return tasmotaLabel(path)
	case path[0] == "ENERGY":
		if f, ok := tasmotaMeasured(path[1:]); ok {
			return f
		}
	}
	if s, ok := tasmotaSensors[strings.TrimRight(last, "0123456789")]; ok && len(path) > 1 {
		return field{role: register, name: derived(append(slices.Clone(path), s.suffix)), unit: s.unit, unitKey: s.unitKey}
	}
	if words := map[string]float64{"ON": 1, "OFF": 0}; len(path) == 1 && (strings.HasPrefix(last, "POWER") || strings.HasPrefix(last, "Switch")) {
		return field{role: register, name: derived(path), words: words}
	}
	return field{name: derived(path)} // the same in StatusSNS
}

// tasmotaMeasured finds a member of ENERGY, or a phase of one.
func tasmotaMeasured(path []string) (field, bool) {
	if len(path) == 0 || len(path) > 2 {
		return field{}, false
	}
	if stem := tasmotaTariffs[path[0]]; stem != "" && len(path) == 2 {
		return field{role: register, name: stem + oneBased(path[1]) + "_kwh", unit: "kWh"}, true
	}
	f, ok := tasmotaEnergy[path[0]]
	f.role = register
	if ok && len(path) == 2 {
		f = tasmotaPhase(f, oneBased(path[1]))
	}
	return f, ok
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
