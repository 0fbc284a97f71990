package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/metersim"
	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/configs"
)

// sceneLead is the real time that the service has before the clock of a play
// begins.
const sceneLead = 2 * time.Second

// scene is a scenario that a test has the real service live through, and what
// its counters must make of it.
type scene struct {
	name  string
	speed float64
	// short replaces the scenario's duration, and begins its causes by at.
	short time.Duration
	at    time.Duration
	// broken is when the broker is stopped and started again; 0: never.
	broken time.Duration
	// again are the meters whose counters begin anew in the play.
	again map[string]string // kind of event by meter
	// quarantined says that some of what the meters send is not readable.
	quarantined bool
}

// scenes are the scenarios 7 to 14, as they ship but for the leak, which takes
// eighteen days.
var scenes = []scene{
	{name: "07-slow-leak", speed: 1200, short: 6 * time.Hour, at: 2 * time.Hour},
	{name: "07-tank-warming", speed: 1200},
	{name: "07-theft-night", speed: 1200},
	{name: "08-gateway-and-power", speed: 900},
	{name: "08-gateway-offline", speed: 900},
	{name: "08-last-gasp", speed: 900},
	{name: "08-meter-offline", speed: 900},
	{name: "08-silent-cut", speed: 900},
	{name: "09-clocks", speed: 900, quarantined: true},
	{name: "10-counters", speed: 900, again: map[string]string{"sn-p002-e1": "rollover", "sn-p009-e1": "reset", "sn-p022-e1": "replacement"}},
	{name: "11-backfill", speed: 900},
	{name: "11-stream", speed: 900},
	{name: "12-broker-outage", speed: 300, broken: 20 * time.Minute},
	{name: "12-retained-stale", speed: 900},
	{name: "13-gateway-births", speed: 900},
	{name: "13-profiles", speed: 300, quarantined: true},
	{name: "13-sparkplug", speed: 300, quarantined: true},
	{name: "14-payloads", speed: 900, quarantined: true},
}

// TestE2EScenarioCounters plays the scenarios 7 to 14 to the real service. What
// the database then holds of consumption is what the meters' counters have
// counted, whatever befell them: nothing negative, nothing twice, nothing lost.
func TestE2EScenarioCounters(t *testing.T) {
	t.Parallel()
	for _, p := range scenes {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			c := newCity(t)
			plan := c.stage(p)
			s := c.perform(p, plan)
			c.waitPlayed(s)
			c.flags = []string{"--clock-start", plan.End.Format(time.RFC3339)} // or the series of supply would go on, fast
			c.closeBooks()
			told := c.recall(plan)
			c.checkCounters(p, told)
			c.checkRows(told)
			c.checkBooks(p)
		})
	}
}

// stage makes the scenario ready, and the service for it.
func (c *city) stage(p scene) *metersim.Plan {
	c.t.Helper()
	var s metersim.Scenario
	_, err := configs.LoadScenario(p.name, &s)
	c.must("load the scenario", err)
	if p.short > 0 {
		s.Duration = p.short
		for i := range s.Causes {
			s.Causes[i].At = p.at
		}
	}
	file, err := configs.ShippedFile(cmp.Or(s.City, metersim.DefaultCity))
	c.must("load the city", err)
	plan, err := metersim.Prepare(&s, []*zone.File{file}, s.Seed)
	c.must("prepare the scenario", err)

	text, err := configs.MarshalRegistry(plan.Files[0])
	c.must("write the registry", err)
	path := filepath.Join(c.dir, "city.yaml")
	c.must("write the registry", os.WriteFile(path, text, 0o600))
	c.config.Cities = []string{path}
	text, err = plan.SourcesYAML()
	c.must("name the sources", err)
	var section struct {
		Sources []decode.Source `yaml:"sources"`
	}
	c.must("name the sources", yaml.UnmarshalWithOptions(text, &section, yaml.Strict()))
	c.config.Sources = section.Sources
	return plan
}

// perform starts the service and the play on one clock, and breaks what is to be
// broken on the way.
func (c *city) perform(p scene, plan *metersim.Plan) *stream {
	c.t.Helper()
	begin := time.Now().Add(sceneLead)
	c.flags = []string{"--clock-start", plan.Start.Format(time.RFC3339), "--clock-at", begin.Format(time.RFC3339Nano), "--speed", fmt.Sprint(p.speed)}
	c.start()

	s := &stream{c: c, begun: plan.Start, truth: filepath.Join(c.dir, "truth.jsonl"), done: make(chan struct{})}
	file, err := os.Create(s.truth)
	c.must("write the truth", err)
	o := metersim.DefaultOptions()
	o.Plan, o.Begin, o.Speed, o.Drain = plan, begin, p.speed, settleWithin
	o.Broker, o.Truth, o.Log = "tcp://"+c.broker.Addr(), file, zerolog.Nop()
	s.fleet, err = metersim.New(o)
	c.must("make the meters", err)
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	c.streams = append(c.streams, s)
	go func() {
		defer close(s.done)
		if _, s.err = s.fleet.Run(ctx); s.err == nil {
			s.err = file.Close()
		}
	}()
	c.t.Cleanup(func() { cancel(); <-s.done })

	if p.broken > 0 {
		at := begin.Add(time.Duration(float64(p.broken) / p.speed))
		c.eventually("the broker's turn", func() (bool, error) { return !time.Now().Before(at), nil })
		c.must("stop the broker", c.broker.Stop())
		c.waitNotReady()
		c.startBroker()
		c.waitReady()
	}
	s.wait()
	return s
}

// waitPlayed waits until the service has dealt with all that the broker has
// taken.
func (c *city) waitPlayed(s *stream) {
	c.t.Helper()
	acked := s.fleet.Progress().Acknowledged
	c.waitLedger("all messages", func(l ledger) bool {
		return l["messages_decoded"]+l["messages_quarantined"]+l["messages_control"]+l["messages_ignored"] >= acked && l["messages_in_flight"] == 0
	})
}

// told is what the meters have said.
type told struct {
	readings map[reading]bool
	received map[reading]bool // meters, with ts 0, whose messages have no time
	// summed are counters whose parts come in messages of their own, so that the
	// sum is behind by what the last of them holds.
	summed map[counted]bool
	// counters are what each register showed, in the order of time.
	counters map[counted][]display
}

// saying is a line of the truth, in any profile.
type saying struct {
	Zone       string             `json:"zone"`
	Utility    meter.Utility      `json:"utility"`
	Meter      string             `json:"meter"`
	TS         any                `json:"ts"` // a text without its zone has no time
	Received   bool               `json:"received"`
	Unreadable bool               `json:"unreadable"`
	Values     map[string]float64 `json:"values"`
	Acked      bool               `json:"acked"`
}

// sayings calls f with each line of the truth. The play must have ended.
func (c *city) sayings(f func(*saying)) {
	c.t.Helper()
	for _, s := range c.streams {
		file, err := os.Open(s.truth)
		c.must("read the truth", err)
		for lines := json.NewDecoder(file); lines.More(); {
			var l saying
			c.must("read the truth", lines.Decode(&l))
			f(&l)
		}
		c.must("read the truth", file.Close())
	}
}

// display is what a counter showed at a time.
type display struct {
	ts         int64
	value      float64
	unreadable bool
}

// recall reads the truth.
func (c *city) recall(plan *metersim.Plan) *told {
	c.t.Helper()
	k := &told{make(map[reading]bool), make(map[reading]bool), make(map[counted]bool), make(map[counted][]display)}
	registry, err := configs.LoadRegistry(c.config.Cities)
	c.must("load the city", err)
	c.registry = registry
	c.sayings(func(l *saying) {
		ts, timed := l.TS.(float64)
		at := int64(ts)
		k.readings[reading{l.Utility, l.Zone, l.Meter, at}] = true
		if l.Received {
			k.received[reading{l.Utility, l.Zone, l.Meter, 0}] = true
		}
		if !l.Acked || !timed || at < plan.Start.AddDate(0, 0, -1).UnixMilli() {
			return
		}
		for _, flow := range []string{"import", "export"} { // of a meter with tariffs alone, their sum
			day, parted := l.Values["energy_"+flow+"_t1_kwh"]
			if _, whole := l.Values["energy_"+flow+"_kwh"]; parted && !whole {
				l.Values["energy_"+flow+"_kwh"] = day + l.Values["energy_"+flow+"_t2_kwh"]
				k.summed[counted{registry.CityOf(l.Zone), l.Zone, l.Utility, l.Meter, "energy_" + flow + "_kwh"}] = true
			}
		}
		for register, v := range l.Values {
			if id := (counted{registry.CityOf(l.Zone), l.Zone, l.Utility, l.Meter, register}); countsUp(id) {
				k.counters[id] = append(k.counters[id], display{at, v, l.Unreadable})
			}
		}
	})
	for _, list := range k.counters {
		slices.SortStableFunc(list, func(a, b display) int { return cmp.Compare(a.ts, b.ts) })
	}
	return k
}

// countsUp tells whether a register is a running total (DESIGN.md, Registers;
// the tariffs of a meter are registers of their own).
func countsUp(id counted) bool {
	switch id.register {
	case "volume_m3":
		return id.utility == meter.Water
	case "consumed_l", "delivered_l", "run_hours_h":
		return true
	}
	return strings.HasSuffix(id.register, "_kwh") || strings.HasSuffix(id.register, "_kvarh")
}

// checkCounters compares the consumption with the counters of the truth.
func (c *city) checkCounters(p scene, k *told) {
	c.t.Helper()
	all := c.consumption()
	var problems sample10
	blocks, by, worst := 0, make(map[meter.Quality]int), 0.0
	for id, list := range all {
		seen, known := k.counters[id]
		if !known {
			problems.add(fmt.Sprintf("nobody has counted %v", id))
			continue
		}
		for _, problem := range unsound(list) {
			problems.add(fmt.Sprintf("%v: %s", id, problem))
		}
		sum := 0.0
		for _, b := range list {
			sum += b.amount
			by[b.quality]++
		}
		blocks += len(list)
		from, to := list[0].start, list[len(list)-1].end()
		seen, ok := since(seen, list[0].total-list[0].amount)
		if !ok && !k.summed[id] {
			problems.add(fmt.Sprintf("%v: it begins at %v, which is not its first reading, %v", id, list[0].total-list[0].amount, seen[0].value))
			continue
		}
		if k.received[reading{id.utility, id.zone, id.meter, 0}] {
			// Its times are those of receipt, which a busy machine puts off: nothing
			// may be counted twice, and what is not counted yet is not known.
			if most := seen[len(seen)-1].value - seen[0].value; sum > most+1e-6 {
				problems.add(fmt.Sprintf("%v: %v, and it has counted %v in all", id, sum, most))
			}
			continue
		}
		want, slack := tally(seen, p.again[id.meter], to)
		if !k.summed[id] {
			slack = 1e-9*want + 1e-6
		}
		off := math.Abs(sum - want)
		worst = max(worst, off)
		if off > slack {
			problems.add(fmt.Sprintf("%v: %v from %s to %s, want %v", id, sum, clock(from), clock(to), want))
		}
	}
	for id, seen := range k.counters {
		if first, last := seen[0].ts, seen[len(seen)-1].ts; last/quarterMS > first/quarterMS && len(all[id]) == 0 {
			problems.add(fmt.Sprintf("there is no consumption of %v", id))
		}
	}
	c.t.Logf("%d counters, %d blocks, by quality %v; the sums are off by %.2g at most", len(all), blocks, by, worst)
	problems.report(c, "counters are wrong")
}

// since returns the readings from the one that shows a value on, which must be
// the first that could be read. Before it the birth of a Sparkplug node may have
// told what the last message showed that could not; later ones of these are left
// out.
func since(list []display, value float64) ([]display, bool) {
	first := slices.IndexFunc(list, func(d display) bool { return !d.unreadable })
	begin := slices.IndexFunc(list, func(d display) bool { return math.Abs(d.value-value) <= 1e-12*value+1e-9 })
	if begin < 0 || begin > first {
		return list[max(0, first):], false
	}
	return append(list[begin:begin+1:begin+1], slices.DeleteFunc(slices.Clone(list[begin+1:]), func(d display) bool { return d.unreadable })...), true
}

// tally is what a counter counted up to a time: of what its meter lost nobody
// knows, so that what is counted of a reset is what it shows from zero on, and
// of a replacement that nobody has announced, nothing. last is what it counted
// between the readings around that time.
func tally(list []display, event string, to int64) (total, last float64) {
	before := list[0]
	for _, s := range list[1:] {
		step := s.value - before.value
		if step < 0 {
			switch event {
			case "rollover":
				step += 1e8
			case "reset":
				step = s.value
			case "replacement":
				step = 0
			}
		}
		if s.ts >= to {
			if s.ts > before.ts {
				total += step * float64(to-before.ts) / float64(s.ts-before.ts)
			}
			return total, math.Abs(step)
		}
		total, before = total+step, s
	}
	return total, 0
}

// checkRows looks for readings in the database that no meter has made. One whose
// clock was wrong stands where it was received, with its own time in a field.
func (c *city) checkRows(k *told) {
	c.t.Helper()
	var extra sample10
	n := 0
	for _, u := range meter.Utilities {
		err := c.query(fmt.Sprintf("SELECT quality, device_time_ms FROM %q GROUP BY *", u), func(s series) error {
			for _, v := range s.Values {
				n++
				id := reading{u, s.Tags["zone"], s.Tags["meter"], int64(*v[0])}
				if v[2] != nil {
					id.ts = int64(*v[2])
				}
				if !k.readings[id] && !k.received[reading{u, id.zone, id.meter, 0}] {
					extra.add(id.String())
				}
			}
			return nil
		})
		c.must("read "+string(u), err)
	}
	c.t.Logf("%d readings", n)
	extra.report(c, "readings in the database were never made")
}

// checkBooks looks whether the ledger balances.
func (c *city) checkBooks(p scene) {
	c.t.Helper()
	l, err := c.ledger()
	c.must("read the ledger", err)
	for _, problem := range l.problems() {
		c.t.Errorf("the ledger does not balance: %s", problem)
	}
	for _, name := range []string{"messages_dropped", "lines_refused", "lines_lost", "messages_in_flight"} {
		if l[name] != 0 {
			c.t.Errorf("the ledger says %s = %d, want 0", name, l[name])
		}
	}
	if got := l["messages_quarantined"] > 0; got != p.quarantined {
		c.t.Errorf("%d messages are quarantined", l["messages_quarantined"])
	}
	c.t.Log(l)
}
