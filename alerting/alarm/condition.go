package alarm

import (
	"encoding/json"

	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// phase is where a condition stands between its delays.
type phase uint8

const (
	idle     phase = iota // no condition
	pending               // it holds, the on-delay runs
	standing              // it has held for longer than the on-delay
	clearing              // it is over, the off-delay runs; it still stands
)

// condition follows one condition through its delays. Times are ms since the
// epoch, 0 for never.
//
// A delay is over when now − Start − Lost reaches it. Lost is time that does
// not count: while it is unknown whether the condition holds, the timer stands
// still.
type condition struct {
	Phase   phase `json:"phase,omitempty"`
	Since   int64 `json:"since,omitempty"`   // when the condition began
	Start   int64 `json:"start,omitempty"`   // when the delay that runs began
	Lost    int64 `json:"lost,omitempty"`    // ms of it that do not count
	Stopped int64 `json:"stopped,omitempty"` // since when the timer stands still
	OnMS    int64 `json:"on_ms,omitempty"`
	OffMS   int64 `json:"off_ms,omitempty"`
	// Spent is when a person ended the alarm although the condition may still
	// hold: it raises again only after it was clear, or began anew.
	Spent int64 `json:"spent,omitempty"`

	// After a restart a rule may say of what waits for its on-delay that it began
	// only then: whoever measures it did not live to tell. loaded waits for that
	// word, and given is what stands for Start from then on.
	loaded bool
	given  int64
}

// stands tells whether the condition calls for an alarm.
func (c *condition) stands() bool { return c.Phase == standing || c.Phase == clearing }

// follow moves the condition by what a rule says now; since is when the
// condition began by the rule, 0 for now.
func (c *condition) follow(s rule.State, since, now int64) {
	c.notAfter(now)
	switch s {
	case rule.Raised:
		c.raised(since, now)
	case rule.Held:
		c.held()
	case rule.Clear:
		c.clear(now)
	case rule.Unknown:
		if c.timed() && c.Stopped == 0 {
			c.Stopped = now
		}
	}
}

func (c *condition) timed() bool { return c.Phase == pending || c.Phase == clearing }

// notAfter mends timers after the clock was set back: one that began in the
// future would stand still until then.
func (c *condition) notAfter(now int64) {
	if c.timed() && (c.Start > now || c.Stopped > now) {
		c.Start, c.Lost, c.Stopped = min(c.Start, now), 0, min(c.Stopped, now)
	}
}

func (c *condition) raised(since, now int64) {
	if c.Phase == idle && c.Spent != 0 && since <= c.Spent {
		return
	}
	if since <= 0 || since > now {
		since = now
		if c.Phase == pending {
			since = c.Start // it goes on
		}
	}
	switch c.Phase {
	case clearing:
		c.Phase, c.Start, c.Lost, c.Stopped = standing, 0, 0, 0
	case idle:
		c.Phase, c.Start, c.Lost, c.Spent = pending, since, 0, 0
	case pending:
		if c.loaded || since == c.given {
			c.loaded, c.given = false, since
			since = min(since, c.Start)
		}
		if since > c.Start { // another one began
			c.Lost = 0
			if c.Stopped != 0 {
				c.Stopped = max(c.Stopped, since)
			}
		}
		c.goOn(now)
		c.Start = since
	}
	if c.Phase == pending {
		c.Since = c.Start
		if c.elapsed(now) >= c.OnMS {
			c.Phase, c.Start, c.Lost = standing, 0, 0
		}
	}
}

// held is between the thresholds: what stands, stays, and what only waits for
// its on-delay no longer holds.
func (c *condition) held() {
	switch c.Phase {
	case pending:
		c.end()
	case clearing:
		c.Phase, c.Start, c.Lost, c.Stopped = standing, 0, 0, 0
	}
}

func (c *condition) clear(now int64) {
	c.Spent = 0
	switch c.Phase {
	case pending:
		c.end()
	case standing:
		c.Phase, c.Start, c.Lost, c.Stopped = clearing, now, 0, 0
	case clearing:
		c.goOn(now)
	}
	if c.Phase == clearing && c.elapsed(now) >= c.OffMS {
		c.end()
	}
}

func (c *condition) goOn(now int64) {
	if c.Stopped != 0 {
		c.Lost += max(0, now-c.Stopped)
		c.Stopped = 0
	}
}

func (c *condition) elapsed(now int64) int64 { return now - c.Start - c.Lost }

func (c *condition) end() {
	c.Phase, c.Since, c.Start, c.Lost, c.Stopped, c.loaded, c.given = idle, 0, 0, 0, 0, false, 0
}

// unseen takes ms in which nobody looked out of the off-delay that runs.
func (c *condition) unseen(ms int64) {
	if c.watched() {
		c.Lost += ms
	}
}

// watched tells that an off-delay runs.
func (c *condition) watched() bool { return c.Phase == clearing && c.Stopped == 0 }

// MarshalText writes the phase as a word, for people who open the file.
func (p phase) MarshalText() ([]byte, error) { return []byte(phases[p]), nil }

// UnmarshalText reads what MarshalText has written.
func (p *phase) UnmarshalText(text []byte) error {
	for i, word := range phases {
		if word == string(text) {
			*p = phase(i)
			return nil
		}
	}
	return &json.UnsupportedValueError{Str: "phase " + string(text)}
}

var phases = [...]string{idle: "idle", pending: "pending", standing: "standing", clearing: "clearing"}
