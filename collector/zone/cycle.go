package zone

import (
	"fmt"
	"slices"
	"strings"
)

// cycles reports feeders and water lines that are fed by themselves, once a
// cycle.
func (c *checker) cycles() {
	feeders, lines := newNetwork(), newNetwork()
	for _, f := range c.files {
		for _, o := range f.Feeders {
			if c.index[o.ID].Kind == FeederKind {
				feeders.add(o.ID, o.From)
			}
		}
		for _, o := range f.WaterLines {
			if c.index[o.ID].Kind == WaterLineKind {
				lines.add(o.ID, o.From)
			}
		}
	}
	c.cyclesOf(feeders, SubstationKind)
	c.cyclesOf(lines, PumpingStationKind)
}

// network says what feeds what; ids keeps the order of the files.
type network struct {
	ids  []string
	from map[string]string
}

func newNetwork() *network { return &network{from: make(map[string]string)} }

func (n *network) add(id, from string) {
	if _, twice := n.from[id]; !twice {
		n.ids = append(n.ids, id)
		n.from[id] = from
	}
}

// cyclesOf follows each id up to a source or to one that was met before; met
// on the same walk, it closes a cycle.
func (c *checker) cyclesOf(n *network, source Kind) {
	met := make(map[string]int, len(n.ids)) // id → number of the walk, from 1
	for i, id := range n.ids {
		walk := i + 1
		for met[id] == 0 {
			next, known := n.from[id]
			if !known {
				break
			}
			met[id] = walk
			if id = next; met[id] == walk {
				c.cycle(id, n.from, source)
			}
		}
	}
}

func (c *checker) cycle(start string, from map[string]string, source Kind) {
	loop := []string{start}
	for id := from[start]; id != start; id = from[id] {
		loop = append(loop, id)
	}
	slices.Reverse(loop)
	shown := append(slices.Clone(loop[len(loop)-1:]), loop...)
	if len(shown) > 8 {
		shown = append(shown[:7:7], fmt.Sprintf("… (%d in all)", len(loop)))
	}
	c.add(c.index[start].key("from"), "feeds itself: %s; one of them must come from a %s", strings.Join(shown, " → "), source.words())
}
