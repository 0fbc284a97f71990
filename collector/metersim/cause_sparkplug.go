package metersim

import (
	"cmp"
	"slices"
	"time"

	"github.com/imdad-telemetry/imdad/collector/metersim/dress"
)

// nodeCauses are those that befall Sparkplug nodes: a gateway that one of them
// names is one.
var nodeCauses = []string{"sparkplug_late_join", "sparkplug_gap", "sparkplug_alias_reuse", "sparkplug_death", "sparkplug_rebirth"}

// deathPatterns are the kinds of deaths.
var deathPatterns = []string{"will", "stale"}

// staleDeathMS is how long after the next birth the broker sends the will of a
// connection that it had taken for alive.
const staleDeathMS = 5000

// behind lists the zone of a gateway and its meters' ids.
func (st *stage) behind(gateway string) (zoneID string, ids []string) {
	for _, m := range st.Registry.Meters() {
		if m.Gateway == gateway {
			zoneID, ids = m.Zone, append(ids, m.ID)
		}
	}
	return zoneID, ids
}

// onNode has do befall the node of the cause at a time.
func (st *stage) onNode(i *incident, at int64, do func(*player, *dress.Node) error) {
	zoneID, _ := st.behind(i.Object)
	i.shots = append(i.shots, shot{at: at, fire: func(p *player) error { return do(p, p.node(zoneID, i.Object)) }})
}

// unharmed says that what befell the node's session is nobody's alarm; the
// meters behind it may be missed until it is born again.
func (st *stage) unharmed(i *incident) {
	_, ids := st.behind(i.Object)
	i.forbid("elec.*|water.*|fuel.*|plant.*|zone.*", flicker, "*")
	i.forbid("meter.reset|meter.clock|meter.stuck", flicker, ids...)
}

// lateJoin tells whether the node was born before the receiver listened.
func (p *Plan) lateJoin(n *dress.Node) bool {
	return slices.ContainsFunc(p.incidents, func(i *incident) bool {
		return i.Cause.Cause == "sparkplug_late_join" && i.Object == n.ID
	})
}

// sparkplugLateJoin keeps the node's births from the receiver until it asks for
// them, or until the cause is over.
func (st *stage) sparkplugLateJoin(i *incident) {
	st.onNode(i, i.end, func(p *player, n *dress.Node) error { return p.births(n, i.end) })
	st.unharmed(i)
	_, ids := st.behind(i.Object)
	i.allow("meter.offline|gateway.offline", flicker, append(ids, i.Object)...)
}

// sparkplugGap loses so many of the node's messages: their numbers are missing.
func (st *stage) sparkplugGap(i *incident) {
	st.onNode(i, i.start, func(_ *player, n *dress.Node) error {
		n.Skip(cmp.Or(i.Count, 3))
		return nil
	})
	st.unharmed(i)
}

// sparkplugAliasReuse lets the node be born again with the aliases of other
// metrics.
func (st *stage) sparkplugAliasReuse(i *incident) {
	st.onNode(i, i.start, func(p *player, n *dress.Node) error {
		n.Turn()
		return p.births(n, i.start)
	})
	st.unharmed(i)
}

// sparkplugRebirth lets the node be born again for no reason.
func (st *stage) sparkplugRebirth(i *incident) {
	st.onNode(i, i.start, func(p *player, n *dress.Node) error { return p.births(n, i.start) })
	st.unharmed(i)
}

// sparkplugDeath ends the node's connection, and begins another when the cause
// is over. With the pattern stale it has another at once, and the death of the
// last one comes after its birth: it is of no meaning.
func (st *stage) sparkplugDeath(i *incident) {
	if i.Pattern != "stale" {
		st.gatewayOffline(i)
		return
	}
	zoneID, ids := st.behind(i.Object)
	i.shots = append(i.shots, status(zoneID, i.Object, "online", i.start))
	late := i.start + staleDeathMS
	st.onNode(i, late, func(p *player, n *dress.Node) error { return p.bury(n, 1, late) })
	st.unharmed(i)
	i.forbid("gateway.offline|meter.offline", flicker, append(ids, i.Object)...)
}

// trap lets the meter do what its profile is known for.
func (st *stage) trap(i *incident) {
	_, own := dress.OfTrap(i.Pattern)
	m := st.meterOf(i)
	if own == "silence" {
		st.silence(i)
		return
	}
	i.edit = &edit{probes: map[string]bool{key(m): true}, do: func(_ *player, r *reading) { r.trap = own }}
	st.harmless(i, []string{m.ID})
}

// quietAfter is how long a GX device goes on after it was last told to.
const quietAfter = time.Minute

// silence ends the keep-alives of the meter's portal: a minute later it says
// nothing any more, until somebody sends one.
func (st *stage) silence(i *incident) {
	portal := dress.Portal(st.meterOf(i).Zone)
	silent, ids := make(map[string]bool), []string(nil)
	for _, m := range st.Plan.speakers {
		if m.Profile == "victron" && dress.Portal(m.Zone) == portal {
			silent[m.Key()], ids = true, append(ids, m.ID)
		}
	}
	i.edit = &edit{probes: silent, do: func(p *player, r *reading) {
		r.drop = r.taken-max(i.start, p.kept[portal]) > quietAfter.Milliseconds()
	}}
	i.forbid("elec.*|water.*|fuel.*|zone.*", flicker, "*")
	i.allow("meter.offline", flicker, ids...)
}
