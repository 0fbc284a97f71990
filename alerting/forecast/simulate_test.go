package forecast

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

const (
	quarterMS = 15 * 60 * 1000
	weekQ     = 7 * 96
	kept      = 64 // quarters of an hour of history, as package live keeps
)

// epoch is a Sunday midnight in Damascus.
var epoch = time.Date(2026, 8, 30, 0, 0, 0, 0, time.FixedZone("", 3*3600)).UnixMilli()

// shape is the share of its full consumption that a plant uses in an hour of
// the week.
type shape struct {
	name   string
	at     func(day, hour int) float64
	shifts []zone.Shift // as declared
}

var shapes = []shape{
	{"flat", func(int, int) float64 { return 1 }, nil},
	{"day_shift", func(_, hour int) float64 { return span(hour, 7, 15) }, []zone.Shift{{From: 7 * 60, To: 15 * 60}}},
	{"day_shift_and_weekend", func(day, hour int) float64 {
		if day >= 5 {
			return 0
		}
		return span(hour, 8, 17)
	}, []zone.Shift{{Days: []zone.Weekday{0, 1, 2, 3, 4}, From: 8 * 60, To: 17 * 60}}},
	{"two_shifts", func(day, hour int) float64 {
		if day == 5 {
			return 0.1
		}
		return 0.2 + 0.8*span(hour, 6, 22)
	}, []zone.Shift{{Days: []zone.Weekday{0, 1, 2, 3, 4, 6}, From: 6 * 60, To: 22 * 60}}},
}

func span(hour, from, to int) float64 {
	if hour >= from && hour < to {
		return 1
	}
	return 0
}

// month is a simulated plant: what it used in each quarter of an hour.
type month struct {
	used    []float64 // l
	profile snapshot.Profile
}

// simulate makes up 18 weeks: AR(1) noise, with a memory of some hours, on
// every quarter of an hour. The profile is learned as package live does: the median of the same hour in four weeks.
func simulate(s shape, noise, phi float64, seed uint64) *month {
	r := rand.New(rand.NewPCG(seed, 1))
	const full = 100 // l a quarter of an hour
	m := &month{used: make([]float64, 18*weekQ)}
	x := 0.0
	for q := range m.used {
		x = phi*x + math.Sqrt(1-phi*phi)*r.NormFloat64()
		m.used[q] = full * s.at(q/96%7, q%96/4) * max(0, 1+noise*x)
	}
	for h := range m.profile {
		var weeks [4]float64
		for w := range weeks {
			for i := range 4 {
				weeks[w] += m.used[w*weekQ+4*h+i]
			}
		}
		m.profile[h] = float32(median(weeks))
	}
	return m
}

func median(v [4]float64) float64 {
	s, low, high := 0.0, v[0], v[0]
	for _, x := range v {
		s, low, high = s+x, min(low, x), max(high, x)
	}
	return (s - low - high) / 2
}

// plantOf returns a registry with one plant and a tank of mazut, and a snapshot
// of it.
func plantOf(t testing.TB, mutate ...func(*zone.File)) *snapshot.Snapshot {
	t.Helper()
	name := zone.Name{En: "n", Ar: "ا"}
	f := &zone.File{
		City:        zone.City{ID: "city", Name: name},
		Zones:       []zone.Zone{{ID: "zone", Name: name}},
		Substations: []zone.Substation{{ID: "station", Name: name}},
		Feeders:     []zone.Feeder{{ID: "feeder", Name: name, Zone: "zone", From: "station"}},
		Tanks: []zone.Tank{
			{ID: "oil", Name: name, Zone: "zone", Plant: "mill", Utility: meter.Fuel, Fuel: "mazut", CapacityM3: 100},
		},
		Plants: []zone.Plant{{
			ID: "mill", Name: name, Zone: "zone", Feeder: "feeder", Sector: zone.Food,
			Requirement: zone.Requirement{PowerKW: 200, FuelLPerD: 9600}, StandbyKW: 200,
		}},
	}
	for _, m := range mutate {
		m(f)
	}
	r, err := zone.New([]*zone.File{f})
	if err != nil {
		t.Fatal(err)
	}
	s := &snapshot.Snapshot{Now: epoch, Registry: r, Tanks: make([]snapshot.Tank, len(r.Tanks())), Plants: make([]snapshot.Plant, len(r.Plants()))}
	for i := range s.Tanks {
		u := snapshot.Unknown
		s.Tanks[i] = snapshot.Tank{VolumeL: u, UsableL: u, DailyL: u, DailySigma: u}
	}
	for i := range s.Plants {
		p := &s.Plants[i]
		p.WaterM3H, p.GeneratorKW = snapshot.Unknown, snapshot.Unknown
		p.PowerKW = 150
	}
	return s
}

// at sets the snapshot to a moment of the month: the tank holds so much, and
// the last delivery was so many quarters ago.
func (m *month) at(s *snapshot.Snapshot, q int, usable float64, since int, learned bool) {
	s.Now = epoch + int64(q)*quarterMS
	tank := &s.Tanks[0]
	tank.UsableL = snapshot.Value(usable)
	tank.History = tank.History[:0]
	n := min(since, kept)
	volume := usable
	for i := q - 1; i >= q-n; i-- {
		volume += m.used[i]
	}
	for i := q - n; i <= q; i++ {
		tank.History = append(tank.History, snapshot.Sample{Time: epoch + int64(i)*quarterMS, Value: volume})
		volume -= m.used[min(i, len(m.used)-1)]
	}
	var days [7]float64
	for d := range days {
		for i := range 96 {
			days[d] += m.used[q-q%96-96*(d+1)+i]
		}
	}
	mean, sigma := stat.MeanStdDev(days[:], nil)
	tank.DailyL, tank.DailySigma = snapshot.Value(mean), snapshot.Value(sigma)
	s.Plants[0].FuelProfileLPH = nil
	if learned {
		s.Plants[0].FuelProfileLPH = &m.profile
	}
}

// emptyAfter is the truth: hours until so many litres are used from q on.
func (m *month) emptyAfter(q int, usable float64) float64 {
	for i := q; i < len(m.used); i++ {
		if usable <= m.used[i] {
			return float64(i-q)/4 + usable/m.used[i]/4
		}
		usable -= m.used[i]
	}
	return math.Inf(1)
}

// score is how forecasts compare with the truth.
type score struct {
	n, within, below, above int
	width, miss             float64 // mean of (p90−p10)/truth and |p50−truth|/truth
}

func (s *score) take(f snapshot.Stall, truth float64) {
	s.n++
	switch {
	case truth < float64(f.P10H):
		s.below++
	case truth > float64(f.P90H):
		s.above++
	default:
		s.within++
	}
	s.width += min(10, float64(f.P90H-f.P10H)/truth)
	s.miss += min(10, math.Abs(float64(f.P50H)-truth)/truth)
}

func (s *score) String() string {
	n := float64(s.n)
	return fmt.Sprintf("covered %.3f, below %.3f, above %.3f, width %.3f, miss %.3f",
		s.coverage(), float64(s.below)/n, float64(s.above)/n, s.width/n, s.miss/n)
}

func (s *score) coverage() float64 { return float64(s.within) / float64(s.n) }

// backtest forecasts at random moments of simulated months, the tank between a
// few hours and five days from empty, and compares with what came.
func backtest(t testing.TB, sh shape, noise, phi float64, seeds int, learned bool) *score {
	f, total := New(DefaultConfig()), new(score)
	s := plantOf(t, func(file *zone.File) { file.Plants[0].Shifts = sh.shifts })
	const first = 1000 // the defaults were chosen with lower ones
	for seed := first; seed < first+seeds; seed++ {
		m := simulate(sh, noise, phi, uint64(seed))
		r := rand.New(rand.NewPCG(uint64(seed), 2))
		day := 0.0
		for _, lph := range m.profile {
			day += float64(lph) / 7
		}
		for range 20 {
			q := 5*weekQ + r.IntN(8*weekQ)
			usable := day * (0.2 + 4.8*r.Float64())
			m.at(s, q, usable, r.IntN(4*96), learned)
			f.Fill(s)
			total.take(s.Plants[0].Stall[Fuel], m.emptyAfter(q, usable))
		}
	}
	return total
}
