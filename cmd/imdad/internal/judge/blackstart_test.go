package judge_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/cmd/imdad/internal/judge"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/metersim"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// TestBlackStart: when the whole city goes dark, nobody gets more than ten
// notices in the first hour, and each zone manager can read in them the name of
// every plant that stands still: one that worked before, by what its meters
// said, and neither draws power nor makes its own half an hour into the cut.
func TestBlackStart(t *testing.T) {
	t.Parallel()
	plan, err := judge.Prepare("15-black-start", 0)
	if err != nil {
		t.Fatal(err)
	}
	cut := plan.Events()[0].Start
	still := standing(t, cut)
	if len(still) < 5 {
		t.Fatalf("only %d plants stand still; the play is not what it says", len(still))
	}
	folks := people(t)
	v, err := judge.Judge(t.Context(), judge.Options{Plan: plan, Dir: t.TempDir(), People: folks, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range v.Managers {
		if m.FirstHour > 10 {
			t.Errorf("%s got %d notices in the first hour", m.Person, m.FirstHour)
		}
	}
	for _, who := range folks.People {
		if who.Role != rule.ZoneManager {
			continue
		}
		text := read(v, who.ID, cut.Add(time.Hour))
		for _, p := range still {
			if slices.Contains(who.Zones, p.Zone) && !strings.Contains(text, p.Name.Ar) && !strings.Contains(text, p.Name.En) {
				t.Errorf("%s was not told that %s (%s) stands still", who.ID, p.ID, p.Name.En)
			}
		}
	}
}

// read is all that a person was told before t.
func read(v judge.Verdict, person string, t time.Time) string {
	var b strings.Builder
	for _, n := range v.Notices {
		if n.Person != person || n.Time.After(t) {
			continue
		}
		for _, text := range n.Text {
			b.WriteString(text.Plain)
		}
	}
	return b.String()
}

// standing plays the scenario by itself and returns the plants that stand still.
func standing(t *testing.T, cut time.Time) []zone.Plant {
	t.Helper()
	plan, err := judge.Prepare("15-black-start", 0)
	if err != nil {
		t.Fatal(err)
	}
	before, during := make(map[string]float64), make(map[string]float64) // kW by plant and meter
	_, err = metersim.Play(t.Context(), metersim.PlayOptions{Plan: plan, Emit: func(d metersim.Delivery) error {
		part := strings.Split(d.Topic, "/")
		if len(part) != 5 {
			return nil
		}
		m, ok := plan.Registry.Meter(part[2], meter.Utility(part[3]), part[4])
		if !ok || m.Utility != meter.Electricity && m.Utility != meter.Generator {
			return nil
		}
		var payload struct{ Values map[string]float64 }
		if err := json.Unmarshal(d.Payload, &payload); err != nil {
			return err
		}
		switch kw := payload.Values["active_power_kw"]; {
		case d.At.Before(cut):
			before[m.At] = max(before[m.At], kw)
		case d.At.After(cut.Add(25*time.Minute)) && d.At.Before(cut.Add(35*time.Minute)):
			during[m.At] = max(during[m.At], kw)
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	var still []zone.Plant
	for _, p := range plan.Registry.Plants() {
		if before[p.ID] > 0.2*p.Requirement.PowerKW && during[p.ID] < 0.05*p.Requirement.PowerKW {
			still = append(still, p)
		}
	}
	return still
}
