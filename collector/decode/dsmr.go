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
//
// Energy is in kWh by tariff, power in kW, the gas or water of an extra device
// in m³. A value of its own topic has the time of receipt: the field timestamp
// comes beside it, and readings are partial until they are joined. The sum of
// the tariffs is made where both are in one message.
//
// https://dsmr-reader.readthedocs.io/en/v5/tutorial/mqtt.html (defaults of the topics), DSMR 5.0.2 P1 companion standard, table 6.12
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

// dsmrPlace tells the topics of single values, GROUP/FIELD, from those of JSON.
func dsmrPlace(levels []string, _ map[string]string) place {
	n := len(levels)
	last := levels[n-1]
	switch {
	case last == "json" || last == "telegram" || n < 2:
		return place{}
	case levels[n-2] == "reading":
		return place{plain: true, prefix: []string{last}}
	}
	return place{plain: true, prefix: levels[n-2:]}
}

func dsmrField(path []string) field {
	if len(path) != 1 {
		return field{}
	}
	key := path[0]
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
