package live

import (
	"slices"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// facts is what is known about a registered meter as a device: 80 bytes. Times
// are ms.
type facts struct {
	Heard     int64 // received last
	Time      int64 // device time of the newest message
	Since     int64 // of silence, or of hearing it again
	ResetAt   int64
	ChangedAt int64 // event time since which all that it says is the same
	Main      float64
	Sum       float64    // of all values
	Skews     [3]float32 // s, newest first
	SkewN     int8
	Silent    bool
	Backfill  bool
	Stale     bool // what it spoke through has died since it was heard
	Recent    int32
}

// history tells that a reading says nothing of now. What is late may have been
// given a quality that is worse than late.
func history(r *meter.Reading, received int64) bool {
	return r.Historical || r.Quality == meter.Late || !r.Stamped && received-r.Time > meter.LateAfter.Milliseconds()
}

// silenceOf is the silence after which a meter counts as silent, in ms.
func silenceOf(m *zone.Meter) int64 {
	return max(minSilence.Milliseconds(), int64(silentIntervals*m.IntervalS*1000))
}

// hear notes that a message came.
func (f *facts) hear(r *meter.Reading, received int64) {
	if f.Silent || f.Heard == 0 {
		f.Silent, f.Since, f.Recent = false, received, 0
	}
	f.Recent++
	f.Stale = false
	f.Backfill = r.Historical
	if !history(r, received) {
		f.skew(r, received)
		f.Time = max(f.Time, r.Time)
	}
	f.Heard = max(f.Heard, received)
}

// steadySkew is how far, in ms, the clocks of two messages may differ from one
// another for the second to tell something of clocks.
const steadySkew = 3 * secondMS

// skew notes the difference between the meter's clock and ours. A message that
// was held up on its way says nothing about clocks: it did not take as long to
// arrive after the last one as the meter took to send it. A network that holds
// messages up now more, now less, hides what the clock says.
func (f *facts) skew(r *meter.Reading, received int64) {
	device := r.Time
	if r.Stamped {
		device = r.DeviceTime
	} else {
		late := (received - f.Heard) - (r.Time - f.Time)
		if f.Heard == 0 || r.Time < f.Time || max(late, -late) > steadySkew {
			f.SkewN = 0
			return
		}
	}
	f.Skews[2], f.Skews[1] = f.Skews[1], f.Skews[0]
	f.Skews[0] = float32(device-received) / 1000
	f.SkewN = min(f.SkewN+1, int8(len(f.Skews)))
}

// medianSkew returns the median of the last three, in s; NaN before.
func (f *facts) medianSkew() float64 {
	if int(f.SkewN) < len(f.Skews) {
		return nan
	}
	s := f.Skews
	slices.Sort(s[:])
	return float64(s[1])
}

// observe notes the value of the main register. A meter is not stuck as long as
// anything that it says changes: a small flow may well stay the same to three
// decimals.
func (f *facts) observe(value, sum float64, t int64) {
	if sum != f.Sum || f.ChangedAt == 0 {
		f.Sum, f.ChangedAt = sum, t
	}
	f.Main = value
}

// fallSilent notes silence, counted from when the meter was heard last, or
// from when we began to listen.
func (f *facts) fallSilent(now, listening, limit int64) {
	from := max(f.Heard, listening)
	if f.Silent || now-from <= limit {
		return
	}
	f.Silent, f.Since, f.Recent = true, f.Heard, 0
	if f.Heard == 0 {
		f.Since = from
	}
}

// mains lists, by the kind of meter, the registers that show whether it is
// alive, best first.
var mains = [...][3]role{
	{power},
	{tankVolume, tankLevel, volume},
	{volume, levelMM, volume15},
	{waterFlow},
	{fuelFlow},
}

// mainOf returns the place in mains of a meter's registers.
func mainOf(u meter.Utility, kind zone.Kind) uint8 {
	switch {
	case u == meter.Electricity || u == meter.Generator:
		return 0
	case kind == zone.TankKind && u == meter.Water:
		return 1
	case kind == zone.TankKind:
		return 2
	case u == meter.Water:
		return 3
	}
	return 4
}
