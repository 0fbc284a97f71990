package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/metersim"
	"github.com/imdad-telemetry/imdad/collector/metersim/dress"
	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/configs"
)

// receiver decodes what a play delivers with the sources that the play says it
// needs, and answers what the decoder wants answered.
type receiver struct {
	decoder  *decode.Decoder
	out      decode.Readings
	got      map[string]map[string]float64 // by meter and time, every register
	rejected map[string]int                // by profile or topic, and reason
	now      int64
	deaf     bool // it says nothing to the devices
}

func receive(t *testing.T, plan *metersim.Plan) *receiver {
	t.Helper()
	text, err := plan.SourcesYAML()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "sources.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	var section struct {
		Sources []decode.Source `yaml:"sources"`
	}
	if _, err := configs.Load(path, &section); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, s := range section.Sources {
		if errs := s.Validate(); len(errs) > 0 {
			t.Fatalf("source %s: %v", s.Name, errs)
		}
	}
	return &receiver{
		decoder: decode.New(section.Sources, meter.NewCatalog(10000)),
		got:     make(map[string]map[string]float64), rejected: make(map[string]int),
	}
}

// at names a reading.
func at(zoneID string, u meter.Utility, id string, ts int64) string {
	return fmt.Sprintf("%s/%s/%s %d", zoneID, u, id, ts)
}

func (r *receiver) take(d metersim.Delivery) error {
	r.now = d.At.UnixMilli()
	_, err := r.decoder.Decode(decode.Message{Topic: d.Topic, Payload: d.Payload, Retained: d.Retained, Received: r.now}, &r.out)
	if err != nil {
		r.rejected[err.Error()]++
	}
	for _, reading := range r.out.All() {
		s := reading.Series
		k := at(s.Zone, s.Utility, s.Meter, reading.Time)
		if r.got[k] == nil {
			r.got[k] = make(map[string]float64)
		}
		for _, v := range reading.Values {
			r.got[k][v.Register] = v.Value
		}
	}
	return nil
}

// commands are what the decoder has to say.
func (r *receiver) commands() []metersim.Command {
	if r.deaf {
		return nil
	}
	var list []metersim.Command
	for _, c := range r.decoder.Commands(r.now, nil) {
		if !c.Announce {
			list = append(list, metersim.Command{Topic: c.Topic, Payload: c.Payload})
		}
	}
	return list
}

// check holds a reading against the truth, register by register.
func (r *receiver) check(t *testing.T, want metersim.Truth) {
	t.Helper()
	got := r.got[at(want.Zone, want.Utility, want.Meter, want.TS)]
	if got == nil {
		t.Errorf("%s %s/%s/%s at %d: nothing came", want.Profile, want.Zone, want.Utility, want.Meter, want.TS)
		return
	}
	for name, x := range want.Values {
		y, ok := got[name]
		if !ok || math.Abs(x-y) > 1e-12*math.Abs(x) {
			t.Errorf("%s %s: %s is %v (there: %v), want %v; of %v", want.Profile, want.Meter, name, y, ok, x, got)
		}
	}
}

// mixedPlan is half an hour of the shipped city in all profiles.
func mixedPlan(t *testing.T, seed int64, causes ...metersim.Cause) *metersim.Plan {
	t.Helper()
	s := metersim.Scenario{
		Name: "mixed", Duration: 20 * time.Minute, Seed: seed, Profiles: []string{dress.Mixed}, Causes: causes,
		Forbid: []metersim.ScenarioClaim{{ID: "elec.outage"}},
	}
	s.Begin(time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC))
	city, err := configs.ShippedFile(metersim.DefaultCity)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := metersim.Prepare(&s, []*zone.File{city}, seed)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// hear plays a plan to a receiver, and returns the truth of it.
func hear(t *testing.T, plan *metersim.Plan, r *receiver) []metersim.Truth {
	t.Helper()
	var truth []metersim.Truth
	_, err := metersim.Play(t.Context(), metersim.PlayOptions{
		Plan: plan, Emit: r.take, Commands: r.commands,
		Truth: func(x metersim.Truth) { truth = append(truth, x) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return truth
}

// TestMixedFleetIsUnderstood: what the meters of every profile send is what the
// decoder, written apart from them, makes of it.
func TestMixedFleetIsUnderstood(t *testing.T) {
	t.Parallel()
	plan := mixedPlan(t, 1)
	r := receive(t, plan)
	truth := hear(t, plan, r)
	meters := make(map[string]map[string]bool)
	for _, want := range truth {
		if meters[want.Profile] == nil {
			meters[want.Profile] = make(map[string]bool)
		}
		meters[want.Profile][want.Zone+string(want.Utility)+want.Meter] = true
		if t.Failed() {
			continue
		}
		r.check(t, want)
	}
	for why, n := range r.rejected {
		t.Errorf("%d rejected: %s", n, why)
	}
	for _, p := range dress.Profiles() {
		if n := len(meters[p]); p != dress.Native && n < 3 {
			t.Errorf("%d meters speak %s, want a few", n, p)
		}
	}
	t.Logf("%d readings; meters: %v", len(truth), counts(meters))
}

func counts(meters map[string]map[string]bool) (list []string) {
	for p, ids := range meters {
		list = append(list, fmt.Sprintf("%s %d", p, len(ids)))
	}
	slices.Sort(list)
	return list
}

// readable leaves out what no receiver could read, because its birth came
// before.
func readable(truth []metersim.Truth) []metersim.Truth {
	return slices.DeleteFunc(slices.Clone(truth), func(x metersim.Truth) bool { return x.Unreadable })
}

// TestShippedProfilesAreUnderstood: the plays of other formats, with the births
// and deaths of nodes and every trap, are read without a value that is wrong.
func TestShippedProfilesAreUnderstood(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		rejected string // all that may be
	}{
		{"13-sparkplug", "no_birth"}, // of the late joiner, until it is born again
		{"13-profiles", "want a number without thousands separators"},
	} {
		for _, seed := range []int64{1, 2} {
			t.Run(fmt.Sprint(tt.name, " ", seed), func(t *testing.T) {
				t.Parallel()
				plan := prepare(t, tt.name, seed)
				r := receive(t, plan)
				truth := hear(t, plan, r)
				all := len(truth)
				for _, want := range readable(truth) {
					if !want.Received { // those stand under the receiver's time
						r.check(t, want)
					}
					if t.Failed() {
						return
					}
				}
				for why, n := range r.rejected {
					if !strings.Contains(why, tt.rejected) {
						t.Errorf("%d rejected: %s", n, why)
					}
				}
				t.Logf("%d readings, %d of them unreadable", all, all-len(readable(truth)))
			})
		}
	}
}
