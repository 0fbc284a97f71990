package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/imdad-telemetry/imdad/configs"
)

type metersImport struct {
	registryFlags
	File   string `arg:"" help:"The list: CSV, or XLSX with the list on its first sheet; - reads CSV from standard input. Its first row names the columns."`
	Sheet  string `help:"Another sheet of the XLSX file." placeholder:"NAME"`
	Into   string `help:"The CSV list of the registry to change (default: the only one)." placeholder:"FILE"`
	DryRun bool   `help:"Only show what would change."`
	JSON   bool   `name:"json" help:"One JSON object a changed meter instead of a table."`
}

// Help is shown by imdad meters import --help.
func (metersImport) Help() string {
	return `The columns have the names that a list of meters has in the registry: id, zone and utility name the meter; at, interval_s,
gateway and the others are what is known of it. A meter that is there is changed, one that is not is added, none is removed.
A column that the file leaves out stays as it is; a cell that is empty empties it. The registry that would come of it is
checked first: with a mistake in it nothing is changed, and every mistake is shown at its row and column.

The columns, of which zone, utility, id and, for a new meter, at must be there:

` + configs.DescribeColumns() + `
CSV may have commas, semicolons or tabs between its fields. In XLSX a cell counts with its value, dates and leading zeros as
they are shown. Lists are best kept under version control: a dry run shows what would change, nothing takes it back.

A running service takes the new list by itself.`
}

func (m *metersImport) Run(e *env) error {
	c, _, err := m.load(e)
	if err != nil {
		return err
	}
	list, err := m.read(e)
	if err != nil {
		return m.mistaken(e, err)
	}
	plan, err := configs.PlanImport(c.Cities, list, m.Into)
	if err != nil {
		return m.mistaken(e, err)
	}
	if err := m.show(e, plan); err != nil {
		return err
	}
	verb := "would change"
	if !m.DryRun {
		verb = "changed"
		if len(plan.Changes) > 0 {
			if err := replaceFile(plan.Target, plan.Had, plan.Text); err != nil {
				return fmt.Errorf("nothing is changed: %w", err)
			}
		}
	}
	if !m.JSON {
		added := plan.Added()
		fmt.Fprintf(e.stdout, "%s %s: %d new, %d changed, %d as they are\n", verb, plan.Target, added, len(plan.Changes)-added, plan.Same)
	}
	return nil
}

// mistaken prints what is wrong with a list, or with what would come of it.
func (m *metersImport) mistaken(e *env, err error) error {
	var mistakes configs.Mistakes
	if !errors.As(err, &mistakes) {
		return err
	}
	fmt.Fprintln(e.stderr, mistakes)
	return reported{err}
}

// maxImported bounds a list, in bytes.
const maxImported = 64 << 20

// read returns the rows of the list.
func (m *metersImport) read(e *env) (*configs.MeterTable, error) {
	text, err := m.text(e)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", m.name(), err)
	case len(text) > maxImported:
		return nil, fmt.Errorf("read %s: larger than %d MiB; split it", m.name(), maxImported>>20)
	case bytes.HasPrefix(text, []byte("PK\x03\x04")): // a ZIP archive, as workbooks are
		rows, err := readSheet(text, m.Sheet)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", m.name(), err)
		}
		return configs.SheetTable(m.name(), rows), nil
	case m.Sheet != "":
		return nil, fmt.Errorf("read %s: --sheet is for XLSX files", m.name())
	}
	return configs.CSVTable(m.name(), text)
}

// name is what messages call the list.
func (m *metersImport) name() string {
	if m.File == "-" {
		return "standard input"
	}
	return m.File
}

func (m *metersImport) text(e *env) (text []byte, err error) {
	in := e.stdin
	if m.File != "-" {
		f, err := os.Open(m.File)
		if err != nil {
			return nil, errors.Unwrap(err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, maxImported+1))
}

// show lists the changes.
func (m *metersImport) show(e *env, plan *configs.Import) error {
	table := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
	encoder := json.NewEncoder(e.stdout)
	for i := range plan.Changes {
		if !m.JSON {
			writeChange(table, &plan.Changes[i])
		} else if err := encoder.Encode(newChangeJSON(&plan.Changes[i])); err != nil {
			return err
		}
	}
	return table.Flush()
}

// writeChange shows one meter as in a patch: + for a new one, ~ for a changed
// one.
func writeChange(w io.Writer, c *configs.MeterChange) {
	sign, cells := "~", make([]string, 0, len(c.Cells))
	for _, cell := range c.Cells {
		switch {
		case !c.New:
			cells = append(cells, fmt.Sprintf("%s: %s → %s", cell.Column, orNothing(cell.Old), orNothing(cell.New)))
		case cell.Column != "zone" && cell.Column != "utility" && cell.Column != "id":
			cells = append(cells, cell.Column+": "+printable(cell.New))
		}
	}
	if c.New {
		sign = "+"
	}
	fmt.Fprintf(w, "%s %s/%s/%s\trow %d\t%s\n", sign, printable(c.Zone), printable(c.Utility), printable(c.ID), c.Row, strings.Join(cells, ", "))
}

func orNothing(s string) string {
	if s == "" {
		return "(empty)"
	}
	return printable(s)
}

// changeJSON is one change for scripts.
type changeJSON struct {
	Row     int                  `json:"row"`
	Zone    string               `json:"zone"`
	Utility string               `json:"utility"`
	ID      string               `json:"id"`
	New     bool                 `json:"new"`
	Cells   map[string][2]string `json:"cells"` // by column: what it was, what it is
}

func newChangeJSON(c *configs.MeterChange) changeJSON {
	j := changeJSON{Row: c.Row, Zone: c.Zone, Utility: c.Utility, ID: c.ID, New: c.New, Cells: make(map[string][2]string)}
	for _, cell := range c.Cells {
		j.Cells[cell.Column] = [2]string{cell.Old, cell.New}
	}
	return j
}
