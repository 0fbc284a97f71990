package live

import (
	"math"
	"time"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
)

// rationTolerance is how far outside a block a cut may begin and still be of
// it.
const rationTolerance = 5 * time.Minute

// plans asks each feeder's programme.
func (v *view) plans() {
	now := v.time()
	for i := range v.w.feeders {
		f := &v.w.feeders[i]
		p := f.cursor.Plan(now, v.stage(f.city))
		plan := snapshot.Plan{Off: p.Off, Exempt: p.Exempt}
		if !p.Start.IsZero() {
			plan.Start, plan.End = p.Start.UnixMilli(), p.End.UnixMilli()
		}
		v.d.Feeders[i].Plan = plan
	}
}

func (v *view) stage(city int32) int { return v.w.memory.Stages[v.w.registry.Cities()[city].ID] }

func (v *view) electricity() {
	for i := range v.w.substations {
		s := &v.w.substations[i]
		out := &v.d.Substations[i].Electricity
		v.electric(out, s.e, s.meter)
		out.Dead = v.dead(s.e, s.meter, v.bySubstation(s))
	}
	for i := range v.w.feeders {
		f := &v.w.feeders[i]
		out := &v.d.Feeders[i]
		v.electric(&out.Electricity, f.e, f.meter)
		out.Dead = v.dead(f.e, f.meter, v.byFeeder(int32(i)))
		out.GapRatio = v.gap(f)
	}
	for i := range v.w.plants {
		p := &v.w.plants[i]
		out := &v.d.Plants[i].Electricity
		v.electric(out, p.e, p.meter)
		out.Dead = v.dead(p.e, p.meter, v.byFeeder(p.feeder))
	}
}

// electric says what a meter says. While it is silent nothing is known.
func (v *view) electric(out *snapshot.Electricity, e *electric, meter int32) {
	u := snapshot.Unknown
	*out = snapshot.Electricity{
		Meter: int(meter), Time: e.Time, Restored: e.Restored, PowerKW: u, VoltagePU: [3]snapshot.Value{u, u, u}, VoltageMean: [3]snapshot.Value{u, u, u},
		Unbalance: u, UnbalanceMean: u, FrequencyHz: u, CurrentA: [3]snapshot.Value{u, u, u}, CurrentMeanA: u,
		Block: snapshot.Block{Start: e.Blocks.Start, EnergyKWh: u, ProjectedKW: u, LastMeanKW: u},
	}
	if !v.known(meter) || e.Time == 0 {
		return
	}
	out.PowerKW, out.FrequencyHz = snapshot.Value(e.Power), snapshot.Value(e.Hertz)
	out.Unbalance = unbalance(e.Between)
	steady := e.First > 0 && e.Time-e.First >= meanAfter
	mean := e.Voltage.mean(voltageMinutes)
	for i := range mean {
		out.VoltagePU[i] = snapshot.Value(e.Volts[i])
		out.CurrentA[i] = snapshot.Value(e.Amps[i])
		if steady {
			out.VoltageMean[i] = snapshot.Value(mean[i])
		}
	}
	if steady && e.BetweenMean.Minutes != nil {
		out.UnbalanceMean = unbalance(e.BetweenMean.mean(voltageMinutes))
	}
	if e.Current.Minutes != nil {
		out.CurrentMeanA = snapshot.Value(highest(e.Current.mean(currentMinutes)))
	}
	out.Block = e.Blocks.snapshot(e.Power)
}

// highest returns the highest of the phases that are measured.
func highest(phases [3]float64) float64 {
	top := nan
	for _, p := range phases {
		if !(p <= top) && !math.IsNaN(p) {
			top = p
		}
	}
	return top
}

// lowest returns the lowest of the phases that are measured.
func lowest(phases [3]float64) float64 {
	low := nan
	for _, p := range phases {
		if !(p >= low) && !math.IsNaN(p) {
			low = p
		}
	}
	return low
}

// unbalance returns the ratio of negative to positive sequence voltage from the
// three voltages between phases (IEC 61000-4-30):
// u₂ = √((1−√(3−6β))/(1+√(3−6β))), β = ΣU⁴/(ΣU²)². Of no voltage there is none.
func unbalance(between [3]float64) snapshot.Value {
	squares, fourths := 0.0, 0.0
	for _, u := range between {
		squares += u * u
		fourths += u * u * u * u
	}
	root := math.Sqrt(max(0, 3-6*fourths/(squares*squares)))
	return snapshot.Value(math.Sqrt(max(0, (1-root)/(1+root))))
}

// snapshot projects the present block's mean under the assumption that power
// stays as it is.
func (b *blocks) snapshot(power float64) snapshot.Block {
	const hours = 0.25
	out := snapshot.Block{
		Start: b.Start, EnergyKWh: snapshot.Unknown, ProjectedKW: snapshot.Unknown, LastMeanKW: snapshot.Value(b.Last / hours),
	}
	if b.Whole {
		left := float64(quarterMS-b.Elapsed) / float64(hourMS)
		out.EnergyKWh = snapshot.Value(b.Energy)
		out.ProjectedKW = snapshot.Value((b.Energy + power*left) / hours)
	}
	return out
}

// byPlan is what a rationing programme says of an object.
type byPlan struct {
	// began tells whether a cut that began at a time in ms is of a block, and
	// when that block ends.
	began func(since int64) (bool, int64)
	end   int64 // of the present block; 0: there is none
}

// dead says since when an object is dead by its own meter, and decides, once,
// whether that began by plan.
func (v *view) dead(e *electric, meter int32, p byPlan) snapshot.Dead {
	if e.DeadSince == 0 || v.doubted(meter) {
		return snapshot.Dead{}
	}
	p.judge(e.DeadSince, &e.Judged, &e.Planned, &e.Return)
	return snapshot.Dead{Since: e.DeadSince, Planned: e.Planned, Return: e.Return}
}

// judge decides once; but if the next block begins before power returned, it is
// that one's end that counts.
func (p byPlan) judge(since int64, judged, planned *bool, end *int64) {
	if !*judged {
		*planned, *end = p.began(since)
		*judged = true
	}
	if *planned {
		*end = max(*end, p.end)
	}
}

func (v *view) byFeeder(feeder int32) byPlan {
	p := byPlan{began: func(since int64) (bool, int64) { return v.planned(feeder, since) }}
	if feeder >= 0 && v.d.Feeders[feeder].Plan.Off {
		p.end = v.d.Feeders[feeder].Plan.End
	}
	return p
}

// bySubstation is what its feeders have in common: it is off by plan if all of
// them are.
func (v *view) bySubstation(s *substationAt) byPlan {
	p := byPlan{began: func(since int64) (all bool, end int64) {
		for i, f := range s.feeders {
			ok, until := v.planned(f, since)
			if !ok {
				return false, 0
			}
			if end = min(end, until); i == 0 {
				end = until
			}
		}
		return len(s.feeders) > 0, end
	}}
	for i, f := range s.feeders {
		of := v.byFeeder(f).end
		if p.end = min(p.end, of); i == 0 {
			p.end = of
		}
	}
	return p
}

// planned tells whether a cut of the feeder that began at a time is of a block
// of its programme, and when that block ends.
func (v *view) planned(feeder int32, since int64) (bool, int64) {
	if feeder < 0 {
		return false, 0
	}
	id, stage := v.w.registry.Feeders()[feeder].ID, v.stage(v.w.feeders[feeder].city)
	at := time.UnixMilli(since)
	for _, t := range []time.Time{at, at.Add(rationTolerance), at.Add(-rationTolerance)} {
		if p := v.w.registry.Programme().Plan(id, t, stage); p.Off {
			return true, p.End.UnixMilli()
		}
	}
	return false, 0
}

// gapHours is how many times the energy of its busiest hour a feeder must have
// delivered in a day. Meters that tell every quarter of an hour put that much of
// an hour's energy into the next.
const gapHours = 3

// gap returns the share of a feeder's energy of the last day that no meter
// below it saw; Unknown unless all were there all day, and for energy so little
// that what its meters have not told yet matters.
func (v *view) gap(f *feederAt) snapshot.Value {
	whole := func(e *electric) bool { return e.Steady > 0 && e.Time-e.Steady >= dayMS && v.now-e.Time < hourMS }
	if f.unmetered || len(f.below) == 0 || !whole(f.e) {
		return snapshot.Unknown
	}
	for _, e := range f.below {
		if !whole(e) {
			return snapshot.Unknown
		}
	}
	in, out, busiest := f.gap.sums()
	if in <= 0 || in < gapHours*busiest {
		return snapshot.Unknown
	}
	return snapshot.Value((in - out) / in)
}

// inherit passes death down to what is silent: nobody could say otherwise. What
// fell silent while it was dead has died of what died above it, and is unknown
// when that lives again.
func (v *view) inherit() {
	pass := func(from, to *snapshot.Electricity, meter int32) {
		switch {
		case v.known(meter):
		case from.Dead.Since > 0 && to.Dead.Since == 0:
			to.Dead = from.Dead
			to.Dead.Silent = true
		case from.Dead.Since == 0 && !to.Dead.Silent && to.Dead.Since > 0 && from.Restored > to.Dead.Since:
			to.Dead = snapshot.Dead{}
		}
	}
	for _, i := range v.w.downward {
		f := &v.w.feeders[i]
		to := &v.d.Feeders[i].Electricity
		if f.parent >= 0 {
			pass(&v.d.Feeders[f.parent].Electricity, to, f.meter)
		} else {
			pass(&v.d.Substations[f.substation].Electricity, to, f.meter)
		}
	}
	for i := range v.w.plants {
		if p := &v.w.plants[i]; p.feeder >= 0 {
			pass(&v.d.Feeders[p.feeder].Electricity, &v.d.Plants[i].Electricity, p.meter)
		}
	}
}
