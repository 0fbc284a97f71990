package webhook

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/alerting/rule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "known to both"

var notice = notify.Notice{
	ID: 42, Created: time.UnixMilli(1763895600123).UTC(), Repeated: true,
	Content: message.Content{Type: message.Alarm, Alarms: []alarm.Alarm{{
		ID: "elec.outage:F-12", Key: rule.Key{Kind: "elec.outage", Object: "F-12"}, Severity: rule.High,
		State: alarm.Unacknowledged, Occurrence: 9, City: "adra", InZone: "craft", Stalls: []string{"dye-1"},
	}}},
	Texts: map[message.Language]message.Text{
		message.English: {Subject: "Power lost at \u2068F-12\u2069", Plain: "Power lost\nsince 10:15", Short: "Power lost"},
		message.Arabic:  {Subject: "انقطاع التيار الكهربائي عن \u2068F-12\u2069", Plain: "انقطاع\nمنذ 10:15", Short: "انقطاع"},
	},
}

func open(t *testing.T, url string, timeout time.Duration) *Channel {
	t.Helper()
	c, err := New(Options{
		Config: Config{URL: url, Secret: "${X}", Timeout: timeout},
		Secret: func() (string, error) { return secret, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// receiver verifies what comes, hands it to check, and answers 204.
func receiver(t *testing.T, check func(http.Header, []byte)) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = Verify(secret, r.Header, body, time.Now())
		}
		if err != nil {
			t.Error(err)
			w.WriteHeader(http.StatusForbidden)
			return
		}
		check(r.Header, body)
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestSendIsSignedAndComplete(t *testing.T) {
	t.Parallel()
	var got Payload
	url := receiver(t, func(header http.Header, body []byte) {
		if err := json.Unmarshal(body, &got); err != nil {
			t.Error(err)
		}
		if header.Get(KeyHeader) != "1763895600123-42" || header.Get("Content-Type") != "application/json" {
			t.Errorf("headers %v", header)
		}
	})
	if err := open(t, url, time.Minute).Send(t.Context(), notice); err != nil {
		t.Fatal(err)
	}
	if got.Version != 1 || got.Key != "1763895600123-42" || got.Type != message.Alarm || !got.Repeated || !got.Active ||
		!got.Created.Equal(notice.Created) || len(got.Alarms) != 1 || got.Alarms[0].ID != "elec.outage:F-12" ||
		got.Alarms[0].InZone != "craft" || got.Alarms[0].Kind != "elec.outage" || got.Alarms[0].Stalls[0] != "dye-1" {
		t.Errorf("payload %+v", got)
	}
	want := Text{"انقطاع التيار الكهربائي عن \u2068F-12\u2069", "انقطاع\nمنذ 10:15", "انقطاع"}
	if got.Texts[message.Arabic] != want || got.Texts[message.English].Text != "Power lost\nsince 10:15" {
		t.Errorf("texts %+v", got.Texts)
	}
}

func TestAReturnIsNotActive(t *testing.T) {
	t.Parallel()
	n := notice
	n.Content = message.Content{Type: message.Returned, Alarms: []alarm.Alarm{{ID: "x", State: alarm.Returned}}}
	if payload(n).Active {
		t.Error("a returned alarm is active")
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	now := time.Unix(1763895600, 0)
	body := []byte(`{"version":1}`)
	for _, c := range []struct {
		name   string
		mutate func(h http.Header, body *[]byte, now *time.Time)
		want   error
	}{
		{"a genuine request", func(http.Header, *[]byte, *time.Time) {}, nil},
		{"just inside the window", func(_ http.Header, _ *[]byte, now *time.Time) { *now = now.Add(-Window) }, nil},
		{"too old", func(_ http.Header, _ *[]byte, now *time.Time) { *now = now.Add(Window + time.Second) }, ErrTimestamp},
		{"from the future", func(_ http.Header, _ *[]byte, now *time.Time) { *now = now.Add(-Window - time.Second) }, ErrTimestamp},
		{"another body", func(_ http.Header, body *[]byte, _ *time.Time) { *body = []byte(`{"version":2}`) }, ErrSignature},
		{"a newer timestamp", func(h http.Header, _ *[]byte, _ *time.Time) { h.Set(TimestampHeader, "1763895601") }, ErrSignature},
		{"no timestamp", func(h http.Header, _ *[]byte, _ *time.Time) { h.Del(TimestampHeader) }, ErrSignature},
		{"no signature", func(h http.Header, _ *[]byte, _ *time.Time) { h.Del(SignatureHeader) }, ErrSignature},
		{"no scheme", func(h http.Header, _ *[]byte, _ *time.Time) {
			h.Set(SignatureHeader, strings.TrimPrefix(h.Get(SignatureHeader), scheme))
		}, ErrSignature},
		{"another secret", func(h http.Header, body *[]byte, _ *time.Time) {
			h.Set(SignatureHeader, scheme+sign("guessed", h.Get(TimestampHeader), *body))
		}, ErrSignature},
		{"a signed word for a time", func(h http.Header, body *[]byte, _ *time.Time) {
			h.Set(TimestampHeader, "now")
			h.Set(SignatureHeader, scheme+sign(secret, "now", *body))
		}, ErrTimestamp},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			header, body, now := http.Header{}, body, now
			header.Set(TimestampHeader, "1763895600")
			header.Set(SignatureHeader, scheme+sign(secret, "1763895600", body))
			c.mutate(header, &body, &now)
			if err := Verify(secret, header, body, now); !errors.Is(err, c.want) {
				t.Errorf("err = %v, want %v", err, c.want)
			}
		})
	}
}

// TestSignVector was computed with: printf '1763895600.{"version":1}' | openssl dgst -sha256 -hmac 'known to both'
func TestSignVector(t *testing.T) {
	t.Parallel()
	const want = "30610876d00dcaf45263c437782b955916fb1105a45e0c2be1e29296a465e679"
	if got := sign(secret, "1763895600", []byte(`{"version":1}`)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestSendComesThroughAfterFailures(t *testing.T) {
	t.Parallel()
	var n atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n.Add(1) {
		case 1:
			w.WriteHeader(http.StatusBadGateway)
		case 2:
			_, _ = io.Copy(io.Discard, r.Body) // until then the server does not notice that the client goes
			<-r.Context().Done()
		case 3:
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	t.Cleanup(server.Close)
	c := open(t, server.URL, 500*time.Millisecond)
	var err error
	for attempt := 1; attempt <= 3; attempt++ {
		if err = c.Send(t.Context(), notice); err == nil || errors.Is(err, notify.ErrPermanent) {
			t.Fatalf("attempt %d: %v, want an error that may be tried again", attempt, err)
		}
	}
	if later, ok := errors.AsType[*notify.Later](err); !ok || later.After != 7*time.Second {
		t.Errorf("err = %v, want to be told to wait for 7 s", err)
	}
	if err := c.Send(t.Context(), notice); err != nil {
		t.Errorf("the fourth attempt: %v", err)
	}
}

func TestSendFailures(t *testing.T) {
	t.Parallel()
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnprocessableEntity) }))
	t.Cleanup(refuses.Close)
	if err := open(t, refuses.URL, time.Minute).Send(t.Context(), notice); !errors.Is(err, notify.ErrPermanent) {
		t.Errorf("422: %v, want a refusal for good", err)
	}
	closed := httptest.NewServer(nil)
	closed.Close()
	c := open(t, closed.URL, time.Minute)
	if err := c.Send(t.Context(), notice); err == nil || errors.Is(err, notify.ErrPermanent) {
		t.Errorf("refused connection: %v", err)
	}
	c.secret = func() (string, error) { return "", nil }
	if err := c.Send(t.Context(), notice); err == nil || !strings.Contains(err.Error(), "secret is empty") {
		t.Errorf("empty secret: %v", err)
	}
	c.secret = func() (string, error) { return "", errors.New("no such file") }
	if err := c.Send(t.Context(), notice); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("unreadable secret: %v", err)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		mutate func(*Config)
		want   string
	}{
		{"complete", func(*Config) {}, ""},
		{"no url", func(c *Config) { c.URL = "" }, "url: missing"},
		{"no address", func(c *Config) { c.URL = "http://a b/" }, "url: not an address"},
		{"no host", func(c *Config) { c.URL = "https:///x" }, "url: give an address"},
		{"scheme", func(c *Config) { c.URL = "ftp://x" }, "url: give an address"},
		{"no secret", func(c *Config) { c.Secret = "" }, "secret: missing"},
		{"timeout", func(c *Config) { c.Timeout = time.Hour }, "timeout: 1h0m0s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config := DefaultConfig()
			config.URL, config.Secret = "https://example.org/hook", "${HOOK}"
			c.mutate(&config)
			err := config.Validate()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("err = %v, want %q", err, c.want)
			}
		})
	}
}
