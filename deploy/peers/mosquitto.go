package peers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// MosquittoOptions says what broker to start.
type MosquittoOptions struct {
	// Dir takes the configuration and the persisted sessions and messages. It must exist.
	Dir string
	// Addr is the host:port to listen on; empty picks a free loopback port. The address of a stopped broker restarts it
	// where its clients look for it.
	Addr string
	// Extra are further lines of mosquitto.conf, after the listener and the defaults below, for example
	// "max_inflight_messages 1000". A setting given twice takes the later value.
	Extra []string
}

// mosquittoConf is the base: anonymous clients, sessions that survive a restart (they are saved on SIGTERM; a SIGKILL
// loses what was not saved), and no bound on what is queued for a client that is away.
const mosquittoConf = `listener %s %s
allow_anonymous true
persistence true
persistence_location %s/
max_queued_messages 0
log_dest stderr
log_type error
log_type warning
log_type notice
log_type information
connection_messages false
`

// StartMosquitto runs a broker and waits until it accepts connections. ctx bounds the wait only; without a deadline it
// is 60 s.
func StartMosquitto(ctx context.Context, o MosquittoOptions) (*Process, error) {
	if o.Dir == "" {
		return nil, errors.New("start mosquitto: no directory given")
	}
	binary, err := installed("mosquitto")
	if err != nil {
		return nil, err
	}
	return startOn(ctx, o.Addr, func(ctx context.Context, addr string) (*Process, error) {
		conf, err := writeMosquittoConf(o, addr)
		if err != nil {
			return nil, fmt.Errorf("configure mosquitto: %w", err)
		}
		return start(ctx, spec{
			name:   "mosquitto",
			binary: binary,
			addr:   addr,
			args:   []string{"-c", conf},
			upLine: " running",
			probe:  func(ctx context.Context) error { return dial(ctx, addr) },
		})
	})
}

func writeMosquittoConf(o MosquittoOptions, addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf(mosquittoConf, port, host, dir)
	if os.Geteuid() == 0 {
		text += "user root\n" // otherwise it becomes a user who cannot write into Dir
	}
	for _, line := range o.Extra {
		text += strings.TrimRight(line, "\n") + "\n"
	}
	path := filepath.Join(dir, "mosquitto.conf")
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// dial opens and closes a connection.
func dial(ctx context.Context, addr string) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return conn.Close()
}
