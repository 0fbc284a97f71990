package email

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"
)

// Config says which server takes the mail.
type Config struct {
	Host string `yaml:"host"`
	Port int    `yaml:"port"`
	// From is the sender: address, or Name <address>.
	From string `yaml:"from"`
	// TLS is starttls (demanded, never given up for plain text), implicit (usually on port 465), or none.
	TLS string `yaml:"tls"`
	// CA is a PEM file that replaces the system's certificate authorities.
	CA       string `yaml:"ca"`
	Username string `yaml:"username"`
	// Password is ${ENV} or file:PATH.
	Password string `yaml:"password"`
	// Timeout bounds the connection with its login, and then each mail.
	Timeout time.Duration `yaml:"timeout"`
}

// The values of Config.TLS.
const (
	StartTLS    = "starttls"
	ImplicitTLS = "implicit"
	NoTLS       = "none"
)

// DefaultConfig has every default. Host and From have none.
func DefaultConfig() Config { return Config{Port: 587, TLS: StartTLS, Timeout: 20 * time.Second} }

// Validate reports every mistake, each beginning with its key.
func (c Config) Validate() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Host == "" || strings.ContainsAny(c.Host, ":/ ") && !strings.Contains(c.Host, "::") {
		wrong("host: give the mail server's name, without a port; got %q", c.Host)
	}
	if c.Port < 1 || c.Port > 65535 {
		wrong("port: %d is not within 1 to 65535", c.Port)
	}
	if _, err := mail.ParseAddress(c.From); err != nil {
		wrong("from: %q is no address; write imdad@example.org or Imdad <imdad@example.org>", c.From)
	}
	switch {
	case c.TLS != StartTLS && c.TLS != ImplicitTLS && c.TLS != NoTLS:
		wrong("tls: unknown value %q; use starttls, implicit or none", c.TLS)
	case c.TLS == NoTLS && c.Username != "":
		wrong("tls: none would send the password in the clear; use starttls or implicit")
	}
	if (c.Username == "") != (c.Password == "") {
		wrong("username: goes together with password")
	}
	if c.Timeout < 100*time.Millisecond || c.Timeout > 5*time.Minute {
		wrong("timeout: %v is out of range; use 100ms to 5m", c.Timeout)
	}
	return errors.Join(errs...)
}

// Check reads the file of authorities and says what is wrong with it.
func (c Config) Check() error {
	_, err := tlsConfig(c)
	return err
}
