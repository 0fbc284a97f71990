package live

import "github.com/imdad-telemetry/imdad/collector/meter"

// memory is what outlives a registry and a restart, by name: the registry may
// have changed meanwhile.
type memory struct {
	Electric map[string]*electric // by object
	Pipes    map[string]*pipe
	Burners  map[burnerKey]*burner
	Tanks    map[string]*tank
	Groups   map[groupKey]*group
	Gaps     map[string]*gap // by feeder
	Plants   map[string]*plantBook
	Silences map[string]*silence // by feeder or substation
	Zones    map[string]*zoneBook
	Gateways map[gatewayKey]*gateway
	Stages   map[string]int // by city
	Orders   map[string]*order
	Events   *tankEvents
}

type groupKey struct {
	Owner   string // plant or zone
	Content string // water, or what the fuel is for
}

// burnerKey is a meter at a plant: there may be several boilers and generators.
type burnerKey struct {
	Zone    string
	Utility meter.Utility
	Meter   string
}

type gatewayKey struct{ Zone, ID string }

// plantBook is what is remembered of a plant besides its meters.
type plantBook struct {
	ShortSince int64
	Usual      *learner // kW, where the registry declares none
	Sum        float64  // kW·ms of the hour that Hour names
	From       int64
	Hour       int64
	Cut        bool
}

// silence is a supply cut that is seen by silence alone.
type silence struct {
	Since, Return   int64
	Planned, Judged bool
	Restored        int64 // when it ended last
}

// order is an order of fuel and the delivery that matched it.
type order struct {
	Tank    string
	Arrived int64
	VolumeL float64
	Settled bool
}

func newMemory() *memory {
	return &memory{
		Electric: make(map[string]*electric), Pipes: make(map[string]*pipe),
		Burners: make(map[burnerKey]*burner),
		Tanks:   make(map[string]*tank), Groups: make(map[groupKey]*group), Gaps: make(map[string]*gap),
		Plants: make(map[string]*plantBook), Silences: make(map[string]*silence), Zones: make(map[string]*zoneBook),
		Gateways: make(map[gatewayKey]*gateway), Stages: make(map[string]int), Orders: make(map[string]*order), Events: new(tankEvents),
	}
}

// keep returns what old remembers under the key, or makes it, and has next
// remember it.
func keep[K comparable, V any](next, old map[K]*V, key K, fresh func() *V) *V {
	v, ok := next[key]
	if !ok {
		if v, ok = old[key]; !ok {
			v = fresh()
		}
		next[key] = v
	}
	return v
}
