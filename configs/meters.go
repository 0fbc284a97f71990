package configs

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/collector/zone"
)

// meterList is a CSV file of meters with what is needed to find positions in
// it again: 8 bytes a meter.
type meterList struct {
	src     *source
	clock   *time.Location // of the city
	columns []*meterColumn // by position in the file
	meters  []zone.Meter
	offsets []int64 // of each meter's row
}

// readMeters reads one CSV file of a city with a clock. The list is nil if the
// file could not be read or has no usable header; else it holds the rows that
// could be read.
func readMeters(name string, clock *time.Location, open func(string) (*source, Mistakes)) (*meterList, Mistakes) {
	src, ms := open(name)
	if ms != nil {
		return nil, ms
	}
	l := &meterList{src: src, clock: clock}
	r := l.reader(0)
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, Mistakes{{src.clamp(1, 1), "the file is empty; its first row names the columns: " + strings.Join(columnNames(), ", ")}}
	}
	if err != nil {
		return nil, Mistakes{l.csvMistake(err)}
	}
	if ms = l.header(r, header); ms != nil {
		return nil, ms
	}
	return l, l.rows(r)
}

func (l *meterList) reader(offset int64) *csv.Reader {
	r := csv.NewReader(bytes.NewReader(l.src.text[offset:]))
	r.FieldsPerRecord = -1 // counted here, to say what is missing
	return r
}

// header finds out which column is where.
func (l *meterList) header(r *csv.Reader, names []string) Mistakes {
	var ms Mistakes
	if len(names) == 1 && strings.ContainsAny(names[0], ";\t") {
		return Mistakes{{l.fieldAt(0, r, 0), "fields are separated by commas here; save the file so"}}
	}
	meant := make(map[string]bool)
	for i, name := range names {
		at := l.fieldAt(0, r, i)
		known := slices.IndexFunc(meterColumns, func(c meterColumn) bool { return c.name == name })
		if known < 0 {
			near, hint := columnHint(name)
			meant[near] = true
			ms = append(ms, Mistake{at, fmt.Sprintf("unknown column %s; %s", excerpt(name), hint)})
			continue
		}
		if slices.Contains(l.columns, &meterColumns[known]) {
			ms = append(ms, Mistake{at, fmt.Sprintf("column %q is given twice", name)})
		}
		l.columns = append(l.columns, &meterColumns[known])
	}
	for i := range meterColumns {
		c := &meterColumns[i]
		if c.required && !meant[c.name] && !slices.Contains(l.columns, c) {
			ms = append(ms, Mistake{l.fieldAt(0, r, 0), fmt.Sprintf("column %q is missing", c.name)})
		}
	}
	return ms
}

// rows reads everything below the header.
func (l *meterList) rows(r *csv.Reader) Mistakes {
	r.ReuseRecord = true
	var ms Mistakes
	for {
		offset := r.InputOffset()
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return ms
		}
		if err != nil {
			ms = append(ms, l.csvMistake(err))
			continue
		}
		if len(row) != len(l.columns) {
			ms = append(ms, Mistake{l.fieldAt(0, r, min(len(row), len(l.columns))-1),
				fmt.Sprintf("%d fields; the header has %d", len(row), len(l.columns))})
			continue
		}
		ms = append(ms, l.row(r, row)...)
		l.offsets = append(l.offsets, offset)
	}
}

func (l *meterList) row(r *csv.Reader, row []string) Mistakes {
	var ms Mistakes
	m := meterRow{clock: l.clock}
	for i, c := range l.columns {
		if wrong := c.set(&m, row[i]); wrong != "" {
			ms = append(ms, Mistake{l.fieldAt(0, r, i), c.name + ": " + wrong})
		}
	}
	if column, wrong := m.replacement(); wrong != "" {
		ms = append(ms, Mistake{l.fieldAt(0, r, l.column(column)), column + ": " + wrong})
	}
	l.meters = append(l.meters, m.Meter)
	return ms
}

// column is the position of a column, the first where it is not in the file.
func (l *meterList) column(name string) int {
	return max(0, slices.IndexFunc(l.columns, func(c *meterColumn) bool { return c.name == name }))
}

// at finds the position of a meter's column by reading its row again.
func (l *meterList) at(i int, column string) Position {
	offset := l.offsets[i]
	r := l.reader(offset)
	if _, err := r.Read(); err != nil {
		return l.src.at(int(offset))
	}
	return l.fieldAt(offset, r, l.column(column))
}

// fieldAt is the position of a field of the row that r, which began at offset,
// read last.
func (l *meterList) fieldAt(offset int64, r *csv.Reader, field int) Position {
	line, column := r.FieldPos(field)
	return l.position(offset, line, column)
}

// position turns a line and byte column, counted from offset, into a position
// in the file, whose columns are characters.
func (l *meterList) position(offset int64, line, column int) Position {
	first := l.src.at(int(offset))
	if line > 1 {
		start := l.src.starts[min(first.Line+line-2, len(l.src.starts)-1)]
		return l.src.at(start + column - 1)
	}
	return l.src.at(int(offset) + column - 1)
}

func (l *meterList) csvMistake(err error) Mistake {
	var pe *csv.ParseError
	if !errors.As(err, &pe) {
		return Mistake{l.src.clamp(1, 1), err.Error()}
	}
	at := l.position(0, pe.Line, pe.Column)
	switch {
	case at.Line > pe.StartLine: // it read on to the end of the file
		return Mistake{l.position(0, pe.StartLine, 1), "quotes that open in this row never close"}
	case errors.Is(pe.Err, csv.ErrBareQuote), errors.Is(pe.Err, csv.ErrQuote):
		return Mistake{at, "a stray quote; put the whole field in quotes and double the quotes in it"}
	}
	return Mistake{at, pe.Err.Error()}
}
