package mqtt

import (
	"context"
	"strings"
	"sync"
	"testing"
)

func TestListen(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	c := DefaultConfig()
	c.Brokers, c.ClientID = []string{"tcp://" + broker.Addr()}, "imdad"
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mu sync.Mutex
	heard := make(map[string]int)
	ended := make(chan error, 1)
	go func() {
		ended <- Listen(ctx, c, "", []string{"a/#"}, func(topic string, payload []byte, _ bool) {
			mu.Lock()
			defer mu.Unlock()
			heard[topic] += len(payload)
		})
	}()
	p := newPublisher(t, broker.Addr())
	eventually(t, "a message is heard", func() bool {
		p.publish("b/c", 0, 0, 1)
		p.publish("a/b", 0, 0, 1)
		mu.Lock()
		defer mu.Unlock()
		return len(heard) > 0
	})
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if heard["a/b"] == 0 || len(heard) != 1 {
		t.Errorf("heard %v", heard)
	}
}

func TestListenWithoutABroker(t *testing.T) {
	t.Parallel()
	c := DefaultConfig()
	c.Brokers, c.ClientID = []string{"tcp://127.0.0.1:1"}, "imdad"
	err := Listen(t.Context(), c, "", []string{"#"}, nil)
	if err == nil || !strings.HasPrefix(err.Error(), "connect: ") {
		t.Errorf("%v", err)
	}
}
