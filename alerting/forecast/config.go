package forecast

import (
	"errors"
	"fmt"
)

// Config is the section `forecast` of the configuration file: what is assumed
// until the plant's own history says otherwise. All are ours†.
type Config struct {
	// DayNoise is by how much a day's consumption differs from the usual of that
	// day, as a share of it (standard deviation).
	DayNoise float64 `yaml:"day_noise"`
	// LevelNoise is by how much a plant's level in general differs from its
	// learned profile.
	LevelNoise float64 `yaml:"level_noise"`
	// DeclaredNoise is the same where nothing is learned yet, and its declared
	// requirement stands in.
	DeclaredNoise float64 `yaml:"declared_noise"`
	// GeneratorLPerKWh is what a diesel generator burns, l/kWh.
	GeneratorLPerKWh float64 `yaml:"generator_l_per_kwh"`
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config {
	return Config{DayNoise: 0.07, LevelNoise: 0.03, DeclaredNoise: 0.5, GeneratorLPerKWh: 0.27}
}

// Validate reports every mistake, each beginning with its key.
func (c Config) Validate() error {
	var errs []error
	check := func(key string, v, least, most float64) {
		if !(v >= least && v <= most) {
			errs = append(errs, fmt.Errorf("%s: %v is out of range; use %v to %v", key, v, least, most))
		}
	}
	check("day_noise", c.DayNoise, 0.01, 1)
	check("level_noise", c.LevelNoise, 0.01, 1)
	check("declared_noise", c.DeclaredNoise, 0.05, 2)
	check("generator_l_per_kwh", c.GeneratorLPerKWh, 0.15, 0.6)
	return errors.Join(errs...)
}
