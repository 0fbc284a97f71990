package configs

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/zone"
)

func TestShippedCities(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("cities/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			if _, err := LoadRegistry([]string{path}); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("together", func(t *testing.T) {
		t.Parallel()
		if _, err := LoadRegistry([]string{"cities/*.yaml"}); err != nil {
			t.Error(err)
		}
	})
}

// manyMeters writes a city with n meters in CSV and returns its path.
func manyMeters(tb testing.TB, n int) string {
	tb.Helper()
	dir := tb.TempDir()
	var list strings.Builder
	list.WriteString("id,zone,utility,at,interval_s\n")
	for i := range n {
		fmt.Fprintf(&list, "meter-%06d,z,electricity,f1,15\n", i)
	}
	for name, text := range map[string]string{"a.csv": list.String(), "city.yaml": fuzzCity} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return filepath.Join(dir, "city.yaml")
}

func TestManyMeters(t *testing.T) {
	t.Parallel()
	const n = 100_000
	start := time.Now()
	r, err := LoadRegistry([]string{manyMeters(t, n)})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(r.Meters()); got != n+1 {
		t.Errorf("%d meters, want %d", got, n+1)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestRegistryPatterns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir+"/a.yaml", "city: {id: a, name: {en: A, ar: أ}}\n")
	put(t, dir+"/b.yaml", "city: {id: b, name: {en: B, ar: ب}}\n")
	tests := []struct {
		name     string
		patterns []string
		cities   int
		err      string
	}{
		{"none", nil, 0, ""},
		{"one file", []string{dir + "/a.yaml"}, 1, ""},
		{"a pattern", []string{dir + "/*.yaml"}, 2, ""},
		{"a file twice counts once", []string{dir + "/a.yaml", dir + "/*.yaml", dir + "/./a.yaml"}, 2, ""},
		{"pattern without a match", []string{dir + "/*.yml"}, 0, dir + "/*.yml: matches no file"},
		{"missing file", []string{dir + "/c.yaml"}, 0, dir + "/c.yaml: no such file"},
		{"malformed pattern", []string{dir + "/[.yaml"}, 0, dir + "/[.yaml: bad pattern; see the brackets and backslashes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := LoadRegistry(tt.patterns)
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Errorf("got %v, want %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := len(r.Cities()); got != tt.cities {
				t.Errorf("%d cities, want %d", got, tt.cities)
			}
		})
	}
}

// TestMeterColumns holds the CSV columns to the YAML keys of a meter.
func TestMeterColumns(t *testing.T) {
	t.Parallel()
	typ := reflect.TypeFor[zone.Meter]()
	var keys []string
	for i := range typ.NumField() {
		switch key := typ.Field(i).Tag.Get("yaml"); key {
		case "replacements": // of these the last, and its serial is the meter's
			keys = append(keys, "replaced_at", "final", "initial")
		default:
			keys = append(keys, key)
		}
	}
	if got := columnNames(); !slices.Equal(got, keys) {
		t.Errorf("columns %v, keys %v", got, keys)
	}
	page, err := os.ReadFile("cities/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range columnNames() {
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("cities/README.md does not explain %s", name)
		}
	}
}

// TestMeterRows reads meters as a spreadsheet writes them, and writes them as
// YAML that reads the same.
func TestMeterRows(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	tests := []struct {
		name string
		row  string
		want zone.Meter
	}{
		{"nothing but where it is", "m,z,electricity,f1,,,,,,,,,", zone.Meter{}},
		{"every column", `m,z,electricity,f1,15,gw-1,11547,8,TRUE,0012,2026-11-23T17:00:00+03:00,energy_import_kwh=99812.4;energy_export_kwh=7,energy_import_kwh=0`, zone.Meter{
			IntervalS: 15, Gateway: "gw-1", NominalV: 11547, Digits: 8, Backup: true, Serial: "0012", Replacements: []zone.Replacement{{
				At: at, Serial: "0012", Final: map[string]float64{"energy_import_kwh": 99812.4, "energy_export_kwh": 7}, Initial: map[string]float64{"energy_import_kwh": 0}}}}},
		{"by the clock of the city", "m,z,electricity,f1,,,,,FALSE,,2026-11-23 17:00,,", zone.Meter{Replacements: []zone.Replacement{{At: at}}}},
		{"to the second, with room", `m,z,electricity,f1,,,,,false,x y,2026-11-23 17:00:00," a_kwh = 1 ; b_kwh=2; ",`, zone.Meter{
			Serial: "x y", Replacements: []zone.Replacement{{At: at, Serial: "x y", Final: map[string]float64{"a_kwh": 1, "b_kwh": 2}}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			put(t, dir+"/a.csv", strings.Join(columnNames(), ",")+"\n"+tt.row+"\n")
			put(t, dir+"/city.yaml", fuzzCity)
			files, err := LoadFiles([]string{dir + "/city.yaml"})
			if err != nil {
				t.Fatal(err)
			}
			got := files[0].Meters[len(files[0].Meters)-1]
			for i := range got.Replacements {
				got.Replacements[i].At = got.Replacements[i].At.UTC()
			}
			tt.want.ID, tt.want.Zone, tt.want.Utility, tt.want.At = "m", "z", "electricity", "f1"
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
			if again := reread(t, files[0]); !reflect.DeepEqual(again, files[0]) {
				t.Errorf("written as YAML it is %+v", again.Meters)
			}
		})
	}
}

func BenchmarkLoadRegistry(b *testing.B) {
	path := manyMeters(b, 100_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := LoadRegistry([]string{path}); err != nil {
			b.Fatal(err)
		}
	}
}
