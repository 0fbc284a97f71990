package rule

import (
	"slices"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// Watches tells whether a condition can still come up: its kind is in force at
// its object, and the registry has that. Parts, people and gateways that only
// their status tells of are in no registry: for them the kind alone decides.
func (s *Set) Watches(key Key) bool {
	for i := range s.custom {
		if c := &s.custom[i]; c.ID == key.Kind {
			r := s.net.about(key)
			return r.class == c.class && slices.Contains(c.objects, r.index)
		}
	}
	k, ok := kindOf(key.Kind)
	if !ok {
		return false
	}
	switch {
	case k == gatewayOffline:
		if z := s.net.index(key.Zone, zoneClass); z >= 0 {
			return s.at(k, zoneClass, z).enabled
		}
		return s.kinds[k].everywhere.enabled
	case len(classesOf(k)) == 0:
		return s.kinds[k].everywhere.enabled
	}
	r := s.net.about(key)
	return slices.Contains(classesOf(k), r.class) && s.at(k, r.class, r.index).enabled
}

// about finds the object of a condition.
func (n *network) about(key Key) ref {
	if key.Utility == "" {
		return n.find(key.Object)
	}
	i, ok := n.registry.MeterIndex(key.Zone, meter.Utility(key.Utility), key.Object)
	if !ok {
		return noRef
	}
	return ref{meterClass, int32(i)}
}
