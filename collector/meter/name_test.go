package meter_test

import (
	"strings"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

func TestValidID(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, id string
		want     bool
	}{
		{"a letter", "a", true},
		{"a digit first", "4711", true},
		{"capitals", "SS-01", true},
		{"all the signs", "a.b_c:d-e", true},
		{"the longest", strings.Repeat("x", meter.MaxNameLen), true},
		{"a letter too long", strings.Repeat("x", meter.MaxNameLen+1), false},
		{"empty", "", false},
		{"a sign first", ".a", false},
		{"a dash first", "-a", false},
		{"an underscore first", "_a", false},
		{"a space", "a b", false},
		{"a comma", "a,b", false},
		{"an equals sign", "a=b", false},
		{"a quote", `a"b`, false},
		{"a backslash", `a\`, false},
		{"a slash", "a/b", false},
		{"a wildcard", "a+", false},
		{"a hash", "a#", false},
		{"a line break", "a\n", false},
		{"a zero byte", "a\x00", false},
		{"Arabic", "عداد", false},
		{"broken UTF-8", "a\xff", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := meter.ValidID(tt.id); got != tt.want {
				t.Errorf("ValidID(%q) = %v", tt.id, got)
			}
			if got := meter.ValidID([]byte(tt.id)); got != tt.want {
				t.Errorf("ValidID([]byte(%q)) = %v", tt.id, got)
			}
		})
	}
}

func TestValidRegister(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, register string
		want           bool
	}{
		{"usual", "active_power_kw", true},
		{"digits", "voltage_l12_v", true},
		{"one letter", "v", true},
		{"the longest", strings.Repeat("x", meter.MaxNameLen), true},
		{"a letter too long", strings.Repeat("x", meter.MaxNameLen+1), false},
		{"empty", "", false},
		{"a digit first", "1a", false},
		{"an underscore first", "_a", false},
		{"a capital", "aB", false},
		{"a dot", "a.b", false},
		{"a dash", "a-b", false},
		{"a space", "a b", false},
		{"an equals sign", "a=1", false},
		{"Arabic", "جهد", false},
		{"begins like a reserved one", "times", true},
		{"ends like a reserved one", "uptime", true},
	}
	for _, reserved := range []string{"time", "quality", "reason", "seq", "device_time_ms", "city", "zone", "meter", "feeder", "plant", "site"} {
		tests = append(tests, struct {
			name, register string
			want           bool
		}{"reserved: " + reserved, reserved, false})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := meter.ValidRegister(tt.register); got != tt.want {
				t.Errorf("ValidRegister(%q) = %v", tt.register, got)
			}
			if got := meter.ValidRegister([]byte(tt.register)); got != tt.want {
				t.Errorf("ValidRegister([]byte(%q)) = %v", tt.register, got)
			}
		})
	}
}

// Names are looked at for every message.
func TestNamesDoNotAllocate(t *testing.T) {
	id, register := []byte("sn-f01"), []byte("active_power_kw")
	if n := testing.AllocsPerRun(100, func() {
		if !meter.ValidID(id) || !meter.ValidRegister(register) {
			t.Error("not valid")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestValidMeterID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		"m1": true, "hall%201%2Fplug": true, "%D8%B9": true, "a:1": true, "": false, "a%": false, "a%2": false, "a%2f": false, "a b": false, ":a": false,
		strings.Repeat("x", meter.MaxNameLen+1): false,
	} {
		if got := meter.ValidMeterID(id); got != want {
			t.Errorf("ValidMeterID(%q) = %v", id, got)
		}
	}
}
