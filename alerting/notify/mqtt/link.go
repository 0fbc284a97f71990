package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

const (
	keepAlive  = 30 * time.Second
	disconnect = 250 // ms that paho may take to say goodbye
	mqtt311    = 4   // paho would fall back to 3.1 for good after one cut handshake
)

// link is one connection. It is not mended but replaced: the outbox tries again, and certificates and passwords are read
// anew.
type link struct {
	client  paho.Client
	timeout time.Duration
}

// connect blocks until the broker has greeted, or ctx or the timeout ends.
func connect(ctx context.Context, c Config, password string, secure *tls.Config) (*link, error) {
	options := paho.NewClientOptions().
		SetClientID(c.ClientID).SetUsername(c.Username).SetPassword(password).
		SetTLSConfig(secure).SetProtocolVersion(mqtt311).SetCleanSession(true).
		SetAutoReconnect(false).SetKeepAlive(keepAlive).
		SetConnectTimeout(c.Timeout).SetWriteTimeout(c.Timeout)
	for _, broker := range c.Brokers {
		options.AddBroker(broker)
	}
	l := &link{client: paho.NewClient(options), timeout: c.Timeout}
	if err := l.wait(ctx, l.client.Connect()); err != nil {
		l.close()
		return nil, fmt.Errorf("connect to the broker: %w", err)
	}
	return l, nil
}

// publish blocks until the broker has acknowledged.
func (l *link) publish(ctx context.Context, topic string, payload []byte) error {
	if payload == nil {
		payload = []byte{}
	}
	if err := l.wait(ctx, l.client.Publish(topic, 1, true, payload)); err != nil {
		return fmt.Errorf("publish %s: %w", topic, err)
	}
	return nil
}

// wait returns the token's error, or what ended the wait.
func (l *link) wait(ctx context.Context, token paho.Token) error {
	timeout := time.NewTimer(l.timeout)
	defer timeout.Stop()
	select {
	case <-token.Done():
		return token.Error()
	case <-ctx.Done():
		return ctx.Err()
	case <-timeout.C:
		return errors.New("the broker does not answer")
	}
}

func (l *link) up() bool { return l.client.IsConnectionOpen() }

func (l *link) close() { l.client.Disconnect(disconnect) }
