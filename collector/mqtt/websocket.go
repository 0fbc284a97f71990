package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/net/proxy"
)

// websocketConn makes a byte stream of a WebSocket's binary messages. MQTT packets may cross their borders.
// One goroutine may read while another writes, which is what the transport does.
type websocketConn struct {
	*websocket.Conn
	message io.Reader // what is left of the message under way; nil between messages
}

func dialWebsocket(ctx context.Context, broker *url.URL, config *tls.Config) (net.Conn, error) {
	dialer := websocket.Dialer{
		NetDialContext:  proxy.Dial,
		Proxy:           http.ProxyFromEnvironment,
		TLSClientConfig: config,
		Subprotocols:    []string{"mqtt"},
	}
	conn, response, err := dialer.DialContext(ctx, broker.String(), nil)
	if err != nil {
		if response != nil {
			return nil, fmt.Errorf("WebSocket handshake with %s: answered %s: %w", broker.Host, response.Status, err)
		}
		return nil, fmt.Errorf("WebSocket handshake with %s: %w", broker.Host, err)
	}
	return &websocketConn{Conn: conn}, nil
}

func (c *websocketConn) Read(p []byte) (int, error) {
	for {
		if c.message == nil {
			_, message, err := c.NextReader()
			if err != nil {
				return 0, err
			}
			c.message = message
		}
		n, err := c.message.Read(p)
		if errors.Is(err, io.EOF) {
			c.message, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (c *websocketConn) Write(p []byte) (int, error) {
	if err := c.WriteMessage(websocket.BinaryMessage, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (c *websocketConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}
