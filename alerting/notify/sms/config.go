package sms

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"
)

// Config describes a gateway.
type Config struct {
	// Method is POST, PUT or GET.
	Method string `yaml:"method"`
	// URL, the values of Headers and Body are templates over .To, .Text, .ID (the same at every attempt), .Secret and
	// .SevenBits (whether the GSM alphabet has every character), with the functions json, query, path, digits (of a
	// phone number, without its +) and ucs2 (UTF-16 in hexadecimal digits).
	URL     string            `yaml:"url"`
	Headers map[string]string `yaml:"headers"`
	Body    string            `yaml:"body"`
	// ContentType is of the body.
	ContentType string `yaml:"content_type"`
	// Secret is what .Secret stands for: ${ENV} or file:PATH.
	Secret string `yaml:"secret"`
	// Success is a regular expression that the answer of a gateway must match if it says 200 to everything; Refused is
	// one that tells of a message that it will never take. Empty: the status decides.
	Success string `yaml:"success"`
	Refused string `yaml:"refused"`
	// Retry are further statuses that ask for patience, of a gateway that says 400 or 403 when it means 503.
	Retry []int `yaml:"retry"`
	// MaxSegments is how many parts a message may have; the rest is cut.
	MaxSegments int           `yaml:"max_segments"`
	Timeout     time.Duration `yaml:"timeout"`
}

// maxSegments is what the header of a part can count to, and far beyond what anybody wants to pay.
const maxSegments = 255

// DefaultConfig has every default. URL has none.
func DefaultConfig() Config {
	return Config{
		Method:      http.MethodPost,
		ContentType: "application/json",
		Body:        `{"to": {{json .To}}, "text": {{json .Text}}, "id": {{json .ID}}}`,
		MaxSegments: 3,
		Timeout:     15 * time.Second,
	}
}

// Validate reports every mistake, each beginning with its key.
func (c Config) Validate() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	methods := []string{http.MethodPost, http.MethodPut, http.MethodGet}
	if !slices.Contains(methods, c.Method) {
		wrong("method: unknown value %q; use POST, PUT or GET", c.Method)
	}
	if c.Method == http.MethodGet && c.Body != "" {
		wrong("body: a GET has none; put everything into url and leave body empty")
	}
	if _, err := c.compile(); err != nil {
		errs = append(errs, err)
	}
	for key, expression := range map[string]string{"success": c.Success, "refused": c.Refused} {
		if _, err := regexp.Compile(expression); err != nil {
			wrong("%s: %w", key, err)
		}
	}
	for i, status := range c.Retry {
		if status < 300 || status > 599 {
			wrong("retry[%d]: %d is no status of an error; use 300 to 599", i, status)
		}
	}
	if c.MaxSegments < 1 || c.MaxSegments > maxSegments {
		wrong("max_segments: %d is out of range; use 1 to %d", c.MaxSegments, maxSegments)
	}
	if c.Timeout < 100*time.Millisecond || c.Timeout > 5*time.Minute {
		wrong("timeout: %v is out of range; use 100ms to 5m", c.Timeout)
	}
	return errors.Join(errs...)
}
