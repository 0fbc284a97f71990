package mqtt

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// Listen hands what the filters bring to take, one message after the other,
// until ctx ends; then it returns nil. It has a clean session of its own, takes
// nothing out of anybody's, and hears at QoS 0: it is for a look at what there
// is, and a message may escape it. A connection that is lost is an error.
func Listen(ctx context.Context, c Config, password string, filters []string, take func(topic string, payload []byte, retained bool)) error {
	brokers, err := parseBrokers(c.Brokers)
	if err != nil {
		return err
	}
	config, err := c.TLS.load()
	if err != nil {
		return err
	}
	lost := make(chan error, 1)
	o := paho.NewClientOptions()
	o.Servers = brokers
	o.SetClientID(c.ClientID + "-listener-" + rand.Text()[:8])
	o.SetUsername(c.Username)
	o.SetPassword(password)
	o.SetProtocolVersion(4)
	o.SetCleanSession(true)
	o.SetAutoReconnect(false)
	o.SetConnectTimeout(connectTimeout)
	o.SetKeepAlive(c.KeepAlive)
	o.SetCustomOpenConnectionFn(func(broker *url.URL, _ paho.ClientOptions) (net.Conn, error) { return dial(ctx, broker, config) })
	o.SetConnectionLostHandler(func(_ paho.Client, err error) { lost <- err })
	o.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { take(m.Topic(), m.Payload(), m.Retained()) })
	client := paho.NewClient(o)
	if err := answered(ctx, client.Connect()); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer client.Disconnect(uint(disconnectTimeout.Milliseconds()))
	wanted := make(map[string]byte, len(filters))
	for _, f := range filters {
		wanted[f] = 0
	}
	token := client.SubscribeMultiple(wanted, nil)
	if err := answered(ctx, token); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	for filter, granted := range token.(*paho.SubscribeToken).Result() {
		if granted == refusal {
			return fmt.Errorf("subscribe: the broker refuses %s", filter)
		}
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-lost:
		return fmt.Errorf("listen: %w", err)
	}
}

func answered(ctx context.Context, token paho.Token) error {
	select {
	case <-token.Done():
		return token.Error()
	case <-ctx.Done():
		return errors.Join(errors.New("no answer in time"), ctx.Err())
	}
}
