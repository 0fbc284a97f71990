package live

import (
	"hash/fnv"
	"slices"
)

// group is the tanks that feed one consumer: a plant's water, boilers or
// generators, or a zone's water. It divides what is metered among them.
type group struct {
	Drawn float64 // l, from all its tanks since it began
	Usual learner // l/h
	Hour  int64   // local, that Begin belongs to
	Begin float64
	From  int64
	// Members is a hash of who it is made of: when that changes, what they have
	// in common is counted from there on.
	Members uint64

	tanks   []*tank
	burners []*burner // that burn what the tanks hold
	pipes   []*pipe   // that fill them
	piped   bool      // something does, metered or not
	local   *local
}

// made tells the group who it is made of. The members are named in an order
// that does not change with that of the registry's lists.
func (g *group) made(of []string) {
	slices.Sort(of)
	h := fnv.New64a()
	for _, name := range of {
		_, _ = h.Write(append([]byte(name), 0)) // never fails
	}
	if g.Members == h.Sum64() {
		return
	}
	g.Members = h.Sum64()
	for _, k := range g.tanks {
		k.BurnTotal, k.InTotal = g.totals(k)
		k.empty()
	}
}

// declare divides what the consumer declares to draw, in l/d, by size.
func (g *group) declare(litres float64, standby bool) {
	size := g.size()
	for _, k := range g.tanks {
		k.usual, k.standby = litres*k.capacity/size, standby
	}
}

// supplied tells whether what fills the tanks is metered.
func (g *group) supplied() bool {
	for _, p := range g.pipes {
		if p.Time > 0 {
			return true
		}
	}
	return false
}

// metered tells whether what leaves the tanks is metered.
func (g *group) metered() bool {
	for _, b := range g.burners {
		if b.Time > 0 {
			return true
		}
	}
	return false
}

// totals returns the litres burnt out of the tank and those that came in by
// pipe. Tanks of one consumer stand as connected: they give and take in
// proportion to their size.
func (g *group) totals(k *tank) (burn, in float64) {
	share := k.capacity / g.size()
	for _, b := range g.burners {
		burn += b.Total
	}
	for _, p := range g.pipes {
		in += 1000 * p.Total
	}
	return burn * share, in * share
}

// void says that what was drawn in this hour is not known.
func (g *group) void() { g.Hour = 0 }

// learn closes hours of consumption that have passed.
func (g *group) learn(t int64) {
	hour := g.local.hour(t)
	if hour == g.Hour {
		return
	}
	span := t - g.From
	if hour == g.Hour+1 && span >= hourMS*3/4 && span <= hourMS*5/4 {
		g.Usual.add(ofWeek(g.Hour), max(0, g.Drawn-g.Begin)*float64(hourMS)/float64(span))
	}
	g.Hour, g.Begin, g.From = hour, g.Drawn, t
}
