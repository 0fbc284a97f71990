package collector

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/imdad-telemetry/imdad/collector/live"
	"github.com/imdad-telemetry/imdad/collector/spool"
)

// register makes and registers the collector's own metrics.
func (c *Collector) register(r prometheus.Registerer) error {
	c.lag = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "imdad_ingest_lag_seconds",
		Help:    "From the receipt of a batch's first message to its commit, after which it is acknowledged.",
		Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 12), // 1 ms to 24 s
	})
	c.sizes = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "imdad_ingest_batch_messages",
		Help:    "Messages committed and acknowledged together.",
		Buckets: prometheus.ExponentialBuckets(1, 2, 12), // 1 to 2048
	})
	c.commands = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "imdad_commands_total",
		Help: "Messages to devices, such as requests for a birth and keep-alives, by what became of them: sent, or dropped (the broker was away; they are tried again).",
	}, []string{"result"})
	for _, sent := range []bool{true, false} {
		c.commands.WithLabelValues(result(sent))
	}
	var errs []error
	for _, m := range []prometheus.Collector{
		c.lag, c.sizes, c.commands, &streamCollector{c.stream}, &ledgerCollector{spool: c.spool}, live.NewSupplyCollector(c.live),
	} {
		errs = append(errs, r.Register(m))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	return nil
}

// ledgerCollector exposes the spool's committed counters as of each scrape.
// Counting them here as well would let the two drift apart.
//
// The spool answers between two commits. A disk that stalls must not blind
// those who look for the cause, so a scrape waits for snapshotPatience only and
// then shows what it saw last: with a commit held up, little can have changed.
type ledgerCollector struct {
	spool *spool.Spool

	mu      sync.Mutex
	asking  chan struct{} // closed when the snapshot under way is there; nil: none is
	seen    bool
	ledger  spool.Ledger
	stats   spool.Stats
	failure error
}

const snapshotPatience = 2 * time.Second

// snapshot returns the newest ledger and state that can be had soon.
func (c *ledgerCollector) snapshot() (spool.Ledger, spool.Stats, error) {
	select {
	case <-c.ask():
	case <-time.After(snapshotPatience):
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure == nil && !c.seen {
		return spool.Ledger{}, spool.Stats{}, errors.New("the spool's disk has not answered yet")
	}
	return c.ledger, c.stats, c.failure
}

// ask has a snapshot taken, one at a time.
func (c *ledgerCollector) ask() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asking != nil {
		return c.asking
	}
	answered := make(chan struct{})
	c.asking = answered
	go func() {
		ledger, stats, err := c.spool.Snapshot(context.Background())
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.failure = err; err == nil {
			c.seen, c.ledger, c.stats = true, ledger, stats
		}
		c.asking = nil
		close(answered)
	}()
	return answered
}

// line is one series of the ledger or of the stored state.
type line struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	label string
	value func(*spool.Ledger, *spool.Stats) float64
}

var ledgerLines = newLedgerLines()

func newLedgerLines() []line {
	var lines []line
	add := func(d *prometheus.Desc, kind prometheus.ValueType, label string, value func(*spool.Ledger, *spool.Stats) float64) {
		lines = append(lines, line{d, kind, label, value})
	}
	counter := func(d *prometheus.Desc, label string, field func(*spool.Ledger) int64) {
		add(d, prometheus.CounterValue, label, func(l *spool.Ledger, _ *spool.Stats) float64 { return float64(field(l)) })
	}
	gauge := func(name, help string, field func(*spool.Stats) float64) {
		add(prometheus.NewDesc(name, help, nil, nil), prometheus.GaugeValue, "",
			func(_ *spool.Ledger, s *spool.Stats) float64 { return field(s) })
	}

	messages := prometheus.NewDesc("imdad_messages_total", "Messages by what became of them.", []string{"result"}, nil)
	counter(messages, "decoded", func(l *spool.Ledger) int64 { return l.MessagesDecoded })
	counter(messages, "quarantined", func(l *spool.Ledger) int64 { return l.MessagesQuarantined })
	counter(messages, "control", func(l *spool.Ledger) int64 { return l.MessagesControl })
	counter(messages, "ignored", func(l *spool.Ledger) int64 { return l.MessagesIgnored })
	counter(messages, "dropped", func(l *spool.Ledger) int64 { return l.MessagesDropped })

	decoded := prometheus.NewDesc("imdad_readings_decoded_total", "Readings that messages decoded into.", nil, nil)
	counter(decoded, "", func(l *spool.Ledger) int64 { return l.ReadingsDecoded })
	readings := prometheus.NewDesc("imdad_readings_total", "Readings by what became of them.", []string{"result"}, nil)
	counter(readings, "spooled", func(l *spool.Ledger) int64 { return l.ReadingsSpooled })
	counter(readings, "duplicate", func(l *spool.Ledger) int64 { return l.ReadingsDuplicate })
	counter(readings, "quarantined", func(l *spool.Ledger) int64 { return l.ReadingsQuarantined })
	conflicting := prometheus.NewDesc("imdad_readings_conflicting_total",
		"Spooled readings that replace other values of the same registers at the same time.", nil, nil)
	counter(conflicting, "", func(l *spool.Ledger) int64 { return l.ReadingsConflicting })

	spooled := prometheus.NewDesc("imdad_spool_lines_total", "Lines spooled, by where they came from.", []string{"origin"}, nil)
	counter(spooled, "reading", func(l *spool.Ledger) int64 { return l.LinesReading })
	counter(spooled, "replay", func(l *spool.Ledger) int64 { return l.LinesReplay })
	counter(spooled, "derived", func(l *spool.Ledger) int64 { return l.LinesDerived })
	counter(spooled, "alarm", func(l *spool.Ledger) int64 { return l.LinesAlarm })
	written := prometheus.NewDesc("imdad_influx_written_lines_total", "Lines that the database has taken.", nil, nil)
	counter(written, "", func(l *spool.Ledger) int64 { return l.Written })
	refused := prometheus.NewDesc("imdad_influx_refused_lines_total", "Lines that the database has refused; they are in quarantine.", nil, nil)
	counter(refused, "", func(l *spool.Ledger) int64 { return l.Refused })
	lost := prometheus.NewDesc("imdad_spool_lost_lines_total", "Lines of batches that were found damaged on disk.", nil, nil)
	counter(lost, "", func(l *spool.Ledger) int64 { return l.Lost })
	gauge("imdad_spool_pending_lines", "Lines that wait for the database.", func(s *spool.Stats) float64 { return float64(s.PendingLines) })
	gauge("imdad_spool_oldest_pending_seconds", "Age of the oldest batch that waits for the database.",
		func(s *spool.Stats) float64 { return s.OldestPending.Seconds() })
	gauge("imdad_spool_bytes", "Disk in use by undelivered batches, counted against the cap.", func(s *spool.Stats) float64 { return float64(s.BacklogBytes) })
	gauge("imdad_spool_cap_bytes", "Disk that undelivered batches may use (spool.max_bytes).", func(s *spool.Stats) float64 { return float64(s.CapBytes) })
	gauge("imdad_spool_file_bytes", "Size of the spool's file, free pages included.", func(s *spool.Stats) float64 { return float64(s.FileBytes) })

	quarantine := prometheus.NewDesc("imdad_quarantine_total", "Quarantine entries by what happened to them.", []string{"event"}, nil)
	counter(quarantine, "added", func(l *spool.Ledger) int64 { return l.QuarantineAdded })
	counter(quarantine, "replayed", func(l *spool.Ledger) int64 { return l.QuarantineReplayed })
	counter(quarantine, "dropped", func(l *spool.Ledger) int64 { return l.QuarantineDropped })
	counter(quarantine, "evicted", func(l *spool.Ledger) int64 { return l.QuarantineEvicted })
	gauge("imdad_quarantine_entries", "Messages and lines in quarantine.", func(s *spool.Stats) float64 { return float64(s.QuarantineCount) })
	gauge("imdad_quarantine_bytes", "What the entries in quarantine weigh against their cap.", func(s *spool.Stats) float64 { return float64(s.QuarantineBytes) })
	return lines
}

var accepting = prometheus.NewDesc("imdad_spool_accepting",
	"1 while the spool takes batches; 0 while it is full or its disk fails and nothing is acknowledged.", nil, nil)

// Describe implements prometheus.Collector.
func (c *ledgerCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- accepting
	var last *prometheus.Desc
	for _, l := range ledgerLines {
		if l.desc != last {
			ch <- l.desc
			last = l.desc
		}
	}
}

// Collect implements prometheus.Collector.
func (c *ledgerCollector) Collect(ch chan<- prometheus.Metric) {
	up := 0.0
	if c.spool.Accepting() {
		up = 1
	}
	ch <- prometheus.MustNewConstMetric(accepting, prometheus.GaugeValue, up)
	ledger, stats, err := c.snapshot()
	if err != nil {
		ch <- prometheus.NewInvalidMetric(ledgerLines[0].desc, fmt.Errorf("read the ledger: %w", err))
		return
	}
	for _, l := range ledgerLines {
		var labels []string
		if l.label != "" {
			labels = []string{l.label}
		}
		ch <- prometheus.MustNewConstMetric(l.desc, l.kind, l.value(&ledger, &stats), labels...)
	}
}

var (
	findings = prometheus.NewDesc("imdad_vet_findings_total", "What vetting found in readings: counters that began anew, values that jump or stand still, gaps, and each reading that is absent.",
		[]string{"finding"}, nil)
	skipped = prometheus.NewDesc("imdad_sparkplug_skipped_metrics_total", "Metrics of Sparkplug messages that are no number: templates, data sets, arrays and texts.", nil, nil)
)

// streamCollector exposes what decoding and vetting have counted since the
// start.
type streamCollector struct{ stream *Stream }

// Describe implements prometheus.Collector.
func (c *streamCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- findings
	ch <- skipped
}

// Collect implements prometheus.Collector.
func (c *streamCollector) Collect(ch chan<- prometheus.Metric) {
	found, passed := c.stream.counts()
	for name, n := range found {
		ch <- prometheus.MustNewConstMetric(findings, prometheus.CounterValue, float64(n), name)
	}
	ch <- prometheus.MustNewConstMetric(skipped, prometheus.CounterValue, float64(passed))
}
