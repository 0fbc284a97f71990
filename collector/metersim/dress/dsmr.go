package dress

import (
	"math"
	"strconv"
	"time"
)

// dsmrProfile is a smart meter at whose P1 port DSMR-reader listens: two in
// three as "JSON: telegram", the others a value a topic, after the timestamp of all
// of them. Currents are whole amperes (DSMR 5.0.2 P1, table 6.12), so that such a
// meter is not given to what alarms are judged by the current of.
//
// https://dsmr-reader.readthedocs.io/en/v5/tutorial/mqtt.html (the defaults of its topics)
var dsmrProfile = profile{
	name: "dsmr", kinds: map[Kind]int{Load: 3}, lossy: []Kind{Load}, timed: true, least: time.Second,
	make: func(m Meter) Dress { return dsmr{m} },
}

type dsmr struct{ Meter }

// fieldByField tells whether the device publishes a value a topic.
func (m Meter) fieldByField() bool { return m.Number%3 == 0 }

// item is a value of a telegram: its name there, its text, and what it says.
type item struct {
	key, text, register string
	value               float64
}

func (d dsmr) Put(r Reading) Sent {
	s := r.sent()
	s.TS = wholeSecond(r.TS)
	items := telegram(r.Values)
	for _, i := range items {
		s.Values[i.register] = i.value
	}
	at := time.UnixMilli(s.TS).In(d.Zonetime).Format(time.RFC3339)
	if d.fieldByField() {
		base := "dsmr/" + d.Zone + "/" + d.ID + "/reading/"
		s.Messages = []Message{{Topic: base + "timestamp", Payload: []byte(at)}}
		for _, i := range items {
			s.Messages = append(s.Messages, Message{Topic: base + i.key, Payload: []byte(i.text)})
		}
		return s
	}
	var o object
	o.open("", '{')
	o.int("id", r.Seq)
	o.str("timestamp", at)
	for _, i := range items {
		o.raw(i.key, strconv.Quote(i.text))
	}
	o.raw("extra_device_timestamp", "null")
	o.raw("extra_device_delivered", "null")
	o.close('}')
	// Where both tariffs are in one message they are added up.
	for _, way := range []string{"import", "export"} {
		if t1, ok := s.Values["energy_"+way+"_t1_kwh"]; ok {
			s.Values["energy_"+way+"_kwh"] = t1 + s.Values["energy_"+way+"_t2_kwh"]
		}
	}
	s.Messages = []Message{{Topic: "dsmr/" + d.Zone + "/" + d.ID + "/json", Payload: o.buf}}
	return s
}

// telegram lists what the meter shows.
func telegram(values map[string]float64) (items []item) {
	add := func(key, register string, x float64, decimals int) {
		text := number(x, decimals)
		items = append(items, item{key, text, register, parsed(text)})
	}
	if kwh, ok := values["energy_import_kwh"]; ok {
		night := math.Floor(400*kwh) / 1000
		add("electricity_delivered_1", "energy_import_t1_kwh", night, 3)
		add("electricity_returned_1", "energy_export_t1_kwh", 0, 3)
		add("electricity_delivered_2", "energy_import_t2_kwh", kwh-night, 3)
		add("electricity_returned_2", "energy_export_t2_kwh", 0, 3)
	}
	add("electricity_currently_delivered", "active_power_kw", values["active_power_kw"], 3)
	add("electricity_currently_returned", "active_power_export_kw", 0, 3)
	kw := phasePower(values)
	volts, _ := perPhase(values, "voltage", "v")
	amps, _ := perPhase(values, "current", "a")
	for n, l := range phases {
		add("phase_currently_delivered_"+l, "active_power_"+l+"_kw", kw[n], 3)
		add("phase_voltage_"+l, "voltage_"+l+"_v", volts[n], 1)
		add("phase_power_current_"+l, "current_"+l+"_a", amps[n], 0)
	}
	return items
}
