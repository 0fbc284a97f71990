package telegram

import (
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Config says which bot speaks.
type Config struct {
	// Token is the bot's: ${ENV} or file:PATH.
	Token string `yaml:"token"`
	// API is the server: Telegram's, or one's own Bot API server.
	API string `yaml:"api"`
	// Poll is how long a request for answers waits for one.
	Poll    time.Duration `yaml:"poll"`
	Timeout time.Duration `yaml:"timeout"`
}

// DefaultConfig has every default. Token has none.
func DefaultConfig() Config {
	return Config{API: "https://api.telegram.org", Poll: 50 * time.Second, Timeout: 15 * time.Second}
}

// Validate reports every mistake, each beginning with its key.
func (c Config) Validate() error {
	var errs []error
	if c.Token == "" {
		errs = append(errs, errors.New("token: missing; BotFather gives one for each bot"))
	}
	if u, err := url.Parse(c.API); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" {
		errs = append(errs, errors.New("api: give an address that begins with https:// and ends with the path"))
	}
	if c.Poll < time.Second || c.Poll > 10*time.Minute {
		errs = append(errs, fmt.Errorf("poll: %v is out of range; use 1s to 10m", c.Poll))
	}
	if c.Timeout < 100*time.Millisecond || c.Timeout > 5*time.Minute {
		errs = append(errs, fmt.Errorf("timeout: %v is out of range; use 100ms to 5m", c.Timeout))
	}
	return errors.Join(errs...)
}
