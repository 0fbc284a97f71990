package call

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/imdad-telemetry/imdad/alerting/notify"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve answers with status, header and body, and counts connections.
func serve(t *testing.T, status int, header http.Header, body string) (url string, connections *atomic.Int32) {
	t.Helper()
	connections = &atomic.Int32{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for key, values := range header {
			w.Header()[key] = values
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL, connections
}

func client(t *testing.T, timeout time.Duration) *Client {
	t.Helper()
	c := New(timeout)
	t.Cleanup(c.Close)
	return c
}

func TestErrSaysWhetherToTryAgain(t *testing.T) {
	t.Parallel()
	date := time.Now().Add(10 * time.Minute).UTC().Format(http.TimeFormat)
	for _, c := range []struct {
		name       string
		status     int
		retryAfter string
		permanent  bool
		after      time.Duration // at least; 0: no Later
	}{
		{"moved", http.StatusFound, "", false, 0},
		{"malformed", http.StatusBadRequest, "", true, 0},
		{"credentials", http.StatusUnauthorized, "", false, 0},
		{"forbidden", http.StatusForbidden, "", true, 0},
		{"gone", http.StatusGone, "5", true, 0},
		{"timeout", http.StatusRequestTimeout, "", false, 0},
		{"too early", http.StatusTooEarly, "", false, 0},
		{"too many, seconds", http.StatusTooManyRequests, "17", false, 17 * time.Second},
		{"too many, date", http.StatusTooManyRequests, date, false, 9 * time.Minute},
		{"too many, for ever", http.StatusTooManyRequests, "1000000", false, maxWait},
		{"too many, nonsense", http.StatusTooManyRequests, "soon", false, 0},
		{"broken", http.StatusInternalServerError, "", false, 0},
		{"away", http.StatusServiceUnavailable, "3", false, 3 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{}
			if c.retryAfter != "" {
				header.Set("Retry-After", c.retryAfter)
			}
			url, _ := serve(t, c.status, header, "no\n thanks")
			reply, err := client(t, time.Minute).Do(t.Context(), Request{Method: http.MethodPost, URL: url})
			if err != nil {
				t.Fatal(err)
			}
			err = reply.Err()
			if err == nil || !strings.Contains(err.Error(), "no thanks") {
				t.Fatalf("err = %v, want one that quotes the answer", err)
			}
			if got := errors.Is(err, notify.ErrPermanent); got != c.permanent {
				t.Errorf("permanent = %t, want %t", got, c.permanent)
			}
			later, ok := errors.AsType[*notify.Later](err)
			if ok != (c.after > 0) || ok && (later.After < c.after || later.After > maxWait) {
				t.Errorf("later = %v, want %v", later, c.after)
			}
		})
	}
}

func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	url, connections := serve(t, http.StatusOK, nil, strings.Repeat("x", maxReply/2))
	c := client(t, time.Minute)
	for range 5 {
		if reply, err := c.Do(t.Context(), Request{Method: http.MethodPost, URL: url}); err != nil || reply.Err() != nil {
			t.Fatal(err, reply.Err())
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections for 5 requests", n)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, http.StatusBadGateway, nil, strings.Repeat("ي", maxReply))
	reply, err := client(t, time.Minute).Do(t.Context(), Request{Method: http.MethodGet, URL: url})
	if err != nil || len(reply.Body) != maxReply {
		t.Fatalf("%d bytes, %v; want %d", len(reply.Body), err, maxReply)
	}
	if text := reply.Err().Error(); len(text) > maxQuoted+50 {
		t.Errorf("the error has %d bytes", len(text))
	}
}

func TestErrorsHoldNoURL(t *testing.T) {
	t.Parallel()
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(hangs.Close)
	closed := httptest.NewServer(nil)
	closed.Close()
	for _, c := range []struct{ name, url string }{
		{"refused", closed.URL}, {"hangs", hangs.URL}, {"malformed", "http://a b"}, {"unknown scheme", "gopher://localhost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := client(t, 100*time.Millisecond).Do(t.Context(), Request{Method: http.MethodGet, URL: c.url + "/botSECRET/x?key=SECRET"})
			if err == nil || strings.Contains(err.Error(), "SECRET") || errors.Is(err, notify.ErrPermanent) {
				t.Errorf("err = %v, want one that may be tried again and holds no secret", err)
			}
		})
	}
}

func TestAnswersRepeatNoSecret(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, http.StatusForbidden, nil, "no such key: SECRET")
	reply, err := client(t, time.Minute).Do(t.Context(), Request{Method: http.MethodPost, URL: url, Conceal: "SECRET"})
	if err != nil || reply.Err().Error() != "refused for good: status 403: no such key: …" {
		t.Errorf("%v, %v", err, reply.Err())
	}
}

func TestDoEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	if _, err := client(t, time.Hour).Do(ctx, Request{Method: http.MethodGet, URL: server.URL}); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want context.Canceled", err)
	}
}
