package notify

import (
	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// audience is whom a kind is addressed to where there are no routes: the column
// "to" of DOMAIN.md §4. What nobody is named for must not be lost.
func (d *directory) audience(kind string) []rule.Role {
	switch kind {
	case message.UpcomingKind:
		return []rule.Role{rule.ZoneManager, rule.PlantStaff}
	case alarm.FloodKind:
		// The digest is that notice itself, so without a route that asks for it,
		// it goes to streams alone.
		return nil
	}
	if roles := d.to(kind); len(roles) > 0 {
		return roles
	}
	return []rule.Role{rule.ZoneManager, rule.Operations}
}

// catalogued returns whom the catalogue addresses each kind to.
func catalogued() func(kind string) []rule.Role {
	to := make(map[string][]rule.Role)
	for _, k := range rule.Kinds() {
		to[k.ID] = k.To
	}
	return func(kind string) []rule.Role { return to[kind] }
}
