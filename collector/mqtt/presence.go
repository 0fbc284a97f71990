package mqtt

// Presence is a retained status on a topic of its own, over the first session:
// Online is published whenever its filters have been subscribed, Offline is the
// will of the same connection and is published before a clean end. Both are
// given the time, in ms, of that connection.
type Presence struct {
	Topic   string
	Online  func(at int64) []byte
	Offline func(at int64) []byte
}

// Announce publishes the presence once more.
func (c *Client) Announce() {}

// Publish sends a message at QoS 0, not retained, over the first session. It
// never blocks; false says that there is no connection to send it on.
func (c *Client) Publish(topic string, payload []byte) bool { return false }
