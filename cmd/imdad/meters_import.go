package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/xuri/excelize/v2"

	"github.com/imdad-telemetry/imdad/configs"
)

type metersImport struct {
	registryFlags
	File   string `arg:"" type:"path" help:"The list: CSV, or XLSX with the list on its first sheet. Its first row names the columns."`
	Sheet  string `help:"Another sheet of the XLSX file." placeholder:"NAME"`
	Into   string `type:"path" help:"The CSV list of the registry to change (default: the only one)." placeholder:"FILE"`
	DryRun bool   `help:"Only show what would change."`
	JSON   bool   `name:"json" help:"One JSON object a changed meter instead of a table."`
}

// Help is shown by imdad meters import --help.
func (metersImport) Help() string {
	return `The columns have the names that a list of meters has in the registry: id, zone and utility name the meter; at, interval_s,
gateway and the others are what is known of it. A meter that is there is changed, one that is not is added, none is removed.
A column that the file leaves out stays as it is; a cell that is empty empties it. The registry that would come of it is
checked first: with a mistake in it nothing is changed, and every mistake is shown at its row.

A running service takes the new list by itself.`
}

func (m *metersImport) Run(e *env) error {
	c, _, err := m.load(e)
	if err != nil {
		return err
	}
	rows, err := m.read()
	if err != nil {
		return fmt.Errorf("read %s: %w", m.File, err)
	}
	plan, err := configs.PlanImport(c.Cities, m.File, rows, m.Into)
	if err != nil {
		var mistakes configs.Mistakes
		if errors.As(err, &mistakes) {
			fmt.Fprintln(e.stderr, mistakes)
			return reported{err}
		}
		return err
	}
	if err := m.show(e, plan); err != nil {
		return err
	}
	verb := "would change"
	if !m.DryRun {
		verb = "changed"
		if len(plan.Changes) > 0 {
			if err := replaceFile(plan.Target, plan.Text); err != nil {
				return err
			}
		}
	}
	if !m.JSON {
		added := plan.Added()
		fmt.Fprintf(e.stdout, "%s %s: %d new, %d changed, %d as they are\n", verb, plan.Target, added, len(plan.Changes)-added, plan.Same)
	}
	return nil
}

// maxImported bounds a list, in bytes.
const maxImported = 64 << 20

// read returns the rows of the list.
func (m *metersImport) read() ([][]string, error) {
	if info, err := os.Stat(m.File); err != nil {
		return nil, errors.Unwrap(err)
	} else if info.Size() > maxImported {
		return nil, fmt.Errorf("larger than %d MiB; split it", maxImported>>20)
	}
	if strings.EqualFold(filepath.Ext(m.File), ".xlsx") {
		return m.readXLSX()
	}
	if m.Sheet != "" {
		return nil, errors.New("--sheet is for XLSX files")
	}
	text, err := os.ReadFile(m.File)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	r.FieldsPerRecord = -1
	if first, _, _ := bytes.Cut(text, []byte("\n")); bytes.ContainsRune(first, ';') && !bytes.ContainsRune(first, ',') {
		r.Comma = ';' // as spreadsheets write it where the comma is in numbers
	}
	return r.ReadAll()
}

// xlsxUnzipped bounds what a workbook may unpack to, in bytes.
const xlsxUnzipped = 256 << 20

func (m *metersImport) readXLSX() (rows [][]string, err error) {
	book, err := excelize.OpenFile(m.File, excelize.Options{RawCellValue: true, UnzipSizeLimit: xlsxUnzipped})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	sheet := m.Sheet
	if sheet == "" {
		sheet = book.GetSheetName(0)
	}
	return book.GetRows(sheet)
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

// replaceFile puts a text in the place of a file's once it is on disk, so that
// a service that watches it reads one or the other.
func replaceFile(path string, text []byte) (err error) {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(info.Mode()), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}
