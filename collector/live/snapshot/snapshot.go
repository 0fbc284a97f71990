// Package snapshot is the state of the supply at one moment, as alerting reads
// it: plain values, parallel to the registry's lists. Package live fills it,
// again and again into the same memory.
//
// What is not known is Unknown, never zero: it survives arithmetic, and no
// comparison with it holds. Times are milliseconds since the epoch, 0 for
// never; "now" is Snapshot.Now everywhere.
package snapshot

import (
	"math"

	"github.com/imdad-telemetry/imdad/collector/zone"
)

// Value is a number, or Unknown.
type Value float64

// Unknown is the value of what nobody measured lately.
var Unknown = Value(math.NaN())

// Known tells whether v is a number.
func (v Value) Known() bool { return v == v }

// Snapshot is the state at one moment. Slices are parallel to those of the
// registry's methods of the same names.
type Snapshot struct {
	Now      int64
	Registry *zone.Registry

	Cities          []City
	Zones           []Zone
	Substations     []Substation
	Feeders         []Feeder
	PumpingStations []WaterFlow
	WaterLines      []WaterLine
	Tanks           []Tank
	Plants          []Plant
	Meters          []Meter
	Gateways        []Gateway
	Tankers         []Tanker
	Parts           []Part
}

// Electricity is what the meter of a substation, feeder or plant says. All is
// Unknown while it is silent, but for Dead.
type Electricity struct {
	Meter          int   // index in Meters; -1: it has none
	Time           int64 // of the newest reading
	PowerKW        Value
	VoltagePU      [3]Value // each phase as a share of nominal
	VoltageMean    [3]Value // the same, mean of the last 10 min
	Unbalance      Value    // u₂ now, as a ratio, from line-to-line voltages
	UnbalanceMean, // from the means of 10 min
	FrequencyHz Value
	CurrentA     [3]Value
	CurrentMeanA Value // of the most loaded phase, mean of 15 min
	Block        Block
	Dead         Dead
	// Restored is when power came back last after being dead; 0: it was never
	// dead. What it feeds may take some intervals to be heard again.
	Restored int64
}

// Block is the present 15-minute demand block.
type Block struct {
	Start       int64
	EnergyKWh   Value // so far
	ProjectedKW Value // the block's mean if power stays as it is
	LastMeanKW  Value // of the last whole block
}

// Dead tells that all phases are below 5 % of nominal, and how that began.
type Dead struct {
	Since int64 // 0: it is alive or unknown
	// Planned says that it began inside a rationing block (± 5 min) and so
	// remains rationing until power returns; Return is then when that block
	// ended or will end.
	Planned bool
	Return  int64
	// Silent says that nobody measured the voltage: every meter fed by it
	// without a battery fell silent at once. It is then dead by inference.
	Silent bool
}

// Plan is where a feeder stands in its rationing programme.
type Plan struct {
	Off    bool  // now is within a block
	Start  int64 // of the present block, or of the next
	End    int64
	Exempt bool
}

// Substation is the state of a transformer station.
type Substation struct{ Electricity }

// Feeder is the state of a feeder. Its balance covers what is fed by it.
type Feeder struct {
	Electricity
	Plan Plan
	// GapRatio is (delivered − Σ metered)/delivered over the last 24 h; Unknown
	// where a meter is missing, or where hardly anything was delivered.
	GapRatio Value
}

// WaterFlow is what the meter of a main says.
type WaterFlow struct {
	Meter       int
	Time        int64
	FlowM3H     Value
	PressureBar Value
	FlowMean5   Value // means of the last 5 min
	PressMean5  Value
	// FlowExpected is the usual flow at this hour of the week; Unknown until
	// it was learned.
	FlowExpected Value
	// PressureDrop is the fall within the last 5 min, as a share of what it was.
	PressureDrop Value
	// FlowRise is the rise within the last 5 min, m³/h.
	FlowRise Value
}

// WaterLine is the state of a main.
type WaterLine struct {
	WaterFlow
	// NightM3H are the mean flows of 02–04 in the last three nights, newest
	// first, and NightUsualM3H the median of the fortnight before them.
	NightM3H      [3]Value
	NightUsualM3H Value
	// TankInM3H is what flows from it into the tanks of its zone: a legitimate fill.
	TankInM3H Value
	// TankRise is the rise of that within the last 5 to 10 min, m³/h.
	TankRise Value
}

// Tank is the state of a tank; volumes are at 15 °C for fuel.
type Tank struct {
	Meter      int
	Time       int64
	VolumeL    Value
	UsableL    Value // above the dead stock
	DailyL     Value // mean draw of the last 7 days, or since it is known
	DailySigma Value // of the daily draws
	CoverH     Value // usable/draw, hours
	// Loss is the litres by which it fell in the last 30 min beyond what was
	// metered, and LossSigma the noise of that figure.
	LossL, LossSigmaL Value
	// Delivery is the last delivery seen.
	Delivery Delivery
	// VarianceL is the 30-day book difference, and ThroughputL the 30-day draw.
	VarianceL, ThroughputL Value
	// History is the net volume each quarter of an hour, oldest first, for the
	// forecast; deliveries begin it anew. It must not be changed or kept.
	History []Sample
}

// Sample is one value at one time.
type Sample struct {
	Time  int64
	Value float64
}

// Delivery is a rise of a tank's content. End is 0 while it is under way.
type Delivery struct {
	Start, End int64
	VolumeL    float64 // at 15 °C
}

// Plant is the state of a plant.
type Plant struct {
	Electricity
	WaterM3H        Value
	PressureBar     Value
	FuelLPH         Value
	GeneratorKW     Value
	InShift         bool // by shifts and holidays
	ShiftSince      int64
	RequiredKW      Value // now: by shift, less what the programme cuts
	RequiredGrossKW Value
	// Capability of each resource is available/required, and Capability their
	// minimum; 1 where nothing is needed. Above 1 it is cut off at 1.
	PowerCapability, WaterCapability, FuelCapability, Capability Value
	Constrained                                                  bool  // there is evidence that supply, not demand, is short
	ShortSince                                                   int64 // since when Capability < 1
	Stalled                                                      bool  // short for longer than its hold-up time
	// Stall is the forecast for each resource: alerting fills it in.
	Stall [3]Stall // power (generator fuel), water, fuel
	// ProfileLPH is the learned hour-of-week consumption of water in l/h.
	WaterProfileLPH, FuelProfileLPH *Profile
}

// Profile is a consumption by hour of the local week, from Sunday 00:00.
type Profile [168]float32

// Stall is the time, in hours from now, until a plant stops for want of one
// resource. All Unknown: no forecast; +Inf: not in sight.
type Stall struct{ P10H, P50H, P90H Value }

// Zone is the state of one zone.
type Zone struct {
	Power, Water, Fuel Balance
	AdequacyRatio      Value // Σ w·min(1, capability)/Σ w
	Affected           int   // plants with capability < 1
	WaterHours         bool  // water is to be supplied now: always, as registries have no hours of supply
}

// City is the sum of its zones.
type City struct {
	Power, Water, Fuel Balance
	AdequacyRatio      Value
	Affected           int
	Stage              int // the announced stage of rationing
}

// Balance is required against delivered: kW, m³/h or l/h.
type Balance struct {
	Required, Gross, Delivered Value
	Shortfall                  Value // max(0, 1 − delivered/required) now
	// Settled is the shortfall of the last whole block: 15 min for
	// electricity, the last hour for water and fuel; SettledAt is its end, and
	// Short is required − delivered of it.
	Settled   Value
	SettledAt int64
	Short     Value
	// Constrained tells that there is evidence of constraint: without it a low
	// delivery is low demand.
	Constrained bool
	KnownShare  float64 // of what is required, measured lately
	// NotSupplied is the energy or volume not supplied since midnight, gross,
	// and CoverH the hours that the usable stock lasts.
	NotSupplied float64
	CoverH      Value
}

// Meter is the state of one meter.
type Meter struct {
	Heard      int64 // when a message was received last; 0: never
	Time       int64 // device time of that message
	Since      int64 // of silence or of hearing it again
	ResetAt    int64 // its counter was reset or the meter replaced
	SkewS      Value // device clock − ours, median of the last 3 live messages
	Recent     int   // messages since Since while heard
	Unchanged  int   // intervals for which its main register stayed equal
	Gateway    int   // index in Gateways; -1: none
	Silent     bool  // for more than 3 intervals, by the registry's interval
	Flowing    bool  // something flows upstream of it
	Historical bool  // its last message was a backfill
	Doubtful   bool  // Silent, and so is all that lives on its feeder as far as it is due: the supply may be cut
}

// Gateway is the state of one gateway.
type Gateway struct {
	Zone, ID string
	Online   bool
	Since    int64
	Meters   int // that speak through it
}

// Tanker is the state of an order, parallel to Registry.Tankers.
type Tanker struct {
	Arrived int64 // start of the delivery that matched; 0: not seen
	VolumeL Value // received at 15 °C, once it has settled
	Settled bool
}

// Part is one part of the service: broker, database, spool.
type Part struct {
	Name  string
	Fault string // empty: healthy
	Since int64
}
