package mqtt

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// pair is a transport and the far end of its TCP connection.
func pair(t *testing.T, h hooks) (*transport, *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer closeListener(t, ln)
	near, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	tr := newTransport(near, h)
	t.Cleanup(func() {
		closeAll(far, tr)
		<-tr.written
	})
	return tr, far.(*net.TCPConn)
}

// mustClose closes a transport whose far end is gone or closes, too.
func mustClose(t *testing.T, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func write(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
}

func TestCloseFlushesAndWaitsForTheFarEnd(t *testing.T) {
	t.Parallel()
	tr, far := pair(t, hooks{})
	var want bytes.Buffer
	for i := range 1000 {
		p := bytes.Repeat([]byte{byte(i)}, i%50)
		want.Write(p)
		write(t, tr, string(p))
	}
	write(t, far, "unread, so that a plain close would reset the connection")
	go mustClose(t, tr)
	got, err := io.ReadAll(far)
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%d of %d bytes, %v", len(got), want.Len(), err)
	}
	mustClose(t, far)
	<-tr.written
}

func TestCloseDoesNotWaitForAStuckFarEnd(t *testing.T) {
	t.Parallel()
	tr, _ := pair(t, hooks{})
	full := make([]byte, maxPendingBytes/2)
	for { // until the kernel's buffers are full and so is ours
		if _, err := tr.Write(full); err != nil {
			if !errors.Is(err, errNotReading) {
				t.Fatal(err)
			}
			break
		}
	}
	before := time.Now()
	mustClose(t, tr)
	if took := time.Since(before); took > 3*flushTimeout {
		t.Errorf("Close took %s", took)
	}
	if _, err := tr.Read(make([]byte, 1)); !errors.Is(err, errNotReading) {
		t.Errorf("Read: %v, want the first cause", err)
	}
}

func TestReadReportsALocalEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		end  func(*transport)
		want error
	}{
		{"closed", func(tr *transport) { _ = tr.Close() }, errClosed},
		{"failed", func(tr *transport) { tr.fail(errSilent) }, errSilent},
		{"first cause counts", func(tr *transport) { tr.fail(errNoRoom); tr.fail(errSilent) }, errNoRoom},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var causes []error
			tr, _ := pair(t, hooks{ended: func(cause error) {
				mu.Lock()
				defer mu.Unlock()
				causes = append(causes, cause)
			}})
			result := make(chan error)
			go func() {
				_, err := tr.Read(make([]byte, 1))
				result <- err
			}()
			c.end(tr)
			err := <-result
			if !errors.Is(err, c.want) || strings.Contains(err.Error(), "use of closed network connection") {
				t.Errorf("Read: %v", err)
			}
			if _, err := tr.Write([]byte("x")); !errors.Is(err, c.want) {
				t.Errorf("Write: %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			if len(causes) != 1 || !errors.Is(causes[0], c.want) {
				t.Errorf("ended was told %v", causes)
			}
		})
	}
}

// failingConn reads nothing and writes nothing.
type failingConn struct {
	net.Conn
	freed chan struct{}
	once  sync.Once
}

var errBroken = errors.New("broken")

func (c *failingConn) Read([]byte) (int, error)         { <-c.freed; return 0, net.ErrClosed }
func (c *failingConn) Write([]byte) (int, error)        { return 0, errBroken }
func (c *failingConn) SetWriteDeadline(time.Time) error { return nil }
func (c *failingConn) SetReadDeadline(time.Time) error  { c.free(); return nil }
func (c *failingConn) Close() error                     { c.free(); return nil }
func (c *failingConn) free()                            { c.once.Do(func() { close(c.freed) }) }

func TestAFailedWriteComesOutOfRead(t *testing.T) {
	t.Parallel()
	tr := newTransport(&failingConn{freed: make(chan struct{})}, hooks{})
	write(t, tr, "x")
	if _, err := tr.Read(make([]byte, 1)); !errors.Is(err, errBroken) {
		t.Errorf("Read: %v", err)
	}
	mustClose(t, tr)
}

func TestReadReportsTheFarEndsClose(t *testing.T) {
	t.Parallel()
	tr, far := pair(t, hooks{})
	write(t, far, "last")
	mustClose(t, far)
	got, err := io.ReadAll(tr)
	if err != nil || string(got) != "last" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestNothingIsReadAfterTheEnd(t *testing.T) {
	t.Parallel()
	tr, far := pair(t, hooks{})
	write(t, far, "much that is read ahead")
	if _, err := tr.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	tr.fail(errNoRoom)
	if n, err := tr.Read(make([]byte, 1)); n != 0 || !errors.Is(err, errNoRoom) {
		t.Errorf("%d, %v", n, err)
	}
}

func TestAcknowledge(t *testing.T) {
	t.Parallel()
	tr, far := pair(t, hooks{})
	tr.acknowledge([]Message{{QoS: 1, id: 1}, {QoS: 0}, {QoS: 2, id: 0x1234}, {QoS: 1, id: 0xffff}})
	got := make([]byte, 12)
	if _, err := io.ReadFull(far, got); err != nil {
		t.Fatal(err)
	}
	if want := "\x40\x02\x00\x01\x50\x02\x12\x34\x40\x02\xff\xff"; string(got) != want {
		t.Errorf("%x, want %x", got, want)
	}
	tr.fail(errNoRoom)
	tr.acknowledge([]Message{{QoS: 1, id: 2}}) // does nothing
	if rest, err := io.ReadAll(far); err != nil || len(rest) != 0 {
		t.Errorf("%x, %v after the end", rest, err)
	}
}

func TestTheGreetingIsLeftForPaho(t *testing.T) {
	t.Parallel()
	var got []greeting
	tr, far := pair(t, hooks{greeted: func(g greeting) { got = append(got, g) }})
	write(t, far, "\x20\x02\x01\x00\xd0\x00")
	all := make([]byte, 6)
	if _, err := io.ReadFull(tr, all); err != nil || string(all) != "\x20\x02\x01\x00\xd0\x00" {
		t.Errorf("%x, %v", all, err)
	}
	if len(got) != 1 || !got[0].resumed {
		t.Errorf("greetings %v", got)
	}
}
