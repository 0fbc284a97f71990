package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The play of TestE2EAlarmScenario, the real time that the simulator has before
// its clock begins, and that of the service: had it much more, the meters would
// be silent.
const (
	scenarioFile  = "testdata/alerting/feeder-trip.yaml"
	scenarioSpeed = 60
	scenarioLead  = 6 * time.Second
	serviceLead   = 1500 * time.Millisecond
)

// TestE2EAlarmScenario lets the real simulator play a feeder's trip to the real
// service, over a real broker, and holds the alarms against what was played.
func TestE2EAlarmScenario(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	sim := c.buildSimulator()
	registry, events := filepath.Join(c.dir, "city.yaml"), filepath.Join(c.dir, "events.jsonl")
	begin := time.Now().Add(scenarioLead)
	clock := []string{"--clock-at", begin.Format(time.RFC3339Nano), "--speed", fmt.Sprint(scenarioSpeed)}
	play := append([]string{"--broker", "tcp://" + c.broker.Addr(), "--scenario", scenarioFile, "--registry", registry, "--events", events}, clock...)
	meters, err := startChild(filepath.Join(c.dir, "meters.log"), sim, play...)
	c.must("start the simulator", err)
	t.Cleanup(meters.kill)
	var start string // as the simulator says it, once the registry is written
	c.eventually("the simulator's word", func() (bool, error) {
		_, said, ok := strings.Cut(meters.tail(), "--clock-start ")
		start, _, _ = strings.Cut(said, " ")
		return ok, nil
	})
	c.config.Cities = []string{registry}
	c.flags = append(clock, "--clock-start", start)
	c.eventually("the service's turn", func() (bool, error) { return time.Until(begin) < serviceLead, nil })
	c.start()
	select {
	case <-meters.exited:
	case <-time.After(settleWithin):
		t.Fatalf("the play does not end: %s", meters.tail())
	}
	if code := meters.state().ExitCode(); code != 0 {
		t.Fatalf("the simulator ended with %d: %s", code, meters.tail())
	}
	journal := filepath.Join(c.dir, "journal.jsonl")
	c.saveJournal(journal)
	table, err := exec.CommandContext(t.Context(), sim, "score", "--events", events, "--journal", journal, "--precision", "1").CombinedOutput()
	if err != nil {
		text, _ := os.ReadFile(journal)
		t.Errorf("score: %v\n%s\nof\n%s", err, table, text)
	}
	t.Logf("\n%s", table)
}

func (c *city) buildSimulator() (path string) {
	c.t.Helper()
	path = filepath.Join(c.dir, "metersim")
	out, err := exec.CommandContext(c.t.Context(), "go", "build", "-o", path, "../metersim").CombinedOutput()
	if err != nil {
		c.t.Fatalf("build metersim: %v\n%s", err, out)
	}
	return path
}

// saveJournal writes what the API tells of the journal as JSON lines.
func (c *city) saveJournal(path string) {
	c.t.Helper()
	var lines bytes.Buffer
	for _, t := range c.journal() {
		text, err := json.Marshal(t)
		c.must("encode the journal", err)
		lines.Write(append(text, '\n'))
	}
	c.must("write the journal", os.WriteFile(path, lines.Bytes(), 0o600))
}
