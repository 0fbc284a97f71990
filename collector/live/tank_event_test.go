package live

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// between is 1 within minutes from, to; it makes stretches of series.
func between(m, from, to int64) float64 {
	if m >= from && m < to {
		return 1
	}
	return 0
}

// TestTankEvents lets four hours of a tank pass, minute by minute. The tank
// holds 30 m³, so that events are of more than 600 l.
func TestTankEvents(t *testing.T) {
	t.Parallel()
	type hour4 struct {
		litres  func(m int64) float64 // l/min into the tank, or out of it
		metered float64               // l/min that a meter counts out of fuel, or into water
		every   int64                 // minutes between the readings of that meter; 0: there is none
		glitch  func(m int64) float64 // l, of the gauge
	}
	tests := []struct {
		name  string
		water bool
		piped bool
		usual float64
		tell  hour4
		want  string // kind start–end litres, in minutes
	}{
		{"nothing happens", false, false, 0, hour4{litres: func(int64) float64 { return 0 }}, ""},
		{"metered burn", false, false, 3000, hour4{litres: func(int64) float64 { return -40 }, metered: 40, every: 1}, ""},
		{"a delivery", false, false, 0, hour4{litres: func(m int64) float64 { return 500 * between(m, 60, 80) }}, "delivery 60–79 10000"},
		{"a delivery while burning", false, false, 2000, hour4{litres: func(m int64) float64 { return 500*between(m, 60, 80) - 2 }, metered: 2, every: 1}, "delivery 60–79 10000"},
		{"a draw-off into a tanker", false, false, 0, hour4{litres: func(m int64) float64 { return -300 * between(m, 60, 80) }}, "draw_off 60–79 6000"},
		{"a draw-off while burning", false, false, 2000, hour4{litres: func(m int64) float64 { return -300*between(m, 60, 80) - 5 }, metered: 5, every: 1}, "draw_off 60–79 6000"},
		{"burn that is counted late", false, false, 2000, hour4{litres: func(m int64) float64 { return -60 * between(m, 60, 150) }, metered: 60, every: 15}, ""},
		{"too small", false, false, 0, hour4{litres: func(m int64) float64 { return -100 * between(m, 60, 65) }}, ""},
		{"too slow", false, false, 0, hour4{litres: func(int64) float64 { return -10 }}, ""},
		{"a consumer that nothing meters", false, false, 2000, hour4{litres: func(m int64) float64 { return -60 * between(m, 60, 90) }}, ""},
		{"consumption for hours from a store", false, false, 0, hour4{litres: func(m int64) float64 { return -60 * between(m, 30, 200) }}, ""},
		{"a gauge that fails for three readings", false, false, 0, hour4{litres: func(int64) float64 { return 0 },
			glitch: func(m int64) float64 { return -8000 * between(m, 60, 63) }}, ""},
		{"one that fails for one", false, false, 0, hour4{litres: func(int64) float64 { return 0 },
			glitch: func(m int64) float64 { return -8000 * between(m, 61, 62) }}, ""},
		{"one that jumps up", false, false, 0, hour4{litres: func(int64) float64 { return 0 },
			glitch: func(m int64) float64 { return 8000 * between(m, 60, 64) }}, ""},
		{"one that fails shortly before a delivery", false, false, 0, hour4{litres: func(m int64) float64 { return 500 * between(m, 80, 100) },
			glitch: func(m int64) float64 { return -8000 * between(m, 62, 65) }}, "delivery 80–99 10000"},
		{"two draw-offs", false, false, 0, hour4{litres: func(m int64) float64 { return -300 * (between(m, 60, 70) + between(m, 120, 140)) }}, "draw_off 60–69 3000, draw_off 120–139 6000"},
		{"one, and a delivery right behind it", false, false, 0, hour4{litres: func(m int64) float64 { return -300*between(m, 60, 70) + 500*between(m, 72, 90) }},
			"delivery 75–89 6000"}, // what can be told for sure
		{"one, and a delivery twenty minutes later", false, false, 0, hour4{litres: func(m int64) float64 { return -300*between(m, 60, 70) + 500*between(m, 90, 110) }},
			"draw_off 60–69 3000, delivery 90–109 10000"},
		{"water by truck into a tank without a pipe", true, false, 0, hour4{litres: func(m int64) float64 { return 400*between(m, 60, 75) - 2 }}, "delivery 60–74 5970"},
		{"water by truck beside a pipe", true, true, 0, hour4{litres: func(m int64) float64 { return 400*between(m, 60, 75) + 3 }, metered: 3, every: 1}, "delivery 60–74 6000"},
		{"water by a metered pipe", true, true, 0, hour4{litres: func(int64) float64 { return 80 }, metered: 80, every: 1}, ""},
		{"water by a pipe that is counted late", true, true, 0, hour4{litres: func(m int64) float64 { return 80 * between(m, 60, 150) }, metered: 80, every: 15}, ""},
		{"water by a pipe that nothing meters", true, true, 0, hour4{litres: func(m int64) float64 { return 400 * between(m, 60, 75) }}, ""},
		{"water that is drawn", true, true, 0, hour4{litres: func(m int64) float64 { return 3 - 300*between(m, 60, 80) }, metered: 3, every: 1}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k, events := newTank(), new(tankEvents)
			k.capacity, k.fuel, k.local, k.usual = 30_000, !tt.water, new(local), tt.usual
			k.locate(&zone.Tank{ID: "t", Zone: "z"}, "c", events)
			b, p := newBurner(), newPipe(false)
			p.local = k.local
			k.group = &group{tanks: []*tank{k}, local: k.local, piped: tt.piped, burners: []*burner{b}, pipes: []*pipe{p}}
			k.litres = func(s *scratch, _, _ float64) float64 { return s.values[volume15] }
			begin, litres, counted := 1_000_000*hourMS, 15_000.0, 0.0
			var s scratch
			for m := range int64(240) {
				at := begin + m*minuteMS
				flows := tt.tell.litres(m)
				litres += flows
				if tt.tell.every > 0 && flows != 0 {
					counted += tt.tell.metered
				}
				if tt.tell.every > 0 && m%tt.tell.every == 0 {
					s.has = 0
					if tt.water {
						s.put(waterTotal, 100+counted/1000)
						p.take(&s, at)
					} else {
						s.put(burnt, 100_000+counted)
						b.take(&s, at)
					}
				}
				s.has = 0
				s.put(volume15, litres)
				if tt.tell.glitch != nil {
					s.put(volume15, litres+tt.tell.glitch(m))
				}
				k.take(&s, at)
			}
			var got []string
			for _, e := range events.Waiting {
				start, end := (e.Start-begin)/minuteMS, (e.End-begin)/minuteMS
				if e.City != "c" || e.Zone != "z" || e.Tank != "t" {
					t.Errorf("%+v", e)
				}
				got = append(got, fmt.Sprintf("%s %d–%d %.0f", e.Kind, start, end, e.VolumeL))
			}
			if !alike(got, tt.want) {
				t.Errorf("got %s, want %s", strings.Join(got, ", "), tt.want)
			}
		})
	}
}

// alike compares events, whose beginning is known to five minutes or so, and
// whose litres to a mean of five minutes.
func alike(got []string, want string) bool {
	var wanted []string
	if want != "" {
		wanted = strings.Split(want, ", ")
	}
	if len(got) != len(wanted) {
		return false
	}
	for i := range got {
		var gk, wk string
		var gs, ge, ws, we int64
		var gl, wl float64
		if _, err := fmt.Sscanf(strings.Replace(got[i], "–", " ", 1), "%s %d %d %f", &gk, &gs, &ge, &gl); err != nil {
			return false
		}
		if _, err := fmt.Sscanf(strings.Replace(wanted[i], "–", " ", 1), "%s %d %d %f", &wk, &ws, &we, &wl); err != nil {
			return false
		}
		if gk != wk || gs < ws-10 || gs > ws+5 || ge < we-1 || ge > we+2 || math.Abs(gl-wl) > 0.01*wl+20 {
			return false
		}
	}
	return true
}

func TestTankEventsAreBounded(t *testing.T) {
	t.Parallel()
	var q tankEvents
	for i := range int64(maxTankEvents + 3) {
		q.add(TankEvent{Start: i})
	}
	if len(q.Waiting) != maxTankEvents || q.Dropped != 3 || q.Waiting[0].Start != 3 {
		t.Errorf("%d wait from %d on, %d were dropped", len(q.Waiting), q.Waiting[0].Start, q.Dropped)
	}
}

// store is a registry with a fuel tank that nothing meters.
func store(t *testing.T) *zone.Registry {
	t.Helper()
	name := zone.Name{En: "x", Ar: "س"}
	r, err := zone.New([]*zone.File{{
		City: zone.City{ID: "c", Name: name}, Zones: []zone.Zone{{ID: "z", Name: name}},
		Tanks:  []zone.Tank{{ID: "depot", Name: name, Zone: "z", Utility: meter.Fuel, Fuel: "mazut", CapacityM3: 30}},
		Meters: []zone.Meter{{ID: "m", Zone: "z", Utility: meter.Fuel, At: "depot", IntervalS: 60}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestARestartKeepsTankEvents restarts every few minutes in a morning of two
// events, and asks for them now and then: each comes once.
func TestARestartKeepsTankEvents(t *testing.T) {
	t.Parallel()
	r := store(t)
	now := time.UnixMilli(1_000_000 * hourMS)
	clock := func() time.Time { return now }
	for _, every := range []int64{1000, 1, 7, 30} {
		s, catalog := New(r, clock), meter.NewCatalog(10)
		litres := 20_000.0
		var got []string
		for m := range int64(240) {
			now = now.Add(time.Minute)
			litres += 500*between(m, 60, 80) - 300*between(m, 120, 140)
			s.Update(&meter.Reading{
				Series: catalog.Get("z", meter.Fuel, "m"), Time: now.UnixMilli(), Values: []meter.Value{{Register: "volume15_l", Value: litres}},
			}, now.UnixMilli())
			if m%every == every-1 {
				var saved bytes.Buffer
				if err := s.Save(&saved); err != nil {
					t.Fatal(err)
				}
				s, catalog = New(r, clock), meter.NewCatalog(10)
				if err := s.Load(&saved, true); err != nil {
					t.Fatal(err)
				}
			}
			if m%50 == 49 || m == 239 {
				s.TankEvents(func(e *TankEvent) { got = append(got, fmt.Sprintf("%s of %s %.0f", e.Kind, e.Tank, e.VolumeL)) })
			}
		}
		if text := strings.Join(got, ", "); text != "delivery of depot 10000, draw_off of depot 6000" {
			t.Errorf("restarted every %d minutes: %s", every, text)
		}
	}
}

// TestContent reads what tanks hold from what meters, or vetting, say of them.
// A cylinder of 2.5 m by 10 m holds 24,543.7 l half full and 9,596.6 l at 0.625 m
// (DOMAIN §2, Tanks).
func TestContent(t *testing.T) {
	t.Parallel()
	lying := zone.TankShape{Form: zone.HorizontalCylinder, DiameterM: 2.5, LengthM: 10}
	oil := zone.Tank{Utility: meter.Fuel, Fuel: "mazut", Shape: lying, DensityKgM3: 840}
	water := zone.Tank{Utility: meter.Water, Shape: lying}
	bare := zone.Tank{Utility: meter.Fuel, Fuel: "mazut", DensityKgM3: 840}
	value := func(register string, v float64) meter.Value { return meter.Value{Register: register, Value: v} }
	tests := []struct {
		name   string
		tank   *zone.Tank
		values []meter.Value
		want   float64
	}{
		{"a level", &oil, []meter.Value{value("level_mm", 1250)}, 24543.7},
		{"a level and a temperature", &oil, []meter.Value{value("level_mm", 1250), value("temperature_c", 45)}, 24543.7 * 0.97450},
		{"over water", &oil, []meter.Value{value("level_mm", 1250), value("water_level_mm", 625)}, 24543.7 - 9596.6},
		{"over water, warm", &oil, []meter.Value{value("level_mm", 1250), value("temperature_c", 45), value("water_level_mm", 625)}, (24543.7 - 9596.6) * 0.97450},
		{"nothing but water", &oil, []meter.Value{value("level_mm", 600), value("water_level_mm", 625)}, 0},
		{"a volume", &oil, []meter.Value{value("volume_l", 20_000), value("temperature_c", 45)}, 19490},
		{"a volume over water", &oil, []meter.Value{value("volume_l", 20_000), value("water_level_mm", 625)}, 20_000 - 9596.6},
		{"a volume over water, of a tank nobody has measured", &bare, []meter.Value{value("volume_l", 20_000), value("water_level_mm", 625)}, 20_000},
		{"what vetting makes of a level", &oil, []meter.Value{value("level_mm", 1250), value("temperature_c", 45), value("water_level_mm", 625),
			value("volume_l", 24543.7), value("product_volume_l", 14947.1), value("volume15_l", 14566)}, 14566},
		{"what it makes without a temperature", &oil, []meter.Value{value("level_mm", 1250), value("water_level_mm", 625),
			value("volume_l", 24543.7), value("product_volume_l", 14947.1)}, 14947.1},
		{"at 15 °C by the meter itself", &oil, []meter.Value{value("volume_l", 1), value("temperature_c", 45), value("volume15_l", 12345)}, 12345},
		{"water in cubic metres", &water, []meter.Value{value("tank_volume_m3", 12), value("tank_level_m", 0.1)}, 12_000},
		{"water by its level", &water, []meter.Value{value("tank_level_m", 1.25), value("temperature_c", 30)}, 24543.7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var s scratch
			warmth, waterMM := nan, 0.0
			for _, v := range tt.values {
				s.put(roleOf(v.Register), v.Value)
			}
			if s.got(celsius) {
				warmth = s.values[celsius]
			}
			if s.got(waterLevel) {
				waterMM = s.values[waterLevel]
			}
			if got := litresOf(tt.tank)(&s, warmth, waterMM); math.Abs(got-tt.want) > 1e-4*tt.want+0.1 {
				t.Errorf("%v l, want %v", got, tt.want)
			}
		})
	}
}
