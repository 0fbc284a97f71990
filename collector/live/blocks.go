package live

// blocks is the energy by 15-minute demand block, in local quarters of an
// hour, which are UTC's as well.
type blocks struct {
	Start   int64   // of the present one, ms; 0: nothing is known
	Energy  float64 // kWh since then
	Whole   bool    // the present one is known from its beginning
	Last    float64 // kWh of the block before it; NaN: not known as a whole
	Elapsed int64   // ms of the present block that Energy covers
}

// blockGap is the longest silence that is divided evenly between the blocks
// on both sides.
const blockGap = quarterMS

func newBlocks() blocks { return blocks{Last: nan} }

// add takes the energy that was counted from one event time to the next; from
// is 0 for the first.
func (b *blocks) add(from, to int64, kwh float64) {
	start := to - to%quarterMS
	if from == 0 || b.Start == 0 || to-from > blockGap {
		*b = blocks{Start: start, Last: nan, Whole: to == start}
		return
	}
	if start == b.Start {
		b.Energy += kwh
		b.Elapsed = to - start
		return
	}
	share := float64(to-start) / float64(to-from)
	last := nan
	if b.Whole && start == b.Start+quarterMS {
		last = b.Energy + kwh*(1-share)
	}
	*b = blocks{Start: start, Energy: kwh * share, Whole: true, Last: last, Elapsed: to - start}
}

// gap is what went into a feeder and what came out at the meters below it, by
// hour of event time, for a day.
type gap struct {
	Newest  int64 // hour since the epoch
	In, Out [25]float32
}

func (g *gap) in(t int64, kwh float64) {
	if g != nil {
		if i := g.at(t); i >= 0 {
			g.In[i] += float32(kwh)
		}
	}
}

func (g *gap) out(t int64, kwh float64) {
	if g != nil {
		if i := g.at(t); i >= 0 {
			g.Out[i] += float32(kwh)
		}
	}
}

// at returns the place of t's hour; -1: it is too old.
func (g *gap) at(t int64) int64 {
	hour, n := t/hourMS, int64(len(g.In))
	if hour > g.Newest {
		for h := max(g.Newest+1, hour-n+1); h <= hour; h++ {
			g.In[h%n], g.Out[h%n] = 0, 0
		}
		g.Newest = hour
	}
	if hour <= g.Newest-n {
		return -1
	}
	return hour % n
}

// sums returns the energy of the last whole hours, a day of them, in kWh, and
// that of the busiest. The present hour is left out: not every meter has told
// of it.
func (g *gap) sums() (in, out, busiest float64) {
	n := int64(len(g.In))
	for i := range g.In {
		if int64(i) == g.Newest%n {
			continue
		}
		in += float64(g.In[i])
		out += float64(g.Out[i])
		busiest = max(busiest, float64(g.In[i]))
	}
	return in, out, busiest
}
