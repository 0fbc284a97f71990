package notify

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Config is the file of people: who there is, who hears of what over which
// channel, and who is called when nobody answers.
type Config struct {
	People      []Person     `yaml:"people"`
	Routes      []Route      `yaml:"routes"` // none: as the catalogue addresses them
	Escalations []Escalation `yaml:"escalations"`
	Pace        Pace         `yaml:"pace"`
	// LinkSecret signs the links in notices; empty: a random key, kept in the
	// file notify.key of the data directory. In the file it may be ${ENV} or
	// file:PATH; New wants what these stand for.
	LinkSecret string `yaml:"link_secret"`
	// LinkValid is how long a link in a notice works.
	LinkValid time.Duration `yaml:"link_valid"`
	// Keep is how long notices that have left stay in the outbox.
	Keep time.Duration `yaml:"keep"`
}

// Pace bounds how many notices one person gets. Each takes a token from a bucket
// of Burst that gets one more each Every. Critical alarms have Critical tokens
// besides, which come back one each 6 × Every. In any hour that makes at most
// Burst + 5 + Critical notices, 10 by the defaults, as DOMAIN.md §4 and §5 ask.
type Pace struct {
	Every    time.Duration `yaml:"every"`
	Burst    int           `yaml:"burst"`
	Critical int           `yaml:"critical"`
	// Flood is the number of alarms within Every above which a person gets
	// digests only, one each Every, until fewer than Calm came within Every.
	Flood int `yaml:"flood"`
	Calm  int `yaml:"calm"`
}

// DefaultConfig returns the defaults: nobody, and the routes of the catalogue.
func DefaultConfig() Config {
	return Config{
		Pace:      Pace{Every: 10 * time.Minute, Burst: 3, Critical: 2, Flood: 10, Calm: 5},
		LinkValid: 24 * time.Hour,
		Keep:      30 * 24 * time.Hour,
	}
}

// Validate reports every mistake that can be seen without the registry and
// the channels, each beginning with its key. See Check for the others.
func (c Config) Validate() error {
	v := &checker{}
	v.people(c.People)
	for i, r := range c.Routes {
		v.route(fmt.Sprintf("routes[%d]", i), r, c.Routes[:i])
	}
	for i := range c.Escalations {
		v.escalation(i, c)
	}
	v.pace(c.Pace)
	v.span("link_valid", c.LinkValid, time.Minute, 30*24*time.Hour)
	v.span("keep", c.Keep, time.Hour, 10*365*24*time.Hour)
	if c.LinkSecret != "" && !refers(c.LinkSecret) {
		v.errs = append(v.errs, CheckSecret(c.LinkSecret))
	}
	return errors.Join(v.errs...)
}

// CheckSecret tells what is wrong with what a LinkSecret stands for.
func CheckSecret(value string) error {
	if n := len(value); n < minSecret {
		return fmt.Errorf("link_secret: %d characters are too few to sign with; give %d or more", n, minSecret)
	}
	return nil
}

// refers tells whether a secret is elsewhere, so that its length is not known.
func refers(secret string) bool {
	return strings.HasPrefix(secret, "${") || strings.HasPrefix(secret, "file:")
}

func (v *checker) pace(p Pace) {
	v.span("pace.every", p.Every, time.Second, 24*time.Hour)
	v.number("pace.burst", p.Burst, 1, 100)
	v.number("pace.critical", p.Critical, 0, 100)
	v.number("pace.flood", p.Flood, 1, 1000)
	v.number("pace.calm", p.Calm, 1, p.Flood)
}

// Span is a duration that may be given in days and weeks: 12h, 1d, 1w.
type Span time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Span) UnmarshalText(text []byte) error {
	var n int
	var unit string
	if got, err := fmt.Sscanf(string(text), "%d%s", &n, &unit); err == nil && got == 2 && n > 0 && n < 1000 {
		switch unit {
		case "d":
			*s = Span(time.Duration(n) * 24 * time.Hour)
			return nil
		case "w":
			*s = Span(time.Duration(n) * 7 * 24 * time.Hour)
			return nil
		}
	}
	d, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no duration; write 12h, 1d or 1w", text)
	}
	*s = Span(d)
	return nil
}
