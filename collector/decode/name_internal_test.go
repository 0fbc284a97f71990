package decode

import (
	"strings"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

func TestForeignID(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"plug-1": "plug-1", "00012345": "00012345", "hall 1/plug": "hall%201%2Fplug", "_x": "%5Fx", "a%b": "a%25b", "é": "%C3%A9", "a\n": "a%0A", "": "",
	} {
		if got := foreignID(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
	seen := make(map[string]string)
	for _, name := range []string{strings.Repeat("a", 65), strings.Repeat("a", 66), strings.Repeat("عداد", 9), strings.Repeat("عداد", 10), "a" + strings.Repeat("/", 64), "ab" + strings.Repeat("/", 64), strings.Repeat("é", 12)} {
		id := foreignID(name)
		if !meter.ValidMeterID(id) || seen[id] != "" {
			t.Errorf("%q: %s is illegal, or that of %q too", name, id, seen[id])
		}
		seen[id] = name
	}
}

func TestDerived(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"power": "power", "ENERGY.Total": "energy_total", "a--b": "a_b", "PM2.5": "pm2_5", "1st": "x_1st", "time": "x_time", "Zone": "x_zone",
		"_a_": "a", "Water Level (mm)": "water_level_mm", "°C": "c",
	} {
		if got := derived(strings.Split(path, ".")); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	seen := make(map[string]string)
	for _, key := range []string{"", "_", "قدرة", "توتر", strings.Repeat("a", 65), strings.Repeat("a", 66), strings.Repeat("1", 64), strings.Repeat("1", 65)} {
		name := derived([]string{key})
		if !meter.ValidRegister(name) || seen[name] != "" {
			t.Errorf("%q: %s is illegal, or that of %q too", key, name, seen[name])
		}
		seen[name] = key + "."
	}
}
