package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"

	paho "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/net/proxy"
)

// OpenConnection opens the buffered transport for any paho client; give it to SetCustomOpenConnectionFn.
// It heeds the options' TLSConfig and ConnectTimeout.
func OpenConnection(broker *url.URL, options paho.ClientOptions) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), options.ConnectTimeout)
	defer cancel()
	socket, err := dial(ctx, broker, options.TLSConfig)
	if err != nil {
		return nil, err
	}
	return newTransport(socket, hooks{}), nil
}

// dial opens the bare connection: TCP, TLS or WebSocket, through the proxy that all_proxy (for WebSocket: http_proxy
// or https_proxy) names, if any.
func dial(ctx context.Context, broker *url.URL, config *tls.Config) (net.Conn, error) {
	switch broker.Scheme {
	case "tcp":
		return proxy.Dial(ctx, "tcp", broker.Host)
	case "ssl":
		return dialTLS(ctx, broker, config)
	case "ws", "wss":
		return dialWebsocket(ctx, broker, config)
	}
	return nil, fmt.Errorf("dial %s: unknown scheme", broker)
}

func dialTLS(ctx context.Context, broker *url.URL, config *tls.Config) (net.Conn, error) {
	socket, err := proxy.Dial(ctx, "tcp", broker.Host)
	if err != nil {
		return nil, err
	}
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName = broker.Hostname()
	}
	secured := tls.Client(socket, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("TLS handshake with %s: %w", broker.Host, err), socket.Close())
	}
	return secured, nil
}

// bottom is the socket below all layers of encryption and framing.
func bottom(conn net.Conn) net.Conn {
	for {
		layered, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return conn
		}
		conn = layered.NetConn()
	}
}
