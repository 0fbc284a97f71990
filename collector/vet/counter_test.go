package vet_test

import (
	"math"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/vet"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

const block = vet.BlockMS

// quarter is a time on the edge of a block.
var quarter = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC).UnixMilli()

// mill is a registry of one electricity meter m0 in zone z, read each minute,
// at a plant of a contract.
func mill(t testing.TB, kva float64, digits int, replacements ...zone.Replacement) *zone.Registry {
	t.Helper()
	return every(t, minute, kva, digits, replacements...)
}

// every is the same, read each so many ms.
func every(t testing.TB, ms int64, kva float64, digits int, replacements ...zone.Replacement) *zone.Registry {
	t.Helper()
	name := zone.Name{En: "a", Ar: "ا"}
	r, err := zone.New([]*zone.File{{
		City: zone.City{ID: "c", Name: name}, Zones: []zone.Zone{{ID: "z", Name: name}},
		Substations: []zone.Substation{{ID: "s", Name: name, RatingMVA: 40}},
		Feeders:     []zone.Feeder{{ID: "f", Name: name, Zone: "z", From: "s", RatingA: 400}},
		Plants:      []zone.Plant{{ID: "p", Name: name, Zone: "z", Feeder: "f", Sector: zone.Weaving, ContractKVA: kva}},
		Meters: []zone.Meter{{
			ID: "m0", Zone: "z", Utility: meter.Electricity, At: "p", IntervalS: float64(ms) / 1000, Digits: digits, Replacements: replacements,
		}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// stream is one register of one meter, vetted.
type stream struct {
	vetter   *vet.Vetter
	series   *meter.Series
	register string
	blocks   map[int64]vet.Interval // the latest of each, by its start
	emitted  int
}

func newStream(r *zone.Registry) *stream {
	return &stream{vetter: vet.New(r), series: series(0), register: "energy_import_kwh", blocks: make(map[int64]vet.Interval)}
}

// send passes a value on and gives the reading as it was judged.
func (s *stream) send(t testing.TB, time int64, value float64) meter.Reading {
	t.Helper()
	r := meter.Reading{Series: s.series, Time: time, Values: []meter.Value{{Register: s.register, Value: value}}}
	verdict, _ := s.vetter.Check(&r, time, nil)
	s.take(t)
	if verdict == vet.Duplicate && len(s.vetter.Intervals()) > 0 {
		t.Fatal("a duplicate brought out blocks")
	}
	return r
}

// take checks and keeps the blocks that came out.
func (s *stream) take(t testing.TB) {
	t.Helper()
	for _, b := range s.vetter.Intervals() {
		if b.Series != s.series || b.Register != s.register || b.Start%block != 0 || !(b.Amount >= 0) || math.IsInf(b.Amount, 0) ||
			(b.Quality == meter.Good) != (b.Reason == "") {
			t.Fatalf("a block %+v", b)
		}
		s.blocks[b.Start] = b
		s.emitted++
	}
}

// sum adds all blocks.
func (s *stream) sum() float64 {
	sum := 0.0
	for _, b := range s.blocks {
		sum += b.Amount
	}
	return sum
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*(1+math.Abs(a)+math.Abs(b)) }

// at is a reading so many ms from quarter.
type at struct {
	ms    int64
	value float64
}

// A meter without a clock counts on while its messages wait in the broker; they
// then come within moments. At most what can pass in the pause is believed.
func TestCounterLump(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		garbage float64
		total   float64
	}{{"all of it counts", 0, 5305}, {"but no garbage", 1000, 5300}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStream(mill(t, 600, 6)) // 10 kWh a minute
			s.send(t, quarter, 5000)
			for i := range int64(60) {
				s.send(t, quarter+60*minute+i, 5005+5*float64(i))
			}
			s.send(t, quarter+61*minute, 5305+tt.garbage)
			s.send(t, quarter+75*minute, 5305+tt.garbage)
			if b := s.blocks[quarter+4*block]; !near(b.Total, tt.total) {
				t.Errorf("the total is %v, want %v", b.Total, tt.total)
			}
		})
	}
}

func TestCounterRules(t *testing.T) {
	t.Parallel()
	exchange := func(ms int64, final, initial map[string]float64) zone.Replacement {
		return zone.Replacement{At: time.UnixMilli(quarter + ms), Serial: "n", Final: final, Initial: initial}
	}
	kwh := func(v float64) map[string]float64 { return map[string]float64{"energy_import_kwh": v} }
	anybody := func(testing.TB) *zone.Registry { return nil }
	rated := func(t testing.TB) *zone.Registry { return mill(t, 600, 6) } // 10 kWh a minute
	tests := []struct {
		name     string
		registry func(testing.TB) *zone.Registry
		readings []at
		quality  meter.Quality // of the last reading
		reason   string
		amount   float64 // of the block
		block    meter.Quality
		why      string
		total    float64
	}{
		{"goes on", rated, []at{{0, 100}, {minute, 105}}, meter.Good, "", 5, meter.Good, "", 105},
		{"rolls over", rated, []at{{0, 999_995}, {minute, 3}}, meter.Good, "rollover", 8, meter.Good, "", 1_000_003},
		{"digits unknown: no rollover", anybody, []at{{0, 999_995}, {minute, 3}}, meter.Reset, "reset", 0, meter.Missing, "reset", 999_995},
		{"reset", rated, []at{{0, 5000}, {minute, 2}}, meter.Reset, "reset", 2, meter.Reset, "reset", 5002},
		{"reset to too much", rated, []at{{0, 5000}, {minute, 500}}, meter.Reset, "reset", 0, meter.Missing, "reset", 5000},
		{"reset, no rating", anybody, []at{{0, 5000}, {minute, 2}}, meter.Reset, "reset", 0, meter.Missing, "reset", 5000},
		{"dip", rated, []at{{0, 5000}, {minute, 4990}}, meter.Suspect, "dip", 0, meter.Good, "", 5000},
		{"dip and on", rated, []at{{0, 5000}, {minute, 4990}, {2 * minute, 5001}}, meter.Good, "", 1, meter.Good, "", 5001},
		{"implausible", rated, []at{{0, 5000}, {minute, 5016}}, meter.Suspect, "implausible", 0, meter.Missing, "implausible", 5000},
		{"implausible for any meter", anybody, []at{{0, 5000}, {minute, 99_999_999}}, meter.Suspect, "implausible", 0, meter.Missing, "implausible", 5000},
		{"just plausible", rated, []at{{0, 5000}, {minute, 5015}}, meter.Good, "", 15, meter.Good, "", 5015},
		{"implausible, and it was true", rated, []at{{0, 5000}, {minute, 6000}, {2 * minute, 6004}, {3 * minute, 6005}},
			meter.Good, "", 5, meter.Missing, "implausible", 5005},
		{"one wrong value", rated, []at{{0, 5000}, {minute, 6000}, {2 * minute, 5010}, {3 * minute, 5015}},
			meter.Good, "", 15, meter.Missing, "implausible", 5015},
		{"one zero", anybody, []at{{0, 5000}, {minute, 0}, {2 * minute, 5010}, {3 * minute, 5015}},
			meter.Good, "", 15, meter.Missing, "reset", 5015},
		{"zero, and again", rated, []at{{0, 5000}, {minute, 0}, {2 * minute, 0}, {3 * minute, 5010}},
			meter.Good, "", 10, meter.Reset, "reset", 5010},
		{"nearly zero, once", rated, []at{{0, 5000}, {minute, 3}, {2 * minute, 5010}, {3 * minute, 5015}},
			meter.Good, "", 15, meter.Reset, "reset", 5015},
		{"a small counter, reset, overtakes itself", rated, []at{{0, 4}, {minute, 1}, {2 * minute, 5}},
			meter.Good, "", 5, meter.Reset, "reset", 9},
		{"whole units", rated, []at{{0, 5000}, {minute, 5000}, {2 * minute, 5000}, {3 * minute, 5040}},
			meter.Good, "", 40, meter.Good, "", 5040},
		{"the clock is set back", rated, []at{{0, 5000}, {5 * minute, 5009}, {minute, 5018}, {4 * minute, 5045}, {6 * minute, 5063}},
			meter.Good, "", 63, meter.Good, "", 5063},
		{"the clock is set back, and garbage", rated, []at{{0, 5000}, {5 * minute, 5009}, {minute, 5018}, {6 * minute, 5963}},
			meter.Suspect, "implausible", 9, meter.Missing, "implausible", 5009},
		{"late, and from before a reset", rated, []at{{0, 5000}, {2 * minute, 2}, {minute, 5005}, {3 * minute, 50}},
			meter.Suspect, "implausible", 2, meter.Missing, "implausible", 5002},
		{"replaced, both known", func(t testing.TB) *zone.Registry { return mill(t, 600, 6, exchange(minute/2, kwh(5004), kwh(20))) },
			[]at{{0, 5000}, {minute, 23}}, meter.Reset, "replaced", 7, meter.Reset, "replaced", 5007},
		{"replaced by one that shows more", func(t testing.TB) *zone.Registry { return mill(t, 600, 6, exchange(minute/2, kwh(5004), kwh(70_000))) },
			[]at{{0, 5000}, {minute, 70_003}}, meter.Reset, "replaced", 7, meter.Reset, "replaced", 5007},
		{"replaced at the time of the reading", func(t testing.TB) *zone.Registry { return mill(t, 600, 6, exchange(minute, kwh(5004), kwh(20))) },
			[]at{{0, 5000}, {minute, 23}}, meter.Reset, "replaced", 7, meter.Reset, "replaced", 5007},
		{"replaced, the new one known", func(t testing.TB) *zone.Registry { return mill(t, 600, 6, exchange(minute/2, nil, kwh(20))) },
			[]at{{0, 5000}, {minute, 23}}, meter.Reset, "replaced", 3, meter.Missing, "replaced", 5003},
		{"replaced, the old one known", func(t testing.TB) *zone.Registry { return mill(t, 600, 6, exchange(minute/2, kwh(5004), nil)) },
			[]at{{0, 5000}, {minute, 23}}, meter.Reset, "replaced", 4, meter.Missing, "replaced", 5004},
		{"replaced, nothing known", func(t testing.TB) *zone.Registry { return mill(t, 600, 6, exchange(minute/2, nil, nil)) },
			[]at{{0, 5000}, {minute, 23}}, meter.Reset, "replaced", 0, meter.Missing, "replaced", 5000},
		{"replaced, misread", func(t testing.TB) *zone.Registry { return mill(t, 600, 6, exchange(minute/2, kwh(50_040), kwh(20))) },
			[]at{{0, 5000}, {minute, 23}}, meter.Reset, "replaced", 0, meter.Missing, "replaced", 5000},
		{"replaced, read backwards", func(t testing.TB) *zone.Registry { return mill(t, 600, 6, exchange(minute/2, kwh(4000), kwh(40))) },
			[]at{{0, 5000}, {minute, 23}}, meter.Reset, "replaced", 0, meter.Missing, "replaced", 5000},
		{"replaced twice", func(t testing.TB) *zone.Registry {
			return mill(t, 600, 6, exchange(minute/3, kwh(5001), kwh(0)), exchange(minute/2, kwh(2), kwh(700)))
		}, []at{{0, 5000}, {minute, 703}}, meter.Reset, "replaced", 6, meter.Reset, "replaced", 5006},
		{"replaced after a reset, by one that shows more", func(t testing.TB) *zone.Registry { return mill(t, 0, 0, exchange(3*minute/2, kwh(3), nil)) },
			[]at{{0, 5000}, {minute, 0}, {2 * minute, 5010}}, meter.Reset, "replaced", 3, meter.Missing, "reset", 5003},
		{"replaced before", func(t testing.TB) *zone.Registry { return mill(t, 600, 6, exchange(-minute, kwh(5004), kwh(20))) },
			[]at{{0, 5000}, {minute, 5001}}, meter.Good, "", 1, meter.Good, "", 5001},
		{"what no float counts in moves nothing", anybody, []at{{0, 5000}, {minute, 2e15}}, meter.OutOfRange, "", 0, meter.Good, "", 5000},
		{"negative values move nothing", anybody, []at{{0, 5000}, {minute, -3}}, meter.OutOfRange, "", 0, meter.Good, "", 5000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStream(tt.registry(t))
			var r meter.Reading
			for _, x := range tt.readings {
				r = s.send(t, quarter+x.ms, x.value)
			}
			if r.Quality != tt.quality || r.Reason != tt.reason {
				t.Errorf("the reading is %s for %q, want %s for %q", r.Quality, r.Reason, tt.quality, tt.reason)
			}
			last := r.Values[0].Value
			if tt.reason == "dip" || tt.quality == meter.OutOfRange {
				last = tt.readings[0].value
			}
			for ms := tt.readings[len(tt.readings)-1].ms + minute; ms <= block; ms += minute {
				s.send(t, quarter+ms, last)
			}
			b := s.blocks[quarter]
			if len(s.blocks) != 1 || !near(b.Amount, tt.amount) || b.Quality != tt.block || b.Reason != tt.why || !near(b.Total, tt.total) {
				t.Errorf("%d blocks, %+v; want %v, %s for %q, total %v", len(s.blocks), b, tt.amount, tt.block, tt.why, tt.total)
			}
			if raw := last - tt.readings[0].value; !near(b.Raw, raw) {
				t.Errorf("raw %v, want %v", b.Raw, raw)
			}
		})
	}
}

func TestWhichRegistersCount(t *testing.T) {
	t.Parallel()
	tests := []struct {
		utility  meter.Utility
		register string
		counts   bool
	}{
		{meter.Electricity, "energy_import_kwh", true},
		{meter.Electricity, "energy_export_l1_kwh", true},
		{meter.Electricity, "reactive_energy_import_kvarh", true},
		{meter.Electricity, "apparent_energy_kvah", true},
		{meter.Electricity, "total_energy_consumption_kwh", true},
		{meter.Electricity, "energy_today_kwh", false},
		{meter.Electricity, "energy_yesterday_kwh", false},
		{meter.Electricity, "energy_period_kwh", false},
		{meter.Electricity, "active_power_kw", false},
		{meter.Water, "volume_m3", true},
		{meter.Fuel, "volume_m3", false},
		{meter.Water, "tank_volume_m3", false},
		{meter.Fuel, "volume_l", false},
		{meter.Fuel, "volume15_l", false},
		{meter.Fuel, "consumed_l", true},
		{meter.Fuel, "delivered_l", true},
		{meter.Generator, "run_hours_h", true},
	}
	for _, tt := range tests {
		t.Run(string(tt.utility)+" "+tt.register, func(t *testing.T) {
			t.Parallel()
			s := newStream(nil)
			s.series.Utility, s.register = tt.utility, tt.register
			for i := range 16 {
				s.send(t, quarter+int64(i)*minute, float64(i))
			}
			if got := len(s.blocks) == 1; got != tt.counts {
				t.Errorf("counts: %v", got)
			}
		})
	}
}

func TestFindings(t *testing.T) {
	t.Parallel()
	s := newStream(mill(t, 600, 6))
	for i, value := range []float64{999_990, 999_995, 2, 7, 1, 2, 500, 504, 400, 460} {
		s.send(t, quarter+int64(i)*minute, value)
	}
	found := s.vetter.Findings()
	for name, want := range map[string]int64{"rollover": 1, "reset": 2, "implausible": 2, "dip": 0, "replaced": 0} {
		if n, ok := found[name]; n != want || !ok {
			t.Errorf("%d of %s, want %d", n, name, want)
		}
	}
}

// A reading outside its range moves no counter; one whose clock is dead does,
// at the time of receipt.
func TestWhatMovesCounters(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		time   int64
		hz     float64
		amount float64
	}{
		{"a good reading", quarter + 5*minute, 50, 9},
		{"another register out of range", quarter + 5*minute, 500, 0},
		{"a dead clock", 0, 50, 9},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStream(nil)
			s.send(t, quarter, 100)
			r := meter.Reading{Series: s.series, Time: tt.time, Values: []meter.Value{
				{Register: s.register, Value: 109}, {Register: "frequency_hz", Value: tt.hz}}}
			s.vetter.Check(&r, quarter+5*minute, nil)
			s.send(t, quarter+10*minute, 100+tt.amount) // after a reading that did not count, it stands still
			s.send(t, quarter+block, 100+tt.amount)
			if b := s.blocks[quarter]; b.Amount != tt.amount {
				t.Errorf("%+v, want %v", b, tt.amount)
			}
		})
	}
}
