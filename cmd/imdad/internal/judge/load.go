package judge

import (
	"fmt"

	"github.com/imdad-telemetry/imdad/collector/metersim"
	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/configs"
)

// Prepare makes a scenario, shipped or in a file, ready for a seed; 0: its own.
func Prepare(name string, seed int64) (*metersim.Plan, error) {
	var s metersim.Scenario
	doc, err := configs.LoadScenario(name, &s)
	if err != nil {
		return nil, fmt.Errorf("load scenario %s: %w", name, err)
	}
	if s.City == "" {
		s.City = metersim.DefaultCity
	}
	city, err := configs.ShippedFile(s.City)
	if err != nil {
		return nil, fmt.Errorf("prepare scenario %s: %w", name, doc.Locate(err))
	}
	if seed == 0 {
		seed = s.Seed
	}
	plan, err := metersim.Prepare(&s, []*zone.File{city}, seed)
	if err != nil {
		return nil, fmt.Errorf("prepare scenario %s: %w", name, doc.Locate(err))
	}
	return plan, nil
}
