package sms

import "github.com/prometheus/client_golang/prometheus"

type metrics struct{ gsm, ucs2 prometheus.Counter }

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	segments := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "imdad_sms_segments_total",
		Help: "Parts of SMS that the gateway took, by alphabet: gsm (160 characters, 153 in a part of several) or ucs2 (70, 67).",
	}, []string{"alphabet"})
	if err := reg.Register(segments); err != nil {
		return nil, err
	}
	return &metrics{gsm: segments.WithLabelValues("gsm"), ucs2: segments.WithLabelValues("ucs2")}, nil
}

func (m *metrics) sent(segments int, sevenBits bool) {
	if sevenBits {
		m.gsm.Add(float64(segments))
		return
	}
	m.ucs2.Add(float64(segments))
}
