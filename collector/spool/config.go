package spool

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is a size in bytes that is written with a unit in configuration:
// "10GiB", "256MiB", "64KiB" or a plain number of bytes.
type Bytes int64

// The binary units.
const (
	KiB Bytes = 1 << 10
	MiB Bytes = 1 << 20
	GiB Bytes = 1 << 30
	TiB Bytes = 1 << 40
)

// units runs from the largest to the smallest, as String needs it.
var units = []struct {
	name string
	size Bytes
}{{"TiB", TiB}, {"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB}, {"B", 1}}

// UnmarshalText reads "10GiB", "256 MiB", "4096B" or "4096".
func (b *Bytes) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	number, scale := s, Bytes(1)
	for _, u := range units {
		if n, ok := strings.CutSuffix(s, u.name); ok {
			number, scale = strings.TrimSpace(n), u.size
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 {
		return fmt.Errorf("%q is not a size; write it like 10GiB, 256MiB, 64KiB or a number of bytes", s)
	}
	if n > math.MaxInt64/int64(scale) {
		return fmt.Errorf("%q is larger than any disk", s)
	}
	*b = Bytes(n) * scale
	return nil
}

// MarshalText writes the size as String does.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// String gives the size in the largest unit that divides it.
func (b Bytes) String() string {
	for _, u := range units {
		if u.size > 1 && b >= u.size && b%u.size == 0 {
			return strconv.FormatInt(int64(b/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// Config is the section `spool:`.
type Config struct {
	// MaxBytes bounds the disk pages that hold undelivered batches, and the
	// states beside them, which take few. At the bound nothing more is accepted until the database has taken some.
	MaxBytes Bytes `yaml:"max_bytes"`
}

// DefaultConfig holds 10 GiB of undelivered readings: about 75 million.
func DefaultConfig() Config { return Config{MaxBytes: 10 * GiB} }

// minMaxBytes keeps room for the largest batch and the hysteresis at the cap.
const minMaxBytes = 8 * MiB

// Validate reports every mistake, each with its key.
func (c Config) Validate() error {
	if c.MaxBytes < minMaxBytes {
		return fmt.Errorf("max_bytes: %s is too small; give at least %s", c.MaxBytes, minMaxBytes)
	}
	return nil
}

// QuarantineConfig is the section `quarantine:`.
type QuarantineConfig struct {
	// MaxBytes bounds what the kept entries weigh (payload, texts and a fixed
	// overhead each). Beyond it the oldest go.
	MaxBytes Bytes `yaml:"max_bytes"`
}

// DefaultQuarantineConfig keeps 256 MiB.
func DefaultQuarantineConfig() QuarantineConfig { return QuarantineConfig{MaxBytes: 256 * MiB} }

// minQuarantineBytes keeps room for a few entries of the longest kept prefix.
const minQuarantineBytes = 1 * MiB

// Validate reports every mistake, each with its key.
func (c QuarantineConfig) Validate() error {
	if c.MaxBytes < minQuarantineBytes {
		return fmt.Errorf("max_bytes: %s is too small; give at least %s", c.MaxBytes, minQuarantineBytes)
	}
	return nil
}

func (o Options) validate() error {
	var errs []error
	if o.Dir == "" {
		errs = append(errs, errors.New("spool: no directory given"))
	}
	if err := o.Config.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("spool: %w", err))
	}
	if err := o.Quarantine.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("quarantine: %w", err))
	}
	return errors.Join(errs...)
}
