package zone

import (
	"fmt"
	"slices"
	"time"
)

// Clock is a local time of day, in minutes after midnight, written 07:30.
// 24:00 is the end of the day.
type Clock int

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Clock) UnmarshalText(text []byte) error {
	var h, m int
	if n, err := fmt.Sscanf(string(text), "%d:%d", &h, &m); n != 2 || err != nil || len(text) != 5 ||
		h < 0 || m < 0 || m > 59 || h*60+m > 24*60 {
		return fmt.Errorf("%q is no time of day; write 07:30", text)
	}
	*c = Clock(h*60 + m)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (c Clock) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%02d:%02d", c/60, c%60), nil }

// Weekday is a day of the week, written sun to sat.
type Weekday time.Weekday

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Weekday) UnmarshalText(text []byte) error {
	i := slices.Index(weekdays, string(text))
	if i < 0 {
		return fmt.Errorf("%q is no weekday; use sun, mon, tue, wed, thu, fri or sat", text)
	}
	*d = Weekday(i)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (d Weekday) MarshalText() ([]byte, error) { return []byte(weekdays[d]), nil }

// Date is a local day, written 2026-11-23. The zero Date is none.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Date) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return fmt.Errorf("%q is no day; write 2026-11-23", text)
	}
	*d = DateOf(t)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (d Date) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%04d-%02d-%02d", d.Year, d.Month, d.Day), nil
}

// DateOf returns the day of t in t's own location.
func DateOf(t time.Time) Date {
	var d Date
	d.Year, d.Month, d.Day = t.Date()
	return d
}

// midnight is the beginning of d on the clock on the wall.
func (d Date) midnight() wallTime { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }
