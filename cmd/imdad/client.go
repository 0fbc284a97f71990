package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/console"
)

// apiFlags say where the service is and who speaks.
type apiFlags struct {
	Config   string `placeholder:"FILE" help:"The configuration file of the service, which says where it listens."`
	URL      string `placeholder:"URL" help:"Where the service is, if not where its configuration says: behind a proxy, with TLS, on a free port."`
	User     string `placeholder:"NAME" help:"User name, where the service asks for one (http.web_config)."`
	Password string `env:"IMDAD_PASSWORD" placeholder:"TEXT" help:"Its password; better given in the environment."`
}

// base is the service's address.
func (f apiFlags) base() (string, error) {
	switch {
	case f.URL != "":
		u, err := url.Parse(f.URL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return "", fmt.Errorf("--url: %q is no address; write http://HOST:PORT", f.URL)
		}
		return strings.TrimSuffix(f.URL, "/"), nil
	case f.Config == "":
		return "", errors.New("where is the service? give --config FILE or --url URL")
	}
	c, _, err := loadConfig(f.Config)
	if err != nil {
		return "", err
	}
	return c.HTTP.address()
}

// address is where a service with this configuration is reached from its own
// machine.
func (c httpConfig) address() (string, error) {
	host, port, err := net.SplitHostPort(c.Listen)
	switch {
	case err != nil:
		return "", fmt.Errorf("http.listen: %w", err)
	case port == "0":
		return "", errors.New("http.listen has port 0, so that only the service knows where it listens; give --url")
	case host == "" || host == "0.0.0.0" || host == "::":
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}

const (
	apiTimeout = 15 * time.Second // of one request: people wait for it
	maxAnswer  = 64 << 20         // bytes
)

// call asks the service and decodes its answer into out. What the service
// refuses is a refusal.
func (f apiFlags) call(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	r, err := f.request(ctx, method, path, in)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("ask the service: %w; is it running?", err)
	}
	defer func() { _ = answer.Body.Close() }() // read to its end or given up
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the service's answer: %w", err)
	}
	if answer.StatusCode >= 300 {
		return refusal{explain(answer.StatusCode, text)}
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("understand the service's answer: %w", err)
	}
	return nil
}

func (f apiFlags) request(ctx context.Context, method, path string, in any) (*http.Request, error) {
	base, err := f.base()
	if err != nil {
		return nil, err
	}
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("write the request: %w", err)
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, base+path, body)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", console.CommandLine+version)
	if f.User != "" {
		r.SetBasicAuth(f.User, f.Password)
	}
	return r, nil
}

// refusal is a service's no, in its own words.
type refusal struct{ text string }

func (r refusal) Error() string { return "the service refuses: " + r.text }

// explain is what the service says is wrong.
func explain(code int, body []byte) string {
	var problem struct {
		Detail string `json:"detail"`
		Errors []struct {
			Message  string `json:"message"`
			Location string `json:"location"`
		} `json:"errors"`
	}
	if code == http.StatusUnauthorized {
		return "it asks for a user; give --user NAME and its password in IMDAD_PASSWORD"
	}
	if json.Unmarshal(body, &problem) != nil || problem.Detail == "" {
		first, _, _ := strings.Cut(strings.TrimSpace(string(body)), "\n")
		return strings.TrimSpace(fmt.Sprintf("%d %s %.200q", code, http.StatusText(code), first))
	}
	text := problem.Detail
	for _, e := range problem.Errors {
		text += "; " + strings.TrimSpace(e.Location+" "+e.Message)
	}
	return text
}
