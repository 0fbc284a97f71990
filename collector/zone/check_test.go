package zone

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

func named() Name { return Name{"Name", "اسم"} }

// town is a small city without a mistake in it; tests break it.
func town() *File {
	return &File{
		City:            City{ID: "c", Name: named(), Timezone: "Asia/Damascus"},
		Zones:           []Zone{{ID: "zone-a", Name: named()}, {ID: "zone-b", Name: named()}},
		Substations:     []Substation{{"station", named(), 60}},
		Feeders:         []Feeder{{"feeder-1", named(), "zone-a", "station", 400}, {"feeder-2", named(), "zone-b", "feeder-1", 200}},
		PumpingStations: []PumpingStation{{"pumps", named(), 600}},
		WaterLines:      []WaterLine{{"main-1", named(), "zone-a", "pumps"}, {"main-2", named(), "zone-b", "main-1"}},
		Tanks: []Tank{
			{ID: "cistern", Name: named(), Zone: "zone-a", Utility: meter.Water, CapacityM3: 500},
			{ID: "oil", Name: named(), Zone: "zone-b", Plant: "mill", Utility: meter.Fuel, Fuel: "mazut", CapacityM3: 20},
		},
		Plants: []Plant{{ID: "mill", Name: named(), Zone: "zone-b", Feeder: "feeder-2", WaterLine: "main-2", Sector: Weaving, ContractKVA: 630}},
		Meters: []Meter{
			{ID: "m1", Zone: "zone-a", Utility: meter.Electricity, At: "feeder-1", IntervalS: 15},
			{ID: "m1", Zone: "zone-b", Utility: meter.Electricity, At: "mill", IntervalS: 0},
			{ID: "m1", Zone: "zone-b", Utility: meter.Fuel, At: "oil", IntervalS: 60},
			{ID: "m2", Zone: "zone-a", Utility: meter.Water, At: "cistern", IntervalS: 60},
			{ID: "m3", Zone: "zone-b", Utility: meter.Generator, At: "mill", IntervalS: 60},
		},
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		mutate func(f *File)
		want   string // "path: message", one a line
	}{
		{"nothing wrong", func(*File) {}, ""},
		{"the default time zone", func(f *File) { f.City.Timezone = "" }, ""},
		{"unknown time zone", func(f *File) { f.City.Timezone = "Aleppo" },
			`city.timezone: unknown time zone "Aleppo"; use an IANA name such as Asia/Damascus`},
		{"the machine's own time zone", func(f *File) { f.City.Timezone = "Local" },
			`city.timezone: unknown time zone "Local"; use an IANA name such as Asia/Damascus`},
		{"no Arabic name", func(f *File) { f.Plants[0].Name.Ar = "" },
			`plants[0].name.ar: missing; give the Arabic name`},
		{"no id", func(f *File) { f.Tanks[0].ID, f.Meters = "", nil },
			`tanks[0].id: missing; give an id`},
		{"bad id", func(f *File) {
			f.PumpingStations[0].ID = "a/b"
			f.WaterLines[0].From = "main-1x"
			f.WaterLines = f.WaterLines[:0]
			f.Plants[0].WaterLine = ""
		},
			`pumping_stations[0].id: "a/b" is no id; use 1 to 64 letters, digits and . _ : -, beginning with a letter or digit`},
		{"one id for two kinds", func(f *File) { f.Zones[1].ID = "station"; f.Zones = append(f.Zones, Zone{ID: "zone-b", Name: named()}) },
			`substations[0].id: "station" is already the id of a zone; ids are unique in the whole registry
feeders[0].from: "station" is a zone; a feeder comes from a substation or a feeder`},
		{"dangling, with a neighbour", func(f *File) { f.Plants[0].Feeder = "feeder-3" },
			`plants[0].feeder: there is no feeder with id "feeder-3"; did you mean "feeder-1"?`},
		{"dangling, without", func(f *File) { f.WaterLines[1].From = "elsewhere" },
			`water_lines[1].from: there is no pumping station or water line with id "elsewhere"; use pumps, main-1 or main-2`},
		{"wrong kind", func(f *File) { f.Feeders[1].From = "pumps" },
			`feeders[1].from: "pumps" is a pumping station; a feeder comes from a substation or a feeder`},
		{"feeder of itself", func(f *File) { f.Feeders[0].From = "feeder-1" },
			`feeders[0].from: feeds itself: feeder-1 → feeder-1; one of them must come from a substation`},
		{"two lines in a ring", func(f *File) { f.WaterLines[0].From = "main-2" },
			`water_lines[0].from: feeds itself: main-1 → main-2 → main-1; one of them must come from a pumping station`},
		{"negative rating", func(f *File) { f.Feeders[0].RatingA = -1 },
			`feeders[0].rating_a: -1 is impossible; give a number of 0 or more`},
		{"rating that is no number", func(f *File) { f.Substations[0].RatingMVA = math.NaN() },
			`substations[0].rating_mva: NaN is impossible; give a number of 0 or more`},
		{"infinite requirement", func(f *File) { f.Plants[0].Requirement.WaterM3PerD = math.Inf(1) },
			`plants[0].requirement.water_m3_per_day: +Inf is impossible; give a number of 0 or more`},
		{"unknown sector", func(f *File) { f.Plants[0].Sector = "ring_spining" },
			`plants[0].sector: unknown sector "ring_spining"; did you mean "ring_spinning"?`},
		{"unknown fuel", func(f *File) { f.Tanks[1].Fuel = "deisel" },
			`tanks[1].fuel: unknown fuel "deisel"; did you mean "diesel"?`},
		{"tank in another zone than its plant", func(f *File) { f.Tanks[1].Zone = "zone-a"; f.Meters[2].Zone = "zone-a" },
			`tanks[1].plant: plant "mill" lies in zone "zone-b", its tank in "zone-a"`},
		{"fuel in a water tank", func(f *File) { f.Tanks[0].Fuel = "mazut" },
			`tanks[0].fuel: a water tank holds no fuel; remove it, or say utility: fuel`},
		{"meter twice", func(f *File) { f.Meters = append(f.Meters, f.Meters[0]) },
			`meters[5].id: meter "m1" is listed twice for electricity in zone "zone-a"`},
		{"meter at the wrong kind of object", func(f *File) { f.Meters[0].At = "main-1" },
			`meters[0].at: "main-1" is a water line; an electricity meter stands at a substation, a feeder, a plant or a pumping station`},
		{"water meter at a fuel tank", func(f *File) { f.Meters[3].At = "oil" },
			`meters[3].at: tank "oil" holds fuel; a water meter cannot stand there`},
		{"meter with a negative interval", func(f *File) { f.Meters[0].IntervalS = -5 },
			`meters[0].interval_s: -5 is impossible; give the seconds between messages, above 0`},
		{"meter in another zone than its object", func(f *File) { f.Meters[0].Zone = "zone-b"; f.Meters[0].ID = "m9" },
			`meters[0].zone: feeder "feeder-1" lies in zone "zone-a", its meter in "zone-b"`},
		{"meter at what lies in no zone", func(f *File) { f.Meters[0].At = "station" }, ""},
		{"meter behind a gateway without a name", func(f *File) { f.Meters[0].Gateway = "gw 1" },
			`meters[0].gateway: "gw 1" is no id; use 1 to 64 letters, digits and . _ : -, beginning with a letter or digit`},
		{"meter of a negative voltage", func(f *File) { f.Meters[0].NominalV = -230 },
			`meters[0].nominal_v: -230 is impossible; give a number of 0 or more`},
		{"meter of no utility", func(f *File) { f.Meters[0].Utility = "steam" },
			`meters[0].utility: unknown utility "steam"; use electricity, water, fuel or generator`},
		{"long ids are cut in messages", func(f *File) { f.Meters[0].At = strings.Repeat("x", 500) },
			`meters[0].at: there is no substation, feeder, plant or pumping station with id "` + strings.Repeat("x", 80) + `"…; use station, feeder-1, feeder-2, mill or pumps`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := town()
			tt.mutate(f)
			var got []string
			for _, p := range Check([]*File{f}) {
				got = append(got, p.Path+": "+p.Message)
			}
			if text := strings.Join(got, "\n"); text != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", text, tt.want)
			}
		})
	}
}

func TestCheckAcrossFiles(t *testing.T) {
	t.Parallel()
	a, b := town(), &File{
		City:    City{ID: "d", Name: named()},
		Zones:   []Zone{{ID: "zone-a", Name: named()}, {ID: "zone-d", Name: named()}},
		Feeders: []Feeder{{"feeder-d", named(), "zone-b", "station", 0}},
	}
	got := Check([]*File{a, b})
	if len(got) != 2 {
		t.Fatalf("got %v", got)
	}
	if p := got[0]; p.Place != (Place{1, "zones[0].id"}) || p.See == nil || *p.See != (Place{0, "zones[0]"}) {
		t.Errorf("duplicate zone: %+v, see %+v", p, p.See)
	}
	if p := got[1]; p.Place != (Place{1, "feeders[0].zone"}) || p.Message != `zone "zone-b" belongs to city "c"; list this in that city's file` {
		t.Errorf("zone of another city: %+v", p)
	}
}

// TestCheckOtherCities has a second city reach into the first.
func TestCheckOtherCities(t *testing.T) {
	t.Parallel()
	hour := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	other := &File{
		City:        City{ID: "d", Name: named()},
		Zones:       []Zone{{ID: "zone-d", Name: named()}},
		Substations: []Substation{{"station-d", named(), 40}},
		Feeders:     []Feeder{{"feeder-d", named(), "zone-d", "station-d", 0}},
		Rationing:   []Rationing{{ID: "r", Feeders: []string{"feeder-d", "feeder-1"}, Exempt: true}, {ID: "s", Zone: "zone-a", Exempt: true}},
		Tankers:     []Tanker{{"load", "oil", hour, 9000}},
		Meters:      []Meter{{ID: "m", Zone: "zone-d", Utility: meter.Electricity, At: "station"}},
	}
	var got []string
	for _, p := range Check([]*File{other, town()}) {
		got = append(got, p.Path+": "+p.Message)
	}
	want := `rationing[0].feeders[1]: feeder "feeder-1" belongs to city "c"; list this in that city's file
rationing[1].zone: zone "zone-a" belongs to city "c"; list this in that city's file
tankers[0].tank: tank "oil" belongs to city "c"; list this in that city's file
meters[0].at: substation "station" belongs to city "c"; list this in that city's file`
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("got:\n%s\nwant:\n%s", text, want)
	}
}

// TestCheckStaysFastWhenAllIsWrong has every meter dangling among many
// objects: hints are bounded, so this takes no time to speak of.
func TestCheckStaysFastWhenAllIsWrong(t *testing.T) {
	t.Parallel()
	f := town()
	for range 20_000 {
		f.Meters = append(f.Meters, Meter{ID: "x", Zone: "zone-a", Utility: meter.Water, At: "nowhere-at-all"})
	}
	for i := range 20_000 {
		f.Plants = append(f.Plants, Plant{ID: "plant-" + string(rune('a'+i%26)) + strings.Repeat("x", i%40), Name: named()})
	}
	if got := len(Check([]*File{f})); got < 40_000 {
		t.Errorf("only %d problems", got)
	}
}

func BenchmarkCheck(b *testing.B) {
	f := town()
	f.Meters = manyMeters(100_000)
	for b.Loop() {
		if p := Check([]*File{f}); p != nil {
			b.Fatal(p[0])
		}
	}
}
