package rule

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestTexts: every placeholder of the catalogue's texts has its value.
func TestTexts(t *testing.T) {
	t.Parallel()
	reg := testRegistry(t)
	set, err := New(Config{}, reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		key, steps string
		numbers    map[string]float64
		words      map[string]string
		stalls     string
		since      string
	}{
		{"elec.outage:f1", "dead:f1@-90s p2.InShift=false", nil, nil, "p1 p3", "-90s"},
		{"elec.outage:f2", "dead:f2@-90s p4.GeneratorKW=300", nil, nil, "", "-90s"},
		{"elec.outage:s2", "dead:f5@-2m dead:f6@-1m", nil, nil, "p6", "-2m"},
		{"elec.phase_loss:p4", "p4.VoltagePU.1=0.1", nil, map[string]string{"ph": "L2"}, "p4", ""},
		{"elec.phase_loss:p4", "p4.VoltagePU=0.55 p4.VoltagePU.2=1", nil, map[string]string{"ph": "L1 L2"}, "p4", ""},
		{"elec.ration_overrun:f2", "cut:f2@-2h..-12m", map[string]float64{"n": 12}, nil, "p4", "-12m"},
		{"elec.ration_unannounced:z1", "dead:f1@-7m dead:f2@-6m", map[string]float64{"n": 2}, nil, "p1 p2 p3 p4", "-6m"},
		{"elec.ration_unannounced:z1", "dead:f1@-20m dead:f2@-20m s1.Restored=-10s", map[string]float64{"n": 2}, nil, "p1 p2 p3 p4", "-10s"},
		{"elec.voltage_low:f2", "f2.VoltagePU=0.89 f2.VoltageMean=0.88 p4.PowerCapability=0.9", map[string]float64{"pct": 88}, nil, "p4", ""},
		{"elec.voltage_high:f2", "f2.VoltagePU=1.12 f2.VoltageMean=1.11", map[string]float64{"pct": 111}, nil, "", ""},
		{"elec.unbalance:p4", "p4.UnbalanceMean=0.025", map[string]float64{"pct": 2.5}, nil, "", ""},
		{"elec.frequency:c", "s1.FrequencyHz=49.25", map[string]float64{"hz": 49.25}, nil, "", ""},
		{"elec.shortfall:z1", "z1.Power.Settled=0.25 z1.Power.Short=2500 z1.Power.Shortfall=1 z1.Power.Constrained=true p4.PowerCapability=0.9",
			map[string]float64{"mw": 2.5, "pct": 25}, nil, "p4", "-15m"},
		{"elec.demand_high:p4", "p4.Block.ProjectedKW=475", map[string]float64{"pct": 100, "kw": 475}, nil, "", ""},
		{"elec.feeder_overload:f1", "f1.CurrentMeanA=380", map[string]float64{"pct": 95}, nil, "", ""},
		{"water.pressure_low:w1", "w1.PressureBar=1.5 p3.WaterCapability=0.9 p5.WaterCapability=0.9", map[string]float64{"bar": 1.5}, nil, "p3", ""},
		{"water.stopped:z2", "w2.FlowM3H=0 w2.PressureBar=0 p5.WaterCapability=0", nil, nil, "p5", ""},
		{"water.shortfall:z2", "z2.Water.Settled=0.25 z2.Water.Short=10 z2.Water.Shortfall=1 z2.Water.Constrained=true", map[string]float64{"m3h": 10, "pct": 25}, nil, "", "-60m"},
		{"water.tank_low:wt", "wt.CoverH=6.5", map[string]float64{"h": 6.5}, nil, "p1", ""},
		{"water.burst:w1", "w1.FlowM3H=150 w1.FlowRise=110 w1.TankInM3H=10 w1.PressureDrop=0.5 w1.PressureBar=2.5 p1.WaterCapability=0.9", map[string]float64{"m3h": 140, "bar": 2.5}, nil, "p1", ""},
		{"water.night_leak:w2", "w2.NightM3H=16", map[string]float64{"m3h": 6, "pct": 60}, nil, "", ""},
		{"fuel.cover_low:ft", "ft.CoverH=48 ft.UsableL=6000", map[string]float64{"d": 2, "l": 6000}, map[string]string{"fuel": "mazut"}, "p1", ""},
		{"fuel.tanker_late:ft", "6h", map[string]float64{"h": 5}, map[string]string{"fuel": "mazut", "order": "o1"}, "", "-5h"},
		{"fuel.loss:ft", "ft.LossL=1500", map[string]float64{"l": 1500}, map[string]string{"fuel": "mazut"}, "", ""},
		{"fuel.reconcile:ft", "ft.VarianceL=-2000", map[string]float64{"l": -2000}, nil, "", ""},
		{"fuel.delivery_short:ft", "o1.Arrived=-20m o1.Settled=true o1.VolumeL=19500", map[string]float64{"l": 500}, map[string]string{"fuel": "mazut", "order": "o1"}, "", "-20m"},
		{"plant.stall_forecast:p4", "p4.Stall.1.P10H=20 p4.Stall.1.P50H=30", map[string]float64{"h": 20, "h50": 30}, map[string]string{"res": "water"}, "p4", ""},
		{"plant.stalled:p4", "p4.PowerKW=40 p4.Constrained=true p4.FuelCapability=0.1", map[string]float64{"pct": 10}, map[string]string{"cause": "fuel"}, "p4", ""},
		{"plant.stalled:p1", "dead:f1@-2m", map[string]float64{"pct": 0}, map[string]string{"cause": "elec.outage", "cause_at": "f1"}, "p1", "-2m"},
		{"plant.stalled:p5", "p5.PowerKW=0 p5.Constrained=true p5.WaterCapability=0 p5.PressureBar=1", map[string]float64{"pct": 0},
			map[string]string{"cause": "water.pressure_low", "cause_at": "p5"}, "p5", ""},
		{"zone.inadequate:z1", "z1.AdequacyRatio=0.7 z1.Affected=2 p4.Capability=0.1", map[string]float64{"pct": 70, "n": 2}, nil, "p4", ""},
		{"balance.gap:f1", "f1.GapRatio=0.2", map[string]float64{"pct": 20}, nil, "", ""},
		{"meter.offline:m-w2", "mute:w2@-10m", nil, nil, "", "-10m"},
		{"meter.stuck:m-p4", "m-p4.Unchanged=8", map[string]float64{"n": 8}, nil, "", ""},
		{"meter.clock:m-p4", "m-p4.SkewS=-90", map[string]float64{"s": -90}, nil, "", ""},
		{"meter.reset:m-p4", "m-p4.ResetAt=-5m", nil, nil, "", "-5m"},
		{"gateway.offline:g1", "g1.Online=false g1.Since=-5m", map[string]float64{"n": 3}, nil, "", "-5m"},
		{"pipeline.fault:database", "database.Fault=timeout database.Since=-5m", nil, map[string]string{"part": "database", "fault": "timeout"}, "", "-5m"},
	} {
		t.Run(c.key, func(t *testing.T) {
			t.Parallel()
			s := &stage{t: t, reg: reg, now: start, Snapshot: well(reg, start)}
			for _, word := range strings.Fields(c.steps) {
				s.do(c.key, word)
			}
			found := set.Eval(nil, s.Snapshot, s.now)
			i := slices.IndexFunc(found, func(f Finding) bool { return short(f.Key) == c.key && f.State == Raised })
			if i < 0 {
				t.Fatal("not raised")
			}
			f := found[i]
			if !alike(f.Numbers, c.numbers) {
				t.Errorf("numbers %v, want %v", f.Numbers, c.numbers)
			}
			if !reflect.DeepEqual(f.Words, c.words) {
				t.Errorf("words %v, want %v", f.Words, c.words)
			}
			if got := strings.Join(f.Stalls, " "); got != c.stalls {
				t.Errorf("stalls %q, want %q", got, c.stalls)
			}
			if since := int64(0); c.since != "" {
				if since = s.moment(c.key, c.since); f.Since != since {
					t.Errorf("since %d, want %d", f.Since, since)
				}
			} else if f.Since != 0 {
				t.Errorf("since %d, want none", f.Since)
			}
		})
	}
}

func alike(got, want map[string]float64) bool {
	if len(got) != len(want) {
		return false
	}
	for name, w := range want {
		if g, ok := got[name]; !ok || math.Abs(g-w) > 1e-9 {
			return false
		}
	}
	return true
}

// TestPlaces: a substation that feeds one zone alone lies in it.
func TestPlaces(t *testing.T) {
	t.Parallel()
	reg := testRegistry(t)
	set, err := New(Config{}, reg)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, reg: reg, now: start, Snapshot: well(reg, start)}
	for _, word := range strings.Fields("dead:s1@-1m dead:f5@-1m dead:f6@-1m g1.Online=false g1.Since=-5m m-p4.SkewS=90 s1.FrequencyHz=40") {
		s.do("places", word)
	}
	want := map[string]string{
		"elec.outage:s1": "c//substation", "elec.outage:s2": "c/z2/substation", "elec.outage:f5": "c/z2/feeder",
		"gateway.offline:g1": "c/z1/gateway", "meter.clock:m-p4": "c/z1/meter", "elec.frequency:c": "c//city",
	}
	for _, f := range set.Eval(nil, s.Snapshot, s.now) {
		if w, ok := want[short(f.Key)]; ok {
			delete(want, short(f.Key))
			if got := f.City + "/" + f.InZone + "/" + string(f.ObjectKind); got != w {
				t.Errorf("%s: %s, want %s", short(f.Key), got, w)
			}
		}
	}
	for key := range want {
		t.Errorf("%s: not found", key)
	}
}

func TestFlood(t *testing.T) {
	t.Parallel()
	set, err := New(Config{}, testRegistry(t))
	if err != nil {
		t.Fatal(err)
	}
	for alarms, want := range map[int]State{0: Clear, 4: Clear, 5: Held, 10: Held, 11: Raised} {
		if f := set.Flood("samir", alarms); f.State != want || short(f.Key) != "alarm.flood:samir" {
			t.Errorf("%d alarms: %s", alarms, tell(f))
		}
	}
	if w := set.FloodWindow().Minutes(); w != 10 {
		t.Errorf("a window of %v minutes", w)
	}
}

// TestCustom: raised, held, clear, unknown; and in one zone only.
func TestCustom(t *testing.T) {
	t.Parallel()
	reg := testRegistry(t)
	set, err := New(read(t, `
custom:
  - {id: own.little_water, for_each: plant, at: z1, when: 'in_shift and water_m3h < 1.5 and hour >= 12 and weekday == 1', clear: 'water_m3h > 1.8',
     on_delay: 5m, off_delay: 1m, severity: high, to: [plant, utility], text: {en: "{site}: {water_m3h}", ar: "{site}"}}
  - {id: own.full, for_each: tank, when: 'full_ratio > 0.7 and utility == "fuel"', severity: low, to: [plant], text: {en: e, ar: a}}
`), reg)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, reg: reg, now: start, title: "custom", Snapshot: well(reg, start)}
	const full = "own.full:ft=raised!low"
	s.expect("1", set, strings.Fields(full))
	s.do("2", "p4.WaterM3H=1.2")
	s.do("2", "p5.WaterM3H=1.2")
	s.expect("2", set, strings.Fields(full+" own.little_water:p4=raised!high"))
	s.do("3", "p4.WaterM3H=1.7")
	s.expect("3", set, strings.Fields(full+" own.little_water:p4=held"))
	s.do("4", "p4.WaterM3H=NaN")
	s.expect("4", set, strings.Fields(full+" own.little_water:p4=unknown"))
	s.do("5", "p4.WaterM3H=1.2")
	found := set.Eval(nil, s.Snapshot, s.now)
	f := found[slices.IndexFunc(found, func(f Finding) bool { return f.Kind == "own.little_water" })]
	if f.Numbers["water_m3h"] != 1.2 || f.Words["text_en"] != "{site}: {water_m3h}" || f.Words["text_ar"] != "{site}" ||
		f.OnDelay.Minutes() != 5 || f.OffDelay.Minutes() != 1 || f.InZone != "z1" {
		t.Errorf("%+v", f)
	}
	if to := set.To("own.little_water"); !slices.Equal(to, []Role{PlantStaff, Utility}) {
		t.Errorf("to %v", to)
	}
	if to := set.To("elec.outage"); !slices.Equal(to, []Role{ZoneManager, PlantStaff, Utility}) {
		t.Errorf("to %v", to)
	}
}
