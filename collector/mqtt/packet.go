package mqtt

import (
	"bufio"
	"errors"
	"fmt"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// greeting is a CONNACK that welcomes.
type greeting struct {
	resumed bool // the broker had kept the session
}

var errNoGreeting = errors.New("the answer to the connect request is not MQTT 3.1.1")

// readGreeting looks at a CONNACK (MQTT 3.1.1 section 3.2) without consuming it. A refusal is an error.
func readGreeting(in *bufio.Reader) (greeting, error) {
	head, err := in.Peek(1)
	if err != nil {
		return greeting{}, err
	}
	if head[0] != packets.Connack<<4 {
		return greeting{}, errNoGreeting
	}
	if head, err = in.Peek(4); err != nil {
		return greeting{}, err
	}
	if head[1] != 2 {
		return greeting{}, errNoGreeting
	}
	if code := head[3]; code != packets.Accepted {
		return greeting{}, refusedBy(code)
	}
	return greeting{resumed: head[2]&1 == 1}, nil
}

func refusedBy(code byte) error {
	text, known := packets.ConnackReturnCodes[code]
	if !known {
		text = "unknown code"
	}
	return fmt.Errorf("broker answered code %d: %s", code, text)
}

// appendAck appends the first answer to a message: PUBACK for QoS 1, PUBREC for QoS 2, nothing for QoS 0.
func appendAck(b []byte, qos byte, id uint16) []byte {
	switch qos {
	case 1:
		return append(b, packets.Puback<<4, 2, byte(id>>8), byte(id))
	case 2:
		return append(b, packets.Pubrec<<4, 2, byte(id>>8), byte(id))
	}
	return b
}
