package mqtt

import "github.com/eclipse/paho.mqtt.golang/packets"

// noStore keeps no packet. paho would hold each message until its own Ack, which the transport replaces.
type noStore struct{}

func (noStore) Open()                             {}
func (noStore) Put(string, packets.ControlPacket) {}
func (noStore) Get(string) packets.ControlPacket  { return nil }
func (noStore) All() []string                     { return nil }
func (noStore) Del(string)                        {}
func (noStore) Close()                            {}
func (noStore) Reset()                            {}
