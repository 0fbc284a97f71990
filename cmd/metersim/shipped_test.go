package main

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/metersim"
	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/configs"
	"github.com/imdad-telemetry/imdad/deploy/peers"
)

// grown is how much each counter at each object grew in a day.
type grown map[string]float64 // object and register

// TestShippedCityBalances publishes a day of the shipped city and adds up what
// its meters said: what feeders, stations and lines take in is what they pass
// on and lose, and tanks hold what was delivered less what was burnt.
func TestShippedCityBalances(t *testing.T) {
	t.Parallel()
	reg, err := configs.ShippedRegistry(defaultCity)
	if err != nil {
		t.Fatal(err)
	}
	day := publishDay(t, reg)
	lost := func(what, id string, in, out, most float64) {
		t.Helper()
		if loss := in - out; loss < -0.002*in || loss > most*in+0.5 || in == 0 {
			t.Errorf("%s %s: %.1f came in, %.1f went out", what, id, in, out)
		}
	}
	const energy, volume = " energy_import_kwh", " volume_m3"
	fed := make(grown) // what hangs on each object
	for _, p := range reg.Plants() {
		fed[p.Feeder+energy] += day[p.ID+energy]
		fed[p.WaterLine+volume] += day[p.ID+volume]
	}
	for _, f := range reg.Feeders() {
		fed[f.From+energy] += day[f.ID+energy]
	}
	for _, w := range reg.WaterLines() {
		fed[w.From+volume] += day[w.ID+volume]
	}
	for _, f := range reg.Feeders() {
		lost("feeder", f.ID, day[f.ID+energy], fed[f.ID+energy], 0.05)
	}
	for _, s := range reg.Substations() {
		lost("substation", s.ID, day[s.ID+energy], fed[s.ID+energy], 0.05)
	}
	for _, s := range reg.PumpingStations() {
		lost("pumping station", s.ID, day[s.ID+volume], fed[s.ID+volume], 0.01)
	}
	for _, z := range reg.Tanks() { // a zone's tank sits on the zone's first line
		if z.Plant == "" {
			fed[firstLine(reg, z.Zone)+volume] += day[z.ID+" tank_volume_m3"]
		}
	}
	for _, w := range reg.WaterLines() {
		lost("water line", w.ID, day[w.ID+volume], fed[w.ID+volume], 0.15)
	}
	checkFuel(t, reg, day)
}

func firstLine(reg *zone.Registry, zoneID string) string {
	for _, w := range reg.WaterLines() {
		if w.Zone == zoneID {
			return w.ID
		}
	}
	return ""
}

// checkFuel allows for the meters of a plant being read minutes apart.
func checkFuel(t *testing.T, reg *zone.Registry, day grown) {
	t.Helper()
	held := make(grown)
	for _, tank := range reg.Tanks() {
		if tank.Plant != "" && tank.Utility == meter.Fuel {
			held[tank.Plant] += day[tank.ID+" volume15_l"] - day[tank.ID+" delivered_l"]
		}
	}
	for _, p := range reg.Plants() {
		burnt := day[p.ID+" consumed_l"]
		if gap := held[p.ID] + burnt; gap < -0.02*burnt-1 || gap > 0.02*burnt+1 {
			t.Errorf("plant %s burnt %.1f l, its tanks lost %.1f l", p.ID, burnt, -held[p.ID])
		}
	}
}

// publishDay runs the city over a real broker and reads the counters' growth
// between the first and the last message of each meter. All meters report each
// five simulated minutes.
func publishDay(t *testing.T, reg *zone.Registry) grown {
	t.Helper()
	b, err := peers.StartMosquitto(t.Context(), peers.MosquittoOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Stop(); err != nil {
			t.Error(err)
		}
	})
	var truth bytes.Buffer
	o := metersim.DefaultOptions()
	o.Registry, o.Broker, o.Truth = reg, "tcp://"+b.Addr(), &truth
	o.Start = time.Date(2026, time.July, 19, 21, 0, 0, 0, time.UTC) // midnight in Damascus
	o.Interval, o.Speed = 5*time.Minute, 36_000
	o.Messages = int64(len(reg.Meters())) * 12 * 24
	fleet, err := metersim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := fleet.Run(t.Context()); err != nil || s.Acknowledged != o.Messages {
		t.Fatalf("%s: %v", s, err)
	}
	return growth(t, reg, &truth)
}

func growth(t *testing.T, reg *zone.Registry, truth io.Reader) grown {
	t.Helper()
	first, last := make(grown), make(grown)
	for d := json.NewDecoder(truth); ; {
		var l struct {
			Zone    string
			Utility meter.Utility
			Meter   string
			Values  map[string]float64
		}
		err := d.Decode(&l)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		m, ok := reg.Meter(l.Zone, l.Utility, l.Meter)
		if !ok {
			t.Fatalf("%s %s %s is not in the registry", l.Zone, l.Utility, l.Meter)
		}
		if m.Utility == meter.Generator {
			continue // several at a plant
		}
		for register, x := range l.Values {
			key := m.At + " " + register
			if _, seen := first[key]; !seen {
				first[key] = x
			}
			last[key] = x
		}
	}
	for key := range last {
		last[key] -= first[key]
	}
	return last
}
