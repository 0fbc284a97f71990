package configs_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imdad-telemetry/imdad/configs"
)

// TestCSVTable has lists as people's programs write them; all say the same.
func TestCSVTable(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text string }{
		{"commas", "id,zone,utility,at,interval_s\nf-e1,z,electricity,f,60\n"},
		{"a spreadsheet where the comma is in numbers", "\ufeffid;zone;utility;at;interval_s\r\nf-e1;z;electricity;f;60\r\n"},
		{"tabs", "id\tzone\tutility\tat\tinterval_s\nf-e1\tz\telectricity\tf\t60\n"},
		{"empty lines and columns", "\n,,,,,\nid,zone,utility,at,interval_s,\n\nf-e1,z,electricity,f,60,\n,,,,,\n"},
		{"quotes", "\"id\",\"zone\",utility,at,interval_s\n\"f-e1\",z,electricity,f,\"60\"\n"},
		{"marks that cannot be seen", "id,zone,utility,at,interval_s\n\u200ff-e1\u200e,\u00a0z,electricity,f,60\n"},
		{"without what is as it was", "interval_s,id,zone,utility\n60,f-e1,z,electricity\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			city, _ := importing(t)
			table, err := configs.CSVTable("new.csv", []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			plan, err := configs.PlanImport([]string{city}, table, "")
			if err != nil || string(plan.Text) != "id,zone,utility,at,interval_s\nf-e1,z,electricity,f,60\n" {
				t.Errorf("%+v, %v", plan, err)
			}
		})
	}
}

func TestCSVTableMistakes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"new.csv: the file is empty; its first row names the columns: id, zone, "}},
		{"nothing but separators", ";;;\n;;;\n", []string{"new.csv: the file is empty; "}},
		{"a title above", "Meters of 2026,,\n\nid,zone,utility\n", []string{"new.csv:1:1: the first row must name the columns, which row 3 does; remove what is above it"}},
		{"another encoding", "id,zone,utility,at\nm,\xd5\xe4\xc7,water,f\n", []string{"new.csv:2:3: not UTF-8; save the file as UTF-8"}},
		{"a stray quote", "id,zone,utility\nm,z\"z,water\n", []string{"new.csv:2:4: a stray quote"}},
		{"places count lines and characters", "id;zone;utility;at;digits\n\nحلب;z;electricity;f;often\n",
			[]string{"new.csv:3:1: id: ", "new.csv:3:21: digits: expected a whole number, got \"often\""}},
		{"a column merged away", "id,zone,utility,at,,interval_s\nm,z,electricity,f,7,60\n", []string{"new.csv:2:19: \"7\" stands under no column's name"}},
		{"too many cells", "id,zone,utility,at\nm,z,electricity,f,7\n", []string{"new.csv:2:19: \"7\" stands under no column's name"}},
		{"a break in a cell", "id,zone,utility,at\n\"m\nm\",z,electricity,f\n", []string{"new.csv:2:1: a line break within the cell"}},
		{"without at", "id,zone,utility\nm,z,electricity\n", []string{"new.csv:2:1: at: "}},
		{"replaced without a time", "id,zone,utility,at,final\nf-e1,z,electricity,f,energy_import_kwh=5\n", []string{"new.csv:2:22: final: there is no replacement without replaced_at"}},
		{"no time", "id,zone,utility,at,replaced_at\nf-e1,z,electricity,f,yesterday\n", []string{"new.csv:2:22: replaced_at: \"yesterday\" is no time; write 2026-11-23 17:00"}},
		{"a decimal comma", "id;zone;utility;interval_s\nf-e1;z;electricity;7,5\n", []string{"new.csv:2:20: interval_s: expected a number, got \"7,5\""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			city, _ := importing(t)
			table, err := configs.CSVTable("new.csv", []byte(tt.text))
			if err == nil {
				_, err = configs.PlanImport([]string{city}, table, "")
			}
			var ms configs.Mistakes
			if !errors.As(err, &ms) || len(ms) != len(tt.want) {
				t.Fatalf("%v", err)
			}
			for i, want := range tt.want {
				if !strings.HasPrefix(ms[i].String(), want) {
					t.Errorf("%q, want %q…", ms[i], want)
				}
			}
		})
	}
}

// TestPlanImportLists has a city with two lists, and a meter of its own.
func TestPlanImportLists(t *testing.T) {
	t.Parallel()
	city, list := importing(t)
	other := filepath.Join(filepath.Dir(list), "other.csv")
	write(t, other, "id,zone,utility,at\r\nf-e2,z,electricity,f\r\n")
	write(t, city, strings.Replace(importCity, "[c.meters.csv]", "[other.csv, c.meters.csv]", 1))
	plan := func(into string, lines ...string) (*configs.Import, error) {
		return configs.PlanImport([]string{city}, configs.SheetTable("new.xlsx", rows(lines...)), into)
	}
	if _, err := plan("", "id,zone,utility", "f-e2,z,electricity"); err == nil || !strings.Contains(err.Error(), "name the list to change") ||
		!strings.Contains(err.Error(), other+", "+list) {
		t.Errorf("%v", err)
	}
	for _, tt := range []struct{ id, want string }{
		{"f-e2", "new.xlsx:2:1: id: z/electricity/f-e2 stands at " + other + ":2:1; change it there"},
		{"own", "new.xlsx:2:1: id: z/electricity/own stands at " + city + ":5:11; change it there"},
	} {
		if _, err := plan(list, "id,zone,utility,at", tt.id+",z,electricity,f"); err == nil || err.Error() != tt.want {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
	p, err := plan(other, "id,zone,utility,digits", "f-e2,z,electricity,6")
	if err != nil || string(p.Text) != "id,zone,utility,at,digits\r\nf-e2,z,electricity,f,6\r\n" { // its line ends stay
		t.Errorf("%+v, %v", p, err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
