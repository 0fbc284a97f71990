package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// tap notes which messages a client has acknowledged, from its packets. It
// takes no word of the client itself.
type tap struct {
	mu    sync.Mutex
	acked []passage
}

// passage is a message that went down and whose PUBACK came up.
type passage struct{ topic, payload string }

// connection returns what to call with each packet of a connection.
func (t *tap) connection() func(way, []byte) {
	open := make(map[uint16]passage) // by packet id
	return func(w way, packet []byte) {
		body := packet[1:]
		for body[0]&0x80 != 0 { // the length
			body = body[1:]
		}
		body = body[1:]
		t.mu.Lock()
		defer t.mu.Unlock()
		switch {
		case w == down && packet[0]>>4 == 3 && packet[0]&0x06 == 0x02: // PUBLISH at QoS 1
			n := 2 + int(binary.BigEndian.Uint16(body))
			open[binary.BigEndian.Uint16(body[n:])] = passage{string(body[2:n]), string(body[n+2:])}
		case w == up && packet[0]>>4 == 4: // PUBACK
			id := binary.BigEndian.Uint16(body)
			t.acked = append(t.acked, open[id])
			delete(open, id)
		}
	}
}

// count is how many messages have been acknowledged so far.
func (t *tap) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.acked)
}

// readings returns what has been acknowledged so far.
func (t *tap) readings() (map[reading]bool, error) {
	t.mu.Lock()
	acked := t.acked[:len(t.acked):len(t.acked)]
	t.mu.Unlock()
	all := make(map[reading]bool, len(acked))
	for _, d := range acked {
		level := strings.Split(d.topic, "/")
		var said struct {
			TS int64 `json:"ts"`
		}
		if err := json.Unmarshal([]byte(d.payload), &said); err != nil || len(level) != 5 {
			return nil, fmt.Errorf("a PUBACK for %q %q: %w", d.topic, d.payload, err)
		}
		all[reading{meter.Utility(level[3]), level[2], level[4], said.TS}] = true
	}
	return all, nil
}

// readPacket reads one MQTT packet: a byte, the length of the rest in seven
// bits a byte, the rest.
func readPacket(in *bufio.Reader) ([]byte, error) {
	first, err := in.ReadByte()
	if err != nil {
		return nil, err
	}
	packet, length := []byte{first}, 0
	for shift := 0; ; shift += 7 {
		b, err := in.ReadByte()
		if err != nil {
			return nil, err
		}
		packet = append(packet, b)
		length |= int(b&0x7f) << shift
		if b&0x80 == 0 {
			break
		}
		if shift == 21 {
			return nil, fmt.Errorf("a packet whose length has more than four bytes")
		}
	}
	head := len(packet)
	packet = append(packet, make([]byte, length)...)
	_, err = io.ReadFull(in, packet[head:])
	return packet, err
}
