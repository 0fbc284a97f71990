package dress

import (
	"strconv"
	"time"
)

// shellyProfile is a Shelly Pro 3EM with the MQTT prefix shelly/ZONE/METER: its
// notices carry the components em:0 and emdata:0, here all of what a reading
// has, with the trap partial what has changed alone.
//
// https://shelly-api-docs.shelly.cloud/gen2/ComponentsAndServices/EM#status, …/EMData#status,
// https://shelly-api-docs.shelly.cloud/gen2/General/Notifications
var shellyProfile = profile{
	name: "shelly", kinds: map[Kind]int{Load: 2}, timed: true, least: 10 * time.Millisecond,
	make:  func(m Meter) Dress { return &shelly{Meter: m, last: make(map[string]string)} },
	traps: []string{"partial", "null_current"},
}

type shelly struct {
	Meter
	last map[string]string // the values as they were last sent, by register
}

// shellyPhase are the values of one phase of em:0.
var shellyPhase = []struct {
	key, stem, unit string
	field
}{
	{"current", "current", "_a", as("", "", 3)},
	{"voltage", "voltage", "_v", as("", "", 1)},
	{"act_power", "active_power", "_kw", times("", "", 1000, 1, "")},
	{"pf", "power_factor", "", as("", "", 2)},
}

func (d *shelly) Put(r Reading) Sent {
	s := r.sent()
	s.TS = r.TS / 10 * 10
	var o object
	o.open("", '{')
	o.str("src", "shellypro3em-"+hexOf("shelly", d.Zone+"/"+d.ID, 12))
	o.str("dst", "shelly/"+d.Zone+"/"+d.ID+"/events")
	o.str("method", "NotifyStatus")
	o.open("params", '{')
	o.raw("ts", number(float64(s.TS/10)/100, 2))
	d.em(&o, &r, &s)
	d.emdata(&o, &r, &s)
	o.close('}')
	o.close('}')
	if len(s.Values) > 0 {
		s.Messages = []Message{{Topic: "shelly/" + d.Zone + "/" + d.ID + "/events/rpc", Payload: o.buf}}
	}
	return s
}

// put adds a value, unless only changes are told and it has not changed.
func (d *shelly) put(o *object, key, register string, f field, x float64, r *Reading, s *Sent) {
	text, seen := f.text(x)
	if r.Trap == "partial" && d.last[register] == text {
		return
	}
	d.last[register] = text
	o.raw(key, text)
	s.Values[register] = seen
}

func (d *shelly) em(o *object, r *Reading, s *Sent) {
	o.open("em:0", '{')
	o.int("id", 0)
	kw := phasePower(r.Values)
	for n, l := range phases {
		phase := string(rune('a' + n))
		for _, f := range shellyPhase {
			register := f.stem + "_" + l + f.unit
			x, ok := r.Values[register]
			switch f.key {
			case "act_power":
				x, ok = kw[n], true
			case "pf":
				x, ok = r.Values["power_factor"]
			}
			switch {
			case f.key == "current" && n == 2 && r.Trap == "null_current":
				o.raw(phase+"_current", "null")
			case ok:
				d.put(o, phase+"_"+f.key, register, f.field, x, r, s)
			}
		}
		if hz, ok := r.Values["frequency_hz"]; ok && n == 0 {
			d.put(o, phase+"_freq", "frequency_hz", as("", "", 2), hz, r, s)
		}
	}
	o.raw("n_current", "null") // no transformer on the neutral
	d.put(o, "total_act_power", "active_power_kw", times("", "", 1000, 3, ""), r.Values["active_power_kw"], r, s)
	o.close('}')
}

func (d *shelly) emdata(o *object, r *Reading, s *Sent) {
	o.open("emdata:0", '{')
	o.int("id", 0)
	if kwh, ok := r.Values["energy_import_kwh"]; ok {
		d.put(o, "total_act", "energy_import_kwh", times("", "", 1000, 2, ""), kwh, r, s)
		d.put(o, "total_act_ret", "energy_export_kwh", times("", "", 1000, 2, ""), 0, r, s)
	}
	o.close('}')
}

// hexOf makes digits of an address out of a name.
func hexOf(maker, name string, digits int) string {
	h := uint64(14695981039346656037) // FNV-1a
	for _, c := range []byte(maker + " " + name) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	text := strconv.FormatUint(h|1<<63, 16)
	return text[len(text)-digits:]
}
