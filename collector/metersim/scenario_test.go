package metersim

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

func TestWhen(t *testing.T) {
	t.Parallel()
	damascus, err := time.LoadLocation("Asia/Damascus")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 11, 23, 9, 30, 0, 0, damascus)
	for _, tt := range []struct{ text, want, wrong string }{
		{text: "+90m", want: "2026-11-23T11:00:00+03:00"},
		{text: "-2h", want: "2026-11-23T07:30:00+03:00"},
		{text: "2026-11-24T08:00", want: "2026-11-24T08:00:00+03:00"},
		{text: "2026-11-24T08:00:05", want: "2026-11-24T08:00:05+03:00"},
		{text: "2021-07-01T08:00", want: "2021-07-01T08:00:00+03:00"}, // summer time
		{text: "2021-12-01T08:00", want: "2021-12-01T08:00:00+02:00"},
		{text: "2026-11-24T08:00:00Z", want: "2026-11-24T11:00:00+03:00"},
		{text: "+2x", wrong: "no time after the start"},
		{text: "tomorrow", wrong: "no time; write"},
		{text: "", wrong: "no time; write"},
	} {
		var w When
		err := w.UnmarshalText([]byte(tt.text))
		switch {
		case tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)):
			t.Errorf("%q: error %v, want %q", tt.text, err, tt.wrong)
		case tt.wrong == "" && err != nil:
			t.Errorf("%q: %v", tt.text, err)
		case tt.wrong == "":
			if got := w.in(start, damascus).In(damascus).Format(time.RFC3339); got != tt.want || w.IsZero() {
				t.Errorf("%q is %s, want %s", tt.text, got, tt.want)
			}
		}
	}
	if at := (When{}).in(start, damascus); !at.IsZero() || !(When{}).IsZero() {
		t.Errorf("no time is %v", at)
	}
}

// afflicted is the test city with one incident from a minute after monday, for
// two minutes.
func afflicted(t *testing.T, i *incident) *model {
	t.Helper()
	m, err := newModel(testCity(t), 1, monday)
	if err != nil {
		t.Fatal(err)
	}
	i.start, i.end = monday.UnixMilli()+60_000, monday.UnixMilli()+180_000
	for _, def := range testCity(t).Meters() {
		if def.Utility == meter.Generator {
			if _, err := m.source(def); err != nil {
				t.Fatal(err)
			}
		}
	}
	m.afflict([]*incident{i}, 1)
	return m
}

// TestCutIsAbrupt: a cut takes everything behind it in the instant in which it
// begins, and gives it back in the instant in which it ends; counters never run
// back, and what comes in is at all times what goes on and is lost.
func TestCutIsAbrupt(t *testing.T) {
	t.Parallel()
	i := &incident{apply: cut("f1"), short: []string{"p0", "p1", "p3"}}
	m := afflicted(t, i)
	f1, f2, f3 := m.nodes["f1"], m.nodes["f2"], m.nodes["f3"]
	last := f1.active.total
	for m.now < i.end+60_000 {
		m.advance()
		dead := m.now >= i.start && m.now < i.end
		for name, l := range map[string]*load{"f1": &f1.load, "f2": &f2.load, "p0": &m.byPlant["p0"].load, "p1": &m.byPlant["p1"].load} {
			for _, x := range []float64{0, 0.5, 1} {
				if volts := l.perUnit.at(x); dead != (volts == 0) || dead && l.active.at(x) != 0 {
					t.Fatalf("%s has %v of its voltage and %v kW, %d s after the cut", name, volts, l.active.at(x), (m.now-i.start)/1000)
				}
			}
		}
		if f3.dead || f3.perUnit.at(0) < 0.9 {
			t.Fatalf("f3, beside it, has %v", f3.perUnit.at(0))
		}
		if f1.active.total < last {
			t.Fatalf("its counter runs back from %v to %v", last, f1.active.total)
		}
		last = f1.active.total
		for _, x := range []float64{0, 0.3, 1} {
			sum := f2.active.at(x)
			for _, p := range f1.plants {
				sum += p.load.active.at(x)
			}
			if kw := f1.active.at(x); kw < sum || kw > 1.1*sum+30 {
				t.Fatalf("%v kW enter the feeder, %v leave it", kw, sum)
			}
		}
	}
	if i.ensKWh <= 0 {
		t.Error("nothing was missing")
	}
}

// TestGeneratorsCarryOn: twenty seconds into a cut the plant's own sets run, and
// burn what they make.
func TestGeneratorsCarryOn(t *testing.T) {
	t.Parallel()
	i := &incident{apply: cut("f1")}
	m := afflicted(t, i)
	p := m.byPlant["p3"] // food: with a diesel tank
	var diesel *oilTank
	for _, o := range p.oil {
		if o.standby {
			diesel = o
		}
	}
	for m.now < i.start {
		m.advance()
	}
	held, made := diesel.net.integral(0), p.generators[0].output.integral(0)
	for m.now < i.end-stepMS {
		m.advance()
		if kw := p.generators[0].output.to; m.now >= i.start+30_000 && kw <= 0 {
			t.Fatalf("%v kW, %d s after the cut", kw, (m.now-i.start)/1000)
		}
	}
	made, held = p.generators[0].output.integral(1)-made, held-diesel.net.integral(1)
	if made < 1 || math.Abs(held-litresPerKWh*made) > 0.02*held {
		t.Errorf("%v kWh made of %v l", made, held)
	}
	m.advance()
	m.advance()
	if p.generators[0].output.to != 0 {
		t.Error("it runs on when the grid is back")
	}
}

// TestPrepareChecksTheCity: what a scenario asks of a city that is not there is
// told by the path in the scenario.
func TestPrepareChecksTheCity(t *testing.T) {
	t.Parallel()
	city := &zone.File{City: zone.City{ID: "c", Name: zone.Name{En: "c", Ar: "c"}}}
	s := &Scenario{Name: "s", Start: When{at: monday}, Duration: time.Hour, Causes: []Cause{{Cause: "burst", Object: "w1"}}}
	if _, err := Prepare(s, []*zone.File{city}, 1); err == nil || !strings.HasPrefix(err.Error(), `causes[0].object: there is no water line "w1"`) {
		t.Errorf("error %v", err)
	}
	if _, err := Prepare(s, nil, 1); err == nil {
		t.Error("no city is no error")
	}
	if _, err := Play(t.Context(), PlayOptions{}); err == nil {
		t.Error("no plan is no error")
	}
}
