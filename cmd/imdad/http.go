package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/exporter-toolkit/web"
	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/collector"
)

// httpServer is the one listener: metrics, health, the API of alarms.
type httpServer struct {
	listener net.Listener
	server   *http.Server
	flags    *web.FlagConfig
	log      zerolog.Logger
}

// newHTTPServer listens at once, so that a taken port is known at start.
func newHTTPServer(c httpConfig, handler http.Handler, log zerolog.Logger) (*httpServer, error) {
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for HTTP (http.listen): %w", err)
	}
	listen := []string{l.Addr().String()}
	systemd := false
	return &httpServer{
		listener: l,
		server:   &http.Server{Handler: sameOrigin(handler), ReadHeaderTimeout: 10 * time.Second},
		flags:    &web.FlagConfig{WebListenAddresses: &listen, WebSystemdSocket: &systemd, WebConfigFile: &c.WebConfig},
		log:      log,
	}, nil
}

// sameOrigin refuses what a page of another site makes a browser send, with the
// password that the browser knows. The page behind a signed link needs no such
// care: the token in its form is known to nobody else.
func sameOrigin(handler http.Handler) http.Handler {
	p := http.NewCrossOriginProtection()
	p.AddInsecureBypassPattern("POST /acknowledge")
	return p.Handler(handler)
}

// Addr is the address in use, as HOST:PORT.
func (s *httpServer) Addr() string { return s.listener.Addr().String() }

// Close frees the port of a server that never ran.
func (s *httpServer) Close() error { return s.listener.Close() }

// Run serves until ctx ends, then lets requests finish for a moment.
func (s *httpServer) Run(ctx context.Context) error {
	stopped := make(chan error, 1)
	defer context.AfterFunc(ctx, func() {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		stopped <- s.server.Shutdown(bounded)
	})()
	err := web.Serve(s.listener, s.server, s.flags, newSlog(s.log))
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve HTTP: %w", err)
	}
	return <-stopped
}

// newMux lays out the paths. meters is nil where per-meter metrics are off.
func newMux(c *collector.Collector, metrics, meters *prometheus.Registry) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	if meters != nil {
		mux.Handle("GET /metrics/meters", promhttp.HandlerFor(meters, promhttp.HandlerOpts{}))
	} else {
		mux.HandleFunc("GET /metrics/meters", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "per-meter metrics are off; set metrics.meters: true", http.StatusNotFound)
		})
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		code, body := readiness(c.Status())
		text(w, code, body)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		text(w, http.StatusOK, "imdad "+version+"\n\n/metrics\n/metrics/meters\n/healthz\n/readyz\n/api/v1/alarms\n/api/v1/journal\n/api/openapi.json\n")
	})
	return mux
}

// readiness is 503 while a broker session is down or has not its filters, or
// the spool refuses. A database that is down is no reason to send readings
// elsewhere: the spool takes them.
func readiness(s collector.Status) (code int, body string) {
	var b strings.Builder
	ready := s.Refusing == ""
	for _, session := range s.Sessions {
		ready = ready && session.Ready()
		switch {
		case session.Ready():
			fmt.Fprintf(&b, "mqtt %s: connected to %s\n", session.ClientID, session.Broker)
		case session.Connected:
			fmt.Fprintf(&b, "mqtt %s: connected to %s, but not subscribed: %s\n", session.ClientID, session.Broker, session.LastError)
		default:
			fmt.Fprintf(&b, "mqtt %s: not connected: %s\n", session.ClientID, session.LastError)
		}
	}
	if s.Refusing == "" {
		b.WriteString("spool: accepts\n")
	} else {
		fmt.Fprintf(&b, "spool: refuses: %s\n", s.Refusing)
	}
	if !s.Database.Degraded {
		b.WriteString("database: ok\n")
	} else {
		fmt.Fprintf(&b, "database: degraded since %s: %s\n", s.Database.Since.Format(time.RFC3339), s.Database.Cause)
	}
	switch {
	case !ready:
		return http.StatusServiceUnavailable, "not ready\n" + b.String()
	case s.Database.Degraded:
		return http.StatusOK, "ready, degraded\n" + b.String()
	}
	return http.StatusOK, "ready\n" + b.String()
}

func text(w http.ResponseWriter, code int, body string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, body) // the client has gone: nobody to tell
}
