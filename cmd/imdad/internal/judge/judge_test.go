package judge_test

import (
	"testing"

	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/cmd/imdad/internal/judge"
	"github.com/imdad-telemetry/imdad/configs"
)

// people are those of the shipped city.
func people(t *testing.T) notify.Config {
	t.Helper()
	c := notify.DefaultConfig()
	if err := configs.LoadShippedPeople(&c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestScenarios plays every shipped scenario at its own seed: all that is
// expected comes in time, nothing forbidden does, and nothing that is false.
func TestScenarios(t *testing.T) {
	t.Parallel()
	for _, name := range configs.ShippedScenarios() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, err := judge.Prepare(name, 0)
			if err != nil {
				t.Fatal(err)
			}
			v, err := judge.Judge(t.Context(), judge.Options{
				Plan: plan, Dir: t.TempDir(), People: people(t), Log: zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel),
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d alarms, %d expected, slowest %.0f s, %d notices", v.Alarms, v.Expected, v.DelayMaxS, len(v.Notices))
			for _, m := range v.Missed {
				t.Errorf("missed: %s of %s within %.0f s of %v (%s); came after %.0f s", m.ID, m.Object, m.WithinS, m.Start, m.Cause, m.AfterS)
			}
			for _, a := range v.Forbidden {
				t.Errorf("forbidden: %s of %s at %v (%s)", a.ID, a.Object, a.Time, a.Cause)
			}
			for _, a := range v.False {
				t.Errorf("false: %s of %s at %v", a.ID, a.Object, a.Time)
			}
		})
	}
}
