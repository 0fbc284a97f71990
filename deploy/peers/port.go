package peers

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"time"
)

// Ports are picked below the range from which the kernel takes the local ports of outgoing connections (32768 and up on
// Linux): a client that keeps trying to reconnect could otherwise take the port of a server that is down for a moment.
const (
	minPort   = 20000
	maxPort   = 32000
	portTries = 100
)

// FreeAddr returns a loopback host:port on which nobody listens just now.
func FreeAddr() (string, error) {
	for range portTries {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(minPort+rand.IntN(maxPort-minPort)))
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		return addr, l.Close()
	}
	return "", fmt.Errorf("find a free port: %d tries between %d and %d, all taken", portTries, minPort, maxPort)
}

// startOn runs try on addr, or on free ports while addr is empty, again and again while the port turns out to be taken:
// two tests can be handed the same free port, and a port asked for may be released any moment.
func startOn(ctx context.Context, addr string, try func(ctx context.Context, addr string) (*Process, error)) (*Process, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, readyTimeout)
		defer cancel()
	}
	for {
		at := addr
		if at == "" {
			var err error
			if at, err = FreeAddr(); err != nil {
				return nil, err
			}
		}
		p, err := try(ctx, at)
		if !errors.Is(err, errAddrInUse) {
			return p, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(readyPoll):
		}
	}
}
