package webhook

import (
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Config says where to post.
type Config struct {
	// URL is the receiver's address: http or https.
	URL string `yaml:"url"`
	// Secret signs each request: ${ENV} or file:PATH.
	Secret  string        `yaml:"secret"`
	Timeout time.Duration `yaml:"timeout"`
}

// DefaultConfig has every default. URL and Secret have none.
func DefaultConfig() Config { return Config{Timeout: 15 * time.Second} }

// Validate reports every mistake, each beginning with its key.
func (c Config) Validate() error {
	var errs []error
	u, err := url.Parse(c.URL)
	switch {
	case c.URL == "":
		errs = append(errs, errors.New("url: missing; give the receiver's address"))
	case err != nil:
		errs = append(errs, errors.New("url: not an address"))
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		errs = append(errs, errors.New("url: give an address that begins with http:// or https:// and a host"))
	}
	if c.Secret == "" {
		errs = append(errs, errors.New("secret: missing; the receiver can trust signed requests only"))
	}
	if c.Timeout < 100*time.Millisecond || c.Timeout > 5*time.Minute {
		errs = append(errs, fmt.Errorf("timeout: %v is out of range; use 100ms to 5m", c.Timeout))
	}
	return errors.Join(errs...)
}
