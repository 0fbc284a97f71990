package alertmanager

import (
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Config says where the Alertmanagers are.
type Config struct {
	// URLs are the instances' addresses, without /api/v2.
	URLs []string `yaml:"urls"`
	// Resend is how often standing alarms are sent again.
	Resend time.Duration `yaml:"resend"`
	// Console is the address of the console, which alerts link back to; empty: no link.
	Console string        `yaml:"console"`
	Timeout time.Duration `yaml:"timeout"`
}

// DefaultConfig has every default. URLs has none.
func DefaultConfig() Config {
	return Config{Resend: time.Minute, Timeout: 10 * time.Second}
}

// Validate reports every mistake, each beginning with its key.
func (c Config) Validate() error {
	var errs []error
	if len(c.URLs) == 0 {
		errs = append(errs, errors.New(`urls: name at least one, such as "http://127.0.0.1:9093"`))
	}
	for i, address := range c.URLs {
		errs = append(errs, checkURL(fmt.Sprintf("urls[%d]", i), address))
	}
	if c.Console != "" {
		errs = append(errs, checkURL("console", c.Console))
	}
	if c.Resend < time.Second || c.Resend > time.Minute {
		errs = append(errs, fmt.Errorf("resend: %v is out of range; use 1s to 1m", c.Resend))
	}
	if c.Timeout < 100*time.Millisecond || c.Timeout > time.Minute {
		errs = append(errs, fmt.Errorf("timeout: %v is out of range; use 100ms to 1m", c.Timeout))
	}
	return errors.Join(errs...)
}

func checkURL(key, address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("%s: not an address", key)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%s: give an address that begins with http:// or https:// and ends with the path", key)
	}
	return nil
}
