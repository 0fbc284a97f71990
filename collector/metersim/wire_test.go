package metersim

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// pair returns a wire and the other end of its connection.
func pair(t *testing.T) (*wire, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w, err := dial(t.Context(), &url.URL{Scheme: "tcp", Host: l.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	peer, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		peer.Close()
		w.fail(io.EOF)
	})
	return w, peer
}

func TestWireCarriesAndFlushesOnClose(t *testing.T) {
	t.Parallel()
	w, peer := pair(t)
	if _, err := peer.Write([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 6)
	if _, err := io.ReadFull(w, answer); err != nil || string(answer) != "answer" {
		t.Fatalf("%q, %v", answer, err)
	}
	came := make(chan string, 1)
	go func() {
		all, _ := io.ReadAll(peer) // what is missing shows
		came <- string(all)
	}()
	var sent strings.Builder
	for i := range 50_000 {
		packet := strings.Repeat(string(rune('a'+i%26)), i%40)
		sent.WriteString(packet)
		if _, err := w.Write([]byte(packet)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := <-came; got != sent.String() {
		t.Errorf("%d bytes came of %d", len(got), sent.Len())
	}
	if _, err := w.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write after close: %v", err)
	}
}

// TestWireThatBroke: reads and writes, also waiting ones, say why.
func TestWireThatBroke(t *testing.T) {
	t.Parallel()
	w, _ := pair(t)
	why := errors.New("the test breaks it")
	ended := make(chan error, 2)
	go func() {
		_, err := w.Read(make([]byte, 1))
		ended <- err
	}()
	go func() {
		for { // nobody reads: the buffer fills up, and Write waits
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				ended <- err
				return
			}
		}
	}()
	eventually(t, "a full buffer", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.pending) >= wireBuffer
	})
	w.fail(why)
	for range 2 {
		if err := <-ended; !errors.Is(err, why) {
			t.Errorf("%v", err)
		}
	}
}

func TestTLSWantsAKnownAuthority(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	_, err := dial(context.Background(), &url.URL{Scheme: "ssl", Host: server.Listener.Addr().String()})
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("%v", err)
	}
}
