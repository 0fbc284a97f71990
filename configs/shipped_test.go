package configs

import (
	"strings"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

func TestShippedRegistry(t *testing.T) {
	t.Parallel()
	r, err := ShippedRegistry("sheikh-najjar")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []struct {
		what      string
		got, want int
	}{
		{"zones", len(r.Zones()), 4},
		{"substations", len(r.Substations()), 4},
		{"feeders", len(r.Feeders()), 24},
		{"pumping stations", len(r.PumpingStations()), 3},
		{"plants", len(r.Plants()), 60},
		{"meters", len(r.Meters()), 400},
	} {
		if n.got != n.want {
			t.Errorf("%d %s, want %d", n.got, n.what, n.want)
		}
	}
	if _, err := ShippedRegistry("atlantis"); err == nil || !strings.Contains(err.Error(), `no shipped city "atlantis"; use adra`) {
		t.Errorf("a city that is not shipped: %v", err)
	}
}

// TestShippedCityIsWhole holds the city to what its own comments say and what
// alerting asks of it.
func TestShippedCityIsWhole(t *testing.T) {
	t.Parallel()
	r, err := ShippedRegistry("sheikh-najjar")
	if err != nil {
		t.Fatal(err)
	}
	sets, gateways, heads := make(map[string]int), make(map[string]string), make(map[string]string)
	for _, m := range r.Meters() {
		o, _ := r.Object(m.At)
		network := o.Kind != zone.PlantKind && o.Kind != zone.TankKind
		if (network || m.Utility == meter.Generator) && !m.Backup {
			t.Errorf("meter %s has no battery", m.ID)
		}
		if m.Utility == meter.Generator {
			sets[m.At]++
		}
		if o.Kind == zone.FeederKind {
			heads[m.At] = m.Gateway
		}
		if first, ok := gateways[m.Gateway]; ok && first != m.Zone && m.Gateway != "" {
			t.Errorf("gateway %s speaks for zones %s and %s", m.Gateway, first, m.Zone)
		}
		gateways[m.Gateway] = m.Zone
	}
	for _, m := range r.Meters() {
		p, ok := r.Plant(m.At)
		if tank, of := r.Tank(m.At); of {
			p, ok = r.Plant(tank.Plant)
		}
		if ok && (m.Gateway == "" || m.Gateway != heads[p.Feeder]) {
			t.Errorf("meter %s speaks through %q, its feeder's through %q", m.ID, m.Gateway, heads[p.Feeder])
		}
	}
	for i := range r.Plants() {
		p := &r.Plants()[i]
		if (p.StandbyKW > 0) != (sets[p.ID] > 0) || p.StandbyKW > p.Requirement.PowerKW {
			t.Errorf("plant %s: %v kW of %d generators for %v kW", p.ID, p.StandbyKW, sets[p.ID], p.Requirement.PowerKW)
		}
		if (len(p.Shifts) == 0) != (p.Sector == zone.RingSpinning) {
			t.Errorf("plant %s, %s, has %d shifts", p.ID, p.Sector, len(p.Shifts))
		}
	}
	for i := range r.Tanks() {
		tank := &r.Tanks()[i]
		full, ok := tank.Shape.OfPercent(100)
		if !ok || full < 999*tank.CapacityM3 || full > 1001*tank.CapacityM3 || tank.DeadM3 <= 0 {
			t.Errorf("tank %s of %v m³ holds %v l, %v m³ of them dead", tank.ID, tank.CapacityM3, full, tank.DeadM3)
		}
	}
	for _, z := range r.Zones() {
		if def, _ := r.Zone(z.ID); def.Contract.PowerKW <= 0 || def.Contract.WaterM3PerD <= 0 {
			t.Errorf("zone %s has the contract %+v", z.ID, def.Contract)
		}
	}
}
