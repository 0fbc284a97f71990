package metersim

import (
	"slices"

	"github.com/imdad-telemetry/imdad/collector/metersim/dress"
)

// kind is one kind of cause: what it may befall, the parameters it takes, and
// what it does.
type kind struct {
	on       []string // words of zone.Kind, and: meter, gateway, order, rule
	params   []string
	patterns []string // what the parameter pattern may be
	set      func(*stage, *incident)
}

// cityWide tells whether the cause may go without an object.
func (k kind) cityWide() bool { return slices.Contains(k.on, "city") }

// catalogue is every kind of cause, by its name in scenario files. It is read
// only.
var catalogue = map[string]kind{
	"feeder_trip":     {on: []string{"feeder"}, set: (*stage).feederTrip},
	"substation_trip": {on: []string{"substation"}, set: (*stage).substationTrip},
	"unannounced_cut": {on: []string{"zone"}, params: []string{"feeders"}, set: (*stage).unannouncedCut},
	"rationing":       {on: []string{"rule", "feeder", "zone", "city"}, params: []string{"overrun", "lag", "stage"}, set: (*stage).rationing},
	"stage":           {on: []string{"city"}, params: []string{"stage"}, set: (*stage).announce},
	"silent_cut":      {on: []string{"feeder"}, params: []string{"last_gasp"}, set: (*stage).silentCut},
	"black_start":     {on: []string{"city"}, params: []string{"gap"}, set: (*stage).blackStart},
	"brownout":        {on: []string{"city", "substation", "feeder", "plant"}, params: []string{"level_pct", "hover_pct", "ramp"}, set: (*stage).brownout},
	"phase_loss":      {on: []string{"feeder", "plant"}, params: []string{"phase", "pattern"}, patterns: []string{"fuse", "open"}, set: (*stage).phaseLoss},
	"frequency":       {on: []string{"city"}, params: []string{"hertz"}, set: (*stage).frequency},
	"demand_surge":    {on: []string{"plant"}, params: []string{"factor"}, set: (*stage).surge},
	"idle_plant":      {on: []string{"plant"}, set: (*stage).idle},

	"burst":     {on: []string{"water_line"}, params: []string{"flow_m3h", "drop_pct"}, set: (*stage).burst},
	"slow_leak": {on: []string{"water_line"}, params: []string{"flow_m3h"}, set: (*stage).slowLeak},
	"tank_fill": {on: []string{"tank"}, params: []string{"flow_m3h"}, set: (*stage).tankFill},
	"pump_stop": {on: []string{"pumping_station"}, params: []string{"level_pct"}, set: (*stage).pumpStop},

	"tanker_late":    {on: []string{"order"}, params: []string{"late"}, set: (*stage).tankerLate},
	"delivery_short": {on: []string{"order"}, params: []string{"short_pct"}, set: (*stage).deliveryShort},
	"theft":          {on: []string{"tank"}, params: []string{"litres"}, set: (*stage).theft},
	"tank_warming":   {on: []string{"tank"}, params: []string{"from_c", "to_c"}, set: (*stage).tankWarming},

	"meter_offline":   {on: []string{"meter"}, set: (*stage).meterOffline},
	"gateway_offline": {on: []string{"gateway"}, set: (*stage).gatewayOffline},
	"clock_skew":      {on: []string{"meter"}, params: []string{"skew"}, set: (*stage).clockSkew},
	"clock_1970":      {on: []string{"meter"}, set: (*stage).clock1970},
	"missing_zone":    {on: []string{"meter"}, set: (*stage).missingZone},
	"counter_reset":   {on: []string{"meter"}, set: (*stage).counterReset},
	"rollover":        {on: []string{"meter"}, params: []string{"digits"}, set: (*stage).rollover},
	"replacement":     {on: []string{"meter"}, set: (*stage).replacement},
	"stuck_meter":     {on: []string{"meter"}, set: (*stage).stuckMeter},

	"sparkplug_late_join":   {on: []string{"gateway"}, set: (*stage).sparkplugLateJoin},
	"sparkplug_gap":         {on: []string{"gateway"}, params: []string{"count"}, set: (*stage).sparkplugGap},
	"sparkplug_alias_reuse": {on: []string{"gateway"}, set: (*stage).sparkplugAliasReuse},
	"sparkplug_death":       {on: []string{"gateway"}, params: []string{"pattern"}, patterns: deathPatterns, set: (*stage).sparkplugDeath},
	"sparkplug_rebirth":     {on: []string{"gateway"}, set: (*stage).sparkplugRebirth},

	"duplicates":     {on: []string{"meter", "city"}, params: []string{"count"}, set: (*stage).duplicates},
	"out_of_order":   {on: []string{"meter", "city"}, params: []string{"lag"}, set: (*stage).outOfOrder},
	"seq_gap":        {on: []string{"meter"}, params: []string{"count"}, set: (*stage).seqGap},
	"backfill":       {on: []string{"feeder", "plant"}, params: []string{"span", "blackout"}, set: (*stage).backfill},
	"retained_stale": {on: []string{"meter"}, params: []string{"span"}, set: (*stage).retainedStale},
	"bad_payload":    {on: []string{"meter"}, params: []string{"pattern", "gap"}, patterns: badPatterns, set: (*stage).badPayload},
	"trap":           {on: []string{"meter"}, params: []string{"pattern"}, patterns: dress.Traps(), set: (*stage).trap},
	"broker_outage":  {on: []string{"city"}, set: (*stage).brokerOutage},
	"database_down":  {on: []string{"city"}, set: (*stage).databaseDown},
}
