package live

import (
	"time"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// view is one snapshot in the making. State.mu is held.
type view struct {
	s     *State
	w     *world
	d     *snapshot.Snapshot
	now   int64
	whole bool // with Meters
}

// Snapshot puts the state of now into dst, whose memory it reuses. It also
// brings the accounts of the zones up to now, so somebody should ask at least
// once a minute.
func (s *State) Snapshot(dst *snapshot.Snapshot) { s.take(dst, true) }

// take leaves Meters out where nobody asks for them.
func (s *State) take(dst *snapshot.Snapshot, meters bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := view{s: s, w: s.world, d: dst, now: s.now().UnixMilli(), whole: meters}
	v.w.tell(v.now)
	v.size()
	v.meters()
	v.gateways()
	v.plans()
	v.electricity()
	v.silences()
	v.inherit()
	v.water()
	v.tanks()
	v.plants()
	v.zones()
	v.cities()
	v.orders()
	if v.whole {
		v.flowing()
	}
	s.advanced = v.now
}

// size makes room for everything.
func (v *view) size() {
	d, w := v.d, v.w
	d.Now, d.Registry = v.now, w.registry
	d.Cities = sized(d.Cities, len(w.cities))
	d.Zones = sized(d.Zones, len(w.zones))
	d.Substations = sized(d.Substations, len(w.substations))
	d.Feeders = sized(d.Feeders, len(w.feeders))
	d.PumpingStations = sized(d.PumpingStations, len(w.stations))
	d.WaterLines = sized(d.WaterLines, len(w.lines))
	d.Tanks = sized(d.Tanks, len(w.tanks))
	d.Plants = sized(d.Plants, len(w.plants))
	if v.whole {
		d.Meters = sized(d.Meters, len(w.meters))
	}
	d.Gateways = sized(d.Gateways, len(w.gateways))
	d.Tankers = sized(d.Tankers, len(w.registry.Tankers()))
}

// sized returns a slice of n elements, in s's memory if that is enough.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// known tells whether a meter was heard lately enough to be believed, and what
// it speaks through has not died since.
func (v *view) known(meter int32) bool {
	if meter < 0 {
		return false
	}
	f, at := &v.w.facts[meter], &v.w.meters[meter]
	return f.Heard > v.s.doubted && v.now-f.Heard <= at.silence && !v.w.hidden(at, f)
}

// doubted tells that a meter's word is from before a crash, and that it has not
// had the time yet to speak again. If it does not, its last word stands.
func (v *view) doubted(meter int32) bool {
	return meter >= 0 && v.s.doubted > 0 && v.w.facts[meter].Heard <= v.s.doubted && v.now-v.s.doubted <= v.w.meters[meter].silence
}

func (v *view) time() time.Time { return time.UnixMilli(v.now) }

func (v *view) meters() {
	for i := range v.w.meters {
		f, at := &v.w.facts[i], &v.w.meters[i]
		f.fallSilent(v.now, v.s.listening, at.silence)
		if !v.whole {
			continue
		}
		unchanged := 0
		if f.ChangedAt > 0 && at.interval > 0 {
			unchanged = int((f.Time - f.ChangedAt) / at.interval)
		}
		v.d.Meters[i] = snapshot.Meter{
			Heard: f.Heard, Time: f.Time, Silent: f.Silent, Since: f.Since, Recent: int(f.Recent),
			SkewS: snapshot.Value(f.medianSkew()), Unchanged: unchanged, ResetAt: f.ResetAt,
			Gateway: int(at.gateway), Historical: f.Backfill,
		}
	}
}

// gateways lists those that meters speak through and those that have spoken. A
// gateway that has said nothing counts as online: its meters tell. After a
// crash nobody knows until it has spoken again, or had the time to.
func (v *view) gateways() {
	for i := range v.w.gateways {
		at := &v.w.gateways[i]
		g := snapshot.Gateway{Zone: at.Zone, ID: at.ID, Online: true}
		if said := at.said; said != nil {
			g.Online, g.Since = said.Online, said.Since
			if !said.told && v.s.doubted > 0 && v.now-v.s.doubted < minSilence.Milliseconds() {
				g.Online, g.Since = false, 0
			}
		}
		v.d.Gateways[i] = g
	}
	for i := range v.w.meters {
		if g := v.w.meters[i].gateway; g >= 0 {
			v.d.Gateways[g].Meters++
		}
	}
}

// orders matches deliveries with orders, the earliest first: a delivery that
// begins from a day before the estimated time of arrival on is the order's,
// unless it is another's.
func (v *view) orders() {
	tankers := v.w.registry.Tankers()
	for i := range tankers {
		t := &tankers[i]
		o, ok := v.w.memory.Orders[t.ID]
		if !ok {
			o = &order{Tank: t.Tank}
			v.w.memory.Orders[t.ID] = o
		}
		if tank, ok := v.w.registry.Index(zone.TankKind, t.Tank); ok && !o.Settled {
			v.match(o, v.w.tanks[tank].k, t.ETA.Add(-earlyTanker).UnixMilli())
		}
		v.d.Tankers[i] = snapshot.Tanker{Arrived: o.Arrived, VolumeL: snapshot.Unknown, Settled: o.Settled}
		if o.Settled {
			v.d.Tankers[i].VolumeL = snapshot.Value(o.VolumeL)
		}
	}
}

// earlyTanker is how much before its time a tanker may come.
const earlyTanker = 24 * time.Hour

func (v *view) match(o *order, k *tank, earliest int64) {
	for i := len(k.Before); i >= 0; i-- {
		d := &k.Delivery
		if i > 0 {
			d = &k.Before[i-1]
		}
		if d.Start == 0 || o.Arrived == 0 && (d.Start < earliest || v.taken(o.Tank, d.Start)) || o.Arrived != 0 && d.Start != o.Arrived {
			continue
		}
		o.Arrived, o.Settled, o.VolumeL = d.Start, d.End != 0, d.VolumeL
		return
	}
}

// taken tells whether a delivery is an order's already.
func (v *view) taken(tank string, start int64) bool {
	for _, o := range v.w.memory.Orders {
		if o.Tank == tank && o.Arrived == start {
			return true
		}
	}
	return false
}
