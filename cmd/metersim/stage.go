package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/imdad-telemetry/imdad/collector/metersim"
	"github.com/imdad-telemetry/imdad/collector/metersim/dress"
	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/configs"
)

// stageOrCity sets what is to be played: a scenario, or a city as it is.
func (c *command) stageOrCity(o *metersim.Options) (err error) {
	o.Seed = 1
	if c.Scenario == "" {
		if c.Events != "" || c.Registry != "" {
			return errors.New("--events and --registry go with --scenario")
		}
		if c.Seed != nil {
			o.Seed = *c.Seed
		}
		if o.Profiles = c.Profiles; len(o.Profiles) == 0 && c.Rate == 0 {
			o.Profiles = []string{dress.Mixed}
		}
		o.Registry, err = c.registry()
		return err
	}
	o.Plan, err = c.plan()
	return err
}

// plan makes the scenario ready.
func (c *command) plan() (*metersim.Plan, error) {
	var s metersim.Scenario
	doc, err := configs.LoadScenario(c.Scenario, &s)
	if err != nil {
		return nil, err
	}
	if len(c.Profiles) > 0 {
		s.Profiles = c.Profiles
	}
	if !c.ClockStart.IsZero() {
		s.Begin(c.ClockStart)
	}
	files, err := c.files(cmp.Or(s.City, defaultCity))
	if err != nil && len(c.Fleet) == 0 {
		err = doc.Locate(err)
	}
	if err != nil {
		return nil, err
	}
	seed := s.Seed
	if c.Seed != nil {
		seed = *c.Seed
	}
	plan, err := metersim.Prepare(&s, files, seed)
	if err != nil {
		return nil, doc.Locate(err)
	}
	return plan, nil
}

func (c *command) files(city string) ([]*zone.File, error) {
	if len(c.Fleet) > 0 {
		return configs.LoadFiles(c.Fleet)
	}
	f, err := configs.ShippedFile(city)
	if err != nil {
		return nil, err
	}
	return []*zone.File{f}, nil
}

// writeRegistry writes the city that the service under test is to load.
func (c *command) writeRegistry(plan *metersim.Plan) error {
	if c.Registry == "" {
		return nil
	}
	if len(plan.Files) != 1 {
		return fmt.Errorf("write registry: the fleet is %d cities; --registry writes one", len(plan.Files))
	}
	text, err := configs.MarshalRegistry(plan.Files[0])
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.Registry, text, 0o644); err != nil {
		return fmt.Errorf("write registry: %w", err)
	}
	return nil
}

// writeSources writes what the service needs to read the fleet.
func (c *command) writeSources(fleet *metersim.Fleet) error {
	if c.Sources == "" {
		return nil
	}
	text, err := fleet.SourcesYAML()
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.Sources, text, 0o644); err != nil {
		return fmt.Errorf("write sources: %w", err)
	}
	return nil
}

// writeEvents writes what has been played.
func (c *command) writeEvents(plan *metersim.Plan) error {
	if c.Events == "" {
		return nil
	}
	var b bytes.Buffer
	lines := json.NewEncoder(&b)
	for _, e := range plan.Events() {
		if err := lines.Encode(e); err != nil {
			return fmt.Errorf("write events: %w", err)
		}
	}
	if err := os.WriteFile(c.Events, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	return nil
}
