package configs

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// reread writes a city and loads it again.
func reread(t *testing.T, f *zone.File) *zone.File {
	t.Helper()
	text, err := MarshalRegistry(f)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "city.yaml")
	put(t, path, string(text))
	files, err := LoadFiles([]string{path})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return files[0]
}

func TestMarshalShippedCities(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"sheikh-najjar", "adra", "hassia", "deir-ez-zor"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			f, err := ShippedFile(id)
			if err != nil {
				t.Fatal(err)
			}
			if got := reread(t, f); !reflect.DeepEqual(got, f) {
				t.Error("the city that was read back differs")
			}
		})
	}
}

// TestMarshalEverything has a value in every field there is.
func TestMarshalEverything(t *testing.T) {
	t.Parallel()
	name := zone.Name{En: `A "name": with, all {of} [it] # and \ more`, Ar: "اسم\tآخر\n\u200f"}
	start := time.Date(2026, 11, 23, 6, 0, 0, 500e6, time.FixedZone("", 3*3600))
	f := &zone.File{
		City: zone.City{ID: "c", Name: name, Timezone: "Asia/Damascus", Holidays: []zone.Holiday{
			{Name: name, From: zone.Date{Year: 2027, Month: 3, Day: 20}, To: zone.Date{Year: 2027, Month: 3, Day: 22}}}},
		Zones:           []zone.Zone{{ID: "z", Name: name, Contract: zone.Contract{PowerKW: 1e7, WaterM3PerD: 0.125, FuelLPerD: 3}}},
		Substations:     []zone.Substation{{ID: "s", Name: name, RatingMVA: 40}},
		Feeders:         []zone.Feeder{{ID: "null", Name: name, Zone: "z", From: "s", RatingA: 300}},
		PumpingStations: []zone.PumpingStation{{ID: "1e5", Name: name, CapacityM3H: 600}},
		WaterLines:      []zone.WaterLine{{ID: "007", Name: name, Zone: "z", From: "1e5"}},
		Tanks: []zone.Tank{{ID: "t", Name: name, Zone: "z", Plant: "p", Utility: meter.Fuel, Fuel: "diesel", CapacityM3: 3, DeadM3: 0.1, DensityKgM3: 835,
			Shape: zone.TankShape{Form: zone.HorizontalCylinder, DiameterM: 1, LengthM: 4, Strapping: []zone.Strapping{{}, {LevelMM: 1000, VolumeL: 3000}}}}},
		Plants: []zone.Plant{{ID: "p", Name: name, Zone: "z", Feeder: "null", WaterLine: "007", Sector: zone.Food, ContractKVA: 100, StandbyKW: 80,
			Requirement: zone.Requirement{PowerKW: 1, WaterM3PerD: 2, FuelLPerD: 3, VoltageMinPct: 88, VoltageMaxPct: 108, RideThroughS: 4, WaterM3H: 5, PressureBar: 6, HoldUpMin: 7},
			Shifts:      []zone.Shift{{Days: []zone.Weekday{0, 6}, From: 22 * 60, To: 24 * 60}, {From: 450}}}},
		Meters: []zone.Meter{{ID: "a:b.c-d", Zone: "z", Utility: meter.Electricity, At: "p", IntervalS: 0.5, Gateway: "true", NominalV: 230, Digits: 8, Backup: true, Serial: "0012 A", Replacements: []zone.Replacement{
			{At: start.UTC(), Serial: "11", Final: map[string]float64{"energy_import_kwh": 99812.4, "energy_export_kwh": 1e-7}, Initial: map[string]float64{"null": 2}},
			{At: start.UTC().Add(time.Hour), Serial: "0012 A"}}}},
		Rationing: []zone.Rationing{
			{ID: "r1", Feeders: []string{"null"}, RRule: "FREQ=DAILY;BYHOUR=17", Off: 90 * time.Minute, Stage: 2, ValidFrom: start, ValidTo: start.Add(time.Hour), Source: "https://a b"},
			{ID: "r2", Zone: "z", Cycle: zone.Cycle{Off: 4 * time.Hour, On: 2 * time.Hour, Anchor: start}},
			{ID: "r3", Zone: "z", Exempt: true}},
		Tankers: []zone.Tanker{{ID: "load-1", Tank: "t", ETA: start, VolumeL: 2000}},
	}
	got := reread(t, f)
	for _, r := range []*zone.Rationing{&got.Rationing[0], &f.Rationing[0]} {
		r.ValidFrom, r.ValidTo = r.ValidFrom.UTC(), r.ValidTo.UTC()
	}
	for _, anchor := range []*time.Time{&got.Rationing[1].Cycle.Anchor, &f.Rationing[1].Cycle.Anchor, &got.Tankers[0].ETA, &f.Tankers[0].ETA} {
		*anchor = anchor.UTC()
	}
	if !reflect.DeepEqual(got, f) {
		t.Errorf("got  %+v\nwant %+v", got, f)
	}
	for v, i := reflect.ValueOf(*f), 0; i < v.NumField(); i++ {
		if v.Field(i).IsZero() && v.Type().Field(i).Name != "MetersCSV" {
			t.Errorf("the city has no %s to try", v.Type().Field(i).Name)
		}
	}
}

// TestMarshalTogether adds a programme to a shipped city, as scenarios do.
func TestMarshalTogether(t *testing.T) {
	t.Parallel()
	f, err := ShippedFile("sheikh-najjar")
	if err != nil {
		t.Fatal(err)
	}
	f.Rationing = append(f.Rationing, zone.Rationing{ID: "evening", Zone: "sn-z1", RRule: "FREQ=DAILY;BYHOUR=17;BYMINUTE=0", Off: 4 * time.Hour})
	f.Tankers = append(f.Tankers, zone.Tanker{ID: "load", Tank: "sn-p009-t3", ETA: time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC), VolumeL: 15000})
	r, err := zone.New([]*zone.File{reread(t, f)})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rationing()) != 1 || len(r.Tankers()) != 1 || len(r.Meters()) != 400 {
		t.Errorf("%d rules, %d tankers, %d meters", len(r.Rationing()), len(r.Tankers()), len(r.Meters()))
	}
	if plan := r.Programme().Plan("sn-f08", time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC), 0); !plan.Off {
		t.Errorf("sn-f08 at 18:00: %+v", plan)
	}
}

func TestMarshalIsReadable(t *testing.T) {
	t.Parallel()
	text, err := MarshalRegistry(&zone.File{
		City:      zone.City{ID: "c", Name: zone.Name{En: "City", Ar: "مدينة"}},
		MetersCSV: []string{"city.meters.csv"},
		Rationing: []zone.Rationing{{ID: "r", Feeders: []string{"f1", "f2"}, RRule: "FREQ=DAILY", Off: 2 * time.Hour}},
	})
	want := strings.Join([]string{
		`city: {id: c, name: {en: City, ar: "مدينة"}}`,
		`rationing:`,
		`  - {id: r, feeders: [f1, f2], rrule: "FREQ=DAILY", off: 2h0m0s}`,
		`meters_csv:`,
		`  - "city.meters.csv"`, ``}, "\n")
	if err != nil || string(text) != want {
		t.Errorf("%v\n%s", err, text)
	}
}
