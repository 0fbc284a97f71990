package metersim

import (
	"fmt"
	"strings"
	"time"
)

// When is a time in a scenario: after its start ("+90m", "-2h"), in the city's
// local time ("2026-11-23T08:00"), or absolute (RFC 3339). The zero When is
// none.
type When struct {
	after    time.Duration
	relative bool
	local    bool
	at       time.Time
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (w *When) UnmarshalText(text []byte) error {
	s := string(text)
	if strings.HasPrefix(s, "+") || strings.HasPrefix(s, "-") {
		d, err := time.ParseDuration(s)
		if err != nil {
			return fmt.Errorf("%q is no time after the start; write +90m or -2h", s)
		}
		*w = When{after: d, relative: true}
		return nil
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			*w = When{at: t, local: true}
			return nil
		}
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return fmt.Errorf("%q is no time; write +90m, 2026-11-23T08:00 (local) or 2026-11-23T08:00:00+03:00", s)
	}
	*w = When{at: t}
	return nil
}

// IsZero tells whether there is no time.
func (w When) IsZero() bool { return !w.relative && w.at.IsZero() }

// in returns the time in a scenario that starts at start in a city at loc; the
// zero time for none.
func (w When) in(start time.Time, loc *time.Location) time.Time {
	switch {
	case w.IsZero():
		return time.Time{}
	case w.relative:
		return start.Add(w.after)
	case w.local:
		t := w.at
		return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, loc)
	}
	return w.at
}
