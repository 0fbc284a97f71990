package mqtt

import (
	"bufio"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	readBufferBytes = 64 << 10
	// maxPendingBytes holds an acknowledgement for each of the 65,535 messages a broker may have under way, four
	// times over: only a peer that has stopped reading lets it fill.
	maxPendingBytes = 1 << 20
	maxOfferedBytes = maxPendingBytes / 4 // acknowledgements have the rest
	writeTimeout    = 20 * time.Second    // for one write to the socket
	flushTimeout    = time.Second         // for what is pending when the connection is closed, and for the peer to close as well
)

// The reasons a connection ends from this side. None of them reads like net.ErrClosed, which paho takes for its own
// doing and would ignore.
var (
	errClosed     = errors.New("closed by this side: shutting down, or the broker answered no ping")
	errNotReading = errors.New("the broker has stopped reading")
)

// hooks let the session follow its transport. Each may be nil, none may block except refill.
type hooks struct {
	greeted func(greeting)    // the broker welcomes; paho has not seen it yet
	refill  func()            // before each read from the socket; may wait a little to hold the broker back
	ended   func(cause error) // the connection is of no more use; called once
}

// transport is a net.Conn that spares paho's many small reads and writes: it reads ahead, and Write only appends to a
// buffer which a goroutine of its own writes out, all that has gathered at a time. Write and acknowledge therefore
// never block on the socket; a failed write ends the connection, and Read reports it.
//
// The memory is one read buffer and at most twice maxPendingBytes.
type transport struct {
	net.Conn // the bare connection
	hooks    hooks

	in      *bufio.Reader // used by Read only
	started bool          // Read has been called, used by Read only

	end atomic.Pointer[error] // why the connection is of no more use; nil as long as it is

	mu      sync.Mutex
	pending []byte        // to be written
	wake    chan struct{} // holds one token when the writer has something to do
	written chan struct{} // closed when the writer has ended and the connection is closed
}

func newTransport(conn net.Conn, h hooks) *transport {
	t := &transport{
		Conn:    conn,
		hooks:   h,
		wake:    make(chan struct{}, 1),
		written: make(chan struct{}),
	}
	t.in = bufio.NewReaderSize(refilling{conn, h.refill}, readBufferBytes)
	go t.writeOut()
	return t
}

// refilling calls a hook before each read from the connection.
type refilling struct {
	net.Conn
	before func()
}

func (r refilling) Read(p []byte) (int, error) {
	if r.before != nil {
		r.before()
	}
	return r.Conn.Read(p)
}

// Read hands out what was read ahead. Once the connection has ended it returns the reason, whatever is still buffered.
func (t *transport) Read(p []byte) (int, error) {
	if !t.started {
		t.started = true
		t.greet()
	}
	if cause := t.end.Load(); cause != nil {
		return 0, *cause
	}
	n, err := t.in.Read(p)
	if err != nil {
		t.fail(err)
		return n, *t.end.Load()
	}
	return n, nil
}

// peek shows the next n bytes to whoever reads, once the broker has been greeted.
func (t *transport) peek(n int) ([]byte, error) {
	if cause := t.end.Load(); cause != nil {
		return nil, *cause
	}
	b, err := t.in.Peek(n)
	if err != nil {
		t.fail(err)
		return nil, *t.end.Load()
	}
	return b, nil
}

// greet looks at the broker's first packet. If it welcomes, it is left for paho to read; otherwise the connection ends,
// since paho takes an unknown refusal for success.
func (t *transport) greet() {
	if t.hooks.greeted == nil {
		return
	}
	g, err := readGreeting(t.in)
	if err != nil {
		t.fail(err)
		return
	}
	t.hooks.greeted(g)
}

// Write takes whole packets: paho's and acknowledge's come from different goroutines.
func (t *transport) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if cause := t.end.Load(); cause != nil {
		return 0, *cause
	}
	t.pending = append(t.pending, p...)
	if t.flush(); len(t.pending) > maxPendingBytes {
		t.fail(errNotReading)
		return 0, errNotReading
	}
	return len(p), nil
}

// acknowledge writes a PUBACK for each QoS 1 and a PUBREC for each QoS 2 message, in this order. On a connection that
// has ended it does nothing; the broker sends those messages again.
func (t *transport) acknowledge(msgs []Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.end.Load() != nil {
		return
	}
	for i := range msgs {
		t.pending = appendAck(t.pending, msgs[i].QoS, msgs[i].id)
	}
	if t.flush(); len(t.pending) > maxPendingBytes {
		t.fail(errNotReading)
	}
}

// offer is Write for what may be left out: it takes p, a whole packet, unless the connection has ended or more than
// maxOfferedBytes would be pending.
func (t *transport) offer(p []byte) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.end.Load() != nil || len(t.pending)+len(p) > maxOfferedBytes {
		return false
	}
	t.pending = append(t.pending, p...)
	t.flush()
	return true
}

// flush wakes the writer.
func (t *transport) flush() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// fail ends the connection without waiting: what is pending is still tried, Read returns the cause from now on. The
// first cause counts.
func (t *transport) fail(cause error) {
	if !t.end.CompareAndSwap(nil, &cause) {
		return
	}
	t.flush()
	// Frees a Read that waits. Should the deadline not hold, closing the socket frees it a little later.
	_ = t.Conn.SetReadDeadline(time.Unix(1, 0))
	if t.hooks.ended != nil {
		t.hooks.ended(cause)
	}
}

func (t *transport) hasEnded() bool { return t.end.Load() != nil }

// Close writes what is pending and closes the connection; it waits for at most flushTimeout.
func (t *transport) Close() error {
	t.fail(errClosed)
	patience := time.NewTimer(flushTimeout)
	defer patience.Stop()
	select {
	case <-t.written:
		return nil
	case <-patience.C:
		// Below all layers, which might wait for the peer. If the writer comes first after all, this fails and is moot.
		_ = bottom(t.Conn).Close()
		return nil
	}
}

// writeOut is the writer: it writes whatever has gathered since its last write, until the connection has ended.
func (t *transport) writeOut() {
	defer close(t.written)
	var batch []byte
	for ended := false; !ended; {
		<-t.wake
		ended = t.end.Load() != nil // before taking, so that nothing is appended after the last take
		t.mu.Lock()
		batch, t.pending = t.pending, batch[:0]
		t.mu.Unlock()
		if err := t.writeBatch(batch); err != nil {
			t.fail(err)
		}
	}
	linger(t.Conn)
	// The peer has been told all there is to tell; nothing depends on how closing goes.
	_ = t.Conn.Close()
}

// linger says that no more will be written and throws away what still comes until the peer has closed, for at most
// flushTimeout. Closing with something unread, or while the peer still writes, would reset the connection, and with
// that the broker drops the acknowledgements it has not yet looked at.
func linger(conn net.Conn) {
	tcp, ok := bottom(conn).(*net.TCPConn)
	if !ok || tcp.CloseWrite() != nil || tcp.SetReadDeadline(time.Now().Add(flushTimeout)) != nil {
		return
	}
	_, _ = io.Copy(io.Discard, tcp) // ends with the peer's end or with the deadline, either will do
}

func (t *transport) writeBatch(batch []byte) error {
	if len(batch) == 0 {
		return nil
	}
	if err := t.Conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	_, err := t.Conn.Write(batch)
	return err
}

// SetDeadline bounds reading only: the writer has its own deadlines.
func (t *transport) SetDeadline(at time.Time) error { return t.Conn.SetReadDeadline(at) }

// SetWriteDeadline does nothing, since Write never waits.
func (t *transport) SetWriteDeadline(time.Time) error { return nil }
