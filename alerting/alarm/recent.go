package alarm

import (
	"slices"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// Windows of the performance figures of EEMUA 191 and ISA-18.2: the rate is
// counted over 10 minutes; an alarm chatters that is raised 3 times in a
// minute†; one that has stood for a day is stale.
const (
	rateWindow    = 10 * time.Minute
	chatterWindow = time.Minute
	chatterRaises = 3
	staleAge      = 24 * time.Hour
)

// raised is one raise, for the figures.
type raised struct {
	time int64 // ms
	key  rule.Key
	zone string
}

// recent holds the raises of the last ten minutes, oldest first: some ten at
// peace, a few thousand, 100 bytes each, in a storm.
type recent []raised

func (r *recent) add(ts []Transition) {
	for i := range ts {
		if t := &ts[i]; t.Event == Raise {
			*r = append(*r, raised{t.Time.UnixMilli(), t.Alarm.Key, t.Alarm.InZone})
		}
	}
}

// trim forgets what is older than the window.
func (r *recent) trim(now int64) {
	n := 0
	for n < len(*r) && (*r)[n].time <= now-rateWindow.Milliseconds() {
		n++
	}
	*r = slices.Delete(*r, 0, n)
}

// since counts the raises of the last ten minutes that match.
func (r recent) count(now int64, match func(raised) bool) int {
	n := 0
	for _, one := range r {
		if one.time > now-rateWindow.Milliseconds() && match(one) {
			n++
		}
	}
	return n
}

// chattering counts the alarms that were raised three times within a minute.
func (r recent) chattering(now int64) int {
	last := make(map[rule.Key][]int64)
	found := make(map[rule.Key]bool)
	for _, one := range r {
		if one.time <= now-rateWindow.Milliseconds() {
			continue
		}
		times := append(last[one.key], one.time)
		if len(times) >= chatterRaises && one.time-times[len(times)-chatterRaises] <= chatterWindow.Milliseconds() {
			found[one.key] = true
		}
		last[one.key] = times
	}
	return len(found)
}

// KPI are the figures by which an alarm system is judged.
type KPI struct {
	Raised10Min  int `json:"raised_10min"` // in the last ten minutes
	Standing     int `json:"standing"`     // unacknowledged or acknowledged
	Stale        int `json:"stale"`        // standing for more than 24 h
	Chattering   int `json:"chattering"`   // raised 3 times within a minute, in the last ten
	Suppressed   int `json:"suppressed"`
	Shelved      int `json:"shelved"`
	OutOfService int `json:"out_of_service"`
}

// KPI returns the figures at a time.
func (b *Book) KPI(now time.Time) KPI {
	b.state.RLock()
	defer b.state.RUnlock()
	ms := now.UnixMilli()
	k := KPI{
		Raised10Min: b.recent.count(ms, func(raised) bool { return true }),
		Chattering:  b.recent.chattering(ms),
	}
	for _, r := range b.machine.records {
		switch r.Alarm.State {
		case Unacknowledged, Acknowledged:
			k.Standing++
			if now.Sub(r.Alarm.Raised) > staleAge {
				k.Stale++
			}
		case Suppressed:
			k.Suppressed++
		case Shelved:
			k.Shelved++
		case OutOfService:
			k.OutOfService++
		}
	}
	return k
}

// Flood returns how many alarms were raised in a zone in the last ten minutes,
// other than those of the kind flood, which is raised because of them.
func (b *Book) Flood(zone string, now time.Time) int {
	b.state.RLock()
	defer b.state.RUnlock()
	return b.recent.count(now.UnixMilli(), func(r raised) bool { return r.zone == zone && r.key.Kind != FloodKind })
}

// FloodKind is the kind of alarm that says that there are many.
const FloodKind = "alarm.flood"
