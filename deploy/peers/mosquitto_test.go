package peers

import (
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// TestMosquittoKeepsASessionAcrossARestart leaves messages for a client that is away, restarts the broker on the same
// directory and address, and lets the client fetch them.
func TestMosquittoKeepsASessionAcrossARestart(t *testing.T) {
	t.Parallel()
	const messages = 2000 // more than the broker's default queue of 1,000
	dir := t.TempDir()
	broker, err := StartMosquitto(t.Context(), MosquittoOptions{Dir: dir, Extra: []string{"max_inflight_messages 500"}})
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, messages)
	reader := connect(t, broker.Addr(), "reader", func(m mqtt.Message) { got <- string(m.Payload()) })
	wait(t, "subscribe", reader.Subscribe("imdad/#", 1, nil))
	reader.Disconnect(100)

	writer := connect(t, broker.Addr(), "writer", nil)
	for range messages {
		wait(t, "publish", writer.Publish("imdad/x", 1, false, "reading"))
	}
	writer.Disconnect(100)

	if err := broker.Stop(); err != nil {
		t.Fatal(err)
	}
	broker, err = StartMosquitto(t.Context(), MosquittoOptions{Dir: dir, Addr: broker.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	reader = connect(t, broker.Addr(), "reader", func(m mqtt.Message) { got <- string(m.Payload()) })
	deadline := time.After(20 * time.Second)
	for n := range messages {
		select {
		case <-got:
		case <-deadline:
			t.Fatalf("%d of %d messages came", n, messages)
		}
	}
	reader.Disconnect(100)
	if err := broker.Stop(); err != nil {
		t.Error(err)
	}
}

func connect(t *testing.T, addr, id string, handle func(mqtt.Message)) mqtt.Client {
	t.Helper()
	o := mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetClientID(id).SetProtocolVersion(4).
		SetCleanSession(false).SetAutoReconnect(false)
	if handle != nil {
		o.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { handle(m) })
	}
	c := mqtt.NewClient(o)
	wait(t, "connect", c.Connect())
	return c
}

func wait(t *testing.T, what string, token mqtt.Token) {
	t.Helper()
	if !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatalf("%s: %v", what, token.Error())
	}
}
