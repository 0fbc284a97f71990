package rule

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/imdad-telemetry/imdad/collector/zone"
)

// Role is what a person answers for; a kind of alarm is addressed to roles.
type Role string

// The roles.
const (
	ZoneManager Role = "zone_manager"
	PlantStaff  Role = "plant"
	Utility     Role = "utility"
	Ministry    Role = "ministry"
	Operations  Role = "operations"
)

// Roles lists the valid roles.
var Roles = []Role{ZoneManager, PlantStaff, Utility, Ministry, Operations}

var severityWords = []string{"low", "medium", "high", "critical"}

// String is the severity's word in configuration: low, medium, high, critical.
func (s Severity) String() string {
	if s < Low || s > Critical {
		return fmt.Sprintf("severity %d", uint8(s))
	}
	return severityWords[s-Low]
}

// ParseSeverity reads what String wrote.
func ParseSeverity(word string) (Severity, bool) {
	i := slices.Index(severityWords, word)
	return Low + Severity(i), i >= 0
}

// String is clear, held, unknown or raised.
func (s State) String() string {
	if int(s) > 3 {
		return fmt.Sprintf("state %d", uint8(s))
	}
	return [...]string{"clear", "held", "unknown", "raised"}[s]
}

// Kind is one kind of alarm with its defaults.
type Kind struct {
	ID string
	// About lists what kinds of objects it is judged for; MeterObject,
	// GatewayObject, PartObject and PersonObject are not in the registry.
	About    []zone.Kind
	Severity Severity
	To       []Role

	// On raises, Clear ends and Severe steps the severity up to Stepped. NaN:
	// this kind has no such threshold. Unit says what they are measured in.
	On, Clear, Severe float64
	Stepped           Severity
	Unit              string
	// Falling kinds are raised below On and end above Clear.
	Falling bool
	// Least and Most bound the thresholds in a configuration.
	Least, Most float64

	OnDelay, OffDelay time.Duration
	Latched           bool // ends by hand only
	Params            []Param
}

// Param is a further number of a kind; its unit is in its name.
type Param struct {
	Name        string
	Default     float64
	Least, Most float64
	Meaning     string
}

// Objects that the registry's kinds do not cover.
const (
	MeterObject   zone.Kind = "meter"
	GatewayObject zone.Kind = "gateway"
	PartObject    zone.Kind = "part"
	PersonObject  zone.Kind = "person"
)

// none is the threshold that a kind does not have.
var none = math.NaN()

// Kinds returns the alert catalogue. It is the only place of the defaults;
// callers may change what they get.
func Kinds() []Kind {
	out := make([]Kind, len(catalogue))
	for i, k := range catalogue {
		k.About, k.To, k.Params = slices.Clone(k.About), slices.Clone(k.To), slices.Clone(k.Params)
		out[i] = k
	}
	return out
}

// kindOf finds a kind by its id.
func kindOf(id string) (kindIndex, bool) {
	for i := range catalogue {
		if catalogue[i].ID == id {
			return kindIndex(i), true
		}
	}
	return 0, false
}

func kindIDs() []string {
	ids := make([]string, len(catalogue))
	for i := range catalogue {
		ids[i] = catalogue[i].ID
	}
	return ids
}

func (k *Kind) param(name string) int {
	return slices.IndexFunc(k.Params, func(p Param) bool { return p.Name == name })
}

func (k *Kind) paramNames() []string {
	names := make([]string, len(k.Params))
	for i, p := range k.Params {
		names[i] = p.Name
	}
	return names
}

// has tells whether a threshold exists.
func has(threshold float64) bool { return !math.IsNaN(threshold) }
