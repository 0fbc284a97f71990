package alerting

import (
	"strings"
	"testing"
	"time"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		mutate func(*Config)
		says   string // empty: right
	}{
		{"the defaults", func(*Config) {}, ""},
		{"an address", func(c *Config) { c.PublicURL = "https://imdad.example/office" }, ""},
		{"no such notices", func(c *Config) { c.Upcoming = 0 }, ""},
		{"too often", func(c *Config) { c.Interval = time.Millisecond }, "interval: 1ms; use 10ms to 1m"},
		{"too early", func(c *Config) { c.Upcoming = 25 * time.Hour }, "upcoming: 25h0m0s; use 0s (no such notices) to 24h"},
		{"no scheme", func(c *Config) { c.PublicURL = "imdad.example" }, `public_url: "imdad.example" is no address`},
		{"a query", func(c *Config) { c.PublicURL = "https://imdad.example/?x=1" }, "public_url: "},
		{"not for a browser", func(c *Config) { c.PublicURL = "ftp://imdad.example" }, "public_url: "},
	} {
		config := DefaultConfig()
		c.mutate(&config)
		err := config.Validate()
		if (err == nil) != (c.says == "") || err != nil && !strings.HasPrefix(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
	}
}
