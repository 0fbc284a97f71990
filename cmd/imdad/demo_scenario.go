package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/imdad-telemetry/imdad/collector/metersim"
	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/configs"
)

// playedFile, in a kept folder, says when the last play there began.
const playedFile = "played"

// demoProfiles are those that the demo's meters speak: all whose messages have a
// time of their own. What has none gets that of its receipt, message by message,
// and the books could not be compared.
var demoProfiles = []string{
	"imdad", "sparkplug-b", "tasmota", "shelly", "wmbusmeters", "zigbee2mqtt", "senml", "thingsboard", "chirpstack", "ttn", "dsmr", "json",
}

// prepare makes the scenario ready. It begins at its own hour today, or, in a
// folder that has seen that day, on the day after the last: readings of one
// time would overwrite each other.
func (d *demoCmd) prepare(dir string) (*metersim.Plan, error) {
	var s metersim.Scenario
	doc, err := configs.LoadScenario(d.Scenario, &s)
	if err != nil {
		return nil, err
	}
	city, err := configs.ShippedFile(cmp.Or(s.City, metersim.DefaultCity))
	if err != nil {
		return nil, doc.Locate(err)
	}
	if len(s.Profiles) == 0 {
		s.Profiles = demoProfiles
	}
	files := []*zone.File{city}
	plan, err := metersim.Prepare(&s, files, s.Seed)
	if err != nil {
		return nil, doc.Locate(err)
	}
	start := d.ClockStart
	if start.IsZero() {
		if start, err = nextPlay(dir, plan.Start); err != nil {
			return nil, err
		}
	}
	s.Begin(start)
	if plan, err = metersim.Prepare(&s, files, s.Seed); err != nil {
		return nil, doc.Locate(err)
	}
	return plan, keepPlayed(dir, plan.End)
}

// nextPlay is the hour of scheduled on the first day, from today on, after all
// that was played in the folder.
func nextPlay(dir string, scheduled time.Time) (time.Time, error) {
	today := time.Now().In(scheduled.Location())
	start := time.Date(today.Year(), today.Month(), today.Day(), scheduled.Hour(), scheduled.Minute(), 0, 0, scheduled.Location())
	text, err := os.ReadFile(filepath.Join(dir, playedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return start, nil
	}
	if err != nil {
		return start, fmt.Errorf("see what was played in the folder: %w", err)
	}
	end, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return start, fmt.Errorf("see what was played in the folder (%s): %w", playedFile, err)
	}
	for !start.After(end) {
		start = start.AddDate(0, 0, 1)
	}
	return start, nil
}

func keepPlayed(dir string, end time.Time) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, playedFile), []byte(end.Format(time.RFC3339)), 0o644); err != nil {
		return fmt.Errorf("note what is played: %w", err)
	}
	return nil
}
