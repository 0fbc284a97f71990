package notify

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The results of imdad_notices_total.
const (
	resultSent      = "sent"
	resultRetried   = "retried"
	resultFailed    = "failed"
	resultCancelled = "cancelled"
)

type metrics struct {
	notices *prometheus.CounterVec
	queue   *prometheus.GaugeVec
	delay   *prometheus.HistogramVec
	up      *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer, specs []Spec) (*metrics, error) {
	m := &metrics{
		notices: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "imdad_notices_total",
			Help: "Notices by channel and what came of them: sent, retried (an attempt failed), failed (given up), cancelled (pointless before it left).",
		}, []string{"channel", "result"}),
		queue: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "imdad_notice_queue",
			Help: "Notices that wait to be sent.",
		}, []string{"channel"}),
		delay: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "imdad_notice_delay_seconds",
			Help:    "Real time from a notice entering the outbox to the other side having taken it.",
			Buckets: prometheus.ExponentialBuckets(0.005, 4, 12), // 5 ms to 6 h
		}, []string{"channel"}),
		up: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "imdad_notice_channel_up",
			Help: "1 unless the channel's last attempt failed.",
		}, []string{"channel"}),
	}
	for _, c := range []prometheus.Collector{m.notices, m.queue, m.delay, m.up} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	for _, s := range specs {
		for _, result := range []string{resultSent, resultRetried, resultFailed, resultCancelled} {
			m.notices.WithLabelValues(s.Name, result)
		}
		m.queue.WithLabelValues(s.Name)
		m.delay.WithLabelValues(s.Name)
		m.up.WithLabelValues(s.Name).Set(1)
	}
	return m, nil
}

func (m *metrics) count(channel, result string) { m.notices.WithLabelValues(channel, result).Inc() }

func (m *metrics) sent(channel string, took time.Duration) {
	m.count(channel, resultSent)
	m.delay.WithLabelValues(channel).Observe(max(0, took.Seconds()))
}

// reached notes whether the last attempt got through.
func (m *metrics) reached(channel string, ok bool) {
	value := 0.0
	if ok {
		value = 1
	}
	m.up.WithLabelValues(channel).Set(value)
}
