package zone

import "github.com/imdad-telemetry/imdad/collector/meter"

// MeterIndex returns where in Meters the meter stands that reports under zone,
// utility and id.
func (r *Registry) MeterIndex(zone string, utility meter.Utility, id string) (int, bool) {
	i, ok := r.byKey[meterKey{zone, utility, id}]
	return int(i), ok
}
