package dress

import "time"

// jsonProfile is the JSON of no maker: nested, by the part of the plant, with
// units and words of its own and a German clock in local time. The source's
// mapping says what everything is.
var jsonProfile = profile{
	name: "json", kinds: map[Kind]int{Network: 1, Load: 1, FuelTank: 1, Burner: 1, WaterTank: 1}, timed: true, keeps: true,
	make: func(m Meter) Dress { return vendor{m} },
}

type vendor struct{ Meter }

// clockLayout is how the device writes the time.
const clockLayout = "02.01.2006 15:04:05.000"

// vendorFields are the members of the device's parts. Of three phases they are
// arrays.
var vendorFields = []struct {
	part   string
	fields []field
}{
	{"el", []field{
		times("active_power_kw", "p", 1000, 0, "W"), times("reactive_power_kvar", "q", 1000, 0, "var"), times("apparent_power_kva", "s", 1000, 0, "VA"),
		times("energy_import_kwh", "e", 1000, 0, "Wh"), times("energy_export_kwh", "x", 1000, 0, "Wh"), times("reactive_energy_import_kvarh", "eq", 1000, 0, "varh"),
		times("frequency_hz", "f", 1000, 0, "mHz"), as("power_factor", "pf", 4), times("demand_kw", "d", 1000, 0, "W"),
		as("voltage_l12_v", "u12", 1), as("voltage_l23_v", "u23", 1), as("voltage_l31_v", "u31", 1),
	}},
	{"tk", []field{
		times("tank_level_m", "h", 1000, 1, "mm"), times("tank_volume_m3", "v", 1000, 1, "l"),
		as("volume_l", "gross", 1), as("volume15_l", "net", 1), as("level_mm", "dip", 1), as("water_level_mm", "bottom", 1),
		as("delivered_l", "in", 1),
	}},
	{"env", []field{as("temperature_c", "t", 2)}},
	{"bu", []field{over("consumed_l", "total", 1000, 5, "m3"), as("flow_lph", "now", 3)}},
}

func (d vendor) Put(r Reading) Sent {
	s := r.sent()
	s.Seq, s.HasSeq = r.Seq, r.Seq != 0
	var o object
	o.open("", '{')
	o.open("head", '{')
	o.str("unit", d.ID)
	o.str("at", time.UnixMilli(r.TS).In(d.Zonetime).Format(clockLayout))
	if s.HasSeq {
		o.int("msg", r.Seq)
	}
	o.close('}')
	o.open("data", '{')
	for _, part := range vendorFields {
		fields := has(part.fields, r.Values)
		if len(fields) == 0 {
			continue
		}
		o.open(part.part, '{')
		if volts, ok := perPhase(r.Values, "voltage", "v"); ok && part.part == "el" {
			o.list("u", volts, as("", "", 1), "voltage", "_v", s.Values)
		}
		if amps, ok := perPhase(r.Values, "current", "a"); ok && part.part == "el" {
			o.list("i", amps, times("", "", 1000, 0, "mA"), "current", "_a", s.Values)
		}
		o.put(fields, r.Values, s.Values)
		o.close('}')
	}
	o.close('}')
	o.close('}')
	s.Messages = []Message{{Topic: "vendor/" + d.Zone + "/" + string(d.Utility) + "/telegram", Payload: o.buf}}
	return s
}
