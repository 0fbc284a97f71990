package alarm

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// metrics counts what happens, and reads the state at each scrape.
type metrics struct {
	registry    prometheus.Registerer
	transitions map[Event]prometheus.Counter
	errors      prometheus.Counter
	duration    prometheus.Histogram
	all         []prometheus.Collector
}

var events = []Event{
	Raise, Step, Acknowledge, Return, Reset, Shelve, Unshelve, Suppress, Unsuppress, TakeOut, PutBack, Remind,
}

// newMetrics registers the figures of a book; without a registry they are
// counted for nobody.
func newMetrics(registry prometheus.Registerer, b *Book) (*metrics, error) {
	m := &metrics{
		registry:    registry,
		transitions: make(map[Event]prometheus.Counter),
		errors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "imdad_alarm_store_errors_total",
			Help: "Changes of alarms that could not be stored and were tried again.",
		}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "imdad_alarm_step_duration_seconds",
			Help:    "Time of a step of the alarm book, with its commit.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 4, 9), // 0.1 ms to 6.5 s
		}),
	}
	transitions := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "imdad_alarm_transitions_total",
		Help: "Transitions of alarms since the start, by event.",
	}, []string{"event"})
	for _, e := range events {
		m.transitions[e] = transitions.WithLabelValues(string(e))
	}
	if registry == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{transitions, m.errors, m.duration, collector{b}} {
		if err := registry.Register(c); err != nil {
			m.unregister()
			return nil, err
		}
		m.all = append(m.all, c)
	}
	return m, nil
}

// unregister lets another book take the names.
func (m *metrics) unregister() {
	if m == nil {
		return
	}
	for _, c := range m.all {
		m.registry.Unregister(c)
	}
	m.all = nil
}

func (m *metrics) count(ts []Transition) {
	for i := range ts {
		m.transitions[ts[i].Event].Inc()
	}
}

func (m *metrics) failed() { m.errors.Inc() }

func (m *metrics) stepped(took time.Duration) { m.duration.Observe(took.Seconds()) }

// collector exposes the book as it is at each scrape.
type collector struct{ book *Book }

var (
	alarmsDesc = prometheus.NewDesc("imdad_alarms",
		"Alarms that are not normal, by state and severity.", []string{"state", "severity"}, nil)
	recentDesc = prometheus.NewDesc("imdad_alarm_raised_recently",
		"Alarms raised in the last ten minutes.", nil, nil)
	staleDesc = prometheus.NewDesc("imdad_alarm_stale",
		"Alarms that have stood for more than a day.", nil, nil)
	chatteringDesc = prometheus.NewDesc("imdad_alarm_chattering",
		"Alarms raised three times within a minute, in the last ten minutes.", nil, nil)
	journalDesc = prometheus.NewDesc("imdad_alarm_journal_position",
		"Number of the last transition in the journal.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{alarmsDesc, recentDesc, staleDesc, chatteringDesc, journalDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector. Each state and severity has a
// series, also at zero, so that alerts and graphs have something to stand on.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counts, now, seq := c.book.figures()
	for _, s := range []State{Unacknowledged, Acknowledged, Returned, Shelved, Suppressed, OutOfService} {
		for severity := rule.Low; severity <= rule.Critical; severity++ {
			gauge(alarmsDesc, float64(counts[figure{s, severity}]), string(s), severity.String())
		}
	}
	k := c.book.KPI(now)
	gauge(recentDesc, float64(k.Raised10Min))
	gauge(staleDesc, float64(k.Stale))
	gauge(chatteringDesc, float64(k.Chattering))
	gauge(journalDesc, float64(seq))
}

type figure struct {
	state    State
	severity rule.Severity
}

// figures counts the alarms, as of the last step.
func (b *Book) figures() (counts map[figure]int, now time.Time, seq int64) {
	b.state.RLock()
	defer b.state.RUnlock()
	counts = make(map[figure]int)
	for _, r := range b.machine.records {
		counts[figure{r.Alarm.State, r.Alarm.Severity}]++
	}
	return counts, at(b.now), b.machine.seq
}
