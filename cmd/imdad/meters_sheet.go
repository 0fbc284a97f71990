package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
)

// xlsxUnzipped bounds what a workbook may unpack to, in bytes.
const xlsxUnzipped = 256 << 20

// readSheet returns the rows of a workbook's sheet, the first if none is named.
func readSheet(workbook []byte, name string) (rows [][]string, err error) {
	book, err := excelize.OpenReader(bytes.NewReader(workbook), excelize.Options{UnzipSizeLimit: xlsxUnzipped})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	if name == "" {
		name = book.GetSheetName(0)
	}
	if at, err := book.GetSheetIndex(name); err != nil || at < 0 {
		return nil, errors.Join(fmt.Errorf("there is no sheet %q; there are: %s", name, strings.Join(book.GetSheetList(), ", ")), err)
	}
	props, err := book.GetWorkbookProps()
	if err != nil {
		return nil, err
	}
	computes, err := hasFormulas(workbook)
	if err != nil {
		return nil, err
	}
	s := &sheet{book: book, name: name, since1904: props.Date1904 != nil && *props.Date1904, computes: computes}
	return s.read()
}

// hasFormulas looks for a formula on any sheet of a workbook: to ask each empty
// cell for one takes as long as all the rest.
func hasFormulas(workbook []byte) (bool, error) {
	parts, err := zip.NewReader(bytes.NewReader(workbook), int64(len(workbook)))
	if err != nil {
		return false, err
	}
	for _, part := range parts.File {
		if !strings.HasPrefix(part.Name, "xl/worksheets/") {
			continue
		}
		text, err := part.Open()
		if err != nil {
			return false, err
		}
		found, err := holdsFormula(text)
		if err = errors.Join(err, text.Close()); err != nil || found {
			return found, err
		}
	}
	return false, nil
}

// holdsFormula looks for the element f in the XML of a sheet.
func holdsFormula(text io.Reader) (bool, error) {
	r := bufio.NewReader(text)
	for {
		_, err := r.ReadSlice('<')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, err
		}
		if tag, err := r.Peek(2); err == nil && tag[0] == 'f' && strings.ContainsRune("> /", rune(tag[1])) {
			return true, nil
		}
	}
}

// sheet is a sheet being read. A cell has a value and looks of its own: neither
// alone is what the person who filled it in meant. 46349.7 is shown as a time,
// 123 as 000123, and 431.25 as 431.
type sheet struct {
	book      *excelize.File
	name      string
	since1904 bool   // how its dates count
	computes  bool   // there are formulas about
	dates     []bool // which columns are of times
}

func (s *sheet) read() (rows [][]string, err error) {
	values, err := s.book.Rows(s.name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, values.Close()) }()
	looks, err := s.book.Rows(s.name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, looks.Close()) }()
	for values.Next() && looks.Next() {
		value, err := values.Columns(excelize.Options{RawCellValue: true})
		if err != nil {
			return nil, err
		}
		look, err := looks.Columns()
		if err != nil {
			return nil, err
		}
		if err := s.row(len(rows), value, look); err != nil {
			return nil, err
		}
		rows = append(rows, value)
	}
	return rows, errors.Join(values.Error(), looks.Error())
}

// row makes what was meant of a row's values; n counts from 0.
func (s *sheet) row(n int, values, looks []string) error {
	if s.dates == nil && slices.ContainsFunc(values, func(v string) bool { return v != "" }) { // the names of the columns
		s.dates = make([]bool, len(values))
		for i, v := range values {
			s.dates[i] = strings.EqualFold(strings.TrimSpace(v), "replaced_at")
		}
		return nil
	}
	for i := range values {
		look := ""
		if i < len(looks) {
			look = looks[i]
		}
		meant, err := s.meant(values[i], look, i < len(s.dates) && s.dates[i])
		if err == nil && meant == "" && s.computes {
			err = s.computed(n, i)
		}
		if err != nil {
			cell, _ := excelize.CoordinatesToCellName(i+1, n+1)
			return fmt.Errorf("cell %s: %w", cell, err)
		}
		values[i] = meant
	}
	return nil
}

// meant is what a cell says.
func (s *sheet) meant(value, look string, date bool) (string, error) {
	if slices.Contains(cellErrors, value) {
		return "", fmt.Errorf("its formula ends in %s", value)
	}
	number, err := strconv.ParseFloat(value, 64)
	switch {
	case look == "TRUE" || look == "FALSE":
		return strings.ToLower(look), nil
	case err != nil:
		return value, nil
	case date:
		return s.time(number)
	case padded(value, look):
		return look, nil
	case look == value: // a text, or a number that is shown whole
	case number >= 1e15:
		return "", fmt.Errorf("%s: a spreadsheet keeps 15 digits of a number; make the cell text", look)
	case strings.ContainsAny(value, "eE"):
		return strconv.FormatFloat(number, 'f', -1, 64), nil
	}
	return value, nil
}

// cellErrors are the values of formulas that have none.
var cellErrors = []string{"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#SPILL!", "#CALC!", "#GETTING_DATA"}

// padded tells of a number that is shown with zeros before it, as serial numbers
// are.
func padded(value, look string) bool {
	rest := strings.TrimLeft(look, "0")
	return len(rest) < len(look) && rest == value
}

// time turns a spreadsheet's count of days into a time by the city's clock.
func (s *sheet) time(days float64) (string, error) {
	at, err := excelize.ExcelDateToTime(days, s.since1904)
	if err != nil || at.Year() < 2000 || at.Year() > 9999 {
		return "", errors.Join(fmt.Errorf("%v is no date of a meter's replacement", days), err)
	}
	return at.Format("2006-01-02 15:04:05"), nil
}

// computed refuses an empty cell whose formula has no value yet: it would empty
// what the registry has.
func (s *sheet) computed(row, column int) error {
	cell, err := excelize.CoordinatesToCellName(column+1, row+1)
	if err != nil {
		return err
	}
	formula, err := s.book.GetCellFormula(s.name, cell)
	if err != nil {
		return err
	}
	if formula != "" {
		return errors.New("its formula has no value; open the file in a spreadsheet and save it")
	}
	return nil
}
