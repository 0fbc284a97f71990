package mqtt

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Config is the mqtt section of the configuration file.
type Config struct {
	// Brokers are addresses of one broker or of one cluster, tried in this order at each connect:
	// tcp://host:port, ssl://host:port, ws://host:port/path or wss://host:port/path.
	Brokers []string `yaml:"brokers"`
	// ClientID names the session at the broker. With several connections their index is appended: ID-0, ID-1, ….
	ClientID string `yaml:"client_id"`
	Username string `yaml:"username"`
	Password string `yaml:"password"`
	// Connections is how many connections the filters are spread over.
	Connections int `yaml:"connections"`
	// Share is the group of a shared subscription ($share/GROUP/filter); empty for none.
	Share string `yaml:"share"`
	TLS   TLS    `yaml:"tls"`
	// KeepAlive is how long a connection may be silent before it is probed with a ping, in whole seconds.
	KeepAlive time.Duration `yaml:"keep_alive"`
	// IdleTimeout is how long a session that has delivered before may deliver nothing until its connection is
	// made anew; 0 turns the watchdog off.
	IdleTimeout time.Duration `yaml:"idle_timeout"`
	// QueueMiB bounds the messages that wait for the next stage, in MiB.
	QueueMiB int `yaml:"queue_mib"`
}

// TLS are the PEM files for ssl:// and wss:// brokers. They are read again at each connect.
type TLS struct {
	// CA replaces the system's certificate authorities.
	CA string `yaml:"ca"`
	// Cert and Key are this client's own certificate; both or neither.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// DefaultConfig has every default; brokers and the client id have none.
func DefaultConfig() Config {
	return Config{
		Connections: 1,
		KeepAlive:   30 * time.Second,
		IdleTimeout: 5 * time.Minute,
		QueueMiB:    8,
	}
}

const maxConnections = 64

// Validate reports every mistake, each starting with its key.
func (c Config) Validate() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	if len(c.Brokers) == 0 {
		wrong("brokers: name at least one, such as tcp://127.0.0.1:1883")
	}
	for i, b := range c.Brokers {
		if _, err := parseBroker(b); err != nil {
			wrong("brokers[%d]: %w", i, err)
		}
	}
	switch {
	case c.ClientID == "":
		wrong("client_id: must not be empty; the broker keeps the session under this name")
	case strings.ContainsFunc(c.ClientID, isControl):
		wrong("client_id: must not contain control characters")
	}
	if c.Password != "" && c.Username == "" {
		wrong("password: needs a username as well")
	}
	if c.Connections < 1 || c.Connections > maxConnections {
		wrong("connections: %d is not within 1 to %d", c.Connections, maxConnections)
	}
	if strings.ContainsAny(c.Share, "/+#") || strings.ContainsFunc(c.Share, isControl) {
		wrong("share: %q must not contain /, + or #", c.Share)
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		wrong("tls: cert and key go together")
	}
	if c.KeepAlive < 5*time.Second || c.KeepAlive > 65535*time.Second {
		wrong("keep_alive: %s is not within 5s to 65535s", c.KeepAlive)
	}
	if c.IdleTimeout < 0 || (c.IdleTimeout > 0 && c.IdleTimeout < time.Second) {
		wrong("idle_timeout: %s is neither 0 (off) nor at least 1s", c.IdleTimeout)
	}
	if c.QueueMiB < 1 || c.QueueMiB > 4096 {
		wrong("queue_mib: %d is not within 1 to 4096", c.QueueMiB)
	}
	return errors.Join(errs...)
}

var defaultPorts = map[string]string{"tcp": "1883", "ssl": "8883", "ws": "80", "wss": "443"}

// parseBroker checks one broker address and fills in the port that is usual for its scheme.
func parseBroker(address string) (*url.URL, error) {
	if !strings.Contains(address, "://") {
		return nil, fmt.Errorf("no scheme in %q; write tcp://%[1]s", address)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("not an address: %w", err)
	}
	port, known := defaultPorts[u.Scheme]
	switch {
	case !known:
		return nil, fmt.Errorf("unknown scheme %q; use tcp, ssl, ws or wss", u.Scheme)
	case u.Hostname() == "":
		return nil, errors.New("no host")
	case u.User != nil:
		return nil, errors.New("put the user and the password under username and password")
	}
	if u.Port() == "" {
		u.Host = strings.TrimSuffix(u.Host, ":") + ":" + port
	}
	if n, err := strconv.Atoi(u.Port()); err != nil || n < 1 || n > 65535 {
		return nil, fmt.Errorf("port %s is not within 1 to 65535", u.Port())
	}
	return u, nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
