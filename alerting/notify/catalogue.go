package notify

import (
	"strings"
	"time"
)

// UpcomingKind is the kind under which notices of planned rationing are routed.
const UpcomingKind = "ration.upcoming"

// audience is the column "to" of the catalogue, DOMAIN.md §4.
var audience = []struct{ kind, to string }{
	{"elec.outage", "ZPU"}, {"elec.phase_loss", "ZP"}, {"elec.ration_overrun", "ZU"}, {"elec.ration_unannounced", "ZUM"},
	{"elec.voltage_low", "ZU"}, {"elec.voltage_high", "ZU"}, {"elec.unbalance", "P"}, {"elec.frequency", "U"},
	{"elec.shortfall", "ZUM"}, {"elec.demand_high", "P"}, {"elec.feeder_overload", "U"},
	{"water.pressure_low", "ZP"}, {"water.stopped", "ZU"}, {"water.shortfall", "ZUM"}, {"water.tank_low", "ZP"},
	{"water.burst", "ZU"}, {"water.night_leak", "U"},
	{"fuel.cover_low", "ZPM"}, {"fuel.tanker_late", "ZM"}, {"fuel.loss", "ZP"}, {"fuel.reconcile", "P"}, {"fuel.delivery_short", "PM"},
	{"plant.stall_forecast", "PZ"}, {"plant.stalled", "ZM"}, {"zone.inadequate", "ZM"}, {"balance.gap", "U"},
	{"meter.offline", "O"}, {"meter.stuck", "O"}, {"meter.clock", "O"}, {"meter.reset", "O"}, {"gateway.offline", "O"},
	{"pipeline.fault", "O"}, {"alarm.flood", "Z"}, {UpcomingKind, "ZP"},
}

// DefaultRoutes returns the routes of the catalogue, one a role, and one for
// rules of one's own, which go to zone managers and operations. Criticals are
// repeated after half an hour, others after two hours.
func DefaultRoutes() []Route {
	letters := []struct {
		letter string
		role   Role
	}{{"Z", ZoneManager}, {"P", PlantRole}, {"U", Utility}, {"M", Ministry}, {"O", Operations}}
	critical, rest := []Level{levelCritical}, []Level{levelHigh, levelMedium, levelLow}
	var out []Route
	for _, l := range letters {
		var kinds []string
		for _, a := range audience {
			if strings.Contains(a.to, l.letter) {
				kinds = append(kinds, a.kind)
			}
		}
		name := string(l.role)
		out = append(out,
			Route{Name: name + "-critical", Kinds: kinds, Severities: critical, Roles: []Role{l.role}, Repeat: 30 * time.Minute},
			Route{Name: name, Kinds: kinds, Severities: rest, Roles: []Role{l.role}, Repeat: 2 * time.Hour})
	}
	known := make([]string, len(audience))
	for i, a := range audience {
		known[i] = a.kind
	}
	return append(out, Route{Name: "custom", Except: known, Roles: []Role{ZoneManager, Operations}, Repeat: 2 * time.Hour})
}
