package metersim

import (
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/metersim/score"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// crossed is a town with a branch, f2, behind f1; its meters have no batteries
// and speak through g.
func crossed() *zone.File {
	name := zone.Name{En: "x", Ar: "س"}
	f := &zone.File{
		City:        zone.City{ID: "c", Name: name, Timezone: "Asia/Damascus"},
		Zones:       []zone.Zone{{ID: "z", Name: name}},
		Substations: []zone.Substation{{ID: "s", Name: name, RatingMVA: 10}},
		Feeders: []zone.Feeder{
			{ID: "f1", Name: name, Zone: "z", From: "s", RatingA: 250},
			{ID: "f2", Name: name, Zone: "z", From: "f1", RatingA: 250},
		},
	}
	for _, at := range []string{"f1", "f2"} {
		f.Meters = append(f.Meters, zone.Meter{ID: "e-" + at, Zone: "z", Utility: "electricity", At: at, IntervalS: 15, Gateway: "g"})
	}
	return f
}

// TestSight: what another cause hides is expected once it can be seen, or not.
func TestSight(t *testing.T) {
	t.Parallel()
	trip := Cause{Cause: "feeder_trip", Object: "f1", At: time.Hour, For: time.Hour}
	cause := func(kind, object string, at, length time.Duration) Cause {
		return Cause{Cause: kind, Object: object, At: at, For: length}
	}
	const never = -1
	for _, tt := range []struct {
		name   string
		causes []Cause // the first is looked at
		from   float64 // minutes after its start that the first claim counts from
	}{
		{"nothing in the way", []Cause{trip}, 0},
		{"the broker is away", []Cause{trip, cause("broker_outage", "", 50*time.Minute, 30*time.Minute)}, 20},
		{"away until it is over", []Cause{trip, cause("broker_outage", "", 50*time.Minute, 69*time.Minute)}, never},
		{"the broker's own alarm", []Cause{cause("broker_outage", "", time.Hour, time.Hour), trip}, 0},
		{"the gateway of all its meters", []Cause{trip, cause("gateway_offline", "g", 0, 2*time.Hour)}, never},
		{"one meter of two", []Cause{trip, cause("meter_offline", "e-f1", 0, 2*time.Hour)}, 0},
		{"a meter without supply", []Cause{cause("meter_offline", "e-f1", 70*time.Minute, 2*time.Hour), trip}, 50},
		{"a gateway without supply", []Cause{cause("gateway_offline", "g", 70*time.Minute, 40*time.Minute), trip}, never},
		{"a branch behind a trip", []Cause{cause("feeder_trip", "f2", 70*time.Minute, 2*time.Hour), trip}, 50},
		{"dark already", []Cause{cause("feeder_trip", "f1", 70*time.Minute, 2*time.Hour), trip}, never},
		{"before the station goes too", []Cause{trip, cause("substation_trip", "s", 70*time.Minute, time.Hour)}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &Scenario{Name: "s", Start: When{at: monday}, Duration: 4 * time.Hour, Seed: 1, Causes: tt.causes}
			p, err := Prepare(s, []*zone.File{crossed()}, 1)
			if err != nil {
				t.Fatal(err)
			}
			e := eventOf(p, tt.causes[0].Cause, tt.causes[0].At)
			if tt.from == never {
				if len(e.Expect) != 0 {
					t.Errorf("expects %+v", e.Expect)
				}
				return
			}
			if len(e.Expect) != 1 || e.Expect[0].FromS != 60*tt.from || e.Expect[0].WithinS <= e.Expect[0].FromS {
				t.Errorf("expects %+v", e.Expect)
			}
		})
	}
}

func eventOf(p *Plan, cause string, at time.Duration) score.Event {
	for _, e := range p.Events() {
		if e.Cause == cause && e.Start.Equal(p.Start.Add(at)) {
			return e
		}
	}
	return score.Event{}
}

// TestTripInABlock: what begins in a planned cut is a part of it, and an
// overrun if it outlasts it.
func TestTripInABlock(t *testing.T) {
	t.Parallel()
	s := &Scenario{
		Name: "s", Start: When{at: monday}, Duration: 6 * time.Hour, Seed: 1,
		Registry: Overlay{Rationing: []OverlayRationing{{
			ID: "r", Feeders: []string{"f1"}, Cycle: OverlayCycle{Off: time.Hour, On: 23 * time.Hour, Anchor: When{relative: true, after: time.Hour}},
		}}},
		Causes: []Cause{{Cause: "feeder_trip", Object: "f1", At: 90 * time.Minute, For: 2 * time.Hour}},
	}
	p, err := Prepare(s, []*zone.File{crossed()}, 1)
	if err != nil {
		t.Fatal(err)
	}
	e := eventOf(p, "feeder_trip", 90*time.Minute)
	want := score.Claim{ID: "elec.ration_overrun", Object: "f1", FromS: 1800, WithinS: 2700}
	if len(e.Expect) != 1 || e.Expect[0] != want {
		t.Errorf("expects %+v, want %+v", e.Expect, want)
	}
}

// TestClaimsOfTheFile: what a claim is about must be there.
func TestClaimsOfTheFile(t *testing.T) {
	t.Parallel()
	s := &Scenario{Name: "s", Start: When{at: monday}, Duration: time.Hour, Forbid: []ScenarioClaim{{ID: "elec.outage", Object: "f1|f*|f9"}}}
	if _, err := Prepare(s, []*zone.File{crossed()}, 1); err == nil || err.Error() != `forbid[0].object: there is no "f9" in c` {
		t.Errorf("error %v", err)
	}
	s.Forbid[0] = ScenarioClaim{ID: "elec.*|elec.outag"}
	if err := s.Validate(); err == nil || !strings.HasPrefix(err.Error(), `forbid[0].id: there is no alarm "elec.outag"; did you mean "elec.outage"?`) {
		t.Errorf("error %v", err)
	}
	s.Forbid[0] = ScenarioClaim{ID: "my.rule|pipeline.fault", Object: "*"}
	s.Causes = []Cause{{Cause: "feeder_trip", Object: "f1", AnyOf: []string{"f1", "s"}}}
	if _, err := Prepare(s, []*zone.File{crossed()}, 1); err == nil || !strings.HasPrefix(err.Error(), `causes[0].any_of[1]: s is a substation`) {
		t.Errorf("error %v", err)
	}
}
