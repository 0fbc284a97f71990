package live_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/imdad-telemetry/imdad/collector/live"
	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// city has two zones. Feeder f1 feeds zone z1 and, through its branch f2, zone
// z2; f3 is a branch of f1 that stays in z1.
func city(t *testing.T) *zone.Registry {
	t.Helper()
	name := zone.Name{En: "x", Ar: "س"}
	plant := func(id, zoneID, feeder string, kw, m3d, lpd float64) zone.Plant {
		return zone.Plant{ID: id, Name: name, Zone: zoneID, Feeder: feeder, Sector: zone.Food, ContractKVA: 100,
			Requirement: zone.Requirement{PowerKW: kw, WaterM3PerD: m3d, FuelLPerD: lpd}}
	}
	at := func(id, zoneID string, u meter.Utility, object string) zone.Meter {
		return zone.Meter{ID: id, Zone: zoneID, Utility: u, At: object, IntervalS: 60}
	}
	r, err := zone.New([]*zone.File{{
		City:        zone.City{ID: "c", Name: name},
		Zones:       []zone.Zone{{ID: "z1", Name: name}, {ID: "z2", Name: name}},
		Substations: []zone.Substation{{ID: "ss", Name: name, RatingMVA: 30}},
		Feeders: []zone.Feeder{
			{ID: "f1", Name: name, Zone: "z1", From: "ss", RatingA: 400},
			{ID: "f2", Name: name, Zone: "z2", From: "f1", RatingA: 200},
			{ID: "f3", Name: name, Zone: "z1", From: "f1", RatingA: 200},
		},
		PumpingStations: []zone.PumpingStation{{ID: "ps", Name: name, CapacityM3H: 100}},
		WaterLines:      []zone.WaterLine{{ID: "w1", Name: name, Zone: "z1", From: "ps"}},
		Plants:          []zone.Plant{plant("p1", "z1", "f3", 300, 240, 0), plant("p2", "z2", "f2", 50, 0, 864)},
		Meters: []zone.Meter{
			at("mf1", "z1", meter.Electricity, "f1"), at("mf2", "z2", meter.Electricity, "f2"), at("mf3", "z1", meter.Electricity, "f3"),
			at("mp1", "z1", meter.Electricity, "p1"), at("mw1", "z1", meter.Water, "w1"),
			at("mp2", "z2", meter.Fuel, "p2"), at("mg2", "z2", meter.Generator, "p2"),
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// feed is a state with a clock and meters that talk to it.
type feed struct {
	*live.State
	now     time.Time
	catalog *meter.Catalog
}

func newFeed(r *zone.Registry) *feed {
	f := &feed{now: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC), catalog: meter.NewCatalog(1000)}
	f.State = live.New(r, func() time.Time { return f.now })
	return f
}

func (f *feed) say(zoneID string, u meter.Utility, id, register string, value float64, change ...func(*meter.Reading)) {
	r := meter.Reading{
		Series: f.catalog.Get(zoneID, u, id), Time: f.now.UnixMilli(),
		Values: []meter.Value{{Register: register, Value: value}},
	}
	for _, c := range change {
		c(&r)
	}
	f.Update(&r, f.now.UnixMilli())
}

func (f *feed) metrics(t *testing.T, want string, names ...string) {
	t.Helper()
	err := testutil.CollectAndCompare(live.NewSupplyCollector(f.State), strings.NewReader(want), names...)
	if err != nil {
		t.Error(err)
	}
}

func TestZoneBalances(t *testing.T) {
	t.Parallel()
	f := newFeed(city(t))
	f.say("z1", meter.Electricity, "mf1", "active_power_kw", 400)
	f.say("z2", meter.Electricity, "mf2", "active_power_kw", 60)
	f.say("z1", meter.Electricity, "mf3", "active_power_kw", 310)
	f.say("z1", meter.Electricity, "mp1", "active_power_kw", 300)
	f.say("z1", meter.Water, "mw1", "flow_m3h", 36)
	f.say("z2", meter.Fuel, "mp2", "flow_lph", 3600)
	f.say("z2", meter.Generator, "mg2", "active_power_kw", 20)
	f.metrics(t, `
# HELP imdad_supply_delivered_watts Power that reaches the zone, by the meters heard lately.
# TYPE imdad_supply_delivered_watts gauge
imdad_supply_delivered_watts{city="c",utility="electricity",zone="z1"} 340000
imdad_supply_delivered_watts{city="c",utility="electricity",zone="z2"} 60000
imdad_supply_delivered_watts{city="c",utility="generator",zone="z2"} 20000
# HELP imdad_supply_delivered_cubic_meters_per_second Water or fuel that reaches the zone, by the meters heard lately.
# TYPE imdad_supply_delivered_cubic_meters_per_second gauge
imdad_supply_delivered_cubic_meters_per_second{city="c",utility="fuel",zone="z2"} 0.001
imdad_supply_delivered_cubic_meters_per_second{city="c",utility="water",zone="z1"} 0.01
# HELP imdad_supply_required_watts Power that the zone's plants declare to need.
# TYPE imdad_supply_required_watts gauge
imdad_supply_required_watts{city="c",utility="electricity",zone="z1"} 300000
imdad_supply_required_watts{city="c",utility="electricity",zone="z2"} 50000
# HELP imdad_feeder_metered_watts Power through the meters of the feeder's plants that were heard lately.
# TYPE imdad_feeder_metered_watts gauge
imdad_feeder_metered_watts{city="c",feeder="f3",zone="z1"} 300000
`, "imdad_supply_delivered_watts", "imdad_supply_delivered_cubic_meters_per_second", "imdad_supply_required_watts", "imdad_feeder_metered_watts")
}

func TestSilenceIsUnknownNotZero(t *testing.T) {
	t.Parallel()
	f := newFeed(city(t))
	f.metrics(t, `
# HELP imdad_supply_heard_ratio Share of the zone's measured supply lines whose meter was heard lately.
# TYPE imdad_supply_heard_ratio gauge
imdad_supply_heard_ratio{city="c",utility="electricity",zone="z1"} 0
imdad_supply_heard_ratio{city="c",utility="electricity",zone="z2"} 0
imdad_supply_heard_ratio{city="c",utility="fuel",zone="z2"} 0
imdad_supply_heard_ratio{city="c",utility="generator",zone="z2"} 0
imdad_supply_heard_ratio{city="c",utility="water",zone="z1"} 0
`, "imdad_supply_delivered_watts", "imdad_supply_heard_ratio")

	f.say("z2", meter.Electricity, "mf2", "active_power_kw", 0)
	zero := `
# HELP imdad_supply_delivered_watts Power that reaches the zone, by the meters heard lately.
# TYPE imdad_supply_delivered_watts gauge
imdad_supply_delivered_watts{city="c",utility="electricity",zone="z2"} 0
`
	f.metrics(t, zero, "imdad_supply_delivered_watts")
	f.now = f.now.Add(3 * time.Minute)
	f.metrics(t, zero, "imdad_supply_delivered_watts")
	f.now = f.now.Add(time.Millisecond)
	f.metrics(t, "", "imdad_supply_delivered_watts")
}

func TestWhatIsNotNewsDoesNotCount(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*meter.Reading)
	}{
		{"backfill", func(r *meter.Reading) { r.Historical = true }},
		{"late", func(r *meter.Reading) { r.Quality = meter.Late }},
		{"older than the last", func(r *meter.Reading) { r.Time-- }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFeed(city(t))
			f.say("z2", meter.Electricity, "mf2", "active_power_kw", 60)
			f.say("z2", meter.Electricity, "mf2", "active_power_kw", 99, tt.change)
			for _, s := range first(f.Balances()) {
				if s.Zone == "z2" && s.Utility == meter.Electricity && s.Value != 60_000 {
					t.Errorf("delivered %v W, want 60000", s.Value)
				}
			}
		})
	}
}

func first[A, B any](a A, _ B) A { return a }

func TestCountsAndNewRegistry(t *testing.T) {
	t.Parallel()
	none, err := zone.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	f := newFeed(none)
	f.say("z2", meter.Electricity, "mf2", "active_power_kw", 60)
	f.say("z9", meter.Water, "who", "flow_m3h", 1)
	if got, want := f.Counts(), (live.Counts{Unregistered: 2}); got != want {
		t.Errorf("without a registry: %+v, want %+v", got, want)
	}
	f.SetRegistry(city(t))
	if got, want := f.Counts(), (live.Counts{Heard: 1, Silent: 6, Unregistered: 1}); got != want {
		t.Errorf("with a registry: %+v, want %+v", got, want)
	}
	f.metrics(t, `
# HELP imdad_supply_delivered_watts Power that reaches the zone, by the meters heard lately.
# TYPE imdad_supply_delivered_watts gauge
imdad_supply_delivered_watts{city="c",utility="electricity",zone="z2"} 60000
`, "imdad_supply_delivered_watts")
}

func TestMeterSeries(t *testing.T) {
	t.Parallel()
	f := newFeed(city(t))
	f.say("z1", meter.Electricity, "mf1", "active_power_kw", 400)
	f.say("z1", meter.Electricity, "mf1", "frequency_hz", 49.9)
	f.now = f.now.Add(10 * time.Minute)
	f.say("z1", meter.Water, "mw1", "flow_m3h", 36)
	config := live.DefaultConfig()
	compare := func(want string) {
		t.Helper()
		if err := testutil.CollectAndCompare(live.NewMeterCollector(f.State, config), strings.NewReader(want)); err != nil {
			t.Error(err)
		}
	}
	const heads = `
# HELP imdad_meter_last_seen_timestamp_seconds When the meter was last heard.
# TYPE imdad_meter_last_seen_timestamp_seconds gauge
%s# HELP imdad_meter_series_left_out Series left out of this page for want of room under metrics.max_series.
# TYPE imdad_meter_series_left_out gauge
imdad_meter_series_left_out %d
# HELP imdad_meter_value Last value of a register, in the unit its name ends with.
# TYPE imdad_meter_value gauge
%s`
	feederSeen := `imdad_meter_last_seen_timestamp_seconds{meter="mf1",utility="electricity",zone="z1"} 1.7954208e+09` + "\n"
	lineSeen := `imdad_meter_last_seen_timestamp_seconds{meter="mw1",utility="water",zone="z1"} 1.7954214e+09` + "\n"
	feeder := `imdad_meter_value{meter="mf1",register="active_power_kw",utility="electricity",zone="z1"} 400
imdad_meter_value{meter="mf1",register="frequency_hz",utility="electricity",zone="z1"} 49.9
`
	line := `imdad_meter_value{meter="mw1",register="flow_m3h",utility="water",zone="z1"} 36` + "\n"

	compare(fmt.Sprintf(heads, feederSeen+lineSeen, 0, feeder+line))
	config.MaxSeries = 4
	compare(fmt.Sprintf(heads, feederSeen, 2, feeder))
	config.MaxSeries = 100
	f.now = f.now.Add(6 * time.Minute) // the feeder has been silent for 16
	compare(fmt.Sprintf(heads, lineSeen, 0, line))
}

// TestMeterClocks tells the skew of meters whose clock is known, the median of
// three.
func TestMeterClocks(t *testing.T) {
	t.Parallel()
	f := newFeed(city(t))
	for _, ahead := range []time.Duration{7, 7, 6, 7} { // the first tells nothing: it may have come late
		f.now = f.now.Add(time.Minute)
		f.say("z1", meter.Electricity, "mf1", "active_power_kw", 400, func(r *meter.Reading) { r.Time += (ahead * time.Second).Milliseconds() })
		f.say("z1", meter.Electricity, "mf3", "active_power_kw", 400, func(r *meter.Reading) { r.Time -= (ahead * time.Second).Milliseconds() })
		f.say("z9", meter.Water, "stray", "flow_m3h", 1)
	}
	f.say("z1", meter.Water, "mw1", "flow_m3h", 36)
	want := `
# HELP imdad_meter_clock_skew_seconds How far the meter's clock is ahead of ours, median of its last three messages.
# TYPE imdad_meter_clock_skew_seconds gauge
imdad_meter_clock_skew_seconds{meter="mf1",utility="electricity",zone="z1"} 7
imdad_meter_clock_skew_seconds{meter="mf3",utility="electricity",zone="z1"} -7
`
	config := live.DefaultConfig()
	if err := testutil.CollectAndCompare(live.NewMeterCollector(f.State, config), strings.NewReader(want), "imdad_meter_clock_skew_seconds"); err != nil {
		t.Error(err)
	}
	config.MaxSeries = 3 // of one meter
	if n := testutil.CollectAndCount(live.NewMeterCollector(f.State, config)); n != 4 {
		t.Errorf("%d series, want those of a meter and what is left out", n)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	if err := live.DefaultConfig().Validate(); err != nil {
		t.Errorf("the default: %v", err)
	}
	err := live.Config{}.Validate()
	for _, key := range []string{"max_series: ", "expire: "} {
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("an empty configuration: %v does not mention %s", err, key)
		}
	}
}

func BenchmarkUpdate(b *testing.B) {
	none, err := zone.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	state := live.New(none, time.Now)
	catalog := meter.NewCatalog(10_000)
	var readings []meter.Reading
	for i := range 10_000 {
		r := meter.Reading{Series: catalog.Get("z", meter.Electricity, fmt.Sprint(i))}
		for _, name := range []string{"active_power_kw", "reactive_power_kvar", "energy_import_kwh", "voltage_l1_v", "current_l1_a", "frequency_hz", "power_factor"} {
			r.Values = append(r.Values, meter.Value{Register: name, Value: float64(i)})
		}
		readings = append(readings, r)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r := &readings[i%len(readings)]
		r.Time = int64(i)
		state.Update(r, int64(i))
	}
}

// BenchmarkScrape gathers /metrics/meters at 100,000 registers.
func BenchmarkScrape(b *testing.B) {
	none, err := zone.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	f := newFeed(none)
	f.catalog = meter.NewCatalog(20_000)
	for i := range 20_000 {
		for r := range 5 {
			f.say("z", meter.Electricity, fmt.Sprint(i), fmt.Sprintf("register_%d", r), 1)
		}
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(live.NewMeterCollector(f.State, live.Config{Meters: true, MaxSeries: 1 << 20, Expire: time.Hour}))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := registry.Gather(); err != nil {
			b.Fatal(err)
		}
	}
}

// TestStuckInParts: a meter that sends a register a message, and whose counter
// does not stand for the others' times, is as stuck as one that sends all at once.
func TestStuckInParts(t *testing.T) {
	t.Parallel()
	const volume, flow, pressure = "volume_m3", "flow_m3h", "pressure_bar"
	f, snap := newFeed(city(t)), snapshot.Snapshot{}
	unchanged := func() int {
		f.Snapshot(&snap)
		i, _ := snap.Registry.MeterIndex("z1", meter.Water, "mw1")
		return snap.Meters[i].Unchanged
	}
	round := func(counted float64) {
		f.now = f.now.Add(time.Minute)
		values := []meter.Value{{Register: flow, Value: 3.3}, {Register: pressure, Value: 2.1}}
		for _, change := range []func(*meter.Reading){
			func(r *meter.Reading) { r.Values = append(r.Values, values...) },
			func(r *meter.Reading) { r.Values = values },
			func(r *meter.Reading) { r.Values = []meter.Value{values[1], values[0]} },
		} {
			f.say("z1", meter.Water, "mw1", volume, counted, change)
			f.now = f.now.Add(time.Millisecond)
		}
	}
	for range 8 {
		round(700.1)
	}
	if got := unchanged(); got != 7 {
		t.Errorf("unchanged for %d intervals, want 7", got)
	}
	round(700.2)
	if got := unchanged(); got != 0 {
		t.Errorf("unchanged for %d intervals after the counter went on, want 0", got)
	}
}
