package live

import (
	"errors"
	"fmt"
	"time"
)

// Config is the section `metrics` of the configuration file: what is exported
// per meter.
type Config struct {
	// Meters switches /metrics/meters on: one series a register.
	Meters bool `yaml:"meters"`
	// MaxSeries bounds the series there; the rest is left out and counted.
	MaxSeries int `yaml:"max_series"`
	// Expire is the silence after which a meter's series end.
	Expire time.Duration `yaml:"expire"`
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config { return Config{MaxSeries: 50_000, Expire: 15 * time.Minute} }

// Validate reports every mistake, each beginning with its key.
func (c Config) Validate() error {
	var errs []error
	if c.MaxSeries < 1 {
		errs = append(errs, fmt.Errorf("max_series: %d; use at least 1", c.MaxSeries))
	}
	if c.Expire < time.Second {
		errs = append(errs, fmt.Errorf("expire: %v is too short; use at least 1s", c.Expire))
	}
	return errors.Join(errs...)
}
