package metersim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/collector/zone/spelling"
)

// Alarms are the ids of the alarms that claims speak of (DOMAIN.md §4). Rules
// of one's own have ids of their own, so that others are taken, too.
var Alarms = []string{
	"elec.outage", "elec.phase_loss", "elec.ration_overrun", "elec.ration_unannounced", "elec.voltage_low", "elec.voltage_high",
	"elec.unbalance", "elec.frequency", "elec.shortfall", "elec.demand_high", "elec.feeder_overload",
	"water.pressure_low", "water.stopped", "water.shortfall", "water.tank_low", "water.burst", "water.night_leak",
	"fuel.cover_low", "fuel.tanker_late", "fuel.loss", "fuel.reconcile", "fuel.delivery_short",
	"plant.stall_forecast", "plant.stalled", "zone.inadequate", "balance.gap",
	"meter.offline", "meter.stuck", "meter.clock", "meter.reset", "gateway.offline", "pipeline.fault", "alarm.flood",
}

// misspelt returns what is wrong with a claim's alarm ids, empty if nothing is
// known to be.
func (c *ScenarioClaim) misspelt() string {
	for id := range strings.SplitSeq(c.ID, "|") {
		if slices.Contains(Alarms, id) || strings.HasSuffix(id, "*") {
			continue
		}
		if near, ok := spelling.Nearest(id, Alarms); ok {
			return fmt.Sprintf("there is no alarm %q; did you mean %q?", id, near)
		}
	}
	return ""
}

// about checks that the city has what a claim is about. What the service's own
// alarms are about is not in the city.
func (st *stage) about(path string, c *ScenarioClaim) {
	if family, _, _ := strings.Cut(c.ID, "."); family == "pipeline" || family == "alarm" {
		return
	}
	for id := range strings.SplitSeq(c.Object, "|") {
		if id != "" && !strings.HasSuffix(id, "*") && !st.has(id) {
			st.errs = append(st.errs, fmt.Errorf("%s.object: there is no %q in %s", path, id, st.Files[0].City.ID))
		}
	}
}

// has tells whether something in the registry has the id.
func (st *stage) has(id string) bool {
	_, known := st.Registry.Object(id)
	return known || id == st.Files[0].City.ID || len(st.metersCalled(id)) > 0 || slices.Contains(st.net.gateways(), id) ||
		slices.ContainsFunc(st.Registry.Tankers(), func(t zone.Tanker) bool { return t.ID == id }) ||
		slices.ContainsFunc(st.Registry.Rationing(), func(r zone.Rationing) bool { return r.ID == id })
}
