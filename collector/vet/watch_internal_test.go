package vet

import (
	"testing"
	"unsafe"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// A hundred thousand meters must stay far below 10 MB.
func TestWatchedIsSmall(t *testing.T) {
	t.Parallel()
	if size := unsafe.Sizeof(watched{}); size > 56 {
		t.Errorf("%d bytes a meter", size)
	}
	if size := unsafe.Sizeof(jumps{}); size > 24 {
		t.Errorf("%d bytes more where something may jump", size)
	}
}

func TestDecimals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		v    float64
		want int
		last float64
	}{
		{230, 0, 10}, {231, 0, 1}, {1_284_300, 0, 100}, {230.1, 1, 0.1}, {229.83, 2, 0.01}, {50.012, 3, 0.001}, {0.0001, 4, 0.0001}, {0, 0, 1},
		{float64(float32(229.83)), 2, 0.01}, {float64(float32(4.029)), 3, 0.001}, {1283445.75, 2, 0.01},
		{50 * 0.0689475729, mostDecimals + 1, 1}, {229.8374176, mostDecimals + 1, 1},
	} {
		if got := decimals(tt.v); got != tt.want {
			t.Errorf("%v shows %d decimals, want %d", tt.v, got, tt.want)
		}
		if got := lastDigit(tt.v); got != tt.last {
			t.Errorf("the last digit of %v is %v, want %v", tt.v, got, tt.last)
		}
	}
}

func benchmarkWatch(b *testing.B, values []meter.Value, change ...int) {
	b.Helper()
	d := &device{series: &meter.Series{Utility: meter.Electricity}, found: new(findings)}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		for _, at := range change {
			values[at].Value += 0.01
		}
		r := meter.Reading{Time: int64(1+i) * 60_000, Values: values}
		d.watch(&r)
	}
}

func BenchmarkWatchElectric(b *testing.B) {
	benchmarkWatch(b, []meter.Value{
		{Register: "active_power_kw", Value: 431.2}, {Register: "reactive_power_kvar", Value: 120.5}, {Register: "energy_import_kwh", Value: 1283445.75},
		{Register: "voltage_l1_v", Value: 229.83}, {Register: "voltage_l2_v", Value: 229.93}, {Register: "voltage_l3_v", Value: 229.73},
		{Register: "current_l1_a", Value: 612.4}, {Register: "current_l2_a", Value: 612.4}, {Register: "current_l3_a", Value: 612.4},
		{Register: "frequency_hz", Value: 49.98}, {Register: "power_factor", Value: 0.92}, {Register: "demand_kw", Value: 430},
	}, 2, 3)
}

func BenchmarkWatchWater(b *testing.B) {
	benchmarkWatch(b, []meter.Value{
		{Register: "volume_m3", Value: 1000}, {Register: "flow_m3h", Value: 36}, {Register: "pressure_bar", Value: 3.4}, {Register: "temperature_c", Value: 18},
	}, 0, 2)
}

// A meter without load, in whole volts.
func BenchmarkWatchIdle(b *testing.B) {
	benchmarkWatch(b, []meter.Value{
		{Register: "active_power_kw", Value: 0}, {Register: "energy_import_kwh", Value: 1283445.75},
		{Register: "voltage_l1_v", Value: 230}, {Register: "voltage_l2_v", Value: 230}, {Register: "voltage_l3_v", Value: 231},
		{Register: "current_l1_a", Value: 0}, {Register: "current_l2_a", Value: 0}, {Register: "current_l3_a", Value: 0}, {Register: "frequency_hz", Value: 50},
	})
}
