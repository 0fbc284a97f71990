package notify

import (
	"slices"

	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// UpcomingKind is the kind under which notices of planned rationing are routed.
const UpcomingKind = "ration.upcoming"

// floodKind tells of too many notices: the digest is that notice itself, so it
// goes to streams alone unless a route asks for it.
const floodKind = "alarm.flood"

// DefaultRoutes returns the routes of the catalogue, one a role, and one for
// rules of one's own, which go to zone managers and operations.
func DefaultRoutes() []Route {
	kinds := rule.Kinds()
	known := make([]string, 0, len(kinds)+1)
	for i := range kinds {
		known = append(known, kinds[i].ID)
	}
	known = append(known, UpcomingKind)
	var out []Route
	for _, role := range rule.Roles {
		out = append(out, Route{Name: string(role), Kinds: kindsTo(role, kinds), Roles: []rule.Role{role}})
	}
	return append(out, Route{Name: "custom", Except: known, Roles: []rule.Role{rule.ZoneManager, rule.Operations}})
}

// kindsTo lists what the catalogue addresses to a role.
func kindsTo(role rule.Role, kinds []rule.Kind) []string {
	var out []string
	for i := range kinds {
		if slices.Contains(kinds[i].To, role) && kinds[i].ID != floodKind {
			out = append(out, kinds[i].ID)
		}
	}
	if role == rule.ZoneManager || role == rule.PlantStaff {
		out = append(out, UpcomingKind)
	}
	return out
}
