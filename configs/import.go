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
	Row               int // of the import, from 1, the header's row
	Zone, Utility, ID string
	New               bool
	Cells             []CellChange // of a new meter those that are not empty
}

// CellChange is one column of a meter.
type CellChange struct{ Column, Old, New string }

// PlanImport works out what the rows of a list, the names of the columns first,
// would change in a CSV list of the registry, and checks the registry that would
// come of it. A column that the import leaves out stays as it is; a cell that is
// empty empties it; no meter is removed. The target is into, or the registry's
// only list. The error holds every mistake, of type Mistakes, those in the
// import at their row and field of the file called name.
func PlanImport(patterns []string, name string, rows [][]string, into string) (*Import, error) {
	target, err := importTarget(patterns, into)
	if err != nil {
		return nil, err
	}
	src, ms := readSource(target, maxCSV)
	if ms != nil {
		return nil, ms.err()
	}
	had, err := csv.NewReader(bytes.NewReader(src.text)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", target, err)
	}
	m := &merge{name: name, in: table{rows}, out: table{had}, from: make(map[int]int), plan: &Import{Target: target}}
	if ms := m.run(); len(ms) > 0 {
		return nil, ms.err()
	}
	return m.plan, m.check(patterns)
}

// importTarget finds the list to change.
func importTarget(patterns []string, into string) (string, error) {
	lists, err := MeterLists(patterns)
	switch {
	case err != nil:
		return "", err
	case into != "":
		for _, l := range lists {
			if samePath(l, into) {
				return l, nil
			}
		}
		return "", fmt.Errorf("%s is no list that a city file names under meters_csv; there are: %s", into, orNone(lists))
	case len(lists) == 1:
		return lists[0], nil
	}
	return "", fmt.Errorf("name the list to change; the city files name under meters_csv: %s", orNone(lists))
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

// table is a list of rows, the names of the columns first.
type table struct{ rows [][]string }

func (t table) column(name string) int { return slices.Index(t.rows[0], name) }

// cell returns a field; empty where there is no such column.
func (t table) cell(row int, name string) string {
	if at := t.column(name); at >= 0 && at < len(t.rows[row]) {
		return t.rows[row][at]
	}
	return ""
}

// key names the meter of a row.
func (t table) key(row int) [3]string {
	return [3]string{t.cell(row, "zone"), t.cell(row, "utility"), t.cell(row, "id")}
}

// merge is an import at work.
type merge struct {
	name string
	in   table
	out  table
	from map[int]int // rows of in, by those of out that they changed
	plan *Import
}

func (m *merge) run() Mistakes {
	if ms := m.header(); len(ms) > 0 {
		return ms
	}
	known := make(map[[3]string]int, len(m.out.rows))
	for row := 1; row < len(m.out.rows); row++ {
		known[m.out.key(row)] = row
	}
	var ms Mistakes
	given := make(map[[3]string]int)
	for row := 1; row < len(m.in.rows); row++ {
		for i, cell := range m.in.rows[row] {
			m.in.rows[row][i] = strings.TrimSpace(cell)
		}
		if isBlank(m.in.rows[row]) {
			continue
		}
		key := m.in.key(row)
		if first, twice := given[key]; twice {
			ms = append(ms, m.at(row, "id", "%s is in row %d already", strings.Join(key[:], "/"), first+1))
			continue
		}
		given[key] = row
		at, ok := known[key]
		if !ok {
			at = len(m.out.rows)
			m.out.rows = append(m.out.rows, make([]string, len(m.out.rows[0])))
		}
		m.from[at] = row
		m.row(row, at, !ok)
	}
	return ms
}

// header checks the names of the columns and gives the target those it lacks.
func (m *merge) header() Mistakes {
	if len(m.in.rows) == 0 {
		return Mistakes{mistakeIn(m.name, "the file is empty; its first row names the columns: %s", strings.Join(columnNames(), ", "))}
	}
	var ms Mistakes
	head := m.in.rows[0]
	for i, column := range head {
		head[i] = strings.ToLower(strings.TrimSpace(column))
		switch {
		case slices.Contains(head[:i], head[i]):
			ms = append(ms, Mistake{Position{m.name, 1, i + 1}, fmt.Sprintf("column %q is given twice", head[i])})
		case !slices.Contains(columnNames(), head[i]):
			_, hint := columnHint(head[i])
			ms = append(ms, Mistake{Position{m.name, 1, i + 1}, fmt.Sprintf("unknown column %s; %s", excerpt(column), hint)})
		case m.out.column(head[i]) < 0:
			for row := range m.out.rows {
				m.out.rows[row] = append(m.out.rows[row], "")
			}
			m.out.rows[0][len(m.out.rows[0])-1] = head[i]
		}
	}
	for _, column := range []string{"zone", "utility", "id"} {
		if !slices.Contains(head, column) {
			ms = append(ms, Mistake{Position{m.name, 1, 1}, fmt.Sprintf("column %q is missing; zone, utility and id name a meter", column)})
		}
	}
	return ms
}

func isBlank(row []string) bool {
	return !slices.ContainsFunc(row, func(s string) bool { return s != "" })
}

// row puts one row of the import in its place.
func (m *merge) row(row, at int, isNew bool) {
	key := m.in.key(row)
	c := MeterChange{Row: row + 1, Zone: key[0], Utility: key[1], ID: key[2], New: isNew}
	for _, column := range m.in.rows[0] {
		i := m.out.column(column)
		was, is := m.out.rows[at][i], m.in.cell(row, column)
		if was != is {
			c.Cells = append(c.Cells, CellChange{column, was, is})
		}
		m.out.rows[at][i] = is
	}
	if len(c.Cells) == 0 {
		m.plan.Same++
		return
	}
	m.plan.Changes = append(m.plan.Changes, c)
}

func (m *merge) at(row int, column, format string, args ...any) Mistake {
	return Mistake{Position{m.name, row + 1, max(0, m.in.column(column)) + 1}, fmt.Sprintf(format, args...)}
}

// check writes the new list and reads the registry with it.
func (m *merge) check(patterns []string) error {
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	if err := w.WriteAll(m.out.rows); err != nil {
		return fmt.Errorf("write the list: %w", err)
	}
	m.plan.Text = text.Bytes()
	l := &registryLoader{instead: map[string][]byte{filepath.Clean(m.plan.Target): m.plan.Text}}
	_, err := l.load(patterns)
	var ms Mistakes
	if !errors.As(err, &ms) {
		return err
	}
	for i := range ms {
		m.blame(&ms[i])
	}
	return ms
}

// blame moves a mistake in the new list to the row of the import that made it.
func (m *merge) blame(mistake *Mistake) {
	if filepath.Clean(mistake.File) != filepath.Clean(m.plan.Target) {
		return
	}
	if row, ours := m.from[mistake.Line-1]; ours {
		mistake.Position = Position{m.name, row + 1, 1}
	}
}
