package meter_test

import (
	"runtime"
	"strconv"
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

// What was handed out stays where it is, however many come after it.
func TestCatalogGrows(t *testing.T) {
	t.Parallel()
	const meters = 10_000
	c := meter.NewCatalog(meters)
	all := make([]*meter.Series, meters)
	for i := range all {
		all[i] = c.Get("z", meter.Water, strconv.Itoa(i))
	}
	for i, s := range all {
		if again := c.Get("z", meter.Water, strconv.Itoa(i)); again != s || s.Index != i || s.Meter != strconv.Itoa(i) {
			t.Fatalf("meter %d is %+v, and again %+v", i, s, again)
		}
	}
	if c.Len() != meters || c.Get("z", meter.Water, "another") != nil {
		t.Errorf("%d meters, and room for another", c.Len())
	}
}

func BenchmarkCatalog(b *testing.B) {
	const meters = 100_000
	c := meter.NewCatalog(meters)
	ids := make([]string, meters)
	for i := range ids {
		ids[i] = strconv.Itoa(i)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for _, id := range ids {
		c.Get("sn-zone-1", meter.Electricity, id)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	for i := 0; b.Loop(); i++ {
		c.Get("sn-zone-1", meter.Electricity, ids[i%meters])
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/meters, "B/meter")
}
