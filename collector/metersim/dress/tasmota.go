package dress

import "time"

// tasmotaProfile is an energy meter with the Tasmota firmware, three phases,
// with VoltRes 1, AmpRes 3, FreqRes 2 and EnergyRes 3. Its FullTopic is
// %prefix%/ZONE/%topic%/. Yesterday, Today and Period are left out.
//
// https://tasmota.github.io/docs/MQTT/, https://tasmota.github.io/docs/Commands/#energymonitoring
var tasmotaProfile = profile{
	name: "tasmota", kinds: map[Kind]int{Load: 2}, timed: true, least: time.Second,
	make:  func(m Meter) Dress { return tasmota{m} },
	traps: []string{"status10"},
}

type tasmota struct{ Meter }

func (d tasmota) Put(r Reading) Sent {
	s := r.sent()
	s.TS = wholeSecond(r.TS)
	var o object
	topic := "tele/" + d.Zone + "/" + d.ID + "/SENSOR"
	status := r.Trap == "status10"
	o.open("", '{')
	if status {
		topic = "stat/" + d.Zone + "/" + d.ID + "/STATUS10"
		o.open("StatusSNS", '{')
	}
	// Local time, and no word of the zone.
	o.str("Time", time.UnixMilli(s.TS).In(d.Zonetime).Format("2006-01-02T15:04:05"))
	o.open("ENERGY", '{')
	o.str("TotalStartTime", "2024-01-20T15:20:48")
	o.put([]field{as("energy_import_kwh", "Total", 3)}, r.Values, s.Values)
	o.list("Power", phasePower(r.Values), times("", "", 1000, 0, ""), "active_power", "_kw", s.Values)
	if pf, ok := r.Values["power_factor"]; ok {
		o.list("Factor", [3]float64{pf, pf, pf}, as("", "", 2), "power_factor", "", s.Values)
	}
	o.put([]field{as("frequency_hz", "Frequency", 2)}, r.Values, s.Values)
	volts, _ := perPhase(r.Values, "voltage", "v")
	o.list("Voltage", volts, as("", "", 1), "voltage", "_v", s.Values)
	amps, _ := perPhase(r.Values, "current", "a")
	o.list("Current", amps, as("", "", 3), "current", "_a", s.Values)
	o.close('}')
	o.close('}')
	if status {
		o.close('}')
	}
	s.Values["active_power_kw"] = s.Values["active_power_l1_kw"] + s.Values["active_power_l2_kw"] + s.Values["active_power_l3_kw"]
	s.Messages = []Message{{Topic: topic, Payload: o.buf}}
	return s
}
