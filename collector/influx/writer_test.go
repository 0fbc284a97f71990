package influx

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/imdad-telemetry/imdad/deploy/peers"
)

// database is a stand-in that keeps the lines of every request that answer
// accepts, and answers as InfluxDB 2 does.
type database struct {
	*httptest.Server
	answer func(w http.ResponseWriter, r *http.Request, lines []string) // nil: 204

	mu       sync.Mutex
	requests int
	lines    map[string]int
	tokens   []string
	atOnce   atomic.Int32
	mostOnce atomic.Int32
}

func newDatabase(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, lines []string)) *database {
	d := &database{answer: answer, lines: map[string]int{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ping", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Influxdb-Version", "v2.7.12")
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /api/v2/write", d.write)
	d.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		d.CloseClientConnections()
		d.Close()
	})
	return d
}

func (d *database) write(w http.ResponseWriter, r *http.Request) {
	for now := d.atOnce.Add(1); ; {
		most := d.mostOnce.Load()
		if now <= most || d.mostOnce.CompareAndSwap(most, now) {
			break
		}
	}
	defer d.atOnce.Add(-1)
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = z
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return // the connection is gone
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	d.mu.Lock()
	d.requests++
	d.tokens = append(d.tokens, r.Header.Get("Authorization"))
	d.mu.Unlock()
	if d.answer != nil {
		recorder := &statusRecorder{ResponseWriter: w}
		d.answer(recorder, r, lines)
		if recorder.status != 0 && recorder.status != http.StatusNoContent {
			return
		}
	}
	d.mu.Lock()
	for _, line := range lines {
		d.lines[line]++
	}
	d.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

func (d *database) count() (requests, lines int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.requests, len(d.lines)
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// says answers as InfluxDB 2 reports an error.
func says(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"code":%q,"message":%q}`, code, message)
}

func readings(from, to int) (lines []string) {
	for i := from; i < to; i++ {
		lines = append(lines, fmt.Sprintf("electricity,meter=M%d v=%d %d", i%100, i, i))
	}
	return lines
}

// InfluxDB 2's documented answers, each until it has been given a few times.
func TestWriterOutlastsAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer func(w http.ResponseWriter)
		cause  string // expected in the status
		result class
	}{
		{"401", func(w http.ResponseWriter) { says(w, 401, "unauthorized", "unauthorized access") }, "unauthorized access", denied},
		{"403", func(w http.ResponseWriter) { says(w, 403, "forbidden", "insufficient permissions for write") }, "insufficient permissions", denied},
		{"404", func(w http.ResponseWriter) { says(w, 404, "not found", `bucket "utility" not found`) }, `bucket "utility" not found`, condition},
		{"429 in seconds", func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "1")
			says(w, 429, "too many requests", "rate limit")
		}, "rate limit", busy},
		{"500", func(w http.ResponseWriter) { says(w, 500, "internal error", "unexpected error writing points") }, "unexpected error", busy},
		{"503 without a body", func(w http.ResponseWriter) { w.WriteHeader(503) }, "503 Service Unavailable", busy},
		{"503 by date", func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", time.Now().Add(time.Second).UTC().Format(http.TimeFormat))
			says(w, 503, "unavailable", "busy")
		}, "503 busy", busy},
		{"a login page", func(w http.ResponseWriter) { w.WriteHeader(200); _, _ = io.WriteString(w, "<html>") }, "this is not InfluxDB", condition},
		{"a redirect", func(w http.ResponseWriter) { w.Header().Set("Location", "/login"); w.WriteHeader(302) }, `redirected to "/login"`, condition},
		{"a proxy's 400", func(w http.ResponseWriter) { http.Error(w, "no", 400) }, "400 no", doubtful},
		{"a cut connection", func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, "EOF", busy},
		{"an unreadable answer", func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(500)
			_, _ = io.WriteString(w, `{"code":`)
		}, "500", busy},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var mended atomic.Bool
			d := newDatabase(t, func(w http.ResponseWriter, _ *http.Request, _ []string) {
				if !mended.Load() {
					tt.answer(w)
				}
			})
			w := start(t, testConfig(d.URL), nil)
			w.log.append(readings(0, 1)...)
			eventually(t, "the status says "+tt.cause, func() bool {
				s := w.Status()
				return s.Degraded && strings.Contains(s.Cause, tt.cause) && !s.Since.IsZero()
			})
			if got := testutil.ToFloat64(w.metrics.requests[tt.result]); got == 0 {
				t.Errorf("no request is counted as %s", tt.result)
			}
			mended.Store(true)
			w.log.append(readings(1, 20)...)
			eventually(t, "all lines are settled", func() bool { n, _ := w.log.lines(); return n == 20 })
			eventually(t, "the writer is well", func() bool { return !w.Status().Degraded })
			if _, refused := w.log.lines(); len(refused) > 0 {
				t.Errorf("refused %q", refused)
			}
			if _, lines := d.count(); lines != 20 {
				t.Errorf("the database holds %d lines", lines)
			}
		})
	}
}

// 2.x refuses the whole batch with 400 and names its first bad line, and stores
// the good lines beside the ones it drops with 422.
func TestWriterRefusesBadLines(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 422} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			bad := []string{"electricity v= 17", "electricity v=\"x\" 4"}
			d := newDatabase(t, func(w http.ResponseWriter, _ *http.Request, lines []string) {
				at := slices.IndexFunc(lines, func(line string) bool { return slices.Contains(bad, line) })
				switch {
				case at < 0:
				case status == 400:
					says(w, 400, "invalid", "unable to parse '"+lines[at]+"': missing field value")
				default:
					says(w, 422, "unprocessable entity", "failure writing points to database: partial write: field type conflict: input field dropped=1")
				}
			})
			w := start(t, testConfig(d.URL), nil)
			lines := readings(0, 5000)
			lines = slices.Insert(lines, 4000, bad[0])
			lines = slices.Insert(lines, 30, bad[1])
			w.log.append(lines...)
			eventually(t, "the chunks are settled", func() bool { n, refused := w.log.lines(); return n+len(refused) == 5002 })
			_, refused := w.log.lines()
			if slices.Sort(refused); !slices.Equal(refused, slices.Sorted(slices.Values(bad))) {
				t.Errorf("refused %q", refused)
			}
			for _, r := range w.log.refused {
				if r.Reason != ReasonRefused || !strings.Contains(r.Detail, fmt.Sprint(status)) {
					t.Errorf("%+v", r)
				}
			}
			requests, stored := d.count()
			if stored != 5000 || requests > 60 {
				t.Errorf("%d lines stored in %d requests", stored, requests)
			}
			if w.Status().Degraded {
				t.Errorf("degraded: %+v", w.Status())
			}
		})
	}
}

func TestWriterSplitsWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, func(w http.ResponseWriter, r *http.Request, _ []string) {
		if r.ContentLength > 10_000 {
			says(w, 413, "request too large", "cannot read data: points batch is too large")
		}
	})
	w := start(t, testConfig(d.URL), nil)
	w.log.append(readings(0, 5000)...)
	eventually(t, "all lines are settled", func() bool { n, _ := w.log.lines(); return n == 5000 })
	if _, stored := d.count(); stored != 5000 {
		t.Errorf("%d lines stored", stored)
	}
}

func TestWriterCutsAHangingServer(t *testing.T) {
	t.Parallel()
	var hang atomic.Bool
	hang.Store(true)
	d := newDatabase(t, func(_ http.ResponseWriter, r *http.Request, _ []string) {
		if hang.Load() {
			<-r.Context().Done()
		}
	})
	c := testConfig(d.URL)
	c.Timeout = 150 * time.Millisecond
	w := start(t, c, nil)
	w.log.append(readings(0, 10)...)
	eventually(t, "the timeout shows", func() bool { return strings.Contains(w.Status().Cause, "no answer in time") })
	hang.Store(false)
	eventually(t, "all lines are settled", func() bool { n, _ := w.log.lines(); return n == 10 })
}

func TestWriterWaitsForAServerThatIsNotThere(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	w := start(t, testConfig("http://"+addr), nil)
	eventually(t, "the refusal shows, with nothing to write", func() bool { return strings.Contains(w.Status().Cause, "refused") })
	if up := gaugeUp(t, w); up != 0 {
		t.Errorf("imdad_influx_up is %v", up)
	}
	w.log.append(readings(0, 10)...)

	d := newDatabase(t, nil)
	if listener, err = net.Listen("tcp", addr); err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: d.Config.Handler}
	go server.Serve(listener) //nolint:errcheck // always ErrServerClosed
	defer server.Close()
	eventually(t, "all lines are settled", func() bool { n, _ := w.log.lines(); return n == 10 })
	eventually(t, "the writer is well", func() bool { return gaugeUp(t, w) == 1 })
}

func gaugeUp(t *testing.T, w running) float64 {
	t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "imdad_influx_up" {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatal("no imdad_influx_up")
	return 0
}

// While the database is down, one worker probes, and no other takes a chunk or
// makes a request.
func TestWriterProbesAlone(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	down.Store(true)
	var probes atomic.Int32
	d := newDatabase(t, func(w http.ResponseWriter, _ *http.Request, _ []string) {
		if down.Load() {
			probes.Add(1)
			w.WriteHeader(503)
		}
	})
	c := testConfig(d.URL)
	c.Requests, c.Batch = 8, 10
	w := start(t, c, nil)
	w.log.append(readings(0, 5)...)
	eventually(t, "the gate is shut", func() bool { return w.Status().Degraded })
	w.log.append(readings(5, 1000)...)
	before := probes.Load()
	eventually(t, "ten probes", func() bool { return probes.Load() > before+10 })
	if most := d.mostOnce.Load(); most > 1 {
		t.Errorf("%d requests at once", most)
	}
	w.log.mu.Lock()
	held := len(w.log.out)
	w.log.mu.Unlock()
	// The others were blocked in Next when the gate shut: each got one chunk at most.
	if held > c.Requests {
		t.Errorf("%d chunks are held", held)
	}
	down.Store(false)
	eventually(t, "all lines are settled", func() bool { n, _ := w.log.lines(); return n == 1000 })
	if n := testutil.ToFloat64(w.metrics.requests[stored]); n != 101 {
		t.Errorf("%v requests stored lines", n)
	}
}

func TestWriterSettlesOutOfOrder(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	d := newDatabase(t, func(_ http.ResponseWriter, _ *http.Request, lines []string) {
		if slices.Contains(lines, readings(0, 1)[0]) {
			<-release
		}
	})
	c := testConfig(d.URL)
	c.Requests, c.Batch = 4, 10
	w := start(t, c, nil)
	w.log.append(readings(0, 100)...)
	eventually(t, "all other chunks are settled", func() bool { n, _ := w.log.lines(); return n == 90 })
	close(release)
	eventually(t, "the first chunk is settled", func() bool { n, _ := w.log.lines(); return n == 100 })
	if last := w.log.order[9]; last != 0 {
		t.Errorf("settled last: %d", last)
	}
}

func TestWriterTakesUpARotatedToken(t *testing.T) {
	t.Parallel()
	const good = "Token new"
	d := newDatabase(t, nil)
	d.answer = func(w http.ResponseWriter, r *http.Request, _ []string) {
		if r.Header.Get("Authorization") != good {
			w.WriteHeader(401)
		}
	}
	var mu sync.Mutex
	token, tokenErr := "", errors.New("no such file")
	w := start(t, testConfig(d.URL), func() (string, error) {
		mu.Lock()
		defer mu.Unlock()
		return token, tokenErr
	})
	set := func(s string, err error) {
		mu.Lock()
		defer mu.Unlock()
		token, tokenErr = s, err
	}
	w.log.append(readings(0, 10)...)
	eventually(t, "the missing file shows", func() bool { return strings.Contains(w.Status().Cause, "no such file") })
	set("old", nil)
	eventually(t, "the old token is refused", func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return slices.Contains(d.tokens, "Token old")
	})
	if n, refused := w.log.lines(); n+len(refused) != 0 {
		t.Errorf("%d lines settled, %d refused", n, len(refused))
	}
	set("new", nil)
	eventually(t, "all lines are settled", func() bool { n, _ := w.log.lines(); return n == 10 })
}

func TestWriterOutlastsItsLog(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, nil)
	w := start(t, testConfig(d.URL), nil)
	w.log.set(nil, errTest)
	w.log.append(readings(0, 10)...)
	eventually(t, "the trouble shows", func() bool { return strings.Contains(w.Status().Cause, "advance the log: disk on fire") })
	w.log.set(errTest, nil)
	eventually(t, "the trouble shows", func() bool { return strings.Contains(w.Status().Cause, "read the log: disk on fire") })
	w.log.set(nil, nil)
	w.log.append(readings(10, 20)...)
	eventually(t, "all lines are settled", func() bool { n, _ := w.log.lines(); return n == 20 })
}

// A request that is under way when the service stops may finish; a server that
// hangs then is left after the grace, and its chunk is not done.
func TestWriterStops(t *testing.T) {
	t.Parallel()
	t.Run("after the answer", func(t *testing.T) {
		t.Parallel()
		entered, release := make(chan struct{}), make(chan struct{})
		d := newDatabase(t, func(http.ResponseWriter, *http.Request, []string) { close(entered); <-release })
		w := start(t, testConfig(d.URL), nil)
		w.log.append(readings(0, 10)...)
		<-entered
		time.AfterFunc(50*time.Millisecond, func() { close(release) })
		w.stop()
		if n, _ := w.log.lines(); n != 10 {
			t.Errorf("%d lines settled", n)
		}
	})
	t.Run("without an answer", func(t *testing.T) {
		t.Parallel()
		entered := make(chan struct{})
		d := newDatabase(t, func(_ http.ResponseWriter, r *http.Request, _ []string) { close(entered); <-r.Context().Done() })
		w := start(t, testConfig(d.URL), nil)
		w.log.append(readings(0, 10)...)
		<-entered
		w.stop() // fails the test if it takes much longer than the grace
		if n, _ := w.log.lines(); n != 0 || len(w.log.out) != 1 {
			t.Errorf("%d lines settled, %d chunks under way", n, len(w.log.out))
		}
	})
	t.Run("in a long pause", func(t *testing.T) {
		t.Parallel()
		d := newDatabase(t, func(w http.ResponseWriter, _ *http.Request, _ []string) {
			w.Header().Set("Retry-After", "300")
			w.WriteHeader(503)
		})
		w := start(t, testConfig(d.URL), nil)
		w.log.append(readings(0, 10)...)
		eventually(t, "the gate is shut", func() bool { return w.Status().Degraded })
		begun := time.Now()
		w.stop()
		if took := time.Since(begun); took > time.Second {
			t.Errorf("stopped after %v", took)
		}
	})
}

func TestWriterCompresses(t *testing.T) {
	t.Parallel()
	var packed atomic.Int64
	d := newDatabase(t, func(w http.ResponseWriter, r *http.Request, lines []string) {
		if r.Header.Get("Content-Encoding") != "gzip" {
			says(w, 400, "invalid", "unable to parse: not compressed")
			return
		}
		packed.Add(r.ContentLength)
	})
	c := testConfig(d.URL)
	c.Gzip = GzipOn
	w := start(t, c, nil)
	lines := readings(0, 12_000)
	w.log.append(lines...)
	eventually(t, "all lines are settled", func() bool { n, _ := w.log.lines(); return n == 12_000 })
	if text := int64(len(strings.Join(lines, "\n"))); packed.Load()*2 > text {
		t.Errorf("%d bytes became %d", text, packed.Load())
	}
}

// With `create`, a missing bucket is made in the organization.
func TestWriterCreatesABucket(t *testing.T) {
	t.Parallel()
	var exists atomic.Bool
	d := newDatabase(t, func(w http.ResponseWriter, _ *http.Request, _ []string) {
		if !exists.Load() {
			says(w, 404, "not found", `bucket "utility" not found`)
		}
	})
	mux := http.NewServeMux()
	mux.Handle("/", d.Config.Handler)
	mux.HandleFunc("GET /api/v2/orgs", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"orgs":[{"id":"0123456789abcdef","name":%q}]}`, r.URL.Query().Get("org"))
	})
	var made []byte
	mux.HandleFunc("POST /api/v2/buckets", func(w http.ResponseWriter, r *http.Request) {
		if exists.Load() {
			says(w, 422, "conflict", "bucket with name utility already exists")
			return
		}
		made, _ = io.ReadAll(r.Body)
		exists.Store(true)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(201)
		_, _ = io.WriteString(w, `{"id":"1","name":"utility","orgID":"0123456789abcdef","retentionRules":[]}`)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c := testConfig(server.URL)
	c.Create = true
	w := start(t, c, nil)
	w.log.append(readings(0, 10)...)
	eventually(t, "all lines are settled", func() bool { n, _ := w.log.lines(); return n == 10 })
	if !bytes.Contains(made, []byte(`"utility"`)) || !bytes.Contains(made, []byte(`"0123456789abcdef"`)) {
		t.Errorf("made %s", made)
	}
	if err := w.server.create(t.Context()); err != nil {
		t.Errorf("a bucket that exists: %v", err)
	}
	exists.Store(false) // dropped while in use
	w.log.append(readings(10, 20)...)
	eventually(t, "all lines are settled", func() bool { n, _ := w.log.lines(); return n == 20 })
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, nil)
	w := start(t, testConfig(d.URL), nil)
	w.log.append(readings(0, 10)...)
	eventually(t, "all lines are settled", func() bool { n, _ := w.log.lines(); return n == 10 })
	recorder := httptest.NewRecorder()
	promhttp.HandlerFor(w.registry, promhttp.HandlerOpts{}).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{"imdad_influx_up 1\n", `imdad_influx_requests_total{result="stored"} 1` + "\n", "imdad_influx_write_duration_seconds_count 1\n"} {
		if !strings.Contains(recorder.Body.String(), want) {
			t.Errorf("no %q in\n%s", want, recorder.Body)
		}
	}
	if findings, err := peers.Promtool(t.Context(), recorder.Body, "check", "metrics"); err != nil || findings != "" {
		t.Errorf("%v %s", err, findings)
	}
}

func TestNewRefusesBadOptions(t *testing.T) {
	t.Parallel()
	if _, err := New(Options{Config: DefaultConfig()}); err == nil {
		t.Error("took a configuration without an address")
	}
	if _, err := New(Options{Config: testConfig("http://db")}); err == nil {
		t.Error("took no log")
	}
}
