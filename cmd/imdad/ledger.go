package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// ledger is the books as /metrics shows them, each entry counted where it
// happens. That they balance is the proof that nothing has gone missing.
type ledger map[string]int64

// entries ties the short names of the ledger line to metrics.
var entries = []struct{ name, metric, label string }{
	{"messages_received", "imdad_messages_received_total", ""},
	{"messages_decoded", "imdad_messages_total", "decoded"},
	{"messages_quarantined", "imdad_messages_total", "quarantined"},
	{"messages_control", "imdad_messages_total", "control"},
	{"messages_ignored", "imdad_messages_total", "ignored"},
	{"messages_dropped", "imdad_messages_total", "dropped"},
	{"messages_in_flight", "imdad_messages_in_flight", ""},
	{"messages_abandoned", "imdad_messages_abandoned_total", ""},
	{"readings_decoded", "imdad_readings_decoded_total", ""},
	{"readings_spooled", "imdad_readings_total", "spooled"},
	{"readings_duplicate", "imdad_readings_total", "duplicate"},
	{"readings_quarantined", "imdad_readings_total", "quarantined"},
	{"readings_conflicting", "imdad_readings_conflicting_total", ""},
	{"lines_reading", "imdad_spool_lines_total", "reading"},
	{"lines_replay", "imdad_spool_lines_total", "replay"},
	{"lines_derived", "imdad_spool_lines_total", "derived"},
	{"lines_alarm", "imdad_spool_lines_total", "alarm"},
	{"lines_written", "imdad_influx_written_lines_total", ""},
	{"lines_refused", "imdad_influx_refused_lines_total", ""},
	{"lines_lost", "imdad_spool_lost_lines_total", ""},
	{"lines_pending", "imdad_spool_pending_lines", ""},
	{"quarantine_entries", "imdad_quarantine_entries", ""},
	{"quarantine_added", "imdad_quarantine_total", "added"},
	{"quarantine_replayed", "imdad_quarantine_total", "replayed"},
	{"quarantine_dropped", "imdad_quarantine_total", "dropped"},
	{"quarantine_evicted", "imdad_quarantine_total", "evicted"},
}

// balances are the lines of the ledger: the left sum equals the right one.
var balances = []struct{ left, right []string }{
	{
		[]string{"messages_received"},
		[]string{"messages_decoded", "messages_quarantined", "messages_control", "messages_ignored", "messages_dropped",
			"messages_in_flight", "messages_abandoned"},
	},
	{[]string{"readings_decoded"}, []string{"readings_spooled", "readings_duplicate", "readings_quarantined"}},
	{
		[]string{"lines_reading", "lines_replay", "lines_derived", "lines_alarm"},
		[]string{"lines_written", "lines_refused", "lines_lost", "lines_pending"},
	},
	{
		[]string{"quarantine_added"},
		[]string{"quarantine_entries", "quarantine_replayed", "quarantine_dropped", "quarantine_evicted"},
	},
}

// gatherLedger reads the ledger from the process's own metrics.
func gatherLedger(g prometheus.Gatherer) (ledger, error) {
	families, err := g.Gather()
	if err != nil {
		return nil, fmt.Errorf("gather metrics: %w", err)
	}
	byName := make(map[string]*dto.MetricFamily, len(families))
	for _, f := range families {
		byName[f.GetName()] = f
	}
	return newLedger(byName)
}

func newLedger(families map[string]*dto.MetricFamily) (ledger, error) {
	l := make(ledger, len(entries))
	for _, e := range entries {
		v, ok := sample(families[e.metric], e.label)
		if !ok {
			return nil, fmt.Errorf("metric %s %s is missing", e.metric, e.label)
		}
		l[e.name] = int64(math.Round(v))
	}
	return l, nil
}

// sample returns the value of the series whose only label has the given value.
func sample(f *dto.MetricFamily, label string) (float64, bool) {
	for _, m := range f.GetMetric() {
		if label != "" && (len(m.GetLabel()) != 1 || m.GetLabel()[0].GetValue() != label) {
			continue
		}
		return m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue(), true
	}
	return 0, false
}

// problems returns the lines that do not balance, in words.
func (l ledger) problems() []string {
	var out []string
	for _, b := range balances {
		left, right := l.sum(b.left), l.sum(b.right)
		if left != right {
			out = append(out, fmt.Sprintf("%s = %d, but %s = %d",
				strings.Join(b.left, " + "), left, strings.Join(b.right, " + "), right))
		}
	}
	return out
}

func (l ledger) sum(names []string) (total int64) {
	for _, name := range names {
		total += l[name]
	}
	return total
}

// String is the one line that demo ends with.
func (l ledger) String() string {
	var b strings.Builder
	b.WriteString("ledger")
	for _, e := range entries {
		fmt.Fprintf(&b, " %s=%d", e.name, l[e.name])
	}
	return b.String()
}
