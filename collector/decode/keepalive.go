package decode

import (
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// A GX device publishes for a minute after each keep-alive and is silent then. It
// is told twice as often as need be, in ms. What was heard of before and is silent
// for an hour is forgotten, unless a topic filter names it. maxPortals bounds
// those that nobody named.
const (
	keepAliveEvery = 30_000
	keepAliveEnds  = 60_000
	portalForgets  = 3_600_000
	maxPortals     = 256
)

// suppressRepublish is a keep-alive after which the device sends what changes;
// after an empty one it sends all that it has.
//
// https://github.com/victronenergy/dbus-flashmq (README.md, "Keep-alive")
const suppressRepublish = `{"keepalive-options":["suppress-republish"]}`

// gx reads Victron GX devices, and tells them to go on.
type gx struct {
	*reader
	portals []portal
}

// portal is one GX device.
type portal struct {
	topic string // of its keep-alive
	named bool   // by a topic filter
	heard int64  // last, in ms; 0: never
	told  int64
}

func openGX(c *compiled, catalog *meter.Catalog) special {
	g := &gx{reader: newReader(c, catalog)}
	for i := range c.patterns {
		levels := strings.Split(c.patterns[i].filter, "/")
		if topic := keepAliveTopic(levels); topic != "" && !strings.ContainsAny(topic, "+#") && g.find(topic) == nil {
			g.portals = append(g.portals, portal{topic: topic, named: true})
		}
	}
	return g
}

// keepAliveTopic returns R/PORTAL/keepalive for the levels of N/PORTAL/…, with
// what stands before them; empty if they are others.
func keepAliveTopic(levels []string) string {
	at := victronRoot(levels)
	if at < 0 || len(levels) < at+2 {
		return ""
	}
	return strings.Join(levels[:at], "/") + strings.Repeat("/", min(at, 1)) + "R/" + levels[at+1] + "/keepalive"
}

func (g *gx) find(topic string) *portal {
	for i := range g.portals {
		if g.portals[i].topic == topic {
			return &g.portals[i]
		}
	}
	return nil
}

// decode reads one message. An empty one says that the service is gone from the
// bus, and its values with it.
func (g *gx) decode(to *route, m *Message, out *Readings) (Result, *Reject) {
	g.hear(to.place.portal, m.Received)
	switch {
	case len(to.place.prefix) == 0:
		return Control, nil // of the device itself, such as full_publish_completed
	case len(m.Payload) == 0:
		out.stale = append(out.stale, g.known(to)...)
		return Control, nil
	}
	return g.reader.decode(to, m, out)
}

// hear notes that a portal speaks. One too many is not taken: the table is full
// of portals that spoke within the hour.
func (g *gx) hear(topic string, at int64) {
	p := g.find(topic)
	if p == nil && len(g.portals) < maxPortals {
		g.portals = append(g.portals, portal{topic: topic})
		p = &g.portals[len(g.portals)-1]
	}
	if p != nil {
		p.heard = max(p.heard, at)
	}
}

// commands appends the keep-alives that are due.
func (g *gx) commands(now int64, to []Command) []Command {
	kept := g.portals[:0]
	for _, p := range g.portals {
		if !p.named && now-p.heard > portalForgets {
			continue
		}
		if p.told == 0 || now < p.told || now-p.told >= keepAliveEvery {
			to = append(to, Command{Topic: p.topic, Payload: p.keepAlive(now)})
			p.told = now
		}
		kept = append(kept, p)
	}
	g.portals = kept
	return to
}

// keepAlive asks for everything at first and after a silence: who was silent
// until now may have changed meanwhile.
func (p portal) keepAlive(now int64) []byte {
	if p.told == 0 || now-p.heard > keepAliveEnds {
		return nil
	}
	return []byte(suppressRepublish)
}
