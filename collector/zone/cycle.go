package zone

import (
	"fmt"
	"slices"
	"strings"
)

// cycles reports feeders and water lines that are fed by themselves, once a
// cycle.
func (c *checker) cycles() {
	feeders, lines := make(map[string]string), make(map[string]string)
	var feederIDs, lineIDs []string
	for _, f := range c.files {
		for _, o := range f.Feeders {
			feeders[o.ID] = o.From
			feederIDs = append(feederIDs, o.ID)
		}
		for _, o := range f.WaterLines {
			lines[o.ID] = o.From
			lineIDs = append(lineIDs, o.ID)
		}
	}
	c.cyclesOf(feederIDs, feeders, SubstationKind)
	c.cyclesOf(lineIDs, lines, PumpingStationKind)
}

// cyclesOf follows each id up to a source or to one that was met before; met
// on the same walk, it closes a cycle.
func (c *checker) cyclesOf(ids []string, from map[string]string, source Kind) {
	met := make(map[string]int, len(ids)) // id → number of the walk, from 1
	for i, id := range ids {
		walk := i + 1
		for met[id] == 0 {
			next, known := from[id]
			if !known {
				break
			}
			met[id] = walk
			if id = next; met[id] == walk {
				c.cycle(id, from, source)
			}
		}
	}
}

func (c *checker) cycle(start string, from map[string]string, source Kind) {
	e, ok := c.index[start]
	if !ok {
		return
	}
	loop := []string{start}
	for id := from[start]; id != start; id = from[id] {
		loop = append(loop, id)
	}
	slices.Reverse(loop)
	shown := append(slices.Clone(loop[len(loop)-1:]), loop...)
	if len(shown) > 8 {
		shown = append(shown[:7:7], fmt.Sprintf("… (%d in all)", len(loop)))
	}
	c.add(e.key("from"), "feeds itself: %s; one of them must come from a %s", strings.Join(shown, " → "), source.words())
}
