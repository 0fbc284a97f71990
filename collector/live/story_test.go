package live_test

import (
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// rationed cuts f1 from 12:00 to 13:00 local time, which is 09:00 to 10:00 UTC,
// an hour after the play begins.
func rationed(f *zone.File) {
	f.Rationing = []zone.Rationing{{ID: "r", Feeders: []string{"f1"}, RRule: "FREQ=DAILY;BYHOUR=12;BYMINUTE=0", Off: time.Hour, Source: "x"}}
}

// allOfF1 are the meters that live on feeder f1 and its branch.
var allOfF1 = []string{"e-p1", "e-p2", "e-p3", "e-p4", "w-p1", "b-p1"}

func digitsOfP5(digits int) func(*zone.File) {
	return func(f *zone.File) {
		for i := range f.Meters {
			if f.Meters[i].ID == "e-p5" {
				f.Meters[i].Digits = digits
			}
		}
	}
}

// passMillion lets the counter of e-p5 go on from 999,995 kWh to 0.
func passMillion(p *play) {
	p.energy["p5"] = 998_920
	p.minutes(15)
	p.energy["p5"] = -1005
	p.minutes(4)
}

// Each story is a stretch of time in a town, and what the snapshot then says.
func TestStories(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		town   func(*zone.File)
		tell   func(p *play)
		expect func(p *play) bool
	}{
		{
			"all is well", nil,
			func(p *play) { p.minutes(20) },
			func(p *play) bool {
				f, q, z := p.feeder("f1"), p.plant("p1"), &p.snap.Zones[0]
				return f.Dead == snapshot.Dead{} && near(f.PowerKW, 1000) && near(f.VoltageMean[0], 1) && near(f.CurrentMeanA, 30) &&
					q.Capability == 1 && !q.Constrained && !q.Stalled && near(q.RequiredKW, 400) && q.InShift &&
					near(z.AdequacyRatio, 1) && z.Power.Shortfall == 0 && near(z.Power.Delivered, 3000) && near(z.Power.Required, 2400) &&
					z.Power.KnownShare == 1
			},
		},
		{
			"low demand is not low supply", nil,
			func(p *play) { p.power["p2"] = 10; p.power["f1"] = 50; p.minutes(40) },
			func(p *play) bool {
				b := p.snap.Zones[0].Power
				return b.Shortfall == 0 && b.Settled == 0 && !b.Constrained && b.NotSupplied == 0
			},
		},
		{
			"a feeder trips: dead since the reading that says so", nil,
			func(p *play) {
				p.minutes(20)
				p.cut("f1", "fb", "p1", "p2", "p3", "p4")
				p.minutes(31)
			},
			func(p *play) bool {
				want := snapshot.Dead{Since: p.after(21)}
				b := p.snap.Zones[0].Power
				return p.feeder("f1").Dead == want && p.plant("p2").Dead == want && p.plant("p2").PowerCapability == 0 && p.plant("p2").Stalled &&
					p.plant("p5").Capability == 1 && near(b.Shortfall, 1600.0/2400) && b.Constrained && near(b.Settled, 1600.0/2400) &&
					b.SettledAt == p.after(45) && near(b.Short, 1600) && abs(b.NotSupplied-1600*31.0/60) < 30 && p.snap.Zones[0].Affected == 4
			},
		},
		{
			"zero volts is not silence: the dead meter was heard", nil,
			func(p *play) { p.minutes(5); p.cut("p5"); p.minutes(5) },
			func(p *play) bool {
				return !p.facts("e-p5").Silent && near(p.plant("p5").VoltagePU[0], 0) && !p.plant("p5").Dead.Silent
			},
		},
		{
			"one silent meter is unknown, neither dead nor zero", nil,
			func(p *play) { p.minutes(5); p.mute("e-p5", "e-f2"); p.minutes(5) },
			func(p *play) bool {
				q, z := p.plant("p5"), &p.snap.Zones[0]
				return q.Dead.Since == 0 && !q.PowerKW.Known() && !q.Capability.Known() && !p.feeder("f2").PowerKW.Known() &&
					p.facts("e-p5").Silent && p.facts("e-p5").Since == p.after(5) && near(z.AdequacyRatio, 1) &&
					near(snapshot.Value(z.Power.KnownShare), 5.0/6) && !z.Power.Delivered.Known() && z.Power.Shortfall == 0
			},
		},
		{
			"too much is unknown", nil,
			func(p *play) { p.minutes(5); p.mute("e-p5", "e-f2", "e-p6", "e-f3"); p.minutes(5) },
			func(p *play) bool {
				z := &p.snap.Zones[0]
				return !z.AdequacyRatio.Known() && !z.Power.Shortfall.Known() && !p.snap.Cities[0].AdequacyRatio.Known()
			},
		},
		{
			"all meters on a feeder fall silent at once: dead by inference", func(f *zone.File) {
				f.Meters = append(f.Meters, zone.Meter{ID: "slow", Zone: "z", Utility: meter.Fuel, At: "p2", IntervalS: 600})
			},
			func(p *play) {
				p.minutes(10)
				p.mute("e-f1", "e-fb", "slow")
				p.mute(allOfF1...)
				p.minutes(4) // long before slow meters are due
			},
			func(p *play) bool {
				want := snapshot.Dead{Since: p.after(10), Silent: true}
				return p.feeder("f1").Dead == want && p.plant("p2").Dead == want && p.plant("p2").PowerCapability == 0 &&
					p.feeder("f2").Dead.Since == 0 && p.snap.Zones[0].Power.Constrained
			},
		},
		{
			"they fade away one by one: no cut", nil,
			func(p *play) {
				for _, id := range append([]string{"e-f1", "e-fb"}, allOfF1...) {
					p.minutes(6)
					p.mute(id)
				}
				p.minutes(6)
			},
			func(p *play) bool { return p.feeder("f1").Dead.Since == 0 && p.plant("p2").Dead.Since == 0 },
		},
		{
			"everything falls silent: it is us", nil,
			func(p *play) {
				p.minutes(10)
				for _, m := range p.registry.Meters() {
					p.mute(m.ID)
				}
				p.minutes(10)
			},
			func(p *play) bool { return p.feeder("f1").Dead.Since == 0 && p.snap.Substations[0].Dead.Since == 0 },
		},
		{
			"everything falls silent, each at its own interval: it is us", func(f *zone.File) {
				for i := range f.Meters {
					if at := f.Meters[i].At; at == "f3" || at == "p6" {
						f.Meters[i].IntervalS = 150 // and so counts as silent later
					}
				}
			},
			func(p *play) {
				p.minutes(10)
				for _, m := range p.registry.Meters() {
					p.mute(m.ID)
				}
				p.minutes(5)
			},
			func(p *play) bool {
				return p.feeder("f1").Dead.Since == 0 && p.snap.Substations[0].Dead.Since == 0 && !p.facts("e-p6").Silent
			},
		},
		{
			"a meter that fell silent in a cut is unknown, not dead, when power is back", nil,
			func(p *play) {
				p.minutes(10)
				p.cut("f1", "fb", "p1", "p2", "p3", "p4")
				p.minutes(5)
				p.mute("e-p2")
				p.minutes(10)
				clear(p.volts)
				p.minutes(1)
			},
			func(p *play) bool {
				return p.plant("p2").Dead == snapshot.Dead{} && !p.plant("p2").PowerKW.Known() && p.facts("e-p2").Silent
			},
		},
		{
			"one that fell silent while it alone was dead stays so", nil,
			func(p *play) { p.minutes(10); p.cut("p2"); p.minutes(5); p.mute("e-p2"); p.minutes(10) },
			func(p *play) bool { return p.plant("p2").Dead.Since == p.after(11) },
		},
		{
			"the return of what was silent is known at once", nil,
			func(p *play) {
				p.minutes(10)
				p.mute("e-f1", "e-fb")
				p.mute(allOfF1...)
				p.minutes(5)
				delete(p.quiet, "e-f1")
				p.minutes(1)
			},
			func(p *play) bool {
				return p.feeder("f1").Dead.Since == 0 && p.feeder("f1").Restored == p.after(16)
			},
		},
		{
			"a substation falls silent", nil,
			func(p *play) {
				p.minutes(10)
				p.mute(append([]string{"e-f1", "e-fb", "e-f2", "e-p5"}, allOfF1...)...)
				p.minutes(8)
			},
			func(p *play) bool {
				return p.snap.Substations[0].Dead == snapshot.Dead{Since: p.after(10), Silent: true} &&
					p.snap.Substations[1].Dead.Since == 0 && p.feeder("f2").Dead.Silent && p.plant("p5").Dead.Silent
			},
		},
		{
			"a gateway that is offline explains silence", func(f *zone.File) {
				for i := range f.Meters {
					f.Meters[i].Gateway = "g"
					if f.Meters[i].At == "f2" || f.Meters[i].At == "p5" {
						f.Meters[i].Gateway = ""
					}
				}
			},
			func(p *play) {
				p.Gateway("z", "g", true, p.now.UnixMilli())
				p.minutes(10)
				p.mute("e-f1", "e-fb")
				p.mute(allOfF1...)
				p.Gateway("z", "g", false, p.now.UnixMilli())
				p.minutes(8)
			},
			func(p *play) bool {
				g := p.snap.Gateways[0]
				return p.feeder("f1").Dead.Since == 0 && !g.Online && g.Since == p.after(10) && g.Meters == 14 && p.facts("e-p1").Silent
			},
		},
		{
			"a gateway that is back, behind which nobody has spoken yet: no cut", func(f *zone.File) {
				for i := range f.Meters {
					if f.Meters[i].At != "f2" && f.Meters[i].At != "p5" {
						f.Meters[i].Gateway = "g"
					}
				}
			},
			func(p *play) {
				p.Gateway("z", "g", true, p.now.UnixMilli())
				p.minutes(10)
				p.mute("e-f1", "e-fb")
				p.mute(allOfF1...)
				p.Gateway("z", "g", false, p.now.UnixMilli())
				p.minutes(8)
				p.Gateway("z", "g", true, p.now.UnixMilli())
				p.minutes(1)
			},
			func(p *play) bool {
				return p.feeder("f1").Dead.Since == 0 && p.snap.Gateways[0].Online && p.facts("e-p1").Silent && !p.facts("e-p1").Doubtful
			},
		},
		{
			"one meter is silent and its neighbours are not due yet: nobody knows why", func(f *zone.File) {
				for i := range f.Meters {
					if m := &f.Meters[i]; m.At == "p2" || m.At == "p3" || m.ID == "w-p1" {
						m.IntervalS = 600
					}
				}
			},
			func(p *play) {
				p.minutes(20)
				p.mute("e-f1", "e-fb")
				p.mute(allOfF1...)
				p.minutes(4)
			},
			func(p *play) bool { m := p.facts("e-p4"); return m.Silent && m.Doubtful },
		},
		{
			"a neighbour speaks: it is the meter", nil,
			func(p *play) { p.minutes(20); p.mute("e-p4"); p.minutes(4) },
			func(p *play) bool { m := p.facts("e-p4"); return m.Silent && !m.Doubtful },
		},
		{
			"a cut inside its block is rationing", rationed,
			func(p *play) {
				p.minutes(61)
				p.cut("f1", "fb", "p1", "p2", "p3", "p4")
				p.minutes(10)
			},
			func(p *play) bool {
				want := snapshot.Dead{Since: p.after(62), Planned: true, Return: p.after(120)}
				b := p.snap.Zones[0].Power
				return p.feeder("f1").Plan.Off && p.feeder("fb").Plan.Off && p.feeder("f1").Dead == want && p.plant("p2").Dead == want && p.plant("p4").Dead == want &&
					p.plant("p2").RequiredKW == 0 && near(p.plant("p2").RequiredGrossKW, 400) && p.plant("p2").Capability == 1 &&
					b.Shortfall == 0 && near(b.Required, 800) && near(b.Gross, 2400) && b.NotSupplied > 200 && p.snap.Zones[0].Affected == 0
			},
		},
		{
			"it began four minutes early, and goes on after the end", rationed,
			func(p *play) {
				p.minutes(55)
				p.cut("f1", "fb", "p1", "p2", "p3", "p4")
				p.minutes(80)
			},
			func(p *play) bool {
				d := p.feeder("f1").Dead
				return d.Planned && d.Since == p.after(56) && d.Return == p.after(120) && !p.feeder("f1").Plan.Off &&
					near(p.plant("p2").RequiredKW, 400) && p.plant("p2").Stalled && p.snap.Zones[0].Power.Shortfall > 0.5
			},
		},
		{
			"it began well before the block: an outage, block or not", rationed,
			func(p *play) {
				p.minutes(50)
				p.cut("f1", "fb", "p1", "p2", "p3", "p4")
				p.minutes(20)
			},
			func(p *play) bool { return !p.feeder("f1").Dead.Planned && p.feeder("f1").Plan.Off },
		},
		{
			"silence inside a block is rationing too", rationed,
			func(p *play) {
				p.minutes(61)
				p.mute("e-f1", "e-fb")
				p.mute(allOfF1...)
				p.minutes(8)
			},
			func(p *play) bool { d := p.feeder("f1").Dead; return d.Silent && d.Planned && d.Return == p.after(120) },
		},
		{
			"rationing of a stage that is not announced", func(f *zone.File) { rationed(f); f.Rationing[0].Stage = 2 },
			func(p *play) { p.minutes(65) },
			func(p *play) bool { return !p.feeder("f1").Plan.Off && p.snap.Cities[0].Stage == 0 },
		},
		{
			"the stage is announced", func(f *zone.File) { rationed(f); f.Rationing[0].Stage = 2 },
			func(p *play) { p.SetStage("c", 2); p.minutes(65) },
			func(p *play) bool { return p.feeder("f1").Plan.Off && p.snap.Cities[0].Stage == 2 },
		},
		{
			"brownout: below the plant's band, with what it still draws", nil,
			func(p *play) {
				p.minutes(15)
				p.volts["p1"], p.power["p1"] = 0.85, 200
				p.minutes(5)
			},
			func(p *play) bool {
				q := p.plant("p1")
				return near(q.PowerCapability, 0.5) && q.Constrained && !q.Stalled && q.ShortSince == p.after(16) && near(p.snap.Zones[0].Power.Shortfall, 200.0/2400)
			},
		},
		{
			"and stalled after its hold-up", nil,
			func(p *play) {
				p.minutes(15)
				p.volts["p1"] = 0.85
				p.minutes(12)
			},
			func(p *play) bool { return p.plant("p1").Stalled && near(p.snap.Zones[0].AdequacyRatio, 5.75/6) },
		},
		{
			"the mean of the voltage leaves an interruption out", nil,
			func(p *play) {
				p.minutes(20)
				p.cut("p2")
				p.minutes(5)
				delete(p.volts, "p2")
				p.minutes(5)
			},
			func(p *play) bool {
				q := p.plant("p2")
				return q.Dead.Since == 0 && !q.VoltageMean[0].Known() && near(q.VoltagePU[0], 1)
			},
		},
		{
			"a generator carries a part of a dead plant", nil,
			func(p *play) { p.minutes(5); p.cut("p1"); p.genKW = 100; p.minutes(5) },
			func(p *play) bool { return near(p.plant("p1").PowerCapability, 0.25) },
		},
		{
			"water stops", nil,
			func(p *play) {
				p.minutes(15)
				p.flow["w1"], p.bar["w1"], p.flow["p1"], p.bar["p1"] = 0, 0.1, 0, 0.1
				p.minutes(6)
			},
			func(p *play) bool {
				q, l, b := p.plant("p1"), p.snap.WaterLines[0], p.snap.Zones[0].Water
				return near(q.WaterCapability, 0.05) && near(b.Shortfall, 1) && b.Constrained && near(l.FlowM3H, 0) && near(l.PressMean5, 0.1) && near(b.Required, 10)
			},
		},
		{
			"a main bursts: what rose and what fell", nil,
			func(p *play) { p.minutes(15); p.flow["w1"], p.bar["w1"] = 200, 3; p.minute() },
			func(p *play) bool {
				l := p.snap.WaterLines[0]
				return near(l.FlowRise, 140) && near(l.PressureDrop, 0.25) && near(l.FlowMean5, 88) && near(l.TankInM3H, 0)
			},
		},
		{
			"a tank and its cover", nil,
			func(p *play) { p.minutes(120) },
			func(p *play) bool {
				k := p.snap.Tanks[0]
				return near(k.VolumeL, 19_800) && near(k.UsableL, 18_800) && abs(float64(k.DailyL)-2400) < 120 && abs(float64(k.CoverH)-188) < 10 &&
					len(k.History) >= 8 && abs(float64(k.LossL)) < 5 && abs(float64(k.VarianceL)) < 10 && k.Delivery == snapshot.Delivery{}
			},
		},
		{
			"a loss beyond what was burnt", nil,
			func(p *play) { p.minutes(90); p.litres -= 700; p.minutes(20) },
			func(p *play) bool {
				k := p.snap.Tanks[0]
				return abs(float64(k.LossL)-700) < 30 && k.LossSigmaL.Known() && float64(k.LossL) > 3*float64(k.LossSigmaL)
			},
		},
		{
			"a delivery, with what is burnt meanwhile", nil,
			func(p *play) {
				p.minutes(60)
				for range 10 {
					p.litres += 900
					p.minute()
				}
				p.minutes(15)
			},
			func(p *play) bool {
				k := p.snap.Tanks[0]
				return abs(k.Delivery.VolumeL-9000) < 40 && k.Delivery.End == p.after(70) && k.Delivery.Start >= p.after(55) && k.Delivery.Start <= p.after(61) &&
					!(abs(float64(k.LossL)) > 20) && len(k.History) <= 2
			},
		},
		{
			"the tank is empty", nil,
			func(p *play) { p.minutes(5); p.litres = 900; p.burnLPH = 0; p.minutes(5) },
			func(p *play) bool {
				return p.plant("p1").FuelCapability == 0 && p.plant("p1").Capability == 0 && near(p.snap.Zones[0].Fuel.Shortfall, 1)
			},
		},
		{
			"out of shift nothing is required", func(f *zone.File) { f.Plants[0].Shifts = []zone.Shift{{From: 0, To: 8 * 60}} },
			func(p *play) { p.minutes(5); p.cut("p1"); p.minutes(5) },
			func(p *play) bool { q := p.plant("p1"); return !q.InShift && q.RequiredKW == 0 && q.Capability == 1 },
		},
		{
			"a clock that is five minutes behind", nil,
			func(p *play) {
				p.mute("e-p5")
				for range 6 {
					p.minute()
					p.tell(p.meter("e-p5"), p.now.Add(-5*time.Minute), p.object(p.meter("e-p5")))
				}
				p.Snapshot(&p.snap)
			},
			func(p *play) bool {
				return near(p.facts("e-p5").SkewS, -300) && near(p.facts("e-p6").SkewS, 0) && !p.facts("e-p5").Silent
			},
		},
		{
			"a backfill moves nothing", nil,
			func(p *play) {
				p.minutes(20)
				for i := range 360 {
					values := []meter.Value{{Register: "active_power_kw", Value: 0}, {Register: "voltage_l1_v", Value: 0}, {Register: "voltage_l2_v", Value: 0}, {Register: "voltage_l3_v", Value: 0}}
					p.tell(p.meter("e-p2"), p.now.Add(time.Duration(i-360)*time.Minute), values, func(r *meter.Reading) { r.Historical = true })
				}
				p.Snapshot(&p.snap)
			},
			func(p *play) bool {
				q, m := p.plant("p2"), p.facts("e-p2")
				return q.Dead.Since == 0 && near(q.PowerKW, 300) && near(q.VoltageMean[0], 1) && near(m.SkewS, 0) && m.Historical
			},
		},
		{
			"readings that were held up say nothing of clocks", nil,
			func(p *play) {
				p.minutes(10)
				p.mute("e-p5")
				p.minutes(10)
				for i := range 10 {
					p.tell(p.meter("e-p5"), p.now.Add(time.Duration(i-9)*time.Minute), p.object(p.meter("e-p5")))
				}
				p.Snapshot(&p.snap)
			},
			func(p *play) bool { return !p.facts("e-p5").SkewS.Known() && p.facts("e-p5").Recent == 10 },
		},
		{
			"a value that is stuck while its feeder flows", nil,
			func(p *play) {
				p.minutes(3)
				stuck := p.object(p.meter("e-p5"))
				p.mute("e-p5")
				for range 10 {
					p.minute()
					p.tell(p.meter("e-p5"), p.now, stuck)
				}
				p.Snapshot(&p.snap)
			},
			func(p *play) bool {
				m := p.facts("e-p5")
				return m.Unchanged == 9 && m.Flowing && p.facts("e-p6").Unchanged == 0 && !p.facts("g-p1").Flowing
			},
		},
		{
			"a counter begins again", nil,
			func(p *play) { p.minutes(20); p.energy["p5"] = -995; p.minutes(2) },
			func(p *play) bool {
				return p.facts("e-p5").ResetAt == p.after(21) && p.facts("e-p6").ResetAt == 0 && near(p.plant("p5").Block.EnergyKWh, 5*5+10+5)
			},
		},
		{
			"a counter of six digits passes the last of them", digitsOfP5(6), passMillion,
			func(p *play) bool { return p.facts("e-p5").ResetAt == 0 && near(p.plant("p5").Block.EnergyKWh, 5*4) },
		},
		{
			"one of eight digits does not: it is reset", digitsOfP5(8), passMillion,
			func(p *play) bool { return p.facts("e-p5").ResetAt == p.after(16) },
		},
		{
			"the balance of a feeder, after a day", nil,
			func(p *play) { p.power["f1"], p.power["fb"] = 1500, 300; p.minutes(1445) },
			func(p *play) bool { // 1500 in; 3 × 300 and the branch's 300 out
				return abs(float64(p.feeder("f1").GapRatio)-0.2) < 0.01 && abs(float64(p.feeder("fb").GapRatio)) < 0.01
			},
		},
		{
			"a feeder that was off for a day has no balance after some minutes", nil,
			func(p *play) {
				p.power["f1"], p.power["fb"] = 1500, 300
				p.minutes(10)
				p.cut("f1", "fb", "p1", "p2", "p3", "p4")
				p.minutes(1440)
				clear(p.volts)
				p.minutes(90)
			},
			func(p *play) bool { return !p.feeder("f1").GapRatio.Known() },
		},
		{
			"and not before", nil,
			func(p *play) { p.minutes(600) },
			func(p *play) bool { return !p.feeder("f1").GapRatio.Known() },
		},
		{
			"an order arrives", func(f *zone.File) {
				f.Tankers = []zone.Tanker{{ID: "o", Tank: "t1", ETA: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), VolumeL: 6000}}
			},
			func(p *play) {
				p.minutes(60)
				for range 10 {
					p.litres += 600
					p.minute()
				}
				p.minutes(15)
			},
			func(p *play) bool {
				o := p.snap.Tankers[0]
				return o.Arrived == p.snap.Tanks[0].Delivery.Start && o.Settled && abs(float64(o.VolumeL)-6000) < 40
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var change []func(*zone.File)
			if tt.town != nil {
				change = append(change, tt.town)
			}
			p := newPlay(t, town(t, change...))
			tt.tell(p)
			if !tt.expect(p) {
				t.Errorf("zone %+v\nf1 %+v\np1 %+v\np2 %+v\np5 %+v\nt1 %+v\nw1 %+v\ngateways %+v",
					p.snap.Zones[0], *p.feeder("f1"), *p.plant("p1"), *p.plant("p2"), *p.plant("p5"), p.snap.Tanks[0], p.snap.WaterLines[0], p.snap.Gateways)
			}
		})
	}
}
