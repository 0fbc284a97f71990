package alarm

import (
	"errors"
	"fmt"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// Config is the section `alarms` of the configuration file.
type Config struct {
	// Remind is the re-alarm time: after how long an alarm that nobody has
	// acknowledged is announced again.
	Remind Reminders `yaml:"remind"`
	// AfterCause is how long an alarm stays suppressed after its cause is over,
	// unless its own on-delay is longer: plants take a while to come back.
	AfterCause time.Duration `yaml:"after_cause"`
	// MaxShelve bounds a shelving.
	MaxShelve time.Duration `yaml:"max_shelve"`
	// Keep is how long transitions stay in the journal.
	Keep time.Duration `yaml:"keep"`
}

// Reminders is a time for each severity; 0: never.
type Reminders struct {
	Critical time.Duration `yaml:"critical"`
	High     time.Duration `yaml:"high"`
	Medium   time.Duration `yaml:"medium"`
	Low      time.Duration `yaml:"low"`
}

// Bounds of the configuration. DOMAIN.md §4 asks for shelvings of at most 8 h.
const (
	day       = 24 * time.Hour
	maxShelve = 8 * time.Hour
	minKeep   = day
	maxKeep   = 3660 * day
)

// DefaultConfig reminds of critical alarms every 10 minutes, of high ones every
// half hour, of medium ones every 4 hours, and keeps the journal for 400 days:
// a year and the month that is reported on.
func DefaultConfig() Config {
	return Config{
		Remind:     Reminders{Critical: 10 * time.Minute, High: 30 * time.Minute, Medium: 4 * time.Hour},
		AfterCause: time.Minute,
		MaxShelve:  maxShelve,
		Keep:       400 * day,
	}
}

// Validate reports every mistake, each beginning with its key.
func (c Config) Validate() error {
	var errs []error
	check := func(key string, value, least, most time.Duration, hint string) {
		if value < least || value > most {
			errs = append(errs, fmt.Errorf("%s: %v is out of range; use %s", key, value, hint))
		}
	}
	remind := func(key string, value time.Duration) {
		if value != 0 {
			check("remind."+key, value, time.Minute, 7*day, "0s (never), or 1m to 168h")
		}
	}
	remind("critical", c.Remind.Critical)
	remind("high", c.Remind.High)
	remind("medium", c.Remind.Medium)
	remind("low", c.Remind.Low)
	check("after_cause", c.AfterCause, 0, time.Hour, "0s to 1h")
	check("max_shelve", c.MaxShelve, time.Minute, maxShelve, "1m to 8h")
	check("keep", c.Keep, minKeep, maxKeep, "24h to 87840h (ten years)")
	return errors.Join(errs...)
}

// of returns the re-alarm time of a severity in ms.
func (r Reminders) of(s rule.Severity) int64 {
	return [...]time.Duration{r.Low, r.Low, r.Medium, r.High, r.Critical}[min(s, rule.Critical)].Milliseconds()
}
