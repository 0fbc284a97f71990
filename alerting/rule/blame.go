package rule

// blame shares a zone's want out among the conditions behind it. It is worked
// out for zones in want only.
type blame struct {
	sum    float64
	causes []Key
	shares []float64
}

func (b *blame) add(cause Key, share float64) {
	b.sum += share
	for i := range b.causes {
		if b.causes[i] == cause {
			b.shares[i] += share
			return
		}
	}
	b.causes, b.shares = append(b.causes, cause), append(b.shares, share)
}

// worst is the condition with the greatest share, the first of equals.
func (b *blame) worst() Key {
	best := -1
	for i, share := range b.shares {
		if best < 0 || share > b.shares[best] {
			best = i
		}
	}
	if best < 0 {
		return Key{}
	}
	return b.causes[best]
}

// blamePower sums the kW that plants lack because of conditions that have
// alarms of their own.
func (e *evaluation) blamePower(z int32) blame {
	var b blame
	for _, i := range e.net.byZone[z] {
		plant := &e.snap.Plants[i]
		lacks := float64(plant.RequiredKW * (1 - plant.PowerCapability))
		if plant.Dead.Since > 0 { // what generators give is not supply
			lacks = float64(plant.RequiredKW)
		}
		if !(lacks > 0) {
			continue
		}
		if why := e.root(i); why.tells {
			b.add(why.key, lacks)
		}
	}
	return b
}

// blameAdequacy sums what planned cuts, and conditions that have alarms of
// their own, take from a zone's adequacy.
func (e *evaluation) blameAdequacy(z int32) (planned float64, b blame) {
	list := e.net.registry.Plants()
	var all float64
	for _, i := range e.net.byZone[z] {
		if e.snap.Plants[i].Capability.Known() {
			all += list[i].ContractKVA
		}
	}
	if all <= 0 {
		return 0, b
	}
	for _, i := range e.net.byZone[z] {
		capability := float64(e.snap.Plants[i].Capability)
		if !(capability < 1) {
			continue
		}
		share := list[i].ContractKVA * (1 - capability) / all
		switch why := e.root(i); {
		case why.tells:
			b.add(why.key, share)
		case why.word == rationingWord:
			planned += share
		}
	}
	return planned, b
}

// root is the condition behind a plant's want at which its zone should look:
// for outages that are unannounced rationing, the rationing.
func (e *evaluation) root(i int32) shortage {
	r := ref{plantClass, i}
	why := e.shortage(r)
	up, l := e.lossAbove(r)
	if l != dead {
		return why
	}
	for above, l := e.deadAbove(e.parent(up)); l == dead; above, l = e.deadAbove(e.parent(above)) {
		up = above
	}
	why = e.behind(outage, up)
	if cause := e.outageCause(up); cause.Kind == catalogue[rationUnannounced].ID {
		if z := e.net.zoneOf[feederClass][up.index]; e.rationState(z) == Raised {
			why = e.behind(rationUnannounced, ref{zoneClass, z})
		}
	}
	return why
}
