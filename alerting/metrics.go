package alerting

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/imdad-telemetry/imdad/alerting/rule"
)

type metrics struct {
	cycle      prometheus.Histogram
	failures   prometheus.Counter
	conditions *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		cycle: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "imdad_alerting_cycle_duration_seconds", Help: "Time of one cycle: snapshot, evaluation, alarms, notices.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "imdad_alerting_failures_total", Help: "Cycles that could not be stored and were made up for by the next.",
		}),
		conditions: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "imdad_alerting_conditions", Help: "Conditions that are not clear, by their state: raised, held or unknown.",
		}, []string{"state"}),
	}
	reg.MustRegister(m.cycle, m.failures, m.conditions)
	return m
}

func (m *metrics) observe(n rule.Tally) {
	for _, s := range []rule.State{rule.Held, rule.Unknown, rule.Raised} {
		m.conditions.WithLabelValues(s.String()).Set(float64(n[s]))
	}
}
