package mqtt

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics exports one moment's ledger and the sessions. The counters live where they are counted; this only reads
// them, the ledger's under one lock, so that a scrape always balances.
type metrics struct {
	client *Client

	received, inFlight, abandoned, queueBytes             *prometheus.Desc
	connected, connects, disconnects, failures, overflows *prometheus.Desc
	forgotten, messageAge                                 *prometheus.Desc
}

func newMetrics(c *Client) *metrics {
	total := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }
	each := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("imdad_mqtt_"+name, help, []string{"session"}, nil)
	}
	return &metrics{
		client:     c,
		received:   total("imdad_messages_received_total", "Messages received from brokers, redelivered ones each time."),
		inFlight:   total("imdad_messages_in_flight", "Messages received and not yet stored."),
		abandoned:  total("imdad_messages_abandoned_total", "Messages held unacknowledged when their connection was lost; the broker sends them again."),
		queueBytes: total("imdad_mqtt_queue_bytes", "Memory taken by the messages that wait to be decoded."),

		connected:   each("connected", "Whether the broker has accepted the session's connection."),
		connects:    each("connects_total", "Connections that the broker has accepted."),
		disconnects: each("disconnects_total", "Connections that have ended."),
		failures:    each("connect_failures_total", "Attempts to connect that failed."),
		overflows:   each("overflows_total", "Connections closed because there was no room for their messages."),
		forgotten:   each("forgotten_sessions_total", "Connects at which the broker no longer knew the session; messages may be lost."),
		messageAge:  each("last_message_age_seconds", "Time since the session's last message."),
	}
}

// Describe lists the metrics.
func (m *metrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		m.received, m.inFlight, m.abandoned, m.queueBytes,
		m.connected, m.connects, m.disconnects, m.failures, m.overflows, m.forgotten, m.messageAge,
	} {
		out <- d
	}
}

// Collect reads them.
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, n int64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	l, bytes := m.client.queue.count()
	counter(m.received, l.received)
	gauge(m.inFlight, float64(l.inFlight))
	counter(m.abandoned, l.abandoned)
	gauge(m.queueBytes, float64(bytes))

	for _, s := range m.client.list() {
		status, n := s.status()
		id := status.ClientID
		up := 0.0
		if status.Connected {
			up = 1
		}
		gauge(m.connected, up, id)
		counter(m.connects, n.connects, id)
		counter(m.disconnects, n.disconnects, id)
		counter(m.failures, n.failures, id)
		counter(m.overflows, n.overflows, id)
		counter(m.forgotten, n.forgotten, id)
		if !status.LastMessage.IsZero() {
			gauge(m.messageAge, time.Since(status.LastMessage).Seconds(), id)
		}
	}
}
