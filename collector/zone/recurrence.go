package zone

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// maxRRule bounds the text of a recurrence, and with it the product of its
// lists: FREQ, BYDAY, BYHOUR and BYMINUTE together take far less.
const maxRRule = 256

// maxInterval bounds INTERVAL.
const maxInterval = 1000

// anchorDay is where recurrences begin that say neither DTSTART nor
// valid_from: a Monday, before all there is to know.
var anchorDay = wallTime(time.Date(2001, time.January, 1, 0, 0, 0, 0, time.UTC))

// recurrence is a parsed RFC 5545 rule in the wall time of one city.
type recurrence struct {
	option rrule.ROption // Dtstart and Until are wall times
	fixed  bool          // it begins at Dtstart and not before
}

// rruleKeys are the parts of a rule that a programme may use. The others say
// nothing that one would announce, and the library trips over some of them.
var rruleKeys = []string{
	"DTSTART", "FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYHOUR", "BYMINUTE", "BYSETPOS",
}

// parseRecurrence reads a rule such as "FREQ=DAILY;BYHOUR=17;BYMINUTE=0". Its
// times are those of loc; without a DTSTART its intervals count from
// validFrom, or from a Monday long ago if that is zero.
func parseRecurrence(text string, loc *time.Location, validFrom time.Time) (*recurrence, error) {
	if len(text) > maxRRule {
		return nil, fmt.Errorf("longer than %d characters", maxRRule)
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(text, "RRULE:"), ";") {
		key, _, ok := strings.Cut(part, "=")
		if !ok || !slices.Contains(rruleKeys, key) {
			return nil, fmt.Errorf("%s is no part of a rule; use %s, as in FREQ=DAILY;BYHOUR=17;BYMINUTE=0", excerpt(part), either(rruleKeys))
		}
	}
	o, err := rrule.StrToROptionInLocation(text, loc)
	if err != nil {
		return nil, err
	}
	if err := sane(o); err != nil {
		return nil, err
	}
	if _, err := rrule.NewRRule(*o); err != nil {
		return nil, err
	}
	r := &recurrence{option: *o, fixed: !o.Dtstart.IsZero()}
	switch {
	case r.fixed:
		r.option.Dtstart = onWall(o.Dtstart, loc)
	case !validFrom.IsZero():
		r.option.Dtstart = onWall(validFrom, loc)
		r.onTheHour()
	default:
		r.option.Dtstart = anchorDay
	}
	if !o.Until.IsZero() {
		r.option.Until = onWall(o.Until, loc)
	}
	if r.never() {
		return nil, errors.New("no day of the calendar fits")
	}
	return r, nil
}

// onTheHour keeps the minutes of valid_from, which is no DTSTART, out of a rule
// that names hours alone.
func (r *recurrence) onTheHour() {
	o := &r.option
	if len(o.Byhour) > 0 && len(o.Byminute) == 0 {
		o.Byminute = []int{0}
	}
	if len(o.Byminute) > 0 {
		o.Bysecond = []int{0}
	}
}

// never tells whether no day fits, such as the 30th of February. Since the
// library would look for one up to the year 9999, it is asked about that
// year's century alone; the calendar repeats every 400 years.
func (r *recurrence) never() bool {
	o := r.option
	o.Count, o.Until = 0, time.Time{}
	const last = 9900
	if o.Freq >= rrule.WEEKLY {
		asked := recurrence{option: o}
		o.Dtstart = asked.near(time.Date(last, time.January, 1, 0, 0, 0, 0, time.UTC))
	} else {
		round := 400 * max(1, o.Interval)
		o.Dtstart = o.Dtstart.AddDate((last-o.Dtstart.Year())/round*round, 0, 0)
	}
	rule, err := rrule.NewRRule(o)
	if err != nil {
		return true
	}
	_, found := rule.Iterator()()
	return !found
}

// sane refuses what the library would take and then hang on, or what is never
// meant.
func sane(o *rrule.ROption) error {
	switch {
	case o.Freq > rrule.HOURLY:
		return errors.New("FREQ is YEARLY, MONTHLY, WEEKLY, DAILY or HOURLY here")
	case o.Freq == rrule.HOURLY && len(o.Byhour) > 0:
		return errors.New("BYHOUR goes with FREQ=DAILY, not with HOURLY")
	case o.Interval < 0 || o.Interval > maxInterval:
		return fmt.Errorf("INTERVAL is 1 to %d", maxInterval)
	case o.Count < 0:
		return errors.New("COUNT is 1 or more")
	case !inYears(o.Dtstart) || !inYears(o.Until):
		return errors.New("DTSTART and UNTIL lie between the years 1970 and 2200")
	}
	for _, d := range o.Byweekday {
		if n := d.N(); n < -5 || n > 5 {
			return errors.New("BYDAY counts 1 to 5, or -1 to -5 from the end")
		}
	}
	return nil
}

// inYears tells whether t is one of which days can be counted, or not given.
func inYears(t time.Time) bool { return t.IsZero() || t.Year() >= 1970 && t.Year() <= 2200 }

// starts returns the wall times from "from" to "to", both included, at which
// the rule begins anew.
func (r *recurrence) starts(from, to wallTime) []wallTime {
	o := r.option
	o.Dtstart = r.near(from)
	rule, err := rrule.NewRRule(o)
	if err != nil {
		return nil // parseRecurrence made it already
	}
	next := rule.Iterator()
	var out []wallTime
	for w, ok := next(); ok && !w.After(to); w, ok = next() {
		if !w.Before(from) && (!r.fixed || !w.Before(r.option.Dtstart)) {
			out = append(out, w)
		}
	}
	return out
}

// near shifts DTSTART by whole intervals to the last place before from, so that
// the library need not count on from there, and so that a rule without DTSTART
// knows what began just before it came into force. Rules by month and year,
// whose intervals differ in length, go back by one round of years alone; a COUNT
// counts from DTSTART.
func (r *recurrence) near(from wallTime) wallTime {
	days := max(1, r.option.Interval) // an hourly rule comes round after so many days
	first := r.option.Dtstart
	switch {
	case r.option.Count > 0:
		return first
	case r.option.Freq < rrule.WEEKLY && first.Month() == time.February && first.Day() == 29:
		return first
	case r.option.Freq < rrule.WEEKLY:
		return first.AddDate(-days, 0, 0)
	case r.option.Freq == rrule.WEEKLY:
		days *= 7
	}
	span := time.Duration(days) * 24 * time.Hour
	n := from.Sub(first) / span
	if from.Before(first.Add(n * span)) {
		n--
	}
	return first.Add(n * span)
}
