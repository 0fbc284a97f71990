package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/metersim"
	"github.com/imdad-telemetry/imdad/collector/metersim/score"
	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/configs"
)

var update = flag.Bool("update", false, "write the golden events anew")

// prepare makes a shipped scenario ready.
func prepare(t testing.TB, name string, seed int64) *metersim.Plan {
	t.Helper()
	var s metersim.Scenario
	doc, err := configs.LoadScenario(name, &s)
	if err != nil {
		t.Fatal(err)
	}
	city, err := configs.ShippedFile(metersim.DefaultCity)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := metersim.Prepare(&s, []*zone.File{city}, seed)
	if err != nil {
		t.Fatal(doc.Locate(err))
	}
	return plan
}

// played is what came of a play: the number of deliveries, their fingerprint,
// and the events.
type played struct {
	deliveries int
	print      uint64
	events     []score.Event
}

func play(t testing.TB, plan *metersim.Plan, each func(metersim.Delivery)) played {
	t.Helper()
	var p played
	h := fnv.New64a()
	last := time.Time{}
	var err error
	p.events, err = metersim.Play(t.Context(), metersim.PlayOptions{Plan: plan, Emit: func(d metersim.Delivery) error {
		if d.At.Before(last) {
			t.Fatalf("%s arrives at %v, after what arrived at %v", d.Topic, d.At, last)
		}
		last = d.At
		p.deliveries++
		_, _ = h.Write([]byte(d.Topic))
		_, _ = h.Write(d.Payload)
		if each != nil {
			each(d)
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	p.print = h.Sum64()
	return p
}

// TestShippedScenarios plays every scenario that is not weeks long: twice with
// its own seed, which must give the same deliveries and the golden events, and
// once with another, which must give other ones.
func TestShippedScenarios(t *testing.T) {
	t.Parallel()
	for _, name := range configs.ShippedScenarios() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := prepare(t, name, 1)
			if plan.Scenario.Name != name || plan.Scenario.Title == "" {
				t.Errorf("it is called %q, %q", plan.Scenario.Name, plan.Scenario.Title)
			}
			if plan.End.Sub(plan.Start) > 100*time.Hour {
				return // its events are tested without its messages
			}
			first := play(t, plan, nil)
			golden(t, name, first.events)
			if plan.End.Sub(plan.Start) > 150*time.Minute {
				return
			}
			if again := play(t, prepare(t, name, 1), nil); again.print != first.print || again.deliveries != first.deliveries {
				t.Errorf("%d deliveries, then %d; the same seed must give the same", first.deliveries, again.deliveries)
			}
			if other := play(t, prepare(t, name, 2), nil); other.print == first.print {
				t.Error("another seed gives the same")
			}
		})
	}
}

func golden(t *testing.T, name string, events []score.Event) {
	t.Helper()
	var b bytes.Buffer
	lines := json.NewEncoder(&b)
	for _, e := range events {
		if err := lines.Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join("testdata", "events", name+".jsonl")
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, wanted := strings.Split(b.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(got), len(wanted)) {
		if i >= len(got) || i >= len(wanted) || got[i] != wanted[i] {
			t.Fatalf("event %d is not the golden one; go test ./cmd/metersim -update writes it anew\n%.600s", i+1, strings.Join(got[min(i, len(got)-1):], "\n"))
		}
	}
}
