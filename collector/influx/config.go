package influx

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// Config is the section `influx` of the configuration file.
type Config struct {
	// URL is the server's base address: http or https, with or without a path.
	URL string `yaml:"url"`
	// Org is the organization of InfluxDB 2; 1.8 ignores it.
	Org string `yaml:"org"`
	// Bucket is the bucket of InfluxDB 2, or `database` or `database/policy` of 1.8.
	Bucket string `yaml:"bucket"`
	// Token is the API token of InfluxDB 2, or `user:password` of 1.8; empty
	// where the server asks for none.
	Token string `yaml:"token"`
	// Create makes the database or bucket, and the named policy, when missing.
	Create bool `yaml:"create"`
	// Batch is the greatest number of lines in a request.
	Batch int `yaml:"batch"`
	// Flush is how long a line waits for others before it is sent.
	Flush time.Duration `yaml:"flush"`
	// Gzip compresses requests: `on`, `off`, or `auto`, which is off for a
	// server on this machine, where it only costs CPU, and on for any other.
	Gzip string `yaml:"gzip"`
	// Requests is how many requests are under way at once.
	Requests int `yaml:"requests"`
	// Timeout bounds a request, from the connection to the answer.
	Timeout time.Duration `yaml:"timeout"`
}

// The values of Config.Gzip.
const (
	GzipAuto = "auto"
	GzipOn   = "on"
	GzipOff  = "off"
)

// Bounds of the configuration. A batch of 100,000 lines is about 15 MB; the
// servers' default limit of a request is 25 MB.
const (
	maxBatch    = 100_000
	maxRequests = 64
)

// DefaultConfig returns the defaults. URL and Bucket have none.
func DefaultConfig() Config {
	return Config{
		Batch:    5000,
		Flush:    time.Second,
		Gzip:     GzipAuto,
		Requests: 2,
		Timeout:  30 * time.Second,
	}
}

// Validate reports every mistake, each beginning with its key.
func (c Config) Validate() error {
	return errors.Join(
		c.validateURL(),
		check(c.Bucket != "", "bucket: missing; name the bucket, or database or database/policy of InfluxDB 1.8"),
		check(c.Batch >= 1 && c.Batch <= maxBatch, "batch: %d is out of range; use 1 to %d", c.Batch, maxBatch),
		check(c.Flush > 0 && c.Flush <= time.Minute, "flush: %v is out of range; use a time above 0 and up to 1m", c.Flush),
		check(c.Gzip == GzipAuto || c.Gzip == GzipOn || c.Gzip == GzipOff, "gzip: unknown value %q; use auto, on or off", c.Gzip),
		check(c.Requests >= 1 && c.Requests <= maxRequests, "requests: %d is out of range; use 1 to %d", c.Requests, maxRequests),
		check(c.Timeout >= 100*time.Millisecond && c.Timeout <= 10*time.Minute, "timeout: %v is out of range; use 100ms to 10m", c.Timeout),
	)
}

func (c Config) validateURL() error {
	if c.URL == "" {
		return errors.New(`url: missing; give the server's address, like "http://127.0.0.1:8086"`)
	}
	u, err := url.Parse(c.URL)
	switch {
	case !strings.Contains(c.URL, "://"):
		return fmt.Errorf("url: no scheme in %q; write http://%[1]s", c.URL)
	case err != nil:
		return fmt.Errorf("url: not an address: %w", err)
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("url: unknown scheme %q; use http or https", u.Scheme)
	case u.Hostname() == "":
		return fmt.Errorf("url: no host in %q", c.URL)
	case u.User != nil:
		return errors.New("url: holds a user; put user:password into token")
	case u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("url: %q must end with the path", c.URL)
	}
	return nil
}

// compress settles `auto`.
func (c Config) compress() bool {
	if c.Gzip != GzipAuto {
		return c.Gzip == GzipOn
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		return false
	}
	host := u.Hostname()
	return host != "localhost" && !net.ParseIP(host).IsLoopback()
}

func check(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}
