package dress

import "strconv"

// thingsboardProfile is a controller made for ThingsBoard: every second one
// speaks for itself, through a bridge that puts its name in front of
// v1/devices/me/telemetry, the others through a gateway. The keys are their
// maker's; the source says what they are.
//
// https://thingsboard.io/docs/reference/mqtt-api/#telemetry-upload-api,
// https://thingsboard.io/docs/reference/gateway-mqtt-api/#telemetry-upload-api
var thingsboardProfile = profile{
	name: "thingsboard", kinds: map[Kind]int{FuelTank: 2, Burner: 2, Generator: 2}, timed: true, keeps: true,
	make:  func(m Meter) Dress { return thingsboard{m} },
	traps: []string{"strings"},
}

type thingsboard struct{ Meter }

// ownAccess tells whether the device speaks for itself.
func (m Meter) ownAccess() bool { return m.Number%2 == 0 }

// thingsboardFields are the keys by kind. A key means the same in all of them.
var thingsboardFields = []field{
	as("volume_l", "volume", 1), as("volume15_l", "volume15", 1), over("level_mm", "level", 10, 2, "cm"),
	as("water_level_mm", "waterLevel", 1), as("delivered_l", "deliveredTotal", 1), as("temperature_c", "temperature", 2),
	as("flow_lph", "burn", 3), as("consumed_l", "burntTotal", 3),
	as("running", "running", 0), times("active_power_kw", "power", 1000, 0, "W"), as("energy_export_kwh", "energy", 3),
	as("run_hours_h", "hours", 2), as("fuel_rate_lph", "fuelRate", 3), times("battery_v", "battery", 1000, 0, "mV"),
}

func (d thingsboard) Put(r Reading) Sent {
	s := r.sent()
	var o object
	o.open("", '{')
	topic := "thingsboard/" + d.Zone + "/" + string(d.Utility) + "/"
	if d.ownAccess() {
		topic += d.ID + "/v1/devices/me/telemetry"
	} else {
		topic += "v1/gateway/telemetry"
		o.open(d.ID, '[')
		o.open("", '{')
	}
	o.int("ts", r.TS)
	o.open("values", '{')
	for _, f := range has(thingsboardFields, r.Values) {
		text, seen := f.text(r.Values[f.register])
		s.Values[f.register] = seen
		if r.Trap == "strings" {
			text = strconv.Quote(text)
		}
		o.raw(f.key, text)
	}
	o.close('}')
	o.close('}')
	if !d.ownAccess() {
		o.close(']')
		o.close('}')
	}
	s.Messages = []Message{{Topic: topic, Payload: o.buf}}
	return s
}
