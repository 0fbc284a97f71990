package vet

import "github.com/imdad-telemetry/imdad/collector/meter"

// counter is a register that only counts up.
type counter struct {
	meter.Counter
	register string
}
