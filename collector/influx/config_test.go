package influx

import (
	"strings"
	"testing"
	"time"
)

func TestDefaultConfigIsValidWithAnAddress(t *testing.T) {
	t.Parallel()
	c := DefaultConfig()
	c.URL, c.Bucket = "http://127.0.0.1:8086", "utility"
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		mutate func(*Config)
		want   string // empty: valid
	}{
		{"with a path", func(c *Config) { c.URL = "https://example.org/influx/" }, ""},
		{"without a token", func(c *Config) { c.Token = "" }, ""},
		{"without an organization", func(c *Config) { c.Org = "" }, ""},
		{"no address", func(c *Config) { c.URL = "" }, "url: missing"},
		{"unreadable address", func(c *Config) { c.URL = "http://[" }, "url: not an address"},
		{"scheme", func(c *Config) { c.URL = "htp://db" }, `url: unknown scheme "htp"; use http or https`},
		{"no scheme", func(c *Config) { c.URL = "127.0.0.1:8086" }, `url: no scheme in "127.0.0.1:8086"; write http://127.0.0.1:8086`},
		{"no host", func(c *Config) { c.URL = "http://:8086" }, "url: no host"},
		{"user in the address", func(c *Config) { c.URL = "http://u:p@db" }, "url: holds a user"},
		{"query in the address", func(c *Config) { c.URL = "http://db?x=1" }, "url: "},
		{"no bucket", func(c *Config) { c.Bucket = "" }, "bucket: missing"},
		{"no batch", func(c *Config) { c.Batch = 0 }, "batch: 0 is out of range; use 1 to 100000"},
		{"huge batch", func(c *Config) { c.Batch = maxBatch + 1 }, "batch: "},
		{"no flush", func(c *Config) { c.Flush = 0 }, "flush: 0s is out of range"},
		{"long flush", func(c *Config) { c.Flush = time.Hour }, "flush: "},
		{"gzip", func(c *Config) { c.Gzip = "yes" }, `gzip: unknown value "yes"; use auto, on or off`},
		{"no requests", func(c *Config) { c.Requests = 0 }, "requests: 0 is out of range; use 1 to 64"},
		{"short timeout", func(c *Config) { c.Timeout = 0 }, "timeout: 0s is out of range"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := testConfig("http://db:8086")
			tt.mutate(&c)
			err := c.Validate()
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)):
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestConfigValidateReportsAll(t *testing.T) {
	t.Parallel()
	err := Config{}.Validate()
	for _, key := range []string{"url: ", "bucket: ", "batch: ", "flush: ", "gzip: ", "requests: ", "timeout: "} {
		if !strings.Contains("\n"+err.Error(), "\n"+key) {
			t.Errorf("nothing about %s", key)
		}
	}
}

func TestGzipAuto(t *testing.T) {
	t.Parallel()
	tests := []struct {
		url, gzip string
		want      bool
	}{
		{"http://127.0.0.1:8086", GzipAuto, false},
		{"http://127.8.8.8:8086", GzipAuto, false},
		{"http://localhost:8086", GzipAuto, false},
		{"http://[::1]:8086", GzipAuto, false},
		{"http://10.0.0.7:8086", GzipAuto, true},
		{"https://db.example.org", GzipAuto, true},
		{"http://127.0.0.1:8086", GzipOn, true},
		{"https://db.example.org", GzipOff, false},
	}
	for _, tt := range tests {
		if got := (Config{URL: tt.url, Gzip: tt.gzip}).compress(); got != tt.want {
			t.Errorf("%s %s: %t", tt.url, tt.gzip, got)
		}
	}
}
