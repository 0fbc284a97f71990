package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector"
	"github.com/imdad-telemetry/imdad/collector/influx"
	"github.com/imdad-telemetry/imdad/collector/mqtt"
)

func TestReadiness(t *testing.T) {
	t.Parallel()
	up := mqtt.SessionStatus{ClientID: "imdad", Broker: "tcp://b:1883", Connected: true, Subscribed: true}
	for _, test := range []struct {
		name   string
		change func(*collector.Status, *mqtt.SessionStatus)
		code   int
		says   []string
	}{
		{
			"all well", func(*collector.Status, *mqtt.SessionStatus) {}, http.StatusOK,
			[]string{"ready\n", "mqtt imdad: connected to tcp://b:1883\n", "spool: accepts\n", "database: ok\n"},
		},
		{
			"broker away", func(_ *collector.Status, s *mqtt.SessionStatus) {
				*s = mqtt.SessionStatus{ClientID: "imdad", LastError: "refused"}
			},
			http.StatusServiceUnavailable, []string{"not ready\n", "mqtt imdad: not connected: refused\n"},
		},
		{
			"filters not granted", func(_ *collector.Status, s *mqtt.SessionStatus) { s.Subscribed, s.LastError = false, "no right" },
			http.StatusServiceUnavailable, []string{"not ready\n", "mqtt imdad: connected to tcp://b:1883, but not subscribed: no right\n"},
		},
		{
			"a session that retires has no filters", func(_ *collector.Status, s *mqtt.SessionStatus) { s.Subscribed, s.Retiring = false, true },
			http.StatusOK, []string{"ready\n"},
		},
		{
			"spool refuses", func(c *collector.Status, _ *mqtt.SessionStatus) { c.Refusing = "full" },
			http.StatusServiceUnavailable, []string{"not ready\n", "spool: refuses: full\n"},
		},
		{
			"database away", func(c *collector.Status, _ *mqtt.SessionStatus) {
				c.Database = influx.Status{Degraded: true, Since: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC), Cause: "refused"}
			},
			http.StatusOK, []string{"ready, degraded\n", "database: degraded since 2026-11-23T08:00:00Z: refused\n"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			session, status := up, collector.Status{}
			test.change(&status, &session)
			status.Sessions = []mqtt.SessionStatus{session}
			code, body := readiness(status)
			if code != test.code {
				t.Errorf("%d, want %d", code, test.code)
			}
			for i, want := range test.says {
				if i == 0 && !strings.HasPrefix(body, want) || !strings.Contains(body, want) {
					t.Errorf("does not say %q:\n%s", want, body)
				}
			}
		})
	}
}

func TestSameOrigin(t *testing.T) {
	t.Parallel()
	h := sameOrigin(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	for _, test := range []struct {
		name, method, path, key, value string
		code                           int
	}{
		{"a program", http.MethodPost, "/api/v1/alarms/a:b/reset", "", "", http.StatusNoContent},
		{"a page of our own", http.MethodPost, "/api/v1/alarms/a:b/reset", "Sec-Fetch-Site", "same-origin", http.StatusNoContent},
		{"a page of another site", http.MethodPost, "/api/v1/alarms/a:b/reset", "Sec-Fetch-Site", "cross-site", http.StatusForbidden},
		{"the same in an old browser", http.MethodPost, "/api/v1/alarms/a:b/reset", "Origin", "https://evil.example", http.StatusForbidden},
		{"a link", http.MethodGet, "/api/v1/alarms", "Sec-Fetch-Site", "cross-site", http.StatusNoContent},
		{"the form behind a signed link", http.MethodPost, "/acknowledge", "Origin", "null", http.StatusNoContent},
	} {
		r := httptest.NewRequestWithContext(t.Context(), test.method, "http://imdad.example"+test.path, http.NoBody)
		if test.key != "" {
			r.Header.Set(test.key, test.value)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != test.code {
			t.Errorf("%s: %d, want %d", test.name, w.Code, test.code)
		}
	}
}
