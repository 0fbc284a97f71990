package influx

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
)

const (
	connectTimeout = 5 * time.Second
	// maxAnswer bounds what is read of an answer. InfluxDB 1.8 repeats every
	// malformed line in it.
	maxAnswer = 1 << 20
	// writeBuffer is per connection; a batch is about 600 kB.
	writeBuffer = 64 << 10
)

// unfitError is an answer that InfluxDB's write API does not give, so that
// what the address leads to must be something else.
type unfitError string

func (e unfitError) Error() string { return string(e) }

// transport sends the client library's requests. It signs them with the
// current token, compresses them, and lets nothing but 204 pass for a stored
// batch: a login page that answers 200 to everything must not swallow lines.
type transport struct {
	client http.Client
	ask    func() (string, error)
	token  atomic.Pointer[string]
	gzip   bool
	// writers are reused: one is about 800 kB, and the client library would
	// make one for each request.
	writers sync.Pool
}

func newTransport(c Config, token func() (string, error)) *transport {
	return &transport{
		client: http.Client{
			Transport: &http.Transport{
				Proxy:               http.ProxyFromEnvironment,
				DialContext:         (&net.Dialer{Timeout: connectTimeout, KeepAlive: 15 * time.Second}).DialContext,
				TLSHandshakeTimeout: connectTimeout,
				ForceAttemptHTTP2:   true,
				MaxIdleConnsPerHost: c.Requests + 1,
				IdleConnTimeout:     90 * time.Second,
				WriteBufferSize:     writeBuffer,
			},
			// A redirected POST becomes a GET without a body.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		ask:  token,
		gzip: c.compress(),
		writers: sync.Pool{New: func() any {
			z, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
			if err != nil {
				panic(err) // the level is a constant
			}
			return z
		}},
	}
}

func newClient(c Config, t *transport) influxdb2.Client {
	options := influxdb2.DefaultOptions().
		SetPrecision(time.Millisecond).
		SetApplicationName("imdad").
		SetUseGZip(false) // the transport's is cheaper
	options.HTTPOptions().SetHTTPDoer(t)
	return influxdb2.NewClientWithOptions(c.URL, "", options)
}

// readToken takes the token from its source.
func (t *transport) readToken() error {
	token, err := t.ask()
	if err != nil {
		return fmt.Errorf("read the token: %w", err)
	}
	t.token.Store(&token)
	return nil
}

// Do implements the client library's Doer.
func (t *transport) Do(r *http.Request) (*http.Response, error) {
	if token := t.token.Load(); token != nil && *token != "" {
		r.Header.Set("Authorization", "Token "+*token)
	}
	write := strings.HasSuffix(r.URL.Path, "/api/v2/write")
	if write {
		// Writing twice is harmless. An empty value tells so to net/http alone,
		// which then repeats by itself what met an idle connection's end.
		r.Header["Idempotency-Key"] = nil
		if t.gzip {
			if err := t.compress(r); err != nil {
				return nil, err
			}
		}
	}
	answer, err := t.client.Do(r)
	if err != nil {
		return nil, err
	}
	answer.Body = bounded{io.LimitReader(answer.Body, maxAnswer), answer.Body}
	if problem := unfit(answer, write); problem != "" {
		return nil, errors.Join(unfitError(problem), answer.Body.Close())
	}
	return answer, nil
}

func unfit(answer *http.Response, write bool) string {
	switch status := answer.StatusCode; {
	case status >= 300 && status < 400:
		return fmt.Sprintf("%s: redirected to %q; set url to where the server is", answer.Status, answer.Header.Get("Location"))
	case write && status < 300 && status != http.StatusNoContent:
		return fmt.Sprintf("%s: a write is answered with 204; this is not InfluxDB", answer.Status)
	}
	return ""
}

// compress replaces the request's body. The buffer is not reused: the
// connection of a request that was given up may still be reading it.
func (t *transport) compress(r *http.Request) error {
	var packed bytes.Buffer
	packed.Grow(int(r.ContentLength / 8))
	z := t.writers.Get().(*gzip.Writer)
	defer t.writers.Put(z)
	z.Reset(&packed)
	// Without the reader's other methods, Copy goes by blocks; a string
	// reader's WriteTo would make one more copy of the whole.
	if _, err := io.Copy(z, struct{ io.Reader }{r.Body}); err != nil {
		return fmt.Errorf("compress: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("compress: %w", err)
	}
	body := packed.Bytes()
	r.Header.Set("Content-Encoding", "gzip")
	r.ContentLength = int64(len(body))
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	return nil
}

func (t *transport) close() { t.client.CloseIdleConnections() }

type bounded struct {
	io.Reader
	io.Closer
}
