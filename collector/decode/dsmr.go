package decode

import (
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// dsmr reads what DSMR-reader publishes of a Dutch, Belgian or Luxembourgish
// meter's P1 port, a value a topic or all of them in JSON:
//
//	dsmr/reading/electricity_delivered_1     1234.567
//	dsmr/json                                {"id":1,"timestamp":"2026-11-23T09:15:00+01:00","electricity_delivered_1":"1234.567",…}
//	dsmr/day-consumption/electricity1        3.5        (before version 4: dsmr/day-totals; in JSON at dsmr/day-consumption itself)
//	dsmr/current-month/…, dsmr/current-year/…, dsmr/meter-stats/…, dsmr/consumption/gas/…
//	dsmr/raw                                 the telegram as it is: nothing to store
//
// Energy is in kWh by tariff, power in kW, the gas or water of an extra device
// in m³. The topics of one reading come one after the other, its timestamp first: the
// values that follow it within a minute have its time, and make one point; else it
// is that of receipt. What has not changed is not sent again, so that each is a
// partial reading. The sum of the tariffs is made where both are in one message.
//
// https://dsmr-reader.readthedocs.io/ (MQTT), https://github.com/dsmrreader/dsmr-reader dsmr_mqtt/models/settings/
// (default topics), dsmr_mqtt/services/callbacks.py, messages.py; DSMR 5.0.2 P1 companion standard, table 6.12
var dsmr = format{
	name: "dsmr", utility: meter.Electricity, quotedNumber: true, silent: true,
	place:    dsmrPlace,
	classify: dsmrField,
}

// dsmrFields are the fields of a reading; those that end in 1 by tariff, in l1
// by phase, stand for all of them.
var dsmrFields = map[string]field{
	"electricity_delivered_1":         {name: "energy_import_t1_kwh", unit: "kWh", total: "energy_import_kwh", parts: 2},
	"electricity_returned_1":          {name: "energy_export_t1_kwh", unit: "kWh", total: "energy_export_kwh", parts: 2},
	"electricity_currently_delivered": {name: "active_power_kw", unit: "kW"},
	"electricity_currently_returned":  {name: "active_power_export_kw", unit: "kW"},
	"phase_currently_delivered_l1":    {name: "active_power_l1_kw", unit: "kW"},
	"phase_currently_returned_l1":     {name: "active_power_export_l1_kw", unit: "kW"},
	"phase_voltage_l1":                {name: "voltage_l1_v", unit: "V"},
	"phase_power_current_l1":          {name: "current_l1_a", unit: "A"},
	"extra_device_delivered":          {name: "extra_device_delivered_m3", unit: "m³"},
}

// dsmrPeriods are the totals of a period, by what follows the period in their
// topic or key.
var dsmrPeriods = map[string]field{
	"electricity1":                {name: "energy_period_t1_kwh", unit: "kWh"},
	"electricity2":                {name: "energy_period_t2_kwh", unit: "kWh"},
	"electricity1_returned":       {name: "energy_period_export_t1_kwh", unit: "kWh"},
	"electricity2_returned":       {name: "energy_period_export_t2_kwh", unit: "kWh"},
	"electricity_merged":          {name: "energy_period_kwh", unit: "kWh"},
	"electricity_returned_merged": {name: "energy_period_export_kwh", unit: "kWh"},
	"gas":                         {name: "gas_period_m3", unit: "m³"},
}

// dsmrGroups are the groups of topics besides the reading, and the period of
// those that are of one.
var dsmrGroups = map[string]string{
	"day-consumption": "today", "day-totals": "today", "current-month": "month", "current-year": "year", "current-period": "",
	"meter-stats": "", "gas": "", "quarter-hour-peak-electricity": "",
}

// dsmrPlace finds the group of a topic. A payload is JSON or a value, and then
// the last level is the key.
func dsmrPlace(levels []string, _ map[string]string) place {
	n := len(levels)
	last := levels[n-1]
	if last == "raw" {
		return place{control: true}
	}
	var p place
	bare := place{plain: true, partial: true, blank: true, prefix: []string{last}, telegram: strings.Join(levels[:n-1], "/")}
	if n > 1 && levels[n-2] != "reading" {
		bare.prefix = levels[n-2:]
	}
	for _, level := range levels[max(0, n-2):] {
		if _, ok := dsmrGroups[level]; ok {
			p.prefix = []string{level}
		}
	}
	p.bare = &bare
	return p
}

func dsmrField(path []string) field {
	switch len(path) {
	case 1:
		return dsmrReading(path[0])
	case 2:
		return dsmrGrouped(path[0], path[1])
	}
	return field{}
}

// dsmrReading finds a field of a reading.
func dsmrReading(key string) field {
	switch key {
	case "timestamp":
		return field{role: clock, name: key}
	case "id", "extra_device_timestamp":
		return field{role: skipped}
	}
	if f, ok := dsmrFields[key]; ok {
		f.role = register
		return f
	}
	// Tariff 2 and the phases 2 and 3 go by the names of the first.
	for _, n := range []string{"2", "3"} {
		base, ok := strings.CutSuffix(key, n)
		if f, known := dsmrFields[base+"1"]; ok && known {
			f.role = register
			f.name = strings.NewReplacer("_t1_", "_t"+n+"_", "_l1_", "_l"+n+"_").Replace(f.name)
			return f
		}
	}
	return field{}
}

// dsmrGrouped finds a value of another group.
func dsmrGrouped(group, key string) field {
	period := dsmrGroups[group]
	for _, p := range []string{"month", "year"} {
		if rest, ok := strings.CutPrefix(key, "current_"+p+"_"); ok && group == "current-period" {
			period, key = p, rest
		}
	}
	if f, ok := dsmrPeriods[key]; ok && period != "" {
		f.role, f.name = register, strings.Replace(f.name, "period", period, 1)
		return f
	}
	switch group + "/" + key {
	case "gas/read_at", "quarter-hour-peak-electricity/read_at_end":
		return field{role: clock, name: key}
	case "gas/delivered":
		return field{role: register, name: "gas_delivered_m3", unit: "m³"}
	case "gas/currently_delivered":
		// In m³ an hour, or since the last reading of a meter that is read so often.
		return field{name: "gas_currently_delivered"}
	case "quarter-hour-peak-electricity/average_delivered":
		return field{role: register, name: "demand_kw", unit: "kW"}
	}
	return field{}
}
