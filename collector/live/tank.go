package live

import (
	"math"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// The windows of a tank (DOMAIN §3, Fuel).
const (
	fiveMS         = 5 * minuteMS
	lossFives      = 6  // half an hour
	historyKept    = 64 // quarters of an hour
	daysKept       = 7
	bookDays       = 3 // of one sum of the reconciliation
	booksKept      = 10
	deliveriesKept = 2           // before the last two
	wholeDay       = 20 * hourMS // known of a day for it to count
	firstDraw      = hourMS      // known before there is a mean draw
	noiseMemory    = 0.05        // weight of a new difference in the noise
	noiseClip      = 3.0         // σ, beyond which a difference is no noise
	noiseLearnt    = 6           // differences before the noise is known
	deliveryShare  = 0.02        // of capacity
	deliveryLeast  = 200.0       // l
	settling       = 10 * minuteMS
)

// five is five minutes of a tank.
type five struct {
	Volume float32 // mean, l
	Burned float32 // metered by its end, as tank.Burned
	Drawn  float32 // by its end, as tank.Drawn
	End    int32   // five minutes since the epoch; 0: nothing
}

// at is its end, in ms; 0: nothing.
func (f *five) at() int64 { return int64(f.End) * fiveMS }

// book is the draw by volume and the metered burn of some days.
type book struct{ Drawn, Burned float32 }

// tank follows the content of a tank, in litres, at 15 °C for fuel: some 650
// bytes, 80 more for fuel, and 256 for its history of 16 h.
type tank struct {
	Time    int64
	Volume  float64
	Celsius float64
	// Earlier is the last content of the minute before Time's, or before that.
	Earlier   float64
	EarlierAt int64

	Open   int64   // five minutes since the epoch that Sum belongs to
	Sum    float64 // of the readings in it, and how many
	Burn   float64 // sums of what the group's meters said at these readings
	In     float64
	N      int64
	Fives  [lossFives + 1]five // newest first
	Noise  float64             // variance of what nobody metered in five minutes
	NoiseN int32

	Known      bool // Closed and the totals behind it mean something
	Closed     float64
	BurnTotal  float64 // of the group, when Closed was
	InTotal    float64
	Drawn      float64 // l since From
	Burned     float64
	From       int64
	Day        int64 // local
	DayFrom    int64
	DayDrawn   float64
	Days       []float32 // newest first
	Books      []book    // of fuel
	BookNewest int64

	Filling    bool
	Rising     int32 // readings in a row that look like a delivery
	Base       float64
	BaseBurned float64
	Highest    float64 // of content and burn in the half hour before
	Peak       float64
	PeakAt     int64
	Delivery   snapshot.Delivery
	Before     []snapshot.Delivery // before it, newest first

	WaterMM float64 // at the bottom, by the last reading that said it
	Surge   surge

	History    []float32 // by quarter of an hour, oldest first; NaN: not known
	HistoryEnd int64     // quarters since the epoch, of the newest

	capacity float64 // l
	usual    float64 // l/d that its consumers declare; 0: nothing
	standby  bool    // for generators: nothing is drawn on most days
	fuel     bool
	litres   func(s *scratch, celsius, waterMM float64) float64
	group    *group
	local    *local
	def      *zone.Tank
	city     string
	events   *tankEvents
}

func newTank() *tank { return &tank{Volume: nan, Celsius: nan} }

func (k *tank) take(s *scratch, t int64) counterNews {
	if t < k.Time {
		return false // a level is news or nothing
	}
	if s.got(celsius) {
		k.Celsius = s.values[celsius]
	}
	if s.got(waterLevel) {
		k.WaterMM = s.values[waterLevel]
	}
	v := k.litres(s, k.Celsius, k.WaterMM)
	if !(v >= 0) {
		return false
	}
	if at := t / fiveMS; at != k.Open {
		k.close((k.Open + 1) * fiveMS)
		k.Open = at
		k.empty()
	}
	k.add(v)
	if k.Time/minuteMS != t/minuteMS { // the last of another minute
		k.Earlier, k.EarlierAt = k.Volume, k.Time
	}
	before := k.Time
	k.Volume, k.Time = v, t
	k.deliver(t)
	k.follow(t, before)
	k.remember(t)
	return false
}

// add counts a content among those of the open five minutes.
func (k *tank) add(v float64) {
	burn, in := k.group.totals(k)
	k.Sum += v
	k.Burn += burn
	k.In += in
	k.N++
}

func (k *tank) empty() { k.Sum, k.Burn, k.In, k.N = 0, 0, 0, 0 }

// means are those of the open five minutes: of the content, and of what meters
// said at the same times.
func (k *tank) means() (volume, burn, in float64) {
	n := float64(k.N)
	return k.Sum / n, k.Burn / n, k.In / n
}

// close ends five minutes.
func (k *tank) close(end int64) {
	if k.N == 0 {
		return
	}
	mean, burn, in := k.means()
	if !k.Known {
		k.Known, k.From, k.DayFrom, k.Day = true, end, end, k.local.day(end)
	} else {
		k.draw(end, mean-k.Closed, burn-k.BurnTotal, in-k.InTotal)
	}
	k.Closed, k.BurnTotal, k.InTotal = mean, burn, in
	copy(k.Fives[1:], k.Fives[:])
	k.Fives[0] = five{Volume: float32(mean), Burned: float32(k.Burned), Drawn: float32(k.Drawn), End: int32(end / fiveMS)}
	k.group.learn(end)
}

// draw books what left the tank while its content changed by delta litres,
// while burn was metered, and in came through a meter.
func (k *tank) draw(end int64, delta, burn, in float64) {
	drawn := max(0, -delta)
	switch {
	case k.fuel && k.Filling:
		drawn = burn
	case k.fuel:
		drawn = -delta
		k.noise(delta + burn)
		if delta > k.risen()/2 {
			k.group.void() // perhaps a delivery begins
		}
	case k.group.supplied():
		drawn = in - delta
	}
	if day := k.local.day(end); day != k.Day {
		if end-k.DayFrom >= wholeDay {
			k.Days = append([]float32{float32(k.DayDrawn)}, k.Days...)
			k.Days = k.Days[:min(len(k.Days), daysKept)]
		}
		k.Day, k.DayFrom, k.DayDrawn = day, end, 0
	}
	k.Drawn += drawn
	k.DayDrawn += drawn
	k.Burned += burn
	if k.fuel {
		b := k.book(k.Day / bookDays)
		b.Drawn += float32(drawn)
		b.Burned += float32(burn)
	}
	k.group.Drawn += drawn
}

func (k *tank) book(at int64) *book {
	if k.Books == nil {
		k.Books = make([]book, booksKept)
	}
	if at > k.BookNewest {
		for i := max(k.BookNewest+1, at-booksKept+1); i <= at; i++ {
			k.Books[i%booksKept] = book{}
		}
		k.BookNewest = at
	}
	return &k.Books[at%booksKept]
}

// noise learns how much the content changes beyond what is metered. What is
// far outside is not noise and counts as its border only.
func (k *tank) noise(r float64) {
	square := r * r
	k.NoiseN = min(k.NoiseN+1, 1000)
	if k.NoiseN > noiseLearnt {
		square = min(square, noiseClip*noiseClip*k.Noise)
	}
	weight := max(noiseMemory, 1/float64(k.NoiseN))
	k.Noise += weight * (square - k.Noise)
}

// loss returns the litres that left the tank unmetered in the last half hour,
// and the noise of that figure. What tanks of one consumer lose to one another
// is no loss.
func (k *tank) loss() (litres, sigma float64) {
	litres, sigma = k.fall()
	all := 0.0
	for _, other := range k.group.tanks {
		if f, _ := other.fall(); !math.IsNaN(f) {
			all += f
		}
	}
	return min(litres, all), sigma
}

// fall is the tank's own loss, as if the meter's burn were shared by size.
func (k *tank) fall() (litres, sigma float64) {
	if !k.fuel || k.Filling || k.NoiseN < noiseLearnt || k.N == 0 || !k.group.metered() {
		return nan, nan
	}
	var then *five
	for i := range k.Fives {
		if f := &k.Fives[i]; f.End > 0 && k.Time-f.at() <= lossFives*fiveMS {
			then = f
		}
	}
	if then == nil {
		return nan, nan
	}
	volume, burn, _ := k.means()
	own := float64(then.Volume) - volume - (k.Burned + burn - k.BurnTotal - float64(then.Burned))
	return own, math.Sqrt(k.Noise)
}

// deliver follows a delivery: a rise by more than the threshold within half an
// hour, and the settling after it.
func (k *tank) deliver(t int64) {
	if !k.fuel {
		return
	}
	burned := k.Burned
	if k.Known {
		burn, _ := k.group.totals(k)
		burned += burn - k.BurnTotal
	}
	if !k.Filling {
		k.begin(t, burned)
		return
	}
	if k.Volume > k.Peak+0.0005*k.capacity {
		k.Peak, k.PeakAt = k.Volume, t
	}
	k.Delivery.VolumeL = k.Volume - k.Base + burned - k.BaseBurned
	if t-k.PeakAt < settling {
		return
	}
	if burn, in := k.group.totals(k); k.Known {
		k.draw(t, 0, burn-k.BurnTotal, in-k.InTotal)
		k.Closed, k.BurnTotal, k.InTotal = k.Volume, burn, in
	}
	k.Delivery.End = k.PeakAt
	k.received(burned)
	k.Filling, k.Rising = false, 0
	k.Fives = [lossFives + 1]five{}
	k.empty()
	k.add(k.Volume)
	k.history(nil, t/quarterMS)
}

// begin looks for the beginning of a delivery.
func (k *tank) begin(t int64, burned float64) {
	var low *five
	highest := math.Inf(-1)
	for i := range k.Fives {
		f := &k.Fives[i]
		if f.End == 0 || t-f.at() > lossFives*fiveMS {
			continue
		}
		if low == nil || f.Volume < low.Volume {
			low = f
		}
		if f.at()-fiveMS >= k.Surge.After { // before, something was drawn off
			highest = max(highest, float64(f.Volume)+float64(f.Burned))
		}
	}
	if low == nil || k.Volume-float64(low.Volume) <= k.risen() {
		k.Rising = 0
		return
	}
	if k.Rising++; k.Rising < 2 { // one odd reading is no tanker
		return
	}
	if k.Delivery.Start != 0 {
		k.Before = append([]snapshot.Delivery{k.Delivery}, k.Before[:min(len(k.Before), deliveriesKept)]...)
	}
	k.Highest = highest
	k.Filling, k.Base, k.BaseBurned = true, float64(low.Volume), float64(low.Burned)
	k.Peak, k.PeakAt = k.Volume, t
	// What rose since then was no draw turned round.
	k.correct(k.Burned - float64(low.Burned) - k.Drawn + float64(low.Drawn))
	k.Delivery = snapshot.Delivery{Start: low.at(), VolumeL: k.Volume - k.Base + burned - k.BaseBurned}
}

// risen is the rise, in l, from which on it is a delivery.
func (k *tank) risen() float64 { return max(deliveryShare*k.capacity, deliveryLeast) }

// correct books litres that were drawn although it did not look like that.
func (k *tank) correct(litres float64) {
	k.Drawn += litres
	k.DayDrawn += litres
	k.book(k.Day / bookDays).Drawn += float32(litres)
	k.group.Drawn += litres
	k.group.void() // part of it may be the hour's before
}

// remember keeps the first content of each quarter of an hour.
func (k *tank) remember(t int64) {
	if at := t / quarterMS; at > k.HistoryEnd && !k.Filling {
		h := k.History
		for q := max(k.HistoryEnd+1, at-historyKept); q < at && len(h) > 0; q++ {
			h = append(h, float32(nan))
		}
		k.history(append(h, float32(k.Volume)), at)
	}
}

func (k *tank) history(h []float32, end int64) {
	if n := len(h) - historyKept; n > 0 {
		copy(h, h[n:])
		h = h[:historyKept]
	}
	k.History, k.HistoryEnd = h, end
}

// daily returns the mean draw of a day and the deviation of the days. Until a
// whole day is known, what is usual stands for the hours that are missing.
func (k *tank) daily() (mean, sigma float64) {
	if len(k.Days) == 0 {
		known := float64(k.Time-k.From) / float64(dayMS)
		switch {
		case !k.Known && k.usual > 0:
			return k.usual, nan
		case !k.Known, k.usual == 0 && !k.standby && k.Time-k.From < firstDraw:
			return nan, nan
		case known < 1 && (k.usual > 0 || k.standby):
			return max(0, k.Drawn+k.usual*(1-known)), nan
		}
		return max(0, k.Drawn) / known, nan
	}
	for _, d := range k.Days {
		mean += float64(d)
	}
	mean /= float64(len(k.Days))
	if len(k.Days) < 2 {
		return max(0, mean), nan
	}
	for _, d := range k.Days {
		sigma += (float64(d) - mean) * (float64(d) - mean)
	}
	return max(0, mean), math.Sqrt(sigma / float64(len(k.Days)-1))
}

// reconciled returns the 30-day difference of the books, negative where more
// left the tank than was metered, and the throughput. Nobody knows from which
// of its tanks a consumer drew: what one lacks and another has is no difference.
func (k *tank) reconciled() (variance, throughput float64) {
	own, throughput := k.books()
	all, same := 0.0, 0.0
	for _, other := range k.group.tanks {
		v, _ := other.books()
		all += v
		if v*own > 0 {
			same += v
		}
	}
	if all*own <= 0 {
		return 0, throughput
	}
	return all * own / same, throughput
}

// books returns the difference and the throughput of the tank's own books.
func (k *tank) books() (variance, throughput float64) {
	for i := range k.Books {
		variance += float64(k.Books[i].Burned) - float64(k.Books[i].Drawn)
		throughput += float64(k.Books[i].Drawn)
	}
	return variance, throughput
}
