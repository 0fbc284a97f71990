package sms

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const arabic = "انقطاع التيار الكهربائي عن \u2068F-12\u2069 منذ \u206810:15\u2069"

var notice = notify.Notice{
	ID: 7, Address: "+963 944 123", Language: message.Arabic, Created: time.UnixMilli(1763895600123),
	Texts: map[message.Language]message.Text{message.Arabic: {Short: arabic}},
}

type received struct {
	method, path, body string
	query              url.Values
	header             http.Header
}

// gateway answers each request with the next of the answers ("STATUS BODY"); the last one stays.
func gateway(t *testing.T, answers ...http.HandlerFunc) (url string, got func() []received) {
	t.Helper()
	requests := make(chan received, 16)
	next := make(chan http.HandlerFunc, len(answers))
	for _, a := range answers {
		next <- a
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		requests <- received{r.Method, r.URL.Path, string(body), r.URL.Query(), r.Header}
		select {
		case answer := <-next:
			answer(w, r)
		default:
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []received {
		var all []received
		for len(requests) > 0 {
			all = append(all, <-requests)
		}
		return all
	}
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func open(t *testing.T, mutate func(*Config)) (*Channel, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewRegistry()
	o := Options{Config: DefaultConfig(), Registerer: reg, Secret: func() (string, error) { return "s3cret&", nil }}
	mutate(&o.Config)
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, reg
}

func TestSendPostsJSON(t *testing.T) {
	t.Parallel()
	address, got := gateway(t)
	c, reg := open(t, func(c *Config) {
		c.URL, c.Headers = address+"/v1", map[string]string{"Authorization": "Bearer {{.Secret}}"}
	})
	if err := c.Send(t.Context(), notice); err != nil {
		t.Fatal(err)
	}
	r := got()[0]
	var body struct{ To, Text, ID string }
	if err := json.Unmarshal([]byte(r.body), &body); err != nil {
		t.Fatal(err)
	}
	if body.To != "+963 944 123" || body.Text != "انقطاع التيار الكهربائي عن F-12 منذ 10:15" || body.ID != "1763895600123-7" {
		t.Errorf("body = %+v", body)
	}
	if r.method != http.MethodPost || r.header.Get("Authorization") != "Bearer s3cret&" || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("%s with %v", r.method, r.header)
	}
	want := `
# HELP imdad_sms_segments_total Parts of SMS that the gateway took, by alphabet: gsm (160 characters, 153 in a part of several) or ucs2 (70, 67).
# TYPE imdad_sms_segments_total counter
imdad_sms_segments_total{alphabet="gsm"} 0
imdad_sms_segments_total{alphabet="ucs2"} 1
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}

func TestSendPutsAllInTheAddress(t *testing.T) {
	t.Parallel()
	address, got := gateway(t)
	c, _ := open(t, func(c *Config) {
		c.Method, c.Body = http.MethodGet, ""
		c.URL = address + `/{{path .ID}}?key={{query .Secret}}&to={{query (digits .To)}}&coding={{if .SevenBits}}0{{else}}8{{end}}&msg={{query .Text}}&hex={{ucs2 "م😀"}}`
	})
	if err := c.Send(t.Context(), notice); err != nil {
		t.Fatal(err)
	}
	r := got()[0]
	want := url.Values{"key": {"s3cret&"}, "to": {"963944123"}, "coding": {"8"}, "msg": {"انقطاع التيار الكهربائي عن F-12 منذ 10:15"}, "hex": {"0645D83DDE00"}}
	if r.query.Encode() != want.Encode() || r.path != "/1763895600123-7" || r.header.Get("Content-Type") != "" {
		t.Errorf("%s %v %v, want %v", r.path, r.query, r.header, want)
	}
}

func TestSendJudgesTheAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		answer    http.HandlerFunc
		ok        bool
		permanent bool
	}{
		{"accepted", answer(202, `{"status":"OK"}`), true, false},
		{"200 and no success", answer(200, `{"status":"credit"}`), false, false},
		{"200 and refused", answer(200, `ERR 13: bad number`), false, true},
		{"400", answer(400, ``), false, true},
		{"403 that means later", answer(403, ``), false, false},
		{"401", answer(401, ``), false, false},
		{"429", answer(429, ``), false, false},
		{"500", answer(500, ``), false, false},
		{"hangs", hang, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			address, _ := gateway(t, c.answer, answer(200, `{"status":"OK"}`))
			channel, _ := open(t, func(c *Config) {
				c.URL, c.Success, c.Refused, c.Retry = address, `"OK"`, `^ERR 13`, []int{403}
				c.Timeout = 500 * time.Millisecond
			})
			err := channel.Send(t.Context(), notice)
			if (err == nil) != c.ok || errors.Is(err, notify.ErrPermanent) != c.permanent {
				t.Fatalf("err = %v, want ok %t, permanent %t", err, c.ok, c.permanent)
			}
			if err != nil && !c.permanent {
				if err := channel.Send(t.Context(), notice); err != nil {
					t.Errorf("the second attempt: %v", err)
				}
			}
			want := 1.0
			if c.permanent {
				want = 0
			}
			if got := testutil.ToFloat64(channel.metrics.ucs2); got != want {
				t.Errorf("%v segments were counted, want %v", got, want)
			}
		})
	}
}

func TestSendFailures(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(nil)
	closed.Close()
	c, _ := open(t, func(c *Config) { c.URL = closed.URL + "/?key={{query .Secret}}" })
	if err := c.Send(t.Context(), notice); err == nil || strings.Contains(err.Error(), "s3cret") || errors.Is(err, notify.ErrPermanent) {
		t.Errorf("refused connection: %v", err)
	}
	english := notice
	english.Language = message.English
	if err := c.Send(t.Context(), english); !errors.Is(err, notify.ErrPermanent) {
		t.Errorf("without a text: %v", err)
	}
	c.secret = func() (string, error) { return "", errors.New("no such file") }
	if err := c.Send(t.Context(), notice); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("unreadable secret: %v", err)
	}
	c.secret = func() (string, error) { return "", nil }
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Send(ctx, notice); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		mutate func(*Config)
		want   string
	}{
		{"the default with a URL", func(*Config) {}, ""},
		{"no url", func(c *Config) { c.URL = "" }, "url: missing"},
		{"no scheme", func(c *Config) { c.URL = "gateway/{{query .Text}}" }, "url: give an address"},
		{"unescaped url", func(c *Config) { c.URL = "http://gw/?text={{.Text}}" }, "url: no address once filled in"},
		{"unparsable url", func(c *Config) { c.URL = "http://gw/{{" }, "url: template:"},
		{"unknown field", func(c *Config) { c.Body = "{{.Phone}}" }, "body: template: body:1:2: executing \"body\" at <.Phone>"},
		{"unknown function", func(c *Config) { c.Body = "{{shout .To}}" }, `body: template: body:1: function "shout" not defined`},
		{"unescaped JSON", func(c *Config) { c.Body = `{"text": "{{.Text}}"}` }, "body: not JSON"},
		{"a form needs no JSON", func(c *Config) { c.ContentType, c.Body = "text/plain", "{{.Text}}" }, ""},
		{"a body in a GET", func(c *Config) { c.Method = "GET" }, "body: a GET has none"},
		{"method", func(c *Config) { c.Method = "post" }, "method: unknown value"},
		{"header name", func(c *Config) { c.Headers = map[string]string{"a b": "x"} }, "headers.a b: not a header's name"},
		{"header value", func(c *Config) { c.Headers = map[string]string{"X": "{{.Text}}"} }, "headers.X: not one line"},
		{"success", func(c *Config) { c.Success = "(" }, "success: error parsing regexp"},
		{"refused", func(c *Config) { c.Refused = "(" }, "refused: error parsing regexp"},
		{"retry", func(c *Config) { c.Retry = []int{503, 200} }, "retry[1]: 200"},
		{"segments", func(c *Config) { c.MaxSegments = 0 }, "max_segments: 0"},
		{"timeout", func(c *Config) { c.Timeout = 0 }, "timeout: 0s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config := DefaultConfig()
			config.URL = "http://gw/send"
			c.mutate(&config)
			err := config.Validate()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("err = %v, want %q", err, c.want)
			}
		})
	}
}
