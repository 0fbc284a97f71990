package main

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// made writes a workbook with one sheet that holds these cells.
func made(t *testing.T, cells map[string]any, also ...func(t *testing.T, book *excelize.File)) []byte {
	t.Helper()
	book := excelize.NewFile()
	for cell, value := range cells {
		if err := book.SetCellValue("Sheet1", cell, value); err != nil {
			t.Fatal(err)
		}
	}
	for _, do := range also {
		do(t, book)
	}
	text, err := book.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// shown gives a cell a number format.
func shown(cell, format string) func(*testing.T, *excelize.File) {
	return func(t *testing.T, book *excelize.File) {
		t.Helper()
		style, err := book.NewStyle(&excelize.Style{CustomNumFmt: &format})
		if err != nil {
			t.Fatal(err)
		}
		if err := book.SetCellStyle("Sheet1", cell, cell, style); err != nil {
			t.Fatal(err)
		}
	}
}

func formula(cell, text string) func(*testing.T, *excelize.File) {
	return func(t *testing.T, book *excelize.File) {
		t.Helper()
		if err := book.SetCellFormula("Sheet1", cell, text); err != nil {
			t.Fatal(err)
		}
	}
}

func rightToLeft(t *testing.T, book *excelize.File) {
	t.Helper()
	yes := true
	if err := book.SetSheetView("Sheet1", 0, &excelize.ViewOptions{RightToLeft: &yes}); err != nil {
		t.Fatal(err)
	}
}

func since1904(t *testing.T, book *excelize.File) {
	t.Helper()
	yes := true
	if err := book.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &yes}); err != nil {
		t.Fatal(err)
	}
}

func TestReadSheet(t *testing.T) {
	t.Parallel()
	replaced := time.Date(2026, 11, 23, 17, 0, 0, 0, time.UTC)
	tests := []struct {
		name string
		book []byte
		want [][]string
	}{
		{"numbers as they are, not as they look", made(t, map[string]any{"A1": "nominal_v", "A2": 431.25, "A3": 0.1, "A4": 11547}, shown("A2", "0"), shown("A4", "#,##0.00")),
			[][]string{{"nominal_v"}, {"431.25"}, {"0.1"}, {"11547"}}},
		{"a serial number as text", made(t, map[string]any{"A1": "serial", "A2": "000123"}), [][]string{{"serial"}, {"000123"}}},
		{"a serial number shown with zeros", made(t, map[string]any{"A1": "serial", "A2": 123}, shown("A2", "000000")), [][]string{{"serial"}, {"000123"}}},
		{"a serial number of 14 digits", made(t, map[string]any{"A1": "serial", "A2": 12345678901234}), [][]string{{"serial"}, {"12345678901234"}}},
		{"a number as text", made(t, map[string]any{"A1": "interval_s", "A2": "30"}), [][]string{{"interval_s"}, {"30"}}},
		{"a truth", made(t, map[string]any{"A1": "backup", "A2": true, "A3": false}), [][]string{{"backup"}, {"true"}, {"false"}}},
		{"a time", made(t, map[string]any{"A1": "Replaced_at", "A2": replaced}), [][]string{{"Replaced_at"}, {"2026-11-23 17:00:00"}}},
		{"a time to the second", made(t, map[string]any{"A1": "replaced_at", "A2": replaced.Add(1799 * time.Second)}), [][]string{{"replaced_at"}, {"2026-11-23 17:29:59"}}},
		{"a day", made(t, map[string]any{"A1": "replaced_at", "A2": time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)}, shown("A2", "d/m/yyyy")), [][]string{{"replaced_at"}, {"2026-11-23 00:00:00"}}},
		{"a time as text", made(t, map[string]any{"A1": "replaced_at", "A2": "2026-11-23 17:00"}), [][]string{{"replaced_at"}, {"2026-11-23 17:00"}}},
		{"days since 1904", made(t, map[string]any{"A1": "replaced_at", "A2": 44887.5}, since1904), [][]string{{"replaced_at"}, {"2026-11-23 12:00:00"}}},
		{"from right to left, with Arabic in it", made(t, map[string]any{"A1": "id", "B1": "at", "A2": "عداد", "B2": "f"}, rightToLeft), [][]string{{"id", "at"}, {"عداد", "f"}}},
		{"rows before the first", made(t, map[string]any{"A3": "id", "B3": "replaced_at", "A4": "m", "B4": replaced}), [][]string{nil, nil, {"id", "replaced_at"}, {"m", "2026-11-23 17:00:00"}}},
		{"a gap", made(t, map[string]any{"A1": "id", "B1": "at", "C1": "zone", "A2": "m", "C2": "z"}), [][]string{{"id", "at", "zone"}, {"m", "", "z"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rows, err := readSheet(tt.book, "")
			if err != nil || !reflect.DeepEqual(rows, tt.want) {
				t.Errorf("%q, %v; want %q", rows, err, tt.want)
			}
		})
	}
}

func TestReadSheetMistakes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		book []byte
		want string
	}{
		{"a formula without a value", made(t, map[string]any{"A1": "id", "B1": "at", "C1": "zone", "A2": "m", "C2": "z"}, formula("B2", `=A2&"-f"`)), "cell B2: its formula has no value"},
		{"a formula that failed", made(t, map[string]any{"A1": "id", "A2": "#REF!"}), "cell A2: its formula ends in #REF!"},
		{"a number that is no date", made(t, map[string]any{"A1": "replaced_at", "A2": 17}), "cell A2: 17 is no date"},
		{"no workbook", []byte("PK\x03\x04"), "zip"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if rows, err := readSheet(tt.book, ""); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%q, %v; want %q", rows, err, tt.want)
			}
		})
	}
	if _, err := readSheet(made(t, map[string]any{"A1": "id"}), "Meters"); err == nil || !strings.Contains(err.Error(), `there is no sheet "Meters"; there are: Sheet1`) {
		t.Errorf("%v", err)
	}
}

// TestLongNumbers has what spreadsheets write and the library does not.
func TestLongNumbers(t *testing.T) {
	t.Parallel()
	s := new(sheet)
	if meant, err := s.meant("1.2345678901234E+13", "12345678901234", false); meant != "12345678901234" || err != nil {
		t.Errorf("%q, %v", meant, err)
	}
	if meant, err := s.meant("1.23456789012345E+15", "1234567890123450", false); err == nil || !strings.Contains(err.Error(), "keeps 15 digits") {
		t.Errorf("%q, %v", meant, err)
	}
	if meant, err := s.meant("12E45", "12E45", false); meant != "12E45" || err != nil { // a text
		t.Errorf("%q, %v", meant, err)
	}
}
