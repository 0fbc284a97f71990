package metersim

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"
)

// schemes of broker URLs, and whether they mean TLS.
var schemes = map[string]bool{"tcp": false, "mqtt": false, "ssl": true, "tls": true, "mqtts": true}

const (
	wireBuffer  = 256 << 10 // bytes that may wait for the network
	dialTimeout = 5 * time.Second
	sendTimeout = 10 * time.Second
)

// wire buffers a connection for the client library, which writes each packet
// by itself: while one write is under way, the next packets gather. It is safe
// for one reader and many writers.
type wire struct {
	net.Conn
	reader *bufio.Reader

	mu      sync.Mutex
	changed *sync.Cond // pending, closing or err
	pending []byte
	closing bool
	err     error // why the wire broke
	flushed chan struct{}
}

func dial(ctx context.Context, u *url.URL) (*wire, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var dialer interface {
		DialContext(ctx context.Context, network, address string) (net.Conn, error)
	} = &net.Dialer{}
	if schemes[u.Scheme] {
		dialer = &tls.Dialer{}
	}
	conn, err := dialer.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, fmt.Errorf("dial broker: %w", err)
	}
	return newWire(conn), nil
}

func newWire(conn net.Conn) *wire {
	w := &wire{Conn: conn, reader: bufio.NewReaderSize(conn, 32<<10), flushed: make(chan struct{})}
	w.changed = sync.NewCond(&w.mu)
	go w.flush()
	return w
}

// Write takes p into the buffer, waiting for room. It fails once the wire broke.
func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.pending) >= wireBuffer && w.err == nil && !w.closing {
		w.changed.Wait()
	}
	switch {
	case w.err != nil:
		return 0, w.err
	case w.closing:
		return 0, net.ErrClosed
	}
	w.pending = append(w.pending, p...)
	w.changed.Broadcast()
	return len(p), nil
}

// Read returns the wire's own error when it broke at this end: the client
// library would take the closing of the socket for its own wish and not notice.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.reader.Read(p)
	if err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.err != nil {
			return n, w.err
		}
	}
	return n, err
}

// SetWriteDeadline does nothing: writes end in the buffer, and flush has a
// deadline of its own.
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// Close sends what is buffered, if the network takes it within a second.
func (w *wire) Close() error {
	w.mu.Lock()
	w.closing = true
	w.changed.Broadcast()
	w.mu.Unlock()
	select {
	case <-w.flushed:
	case <-time.After(time.Second):
	}
	return w.Conn.Close()
}

// fail breaks the wire: reads and writes return why.
func (w *wire) fail(why error) {
	w.mu.Lock()
	if w.err == nil {
		w.err = fmt.Errorf("connection broken: %w", why)
	}
	w.changed.Broadcast()
	w.mu.Unlock()
	_ = w.Conn.Close() // why says more than closing could
}

func (w *wire) flush() {
	defer close(w.flushed)
	var sending []byte
	for {
		w.mu.Lock()
		for len(w.pending) == 0 && !w.closing && w.err == nil {
			w.changed.Wait()
		}
		sending, w.pending = w.pending, sending[:0]
		broken := w.err != nil
		w.changed.Broadcast()
		w.mu.Unlock()
		if broken || len(sending) == 0 {
			return
		}
		if err := w.Conn.SetWriteDeadline(time.Now().Add(sendTimeout)); err != nil {
			w.fail(err)
			return
		}
		if _, err := w.Conn.Write(sending); err != nil {
			w.fail(err)
			return
		}
	}
}
