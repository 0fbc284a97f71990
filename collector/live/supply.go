package live

import "github.com/imdad-telemetry/imdad/collector/meter"

// Supply is what reaches one zone of one utility, in watts or cubic metres
// per second.
type Supply struct {
	City, Zone string
	Utility    meter.Utility
	Required   float64 // as the plants declare it; 0: nobody needs any
	Flow
}

// Feeder is the balance of one feeder, in watts.
type Feeder struct {
	City, Zone, Feeder string
	Delivered          Flow // by its own meter
	Metered            Flow // by its plants' meters
}

// Flow is a sum over meters. Silent meters are left out of Value; with none
// heard there is no value, which is not the same as zero.
type Flow struct {
	Value    float64
	Expected int // measured objects in the sum
	Heard    int // of these, with a meter heard lately
}

// Known tells whether Value means anything.
func (f Flow) Known() bool { return f.Heard > 0 }

// Balances returns the supply of every zone and utility that the registry has
// meters or requirements for, and the balance of every feeder, as of now.
func (s *State) Balances() ([]Supply, []Feeder) {
	now := s.now().UnixMilli()
	s.mu.Lock()
	defer s.mu.Unlock()
	values := s.slotValues(now)
	var supplies []Supply
	for _, z := range s.network.zones {
		if len(z.in) == 0 && z.required == 0 {
			continue
		}
		out := sum(values, z.out)
		flow := sum(values, z.in)
		flow.Value -= out.Value
		supplies = append(supplies, Supply{City: z.city, Zone: z.zone, Utility: z.utility, Required: z.required, Flow: flow})
	}
	feeders := make([]Feeder, len(s.network.feeders))
	for i, f := range s.network.feeders {
		feeders[i] = Feeder{City: f.city, Zone: f.zone, Feeder: f.feeder, Metered: sum(values, f.plants)}
		if f.slot >= 0 {
			feeders[i].Delivered = sum(values, []int{f.slot})
		}
	}
	return supplies, feeders
}

// slotValue is what flows through one measured object.
type slotValue struct {
	value float64
	heard int64 // ms; 0: no meter of it was heard lately
}

// slotValues takes, for each object, the meter that was heard last.
func (s *State) slotValues(now int64) []slotValue {
	values := make([]slotValue, s.network.count)
	for i := range s.meters {
		m := &s.meters[i]
		if m.place == nil || !s.heard(m, now) || m.received <= values[m.place.slot].heard {
			continue
		}
		flow := flows[m.series.Utility]
		if v, ok := s.value(m, flow.register); ok {
			values[m.place.slot] = slotValue{value: v * flow.toSI, heard: m.received}
		}
	}
	return values
}

func sum(values []slotValue, slots []int) Flow {
	f := Flow{Expected: len(slots)}
	for _, slot := range slots {
		if values[slot].heard > 0 {
			f.Value += values[slot].value
			f.Heard++
		}
	}
	return f
}

// Counts is how many meters there are of each kind.
type Counts struct {
	Heard, Silent int // registered meters, by whether they were heard lately
	Unregistered  int // meters heard that the registry does not know
}

// Counts returns the numbers of meters as of now. A registered meter that was
// never heard is silent.
func (s *State) Counts() Counts {
	now := s.now().UnixMilli()
	s.mu.Lock()
	defer s.mu.Unlock()
	var c Counts
	for i := range s.meters {
		switch m := &s.meters[i]; {
		case m.series == nil || !s.heard(m, now):
		case m.place == nil:
			c.Unregistered++
		default:
			c.Heard++
		}
	}
	c.Silent = len(s.network.registry.Meters()) - c.Heard
	return c
}
