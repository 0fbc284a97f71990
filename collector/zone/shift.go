package zone

import "time"

// nearDays is how many days before and after now shifts are looked at. A
// longer holiday has its ends there.
const nearDays = 16

// Work tells whether a plant is in its shift, and from when to when that is
// so: the ends are zero if it always works, and otherwise at most about two
// weeks away.
type Work struct {
	On    bool
	Since time.Time
	Until time.Time
}

// InShift tells where a plant stands in its shifts at t, by the clock of loc.
// Shifts that touch are one. A shift that begins on a holiday is not worked.
// The answer holds from Since until Until and need not be asked for again
// before.
func (p *Plant) InShift(t time.Time, loc *time.Location, holidays []Holiday) Work {
	if len(p.Shifts) == 0 {
		return Work{On: true}
	}
	today := DateOf(t.In(loc)).midnight()
	first, last := today.AddDate(0, 0, -nearDays), today.AddDate(0, 0, nearDays+1)
	var worked []span
	for day := first; day.Before(last); day = day.AddDate(0, 0, 1) {
		if !onHoliday(day, holidays) {
			worked = p.shiftsOf(worked, day, loc)
		}
	}
	near := span{fromWall(first, loc).UnixMilli(), fromWall(last, loc).UnixMilli()}
	bounds, _, on := around(merge(worked), t.UnixMilli())
	bounds = bounds.within(near)
	return Work{on, time.UnixMilli(bounds.start).UTC(), time.UnixMilli(bounds.end).UTC()}
}

// shiftsOf appends the shifts that begin on a day.
func (p *Plant) shiftsOf(dst []span, day wallTime, loc *time.Location) []span {
	for i := range p.Shifts {
		if s := &p.Shifts[i]; s.isOn(Weekday(day.Weekday())) {
			end := s.To
			if end <= s.From {
				end += 24 * 60
			}
			dst = append(dst, span{s.From.on(day, loc), end.on(day, loc)})
		}
	}
	return dst
}

func (s *Shift) isOn(d Weekday) bool {
	for _, day := range s.Days {
		if day == d {
			return true
		}
	}
	return len(s.Days) == 0
}

// on is when the clock of loc shows c on a day, in ms since the epoch.
func (c Clock) on(day wallTime, loc *time.Location) int64 {
	return fromWall(day.Add(time.Duration(c)*time.Minute), loc).UnixMilli()
}

func onHoliday(day wallTime, holidays []Holiday) bool {
	for _, h := range holidays {
		to := h.To
		if to == (Date{}) {
			to = h.From
		}
		if !day.Before(h.From.midnight()) && !day.After(to.midnight()) {
			return true
		}
	}
	return false
}
