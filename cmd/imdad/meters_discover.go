package main

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/imdad-telemetry/imdad/collector"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

type metersDiscover struct {
	registryFlags
	Listen time.Duration `help:"Besides, listen to the broker for so long: to all topics, whoever reads them." placeholder:"30s"`
	Filter string        `help:"With --listen: the topics to listen to (default: #, all)." default:"#" placeholder:"FILTER"`
	CSV    bool          `name:"csv" help:"Only the proposed meters, as a list for imdad meters import."`
	JSON   bool          `name:"json" help:"One JSON object a line: meters, then topics without a source."`
}

// Help is shown by imdad meters discover --help.
func (metersDiscover) Help() string {
	return `Two things keep a meter out of the balances: nobody has registered it, or no source reads its messages.

The first kind is stored all the same, and listed here with what it says. Write the proposed lines into a file, say in the
column at what each meter measures, and read it in:

  imdad meters discover --config imdad.yaml --csv > new.csv
  imdad meters import --config imdad.yaml --dry-run new.csv

The second kind never reaches the collector, which asks the broker for the topics of its sources alone, unless --listen has a
look at all there are; or it waits in quarantine as no_source, where a source was taken out of the configuration. For each
group of topics a source is proposed, with the profile that its messages look like. After a restart with it, imdad quarantine
replay --all --reason no_source reads what had come before.`
}

func (m *metersDiscover) Run(e *env) error {
	c, registry, err := m.load(e)
	if err != nil {
		return err
	}
	seen, err := collector.ReadSightings(c.DataDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // none is saved yet
		return err
	}
	meters := propose(seen, registry)
	if m.CSV {
		return writeProposals(e.stdout, meters)
	}
	strays := newStrays(c.Sources)
	if err := strays.fromQuarantine(e, &c, m.Listen > 0); err != nil {
		return err
	}
	if m.Listen > 0 {
		if err := strays.fromBroker(e, m, &c); err != nil {
			return err
		}
	}
	if m.JSON {
		return discoveryLines(e.stdout, meters, strays)
	}
	if err := proposedMeters(e.stdout, meters); err != nil {
		return err
	}
	return proposedSources(e.stdout, strays)
}

// proposal is a meter that was seen and is not registered.
type proposal struct {
	collector.Sighting
	At string // the object that it measures, if its name says so
}

// propose leaves out what has been registered since it was seen.
func propose(seen []collector.Sighting, registry *zone.Registry) []proposal {
	var meters []proposal
	for _, s := range seen {
		if _, ok := registry.Meter(s.Zone, s.Utility, s.Meter); !ok {
			meters = append(meters, proposal{s, measured(s.Meter, registry)})
		}
	}
	return meters
}

// measured is the object whose id a meter's begins with, up to a separator; the
// longest if there are several.
func measured(id string, registry *zone.Registry) string {
	for end := len(id); end > 0; end = strings.LastIndexAny(id[:end], "-_.:") {
		if _, ok := registry.Object(id[:end]); ok {
			return id[:end]
		}
	}
	return ""
}

func writeProposals(w io.Writer, meters []proposal) error {
	list := csv.NewWriter(w)
	rows := [][]string{{"id", "zone", "utility", "at"}}
	for _, p := range meters {
		rows = append(rows, []string{p.Meter, p.Zone, string(p.Utility), p.At})
	}
	return list.WriteAll(rows)
}

func proposedMeters(w io.Writer, meters []proposal) error {
	if len(meters) == 0 {
		_, err := fmt.Fprintln(w, "seen and not registered: no meter")
		return err
	}
	fmt.Fprintf(w, "seen and not registered: %s\n", count(len(meters), "meter"))
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "ZONE\tUTILITY\tMETER\tAT?\tPROFILE\tREADINGS\tLAST\tTOPIC\tREGISTERS")
	for _, p := range meters {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", p.Zone, p.Utility, p.Meter, cmp.Or(p.At, "?"), p.Profile, p.Readings,
			p.Last.Format(time.RFC3339), printable(p.Topic), registersOf(&p.Sighting))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "register them: imdad meters discover --csv > new.csv, say in its column at what each measures, imdad meters import new.csv")
	return err
}

// registersOf lists what the meter said last.
func registersOf(s *collector.Sighting) string {
	var list []string
	for _, v := range s.Registers {
		list = append(list, v.Name+"="+decimal(v.Value))
	}
	return strings.Join(list, " ")
}
