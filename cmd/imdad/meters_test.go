package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// workbook writes a list of meters as a spreadsheet does: numbers are numbers,
// and the list is not on the first sheet.
func workbook(t *testing.T, path string) {
	t.Helper()
	book := excelize.NewFile()
	if _, err := book.NewSheet("عدادات"); err != nil {
		t.Fatal(err)
	}
	for cell, value := range map[string]any{
		"A1": "id", "B1": "zone", "C1": "utility", "D1": "at", "E1": "interval_s", "F1": "digits",
		"A2": "f-e1", "B2": "z", "C2": "electricity", "D2": "f", "E2": 30.5,
		"A3": "f-e2", "B3": "z", "C3": "electricity", "D3": "f", "E3": 60, "F3": 6,
	} {
		if err := book.SetCellValue("عدادات", cell, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := book.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestImportXLSX(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	const list = "id,zone,utility,at,interval_s\nf-e1,z,electricity,f,15\n"
	for name, text := range map[string]string{
		"imdad.yaml": "influx: {url: \"http://127.0.0.1:8086\", org: imdad, bucket: utility, token: x}\nmqtt: {brokers: [\"tcp://127.0.0.1:1883\"], client_id: imdad}\ncities: [c.yaml]\n",
		"c.yaml": "city: {id: c, name: {en: C, ar: ج}}\nzones: [{id: z, name: {en: Z, ar: ز}}]\nsubstations: [{id: s, name: {en: S, ar: س}}]\n" +
			"feeders: [{id: f, name: {en: F, ar: ف}, zone: z, from: s}]\nmeters_csv: [m.csv]\n",
		"m.csv": list,
	} {
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	workbook(t, path("new.xlsx"))
	run := func(args ...string) (string, int) {
		var out bytes.Buffer
		e := &env{ctx: t.Context(), stdin: strings.NewReader(""), stdout: &out, stderr: &out}
		code := execute(e, append([]string{"meters", "import", "--config", path("imdad.yaml"), path("new.xlsx")}, args...))
		return out.String(), code
	}
	if out, code := run("--dry-run"); code != 1 || !strings.Contains(out, "the file is empty") { // the first sheet is
		t.Errorf("exit code %d: %s", code, out)
	}
	want := []string{"~ z/electricity/f-e1", "interval_s: 15 → 30.5", "+ z/electricity/f-e2", "digits: 6", "would change " + path("m.csv") + ": 1 new, 1 changed, 0 as they are"}
	out, code := run("--sheet", "عدادات", "--dry-run")
	for _, w := range want {
		if code != 0 || !strings.Contains(out, w) {
			t.Errorf("exit code %d, no %q in\n%s", code, w, out)
		}
	}
	if kept, err := os.ReadFile(path("m.csv")); err != nil || string(kept) != list {
		t.Errorf("a dry run has left %q, %v", kept, err)
	}
	if out, code := run("--sheet", "عدادات"); code != 0 || !strings.Contains(out, "changed "+path("m.csv")) {
		t.Errorf("exit code %d: %s", code, out)
	}
	const after = "id,zone,utility,at,interval_s,digits\nf-e1,z,electricity,f,30.5,\nf-e2,z,electricity,f,60,6\n"
	if kept, err := os.ReadFile(path("m.csv")); err != nil || string(kept) != after {
		t.Errorf("left %q, %v", kept, err)
	}
	if out, code := run("--sheet", "عدادات"); code != 0 || !strings.Contains(out, "0 new, 0 changed, 2 as they are") {
		t.Errorf("exit code %d: %s", code, out)
	}
}
