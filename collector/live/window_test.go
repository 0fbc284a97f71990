package live

import (
	"math"
	"testing"
)

func TestRing(t *testing.T) {
	t.Parallel()
	type reading struct {
		second int64
		value  float64
	}
	tests := []struct {
		name     string
		readings []reading
		want     float64 // mean of the last three minutes
	}{
		{"one", []reading{{0, 5}}, 5},
		{"a minute's readings", []reading{{0, 1}, {30, 3}}, 2},
		{"several minutes", []reading{{0, 1}, {60, 2}, {120, 3}}, 2},
		{"older ones drop out", []reading{{0, 100}, {60, 2}, {120, 3}, {180, 4}}, 3},
		{"out of order, inside the window", []reading{{0, 1}, {120, 3}, {60, 2}}, 2},
		{"out of order, within a minute", []reading{{119, 3}, {61, 1}}, 2},
		{"too old for the window", []reading{{600, 3}, {60, 100}}, 3},
		{"a gap", []reading{{0, 100}, {600, 3}}, 3},
		{"missing", []reading{{0, 1}, {30, math.NaN()}}, math.NaN()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRing(3)
			for _, x := range tt.readings {
				r.add(1_000_000*minuteMS+x.second*1000, x.value, 0, 0)
			}
			if got := r.mean(3)[0]; got != tt.want && !(math.IsNaN(got) && math.IsNaN(tt.want)) {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

func TestBlocks(t *testing.T) {
	t.Parallel()
	type step struct {
		minute, kwh float64
	}
	nan := math.NaN()
	tests := []struct {
		name      string
		steps     []step // the first begins
		energy    float64
		projected float64
		last      float64 // kW
	}{
		{"begun in the middle: nothing is known", []step{{5, 0}, {10, 50}}, nan, nan, nan},
		{"begun at the boundary", []step{{0, 0}, {5, 50}}, 50, (50 + 600*10.0/60) / 0.25, nan},
		{"the boundary falls between two readings", []step{{5, 0}, {14, 90}, {16, 20}}, 10, (10 + 600*14.0/60) / 0.25, nan},
		{"a whole block", []step{{0, 0}, {7, 70}, {14, 70}, {16, 20}}, 10, (10 + 600*14.0/60) / 0.25, 600},
		{"a reading at the boundary", []step{{0, 0}, {7, 70}, {15, 80}}, 0, 600, 600},
		{"a gap of a block is divided evenly", []step{{0, 0}, {10, 100}, {20, 100}}, 50, (50 + 600*10.0/60) / 0.25, 600},
		{"a longer gap is not", []step{{0, 0}, {10, 100}, {26, 160}}, nan, nan, nan},
		{"known again after the next boundary", []step{{0, 0}, {10, 100}, {26, 160}, {31, 50}}, 10, (10 + 600*14.0/60) / 0.25, nan},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, last := newBlocks(), int64(0)
			for _, s := range tt.steps {
				at := 1_000_000*quarterMS + int64(s.minute*float64(minuteMS))
				b.add(last, at, s.kwh)
				last = at
			}
			got := b.snapshot(600)
			for _, x := range []struct {
				name      string
				got, want float64
			}{
				{"energy", float64(got.EnergyKWh), tt.energy}, {"projected", float64(got.ProjectedKW), tt.projected}, {"last", float64(got.LastMeanKW), tt.last},
			} {
				if math.Abs(x.got-x.want) > 1e-9 || math.IsNaN(x.got) != math.IsNaN(x.want) {
					t.Errorf("%s %v, want %v", x.name, x.got, x.want)
				}
			}
		})
	}
}

// A meter without an energy register has its power integrated.
func TestBlocksFromPower(t *testing.T) {
	t.Parallel()
	e := newElectric()
	e.nominal = 230
	var s scratch
	for m := range int64(33) {
		s.has = 0
		s.put(power, 600)
		e.take(&s, 1_000_000*quarterMS+m*minuteMS)
	}
	if got := e.Blocks.snapshot(600); math.Abs(float64(got.LastMeanKW)-600) > 1e-6 || math.Abs(float64(got.EnergyKWh)-20) > 1e-6 {
		t.Errorf("%+v", got)
	}
}

func TestUnbalance(t *testing.T) {
	t.Parallel()
	tests := []struct {
		between [3]float64
		want    float64
	}{
		{[3]float64{400, 395, 390}, 0.01462}, {[3]float64{400, 380, 360}, 0.06089}, {[3]float64{400, 400, 400}, 0},
		{[3]float64{400, 400, 0}, 1}, {[3]float64{0, 0, 0}, math.NaN()}, {[3]float64{400, 400, math.NaN()}, math.NaN()},
	}
	for _, tt := range tests {
		got := float64(unbalance(tt.between))
		if math.Abs(got-tt.want) > 5e-6 || math.IsNaN(got) != math.IsNaN(tt.want) {
			t.Errorf("%v: %v, want %v", tt.between, got, tt.want)
		}
	}
}

func TestLearner(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		values []float64 // of one hour, week by week
		want   float64
	}{
		{"none", nil, math.NaN()},
		{"one", []float64{100}, 100},
		{"the median of two", []float64{100, 200}, 150},
		{"the median of three", []float64{100, 1000, 110}, 110},
		{"of four", []float64{100, 120, 1000, 110}, 115},
		{"of the last four", []float64{5000, 5000, 100, 120, 1000, 110}, 115},
		{"zero is a value", []float64{0, 0, 0}, 0},
		{"what is not known is left out", []float64{math.NaN(), 100}, 100},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var l learner
			for _, v := range tt.values {
				l.add(17, v)
			}
			got, greatest := l.at(17), 0.0
			for _, v := range tt.values {
				if v > greatest {
					greatest = v
				}
			}
			if math.Abs(got-tt.want) > 0.005*greatest || math.IsNaN(got) != math.IsNaN(tt.want) {
				t.Errorf("%v, want %v", got, tt.want)
			}
			if other := l.at(18); !math.IsNaN(other) {
				t.Errorf("another hour is %v", other)
			}
		})
	}
}

// Whoever holds a profile never sees it change.
func TestAProfileStaysWhatItIs(t *testing.T) {
	t.Parallel()
	var l learner
	for hour := range weekHours {
		if l.whole() != nil {
			t.Fatalf("whole after %d hours", hour)
		}
		l.add(hour, 10)
	}
	held := l.whole()
	l.add(3, 1000)
	if held[3] < 9.9 || held[3] > 10.1 || l.whole() == held {
		t.Errorf("%v", held[3])
	}
}

// The local week begins on Sunday at midnight: 1970-01-01 was a Thursday.
func TestOfWeek(t *testing.T) {
	t.Parallel()
	damascus := local{offset: 3 * hourMS}
	const monday8 = 1795420800000 // 2026-11-23 08:00 UTC, 11:00 local
	if got := ofWeek(damascus.hour(monday8)); got != 24+11 {
		t.Errorf("hour %d of the week", got)
	}
}

func TestAccountSplitsAtBoundaries(t *testing.T) {
	t.Parallel()
	l := new(local)
	a := &newZoneBook().Accounts[powerAccount]
	start := 1_000_000 * quarterMS
	half := flow{required: 100, lost: 50, gross: 50, delivered: 50}
	none := flow{required: 100, lost: 0, delivered: 100}
	a.advance(start, start, quarterMS, l, none)
	a.advance(start, start+10*minuteMS, quarterMS, l, none)
	a.advance(start+10*minuteMS, start+20*minuteMS, quarterMS, l, half) // five minutes in each
	if math.Abs(a.Settled-1.0/6) > 1e-9 || a.SettledAt != start+quarterMS || math.Abs(a.Short-50.0/3) > 1e-9 {
		t.Errorf("settled %v at %v, short %v", a.Settled, a.SettledAt-start, a.Short)
	}
	if math.Abs(a.NotSupplied-50.0/6) > 1e-9 {
		t.Errorf("not supplied %v", a.NotSupplied)
	}
	unknown := flow{required: 100, lost: math.NaN(), delivered: math.NaN()}
	a.advance(start+20*minuteMS, start+31*minuteMS, quarterMS, l, unknown)
	if !math.IsNaN(a.Settled) || a.SettledAt != start+2*quarterMS {
		t.Errorf("a block that was hardly known: %v", a.Settled)
	}
}

// Energy not supplied begins anew at local midnight.
func TestNotSupplied(t *testing.T) {
	t.Parallel()
	l := &local{offset: 3 * hourMS}
	a := &newZoneBook().Accounts[powerAccount]
	midnight := 20_000*dayMS - 3*hourMS
	f := flow{required: 60, lost: 60, gross: 60, delivered: 0}
	a.advance(midnight-30*minuteMS, midnight-10*minuteMS, quarterMS, l, f)
	if math.Abs(a.NotSupplied-20) > 1e-9 {
		t.Errorf("before midnight %v", a.NotSupplied)
	}
	a.advance(midnight-10*minuteMS, midnight+5*minuteMS, quarterMS, l, f)
	if math.Abs(a.NotSupplied-5) > 1e-9 {
		t.Errorf("after midnight %v", a.NotSupplied)
	}
}

func TestNights(t *testing.T) {
	t.Parallel()
	p := newPipe(true)
	p.local = &local{offset: 3 * hourMS}
	var s scratch
	midnight := 20_000*dayMS - 3*hourMS
	for m := int64(0); m < 20*24*60; m += 5 {
		s.has = 0
		flow := 50.0
		if day := m / (24 * 60); day >= 17 {
			flow = 80
		} else if day == 5 {
			flow = 500 // one night of fire-fighting
		}
		s.put(waterFlow, flow)
		p.take(&s, midnight+m*minuteMS)
	}
	if last, usual := p.nights(); last != [3]float64{80, 80, 80} || usual != 50 {
		t.Errorf("%v, usually %v", last, usual)
	}
	if got := p.Usual.at(10); math.Abs(got-50) > 1 { // Sunday's eleventh hour
		t.Errorf("Sunday from 10: %v", got)
	}
}

// A tank that warms holds what it held; one whose gauge is noisy loses nothing.
func TestANoisyTankLosesNothing(t *testing.T) {
	t.Parallel()
	k := newTank()
	k.capacity, k.fuel, k.local = 30_000, true, new(local)
	b := newBurner()
	k.group = &group{tanks: []*tank{k}, burners: []*burner{b}, local: k.local}
	k.litres = func(s *scratch, _, _ float64) float64 { return s.values[volume15] }
	var s scratch
	most := 0.0
	for m := range int64(6 * 60) {
		at := 1_000_000*hourMS + m*minuteMS
		s.has = 0
		s.put(fuelFlow, 60)
		b.take(&s, at)
		s.has = 0
		noise := []float64{0, 40, -30, 10, -40, 25, -5}[m%7]
		s.put(volume15, 20_000-float64(m)+noise)
		k.take(&s, at)
		if loss, sigma := k.loss(); m > 60 && loss > 3*sigma {
			most = max(most, loss)
		}
	}
	if most > 100 {
		t.Errorf("lost %v l", most)
	}
	if mean, _ := k.daily(); math.Abs(mean-1440) > 100 {
		t.Errorf("draws %v l a day", mean)
	}
}

// A delivery that begins before the hour strikes and is recognised after it is
// nobody's consumption, neither of the one hour nor of the other.
func TestADeliveryIsNoConsumption(t *testing.T) {
	t.Parallel()
	for begins := int64(120); begins < 180; begins += 5 {
		k := newTank()
		k.capacity, k.fuel, k.local = 3000, true, new(local)
		b := newBurner()
		k.group = &group{tanks: []*tank{k}, burners: []*burner{b}, local: k.local}
		k.litres = func(s *scratch, _, _ float64) float64 { return s.values[volume15] }
		start, litres := 20_000*dayMS, 1200.0
		var s scratch
		for m := range int64(8 * 60) {
			at := start + m*minuteMS
			litres--
			if m >= begins && m < begins+12 {
				litres += 140
			}
			s.has = 0
			s.put(burnt, 5000+float64(m))
			b.take(&s, at)
			if m%5 == 0 {
				s.has = 0
				s.put(volume15, litres)
				k.take(&s, at)
			}
		}
		known := 0
		for hour := range int64(8) {
			switch got := k.group.Usual.at(ofWeek(k.local.hour(start + hour*hourMS))); {
			case math.IsNaN(got):
			case math.Abs(got-60) > 8:
				t.Errorf("delivery at minute %d: %v l/h in hour %d", begins, got, hour)
			default:
				known++
			}
		}
		if known < 4 {
			t.Errorf("delivery at minute %d: %d hours learned", begins, known)
		}
	}
}
