package configs

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// MeterTable is a list of meters on its way into the registry: rows of cells,
// the names of the columns first.
type MeterTable struct {
	name string
	rows [][]string
	// Where the rows came from a CSV text: that, its separator, and where each
	// row begins.
	src     *source
	comma   rune
	offsets []int64
}

// SheetTable is a table whose row i is row i+1 of the sheet that a file called
// name has.
func SheetTable(name string, rows [][]string) *MeterTable {
	return &MeterTable{name: name, rows: rows}
}

// CSVTable reads the CSV text of a file called name. Fields are separated by
// what is most frequent in its first row: commas; semicolons, as spreadsheets
// write where the comma is in numbers; or tabs. The error is of type Mistakes.
func CSVTable(name string, text []byte) (*MeterTable, error) {
	src, ms := newSource(name, text)
	if ms != nil {
		return nil, ms.err()
	}
	t := &MeterTable{name: name, src: src, comma: separator(src.text)}
	list := &meterList{src: src}
	r := t.reader(0)
	for {
		offset := r.InputOffset()
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil { // what follows a stray quote cannot be trusted
			return nil, Mistakes{list.csvMistake(err)}.err()
		}
		t.rows = append(t.rows, row)
		t.offsets = append(t.offsets, offset)
	}
}

func separator(text []byte) rune {
	first, _, _ := bytes.Cut(bytes.TrimLeft(text, "\n"), []byte("\n"))
	return slices.MaxFunc([]rune{',', ';', '\t'}, func(a, b rune) int { // the first of those alike
		return cmp.Compare(bytes.Count(first, []byte(string(a))), bytes.Count(first, []byte(string(b))))
	})
}

func (t *MeterTable) reader(offset int64) *csv.Reader {
	r := csv.NewReader(bytes.NewReader(t.src.text[offset:]))
	r.Comma, r.FieldsPerRecord = t.comma, -1
	return r
}

// at is the place of a cell, both from 0. On a sheet these are row and column.
func (t *MeterTable) at(row, column int) Position {
	if t.src == nil {
		return Position{t.name, row + 1, column + 1}
	}
	r := t.reader(t.offsets[row])
	cells, err := r.Read()
	if err != nil || len(cells) == 0 {
		return t.src.at(int(t.offsets[row]))
	}
	list := &meterList{src: t.src}
	return list.fieldAt(t.offsets[row], r, min(column, len(cells)-1))
}

// line is what a person calls a row.
func (t *MeterTable) line(row int) int { return t.at(row, 0).Line }

// keyColumns name a meter.
var keyColumns = []string{"zone", "utility", "id"}

// tidy takes away what is around the cells and cannot be seen, and finds the row
// that names the columns. It returns that row's number.
func (t *MeterTable) tidy() (header int, ms Mistakes) {
	for i, row := range t.rows {
		for j, cell := range row {
			row[j] = strings.TrimFunc(cell, unseen)
			if strings.ContainsAny(row[j], "\r\n") {
				ms = append(ms, Mistake{t.at(i, j), "a line break within the cell"})
			}
		}
	}
	header = slices.IndexFunc(t.rows, func(row []string) bool { return !isBlank(row) })
	if header < 0 {
		return 0, Mistakes{mistakeIn(t.name, "the file is empty; its first row names the columns: %s", strings.Join(columnNames(), ", "))}
	}
	named := slices.IndexFunc(t.rows, func(row []string) bool {
		return !slices.ContainsFunc(keyColumns, func(c string) bool { return !containsFold(row, c) })
	})
	if named > header {
		return 0, append(ms, Mistake{t.at(header, 0),
			fmt.Sprintf("the first row must name the columns, which row %d does; remove what is above it", t.line(named))})
	}
	return header, ms
}

// unseen tells of spaces of every kind and of the marks that direct text, which
// come along when a cell is copied.
func unseen(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) }

func containsFold(row []string, name string) bool {
	return slices.ContainsFunc(row, func(cell string) bool { return strings.EqualFold(cell, name) })
}

func isBlank(row []string) bool {
	return !slices.ContainsFunc(row, func(s string) bool { return s != "" })
}
