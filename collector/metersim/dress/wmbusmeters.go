package dress

import (
	"fmt"
	"time"
)

// wmbusmetersProfile is a wireless M-Bus water meter as the program
// wmbusmeters tells of it, under wmbusmeters/ZONE/ID. Its ids begin with
// zeros. pressure_bar is no field of a water meter's driver: it is here for
// what needs it, as one of the program's calculated fields.
//
// https://github.com/wmbusmeters/wmbusmeters (README.md, json format; tests/test_json.sh)
var wmbusmetersProfile = profile{
	name: "wmbusmeters", kinds: map[Kind]int{Pipe: 3}, timed: true, least: time.Second,
	make: func(m Meter) Dress { return wmbusmeters{m} },
}

type wmbusmeters struct{ Meter }

// serial is the number on an M-Bus device.
func (m Meter) serial() string { return fmt.Sprintf("%08d", 10_000+m.Number) }

var wmbusFields = []field{
	as("volume_m3", "total_m3", 3), as("flow_temperature_c", "flow_temperature_c", 1),
	times("flow_m3h", "volume_flow_lh", 1000, 0, ""), as("pressure_bar", "pressure_bar", 3),
}

func (d wmbusmeters) Put(r Reading) Sent {
	s := r.sent()
	s.TS = wholeSecond(r.TS)
	values := map[string]float64{}
	for name, x := range r.Values {
		if name == "temperature_c" {
			name = "flow_temperature_c" // of the water, in the words of the program
		}
		values[name] = x
	}
	var o object
	o.open("", '{')
	o.str("_", "telegram")
	o.str("media", "cold water")
	o.str("meter", "multical21")
	o.str("name", d.ID)
	o.str("id", d.serial())
	o.str("status", "OK")
	o.put(wmbusFields, values, s.Values)
	o.str("time_leaking", "")
	o.str("timestamp", time.UnixMilli(s.TS).UTC().Format(time.RFC3339))
	o.close('}')
	s.Messages = []Message{{Topic: "wmbusmeters/" + d.Zone + "/" + d.serial(), Payload: o.buf}}
	return s
}
