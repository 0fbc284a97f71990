package mqtt

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// fakeBroker answers as no real broker would on demand. Each connection is given to answer, packet by packet; what it
// returns is written, and nil closes the connection.
type fakeBroker struct {
	ln  net.Listener
	all sync.WaitGroup
}

func startFakeBroker(t *testing.T, answer func(packets.ControlPacket) []byte) *fakeBroker {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &fakeBroker{ln: ln}
	b.all.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			b.all.Go(func() { serveFake(conn, answer) })
		}
	})
	t.Cleanup(func() {
		if err := ln.Close(); err != nil {
			t.Error(err)
		}
		b.all.Wait()
	})
	return b
}

func (b *fakeBroker) addr() string { return b.ln.Addr().String() }

func serveFake(conn net.Conn, answer func(packets.ControlPacket) []byte) {
	defer closeAll(conn)
	for {
		packet, err := packets.ReadPacket(conn)
		if err != nil {
			return
		}
		reply := answer(packet)
		if reply == nil {
			return
		}
		if _, err := conn.Write(reply); err != nil {
			return
		}
	}
}

// grant accepts the connection and answers each SUBSCRIBE with the level that level gives for a filter.
func grant(level func(filter string) byte) func(packets.ControlPacket) []byte {
	return func(packet packets.ControlPacket) []byte {
		switch p := packet.(type) {
		case *packets.ConnectPacket:
			return []byte{0x20, 2, 0, 0}
		case *packets.SubscribePacket:
			reply := []byte{0x90, byte(2 + len(p.Topics)), byte(p.MessageID >> 8), byte(p.MessageID)}
			for _, f := range p.Topics {
				reply = append(reply, level(f))
			}
			return reply
		case *packets.PingreqPacket:
			return []byte{0xd0, 0}
		}
		return nil
	}
}

func TestARefusedFilterIsNamedAndTriedAgain(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	refusing := true
	broker := startFakeBroker(t, grant(func(filter string) byte {
		mu.Lock()
		defer mu.Unlock()
		if filter == "b/#" && refusing {
			return 0x80
		}
		return 1
	}))
	in := start(t, intakeOptions{config: configFor(broker.addr()), filters: []string{"a/#", "b/#"}})
	eventually(t, "the status names it", func() bool {
		s := in.session("imdad")
		return s.Connected && !s.Subscribed && strings.HasSuffix(s.LastError, "the broker refuses b/#")
	})
	mu.Lock()
	refusing = false
	mu.Unlock()
	in.awaitSubscribed()
	if s := in.session("imdad"); s.LastError != "" {
		t.Errorf("status %+v", s)
	}
}

func TestALowerQoSIsLogged(t *testing.T) {
	t.Parallel()
	broker := startFakeBroker(t, grant(func(string) byte { return 0 }))
	in := start(t, intakeOptions{config: configFor(broker.addr())})
	in.awaitSubscribed()
	if !strings.Contains(in.log.String(), "less than QoS 1") {
		t.Errorf("log:\n%s", in.log)
	}
}

func TestManyFiltersGoInSeveralPackets(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	largest, seen := 0, 0
	broker := startFakeBroker(t, func(packet packets.ControlPacket) []byte {
		if p, ok := packet.(*packets.SubscribePacket); ok {
			mu.Lock()
			largest, seen = max(largest, len(p.Topics)), seen+len(p.Topics)
			mu.Unlock()
		}
		return grant(func(string) byte { return 1 })(packet)
	})
	var filters []string
	for _, c := range "abcdefghijklmnopqrstuvwxyz" {
		filters = append(filters, string(c)+"/#")
	}
	in := start(t, intakeOptions{config: configFor(broker.addr()), filters: filters})
	in.awaitSubscribed()
	mu.Lock()
	defer mu.Unlock()
	if largest > filtersAtOnce || seen != len(filters) {
		t.Errorf("%d filters, up to %d in one packet", seen, largest)
	}
}

func TestStrangeGreetings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		reply []byte
		want  string
	}{
		{"wrong password", []byte{0x20, 2, 0, 4}, "code 4: Connection Refused: Username or Password in unknown format"},
		{"not authorized", []byte{0x20, 2, 0, 5}, "code 5: Connection Refused: Not Authorised"},
		{"closed", nil, "EOF"},
		{"unknown code", []byte{0x20, 2, 0, 77}, "code 77"}, // paho takes it for success
		{"another length", []byte{0x20, 3, 0, 0, 0}, errNoGreeting.Error()},
		{"another packet", []byte{0xd0, 0}, errNoGreeting.Error()},
		{"another protocol", []byte("HTTP/1.1 400 Bad Request\r\n\r\n"), errNoGreeting.Error()},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			broker := startFakeBroker(t, func(packets.ControlPacket) []byte { return c.reply })
			in := start(t, intakeOptions{config: configFor(broker.addr())})
			eventually(t, "the status says "+c.want, func() bool {
				return strings.Contains(in.session("imdad").LastError, c.want)
			})
			if in.session("imdad").Connected {
				t.Error("counts as connected")
			}
		})
	}
}

// A broker with a window of 20 that always has one more message.
func TestAWindowThatFillsIsLogged(t *testing.T) {
	t.Parallel()
	const windowSize = 20
	id := uint16(0)
	next := func(n int) (all []byte) {
		for range n {
			id++
			all = append(all, 0x32, 6, 0, 1, 't', byte(id>>8), byte(id), 'x')
		}
		return all
	}
	broker := startFakeBroker(t, func(packet packets.ControlPacket) []byte {
		switch packet.(type) {
		case *packets.SubscribePacket:
			return append(grant(func(string) byte { return 1 })(packet), next(windowSize)...)
		case *packets.PubackPacket:
			return next(1)
		}
		return grant(nil)(packet)
	})
	in := newIntake(t, intakeOptions{config: configFor(broker.addr())})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- in.client.Run(ctx) }()
	for range windowMet + 10 {
		eventually(t, "the window is full", func() bool {
			l, _ := in.client.queue.count()
			return l.inFlight == windowSize
		})
		msgs, err := in.client.Receive(ctx, make([]Message, 0, windowSize))
		if err != nil {
			t.Fatal(err)
		}
		in.client.Done(msgs)
	}
	if n := strings.Count(in.log.String(), `"window":20`); n != 1 {
		t.Errorf("logged %d times", n)
	}
	cancel()
	for { // what came meanwhile is received, not done: it comes again
		if _, err := in.client.Receive(t.Context(), make([]Message, 0, windowSize)); err != nil {
			break
		}
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}
