package live

import "github.com/imdad-telemetry/imdad/collector/meter"

// maxGateways bounds the gateways that are remembered, at some 150 bytes each.
const maxGateways = 1 << 14

// gateway is a gateway's last status.
type gateway struct {
	Online bool
	Since  int64
	Lost   int64 // when it went offline last
	told   bool  // by itself, not by what was saved
}

// gatewayAt is a gateway that meters speak through, or that has spoken.
type gatewayAt struct {
	gatewayKey
	said *gateway // nil: nothing
}

// Gateway takes a gateway's status, received at a time in ms. When it goes
// offline, what its meters said is unknown at once.
func (s *State) Gateway(zoneID, id string, online bool, received int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := gatewayKey{zoneID, id}
	g, ok := s.world.memory.Gateways[key]
	if !ok {
		if len(s.world.memory.Gateways) >= maxGateways || s.world.registry.CityOf(zoneID) == "" {
			return // ids come from outside: memory is for zones that we know
		}
		g = &gateway{Online: !online}
		s.world.memory.Gateways[key] = g
		s.world.addGateway(key, g)
	}
	g.told = true
	if g.Online == online {
		return
	}
	g.Online, g.Since = online, received
	if !online {
		g.Lost = received
	}
}

// Stale takes it that a meter's values are unknown from a time in ms on, until
// it is heard again: what it spoke through has died. Whether the meter is silent
// is another matter, and takes its time. Of a meter that is not registered,
// what it said is forgotten.
func (s *State) Stale(series *meter.Series, at int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.meter(series)
	switch {
	case at < m.received: // it was heard since
	case m.place == nil:
		m.registers = nil
	case at >= m.place.facts.Heard:
		m.place.facts.Stale = true
	}
}

// hidden tells that what a meter speaks through has died since it was heard.
func (w *world) hidden(at *meterAt, f *facts) bool {
	if f.Stale || at.gateway < 0 {
		return f.Stale
	}
	g := w.gateways[at.gateway].said
	return g != nil && g.Lost > 0 && f.Heard <= g.Lost
}

// addGateway lists a gateway that has spoken.
func (w *world) addGateway(key gatewayKey, said *gateway) {
	for i := range w.gateways {
		if w.gateways[i].gatewayKey == key {
			w.gateways[i].said = said
			return
		}
	}
	w.gateways = append(w.gateways, gatewayAt{key, said})
}
