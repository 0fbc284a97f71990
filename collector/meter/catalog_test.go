package meter_test

import (
	"testing"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

func TestCatalogTellsMetersApart(t *testing.T) {
	t.Parallel()
	c := meter.NewCatalog(100)
	all := []*meter.Series{
		c.Get("z1", meter.Water, "m"),
		c.Get("z2", meter.Water, "m"),
		c.Get("z1", meter.Fuel, "m"),
		c.Get("z1", meter.Water, "n"),
		c.Get("z1w", meter.Water, "m"), // no two parts run into one another
	}
	for i, s := range all {
		if s.Index != i {
			t.Errorf("%+v has index %d, want %d", s, s.Index, i)
		}
		if again := c.Get(s.Zone, s.Utility, s.Meter); again != s {
			t.Errorf("%+v is made twice", s)
		}
	}
	if c.Len() != len(all) {
		t.Errorf("%d meters, want %d", c.Len(), len(all))
	}
}

// Ids come from outside: beyond the bound there is nothing new, and what is
// known stays known.
func TestCatalogIsBounded(t *testing.T) {
	t.Parallel()
	c := meter.NewCatalog(2)
	a, b := c.Get("z", meter.Water, "a"), c.Get("z", meter.Water, "b")
	for range 3 {
		if s := c.Get("z", meter.Water, "c"); s != nil {
			t.Fatalf("a third meter: %+v", s)
		}
	}
	if c.Get("z", meter.Water, "a") != a || c.Get("z", meter.Water, "b") != b || c.Len() != 2 {
		t.Error("a full catalog has forgotten a meter")
	}
}

func TestCatalogDoesNotAllocateForKnownMeters(t *testing.T) {
	c := meter.NewCatalog(1)
	c.Get("z", meter.Water, "a")
	if n := testing.AllocsPerRun(100, func() { c.Get("z", meter.Water, "a") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
