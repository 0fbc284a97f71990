package rule

import (
	"time"

	"github.com/imdad-telemetry/imdad/collector/zone"
)

// Severity of an alarm. The higher, the worse.
type Severity uint8

// The severities.
const (
	Low Severity = iota + 1
	Medium
	High
	Critical
)

// State is what a rule says of one object at one moment.
type State uint8

const (
	// Clear: all is well. Eval leaves clear findings out.
	Clear State = iota
	// Held: between the thresholds of raising and clearing: what is, stays.
	Held
	// Unknown: not measured now. Timers stand still.
	Unknown
	// Raised: the condition for the alarm holds.
	Raised
)

// Key names a condition: the kind of alarm and what it is about.
type Key struct {
	Kind   string `json:"kind"`   // elec.outage, or a custom rule's id
	Object string `json:"object"` // the object's id; for meter.* the meter's; for gateway.* the gateway's
	// Zone and Utility make the ids of meters unique; empty for other objects.
	Zone    string `json:"meter_zone,omitempty"`
	Utility string `json:"utility,omitempty"`
}

// ID is the key as one word that is legal in topics, paths and URLs.
func (k Key) ID() string {
	id := k.Kind
	if k.Zone != "" {
		id += ":" + k.Zone
	}
	if k.Utility != "" {
		id += ":" + k.Utility
	}
	return id + ":" + k.Object
}

// Finding is the state of one condition, with what the alarm needs to know.
type Finding struct {
	Key
	State    State
	Severity Severity
	// Since is when the condition began by the meters' times, in ms; 0: now.
	// The on-delay counts from it.
	Since int64
	// OnDelay and OffDelay are how long the condition must hold, or be clear.
	OnDelay, OffDelay time.Duration
	// Latched alarms end by hand only.
	Latched bool
	// Cause is the condition that explains this one: while its alarm stands (or
	// waits for its on-delay) this one is suppressed. Causes chain.
	Cause Key
	// Place says where it is, for routing: the city, and the zone if it lies in one.
	City, InZone string
	ObjectKind   zone.Kind
	// Numbers and Words are what the message says: {pct}, {mw}, {n}; and ids or
	// catalogue words such as the phase, the resource, the cause.
	Numbers map[string]float64
	Words   map[string]string
	// Stalls lists the plants that stand still, or soon will, because of it.
	Stalls []string
}
