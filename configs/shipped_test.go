package configs

import (
	"strings"
	"testing"
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
	if _, err := ShippedRegistry("atlantis"); err == nil || !strings.Contains(err.Error(), "atlantis.yaml") {
		t.Errorf("a city that is not shipped: %v", err)
	}
}
