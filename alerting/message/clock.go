package message

import (
	"fmt"
	"time"
)

// at puts a moment into words: the time of day, with the weekday and date where
// that is not today, and the year where that is not this year.
func (s *speaker) at(t time.Time) value { return s.seen(t, s.now) }

// seen is at, as read on the day of today.
func (s *speaker) seen(t, today time.Time) value {
	if t.IsZero() {
		return s.unknown()
	}
	t, today = t.In(s.zone), today.In(s.zone)
	id := "time.year"
	switch {
	case t.Year() == today.Year() && t.YearDay() == today.YearDay():
		id = "time.clock"
	case t.Year() == today.Year():
		id = "time.day"
	}
	text := s.say(id, values{
		"clock":   phrase(t.Format("15:04")),
		"weekday": phrase(s.say(fmt.Sprintf("time.d%d", t.Weekday()), nil)),
		"day":     phrase(t.Format("2")),
		"month":   phrase(s.say(fmt.Sprintf("time.m%d", t.Month()), nil)),
		"year":    phrase(t.Format("2006")),
	}.lookup)
	return value{text: text, known: true}
}

// units of durations, the largest first.
var units = []struct {
	id   string
	unit time.Duration
}{
	{"count.days", 24 * time.Hour},
	{"count.hours", time.Hour},
	{"count.minutes", time.Minute},
	{"count.seconds", time.Second},
}

// lasting puts a duration into words: its largest unit, and of days and hours
// the next one too, if there is any of it. Durations below zero are zero:
// clocks disagree.
func (s *speaker) lasting(d time.Duration) value {
	d = max(d, 0)
	i := 0
	for i < len(units)-1 && d < units[i].unit {
		i++
	}
	words := s.counted(units[i].id, int(d/units[i].unit))
	if i < 2 {
		next := units[i+1]
		if n := int(d % units[i].unit / next.unit); n > 0 {
			words = s.joined("joint.duration", words, s.counted(next.id, n))
		}
	}
	return phrase(words)
}
