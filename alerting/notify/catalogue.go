package notify

import "github.com/imdad-telemetry/imdad/alerting/rule"

// UpcomingKind is the kind under which notices of planned rationing are routed.
const UpcomingKind = "ration.upcoming"

// floodKind tells of too many notices. The digest is that notice itself, so
// without a route that asks for it, it goes to streams alone.
const floodKind = "alarm.flood"

// audience is whom a kind is addressed to where there are no routes: the column
// "to" of DOMAIN.md §4. What nobody is named for must not be lost.
func (d *directory) audience(kind string) []rule.Role {
	switch kind {
	case UpcomingKind:
		return []rule.Role{rule.ZoneManager, rule.PlantStaff}
	case floodKind:
		return nil
	}
	if roles := d.to(kind); len(roles) > 0 {
		return roles
	}
	return []rule.Role{rule.ZoneManager, rule.Operations}
}

// catalogued is whom the catalogue addresses a kind to.
func catalogued(kind string) []rule.Role {
	kinds := rule.Kinds()
	for i := range kinds {
		if kinds[i].ID == kind {
			return kinds[i].To
		}
	}
	return nil
}
