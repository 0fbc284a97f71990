package decode

import (
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// zigbee2mqtt reads the states that Zigbee2MQTT publishes (with its setting
// output: json):
//
//	zigbee2mqtt/NAME                 {"power":0,"energy":1.86,"voltage":229,"current":0,"linkquality":84,"last_seen":…}
//	zigbee2mqtt/NAME/availability    and zigbee2mqtt/bridge/…: nothing to store
//
// NAME may have slashes in it. last_seen is there if its setting is on, as
// milliseconds or ISO 8601; else the time is that of receipt. Power is in W,
// energy in kWh; the voltage of a device with a battery is the battery's, in mV.
//
// https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html, …/guide/configuration/device-specific.html,
// …/devices/ (Exposes)
var zigbee2mqtt = format{
	name: "zigbee2mqtt", utility: meter.Electricity, device: true, silent: true,
	place:    zigbeePlace,
	classify: zigbeeField,
	finish:   zigbeeBattery,
}

func zigbeePlace(levels []string, captured map[string]string) place {
	name := strings.Join(levels[1:], "/")
	if own, ok := captured["meter"]; ok {
		name = own
	}
	switch last := levels[len(levels)-1]; {
	case name == "bridge", strings.HasPrefix(name, "bridge/"), last == "availability", last == "set", last == "get":
		return place{control: true}
	}
	return place{device: name}
}

// zigbeeExposes are the numeric features that measure supply.
var zigbeeExposes = map[string]field{
	"power":           {name: "active_power_kw", unit: "W"},
	"power_apparent":  {name: "apparent_power_kva", unit: "VA"},
	"power_reactive":  {name: "reactive_power_kvar", unit: "var"},
	"power_factor":    {name: "power_factor"},
	"energy":          {name: "energy_import_kwh", unit: "kWh"},
	"produced_energy": {name: "energy_export_kwh", unit: "kWh"},
	"voltage":         {name: "voltage_l1_v", unit: "V"},
	"current":         {name: "current_l1_a", unit: "A"},
	"current_neutral": {name: "current_n_a", unit: "A"},
	"ac_frequency":    {name: "frequency_hz", unit: "Hz"},
	"battery":         {name: "battery_pct", unit: "%"},
	"temperature":     {name: "temperature_c", unit: "°C"},
	"water_consumed":  {name: "volume_m3", unit: "m³", utility: meter.Water},
	"flow":            {name: "flow_m3h", unit: "m³/h", utility: meter.Water},
}

// zigbeePhases are the endings of the features of one phase, or of one socket
// of several.
var zigbeePhases = []struct{ ending, phase string }{
	{"_phase_a", "l1"}, {"_phase_b", "l2"}, {"_phase_c", "l3"}, {"_l1", "l1"}, {"_l2", "l2"}, {"_l3", "l3"},
}

func zigbeeField(path []string) field {
	if len(path) != 1 {
		return field{}
	}
	key := path[0]
	switch f, ok := zigbeeExposes[key]; {
	case key == "last_seen":
		return field{role: clock, name: key}
	case ok:
		f.role = register
		return f
	case key == "state" || strings.HasPrefix(key, "state_"):
		return field{role: register, name: derived(path), words: map[string]float64{
			"ON": 1, "OFF": 0, "OPEN": 1, "CLOSE": 0, "STOP": 0,
		}}
	}
	for _, p := range zigbeePhases {
		base, ok := strings.CutSuffix(key, p.ending)
		if f, known := zigbeeExposes[base]; ok && known {
			return tasmotaPhase(f, p.phase[1:]).alone()
		}
	}
	return field{}
}

// zigbeeBattery tells the voltage of a battery from that of the grid.
func zigbeeBattery(r *reader, samples []sample) {
	volts := -1
	battery := false
	for i := range samples {
		switch samples[i].field.name {
		case "voltage_l1_v":
			volts = i
		case "battery_pct":
			battery = true
		}
	}
	if battery && volts >= 0 {
		f := r.fixed("battery_v", "mV")
		samples[volts].field, samples[volts].value = f, f.convert.Convert(samples[volts].value)
	}
}
