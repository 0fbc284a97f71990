package alerting

import (
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Config is the section `alerting` of the configuration file.
type Config struct {
	// Interval is the time between two evaluations. A cycle that takes long
	// stretches it, so that alerting never uses more than a quarter of a core.
	Interval time.Duration `yaml:"interval"`
	// Upcoming is how long before a planned cut the notice of it leaves.
	Upcoming time.Duration `yaml:"upcoming"`
	// PublicURL is where people reach the service, for links in notices;
	// empty: notices have no links.
	PublicURL string `yaml:"public_url"`
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config {
	return Config{Interval: 250 * time.Millisecond, Upcoming: time.Hour}
}

// Validate reports every mistake, each beginning with its key.
func (c Config) Validate() error {
	var errs []error
	if c.Interval < 10*time.Millisecond || c.Interval > time.Minute {
		errs = append(errs, fmt.Errorf("interval: %v; use 10ms to 1m", c.Interval))
	}
	if c.Upcoming < 0 || c.Upcoming > 24*time.Hour {
		errs = append(errs, fmt.Errorf("upcoming: %v; use 0s (no such notices) to 24h", c.Upcoming))
	}
	if u, err := url.Parse(c.PublicURL); c.PublicURL != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "") {
		errs = append(errs, fmt.Errorf("public_url: %q is no address; write https://HOST, or http://HOST:PORT", c.PublicURL))
	}
	return errors.Join(errs...)
}
