package zone

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

func manyMeters(n int) []Meter {
	meters := make([]Meter, n)
	for i := range meters {
		meters[i] = Meter{ID: fmt.Sprintf("meter-%d", i), Zone: "zone-a", Utility: meter.Electricity, At: "feeder-1", IntervalS: 15}
	}
	return meters
}

func TestEmptyRegistry(t *testing.T) {
	t.Parallel()
	r, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.CityOf("zone-a"); got != "" {
		t.Errorf("CityOf in an empty registry is %q", got)
	}
	if _, ok := r.Meter("zone-a", meter.Water, "m"); ok {
		t.Error("an empty registry has a meter")
	}
	if len(r.Zones()) != 0 || len(r.Meters()) != 0 {
		t.Error("an empty registry is not empty")
	}
}

func TestNewRefusesProblems(t *testing.T) {
	t.Parallel()
	f := town()
	f.Feeders[0].From, f.Tanks[0].Utility = "", ""
	_, err := New([]*File{f})
	if err == nil {
		t.Fatal("a registry with problems was accepted")
	}
	for _, want := range []string{"city c: feeders[0].from: missing", "city c: tanks[0].utility: missing"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestRegistryLookups(t *testing.T) {
	t.Parallel()
	other := &File{City: City{ID: "d", Name: named()}, Zones: []Zone{{ID: "zone-d", Name: named()}}}
	r, err := New([]*File{town(), other})
	if err != nil {
		t.Fatal(err)
	}
	for zone, want := range map[string]string{"zone-a": "c", "zone-d": "d", "c": "", "mill": "", "": "", "no": ""} {
		if got := r.CityOf(zone); got != want {
			t.Errorf("CityOf(%q) = %q, want %q", zone, got, want)
		}
	}
	objects := map[string]Object{
		"c":        {"c", CityKind, named(), "", "c"},
		"zone-d":   {"zone-d", ZoneKind, named(), "zone-d", "d"},
		"station":  {"station", SubstationKind, named(), "", "c"},
		"feeder-2": {"feeder-2", FeederKind, named(), "zone-b", "c"},
		"pumps":    {"pumps", PumpingStationKind, named(), "", "c"},
		"main-1":   {"main-1", WaterLineKind, named(), "zone-a", "c"},
		"oil":      {"oil", TankKind, named(), "zone-b", "c"},
		"mill":     {"mill", PlantKind, named(), "zone-b", "c"},
	}
	for id, want := range objects {
		if got, ok := r.Object(id); !ok || got != want {
			t.Errorf("Object(%q) = %+v, %v; want %+v", id, got, ok, want)
		}
	}
	if _, ok := r.Object("m1"); ok {
		t.Error("a meter counts as an object")
	}
	if m, ok := r.Meter("zone-b", meter.Fuel, "m1"); !ok || m.At != "oil" {
		t.Errorf("Meter found %+v, %v", m, ok)
	}
	if m, ok := r.Meter("zone-b", meter.Electricity, "m1"); !ok || m.IntervalS != 60 {
		t.Errorf("an interval that is not given is not 60 s: %+v, %v", m, ok)
	}
	if _, ok := r.Meter("zone-a", meter.Fuel, "m1"); ok {
		t.Error("a meter was found under another zone")
	}
	if got := r.Cities(); len(got) != 2 || got[1].Timezone != DefaultTimezone {
		t.Errorf("Cities() = %+v", got)
	}
	counts := []int{len(r.Zones()), len(r.Substations()), len(r.Feeders()), len(r.PumpingStations()), len(r.WaterLines()), len(r.Tanks()), len(r.Plants()), len(r.Meters())}
	if got, want := fmt.Sprint(counts), "[3 1 2 1 2 2 1 5]"; got != want {
		t.Errorf("counts %s, want %s", got, want)
	}
}

func TestRegistryByID(t *testing.T) {
	t.Parallel()
	f := town()
	f.City.Timezone = "Asia/Baku"
	f.Zones[1].Contract.PowerKW = 500
	f.Rationing = []Rationing{{ID: "r", Zone: "zone-a", Exempt: true}}
	f.Tankers = []Tanker{{ID: "load", Tank: "oil", ETA: time.Unix(1763895600, 0), VolumeL: 9000}}
	other := &File{City: City{ID: "d", Name: named()}, Zones: []Zone{{ID: "zone-d", Name: named()}}}
	r, err := New([]*File{other, f})
	if err != nil {
		t.Fatal(err)
	}
	city, _ := r.City("c")
	area, _ := r.Zone("zone-b")
	station, _ := r.Substation("station")
	feeder, _ := r.Feeder("feeder-2")
	pumps, _ := r.PumpingStation("pumps")
	line, _ := r.WaterLine("main-2")
	tank, _ := r.Tank("oil")
	plant, _ := r.Plant("mill")
	if city != &r.Cities()[1] || area.Contract.PowerKW != 500 || station != &r.Substations()[0] || feeder != &r.Feeders()[1] ||
		pumps != &r.PumpingStations()[0] || line != &r.WaterLines()[1] || tank != &r.Tanks()[1] || plant != &r.Plants()[0] {
		t.Error("an object was not found by its id")
	}
	if _, ok := r.Feeder("mill"); ok {
		t.Error("a plant counts as a feeder")
	}
	if _, ok := r.Plant("nobody"); ok {
		t.Error("a plant that is not there was found")
	}
	if i, ok := r.Index(ZoneKind, "zone-b"); !ok || r.Zones()[i].ID != "zone-b" {
		t.Errorf("zone-b is zone %d, %v", i, ok)
	}
	if i, ok := r.MeterIndex("zone-b", meter.Fuel, "m1"); !ok || r.Meters()[i].At != "oil" {
		t.Errorf("m1 is meter %d, %v", i, ok)
	}
	for id, want := range map[string]string{"c": "Asia/Baku", "d": DefaultTimezone, "e": "UTC"} {
		if got := r.Location(id).String(); got != want {
			t.Errorf("city %s is in %s, want %s", id, got, want)
		}
	}
	if len(r.Rationing()) != 1 || len(r.Tankers()) != 1 || !r.Programme().Plan("feeder-1", time.Now(), 0).Exempt {
		t.Error("rationing or tankers are lost")
	}
}

func TestRegistryDoesNotShareItsFiles(t *testing.T) {
	t.Parallel()
	f := town()
	r, err := New([]*File{f})
	if err != nil {
		t.Fatal(err)
	}
	f.Meters[0].At, f.Plants[0].Feeder = "changed", "changed"
	if r.Meters()[0].At != "feeder-1" || r.Plants()[0].Feeder != "feeder-2" {
		t.Error("a change of the file changed the registry")
	}
}

func TestRegistryConcurrentReads(t *testing.T) {
	t.Parallel()
	r, err := New([]*File{town()})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				if m, ok := r.Meter("zone-a", meter.Water, "m2"); !ok || r.CityOf(m.Zone) != "c" {
					t.Error("lookup failed")
					return
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkMeterLookup(b *testing.B) {
	f := town()
	f.Meters = manyMeters(100_000)
	r, err := New([]*File{f})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := r.Meter("zone-a", meter.Electricity, "meter-77777"); !ok {
			b.Fatal("not found")
		}
	}
}
