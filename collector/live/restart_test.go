package live_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/live"
	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// restart saves the play's state and goes on with another process, which was
// down for a while.
func (p *play) restart(registry *zone.Registry, down time.Duration) {
	p.t.Helper()
	var saved bytes.Buffer
	if err := p.Save(&saved); err != nil {
		p.t.Fatal(err)
	}
	p.now = p.now.Add(down)
	p.registry, p.catalog = registry, meter.NewCatalog(1000)
	p.State = live.New(registry, func() time.Time { return p.now })
	if err := p.Load(&saved, true); err != nil {
		p.t.Fatal(err)
	}
	p.snap = snapshot.Snapshot{}
}

// shown is all that a snapshot says, but for what counts messages.
func (p *play) shown() string {
	p.snap.Registry = nil
	for i := range p.snap.Plants {
		p.snap.Plants[i].WaterProfileLPH, p.snap.Plants[i].FuelProfileLPH = nil, nil
	}
	return strings.ReplaceAll(fmt.Sprintf("%+v", p.snap), "} {", "}\n{")
}

// A restart in the middle of everything leaves no trace.
func TestARestartLeavesNoTrace(t *testing.T) {
	t.Parallel()
	story := func(p *play, pause func()) string {
		p.SetStage("c", 2)
		p.Gateway("z", "g", false, p.now.UnixMilli())
		p.minutes(50)
		p.litres += 8000 // a delivery is under way
		p.minutes(8)
		p.cut("f1", "fb", "p1", "p2", "p3", "p4")
		p.minutes(5)
		p.mute("e-p5")
		p.minutes(4)
		pause()
		p.minutes(9)
		return p.shown()
	}
	r := town(t, rationed)
	want := story(newPlay(t, r), func() {})
	p := newPlay(t, r)
	got := story(p, func() { p.restart(r, 0) })
	if got != want {
		g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
		for i := range g {
			if i < len(w) && g[i] != w[i] {
				t.Errorf("after a restart\n%s\nwithout\n%s", g[i], w[i])
			}
		}
	}
}

// While the collector was down nobody fell silent.
func TestSilenceCountsFromTheRestart(t *testing.T) {
	t.Parallel()
	r := town(t)
	p := newPlay(t, r)
	p.minutes(10)
	p.mute("e-p6") // before
	p.minutes(10)
	p.restart(r, 2*time.Hour)
	p.mute("e-p5") // while it was down
	for minute := range 3 {
		p.minute()
		if p.facts("e-p5").Silent || p.plant("p5").PowerKW.Known() || p.feeder("f2").Dead.Since != 0 {
			t.Errorf("minute %d: silent, or known by what is two hours old", minute+1)
		}
		if !p.facts("e-p6").Silent || p.facts("e-p6").Since != p.after(10) {
			t.Errorf("minute %d: a silent meter has been forgotten", minute+1)
		}
	}
	p.minute()
	if f := p.facts("e-p5"); !f.Silent || f.Since != p.after(20) {
		t.Errorf("%+v", f)
	}
}

// After a crash what was saved on the way is true of nobody who has not spoken
// again: it may be over, or have begun, and have been told of.
func TestACrashLeavesDoubt(t *testing.T) {
	t.Parallel()
	r := town(t)
	p := newPlay(t, r)
	p.Gateway("z", "g", false, p.now.UnixMilli())
	p.minutes(20)
	p.mute("e-p6")
	p.minutes(10)
	var saved bytes.Buffer
	if err := p.Save(&saved); err != nil {
		t.Fatal(err)
	}
	p.now = p.now.Add(time.Second)
	p.catalog = meter.NewCatalog(1000)
	p.State = live.New(r, func() time.Time { return p.now })
	if err := p.Load(&saved, false); err != nil {
		t.Fatal(err)
	}
	p.Snapshot(&p.snap)
	if p.feeder("f1").VoltagePU[0].Known() || p.plant("p5").Capability.Known() {
		t.Errorf("known before anybody has spoken: %+v", p.feeder("f1"))
	}
	if m := p.facts("e-p6"); m.Silent || m.Recent != 0 {
		t.Errorf("silent by what is no longer true: %+v", m)
	}
	if g := p.snap.Gateways[0]; g.Online || g.Since != 0 {
		t.Errorf("%+v", g)
	}
	p.Gateway("z", "g", true, p.now.UnixMilli())
	p.minute()
	if !p.feeder("f1").VoltagePU[0].Known() || !near(p.feeder("f1").VoltageMean[0], 1) {
		t.Errorf("%+v", p.feeder("f1"))
	}
	if g := p.snap.Gateways[0]; !g.Online || g.Since == 0 {
		t.Errorf("%+v", g)
	}
	p.minutes(4)
	if m := p.facts("e-p6"); !m.Silent || m.Since != p.after(20) {
		t.Errorf("%+v", m)
	}
}

// What the new registry has not is forgotten, what it has besides is new.
func TestARestartWithAnotherRegistry(t *testing.T) {
	t.Parallel()
	p := newPlay(t, town(t))
	p.minutes(20)
	p.cut("p2")
	p.minutes(5)
	p.restart(town(t, func(f *zone.File) {
		f.Plants = append([]zone.Plant{{ID: "p0", Name: f.Plants[0].Name, Zone: "z", Feeder: "f2", Sector: zone.OtherSector, ContractKVA: 10}}, f.Plants...)
		for i := range f.Meters {
			if f.Meters[i].At == "p3" {
				f.Meters[i].ID = "new"
			}
		}
	}), 0)
	p.minute()
	if d := p.plant("p2").Dead; d.Since != p.after(21) {
		t.Errorf("p2 %+v", d)
	}
	if m := p.facts("new"); m.Recent != 1 {
		t.Errorf("%+v", m)
	}
	if m := p.facts("e-p4"); m.Recent != 26 {
		t.Errorf("%+v", m)
	}
}

// The same goes for a registry that is put in force while all runs.
func TestANewRegistryKeepsWindows(t *testing.T) {
	t.Parallel()
	p := newPlay(t, town(t))
	p.minutes(40)
	p.registry = town(t, func(f *zone.File) { f.Feeders[0], f.Feeders[1] = f.Feeders[1], f.Feeders[0] })
	p.SetRegistry(p.registry)
	p.minute()
	if !near(p.feeder("f1").VoltageMean[0], 1) || !near(p.plant("p5").Block.LastMeanKW, 300) || p.facts("e-p5").Recent != 41 {
		t.Errorf("%+v", *p.feeder("f1"))
	}
}

func TestADamagedState(t *testing.T) {
	t.Parallel()
	p := newPlay(t, town(t))
	p.minutes(20)
	var saved bytes.Buffer
	if err := p.Save(&saved); err != nil {
		t.Fatal(err)
	}
	whole := saved.Bytes()
	tests := map[string][]byte{
		"empty": nil, "a torn tail": whole[:len(whole)-100], "its first line": whole[:13], "another version": append([]byte("imdad live 9\n"), whole[13:]...),
		"a bit": func() []byte { b := bytes.Clone(whole); b[len(b)/2] ^= 4; return b }(),
	}
	for name, raw := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := live.New(p.registry, func() time.Time { return p.now })
			if err := s.Load(bytes.NewReader(raw), true); !errors.Is(err, live.ErrDamaged) {
				t.Errorf("%v", err)
			}
			s.Snapshot(new(snapshot.Snapshot))
		})
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte("imdad live 1\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := live.New(city(t), func() time.Time { return time.UnixMilli(1795420800000) })
		if err := s.Load(bytes.NewReader(raw), true); err != nil && !errors.Is(err, live.ErrDamaged) {
			t.Error(err)
		}
	})
}
