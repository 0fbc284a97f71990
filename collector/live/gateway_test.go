package live_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/imdad-telemetry/imdad/collector/live"
	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// stale has what meters speak through die, now.
func (p *play) stale(ids ...string) {
	for _, id := range ids {
		m := p.meter(id)
		p.Stale(p.catalog.Get(m.Zone, m.Utility, m.ID), p.now.UnixMilli())
	}
}

// TestUnknownAtOnce takes the words of meters away whose node or gateway has
// died, and gives them back when they are heard again.
func TestUnknownAtOnce(t *testing.T) {
	t.Parallel()
	looks := func(p *play) { p.now = p.now.Add(time.Second); p.Snapshot(&p.snap) }
	silent := func(id string) func(p *play) bool {
		return func(p *play) bool { return p.facts(id).Silent }
	}
	knows := func(p *play) bool { return p.plant("p5").PowerKW.Known() && p.plant("p5").Capability.Known() }
	tests := []struct {
		name  string
		tell  func(p *play)
		known bool
	}{
		{"nothing has died", looks, true},
		{"the node of the meter", func(p *play) { p.stale("e-p5"); looks(p) }, false},
		{"the gateway of the meter", func(p *play) { p.Gateway("z", "g", false, p.now.UnixMilli()); looks(p) }, false},
		{"another meter's", func(p *play) { p.stale("e-p6"); p.Gateway("z", "h", false, p.now.UnixMilli()); looks(p) }, true},
		{"before it was heard", func(p *play) {
			m := p.meter("e-p5")
			p.Stale(p.catalog.Get(m.Zone, m.Utility, m.ID), p.now.UnixMilli()-1)
			looks(p)
		}, true},
		{"a gateway that comes back knows nothing yet", func(p *play) {
			p.Gateway("z", "g", false, p.now.UnixMilli())
			p.Gateway("z", "g", true, p.now.UnixMilli()+1)
			looks(p)
		}, false},
		{"a gateway that only says that it is there", func(p *play) { p.Gateway("z", "g", true, p.now.UnixMilli()); looks(p) }, true},
		{"heard again after its node", func(p *play) { p.stale("e-p5"); p.minute() }, true},
		{"heard again after its gateway", func(p *play) {
			p.Gateway("z", "g", false, p.now.UnixMilli())
			p.Gateway("z", "g", true, p.now.UnixMilli())
			p.minute()
		}, true},
		{"another registry changes nothing of it", func(p *play) {
			p.stale("e-p5")
			p.SetRegistry(town(p.t))
			looks(p)
		}, false},
		{"nor of a gateway", func(p *play) {
			p.Gateway("z", "g", false, p.now.UnixMilli())
			p.SetRegistry(town(p.t))
			looks(p)
		}, false},
		{"nor does a restart", func(p *play) { p.stale("e-p5"); p.restart(p.registry, 0); looks(p) }, false},
		{"nor of a gateway, a restart", func(p *play) {
			p.Gateway("z", "g", false, p.now.UnixMilli())
			p.restart(p.registry, 0)
			looks(p)
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPlay(t, town(t)).minutes(5)
			tt.tell(p)
			if knows(p) != tt.known {
				t.Errorf("power %v, capability %v", p.plant("p5").PowerKW, p.plant("p5").Capability)
			}
			if silent("e-p5")(p) {
				t.Error("it is silent already")
			}
		})
	}
}

// TestStaleSums leaves stale meters out of the balances, and of the values for
// Prometheus.
func TestStaleSums(t *testing.T) {
	t.Parallel()
	f := newFeed(city(t))
	f.say("z1", meter.Electricity, "mf1", "active_power_kw", 400)
	f.say("z1", meter.Electricity, "mp1", "active_power_kw", 300)
	f.say("z9", meter.Water, "stray", "flow_m3h", 1)
	before := f.Counts()
	f.Stale(f.catalog.Get("z1", meter.Electricity, "mp1"), f.now.UnixMilli())
	f.Stale(f.catalog.Get("z9", meter.Water, "stray"), f.now.UnixMilli())
	f.Stale(f.catalog.Get("z9", meter.Water, "never heard"), f.now.UnixMilli())
	_, feeders := f.Balances()
	for _, b := range feeders {
		if b.Feeder == "f3" && b.Metered.Known() || b.Feeder == "f1" && !b.Delivered.Known() {
			t.Errorf("%+v", b)
		}
	}
	if after := f.Counts(); before.Heard != 2 || after.Heard != 1 {
		t.Errorf("heard %+v, then %+v", before, after)
	}
	if n := testutil.CollectAndCount(live.NewMeterCollector(f.State, live.DefaultConfig()), "imdad_meter_value"); n != 1 {
		t.Errorf("%d values, want that of mf1", n)
	}
	if n := testutil.CollectAndCount(live.NewMeterCollector(f.State, live.DefaultConfig()), "imdad_meter_last_seen_timestamp_seconds"); n != 3 {
		t.Errorf("%d meters were seen, want 3", n)
	}
}

// TestStaleMetersAreNoCut has every meter of a feeder go at once, as when the
// power does; but their node has said goodbye for them.
func TestStaleMetersAreNoCut(t *testing.T) {
	t.Parallel()
	gone := append([]string{"e-f1", "e-fb"}, allOfF1...)
	p := newPlay(t, town(t)).minutes(10)
	p.stale(gone...)
	p.mute(gone...)
	p.minutes(8)
	if d := p.feeder("f1").Dead; d != (snapshot.Dead{}) {
		t.Errorf("f1 is dead: %+v", d)
	}
	for _, id := range gone {
		if m := p.facts(id); !m.Silent || m.Doubtful || m.Since != p.after(10) {
			t.Errorf("%s: %+v", id, m)
		}
	}
}

// TestAStaleHeadMeterKeepsTheCut has a feeder's meter say that it is dead before
// its gateway dies of that.
func TestAStaleHeadMeterKeepsTheCut(t *testing.T) {
	t.Parallel()
	p := newPlay(t, town(t, func(f *zone.File) {
		for i := range f.Meters {
			if f.Meters[i].ID == "e-f1" {
				f.Meters[i].Gateway = "g1"
			}
		}
	})).minutes(10)
	p.cut("f1", "fb", "p1", "p2", "p3", "p4")
	p.minutes(2)
	p.Gateway("z", "g1", false, p.now.UnixMilli())
	p.mute("e-f1")
	p.minutes(10)
	if d := p.feeder("f1").Dead; d != (snapshot.Dead{Since: p.after(11)}) || p.feeder("f1").PowerKW.Known() {
		t.Errorf("%+v, %v kW", d, p.feeder("f1").PowerKW)
	}
}

// TestARegisteredReplacementIsNoReset exchanges the device of p5's meter, which
// begins again near zero.
func TestARegisteredReplacementIsNoReset(t *testing.T) {
	t.Parallel()
	for _, registered := range []bool{false, true} {
		p := newPlay(t, town(t, func(f *zone.File) {
			if registered {
				m := &f.Meters[4]
				m.Replacements = []zone.Replacement{{
					At: newFeed(town(t)).now.Add(5*time.Minute + 30*time.Second), Final: map[string]float64{"energy_import_kwh": 1028}, Initial: map[string]float64{"energy_import_kwh": 7},
				}}
			}
		})).minutes(5)
		p.energy["p5"] = -990
		p.minutes(2)
		if reset := p.facts("e-p5").ResetAt > 0; reset == registered {
			t.Errorf("registered %v, reset %v", registered, reset)
		}
	}
}
