package zone

import "time"

// wallTime is a time as the clock on the wall shows it: a time.Time whose
// location, UTC, means nothing. Programmes and shifts are agreed in it, so that
// 17:00 to 07:00 stays so in the night in which the clock is put forward.
type wallTime = time.Time

// onWall is what the clock of loc shows at t.
func onWall(t time.Time, loc *time.Location) wallTime {
	_, offset := t.In(loc).Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// fromWall is when the clock of loc shows w: of two such times one of them, and
// where the clock jumps over w the moment of the jump.
func fromWall(w wallTime, loc *time.Location) time.Time {
	t := time.Date(w.Year(), w.Month(), w.Day(), w.Hour(), w.Minute(), w.Second(), w.Nanosecond(), loc)
	shown := onWall(t, loc)
	if shown.Equal(w) {
		return t
	}
	before, after := t.ZoneBounds()
	if shown.Before(w) {
		return after
	}
	return before
}
