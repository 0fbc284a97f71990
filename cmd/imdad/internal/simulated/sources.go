// Package simulated reads what the simulated meters say of themselves for the
// service that is to understand them.
package simulated

import (
	"fmt"

	"github.com/goccy/go-yaml"

	"github.com/imdad-telemetry/imdad/collector/decode"
)

// Sources reads the section sources: that a fleet or a plan of metersim gives.
func Sources(text []byte) ([]decode.Source, error) {
	var section struct {
		Sources []decode.Source `yaml:"sources"`
	}
	if err := yaml.UnmarshalWithOptions(text, &section, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("read the sources of the simulated meters: %w", err)
	}
	for _, s := range section.Sources {
		if errs := s.Validate(); len(errs) > 0 {
			return nil, fmt.Errorf("source %s of the simulated meters: %w", s.Name, errs[0])
		}
	}
	return section.Sources, nil
}
