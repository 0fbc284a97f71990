package influx

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	duration prometheus.Histogram
	requests [condition + 1]prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, g *gate) (*metrics, error) {
	m := &metrics{
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "imdad_influx_write_duration_seconds",
			Help:    "Time from sending a write request to InfluxDB to its answer or failure.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 15), // 1 ms to 16 s
		}),
	}
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "imdad_influx_requests_total",
		Help: "Write requests to InfluxDB by what came of them: stored, refused (a line is wrong), too_large, retry, auth, condition (the database must be mended).",
	}, []string{"result"})
	for c := range m.requests {
		m.requests[c] = requests.WithLabelValues(class(c).String())
	}
	up := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "imdad_influx_up",
		Help: "1 while lines go to InfluxDB, 0 while they are held up.",
	}, func() float64 {
		if g.status().Degraded {
			return 0
		}
		return 1
	})
	for _, c := range []prometheus.Collector{m.duration, requests, up} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) observe(c class, took time.Duration) {
	m.duration.Observe(took.Seconds())
	m.requests[c].Inc()
}
