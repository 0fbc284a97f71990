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

// SupplyConfig is the section `supply` of the configuration file: how what is
// delivered is held against what is required.
type SupplyConfig struct {
	// UnknownShare is the share of a sum that may be unknown before the sum is.
	UnknownShare float64 `yaml:"unknown_share"`
}

// DefaultSupplyConfig returns the defaults.
func DefaultSupplyConfig() SupplyConfig { return SupplyConfig{UnknownShare: 0.2} }

// Validate reports every mistake, each beginning with its key.
func (c SupplyConfig) Validate() error {
	if !(c.UnknownShare >= 0 && c.UnknownShare < 1) {
		return fmt.Errorf("unknown_share: %v; use a share of at least 0 and below 1", c.UnknownShare)
	}
	return nil
}
