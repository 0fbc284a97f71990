package dress

import (
	"fmt"
	"slices"
	"strings"
)

// victronProfile is what a GX device publishes of its D-Bus, one a zone: energy
// meters, generator sets and tanks. Each value is a message without a time. It
// falls silent a minute after the last keep-alive. A tank tells no volume at
// 15 °C. Engine/FuelRate of a set is no path of Victron's: it is here for the
// balance of the tanks, as a driver of one's own would publish it.
//
// https://github.com/victronenergy/dbus-flashmq (topics, keep-alive),
// https://github.com/victronenergy/venus/wiki/dbus (services, paths and units)
var victronProfile = profile{
	name: "victron", kinds: map[Kind]int{Load: 1, Generator: 2, FuelTank: 1}, lossy: []Kind{FuelTank},
	make:  func(m Meter) Dress { return victron{m} },
	traps: []string{"null", "silence"},
}

type victron struct{ Meter }

// Portal is the id of a zone's GX device.
func Portal(zone string) string { return "e0ff50" + hexOf("portal", zone, 6) }

func (m Meter) service() string {
	switch m.Kind {
	case Generator:
		return "genset"
	case FuelTank:
		return "tank"
	}
	return "grid"
}

var victronFields = map[string][]field{
	"grid": {
		times("active_power_kw", "Ac/Power", 1000, 0, ""), as("energy_import_kwh", "Ac/Energy/Forward", 2), as("frequency_hz", "Ac/Frequency", 2),
		as("voltage_l1_v", "Ac/L1/Voltage", 1), as("voltage_l2_v", "Ac/L2/Voltage", 1), as("voltage_l3_v", "Ac/L3/Voltage", 1),
		as("current_l1_a", "Ac/L1/Current", 2), as("current_l2_a", "Ac/L2/Current", 2), as("current_l3_a", "Ac/L3/Current", 2),
		times("active_power_l1_kw", "Ac/L1/Power", 1000, 0, ""), times("active_power_l2_kw", "Ac/L2/Power", 1000, 0, ""), times("active_power_l3_kw", "Ac/L3/Power", 1000, 0, ""),
	},
	"genset": {
		// 8 is running, of the codes that a set has for its states.
		times("running", "StatusCode", 8, 0, ""), times("active_power_kw", "Ac/Power", 1000, 0, ""),
		as("energy_export_kwh", "Ac/Energy/Forward", 2), times("run_hours_h", "Engine/OperatingHours", 3600, 0, ""),
		as("fuel_rate_lph", "Engine/FuelRate", 3), as("battery_v", "StarterVoltage", 2),
	},
	"tank": {over("volume_l", "Remaining", 1000, 4, ""), as("temperature_c", "Temperature", 1)},
}

func (d victron) Put(r Reading) Sent {
	s := r.sent()
	s.Received = true
	values := r.Values
	if d.Kind == Load {
		values = make(map[string]float64, len(r.Values)+3)
		for name, x := range r.Values {
			values[name] = x
		}
		for n, kw := range phasePower(r.Values) {
			values["active_power_"+phases[n]+"_kw"] = kw
		}
	}
	base := fmt.Sprintf("N/%s/%s/%d/", Portal(d.Zone), d.service(), d.Number)
	fields := has(victronFields[d.service()], values)
	for n, f := range fields {
		text, seen := f.text(values[f.register])
		if r.Trap == "null" && n == len(fields)-1 {
			text = "null" // its sensor does not answer
		} else {
			s.Values[f.register] = seen
		}
		s.Messages = append(s.Messages, Message{Topic: base + f.key, Payload: []byte(`{"value":` + text + `}`)})
	}
	return s
}

// valueProfile is a controller that publishes one plain number a topic:
// plc/ZONE/UTILITY/METER/KEY, running as on or off.
//
// The convention is anybody's; https://tasmota.github.io/docs/MQTT/#command-flow shows the like.
var valueProfile = profile{
	name: "value", kinds: map[Kind]int{Pipe: 1, Burner: 2, Generator: 1},
	make:  func(m Meter) Dress { return plain{m} },
	traps: []string{"thousands"},
}

type plain struct{ Meter }

// valueFields are the keys by kind; a key means the same in all of them.
var valueFields = []field{
	times("volume_m3", "VOL", 1000, 0, "l"), as("flow_m3h", "FLOW", 3), over("pressure_bar", "MPA", 10, 4, "MPa"), as("temperature_c", "T", 1),
	as("consumed_l", "BURNT", 2), as("flow_lph", "BURN", 3),
	as("running", "RUN", 0), as("active_power_kw", "P", 3), as("energy_export_kwh", "GEN", 3), as("run_hours_h", "HOURS", 2),
	as("fuel_rate_lph", "RATE", 3), as("battery_v", "UB", 2),
}

func (d plain) Put(r Reading) Sent {
	s := r.sent()
	s.Received = true
	base := "plc/" + d.Zone + "/" + string(d.Utility) + "/" + d.ID + "/"
	for _, f := range has(valueFields, r.Values) {
		text, seen := f.text(r.Values[f.register])
		grouped := text
		if r.Trap == "thousands" {
			grouped = thousands(text)
		}
		switch {
		case grouped != text:
			text = grouped // nobody can say what it is: it is to be refused
		case f.register == "running":
			text = map[bool]string{true: "on", false: "off"}[seen != 0]
			s.Values[f.register] = seen
		default:
			s.Values[f.register] = seen
		}
		s.Messages = append(s.Messages, Message{Topic: base + f.key, Payload: []byte(text)})
	}
	return s
}

// thousands puts commas between every three digits before the point.
func thousands(text string) string {
	whole, rest := text, ""
	if i := strings.IndexByte(text, '.'); i >= 0 {
		whole, rest = text[:i], text[i:]
	}
	digits := []byte(strings.TrimPrefix(whole, "-"))
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = slices.Insert(digits, i, ',')
	}
	return whole[:len(whole)-len(strings.TrimPrefix(whole, "-"))] + string(digits) + rest
}
