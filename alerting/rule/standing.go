package rule

// generatorCarries tells that a plant's generators carry the share of its
// requirement above which it does not count as standing still: the threshold of
// plant.stalled.
func (e *evaluation) generatorCarries(i int32) bool {
	plant := &e.snap.Plants[i]
	share := e.at(stalled, plantClass, i).on
	return float64(plant.GeneratorKW) > share*float64(plant.RequiredGrossKW)
}

// under lists the plants that an object feeds.
func (e *evaluation) under(r ref) []int32 {
	switch r.class {
	case substationClass:
		return e.net.bySubstation[r.index]
	case feederClass:
		return e.net.byFeeder[r.index]
	}
	return []int32{r.index}
}

// standingUnder names the plants under r that work now by plan, and cannot.
func (e *evaluation) standingUnder(r ref) []string {
	return e.names(e.under(r), func(i int32) bool {
		p := &e.snap.Plants[i]
		return p.InShift && p.RequiredGrossKW != 0 && !e.generatorCarries(i)
	})
}

// shortUnder names the plants under r that are short of power though not cut.
func (e *evaluation) shortUnder(r ref) []string {
	return e.names(e.under(r), func(i int32) bool {
		p := &e.snap.Plants[i]
		return p.InShift && p.PowerCapability < 1
	})
}

func (e *evaluation) names(plants []int32, which func(int32) bool) []string {
	var out []string
	for _, i := range plants {
		if which(i) {
			out = append(out, e.net.places[plantClass][i].id)
		}
	}
	return out
}
