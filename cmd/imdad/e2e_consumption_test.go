package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// counted names a counter as the measurement consumption does.
type counted struct {
	city, zone string
	utility    meter.Utility
	meter      string
	register   string
}

func (c counted) String() string {
	return fmt.Sprintf("%s/%s/%s %s", c.zone, c.utility, c.meter, c.register)
}

// quarter is a block of 15 minutes of a counter, as the database holds it.
type quarter struct {
	start              int64 // ms
	amount, total, raw float64
	quality            meter.Quality
}

// quarterMS is the length of a block.
const quarterMS = 15 * 60_000

func (q *quarter) end() int64 { return q.start + quarterMS }

// consumption reads all blocks of all counters, in the order of time.
func (c *city) consumption() map[counted][]quarter {
	c.t.Helper()
	all := make(map[counted][]quarter)
	err := c.query("SELECT amount, total, raw, quality FROM consumption GROUP BY *", func(s series) error {
		id := counted{s.Tags["city"], s.Tags["zone"], meter.Utility(s.Tags["utility"]), s.Tags["meter"], s.Tags["register"]}
		for _, v := range s.Values {
			if slices.Contains(v, nil) {
				return fmt.Errorf("a block of %v lacks a field", id)
			}
			all[id] = append(all[id], quarter{int64(*v[0]), *v[1], *v[2], *v[3], meter.Quality(*v[4])})
		}
		return nil
	})
	c.must("read the consumption", err)
	return all
}

// unsound returns what can be wrong with blocks whatever was counted: one that
// is missing or lies off its quarter, a negative amount, and a total that falls
// or is not what the amounts add up to.
func unsound(blocks []quarter) []string {
	var list []string
	wrong := func(i int, format string, args ...any) {
		list = append(list, fmt.Sprintf("block %d, %s: ", i, clock(blocks[i].start))+fmt.Sprintf(format, args...))
	}
	for i, b := range blocks {
		if b.start%quarterMS != 0 {
			wrong(i, "does not begin on a quarter of an hour")
		}
		if b.amount < 0 {
			wrong(i, "the amount is %v", b.amount)
		}
		if i == 0 {
			continue
		}
		if before := blocks[i-1]; before.end() != b.start {
			wrong(i, "the one before begins at %s", clock(before.start))
		} else if grown := b.total - before.total; grown < 0 || math.Abs(grown-b.amount) > 1e-9*b.total+1e-9 {
			wrong(i, "the total grows by %v, the amount is %v", grown, b.amount)
		}
	}
	return list
}
