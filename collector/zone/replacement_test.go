package zone

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestCheckReplacements(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	shows := func(register string, v float64) map[string]float64 { return map[string]float64{register: v} }
	tests := []struct {
		name   string
		serial string
		list   []Replacement
		want   string // "path: message" below meters[0], one a line
	}{
		{"a serial number", "SN 0815/ب-7", nil, ""},
		{"two meters of one device", "same", []Replacement{{At: noon, Serial: "same"}}, ""},
		{"all there is to say", "c", []Replacement{
			{At: noon.Add(-time.Hour), Serial: "b", Final: shows("energy_import_kwh", 99812.4), Initial: shows("energy_import_kwh", 0)},
			{At: noon, Serial: "c", Final: shows("pulses", 12), Initial: map[string]float64{"pulses": 1, "run_hours_h": 2}}}, ""},
		{"nothing but the time", "", []Replacement{{At: noon}}, ""},
		{"a serial number that cannot be printed", "a\tb", nil,
			`serial: "a\tb" is no serial number; use what is printed on the device, at most 64 bytes`},
		{"not text", "a\xff", nil,
			`serial: "a\xff" is no serial number; use what is printed on the device, at most 64 bytes`},
		{"spaces around it", " 12 ", nil,
			`serial: " 12 " is no serial number; use what is printed on the device, at most 64 bytes`},
		{"as long as it may be", strings.Repeat("7", 64), nil, ""},
		{"too long", strings.Repeat("7", 65), nil,
			`serial: "` + strings.Repeat("7", 65) + `" is no serial number; use what is printed on the device, at most 64 bytes`},
		{"no time", "", []Replacement{{Serial: "b"}},
			`replacements[0].at: missing; give the time, such as 2026-11-23T17:00:00+03:00`},
		{"at one time twice", "", []Replacement{{At: noon}, {At: noon}},
			`replacements[1].at: does not lie after the replacement before; list them in their order`},
		{"out of order", "", []Replacement{{At: noon}, {At: noon.Add(-2)}, {At: noon.Add(-1)}, {At: noon.Add(1)}},
			`replacements[1].at: does not lie after the replacement before; list them in their order
replacements[2].at: does not lie after the replacement before; list them in their order`},
		{"another device now", "d", []Replacement{{At: noon, Serial: "c"}},
			`serial: "d" is not the serial number of the last replacement, "c"`},
		{"a serial number inside", "", []Replacement{{At: noon, Serial: "\n"}},
			`replacements[0].serial: "\n" is no serial number; use what is printed on the device, at most 64 bytes`},
		{"no register", "", []Replacement{{At: noon, Final: shows("Energy kWh", 1)}},
			`replacements[0].final: "Energy kWh" is no register; use the name of a counter, such as energy_import_kwh`},
		{"a register that is reserved", "", []Replacement{{At: noon, Initial: shows("seq", 1)}},
			`replacements[0].initial: "seq" is no register; use the name of a counter, such as energy_import_kwh`},
		{"no counter", "", []Replacement{{At: noon, Final: shows("active_power_kw", 1), Initial: shows("level_mm", 1)}},
			`replacements[0].final.active_power_kw: active_power_kw is no counter; give energy, a volume or hours
replacements[0].initial.level_mm: level_mm is no counter; give energy, a volume or hours`},
		{"below zero, no number, no end", "", []Replacement{{At: noon,
			Final: map[string]float64{"volume_m3": -1, "energy_export_kwh": math.NaN()}, Initial: shows("volume_m3", math.Inf(1))}},
			`replacements[0].final.energy_export_kwh: energy_export_kwh cannot show NaN; give what it showed, 0 or more
replacements[0].final.volume_m3: volume_m3 cannot show -1; give what it showed, 0 or more
replacements[0].initial.volume_m3: volume_m3 cannot show +Inf; give what it showed, 0 or more`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := town()
			f.Meters[0].Serial, f.Meters[0].Replacements = tt.serial, tt.list
			f.Meters[1].Serial = tt.serial // nobody minds
			if !validSerial(tt.serial) {
				f.Meters[1].Serial = ""
			}
			var got []string
			for _, p := range Check([]*File{f}) {
				got = append(got, strings.TrimPrefix(p.Path, "meters[0].")+": "+p.Message)
			}
			if text := strings.Join(got, "\n"); text != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", text, tt.want)
			}
		})
	}
}

// TestRegistryFillsSerials has whoever says only one of the two mean both.
func TestRegistryFillsSerials(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	f := town()
	f.Meters[0].Replacements = []Replacement{{At: noon, Serial: "b"}, {At: noon.Add(1), Serial: "c"}}
	f.Meters[1].Serial, f.Meters[1].Replacements = "y", []Replacement{{At: noon, Serial: "x"}, {At: noon.Add(1)}}
	f.Meters[2].Serial = "z"
	f.Meters[3].Replacements = []Replacement{{At: noon, Serial: "b"}, {At: noon.Add(1)}}
	r, err := New([]*File{f})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"c: b c", "y: x y", "z:", ": b ", ":"} {
		m := r.Meters()[i]
		got := m.Serial + ":"
		for _, p := range m.Replacements {
			got += " " + p.Serial
		}
		if got != want {
			t.Errorf("meter %d is %q, want %q", i, got, want)
		}
	}
	if f.Meters[0].Serial != "" || f.Meters[1].Replacements[1].Serial != "" {
		t.Error("the file was changed")
	}
}
