package live

import "github.com/imdad-telemetry/imdad/collector/zone"

// TankEvent is a delivery into a tank, or a draw-off from it, that has ended.
type TankEvent struct {
	City, Zone, Tank string
	Kind             string  // delivery or draw_off
	Start, End       int64   // ms
	VolumeL          float64 // that came or went, positive; at 15 °C for fuel
}

// The kinds of tank events.
const (
	delivered = "delivery"
	drawnOff  = "draw_off"
)

// maxTankEvents bounds the events that wait, at some 150 bytes each.
const maxTankEvents = 1 << 12

// tankEvents are those that wait to be asked for, oldest first.
type tankEvents struct {
	Waiting []TankEvent
	Dropped uint64 // for want of room
}

func (q *tankEvents) add(e TankEvent) {
	if len(q.Waiting) >= maxTankEvents {
		q.Waiting = append(q.Waiting[:0], q.Waiting[1:]...)
		q.Dropped++
	}
	q.Waiting = append(q.Waiting, e)
}

// TankEvents calls f with the events since the last call, oldest first. They
// are saved with the state: a restart neither loses nor repeats one, and after a
// crash one may come again, the same in all but its end and volume.
func (s *State) TankEvents(f func(*TankEvent)) {
	s.mu.Lock()
	events := s.world.memory.Events.Waiting
	s.world.memory.Events.Waiting = nil
	s.mu.Unlock()
	for i := range events {
		f(&events[i])
	}
}

func (s *State) tankEventsDropped() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.memory.Events.Dropped
}

// surge follows what comes into a tank, or goes out of it, all at once and
// beside the meters, as deliveries are followed (DOMAIN §3, Fuel): a change by
// more than the threshold within half an hour, and ten minutes in which it goes
// on no more. Of fuel it is what is drawn off; of water, what trucks bring: what
// is drawn of that, nothing meters. Changes are in litres, upwards.
type surge struct {
	Start  int64 // 0: none is under way
	Rising int32 // readings in a row that look like one
	Base   float64
	Peak   float64
	PeakAt int64
	Ebb    float64 // the least since the peak: meters that count late take their share back
	After  int64   // when the last one ended
}

// discrete is how long a surge may take. What takes longer is consumption that
// nobody meters.
const discrete = 2 * hourMS

// excess is the content beside what is metered, with its sign so that a surge
// is a rise. metered is what the meters of the tank's group have said of it.
func (k *tank) excess(volume, metered float64) float64 {
	if k.fuel {
		return -volume - metered*k.group.size()/k.capacity
	}
	if !k.group.piped {
		return volume
	}
	return volume - metered*k.group.size()/k.capacity
}

// metered is what the group's meters have counted for the tank by now, l.
func (k *tank) metered() float64 {
	burn, in := k.group.totals(k)
	if k.fuel {
		return k.Burned + burn - k.BurnTotal
	}
	return k.Closed + k.Drawn + in - k.InTotal
}

// excessThen is the excess at the end of five minutes.
func (k *tank) excessThen(f *five) float64 {
	if k.fuel {
		return k.excess(float64(f.Volume), float64(f.Burned))
	} // the in of draw, since drawn = in − delta
	return k.excess(float64(f.Volume), float64(f.Volume)+float64(f.Drawn))
}

// accounted tells whether the tank's ordinary traffic is known. Water that comes
// by a pipe without a meter cannot be told from that of a truck, nor fuel that a
// plant burns without one from what is drawn off.
func (k *tank) accounted() bool {
	if k.fuel {
		return k.group.metered() || k.usual == 0 && !k.standby
	}
	return !k.group.piped || k.group.supplied()
}

// follow looks for surges; before is the time of the reading before.
func (k *tank) follow(t, before int64) {
	s := &k.Surge
	switch {
	case !k.Known || k.capacity == 0 || !k.accounted():
		return
	case k.Filling, t-before > lossFives*fiveMS:
		*s = surge{After: t}
		return
	}
	now := k.excess(k.Volume, k.metered())
	if s.Start == 0 {
		k.surges(t, now)
		return
	}
	if now > s.Peak+0.0005*k.capacity {
		s.Peak, s.PeakAt, s.Ebb = now, t, now
	}
	s.Ebb = min(s.Ebb, now)
	if t-s.Start > discrete {
		s.Base = nan // no event will come of it
	}
	if t-s.PeakAt >= settling && k.group.heardSince(s.PeakAt) {
		k.ended()
	}
}

// surges looks for the beginning of one.
func (k *tank) surges(t int64, now float64) {
	s, low := &k.Surge, nan
	start := int64(0)
	for i := range k.Fives {
		f := &k.Fives[i]
		if f.End == 0 || t-f.at() > lossFives*fiveMS || f.at()-fiveMS < s.After {
			continue
		}
		if x := k.excessThen(f); !(x >= low) {
			low, start = x, f.at()
		}
	}
	if !(now-low > k.risen()) {
		s.Rising = 0
		return
	}
	if s.Rising++; s.Rising < 2 { // one odd reading is no truck
		return
	}
	*s = surge{Start: start, Base: low, Peak: now, PeakAt: t, Ebb: now}
}

// ended closes the surge. One that went back is none.
func (k *tank) ended() {
	s := k.Surge
	k.Surge = surge{After: s.PeakAt}
	if litres := s.Ebb - s.Base; litres > k.risen() {
		kind := delivered
		if k.fuel {
			kind = drawnOff
		}
		k.tell(kind, s.Start, s.PeakAt, litres)
	}
}

// received tells of the delivery that has ended. What only comes back, as after
// a gauge has failed, was not delivered.
func (k *tank) received(burned float64) {
	litres := min(k.Delivery.VolumeL, k.Volume+burned-k.Highest)
	if litres > k.risen() {
		k.tell(delivered, k.Delivery.Start, k.Delivery.End, litres)
	}
}

// tell queues an event.
func (k *tank) tell(kind string, start, end int64, litres float64) {
	if k.events != nil {
		k.events.add(TankEvent{City: k.city, Zone: k.def.Zone, Tank: k.def.ID, Kind: kind, Start: start, End: end, VolumeL: litres})
	}
}

// size is the capacity of all its tanks, l.
func (g *group) size() float64 {
	size := 0.0
	for _, k := range g.tanks {
		size += k.capacity
	}
	return size
}

// heardSince tells whether all the meters that say what comes and goes have
// spoken since.
func (g *group) heardSince(t int64) bool {
	for _, b := range g.burners {
		if b.Time > 0 && b.Time < t {
			return false
		}
	}
	for _, p := range g.pipes {
		if p.Time > 0 && p.Time < t {
			return false
		}
	}
	return true
}

// locate says where the tank is and whom it tells.
func (k *tank) locate(def *zone.Tank, city string, events *tankEvents) {
	k.def, k.city, k.events = def, city, events
}
