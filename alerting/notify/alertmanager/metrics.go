package alertmanager

import (
	"net/url"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// newMetrics counts requests, by instance, so that one that is down shows while the others serve.
func newMetrics(reg prometheus.Registerer) (*prometheus.CounterVec, error) {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "imdad_alertmanager_requests_total",
		Help: "Requests to each Alertmanager, by its address, and what came of them: stored or failed.",
	}, []string{"alertmanager", "result"})
	return requests, reg.Register(requests)
}

// newInstance takes an address that Validate has seen.
func newInstance(address string, requests *prometheus.CounterVec) instance {
	host := address
	if u, err := url.Parse(address); err == nil {
		host = u.Host
	}
	return instance{
		url: strings.TrimSuffix(address, "/") + "/api/v2/alerts", host: host,
		stored: requests.WithLabelValues(host, "stored"), failed: requests.WithLabelValues(host, "failed"),
	}
}
