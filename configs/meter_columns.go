package configs

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/collector/zone/spelling"
)

// meterColumns are the columns of a CSV list of meters, under the YAML names
// of zone.Meter's fields. A cell holds one thing: of the replacements a row
// tells only the last, in columns of its own, and its new device is the one of
// serial. A meter that was replaced twice stands in the YAML file.
var meterColumns = []meterColumn{
	{"id", true, "the meter's name in its messages", func(m *meterRow, s string) string { m.ID = s; return "" }},
	{"zone", true, "the zone of its messages", func(m *meterRow, s string) string { m.Zone = s; return "" }},
	{"utility", true, "electricity, water, fuel or generator", func(m *meterRow, s string) string { m.Utility = meter.Utility(s); return "" }},
	{"at", true, "the id of what it measures: a feeder, plant, tank …", func(m *meterRow, s string) string { m.At = s; return "" }},
	{"interval_s", false, "planned seconds between two messages; 60 if empty", (*meterRow).setInterval},
	{"gateway", false, "the id of the gateway it speaks through", func(m *meterRow, s string) string { m.Gateway = s; return "" }},
	{"nominal_v", false, "nominal voltage, phase to neutral, where it is not 230 V or 20 kV", (*meterRow).setNominal},
	{"digits", false, "of its counters before the point; they roll over at 10^digits", (*meterRow).setDigits},
	{"backup", false, "true: it has a battery and speaks on without supply", (*meterRow).setBackup},
	{"serial", false, "the number on the device", func(m *meterRow, s string) string { m.Serial = s; return "" }},
	{"replaced_at", false, "when the device was put in for another: 2026-11-23 17:00", (*meterRow).setReplaced},
	{"final", false, "what the old one showed at its end: volume_m3=812.4;…", func(m *meterRow, s string) string { return setShown(&m.last.Final, s) }},
	{"initial", false, "what the new one showed then: volume_m3=0.2;…", func(m *meterRow, s string) string { return setShown(&m.last.Initial, s) }},
}

type meterColumn struct {
	name     string
	required bool
	about    string                         // for people, one line
	set      func(*meterRow, string) string // returns what is wrong, "" if nothing
}

// DescribeColumns lists the columns of a list of meters, one a line.
func DescribeColumns() string {
	var b strings.Builder
	for _, c := range meterColumns {
		fmt.Fprintf(&b, "  %-12s %s\n", c.name, c.about)
	}
	return b.String()
}

// meterRow is a meter while its row is read.
type meterRow struct {
	zone.Meter
	clock    *time.Location
	replaced string // as it is written
	last     zone.Replacement
}

func columnNames() []string {
	names := make([]string, len(meterColumns))
	for i, c := range meterColumns {
		names[i] = c.name
	}
	return names
}

func columnHint(name string) (near, hint string) {
	names := columnNames()
	if near, ok := spelling.Nearest(name, names); ok {
		return near, fmt.Sprintf("did you mean %q?", near)
	}
	return "", "known columns: " + strings.Join(names, ", ")
}

// replacementColumn is where the CSV list has what stands under a key of a
// meter's replacement in YAML.
func replacementColumn(key string) string {
	if key == "at" {
		return "replaced_at"
	}
	return key
}

// setInterval takes an empty field as not given.
func (m *meterRow) setInterval(text string) string {
	if text == "" {
		return ""
	}
	f, err := parseFloat(text)
	if err != nil {
		return fmt.Sprintf("expected a number, got %s", excerpt(text))
	}
	if f <= 0 {
		return fmt.Sprintf("%s is impossible; give the seconds between messages, above 0", text)
	}
	m.IntervalS = f
	return ""
}

// setNominal takes an empty field as not given.
func (m *meterRow) setNominal(text string) string {
	if text == "" {
		return ""
	}
	f, err := parseFloat(text)
	if err != nil {
		return fmt.Sprintf("expected a number, got %s", excerpt(text))
	}
	m.NominalV = f
	return ""
}

// setDigits takes an empty field as not given.
func (m *meterRow) setDigits(text string) string {
	if text == "" {
		return ""
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Sprintf("expected a whole number, got %s", excerpt(text))
	}
	m.Digits = n
	return ""
}

// setBackup takes an empty field as false, and the capitals that spreadsheets
// write.
func (m *meterRow) setBackup(text string) string {
	switch text {
	case "", "false", "FALSE":
	case "true", "TRUE":
		m.Backup = true
	default:
		return fmt.Sprintf("expected true or false, got %s", excerpt(text))
	}
	return ""
}

// wallLayouts are how a spreadsheet writes a time, by the city's clock.
var wallLayouts = []string{"2006-01-02 15:04", "2006-01-02 15:04:05"}

// setReplaced takes an empty field as not given.
func (m *meterRow) setReplaced(text string) string {
	m.replaced = text
	if text == "" {
		return ""
	}
	at, err := time.Parse(time.RFC3339, text)
	for _, layout := range wallLayouts {
		if err != nil {
			at, err = time.ParseInLocation(layout, text, m.clock)
		}
	}
	if err != nil {
		return fmt.Sprintf("%s is no time; write 2026-11-23 17:00, by the city's clock, or 2026-11-23T17:00:00+03:00", excerpt(text))
	}
	m.last.At = at
	return ""
}

// setShown reads "register=value;register=value".
func setShown(counters *map[string]float64, text string) string {
	for part := range strings.SplitSeq(text, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		register, value, ok := strings.Cut(part, "=")
		register, value = strings.TrimSpace(register), strings.TrimSpace(value)
		if !ok || register == "" {
			return fmt.Sprintf("expected register=value, several with ; between them, got %s", excerpt(part))
		}
		f, err := parseFloat(value)
		if err != nil {
			return fmt.Sprintf("%s: expected a number, got %s", register, excerpt(value))
		}
		if _, twice := (*counters)[register]; twice {
			return fmt.Sprintf("%s is given twice", register)
		}
		if *counters == nil {
			*counters = make(map[string]float64)
		}
		(*counters)[register] = f
	}
	return ""
}

// replacement gives the meter the replacement that its row tells of, or says
// what is wrong in which column.
func (m *meterRow) replacement() (column, wrong string) {
	switch {
	case !m.last.At.IsZero():
		m.last.Serial = m.Serial
		m.Replacements = []zone.Replacement{m.last}
	case m.replaced != "": // said already
	case m.last.Final != nil:
		return "final", "there is no replacement without replaced_at"
	case m.last.Initial != nil:
		return "initial", "there is no replacement without replaced_at"
	}
	return "", ""
}
