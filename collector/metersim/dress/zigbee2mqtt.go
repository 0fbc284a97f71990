package dress

// zigbee2mqttProfile is a water meter with a valve behind Zigbee2MQTT, with
// base_topic zigbee2mqtt/ZONE and last_seen ISO_8601. Its friendly name has a
// slash in it. Pressure is in hPa, as every exposed pressure.
//
// https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html, …/guide/configuration/device-specific.html,
// https://www.zigbee2mqtt.io/devices/SWV.html
var zigbee2mqttProfile = profile{
	name: "zigbee2mqtt", kinds: map[Kind]int{Pipe: 2}, timed: true,
	make:  func(m Meter) Dress { return zigbee2mqtt{m} },
	traps: []string{"bridge"},
}

type zigbee2mqtt struct{ Meter }

// friendly is the name of the device in its network.
func (m Meter) friendly() string { return "water/" + m.ID }

var zigbeeFields = []field{
	as("flow_m3h", "flow", 3), times("pressure_bar", "pressure", 1000, 1, "hPa"),
	as("temperature_c", "temperature", 1), as("volume_m3", "water_consumed", 3),
}

func (d zigbee2mqtt) Put(r Reading) Sent {
	s := r.sent()
	var o object
	o.open("", '{')
	o.int("battery", 100)
	o.str("current_device_status", "normal_state")
	o.str("last_seen", isoUTC(r.TS))
	o.int("linkquality", 84)
	o.put(zigbeeFields, r.Values, s.Values)
	o.close('}')
	s.Values["battery_pct"], s.Values["linkquality"] = 100, 84
	base := "zigbee2mqtt/" + d.Zone + "/"
	s.Messages = []Message{{Topic: base + d.friendly(), Payload: o.buf}}
	if r.Trap == "bridge" {
		// Whatever the bridge says of itself is of no meter, numbers or not.
		s.Messages = append([]Message{
			{Topic: base + "bridge/state", Payload: []byte(`{"state":"online"}`), Retained: true},
			{Topic: base + "bridge/info", Payload: []byte(`{"version":"2.1.3","network":{"channel":11,"pan_id":6754},"permit_join":false}`)},
			{Topic: base + d.friendly() + "/availability", Payload: []byte(`{"state":"online"}`), Retained: true},
		}, s.Messages...)
	}
	return s
}
