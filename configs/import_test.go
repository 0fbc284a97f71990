package configs_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/imdad-telemetry/imdad/configs"
)

const importCity = `city: {id: c, name: {en: C, ar: ج}}
zones: [{id: z, name: {en: Z, ar: ز}}]
substations: [{id: s, name: {en: S, ar: س}}]
feeders: [{id: f, name: {en: F, ar: ف}, zone: z, from: s}]
meters: [{id: own, zone: z, utility: electricity, at: s}]
meters_csv: [c.meters.csv]
`

const importList = `id,zone,utility,at,interval_s
f-e1,z,electricity,f,15
`

// importing makes a city whose one feeder has a meter in a list.
func importing(t testing.TB) (city, list string) {
	t.Helper()
	dir := t.TempDir()
	city, list = filepath.Join(dir, "c.yaml"), filepath.Join(dir, "c.meters.csv")
	for path, text := range map[string]string{city: importCity, list: importList} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return city, list
}

func rows(lines ...string) [][]string {
	var all [][]string
	for _, l := range lines {
		all = append(all, strings.Split(l, ","))
	}
	return all
}

func TestPlanImport(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		rows    [][]string
		text    string // of the list that comes of it
		changes []configs.MeterChange
		same    int
	}{
		{"the same again", rows("id,zone,utility,at", "f-e1,z,electricity,f"), importList, nil, 1},
		{
			"a new meter, and a column that the list has not", rows("zone,utility,id,at,digits", "z,electricity,f-e2,f,6"),
			"id,zone,utility,at,interval_s,digits\nf-e1,z,electricity,f,15,\nf-e2,z,electricity,f,,6\n",
			[]configs.MeterChange{{Row: 2, Zone: "z", Utility: "electricity", ID: "f-e2", New: true, Cells: []configs.CellChange{
				{"zone", "", "z"}, {"utility", "", "electricity"}, {"id", "", "f-e2"}, {"at", "", "f"}, {"digits", "", "6"}}}}, 0,
		},
		{
			"another interval; at is left out and stays", rows("id,zone,utility,interval_s", "f-e1,z,electricity,60"),
			"id,zone,utility,at,interval_s\nf-e1,z,electricity,f,60\n",
			[]configs.MeterChange{{Row: 2, Zone: "z", Utility: "electricity", ID: "f-e1", Cells: []configs.CellChange{{"interval_s", "15", "60"}}}}, 0,
		},
		{
			"an empty cell empties", rows("id,zone,utility,interval_s", "f-e1,z,electricity,"),
			"id,zone,utility,at,interval_s\nf-e1,z,electricity,f,\n",
			[]configs.MeterChange{{Row: 2, Zone: "z", Utility: "electricity", ID: "f-e1", Cells: []configs.CellChange{{"interval_s", "15", ""}}}}, 0,
		},
		{"spaces, capitals, short and blank rows", rows(" ID ,Zone,utility,at,interval_s", " f-e1 ,z,electricity,f,15", ",,", ""), importList, nil, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			city, list := importing(t)
			plan, err := configs.PlanImport([]string{city}, configs.SheetTable("new.xlsx", tt.rows), "")
			if err != nil {
				t.Fatal(err)
			}
			if string(plan.Text) != tt.text || plan.Same != tt.same || plan.Target != list || !reflect.DeepEqual(plan.Changes, tt.changes) {
				t.Errorf("%+v\n%s", plan, plan.Text)
			}
			if kept, err := os.ReadFile(list); err != nil || string(kept) != importList {
				t.Errorf("a plan has changed the list: %s, %v", kept, err)
			}
		})
	}
}

func TestPlanImportMistakes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		rows [][]string
		want []string
	}{
		{"nothing", nil, []string{"new.xlsx: the file is empty; its first row names the columns: id, zone, utility, at, "}},
		{"an unknown column", rows("id,zone,utility,att"), []string{`new.xlsx:1:4: unknown column "att"; did you mean "at"?`}},
		{"a column twice", rows("id,zone,utility,id"), []string{`new.xlsx:1:4: column "id" is given twice`}},
		{"no zone", rows("id,utility"), []string{`new.xlsx:1:1: column "zone" is missing`}},
		{"a meter twice", rows("id,zone,utility,at", "m,z,electricity,f", "m,z,electricity,f"), []string{"new.xlsx:3:1: id: z/electricity/m is in row 2 already"}},
		{"what it measures is not there", rows("id,zone,utility,at", "f-e1,z,electricity,f", "m,z,electricity,g"), []string{"new.xlsx:3:4: at: "}},
		{"no number", rows("id,zone,utility,at,interval_s", "f-e1,z,electricity,f,often"), []string{"new.xlsx:2:5: interval_s: expected a number"}},
		{"one of the city file's own", rows("id,zone,utility,at", "own,z,electricity,f"), []string{"new.xlsx:2:1: id: "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			city, _ := importing(t)
			_, err := configs.PlanImport([]string{city}, configs.SheetTable("new.xlsx", tt.rows), "")
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

func TestPlanImportTarget(t *testing.T) {
	t.Parallel()
	city, list := importing(t)
	same := rows("id,zone,utility,at", "f-e1,z,electricity,f")
	if plan, err := configs.PlanImport([]string{city}, configs.SheetTable("new.xlsx", same), list); err != nil || plan.Target != list {
		t.Errorf("%+v, %v", plan, err)
	}
	if _, err := configs.PlanImport([]string{city}, configs.SheetTable("new.xlsx", same), city); err == nil || !strings.Contains(err.Error(), "there are: "+list) {
		t.Errorf("%v", err)
	}
	if _, err := configs.PlanImport(nil, configs.SheetTable("new.xlsx", same), ""); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("%v", err)
	}
}
