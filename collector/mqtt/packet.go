package mqtt

import (
	"fmt"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// greeting is the broker's CONNACK.
type greeting struct {
	resumed bool // the broker had kept the session
	code    byte // 0: accepted
}

// parseGreeting reads a CONNACK (MQTT 3.1.1 section 3.2); false: it is another packet.
func parseGreeting(head []byte) (greeting, bool) {
	if len(head) < 4 || head[0] != packets.Connack<<4 || head[1] != 2 {
		return greeting{}, false
	}
	return greeting{resumed: head[2]&1 == 1, code: head[3]}, true
}

func (g greeting) err() error {
	if g.code == packets.Accepted {
		return nil
	}
	if text, ok := packets.ConnackReturnCodes[g.code]; ok {
		return fmt.Errorf("broker answered code %d: %s", g.code, text)
	}
	return fmt.Errorf("broker answered the unknown code %d", g.code)
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
