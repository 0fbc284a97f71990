package configs

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Import is what a list of meters would change in one of the CSV lists that a
// registry names.
type Import struct {
	Target  string // the CSV list
	Had     []byte // what it holds
	Text    []byte // what it would hold: the rows it has, changed where the import says so, then the new ones
	Changes []MeterChange
	Same    int // rows that say what is there already
}

// Added is how many of the changes are new meters.
func (i *Import) Added() int {
	n := 0
	for _, c := range i.Changes {
		if c.New {
			n++
		}
	}
	return n
}

// MeterChange is one meter that an import adds or changes.
type MeterChange struct {
	Row               int // of the import, from 1
	Zone, Utility, ID string
	New               bool
	Cells             []CellChange // of a new meter those that are not empty
}

// CellChange is one column of a meter.
type CellChange struct{ Column, Old, New string }

// PlanImport works out what a list would change in a CSV list of the registry,
// and checks the registry that would come of it. A column that the import leaves
// out stays as it is; a cell that is empty empties it; no meter is removed. The
// target is into, or the registry's only list. The error holds every mistake, of
// type Mistakes, those of the import at their place in it.
func PlanImport(patterns []string, in *MeterTable, into string) (*Import, error) {
	now := new(registryLoader)
	if _, err := now.load(patterns); err != nil {
		return nil, err
	}
	target, err := importTarget(now.lists, into)
	if err != nil {
		return nil, err
	}
	text, err := readBounded(target, maxCSV)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", target, err)
	}
	src, ms := newSource(target, text)
	if ms != nil {
		return nil, ms.err()
	}
	had, err := csv.NewReader(bytes.NewReader(src.text)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", target, err)
	}
	m := &merge{in: in, out: had, registered: now.meters(), now: now, from: make(map[int]int), plan: &Import{Target: target, Had: text}}
	if err := m.run(patterns); err != nil {
		return nil, err
	}
	return m.plan, nil
}

// importTarget finds the list to change.
func importTarget(lists []string, into string) (string, error) {
	if into == "" {
		if len(lists) == 1 {
			return lists[0], nil
		}
		return "", fmt.Errorf("name the list to change; the city files name under meters_csv: %s", orNone(lists))
	}
	for _, l := range lists {
		if samePath(l, into) {
			return l, nil
		}
	}
	return "", fmt.Errorf("%s is no list that a city file names under meters_csv; there are: %s", into, orNone(lists))
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

func samePath(a, b string) bool {
	pathA, errA := filepath.Abs(a)
	pathB, errB := filepath.Abs(b)
	return errA == nil && errB == nil && pathA == pathB
}

// merge is an import at work.
type merge struct {
	in      *MeterTable
	columns []string // of the import; "" for one to pass over
	header  int      // the row that names them
	out     [][]string
	places  []int // of the import's columns in out
	now     *registryLoader
	// registered has the meters of the registry as it is.
	registered map[[3]string]meterPlace
	from       map[int]int // rows of in, by those of out that they changed
	plan       *Import
}

func (m *merge) run(patterns []string) error {
	var ms Mistakes
	if m.header, ms = m.in.tidy(); len(ms) > 0 {
		return ms.err()
	}
	if ms = m.readHeader(); len(ms) > 0 {
		return ms.err()
	}
	ms = m.merge()
	return Join(ms.err(), m.check(patterns))
}

// merge puts the rows in their places, but for those that have none.
func (m *merge) merge() Mistakes {
	var ms Mistakes
	known := make(map[[3]string]int, len(m.out))
	for row := 1; row < len(m.out); row++ {
		known[keyOf(m.out[row], m.out[0])] = row
	}
	given := make(map[[3]string]int)
	for row := m.header + 1; row < len(m.in.rows); row++ {
		if isBlank(m.in.rows[row]) {
			continue
		}
		if wrong := m.surplus(row); wrong != nil {
			ms = append(ms, wrong...)
			continue
		}
		key := keyOf(m.in.rows[row], m.columns)
		if first, twice := given[key]; twice {
			ms = append(ms, Mistake{m.at(row, "id"), fmt.Sprintf("id: %s is in row %d already", strings.Join(key[:], "/"), m.in.line(first))})
			continue
		}
		given[key] = row
		at, ok := known[key]
		if place, elsewhere := m.registered[key]; elsewhere && !ok {
			ms = append(ms, Mistake{m.at(row, "id"), fmt.Sprintf("id: %s stands at %s; change it there", strings.Join(key[:], "/"), m.now.place(place))})
			continue
		}
		if !ok {
			at = len(m.out)
			m.out = append(m.out, make([]string, len(m.out[0])))
		}
		m.from[at] = row
		m.row(row, at, !ok)
	}
	return ms
}

// meterPlace is a meter of a city file.
type meterPlace struct{ file, index int }

// meters finds the meters of what was loaded, by zone, utility and id.
func (l *registryLoader) meters() map[[3]string]meterPlace {
	all := make(map[[3]string]meterPlace)
	for i, f := range l.files {
		for j := range f.Meters {
			d := &f.Meters[j]
			all[[3]string{d.Zone, string(d.Utility), d.ID}] = meterPlace{i, j}
		}
	}
	return all
}

func (l *registryLoader) place(m meterPlace) Position {
	at, _ := l.origins[m.file].locate(fmt.Sprintf("meters[%d].id", m.index))
	return at
}

// keyOf names the meter of a row with these columns.
func keyOf(row, columns []string) (key [3]string) {
	for i, column := range keyColumns {
		key[i] = cellOf(row, slices.Index(columns, column))
	}
	return key
}

// cellOf is a field; empty where a row ends before it.
func cellOf(row []string, at int) string {
	if at < 0 || at >= len(row) {
		return ""
	}
	return row[at]
}

// readHeader checks the names of the columns and gives the target those it
// lacks.
func (m *merge) readHeader() Mistakes {
	var ms Mistakes
	meant := make(map[string]bool)
	for i, cell := range m.in.rows[m.header] {
		column := strings.ToLower(cell)
		switch {
		case column == "": // may be empty below too
		case slices.Contains(m.columns, column):
			ms = append(ms, Mistake{m.in.at(m.header, i), fmt.Sprintf("column %q is given twice", column)})
		case !slices.Contains(columnNames(), column):
			near, hint := columnHint(column)
			meant[near] = true
			ms = append(ms, Mistake{m.in.at(m.header, i), fmt.Sprintf("unknown column %s; %s", excerpt(cell), hint)})
		}
		m.columns = append(m.columns, column)
	}
	for _, column := range keyColumns {
		if !meant[column] && !slices.Contains(m.columns, column) {
			ms = append(ms, Mistake{m.in.at(m.header, 0), fmt.Sprintf("column %q is missing; zone, utility and id name a meter", column)})
		}
	}
	if len(ms) == 0 {
		m.widen()
	}
	return ms
}

// widen finds the import's columns in the target, or puts them there.
func (m *merge) widen() {
	for _, column := range m.columns {
		at := -1
		if column != "" {
			if at = slices.Index(m.out[0], column); at < 0 {
				at = len(m.out[0])
				m.out[0] = append(m.out[0], column)
			}
		}
		m.places = append(m.places, at)
	}
	for row := range m.out {
		m.out[row] = append(m.out[row], make([]string, len(m.out[0])-len(m.out[row]))...)
	}
}

// surplus tells of cells that stand under no column.
func (m *merge) surplus(row int) Mistakes {
	for i, cell := range m.in.rows[row] {
		if cell != "" && (i >= len(m.columns) || m.columns[i] == "") {
			return Mistakes{{m.in.at(row, i), fmt.Sprintf("%s stands under no column's name; are names merged into one cell?", excerpt(cell))}}
		}
	}
	return nil
}

// row puts one row of the import in its place.
func (m *merge) row(row, at int, isNew bool) {
	key := keyOf(m.in.rows[row], m.columns)
	c := MeterChange{Row: m.in.line(row), Zone: key[0], Utility: key[1], ID: key[2], New: isNew}
	for i, column := range m.columns {
		if column == "" {
			continue
		}
		cell := &m.out[at][m.places[i]]
		if is := cellOf(m.in.rows[row], i); *cell != is {
			c.Cells = append(c.Cells, CellChange{column, *cell, is})
			*cell = is
		}
	}
	if len(c.Cells) == 0 {
		m.plan.Same++
		return
	}
	m.plan.Changes = append(m.plan.Changes, c)
}

// at is the place of a row's column; of its id where it has no such column.
func (m *merge) at(row int, column string) Position {
	i := slices.Index(m.columns, column)
	if i < 0 {
		i = slices.Index(m.columns, "id")
	}
	return m.in.at(row, i)
}

// check writes the new list and reads the registry with it.
func (m *merge) check(patterns []string) error {
	var text bytes.Buffer
	if bytes.HasPrefix(m.plan.Had, []byte(mark)) {
		text.WriteString(mark)
	}
	w := csv.NewWriter(&text)
	w.UseCRLF = bytes.Contains(m.plan.Had, []byte("\r\n"))
	if err := w.WriteAll(m.out); err != nil {
		return fmt.Errorf("write the list: %w", err)
	}
	m.plan.Text = text.Bytes()
	if len(m.plan.Text) > maxCSV {
		return fmt.Errorf("%s would be larger than %d MiB; split it", m.plan.Target, maxCSV>>20)
	}
	l := &registryLoader{instead: map[string][]byte{filepath.Clean(m.plan.Target): m.plan.Text}}
	_, err := l.load(patterns)
	var ms Mistakes
	if !errors.As(err, &ms) {
		return err
	}
	rows := m.rowsByLine()
	for i := range ms {
		m.blame(&ms[i], rows)
	}
	return ms.err()
}

// rowsByLine tells which row of the new list begins on a line of its text: the
// cells of the list that there was may hold line breaks.
func (m *merge) rowsByLine() map[int]int {
	rows := make(map[int]int, len(m.out))
	line := 1
	for row, cells := range m.out {
		rows[line] = row
		line++
		for _, cell := range cells {
			line += strings.Count(cell, "\n")
		}
	}
	return rows
}

// blame moves a mistake in the new list to the place in the import that made
// it: its text begins with the column.
func (m *merge) blame(mistake *Mistake, rows map[int]int) {
	if filepath.Clean(mistake.File) != filepath.Clean(m.plan.Target) {
		return
	}
	if row, ours := m.from[rows[mistake.Line]]; ours {
		column, _, _ := strings.Cut(mistake.Message, ":")
		mistake.Position = m.at(row, column)
	}
}
