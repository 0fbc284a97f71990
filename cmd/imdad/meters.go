package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

type metersCmd struct {
	List     metersList     `cmd:"" help:"List the registered meters."`
	Import   metersImport   `cmd:"" help:"Put a list of meters, CSV or XLSX, into the registry, or show what that would change."`
	Discover metersDiscover `cmd:"" help:"Propose registry lines for meters that were seen and are not registered, and sources for messages that fit none."`
}

// Help is shown by imdad meters --help.
func (metersCmd) Help() string {
	return `Works beside a running service, which takes a changed registry by itself, and without one.`
}

type metersList struct {
	registryFlags
	Zone    string        `help:"Only meters of this zone." placeholder:"ID"`
	Utility meter.Utility `help:"Only meters of this utility." placeholder:"U"`
	At      string        `help:"Only meters of this object." placeholder:"ID"`
	JSON    bool          `name:"json" help:"One JSON object a line instead of a table."`
}

// registryFlags name the registry of a configuration.
type registryFlags struct {
	Config string `required:"" help:"The configuration file of the service." placeholder:"FILE"`
}

// load reads the configuration and the registry; mistakes are printed.
func (f registryFlags) load(e *env) (config, *zone.Registry, error) {
	c, registry, _, err := loadRegistry(f.Config)
	if err != nil {
		fmt.Fprintln(e.stderr, err)
		return c, nil, reported{err}
	}
	return c, registry, nil
}

// Validate is called by the parser.
func (m *metersList) Validate() error {
	if m.Utility != "" && !m.Utility.Valid() {
		return fmt.Errorf("--utility: unknown utility %q; known: %v", m.Utility, meter.Utilities)
	}
	return nil
}

// known refuses filters by what is not there: an empty list would pass for an
// answer.
func (m *metersList) known(r *zone.Registry) error {
	if _, ok := r.Zone(m.Zone); m.Zone != "" && !ok {
		return fmt.Errorf("--zone: the registry has no zone %q", m.Zone)
	}
	if _, ok := r.Object(m.At); m.At != "" && !ok {
		return fmt.Errorf("--at: the registry has no %q", m.At)
	}
	return nil
}

func (m *metersList) Run(e *env) error {
	_, registry, err := m.load(e)
	if err != nil {
		return err
	}
	if err := m.known(registry); err != nil {
		return err
	}
	table := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
	encoder := json.NewEncoder(e.stdout)
	if !m.JSON {
		fmt.Fprintln(table, "ZONE\tUTILITY\tMETER\tAT\tEVERY\tGATEWAY\tSERIAL")
	}
	meters := registry.Meters()
	for i := range meters {
		d := &meters[i]
		if m.Zone != "" && d.Zone != m.Zone || m.Utility != "" && d.Utility != m.Utility || m.At != "" && d.At != m.At {
			continue
		}
		if !m.JSON {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s s\t%s\t%s\n", d.Zone, d.Utility, d.ID, d.At,
				strconv.FormatFloat(d.IntervalS, 'f', -1, 64), d.Gateway, d.Serial)
			continue
		}
		if err := encoder.Encode(newMeterJSON(d)); err != nil {
			return err
		}
	}
	return table.Flush()
}

// meterJSON is a registered meter for scripts.
type meterJSON struct {
	Zone         string            `json:"zone"`
	Utility      meter.Utility     `json:"utility"`
	ID           string            `json:"id"`
	At           string            `json:"at"`
	IntervalS    float64           `json:"interval_s"`
	Gateway      string            `json:"gateway,omitempty"`
	NominalV     float64           `json:"nominal_v,omitempty"`
	Digits       int               `json:"digits,omitempty"`
	Backup       bool              `json:"backup,omitempty"`
	Serial       string            `json:"serial,omitempty"`
	Replacements []replacementJSON `json:"replacements,omitempty"`
}

// replacementJSON is the exchange of a meter's device for another.
type replacementJSON struct {
	At      time.Time          `json:"at"`
	Serial  string             `json:"serial,omitempty"` // of the new one
	Final   map[string]float64 `json:"final,omitempty"`  // what the old one showed
	Initial map[string]float64 `json:"initial,omitempty"`
}

func newMeterJSON(m *zone.Meter) meterJSON {
	j := meterJSON{m.Zone, m.Utility, m.ID, m.At, m.IntervalS, m.Gateway, m.NominalV, m.Digits, m.Backup, m.Serial, nil}
	for _, r := range m.Replacements {
		j.Replacements = append(j.Replacements, replacementJSON(r))
	}
	return j
}
