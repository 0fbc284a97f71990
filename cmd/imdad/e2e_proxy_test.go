package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// way is a direction through a proxy.
type way int

const (
	up   way = iota // from whoever connected
	down            // to them
)

// wireProxy stands between two parts and breaks the network.
//
//	client ─► read ─► queue, each piece with the time it is due ─► held? ─► server
//	client ◄─ held? ◄─────────────────────────────────────── queue ◄─ read ◄─ server
type wireProxy struct {
	listener net.Listener
	target   string
	tap      *tap // nil: none

	mu      sync.Mutex
	pairs   map[*pair]bool
	held    [2]bool
	delay   time.Duration
	changed chan struct{} // closed and made anew when held changes
	running sync.WaitGroup
}

// pair is a connection through the proxy.
type pair struct {
	ends   [2]net.Conn // by the way that is read from it
	ended  chan struct{}
	once   sync.Once
	silent atomic.Bool // nothing comes through any more, and no end learns of the other's
	over   atomic.Int32
}

func (p *pair) end() {
	p.once.Do(func() {
		close(p.ended)
		for _, c := range p.ends {
			_ = c.Close() // cut off; nothing is to be saved
		}
	})
}

// proxy makes a proxy before target that passes everything.
func (c *city) proxy(target string) *wireProxy { return c.proxyTapped(target, nil) }

func (c *city) proxyTapped(target string, t *tap) *wireProxy {
	c.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	c.must("listen", err)
	p := &wireProxy{listener: l, target: target, tap: t, pairs: make(map[*pair]bool), changed: make(chan struct{})}
	p.running.Go(p.accept)
	c.t.Cleanup(func() {
		c.must("end the proxy", l.Close())
		p.cut()
		p.running.Wait()
	})
	return p
}

func (p *wireProxy) addr() string { return p.listener.Addr().String() }

// cut resets all connections. New ones are made as before.
func (p *wireProxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for pair := range p.pairs {
		for _, c := range pair.ends {
			_ = c.(*net.TCPConn).SetLinger(0) // it may have ended
		}
		pair.end()
	}
}

// silence loses everything on the connections that there are, and tells
// neither end. New ones are made as before.
func (p *wireProxy) silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for pair := range p.pairs {
		pair.silent.Store(true)
	}
}

// hold lets nothing more through, these ways; connections stay, and new ones
// are accepted.
func (p *wireProxy) hold(ways ...way) { p.set(true, ways) }

// release lets everything through again, what was held first.
func (p *wireProxy) release() { p.set(false, []way{up, down}) }

func (p *wireProxy) set(held bool, ways []way) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range ways {
		p.held[w] = held
	}
	close(p.changed)
	p.changed = make(chan struct{})
}

// late lets everything that comes from now on arrive this much later.
func (p *wireProxy) late(by time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = by
}

func (p *wireProxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = client.Close() // refused, as the target does
			continue
		}
		made := &pair{ends: [2]net.Conn{client, server}, ended: make(chan struct{})}
		p.mu.Lock()
		p.pairs[made] = true
		p.mu.Unlock()
		var seen func(way, []byte)
		if p.tap != nil {
			seen = p.tap.connection()
		}
		p.running.Go(func() { p.carry(made, up, seen) })
		p.running.Go(func() { p.carry(made, down, seen) })
	}
}

// piece is some bytes and when they are due.
type piece struct {
	bytes []byte
	due   time.Time
}

func (p *wireProxy) carry(c *pair, w way, seen func(way, []byte)) {
	pieces := make(chan piece, 256)
	p.running.Go(func() {
		p.deliver(c, w, pieces)
		if c.over.Add(1) == 1 && c.silent.Load() {
			return // the other end does not notice
		}
		c.end()
		p.mu.Lock()
		delete(p.pairs, c)
		p.mu.Unlock()
	})
	defer close(pieces)
	in := bufio.NewReaderSize(c.ends[w], 64<<10)
	for {
		b, err := nextPiece(in, seen != nil)
		if err != nil {
			return
		}
		if seen != nil {
			seen(w, b)
		}
		p.mu.Lock()
		due := time.Now().Add(p.delay)
		p.mu.Unlock()
		select {
		case pieces <- piece{b, due}:
		case <-c.ended:
			return
		}
	}
}

// nextPiece reads an MQTT packet, or what there is.
func nextPiece(in *bufio.Reader, packet bool) ([]byte, error) {
	if packet {
		return readPacket(in)
	}
	if _, err := in.Peek(1); err != nil {
		return nil, err
	}
	b := make([]byte, in.Buffered())
	_, err := in.Read(b)
	return b, err
}

func (p *wireProxy) deliver(c *pair, w way, pieces <-chan piece) {
	out := c.ends[1-w]
	for next := range pieces {
		if wait := time.Until(next.due); wait > 0 {
			select {
			case <-time.After(wait):
			case <-c.ended:
				return
			}
		}
		if !p.pass(c, w) {
			return
		}
		if c.silent.Load() {
			continue
		}
		if _, err := out.Write(next.bytes); err != nil {
			return
		}
	}
}

// pass waits while this way is held; false means that the connection has ended.
func (p *wireProxy) pass(c *pair, w way) bool {
	for {
		p.mu.Lock()
		held, changed := p.held[w], p.changed
		p.mu.Unlock()
		if !held {
			return true
		}
		select {
		case <-changed:
		case <-c.ended:
			return false
		}
	}
}

// httpProxy stands before the database and can answer in its place.
type httpProxy struct {
	server *httptest.Server

	mu     sync.Mutex
	answer http.HandlerFunc // nil: requests pass
	onSent func()           // nil, or what to do when the next batch has been passed on
}

// httpProxy makes a proxy before the database that passes everything.
func (c *city) httpProxy() *httpProxy {
	target := &url.URL{Scheme: "http", Host: c.database.Addr()}
	transport := &http.Transport{}
	pass := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		// A database that is gone is a connection that breaks.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	p := &httpProxy{}
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		answer, sent := p.answer, p.onSent
		if r.Method == http.MethodPost {
			p.onSent = nil
		}
		p.mu.Unlock()
		switch {
		case answer != nil:
			answer(w, r)
		case sent != nil && r.Method == http.MethodPost:
			r.Body = &watched{ReadCloser: r.Body, end: sent}
			fallthrough
		default:
			pass.ServeHTTP(w, r)
		}
	}))
	c.t.Cleanup(func() {
		p.server.CloseClientConnections()
		p.server.Close()
		transport.CloseIdleConnections()
	})
	return p
}

func (p *httpProxy) url() string { return p.server.URL }

// answers lets h answer in the database's place; nil lets requests pass.
func (p *httpProxy) answers(h http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = h
}

// sent lets f run, beside, once the next batch has wholly gone to the
// database, which has not answered yet.
func (p *httpProxy) sent(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.onSent = f
}

// watched tells when a body has been read to its end.
type watched struct {
	io.ReadCloser
	end  func()
	once sync.Once
}

func (b *watched) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.once.Do(func() { go b.end() })
	}
	return n, err
}
