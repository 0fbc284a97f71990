// Package call makes one HTTP request for a channel: bounded in time and size, on connections that are kept for the
// next, with an error that says whether and when to try again.
package call

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// maxReply bounds how much of an answer is read, in bytes.
	maxReply = 1 << 20
	// maxQuoted bounds how much of an answer an error repeats, in bytes.
	maxQuoted = 300
	idle      = 90 * time.Second
)

// Client calls one service. Its methods may be called from any goroutine.
type Client struct {
	http    *http.Client
	timeout time.Duration
}

// New returns a client whose requests end after timeout, from the connection to the last byte of the answer. It does
// not follow redirects: a POST would come out as a GET elsewhere, and its secrets with it.
func New(timeout time.Duration) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 2
	transport.IdleConnTimeout = idle
	return &Client{timeout: timeout, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close closes the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Request is what to send.
type Request struct {
	Method string
	URL    string
	Header http.Header
	Body   []byte
	// Conceal is a secret to be taken out of the answer, in case the service repeats what it was sent; empty: none.
	Conceal string
	// Extra is added to the client's timeout: how long the service may well stay silent.
	Extra time.Duration
}

// Reply is what came back, whatever its status.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte // the first MiB
}

// Do sends the request. An error means that no answer came; it never holds the URL, where services like to have their
// secrets, and is worth another try.
func (c *Client) Do(ctx context.Context, r Request) (Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout+r.Extra)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return Reply{}, fmt.Errorf("make a request: %w", withoutURL(err))
	}
	for key, values := range r.Header {
		req.Header[key] = values
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "imdad")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return Reply{}, fmt.Errorf("call %s: %w", req.URL.Host, withoutURL(err))
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return Reply{}, fmt.Errorf("read the answer of %s: %w", req.URL.Host, withoutURL(err))
	}
	if r.Conceal != "" {
		body = bytes.ReplaceAll(body, []byte(r.Conceal), []byte("…"))
	}
	return Reply{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

// withoutURL takes the URL out of an error of net/http or net/url.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// Quote is the beginning of the answer on one line, for an error.
func (r Reply) Quote() string {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(r.Body[:min(len(r.Body), maxQuoted)]), "")), " ")
	if text == "" {
		return http.StatusText(r.Status)
	}
	return text
}
