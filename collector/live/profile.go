package live

import (
	"bytes"
	"slices"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
)

const (
	weekHours = len(snapshot.Profile{})
	weeksKept = 4
)

// learner learns a consumption by hour of the local week: the median of the
// last four weeks in which nothing was cut. A value is a byte, as a share of
// the greatest: half a per cent is finer than any plan. 168 bytes a week, and
// 672 once somebody asks for the whole profile.
type learner struct {
	Unit  float32  // of a byte
	Weeks [][]byte // the newest known value of an hour first

	learnt *snapshot.Profile // never changed: readers keep it; nil: to be made
}

const (
	unlearnt = 255
	fullByte = 250
	someByte = 200 // where the first value comes to stand
)

// add takes the mean of one hour of the week; the newest week comes first.
func (l *learner) add(hour int, value float64) {
	if !(value >= 0) {
		return
	}
	l.fit(float32(value))
	b := byte(0)
	if l.Unit > 0 {
		b = byte(float32(value)/l.Unit + 0.5)
	}
	for _, week := range l.Weeks {
		b, week[hour] = week[hour], b
	}
	if b != unlearnt && len(l.Weeks) < weeksKept {
		week := slices.Repeat([]byte{unlearnt}, weekHours)
		week[hour] = b
		l.Weeks = append(l.Weeks, week)
	}
	l.learnt = nil
}

// fit widens the unit until the value fits.
func (l *learner) fit(value float32) {
	if value <= l.Unit*fullByte {
		return
	}
	unit := value / someByte
	for _, week := range l.Weeks {
		for i, b := range week {
			if b != unlearnt {
				week[i] = byte(float32(b)*l.Unit/unit + 0.5)
			}
		}
	}
	l.Unit = unit
}

func (l *learner) median(hour int) float64 {
	var known [weeksKept]byte
	n := 0
	for _, week := range l.Weeks {
		if week[hour] != unlearnt {
			known[n] = week[hour]
			n++
		}
	}
	if n == 0 {
		return nan
	}
	slices.Sort(known[:n])
	return float64(l.Unit) * (float64(known[(n-1)/2]) + float64(known[n/2])) / 2
}

// at returns the learned value of an hour of the week, NaN if there is none.
func (l *learner) at(hour int) float64 {
	if l == nil {
		return nan
	}
	return l.median(hour)
}

// whole returns the profile once every hour of it is known.
func (l *learner) whole() *snapshot.Profile {
	if l == nil || len(l.Weeks) == 0 || bytes.IndexByte(l.Weeks[0], unlearnt) >= 0 {
		return nil
	}
	if l.learnt == nil {
		l.learnt = new(snapshot.Profile)
		for hour := range l.learnt {
			l.learnt[hour] = float32(l.median(hour))
		}
	}
	return l.learnt
}

// local is the civil time of a city: so many ms ahead of UTC at present.
type local struct{ offset int64 }

// hour returns the hour since the local epoch.
func (l *local) hour(t int64) int64 { return (t + l.offset) / hourMS }

// day returns the day since the local epoch.
func (l *local) day(t int64) int64 { return (t + l.offset) / dayMS }

// ofWeek turns an hour since the local epoch, a Thursday, into one of the week
// from Sunday.
func ofWeek(hour int64) int { return int((hour + 4*24) % int64(weekHours)) }
