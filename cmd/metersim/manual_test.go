package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/metersim"
	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/configs"
)

const manual = "../../configs/scenarios/README.md"

// TestManualKnowsEveryCause: the table of the manual names each kind of cause
// with exactly the parameters that it takes.
func TestManualKnowsEveryCause(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 7 {
			continue
		}
		for _, name := range strings.Split(cells[1], ",") {
			rows[strings.Trim(name, " `")] = cells[3]
		}
	}
	word := regexp.MustCompile("`([a-z_0-9]+)`")
	for _, k := range metersim.CauseKinds() {
		row, ok := rows[k.Name]
		if !ok {
			t.Errorf("%s is not in the manual", k.Name)
			continue
		}
		told := make(map[string]bool)
		for _, m := range word.FindAllStringSubmatch(row, -1) {
			told[m[1]] = true
		}
		for _, p := range k.Parameters {
			if !told[p] {
				t.Errorf("%s takes %s, which the manual does not say", k.Name, p)
			}
			delete(told, p)
		}
		if len(told) > 0 {
			t.Errorf("%s does not take %v", k.Name, told)
		}
	}
}

// TestManualsExample: the file in the manual is one.
func TestManualsExample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	path := filepath.Join(t.TempDir(), "my-play.yaml")
	if err := os.WriteFile(path, []byte(example), 0o644); err != nil {
		t.Fatal(err)
	}
	var s metersim.Scenario
	doc, err := configs.LoadScenario(path, &s)
	if err != nil {
		t.Fatal(err)
	}
	city, err := configs.ShippedFile(metersim.DefaultCity)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := metersim.Prepare(&s, []*zone.File{city}, 1)
	if err != nil {
		t.Fatal(doc.Locate(err))
	}
	if n := len(plan.Events()); n != 5 {
		t.Errorf("%d events, want the trip, the rationing and three claims", n)
	}
}

// TestEveryCauseIsShipped: each kind of cause stands in some shipped scenario.
func TestEveryCauseIsShipped(t *testing.T) {
	t.Parallel()
	used := make(map[string]bool)
	for _, name := range configs.ShippedScenarios() {
		var s metersim.Scenario
		if _, err := configs.LoadScenario(name, &s); err != nil {
			t.Fatal(err)
		}
		for _, c := range s.Causes {
			used[c.Cause] = true
		}
	}
	for _, kind := range metersim.Causes() {
		if !used[kind] {
			t.Errorf("no shipped scenario has a %s", kind)
		}
	}
}
