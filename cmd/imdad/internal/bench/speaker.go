package main

import (
	"context"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/collector/live"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// speaker is a meter that says the same each time, and more on its counters.
type speaker struct {
	reading  meter.Reading
	normal   []float64 // what it says while all is well
	feeder   int       // that it hangs on; -1: none
	electric bool
}

// registers of each utility, and what is normal at a plant. Voltages are per unit there, and scaled to the place.
var registers = map[meter.Utility][]meter.Value{
	meter.Electricity: {
		{Register: "active_power_kw", Value: 150}, {Register: "energy_import_kwh", Value: 1e5}, {Register: "voltage_l1_v", Value: 1},
		{Register: "voltage_l2_v", Value: 1}, {Register: "voltage_l3_v", Value: 1}, {Register: "current_l1_a", Value: 220},
		{Register: "frequency_hz", Value: 50}, {Register: "power_factor", Value: 0.95},
	},
	meter.Water:     {{Register: "flow_m3h", Value: 4}, {Register: "volume_m3", Value: 5e4}, {Register: "pressure_bar", Value: 4}, {Register: "tank_level_m", Value: 3}},
	meter.Fuel:      {{Register: "level_mm", Value: 1900}, {Register: "temperature_c", Value: 25}, {Register: "flow_lph", Value: 20}},
	meter.Generator: {{Register: "running", Value: 0}, {Register: "active_power_kw", Value: 0}, {Register: "battery_v", Value: 26}},
}

const (
	volts20kV = 20_000 / 1.7320508 // phase to neutral
	volts400V = 230
)

// speakersOf makes a meter speak for each of the registry.
func speakersOf(r *zone.Registry) []speaker {
	catalog := meter.NewCatalog(len(r.Meters()))
	plants := make(map[string]string) // feeders by plant
	for _, p := range r.Plants() {
		plants[p.ID] = p.Feeder
	}
	out := make([]speaker, 0, len(r.Meters()))
	for _, m := range r.Meters() {
		s := speaker{reading: meter.Reading{Series: catalog.Get(m.Zone, m.Utility, m.ID)}, feeder: -1}
		feeder, volts := m.At, float64(volts20kV)
		if at, ok := plants[m.At]; ok {
			feeder, volts = at, volts400V
		}
		if i, ok := r.Index(zone.FeederKind, feeder); ok && m.Utility == meter.Electricity {
			s.feeder, s.electric = i, true
		}
		for i, v := range registers[m.Utility] {
			if m.Utility == meter.Electricity && i >= 2 && i <= 4 {
				v.Value = volts
			}
			s.reading.Values = append(s.reading.Values, v)
			s.normal = append(s.normal, v.Value)
		}
		out = append(out, s)
	}
	return out
}

// speak says what is so in a state of the city, a little more or less than last time.
func (s *speaker) speak(to *live.State, now time.Time, state cityState) {
	volts, spoken := state.says(s.feeder)
	if !spoken {
		return
	}
	wobble := 1 + float64(now.Unix()/60%7)/1000
	for i, v := range s.normal {
		s.reading.Values[i].Value = v * wobble
		if s.electric && i != 1 {
			s.reading.Values[i].Value *= volts
		}
	}
	s.reading.Time = now.UnixMilli()
	to.Update(&s.reading, s.reading.Time)
}

// toNobody are channels for all that people are reached on, which take everything.
func toNobody(c notify.Config) []notify.Spec {
	var specs []notify.Spec
	known := make(map[string]bool)
	for _, p := range c.People {
		for name := range p.Contacts {
			if !known[name] {
				known[name] = true
				specs = append(specs, notify.Spec{Name: name, Channel: nobody{}})
			}
		}
	}
	return specs
}

type nobody struct{}

func (nobody) Send(context.Context, notify.Notice) error { return nil }
