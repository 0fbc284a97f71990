package decode

import (
	"slices"
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// zigbee2mqtt reads the states that Zigbee2MQTT publishes:
//
//	zigbee2mqtt/NAME                 {"power":0,"energy":1.86,"voltage":229,"current":0,"linkquality":84,"last_seen":…}
//	zigbee2mqtt/NAME/power           115                (with its setting output: attribute)
//	zigbee2mqtt/NAME/availability    online | offline, or {"state":"online"}
//	zigbee2mqtt/bridge/…             nothing to store
//
// NAME may have slashes in it: an object is a state, a bare value an attribute. last_seen
// is there if its setting is on, as milliseconds or ISO 8601; else the time is that
// of receipt. Power is in W, energy in kWh, a power factor is a ratio or in percent;
// the voltage of a device with a battery is the battery's, in mV. A device that
// measures water is a water meter, whatever else it says.
//
// https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html, …/guide/configuration/mqtt.html (output,
// last_seen), …/guide/configuration/device-availability.html, …/devices/ (Exposes)
var zigbee2mqtt = format{
	name: "zigbee2mqtt", utility: meter.Electricity, device: true, silent: true, presence: true,
	place:    zigbeePlace,
	classify: zigbeeField,
	finish:   zigbeeFinish,
}

func zigbeePlace(levels []string, captured map[string]string) place {
	name := strings.Join(levels[1:], "/")
	own, isCaptured := captured["meter"]
	if isCaptured {
		name = own
	}
	last := levels[len(levels)-1]
	parent, below := strings.CutSuffix(name, "/"+last)
	switch {
	case name == "bridge", strings.HasPrefix(name, "bridge/"):
		return place{control: true}
	case last == "availability":
		return place{device: parent, presence: true}
	case below && (last == "set" || last == "get"), strings.Contains(name, "/set/"):
		return place{control: true}
	}
	bare := place{device: name, plain: true, partial: true, blank: true, prefix: []string{last}}
	if below {
		bare.device = parent
		if isCaptured {
			bare.meter = parent
		}
	}
	return place{device: name, bare: &bare}
}

// zigbeeExposes are the numeric features that measure supply.
var zigbeeExposes = map[string]field{
	"power":                  {name: "active_power_kw", unit: "W"},
	"power_ab":               {name: "active_power_kw", unit: "W"},
	"power_apparent":         {name: "apparent_power_kva", unit: "VA"},
	"power_reactive":         {name: "reactive_power_kvar", unit: "var"},
	"power_factor":           {name: "power_factor"},
	"energy":                 {name: "energy_import_kwh", unit: "kWh"},
	"produced_energy":        {name: "energy_export_kwh", unit: "kWh"},
	"energy_produced":        {name: "energy_export_kwh", unit: "kWh"},
	"voltage":                {name: "voltage_l1_v", unit: "V"},
	"current":                {name: "current_l1_a", unit: "A"},
	"current_neutral":        {name: "current_n_a", unit: "A"},
	"active_power":           {name: "active_power_kw", unit: "W"},
	"apparent_power":         {name: "apparent_power_kva", unit: "VA"},
	"rms_voltage":            {name: "voltage_l1_v", unit: "V"},
	"rms_current":            {name: "current_l1_a", unit: "A"},
	"current_summ_delivered": {name: "energy_import_kwh", unit: "kWh"},
	"current_summ_received":  {name: "energy_export_kwh", unit: "kWh"},
	"ac_frequency":           {name: "frequency_hz", unit: "Hz"},
	"battery":                {name: "battery_pct", unit: "%"},
	"humidity":               {name: "humidity_pct", unit: "%"},
	"pressure":               {name: "pressure_bar", unit: "hPa"},
	"water_consumed":         {name: "volume_m3", unit: "m³", utility: meter.Water},
	"reverse_water_consumed": {name: "volume_reverse_m3", unit: "m³", utility: meter.Water},
	"flow":                   {name: "flow_m3h", unit: "m³/h", utility: meter.Water},
	"flow_rate":              {name: "flow_m3h", unit: "m³/h", utility: meter.Water},
}

// zigbeePhases are the endings of the features of one phase, or of one socket
// or clamp of several.
var zigbeePhases = []struct{ ending, phase string }{
	{"_phase_a", "l1"}, {"_phase_b", "l2"}, {"_phase_c", "l3"}, {"_a", "l1"}, {"_b", "l2"}, {"_c", "l3"},
	{"_l1", "l1"}, {"_l2", "l2"}, {"_l3", "l3"}, {"_l4", "l4"},
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
	case strings.HasPrefix(key, "current_tier") && strings.HasSuffix(key, "_summ_delivered"):
		tier := strings.TrimSuffix(strings.TrimPrefix(key, "current_tier"), "_summ_delivered")
		return field{role: register, name: derived([]string{"energy_import_t" + tier, "kwh"}), unit: "kWh"}
	case strings.HasSuffix(key, "temperature"):
		return field{role: register, name: derived([]string{key, "c"}), unit: "°C"}
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

// zigbeePowers are the powers that devices give by phase: the key of the first
// phase, or of all, and the register.
var zigbeePowers = []struct{ key, stem, unit string }{
	{"power", "active_power_", "kw"}, {"power_reactive", "reactive_power_", "kvar"}, {"power_apparent", "apparent_power_", "kva"},
}

// zigbeeFinish looks at what the features of a device say of each other.
func zigbeeFinish(r *reader, g *group) {
	samples := r.samples[g.from:g.to]
	water, battery, volts, phases := false, false, -1, false
	for i := range samples {
		s := &samples[i]
		switch {
		case s.field.utility == meter.Water:
			water = true
		case s.field.name == "battery_pct":
			battery = true
		case s.field.name == "voltage_l1_v":
			volts = i
		case strings.HasPrefix(s.field.name, "power_factor") && (s.value > 1 || s.value < -1):
			s.value /= 100
		}
		phases = phases || strings.HasSuffix(s.field.other, "_phase_b")
	}
	if water {
		g.utility = meter.Water
	}
	if volts >= 0 && (water || battery) {
		zigbeeBattery(r, &samples[volts])
	}
	for _, p := range zigbeePowers {
		if phases {
			zigbeeFirstPhase(r, g, p.key, p.stem, p.unit)
		}
	}
}

// zigbeeBattery tells the voltage of a battery from that of the grid. It is in
// mV, but for devices that say V: no battery has 100 V, or less than 100 mV.
func zigbeeBattery(r *reader, s *sample) {
	s.field = r.fixed("battery_v", "mV")
	if s.value >= 100 {
		s.value = s.field.convert.Convert(s.value)
	}
}

// zigbeeFirstPhase mends the power of a device that names the phases B and C and
// gives phase A the bare name: that is no total.
func zigbeeFirstPhase(r *reader, g *group, key, stem, unit string) {
	at := func(key string) int {
		return slices.IndexFunc(r.samples[g.from:g.to], func(s sample) bool { return s.field.other == key }) + g.from
	}
	a, b, c := at(key), at(key+"_phase_b"), at(key+"_phase_c")
	if a < g.from || b < g.from || at(key+"_phase_a") >= g.from {
		return
	}
	sum := r.samples[a].value + r.samples[b].value
	if c >= g.from {
		sum += r.samples[c].value
	}
	r.samples[a].field = r.fixed(stem+"l1_"+unit, unit)
	r.samples = append(r.samples, sample{field: r.fixed(stem+unit, unit), value: sum})
	g.to++
}
