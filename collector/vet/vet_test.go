package vet_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/vet"
)

var received = time.Date(2026, 11, 23, 8, 15, 0, 0, time.UTC).UnixMilli()

func series(i int) *meter.Series {
	return &meter.Series{Zone: "z", Utility: meter.Electricity, Meter: fmt.Sprintf("m%d", i), Index: i}
}

func power(kw float64) []meter.Value { return []meter.Value{{Register: "active_power_kw", Value: kw}} }

const (
	minute = 60_000
	hour   = 60 * minute
)

func TestClock(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		device       int64
		quality      meter.Quality
		wantTime     int64
		wantInvalid  bool
		givenQuality meter.Quality
	}{
		{"now", received, meter.Good, received, false, meter.Good},
		{"an hour ago", received - hour, meter.Good, received - hour, false, meter.Good},
		{"more than an hour ago", received - hour - 1, meter.Late, received - hour - 1, false, meter.Good},
		{"late and suspect", received - 2*hour, meter.Suspect, received - 2*hour, false, meter.Suspect},
		{"late and estimated", received - 2*hour, meter.Late, received - 2*hour, false, meter.Estimated},
		{"five minutes ahead", received + 5*minute, meter.Good, received + 5*minute, false, meter.Good},
		{"further ahead", received + 5*minute + 1, meter.ClockInvalid, received, true, meter.Good},
		{"1970", 1234, meter.ClockInvalid, received, true, meter.Good},
		{"the epoch itself", 0, meter.ClockInvalid, received, true, meter.Good},
		{"last millisecond of 1999", 946684799999, meter.ClockInvalid, received, true, meter.Good},
		{"first of 2000", 946684800000, meter.Late, 946684800000, false, meter.Good},
		{"before all time", math.MinInt64, meter.ClockInvalid, received, true, meter.Good},
		{"after all time", math.MaxInt64, meter.ClockInvalid, received, true, meter.Good},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := meter.Reading{Series: series(0), Time: tt.device, Values: power(1), Quality: tt.givenQuality}
			verdict, _ := vet.New(nil).Check(&r, received, nil)
			if verdict != vet.Store || r.Quality != tt.quality || r.Time != tt.wantTime {
				t.Errorf("verdict %d, quality %s, time %d; want stored, %s, %d", verdict, r.Quality, r.Time, tt.quality, tt.wantTime)
			}
			if r.Stamped != tt.wantInvalid || tt.wantInvalid && r.DeviceTime != tt.device {
				t.Errorf("stamped %v, device time %d, want %v, %d", r.Stamped, r.DeviceTime, tt.wantInvalid, tt.device)
			}
		})
	}
}

// What the meter's clock said is kept also where another quality is worse.
func TestClockAndRange(t *testing.T) {
	t.Parallel()
	r := meter.Reading{Series: series(0), Time: 1234, Values: []meter.Value{{Register: "frequency_hz", Value: -1}}}
	vet.New(nil).Check(&r, received, nil)
	if r.Quality != meter.OutOfRange || !r.Stamped || r.DeviceTime != 1234 || r.Time != received {
		t.Errorf("%+v", r)
	}
}

func TestRange(t *testing.T) {
	t.Parallel()
	tests := []struct {
		register string
		value    float64
		inside   bool
	}{
		{"active_power_kw", -500, true},
		{"active_power_kw", 2e6, false},
		{"energy_import_kwh", -1, false},
		{"energy_import_kwh", 1e9, true},
		{"voltage_l1_v", 0, true},
		{"voltage_l1_v", -1, false},
		{"voltage_l12_v", 20_000, true},
		{"frequency_hz", 49.9, true},
		{"frequency_hz", 500, false},
		{"power_factor", 1.01, false},
		{"pressure_bar", -0.5, true},
		{"pressure_bar", 1000, false},
		{"flow_m3h", -3, true},
		{"temperature_c", -61, false},
		{"running", 2, false},
		{"run_hours_h", -1, false},
		{"anything_else", 1e300, true},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.register, tt.value), func(t *testing.T) {
			t.Parallel()
			r := meter.Reading{Series: series(0), Time: received, Values: []meter.Value{{Register: tt.register, Value: tt.value}}}
			verdict, _ := vet.New(nil).Check(&r, received, nil)
			if verdict != vet.Store {
				t.Errorf("verdict %d: nothing is refused for its value", verdict)
			}
			if inside := r.Quality != meter.OutOfRange; inside != tt.inside {
				t.Errorf("inside = %v, want %v", inside, tt.inside)
			}
		})
	}
}

// step is one reading in a story about duplicates.
type step struct {
	meter   int
	time    int64
	seq     int64 // 0: none
	values  []meter.Value
	verdict vet.Verdict
}

func TestDuplicates(t *testing.T) {
	t.Parallel()
	pq := []meter.Value{{Register: "active_power_kw", Value: 1}, {Register: "reactive_power_kvar", Value: 2}}
	qp := []meter.Value{pq[1], pq[0]}
	swapped := []meter.Value{{Register: "active_power_kw", Value: 2}, {Register: "reactive_power_kvar", Value: 1}}
	tests := []struct {
		name  string
		steps []step
	}{
		{"the same again", []step{{0, received, 0, power(1), vet.Store}, {0, received, 0, power(1), vet.Duplicate}}},
		{"another meter", []step{{0, received, 0, power(1), vet.Store}, {1, received, 0, power(1), vet.Store}}},
		{"another time", []step{{0, received, 0, power(1), vet.Store}, {0, received - 1, 0, power(1), vet.Store}}},
		{"another value, and back", []step{
			{0, received, 0, power(1), vet.Store}, {0, received, 0, power(2), vet.Conflict}, {0, received, 0, power(1), vet.Conflict}}},
		{"other registers merge", []step{
			{0, received, 0, power(1), vet.Store}, {0, received, 0, pq, vet.Store},
			{0, received, 0, power(1), vet.Duplicate}, {0, received, 0, pq, vet.Duplicate}}},
		{"registers in another order", []step{{0, received, 0, pq, vet.Store}, {0, received, 0, qp, vet.Duplicate}}},
		{"values that changed places", []step{{0, received, 0, pq, vet.Store}, {0, received, 0, swapped, vet.Conflict}}},
		{"minus zero is zero", []step{{0, received, 0, power(0), vet.Store}, {0, received, 0, power(math.Copysign(0, -1)), vet.Duplicate}}},
		{"a clock that stands still", []step{{0, 0, 0, power(1), vet.Store}, {0, 0, 0, power(1), vet.Store}}},
		{"a clock that stands still, numbered", []step{
			{0, 0, 1, power(1), vet.Store}, {0, 0, 2, power(1), vet.Store}, {0, 0, 1, power(1), vet.Duplicate}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := vet.New(nil)
			var prints []byte
			for i, s := range tt.steps {
				before := len(prints)
				r := meter.Reading{Series: series(s.meter), Time: s.time, Seq: s.seq, HasSeq: s.seq != 0, Values: s.values}
				var verdict vet.Verdict
				verdict, prints = v.Check(&r, received, prints)
				if verdict != s.verdict {
					t.Errorf("step %d: verdict %d, want %d", i, verdict, s.verdict)
				}
				if grown := len(prints) - before; (verdict == vet.Duplicate) != (grown == 0) {
					t.Errorf("step %d: verdict %d left %d bytes of fingerprint", i, verdict, grown)
				}
			}
		})
	}
}

// Two messages without a time may come in one millisecond, and neither replaces
// the other.
func TestTimesOfReceiptAreUnique(t *testing.T) {
	t.Parallel()
	v := vet.New(nil)
	for i, kw := range []float64{1, 2, 1, 1} {
		r := meter.Reading{Series: series(0), Time: received, Received: true, Values: power(kw)}
		verdict, _ := v.Check(&r, received, nil)
		if verdict != vet.Store || r.Time != received+int64(i) || r.Stamped || r.Quality != meter.Good {
			t.Errorf("message %d: verdict %d, %+v", i, verdict, r)
		}
	}
}

func TestStampsAreUnique(t *testing.T) {
	t.Parallel()
	v := vet.New(nil)
	seen := make(map[int64]bool)
	for range 100 {
		r := meter.Reading{Series: series(0), Time: 0, Values: power(1)}
		v.Check(&r, received, nil)
		if seen[r.Time] {
			t.Fatalf("time %d given twice", r.Time)
		}
		seen[r.Time] = true
	}
}

// A restarted collector must know what an earlier life had stored, whatever
// the order in which it meets the meters.
func TestFingerprintsSurviveRestart(t *testing.T) {
	t.Parallel()
	first := vet.New(nil)
	var prints []byte
	for i := range 50 {
		r := meter.Reading{Series: series(i), Time: received, Values: power(float64(i))}
		_, prints = first.Check(&r, received, prints)
	}
	second := vet.New(nil)
	if err := second.Load(prints, received); err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		s := series(i)
		s.Index = 49 - i
		r := meter.Reading{Series: s, Time: received, Values: power(float64(i))}
		if verdict, _ := second.Check(&r, received, nil); verdict != vet.Duplicate {
			t.Errorf("meter %d: verdict %d, want duplicate", i, verdict)
		}
	}
	if err := second.Load(prints[:17], received); err == nil {
		t.Error("half a fingerprint was taken")
	}
}

func TestMemoryIsBoundedAndKeepsTheWindow(t *testing.T) {
	t.Parallel()
	v := vet.New(nil)
	check := func(at int64, i int) vet.Verdict {
		r := meter.Reading{Series: series(0), Time: received, Values: power(float64(i))}
		r.Time -= int64(i)
		verdict, _ := v.Check(&r, at, nil)
		return verdict
	}
	check(received, 1)
	if got := check(received+vet.Window.Milliseconds(), 1); got != vet.Duplicate {
		t.Errorf("within the window: verdict %d, want duplicate", got)
	}
	for i := range vet.MaxRemembered + 2 {
		check(received, 100+i)
	}
	if got := check(received, 1); got == vet.Duplicate {
		t.Error("the first reading is still remembered: the memory has no bound")
	}
	if got := check(received, 100+vet.MaxRemembered); got != vet.Duplicate {
		t.Errorf("a recent reading: verdict %d, want duplicate", got)
	}
}

func BenchmarkCheck(b *testing.B) {
	v := vet.New(nil)
	values := []meter.Value{
		{Register: "active_power_kw", Value: 431.2}, {Register: "reactive_power_kvar", Value: 120.5},
		{Register: "energy_import_kwh", Value: 1283445.75}, {Register: "voltage_l1_v", Value: 229.8},
		{Register: "current_l1_a", Value: 612.4}, {Register: "frequency_hz", Value: 49.98}, {Register: "power_factor", Value: 0.92},
	}
	prints := make([]byte, 0, 1<<20)
	b.ReportAllocs()
	s := series(0)
	for i := 0; b.Loop(); i++ {
		r := meter.Reading{Series: s, Time: received + int64(i), Values: values}
		if _, prints = v.Check(&r, r.Time, prints); len(prints) > 1<<19 {
			prints = prints[:0]
		}
	}
}
