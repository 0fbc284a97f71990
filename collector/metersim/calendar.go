package metersim

import (
	"math"
	"time"
)

// moment is one time as the people of a city live it. The profiles of seasons,
// weekends and Ramadan are ours: plausible, not measured.
type moment struct {
	ms      int64   // milliseconds since the epoch
	hour    float64 // local time of day, 0 to 24
	weekday time.Weekday
	ramadan bool
	summer  float64 // 0 in the coldest weeks, 1 in the hottest
	ambient float64 // air, °C
}

func newMoment(ms int64, loc *time.Location) moment {
	t := time.UnixMilli(ms).In(loc)
	seconds := t.Hour()*3600 + t.Minute()*60 + t.Second()
	m := moment{
		ms:      ms,
		hour:    float64(seconds) / 3600,
		weekday: t.Weekday(),
		ramadan: ramadan(t),
		summer:  (1 - math.Cos(2*math.Pi*float64(t.YearDay()-20)/365)) / 2,
	}
	m.ambient = 6 + 23*m.summer + 6*math.Sin(2*math.Pi*(m.hour-9)/24)
	return m
}

// during says how far a shift from start to end o'clock is under way: 0 outside,
// 1 inside, with ramps of a quarter of an hour at both ends. A shift may run
// over midnight.
func (m moment) during(start, end float64) float64 {
	const ramp = 0.25
	since := math.Mod(m.hour-start+24, 24)
	length := math.Mod(end-start+24, 24)
	if since >= length {
		return 0
	}
	return min(1, since/ramp, (length-since)/ramp)
}

// dayShift is during, with the shorter day of Ramadan: an hour later to an hour
// and a half earlier.
func (m moment) dayShift(start, end float64) float64 {
	if m.ramadan {
		return m.during(start+1, end-1.5)
	}
	return m.during(start, end)
}

// friday says whether it is the weekly day of rest.
func (m moment) friday() bool { return m.weekday == time.Friday }

// weekend says whether it is Friday or Saturday.
func (m moment) weekend() bool { return m.friday() || m.weekday == time.Saturday }

// ramadan tells whether t's date lies in Ramadan by the tabular Islamic
// calendar, which may differ from the sighted one by a day. In it 30 years have
// 10,631 days, eleven of the years have a 355th day, and the ninth month begins
// 236 days into the year.
func ramadan(t time.Time) bool {
	epoch := time.Date(622, time.July, 19, 0, 0, 0, 0, time.UTC) // 1 Muharram 1, Gregorian
	day := int(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).Unix()-epoch.Unix()) / 86400
	day %= 10631
	for year := 1; ; year++ {
		length := 354
		if (11*year+14)%30 < 11 {
			length++
		}
		if day < length {
			return day >= 236 && day < 266
		}
		day -= length
	}
}
