package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/metersim"
	"github.com/imdad-telemetry/imdad/collector/metersim/score"
)

// sample is what one message said, by its arrival.
type sample struct {
	at     time.Duration // since the play's start
	ts     time.Duration // by the meter's clock
	values map[string]float64
	past   bool // history
}

// stageplay is a play as its meters told it, by meter id.
type stageplay struct {
	t      *testing.T
	said   map[string][]sample
	status map[string][]string // of gateways, in order
	raw    int                 // payloads that are no readings
	events []score.Event
	start  time.Time
}

func watch(t *testing.T, name string) *stageplay {
	t.Helper()
	plan := prepare(t, name, 1)
	s := &stageplay{t: t, said: make(map[string][]sample), status: make(map[string][]string), start: plan.Start}
	s.events = play(t, plan, s.hear).events
	return s
}

func (s *stageplay) hear(d metersim.Delivery) {
	steps := strings.Split(d.Topic, "/")
	if steps[3] == "gateway" {
		s.status[steps[4]] = append(s.status[steps[4]], string(d.Payload))
		if !d.Retained {
			s.t.Errorf("%s is not retained", d.Topic)
		}
		return
	}
	var m struct {
		TS         any                `json:"ts"`
		Values     map[string]float64 `json:"values"`
		Historical bool               `json:"historical"`
	}
	if err := json.Unmarshal(d.Payload, &m); err != nil || m.TS == nil {
		s.raw++
		return
	}
	x := sample{at: d.At.Sub(s.start), values: m.Values, past: m.Historical}
	if ms, ok := m.TS.(float64); ok {
		x.ts = time.UnixMilli(int64(ms)).Sub(s.start)
	}
	s.said[steps[4]] = append(s.said[steps[4]], x)
}

// all holds a register of a meter between bounds for as long as from and to,
// ends excluded, and requires that something was said.
func (s *stageplay) all(meter, register string, from, to time.Duration, least, most float64) {
	s.t.Helper()
	n := 0
	for _, x := range s.said[meter] {
		if v, ok := x.values[register]; ok && x.at > from && x.at < to && !x.past {
			n++
			if v < least || v > most {
				s.t.Errorf("%s says %s %v at %v, want %v to %v", meter, register, v, x.at, least, most)
				return
			}
		}
	}
	if n == 0 {
		s.t.Errorf("%s says no %s from %v to %v", meter, register, from, to)
	}
}

// count is how many messages a meter sent.
func (s *stageplay) count(meter string, from, to time.Duration) (n int) {
	for _, x := range s.said[meter] {
		if x.at > from && x.at < to && !x.past {
			n++
		}
	}
	return n
}

// mean of a register.
func (s *stageplay) mean(meter, register string, from, to time.Duration) float64 {
	sum, n := 0.0, 0.0
	for _, x := range s.said[meter] {
		if v, ok := x.values[register]; ok && x.at > from && x.at < to && !x.past {
			sum, n = sum+v, n+1
		}
	}
	if n == 0 {
		s.t.Errorf("%s says no %s from %v to %v", meter, register, from, to)
		return 0
	}
	return sum / n
}

const minute = time.Minute

// TestEffects looks at what the meters say when something is wrong.
func TestEffects(t *testing.T) {
	t.Parallel()
	for name, check := range map[string]func(*stageplay){
		"01-feeder-trip": func(s *stageplay) {
			for _, id := range []string{"sn-f03-e1", "sn-f08-e1", "sn-p005-e1", "sn-p006-e1"} {
				for _, register := range []string{"voltage_l1_v", "voltage_l2_v", "voltage_l3_v", "active_power_kw", "current_l1_a"} {
					s.all(id, register, 20*minute, 60*minute, 0, 0)
				}
			}
			// At once: the last reading before is whole, the first after is nothing.
			s.all("sn-f03-e1", "voltage_l1_v", 0, 20*minute, 10500, 12500)
			s.all("sn-f03-e1", "voltage_l1_v", 60*minute, 120*minute, 10500, 12500)
			s.all("sn-p001-e1", "voltage_l1_v", 0, 120*minute, 200, 245) // on another feeder
			s.all("sn-p005-g1", "active_power_kw", 21*minute, 60*minute, 100, 2000)
			s.all("sn-p005-g1", "fuel_rate_lph", 21*minute, 60*minute, 30, 600)
			s.all("sn-p005-g1", "running", 61*minute, 120*minute, 0, 0)
			if s.mean("sn-p005-t2-l1", "volume15_l", 60*minute, 70*minute) > s.mean("sn-p005-t2-l1", "volume15_l", 0, 20*minute)-50 {
				s.t.Error("the generators burn nothing")
			}
		},
		"01-idle-plant": func(s *stageplay) {
			s.all("sn-p022-e1", "active_power_kw", 21*minute, 140*minute, 0, 60)
			s.all("sn-p022-e1", "voltage_l1_v", 0, 180*minute, 205, 245)
		},
		"02-ration-overrun": func(s *stageplay) {
			s.all("sn-f09-e1", "voltage_l1_v", 30*minute, 190*minute, 0, 0)
			s.all("sn-f09-e1", "voltage_l1_v", 191*minute, 300*minute, 10500, 12500)
			s.all("sn-f10-e1", "voltage_l1_v", 0, 300*minute, 10500, 12500)
		},
		"02-ration-exempt": func(s *stageplay) {
			s.all("sn-f09-e1", "voltage_l1_v", 30*minute, 150*minute, 0, 0)
			s.all("sn-f13-e1", "voltage_l1_v", 0, 240*minute, 10500, 12500)
		},
		"03-brownout-hover": func(s *stageplay) {
			s.all("sn-f09-e1", "voltage_l1_v", 52*minute, 320*minute, 0.885*11547, 0.915*11547)
			s.all("sn-f11-e1", "voltage_l1_v", 0, 360*minute, 10800, 12500)
		},
		"03-frequency": func(s *stageplay) { s.all("sn-ss1-e1", "frequency_hz", 15*minute, 35*minute, 49.05, 49.35) },
		"03-demand-surge": func(s *stageplay) {
			before, after := s.mean("sn-p026-e1", "active_power_kw", 5*minute, 24*minute), s.mean("sn-p026-e1", "active_power_kw", 30*minute, 140*minute)
			if after < 1.4*before {
				s.t.Errorf("%v kW, then %v", before, after)
			}
		},
		"04-phase-loss-fuse": func(s *stageplay) {
			s.all("sn-p023-e1", "voltage_l2_v", 20*minute, 65*minute, 0.45*230, 0.6*230)
			s.all("sn-p023-e1", "voltage_l3_v", 20*minute, 65*minute, 0.45*230, 0.6*230)
			s.all("sn-p023-e1", "voltage_l1_v", 20*minute, 65*minute, 0.85*230, 1.1*230)
			s.all("sn-p023-e1", "voltage_l2_v", 66*minute, 120*minute, 205, 245)
		},
		"04-phase-loss-open": func(s *stageplay) {
			low := 0
			for _, l := range []string{"voltage_l1_v", "voltage_l2_v", "voltage_l3_v"} {
				if s.mean("sn-p016-e1", l, 20*minute, 65*minute) < 0.1*230 {
					low++
				}
			}
			if low != 1 {
				s.t.Errorf("%d phases are dead", low)
			}
		},
		"05-burst": func(s *stageplay) {
			before, after := s.mean("sn-w02-w1", "flow_m3h", 60*minute, 90*minute), s.mean("sn-w02-w1", "flow_m3h", 91*minute, 120*minute)
			if after < 3*before {
				s.t.Errorf("%v m³/h, then %v", before, after)
			}
			before, after = s.mean("sn-w02-w1", "pressure_bar", 60*minute, 90*minute), s.mean("sn-w02-w1", "pressure_bar", 90*minute, 95*minute)
			if after > 0.7*before {
				s.t.Errorf("%v bar, then %v", before, after)
			}
			if s.mean("sn-z2-t1-l1", "tank_volume_m3", 60*minute, 62*minute) < s.mean("sn-z2-t1-l1", "tank_volume_m3", 35*minute, 39*minute)+30 {
				s.t.Error("the tank does not fill")
			}
		},
		"05-pump-stop": func(s *stageplay) {
			s.all("sn-w05-w1", "flow_m3h", 30*minute, 120*minute, 0, 0)
			s.all("sn-w05-w1", "pressure_bar", 30*minute, 120*minute, 0, 0.01)
			s.all("sn-w05-w1", "pressure_bar", 121*minute, 240*minute, 2, 7)
			s.all("sn-w01-w1", "pressure_bar", 0, 240*minute, 2, 7)
		},
		"06-tanker-late": func(s *stageplay) {
			before := s.mean("sn-p012-t3-l1", "delivered_l", 0, 415*minute)
			s.all("sn-p012-t3-l1", "delivered_l", 0, 420*minute, before-1, before+1)
			s.all("sn-p012-t3-l1", "delivered_l", 445*minute, 600*minute, before+8600, before+8680)
		},
		"07-theft-night": func(s *stageplay) {
			fell := s.mean("sn-p016-t3-l1", "volume15_l", 140*minute, 149*minute) - s.mean("sn-p016-t3-l1", "volume15_l", 176*minute, 185*minute)
			if fell < 850 || fell > 1100 {
				s.t.Errorf("the tank fell by %v l", fell)
			}
		},
		"07-tank-warming": func(s *stageplay) {
			s.all("sn-p009-t3-l1", "temperature_c", 0, 30*minute, 24.9, 25.1)
			s.all("sn-p009-t3-l1", "temperature_c", 380*minute, 390*minute, 43, 45.1)
		},
		"08-meter-offline": func(s *stageplay) {
			if n := s.count("sn-p009-e1", 20*minute, 80*minute); n > 0 {
				s.t.Errorf("%d messages of a silent meter", n)
			}
			s.all("sn-p009-e1", "voltage_l1_v", 80*minute, 120*minute, 205, 245)
		},
		"08-gateway-offline": func(s *stageplay) {
			if got := strings.Join(s.status["sn-gw-f05"], " "); got != "online offline online" {
				s.t.Errorf("the gateway was %s", got)
			}
			if got := strings.Join(s.status["sn-gw-f06"], " "); got != "online" {
				s.t.Errorf("another gateway was %s", got)
			}
			for _, id := range []string{"sn-f05-e1", "sn-p009-e1", "sn-p011-w1"} {
				if n := s.count(id, 20*minute, 80*minute); n > 0 {
					s.t.Errorf("%d messages of %s", n, id)
				}
			}
		},
		"08-silent-cut": func(s *stageplay) {
			for _, id := range []string{"sn-f05-e1", "sn-p009-e1", "sn-p009-w1"} {
				if n := s.count(id, 20*minute, 80*minute); n > 0 {
					s.t.Errorf("%d messages of %s, whose supply is off", n, id)
				}
			}
			s.all("sn-p009-g1", "running", 21*minute, 80*minute, 1, 1) // it has a battery
		},
		"08-last-gasp": func(s *stageplay) {
			s.all("sn-f06-e1", "voltage_l1_v", 20*minute, 80*minute, 0, 0)
			if n := s.count("sn-f06-e1", 20*minute, 80*minute); n != 1 {
				s.t.Errorf("%d last gasps", n)
			}
		},
		"09-clocks": func(s *stageplay) {
			skew := func(id string, want time.Duration) {
				for _, x := range s.said[id] {
					if x.at > 21*minute && x.at < 80*minute && (x.ts-x.at-want).Abs() > 2*time.Second {
						s.t.Errorf("%s is %v ahead, want %v", id, x.ts-x.at, want)
						return
					}
				}
			}
			skew("sn-p001-e1", 5*minute)
			skew("sn-p003-e1", -5*minute)
			skew("sn-p002-e1", 0)
			if x := s.said["sn-p016-e1"][60]; s.start.Add(x.ts).Year() != 1970 {
				s.t.Errorf("its clock shows %v", s.start.Add(x.ts))
			}
		},
		"10-counters": func(s *stageplay) {
			s.all("sn-p009-e1", "energy_import_kwh", 30*minute, 240*minute, 0, 4*1000)
			var rolled bool
			for k, x := range s.said["sn-p002-e1"] {
				v := x.values["energy_import_kwh"]
				if v >= 1e8 || v < 0 {
					s.t.Errorf("eight digits show %v", v)
				}
				rolled = rolled || k > 0 && v < s.said["sn-p002-e1"][k-1].values["energy_import_kwh"]-9e7
			}
			if !rolled {
				s.t.Error("the counter did not roll over")
			}
			first := s.mean("sn-p012-w1", "volume_m3", 61*minute, 63*minute)
			s.all("sn-p012-w1", "volume_m3", 61*minute, 119*minute, first, first)
		},
		"11-stream": func(s *stageplay) {
			if n := s.count("sn-p001-e1", 16*minute, 44*minute); n < 80 || n > 88 {
				s.t.Errorf("%d messages with two duplicates each in 28 minutes", n)
			}
			back := 0
			for k, x := range s.said["sn-f01-e1"] {
				if k > 0 && x.ts < s.said["sn-f01-e1"][k-1].ts && x.at > 60*minute {
					back++
				}
			}
			if back < 10 {
				s.t.Errorf("%d messages out of order", back)
			}
		},
		"11-backfill": func(s *stageplay) {
			dead, n := 0, 0
			last := 0.0
			for _, x := range s.said["sn-f05-e1"] {
				if !x.past {
					continue
				}
				n++
				if x.ts > 20*minute || x.ts < -341*minute {
					s.t.Fatalf("history of %v", x.ts)
				}
				if x.values["voltage_l1_v"] == 0 {
					dead++
				}
				if v := x.values["energy_import_kwh"]; v < last {
					s.t.Fatalf("the counter goes back to %v", v)
				} else {
					last = v
				}
			}
			if n != 360 || dead < 115 || dead > 125 {
				s.t.Errorf("%d messages of history, %d of them without voltage", n, dead)
			}
			for _, x := range s.said["sn-f05-e1"] {
				if v := x.values["energy_import_kwh"]; !x.past && x.at > 20*minute && v < last-1 {
					s.t.Fatalf("the counter of now, %v, is below that of history, %v", v, last)
				}
			}
		},
		"12-broker-outage": func(s *stageplay) {
			if n := s.count("sn-f01-e1", 20*minute, 30*minute); n > 0 {
				s.t.Errorf("%d messages through a broker that is away", n)
			}
			if n := s.count("sn-f01-e1", 0, 120*minute); n < 479 {
				s.t.Errorf("only %d messages in all", n)
			}
		},
		"14-payloads": func(s *stageplay) {
			if s.raw < 120 {
				s.t.Errorf("%d bad payloads", s.raw)
			}
		},
		"15-black-start": func(s *stageplay) {
			for _, id := range []string{"sn-ss1-e1", "sn-f01-e1", "sn-f24-e1", "sn-p060-e1"} {
				s.all(id, "voltage_l1_v", 20*minute, 65*minute, 0, 0)
			}
			s.all("sn-w01-w1", "pressure_bar", 20*minute, 65*minute, 0, 0.01)
			s.all("sn-ss1-e1", "voltage_l1_v", 66*minute, 240*minute, 10500, 12500)
			s.all("sn-ss4-e1", "voltage_l1_v", 66*minute, 83*minute, 0, 0)
			s.all("sn-ss4-e1", "voltage_l1_v", 84*minute, 240*minute, 10500, 12500)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := watch(t, name)
			s.t = t
			check(s)
		})
	}
}

// TestUnservedEnergy: what a cut denies is what its plants would have drawn.
func TestUnservedEnergy(t *testing.T) {
	t.Parallel()
	s := watch(t, "01-feeder-trip")
	before := s.mean("sn-p005-e1", "active_power_kw", 0, 19*minute) + s.mean("sn-p006-e1", "active_power_kw", 0, 19*minute)
	want := before * 40 / 60
	if e := s.events[0]; e.Cause != "feeder_trip" || e.EnsKWh < 0.85*want || e.EnsKWh > 1.2*want {
		t.Errorf("%s: %v kWh not supplied, want about %v", e.Cause, e.EnsKWh, want)
	}
}
