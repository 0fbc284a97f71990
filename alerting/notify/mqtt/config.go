package mqtt

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"
)

// Config says where the broker is. It may be the one that the meters use.
type Config struct {
	// Brokers are addresses of one broker or of one cluster, tried in this order: tcp://host:port, ssl://host:port,
	// ws://host:port/path or wss://host:port/path.
	Brokers []string `yaml:"brokers"`
	// ClientID must differ from the collector's: brokers end the older of two connections with one id.
	ClientID string `yaml:"client_id"`
	Username string `yaml:"username"`
	// Password is ${ENV} or file:PATH.
	Password string `yaml:"password"`
	TLS      TLS    `yaml:"tls"`
	// Timeout bounds connecting, and the wait for the broker's acknowledgement.
	Timeout time.Duration `yaml:"timeout"`
}

// TLS are the PEM files for ssl:// and wss:// brokers. They are read again at each connect.
type TLS struct {
	// CA replaces the system's certificate authorities.
	CA string `yaml:"ca"`
	// Cert and Key are this client's own certificate; both or neither.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// DefaultConfig has every default. Brokers has none.
func DefaultConfig() Config { return Config{ClientID: "imdad-alarms", Timeout: 10 * time.Second} }

// Validate reports every mistake, each beginning with its key.
func (c Config) Validate() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if len(c.Brokers) == 0 {
		wrong("brokers: name at least one, such as tcp://127.0.0.1:1883")
	}
	for i, b := range c.Brokers {
		if err := checkBroker(b); err != nil {
			wrong("brokers[%d]: %w", i, err)
		}
	}
	if c.ClientID == "" {
		wrong("client_id: must not be empty")
	}
	if c.Password != "" && c.Username == "" {
		wrong("password: needs a username as well")
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		wrong("tls: cert and key go together")
	}
	if c.Timeout < 100*time.Millisecond || c.Timeout > time.Minute {
		wrong("timeout: %v is out of range; use 100ms to 1m", c.Timeout)
	}
	return errors.Join(errs...)
}

func checkBroker(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return errors.New("not an address")
	}
	switch u.Scheme {
	case "tcp", "ssl", "ws", "wss":
	default:
		return fmt.Errorf("unknown scheme %q; use tcp, ssl, ws or wss", u.Scheme)
	}
	switch {
	case u.User != nil:
		return errors.New("put the user and the password under username and password")
	case u.Hostname() == "":
		return errors.New("no host")
	case u.Port() == "":
		return fmt.Errorf("no port; write %s://%s:1883, or whatever port it listens on", u.Scheme, u.Host)
	}
	return nil
}

// Check reads the files and says what is wrong with them.
func (t TLS) Check() error {
	_, err := t.load()
	return err
}

// load reads the files, so that renewed certificates count from the next connect on.
func (t TLS) load() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("read tls.ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read tls.ca: no certificate in %s", t.CA)
		}
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("read tls.cert and tls.key: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
