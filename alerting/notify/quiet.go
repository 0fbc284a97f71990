package notify

import (
	"slices"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// Quiet is when a person is not to be disturbed, in local time: what comes
// then waits and leaves as one digest when it is over. A stretch that ends at
// or before its start runs past midnight; its days are those on which it begins.
type Quiet struct {
	From zone.Clock     `yaml:"from"`
	To   zone.Clock     `yaml:"to"`
	Days []zone.Weekday `yaml:"days"` // none: every day
	// Except are the severities that disturb all the same; default critical and high.
	Except []rule.Severity `yaml:"except"`
}

func (q Quiet) none() bool { return q.From == q.To }

// disturbs tells whether an alarm so severe leaves in quiet hours too.
func (q Quiet) disturbs(s rule.Severity) bool {
	if q.Except == nil {
		return s >= rule.High
	}
	return slices.Contains(q.Except, s)
}

// until returns when the quiet hours that now lies in end; zero: it lies in none.
func (q Quiet) until(now time.Time, loc *time.Location) time.Time {
	if q.none() {
		return time.Time{}
	}
	local := now.In(loc)
	for _, back := range []int{0, 1} {
		day := local.AddDate(0, 0, -back)
		if len(q.Days) > 0 && !slices.Contains(q.Days, zone.Weekday(day.Weekday())) {
			continue
		}
		from, to := at(day, q.From), at(day, q.To)
		if q.To <= q.From {
			to = at(day.AddDate(0, 0, 1), q.To)
		}
		if !now.Before(from) && now.Before(to) {
			return to
		}
	}
	return time.Time{}
}

// at is a time of day on the day of t, in t's location.
func at(t time.Time, c zone.Clock) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, int(c), 0, 0, t.Location())
}

func (v *checker) quiet(path string, q Quiet) {
	if q.none() && (q.From != 0 || len(q.Days)+len(q.Except) > 0) {
		v.add(path+".to", "is the same as from; give a stretch of the day")
	}
}
