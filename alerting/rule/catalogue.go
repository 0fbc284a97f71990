package rule

import (
	"time"

	"github.com/imdad-telemetry/imdad/collector/zone"
)

// kindIndex is a kind's place in the catalogue.
type kindIndex int

const (
	outage kindIndex = iota
	phaseLoss
	rationOverrun
	rationUnannounced
	voltageLow
	voltageHigh
	unbalance
	frequency
	powerShortfall
	demandHigh
	feederOverload
	pressureLow
	waterStopped
	waterShortfall
	tankLow
	burst
	nightLeak
	coverLow
	tankerLate
	fuelLoss
	fuelReconcile
	deliveryShort
	stallForecast
	stalled
	inadequate
	balanceGap
	meterOffline
	meterStuck
	meterClock
	meterReset
	gatewayOffline
	pipelineFault
	alarmFlood
	kindCount
)

// The places of the parameters in Kind.Params.
const (
	phaseOthers    = 0 // phase_loss
	phaseUnbalance = 1
	phaseSpread    = 2
	phaseRestored  = 3

	severeDelay = 0 // voltage_low
	nominalHz   = 0 // frequency

	demandPowerFactor = 0 // demand_high
	demandSettle      = 1
	demandImplausible = 2

	stoppedFlow    = 0 // water.stopped
	tankFull       = 0 // water.tank_low
	refilledShare  = 0 // plant.stall_forecast
	urgentDelay    = 1
	burstDrop      = 0 // water.burst
	burstLeast     = 1
	burstFill      = 2
	leakLeast      = 0 // water.night_leak
	coverLead      = 0 // fuel.cover_low
	coverZ         = 1
	coverMargin    = 2
	coverFull      = 3
	tankerForget   = 0 // fuel.tanker_late
	lossShare      = 0 // fuel.loss
	lossLeast      = 1
	reconcileL     = 0 // fuel.reconcile
	shortShownH    = 0 // fuel.delivery_short
	backMessages   = 0 // meter.offline
	resetShownH    = 0 // meter.reset
	gatewayRestart = 0 // gateway.offline
	gatewayWith    = 1
	floodWindow    = 0 // alarm.flood
)

var (
	sites   = []zone.Kind{zone.SubstationKind, zone.FeederKind, zone.PlantKind}
	feeders = []zone.Kind{zone.FeederKind}
	zones   = []zone.Kind{zone.ZoneKind}
	lines   = []zone.Kind{zone.WaterLineKind}
	tanks   = []zone.Kind{zone.TankKind}
	plants  = []zone.Kind{zone.PlantKind}
	meters  = []zone.Kind{MeterObject}
)

// fullShare keeps tanks that are small for what is drawn from being low when
// they are full.
var fullShare = Param{"full_share", 0.5, 0.01, 1, "thresholds are at most so much of the cover of the full tank, in proportion"}

// catalogue holds every kind with its defaults: DOMAIN §4. Voltages are shares
// of nominal.
var catalogue = [kindCount]Kind{
	outage: {
		ID: "elec.outage", About: sites, Severity: High, To: []Role{ZoneManager, PlantStaff, Utility},
		On: 0.05, Clear: 0.90, Severe: none, Unit: "of nominal voltage", Falling: true, Least: 0, Most: 1,
		OnDelay: time.Minute, OffDelay: time.Minute,
	},
	phaseLoss: {
		ID: "elec.phase_loss", About: sites, Severity: Critical, To: []Role{ZoneManager, PlantStaff},
		On: 0.50, Clear: 0.85, Severe: none, Unit: "of nominal voltage", Falling: true, Least: 0, Most: 1,
		OnDelay: 10 * time.Second,
		Params: []Param{
			{"others", 0.80, 0, 1, "the other phases stand above so much of nominal"},
			{"unbalance", 0.20, 0, 1, "or the unbalance u2 is above this"},
			{"spread", 0.30, 0, 1, "or the phases differ by so much while the best stands above `others`: a fuse blown on the 20 kV side"},
			{"restored_unbalance", 0.10, 0, 1, "u2 below this, where it is measured, is needed to end"},
		},
	},
	rationOverrun: {
		ID: "elec.ration_overrun", About: feeders, Severity: Medium, To: []Role{ZoneManager, Utility},
		On: none, Clear: none, Severe: none, OnDelay: 10 * time.Minute,
	},
	rationUnannounced: {
		ID: "elec.ration_unannounced", About: zones, Severity: High, To: []Role{ZoneManager, Utility, Ministry},
		On: 2, Clear: 1, Severe: none, Unit: "dead feeders", Least: 1, Most: 1000, OnDelay: 5 * time.Minute,
	},
	voltageLow: {
		ID: "elec.voltage_low", About: sites, Severity: Medium, To: []Role{ZoneManager, Utility},
		On: 0.90, Clear: 0.92, Severe: 0.85, Stepped: High, Unit: "of nominal voltage", Falling: true, Least: 0, Most: 1,
		OffDelay: 10 * time.Minute,
		Params:   []Param{{"severe_delay_s", 60, 0, 3600, "below `severe` for so long raises before the 10-minute mean has fallen"}},
	},
	voltageHigh: {
		ID: "elec.voltage_high", About: sites, Severity: Medium, To: []Role{ZoneManager, Utility},
		On: 1.10, Clear: 1.08, Severe: none, Unit: "of nominal voltage", Least: 1, Most: 2, OffDelay: 10 * time.Minute,
	},
	unbalance: {
		ID: "elec.unbalance", About: plants, Severity: Low, To: []Role{PlantStaff},
		On: 0.02, Clear: 0.017, Severe: none, Unit: "ratio u2", Least: 0, Most: 1,
	},
	frequency: {
		ID: "elec.frequency", About: []zone.Kind{zone.CityKind}, Severity: Medium, To: []Role{Utility},
		On: 0.5, Clear: 0.4, Severe: none, Unit: "Hz away from nominal", Least: 0, Most: 10, OnDelay: time.Minute,
		Params: []Param{{"nominal_hz", 50, 16, 400, "nominal frequency"}},
	},
	powerShortfall: {
		ID: "elec.shortfall", About: zones, Severity: High, To: []Role{ZoneManager, Utility, Ministry},
		On: 0.10, Clear: 0.05, Severe: none, Unit: "of what is required", Least: 0, Most: 1,
		OffDelay: 30 * time.Minute,
	},
	demandHigh: {
		ID: "elec.demand_high", About: plants, Severity: Low, To: []Role{PlantStaff},
		On: 0.95, Clear: 0.90, Severe: none, Unit: "of the contract", Least: 0, Most: 2,
		OnDelay: 5 * time.Minute, OffDelay: 15 * time.Minute, // one gust of load moves a projection, not a block
		Params: []Param{
			{"power_factor", 0.95, 0.1, 1, "kW of each kVA of contract"},
			{"settle_s", 300, 0, 900, "in so many first seconds of a block the projection says little"},
			{"implausible", 5, 1, 1000, "so many times the contract is a meter's fault, and unknown"},
		},
	},
	feederOverload: {
		ID: "elec.feeder_overload", About: feeders, Severity: Medium, To: []Role{Utility},
		On: 0.90, Clear: 0.85, Severe: none, Unit: "of the rated current", Least: 0, Most: 2,
	},
	pressureLow: {
		ID: "water.pressure_low", About: []zone.Kind{zone.WaterLineKind, zone.PlantKind}, Severity: Medium, To: []Role{ZoneManager, PlantStaff},
		On: 2, Clear: 2.2, Severe: none, Unit: "bar", Falling: true, Least: 0, Most: 100,
		OnDelay: 5 * time.Minute, OffDelay: 5 * time.Minute,
	},
	waterStopped: {
		ID: "water.stopped", About: zones, Severity: High, To: []Role{ZoneManager, Utility},
		On: 0.3, Clear: none, Severe: none, Unit: "bar", Falling: true, Least: 0, Most: 100,
		OnDelay: 15 * time.Minute, OffDelay: 10 * time.Minute,
		Params: []Param{{"flow_m3h", 0.5, 0, 1000, "less flow than this is none"}},
	},
	waterShortfall: {
		ID: "water.shortfall", About: zones, Severity: High, To: []Role{ZoneManager, Utility, Ministry},
		On: 0.10, Clear: 0.05, Severe: none, Unit: "of what is required", Least: 0, Most: 1, OffDelay: time.Hour,
	},
	tankLow: {
		ID: "water.tank_low", About: tanks, Severity: Medium, To: []Role{ZoneManager, PlantStaff},
		On: 8, Clear: 10, Severe: 4, Stepped: High, Unit: "hours of cover", Falling: true, Least: 0, Most: 10_000,
		OffDelay: 15 * time.Minute,
		Params:   []Param{fullShare},
	},
	burst: {
		ID: "water.burst", About: lines, Severity: Critical, To: []Role{ZoneManager, Utility},
		On: 3, Clear: none, Severe: none, Unit: "times the expected flow", Least: 1, Most: 1000,
		OnDelay: 3 * time.Minute, Latched: true, // a tank that is filled shows in its level by then
		Params: []Param{
			{"pressure_drop", 0.20, 0, 1, "the pressure fell by so much within 5 minutes"},
			{"least_m3h", 5, 0, 1000, "less flow than this is no burst"},
			{"fill_share", 0.3, 0, 1, "a rise of which so much arrives in tanks is their filling, though their gauges lag behind"},
		},
	},
	nightLeak: {
		ID: "water.night_leak", About: lines, Severity: Low, To: []Role{Utility},
		On: 0.5, Clear: 0.2, Severe: none, Unit: "above the usual night flow", Least: 0, Most: 100,
		Params: []Param{{"least_m3h", 0.5, 0, 1000, "a smaller rise is none"}},
	},
	coverLow: {
		ID: "fuel.cover_low", About: tanks, Severity: Medium, To: []Role{ZoneManager, PlantStaff, Ministry},
		On: 3, Clear: 3.6, Severe: 1, Stepped: High, Unit: "days of cover", Falling: true, Least: 0, Most: 1000,
		OffDelay: time.Hour,
		Params: []Param{
			{"lead_days", 2, 0, 90, "from order to delivery"},
			{"z", 1.65, 0, 5, "safety: so many standard deviations of the daily draw"},
			{"margin", 1.2, 1, 5, "stock of so many reorder points is needed to end"},
			fullShare,
		},
	},
	tankerLate: {
		ID: "fuel.tanker_late", About: tanks, Severity: Medium, To: []Role{ZoneManager, Ministry},
		On: none, Clear: none, Severe: none, OnDelay: 4 * time.Hour,
		Params: []Param{{"forget_h", 168, 1, 10_000, "an order so long overdue is taken for cancelled"}},
	},
	fuelLoss: {
		ID: "fuel.loss", About: tanks, Severity: High, To: []Role{ZoneManager, PlantStaff},
		On: 3, Clear: none, Severe: none, Unit: "standard deviations", Least: 1, Most: 20, Latched: true,
		Params: []Param{
			{"share", 0.02, 0, 1, "and beyond so much of the capacity"},
			{"least_l", 100, 0, 1_000_000, "and beyond so many litres"},
		},
	},
	fuelReconcile: {
		ID: "fuel.reconcile", About: tanks, Severity: Medium, To: []Role{PlantStaff},
		On: 0.01, Clear: 0.008, Severe: none, Unit: "of the 30-day throughput", Least: 0, Most: 1,
		Params: []Param{{"allowance_l", 492, 0, 1_000_000, "litres allowed besides"}},
	},
	deliveryShort: {
		ID: "fuel.delivery_short", About: tanks, Severity: Medium, To: []Role{PlantStaff, Ministry},
		On: 0.005, Clear: none, Severe: none, Unit: "of the ticket", Least: 0, Most: 1, Latched: true,
		Params: []Param{{"shown_h", 24, 1, 10_000, "raised for so long after the tanker came, then held until acknowledged"}},
	},
	stallForecast: {
		ID: "plant.stall_forecast", About: plants, Severity: Medium, To: []Role{PlantStaff, ZoneManager},
		On: 24, Clear: 30, Severe: 4, Stepped: High, Unit: "hours to stall, p10", Falling: true, Least: 0, Most: 10_000,
		OnDelay: 30 * time.Minute, OffDelay: 30 * time.Minute,
		Params: []Param{
			{"refilled_share", 0.2, 0, 1, "water tanks above so much of what they hold, on a main with pressure, are being refilled: no forecast for water"},
			{"urgent_delay_s", 300, 0, 86_400, "the on-delay below `severe`, if it is shorter"},
		},
	},
	stalled: {
		ID: "plant.stalled", About: plants, Severity: High, To: []Role{ZoneManager, Ministry},
		On: 0.20, Clear: 0.40, Severe: none, Unit: "of the required load", Falling: true, Least: 0, Most: 1,
		OnDelay: 15 * time.Minute, OffDelay: 15 * time.Minute,
	},
	inadequate: {
		ID: "zone.inadequate", About: zones, Severity: High, To: []Role{ZoneManager, Ministry},
		On: 0.80, Clear: 0.85, Severe: none, Unit: "adequacy", Falling: true, Least: 0, Most: 1,
		OnDelay: 30 * time.Minute, OffDelay: 30 * time.Minute,
	},
	balanceGap: {
		ID: "balance.gap", About: feeders, Severity: Low, To: []Role{Utility},
		On: 0.15, Clear: 0.12, Severe: none, Unit: "of what the feeder delivers in 24 h", Least: 0, Most: 1,
	},
	meterOffline: { // less than three intervals the live state does not call silence
		ID: "meter.offline", About: meters, Severity: Low, To: []Role{Operations},
		On: 3, Clear: none, Severe: none, Unit: "intervals of silence", Least: 3, Most: 10_000,
		OnDelay: 3 * time.Minute, // of silence: fast meters may be held up on their way
		Params:  []Param{{"messages", 2, 1, 100, "to end"}},
	},
	meterStuck: {
		ID: "meter.stuck", About: meters, Severity: Low, To: []Role{Operations},
		On: 6, Clear: none, Severe: none, Unit: "intervals without change", Least: 2, Most: 10_000,
	},
	meterClock: {
		ID: "meter.clock", About: meters, Severity: Low, To: []Role{Operations},
		On: 60, Clear: 30, Severe: none, Unit: "seconds", Least: 1, Most: 86_400,
	},
	meterReset: {
		ID: "meter.reset", About: meters, Severity: Low, To: []Role{Operations},
		On: none, Clear: none, Severe: none, Latched: true,
		Params: []Param{{"shown_h", 1, 1, 10_000, "raised for so long, then held until confirmed"}},
	},
	gatewayOffline: {
		ID: "gateway.offline", About: []zone.Kind{GatewayObject}, Severity: Medium, To: []Role{Operations},
		On: none, Clear: none, Severe: none, OnDelay: 2 * time.Minute,
		Params: []Param{
			{"restart_s", 300, 0, 3600, "what it may take to start after a cut"},
			{"with_power_s", 300, 0, 86_400, "one that goes so soon after the power of its meters has gone with it"},
		},
	},
	pipelineFault: {
		ID: "pipeline.fault", About: []zone.Kind{PartObject}, Severity: High, To: []Role{Operations},
		On: none, Clear: none, Severe: none, OnDelay: time.Minute, OffDelay: 2 * time.Minute,
	},
	alarmFlood: {
		ID: "alarm.flood", About: []zone.Kind{PersonObject}, Severity: Medium, To: []Role{ZoneManager},
		On: 10, Clear: 5, Severe: none, Unit: "alarms in the window", Least: 1, Most: 10_000,
		Params: []Param{{"window_s", 600, 10, 86_400, "the window"}},
	},
}
