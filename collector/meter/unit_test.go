package meter_test

import (
	"math"
	"strings"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

func TestUnitsConvert(t *testing.T) {
	t.Parallel()
	tests := []struct {
		from, to    string
		value, want float64
	}{
		{"W", "kW", 431200, 431.2},
		{"MW", "kW", 1.5, 1500},
		{"mW", "W", 1500, 1.5}, // case matters
		{"Wh", "kWh", 1_234_567, 1234.567},
		{"MWh", "kWh", 2, 2000},
		{"mWh", "Wh", 1500, 1.5}, // case matters
		{"MHz", "Hz", 868, 868e6},
		{"GWh", "kWh", 2, 2e6},
		{"MVARh", "kvarh", 1.5, 1500},
		{"MVAh", "kVAh", 1.5, 1500},
		{"kWhr", "kWh", 2, 2},
		{"Deg F", "°C", 212, 100},
		{"J", "kWh", 3.6e6, 1},
		{"GJ", "kWh", 3.6, 1000},
		{"var", "kvar", 10, 0.01},
		{"l", "m3", 1500, 1.5},
		{"m³", "l", 0.25, 250},
		{"gal", "l", 1, 3.785411784},
		{"l/h", "m³/h", 500, 0.5},
		{"l/min", "m3/h", 10, 0.6},
		{"m3/h", "l/h", 1.2, 1200},
		{"l/s", "m3/h", 1, 3.6},
		{"Pa", "bar", 250_000, 2.5},
		{"kPa", "bar", 250, 2.5},
		{"psi", "bar", 14.503773773, 1},
		{"mH2O", "bar", 10, 0.980665},
		{"mmHg", "kPa", 760, 101.3250144354},
		{"inHg", "hPa", 29.92, 1013.2074811900},
		{"°F", "°C", 212, 100},
		{"K", "°C", 288.15, 15},
		{"°C", "K", -273.15, 0},
		{"mm", "m", 1234, 1.234},
		{"cm", "mm", 12, 120},
		{"%", "1", 97, 0.97},
		{"kv", "V", 20, 20000},
		{"kWh", "kWh", 123456.789, 123456.789},
	}
	for _, tt := range tests {
		c, err := conversion(t, tt.from, tt.to)
		if err != nil {
			t.Errorf("%s to %s: %v", tt.from, tt.to, err)
			continue
		}
		if got := c.Convert(tt.value); math.Abs(got-tt.want) > 1e-9*math.Max(1, math.Abs(tt.want)) {
			t.Errorf("%v %s: %v %s, want %v", tt.value, tt.from, got, tt.to, tt.want)
		}
	}
}

// What is a round number in one unit is one in the other.
func TestConversionIsExact(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		from, to    string
		value, want float64
	}{{"W", "kW", 52, 0.052}, {"Wh", "kWh", 1234567.5, 1234.5675}, {"hPa", "bar", 990.1, 0.9901}, {"l", "m3", 0.3, 0.0003}, {"J", "kWh", 7.2e6, 2}, {"l/min", "m3/h", 60, 3.6}, {"l/s", "m3/h", 0.5, 1.8}, {"K", "°C", 288.15, 288.15 - 273.15}} {
		c, err := conversion(t, tt.from, tt.to)
		if got := c.Convert(tt.value); err != nil || got != tt.want {
			t.Errorf("%v %s: %v %s, want %v (%v)", tt.value, tt.from, got, tt.to, tt.want, err)
		}
	}
}

func conversion(t *testing.T, from, to string) (meter.Conversion, error) {
	t.Helper()
	a, err := meter.ParseUnit(from)
	if err != nil {
		t.Fatal(err)
	}
	b, err := meter.ParseUnit(to)
	if err != nil {
		t.Fatal(err)
	}
	return a.ConversionTo(b)
}

func TestUnitsOfOtherDimensionsAreRefused(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{
		{"kW", "kWh"}, {"l", "l/h"}, {"var", "W"}, {"VA", "kW"}, {"varh", "kWh"}, {"m", "m3"}, {"°C", "bar"}, {"%", "V"}, {"h", "Hz"},
	} {
		_, err := conversion(t, pair[0], pair[1])
		if err == nil || !strings.Contains(err.Error(), "measures") {
			t.Errorf("%s to %s: %v", pair[0], pair[1], err)
		}
	}
	if _, err := meter.ParseUnit("furlong"); err == nil {
		t.Error("a furlong is a unit")
	}
}

func TestRegistersCarryTheirUnit(t *testing.T) {
	t.Parallel()
	for register, want := range map[string]string{
		"active_power_kw": "kW", "energy_import_kwh": "kWh", "reactive_energy_import_kvarh": "kvarh", "voltage_l12_v": "V",
		"current_l1_a": "A", "flow_m3h": "m³/h", "volume_m3": "m³", "tank_level_m": "m", "volume15_l": "l", "level_mm": "mm",
		"flow_lph": "l/h", "run_hours_h": "h", "temperature_c": "°C", "power_factor": "1", "pressure_bar": "bar",
	} {
		u, ok := meter.RegisterUnit(register)
		if !ok || u.Symbol != want {
			t.Errorf("%s: %q, want %q", register, u.Symbol, want)
		}
	}
	if u, ok := meter.RegisterUnit("running"); ok {
		t.Errorf("running has the unit %s", u.Symbol)
	}
}
