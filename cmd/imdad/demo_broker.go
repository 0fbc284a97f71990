package main

import (
	"fmt"
	"net"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/rs/zerolog"
)

// broker is the demo's embedded MQTT broker. It needs no installation; it is
// not meant for production.
type broker struct {
	server *mochi.Server
	addr   string
	log    zerolog.Logger
}

func startBroker(addr string, log zerolog.Logger) (*broker, error) {
	server := mochi.New(&mochi.Options{Logger: newSlog(log.Level(zerolog.ErrorLevel))})
	if err := server.AddHook(new(auth.AllowHook), nil); err != nil {
		return nil, fmt.Errorf("start the broker: %w", err)
	}
	tcp := listeners.NewTCP(listeners.Config{ID: "tcp", Address: addr})
	if err := server.AddListener(tcp); err != nil {
		return nil, fmt.Errorf("start the broker on %s: %w", addr, err)
	}
	if err := server.Serve(); err != nil {
		return nil, fmt.Errorf("start the broker: %w", err)
	}
	return &broker{server: server, addr: tcp.Address(), log: log}, nil
}

func (b *broker) close() {
	if err := b.server.Close(); err != nil {
		b.log.Warn().Err(err).Msg("the broker did not end well")
	}
}

// orFree returns addr, or its host with port 0 if the port is taken.
func orFree(addr string) string {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		host, _, _ := net.SplitHostPort(addr) // ours, and well-formed
		return net.JoinHostPort(host, "0")
	}
	_ = l.Close() // nothing was accepted
	return addr
}
