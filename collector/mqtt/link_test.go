package mqtt

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// link stands between a client and a broker and misbehaves on demand.
type link struct {
	t      testing.TB
	ln     net.Listener
	target string

	accepted atomic.Int64
	writes   atomic.Int64 // reads from the client, each at most one write of its
	delay    atomic.Int64 // nanoseconds before anything is passed on
	all      sync.WaitGroup

	mu      sync.Mutex
	conns   map[net.Conn]bool
	flowing chan struct{} // closed as long as bytes are passed on
	closed  bool
}

func startLink(t testing.TB, target string) *link {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &link{t: t, ln: ln, target: target, conns: make(map[net.Conn]bool), flowing: make(chan struct{})}
	close(p.flowing)
	p.all.Go(p.serve)
	t.Cleanup(p.close)
	return p
}

func (p *link) addr() string { return p.ln.Addr().String() }

func (p *link) serve() {
	for {
		client, err := p.ln.Accept()
		if err != nil {
			return
		}
		p.accepted.Add(1)
		server, err := net.Dial("tcp", p.target)
		if err != nil || !p.track(client, server) {
			closeAll(client, server)
			continue
		}
		p.all.Go(func() { p.pass(client, server, &p.writes) })
		p.all.Go(func() { p.pass(server, client, nil) })
	}
}

func closeAll(conns ...net.Conn) {
	for _, c := range conns {
		if c != nil {
			_ = c.Close() // what it does to its peer is the point
		}
	}
}

func (p *link) track(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.conns[c] = true
	}
	return !p.closed
}

// pass copies until either side is gone.
func (p *link) pass(from, to net.Conn, reads *atomic.Int64) {
	defer closeAll(from, to)
	buf := make([]byte, 16<<10)
	for {
		<-p.gate()
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if reads != nil {
			reads.Add(1)
		}
		<-p.gate()
		if d := p.delay.Load(); d > 0 {
			<-time.After(time.Duration(d))
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (p *link) gate() chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.flowing
}

// stall passes nothing on any more, in both directions, until resume or cut.
func (p *link) stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flowing = make(chan struct{})
}

func (p *link) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.flowing:
	default:
		close(p.flowing)
	}
}

// cut closes all connections. New ones are accepted, and pass.
func (p *link) cut() {
	p.resume()
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		closeAll(c)
		delete(p.conns, c)
	}
}

func (p *link) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	if err := p.ln.Close(); err != nil {
		p.t.Error(err)
	}
	p.cut()
	p.all.Wait()
}
