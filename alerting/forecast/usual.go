package forecast

import (
	"math"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

const (
	hourMS  = 3_600_000
	weekH   = len(snapshot.Profile{})
	idleUse = 0.02 // what a plant uses outside its shifts, as a share†
)

// usual is what a plant usually uses: by the hour of the week, or evenly.
type usual struct {
	profile  *snapshot.Profile // l/h; nil: evenly
	evenLPH  float64
	offsetMS int64 // of local time
	weekL    float64
	workLPH  float64 // while it works: the mean rate, weighted by itself
	spreadL2 float64 // variance of the seven days of the week, l²
}

func evenly(lph float64) usual {
	return usual{evenLPH: lph, weekL: lph * float64(weekH), workLPH: lph}
}

// byHour is a usual by a profile, false where that is empty.
func byHour(p *snapshot.Profile, offsetMS int64) (usual, bool) {
	u := usual{profile: p, offsetMS: offsetMS}
	squares, days := 0.0, [7]float64{}
	for h, v := range p {
		lph := float64(v)
		squares += lph * lph
		days[h/24] += lph
	}
	for _, l := range days {
		u.weekL += l
	}
	if u.weekL <= 0 {
		return u, false
	}
	u.workLPH = squares / u.weekL
	for _, l := range days {
		u.spreadL2 += square(l-u.dayL()) / 6
	}
	return u, true
}

func (u *usual) dayL() float64 { return u.weekL / 7 }

// hour returns the hour of the week and the ms that are left of it. The epoch
// was a Thursday.
func (u *usual) hour(t int64) (h int, left int64) {
	t += u.offsetMS
	return int((t/hourMS + 4*24) % int64(weekH)), hourMS - t%hourMS
}

// between is the usual consumption from a to b, l. History is a day or so long.
func (u *usual) between(a, b int64) float64 {
	if u.profile == nil {
		return u.evenLPH * float64(b-a) / hourMS
	}
	sum := 0.0
	for a < b {
		h, left := u.hour(a)
		left = min(left, b-a)
		sum += float64(u.profile[h]) * float64(left) / hourMS
		a += left
	}
	return sum
}

// hours turns litres of usual consumption, in rising order, into hours from t
// on.
func (u *usual) hours(t int64, litres [3]float64) (hours [3]float64) {
	if u.profile == nil {
		for i, l := range litres {
			hours[i] = l / u.evenLPH
		}
		return hours
	}
	weeks := math.Floor(litres[0] / u.weekL)
	if math.IsInf(weeks, 0) {
		return [3]float64{weeks, weeks, weeks}
	}
	used, passed := weeks*u.weekL, weeks*float64(weekH)
	h, left := u.hour(t)
	part := float64(left) / hourMS
	for i := 0; i < len(litres); {
		if math.IsInf(litres[i], 1) || passed > maxHours {
			hours[i] = math.Inf(1)
			i++
			continue
		}
		lph := float64(u.profile[h])
		if need := litres[i] - used; need <= lph*part {
			hours[i] = passed
			if lph > 0 {
				hours[i] += need / lph
			}
			i++
			continue
		}
		used, passed = used+lph*part, passed+part
		h, part = (h+1)%weekH, 1
	}
	return hours
}

// shiftProfile is the shape of a plant's week by its declared shifts, as l/h of
// the litres that it declares for a day; nil where it declares no shifts.
func shiftProfile(shifts []zone.Shift, dayL float64) *snapshot.Profile {
	if len(shifts) == 0 || dayL <= 0 {
		return nil
	}
	var p snapshot.Profile
	for _, s := range shifts {
		for day := range 7 {
			if worksOn(s, zone.Weekday(day)) {
				fill(&p, day*24*60+int(s.From), length(s))
			}
		}
	}
	hours, days := 0.0, 0
	for day := range 7 {
		sum := float32(0)
		for _, share := range p[24*day : 24*day+24] {
			sum += share
		}
		if sum > 0 {
			hours, days = hours+float64(sum), days+1
		}
	}
	if days == 0 {
		return nil
	}
	lph := float32(dayL * float64(days) / hours)
	for i, share := range p {
		p[i] = lph * max(min(share, 1), idleUse)
	}
	return &p
}

func worksOn(s zone.Shift, d zone.Weekday) bool {
	for _, day := range s.Days {
		if day == d {
			return true
		}
	}
	return len(s.Days) == 0
}

// length is how many minutes the shift lasts.
func length(s zone.Shift) int {
	n := int(s.To - s.From)
	if n <= 0 {
		n += 24 * 60
	}
	return n
}

// fill adds shares of hours from a minute of the week on.
func fill(p *snapshot.Profile, minute, n int) {
	for n > 0 {
		part := min(60-minute%60, n)
		p[minute/60%weekH] += float32(part) / 60
		minute, n = minute+part, n-part
	}
}
