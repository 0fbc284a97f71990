package vet_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/vet"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// A month of minutes of a mill on three shifts: the truth, and what arrived.
const (
	monthMinutes = 30 * 24 * 60
	exchangedAt  = 11*24*60 + 437 // minute, before its reading
	shown0       = 999_000.0      // of the first device, which rolls over
	shownNew     = 120.0          // of the second
)

// truth is what the mill has consumed by each minute, kWh.
func truth(random *rand.Rand) []float64 {
	all := make([]float64, monthMinutes+1)
	noise := 0.0
	for m := 1; m <= monthMinutes; m++ {
		hour := float64(m%1440) / 60
		noise = 0.95*noise + 0.1*random.NormFloat64()
		kw := (400 + 60*math.Sin(hour/24*2*math.Pi)) * max(0.2, 1+0.2*noise)
		if h := math.Mod(hour, 8); h < 0.25 || m/1440%7 == 5 {
			kw *= 0.3 // the change of shifts, and Fridays
		}
		all[m] = all[m-1] + kw/60
	}
	return all
}

type arrival struct {
	at      int64 // ms of receipt
	minute  int
	reading at
}

// arrivals is what comes of a month when of each twenty readings one is lost, one
// doubled and one late by up to six hours.
func arrivals(random *rand.Rand, energy []float64) []arrival {
	var all []arrival
	for m := range energy {
		shown := math.Mod(shown0+energy[m], 1e6)
		if m >= exchangedAt {
			shown = shownNew + energy[m] - energy[exchangedAt-1]
		}
		shown = math.Round(shown*100) / 100
		a := arrival{quarter + int64(m)*minute, m, at{int64(m) * minute, shown}}
		switch p := random.Float64(); {
		case p < 0.05:
			continue
		case p < 0.10:
			all = append(all, a)
		case p < 0.15:
			a.at += int64(math.Exp(random.Float64()*math.Log(6*60)) * minute)
		}
		all = append(all, a)
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return int(a.at - b.at) })
	return all
}

func TestAMonth(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		readings bool // of the exchanged devices are known
		restarts bool
		worst    float64 // error of the month
	}{
		{"devices read at the exchange", true, false, 1e-4},
		{"nobody read the devices", false, false, 1e-3},
		{"with restarts", true, true, 1e-4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(11, 23))
			energy := truth(random)
			exchange := zone.Replacement{At: time.UnixMilli(quarter + exchangedAt*minute - minute/2), Serial: "n"}
			if tt.readings {
				exchange.Final = map[string]float64{"energy_import_kwh": math.Mod(shown0+energy[exchangedAt-1], 1e6) + 0.01}
				exchange.Initial = map[string]float64{"energy_import_kwh": shownNew}
			}
			registry := mill(t, 1250, 6, exchange)
			s := newStream(registry)
			var prints []byte
			for _, a := range arrivals(random, energy) {
				if tt.restarts && random.IntN(500) == 0 {
					s.vetter = reload(t, s.vetter, registry)
					if err := s.vetter.Load(prints, a.at); err != nil {
						t.Fatal(err)
					}
				}
				r := meter.Reading{Series: s.series, Time: quarter + a.reading.ms, Values: []meter.Value{{Register: s.register, Value: a.reading.value}}}
				_, prints = s.vetter.Check(&r, a.at, prints)
				s.take(t)
			}
			judgeMonth(t, s, energy, tt.worst)
			found := s.vetter.Findings()
			if !tt.restarts && (found["rollover"] != 1 || found["replaced"] != 1 || found["reset"] != 0) {
				t.Errorf("found %v", found)
			}
		})
	}
}

// judgeMonth compares the blocks with the truth.
func judgeMonth(t *testing.T, s *stream, energy []float64, worst float64) {
	t.Helper()
	n := monthMinutes / 15
	if len(s.blocks) < n-1 || len(s.blocks) > n {
		t.Fatalf("%d blocks, want %d or the one before", len(s.blocks), n)
	}
	sum, missed, by := 0.0, 0.0, make(map[meter.Quality]int)
	var errors []float64
	for i := range len(s.blocks) {
		b, ok := s.blocks[quarter+int64(i)*block]
		if !ok {
			t.Fatalf("no block %d", i)
		}
		want := energy[15*i+15] - energy[15*i]
		sum += b.Amount
		missed += want
		by[b.Quality]++
		if b.Quality == meter.Good {
			errors = append(errors, math.Abs(b.Amount-want)/want)
		}
	}
	slices.Sort(errors)
	p50, p99, most := errors[len(errors)/2], errors[len(errors)*99/100], errors[len(errors)-1]
	t.Logf("%.2f kWh of %.2f, error %.5f %%; %d blocks, by quality %v, good ones off by p50 %.4f %%, p99 %.4f %%, max %.4f %%",
		sum, missed, 100*(sum/missed-1), len(s.blocks), by, 100*p50, 100*p99, 100*most)
	if math.Abs(sum/missed-1) > worst {
		t.Errorf("the month is off by %.4f %%", 100*(sum/missed-1))
	}
	if most > 0.002 { // a hundredth of a kWh at each end of a block of 25
		t.Errorf("a good block is off by %.4f %%", 100*most)
	}
}

// Memory of a steady fleet, and the cost of saving it.
func BenchmarkFleet(b *testing.B) {
	const meters = 100_000
	v := vet.New(nil)
	all := make([]*meter.Series, meters)
	for i := range all {
		all[i] = series(i)
	}
	values := []meter.Value{{Register: "energy_import_kwh"}, {Register: "reactive_energy_import_kvarh"}}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		values[0].Value, values[1].Value = float64(i/meters), float64(i/meters)/2
		r := meter.Reading{Series: all[i%meters], Time: quarter + int64(i/meters)*minute, Values: values}
		v.Check(&r, r.Time, nil)
	}
	var state bytes.Buffer
	begin := time.Now()
	saving, longest := v.Save(), time.Since(begin)
	for more := true; more; {
		var piece []byte
		begun := time.Now()
		piece, more = saving.Next()
		longest = max(longest, time.Since(begun))
		state.Write(piece)
	}
	b.ReportMetric(float64(time.Since(begin).Milliseconds()), "ms/save")
	b.ReportMetric(longest.Seconds()*1000, "ms/piece")
	b.ReportMetric(float64(state.Len())/meters, "saved-B/meter")
}

// BenchmarkCounters passes readings of two counters in the steady state.
func BenchmarkCounters(b *testing.B) {
	for _, bm := range []struct {
		name string
		one  string
		two  string
	}{{"two counters", "energy_import_kwh", "energy_export_kwh"}, {"none", "one_v", "two_v"}} {
		b.Run(bm.name, func(b *testing.B) {
			v, s := vet.New(nil), series(0)
			values := []meter.Value{{Register: bm.one}, {Register: bm.two}}
			prints := make([]byte, 0, 64)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				values[0].Value, values[1].Value = float64(i), float64(i)/2
				r := meter.Reading{Series: s, Time: quarter + int64(i)*minute, Values: values}
				v.Check(&r, r.Time, prints)
			}
		})
	}
}
