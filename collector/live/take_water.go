package live

import (
	"math"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
)

func (v *view) water() {
	for i := range v.w.stations {
		v.pipe(&v.d.PumpingStations[i], v.w.stations[i].p, v.w.stations[i].meter)
	}
	for i := range v.w.lines {
		l := &v.w.lines[i]
		out := &v.d.WaterLines[i]
		v.pipe(&out.WaterFlow, l.p, l.meter)
		nights, usual := l.p.nights()
		for n := range nights {
			out.NightM3H[n] = snapshot.Value(nights[n])
		}
		out.NightUsualM3H = snapshot.Value(usual)
		out.TankInM3H, out.TankRise = v.filling(l.zone)
	}
}

// pipe says what the meter of a main says.
func (v *view) pipe(out *snapshot.WaterFlow, p *pipe, meter int32) {
	u := snapshot.Unknown
	*out = snapshot.WaterFlow{
		Meter: int(meter), Time: p.Time, FlowM3H: u, PressureBar: u, FlowMean5: u, PressMean5: u,
		FlowExpected: snapshot.Value(p.Usual.at(ofWeek(p.local.hour(v.now)))), PressureDrop: u, FlowRise: u,
	}
	if !v.known(meter) || p.Time == 0 {
		return
	}
	out.FlowM3H, out.PressureBar = snapshot.Value(p.Flow), snapshot.Value(p.Bar)
	mean, before := p.Means.mean(flowMinutes), p.Means.before(flowMinutes)
	out.FlowMean5, out.PressMean5 = snapshot.Value(mean[0]), snapshot.Value(mean[1])
	out.FlowRise = snapshot.Value(p.Flow - before[0])
	if before[1] > 0 {
		out.PressureDrop = snapshot.Value(max(0, 1-p.Bar/before[1]))
	}
}

// filling is what flows into the tanks of a zone, and how much more that is than
// some minutes ago, m³/h; Unknown if one of them is silent. Which line fills
// them is not known, so it may be any.
func (v *view) filling(zone int32) (in, rise snapshot.Value) {
	for _, i := range v.w.zones[zone].tanks {
		if !v.known(v.w.tanks[i].meter) {
			return snapshot.Unknown, snapshot.Unknown
		}
		k := v.w.tanks[i].k
		rate := max(0, orZero(k.rate()))
		in += snapshot.Value(rate / 1000)
		rise += snapshot.Value((rate - max(0, orZero(k.rateBefore()))) / 1000)
	}
	return in, rise
}

func orZero(v float64) float64 {
	if v != v {
		return 0
	}
	return v
}

// rate is how fast the content grows, l/h, since the last reading of another
// minute.
func (k *tank) rate() float64 {
	if span := k.Time - k.EarlierAt; k.EarlierAt > 0 && span > 0 && span <= 3*fiveMS {
		return (k.Volume - k.Earlier) * float64(hourMS) / float64(span)
	}
	return nan
}

// rateBefore is how fast it grew from the five minutes before the last whole
// ones to those, l/h; NaN if one of them is not known.
func (k *tank) rateBefore() float64 {
	last, before := &k.Fives[0], &k.Fives[1]
	if before.End == 0 || last.End-before.End != 1 || k.Time-last.at() > 2*fiveMS {
		return nan
	}
	return float64(last.Volume-before.Volume) * float64(hourMS/fiveMS)
}

func (v *view) tanks() {
	for i := range v.w.tanks {
		at := &v.w.tanks[i]
		k, out := at.k, &v.d.Tanks[i]
		u := snapshot.Unknown
		*out = snapshot.Tank{
			Meter: int(at.meter), Time: k.Time, VolumeL: u, UsableL: u, CoverH: u, LossL: u, LossSigmaL: u,
			Delivery: k.Delivery, History: out.History[:0],
		}
		mean, sigma := k.daily()
		out.DailyL, out.DailySigma = snapshot.Value(mean), snapshot.Value(sigma)
		variance, throughput := k.reconciled()
		out.VarianceL, out.ThroughputL = snapshot.Value(variance), snapshot.Value(throughput)
		if !k.Known || !k.fuel || !k.group.metered() {
			out.VarianceL = u
		}
		if !v.known(at.meter) || k.Time == 0 {
			continue
		}
		usable := max(0, k.Volume-at.dead)
		out.VolumeL, out.UsableL = snapshot.Value(k.Volume), snapshot.Value(usable)
		if !math.IsNaN(mean) {
			out.CoverH = snapshot.Value(cover(usable, mean/24))
		}
		loss, noise := k.loss()
		out.LossL, out.LossSigmaL = snapshot.Value(loss), snapshot.Value(noise)
		out.History = k.samples(out.History)
	}
}

// cover returns how many hours a stock lasts; what nobody draws lasts for ever.
func cover(stock, perHour float64) float64 {
	if perHour <= 0 {
		return math.Inf(1)
	}
	return stock / perHour
}

// samples appends the history. Of a tank that stands still there is none: no
// forecast needs it, and standby tanks are many.
func (k *tank) samples(dst []snapshot.Sample) []snapshot.Sample {
	if k.DayDrawn == 0 && len(k.Days) == 0 {
		return dst
	}
	first := k.HistoryEnd - int64(len(k.History)) + 1
	for i, volume := range k.History {
		if volume == volume {
			dst = append(dst, snapshot.Sample{Time: (first + int64(i)) * quarterMS, Value: float64(volume)})
		}
	}
	return dst
}
