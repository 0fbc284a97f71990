package main

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// meterKey is a meter in the whole city.
type meterKey struct {
	utility     meter.Utility
	zone, meter string
}

func (k meterKey) String() string { return fmt.Sprintf("%s/%s/%s", k.zone, k.utility, k.meter) }

// point is one of the database, texts and integers included.
type point struct {
	ts     int64 // ms since the epoch
	fields map[string]any
}

// points reads everything that the database holds of meters, in order of time.
func (c *city) points() map[meterKey][]point {
	c.t.Helper()
	all := make(map[meterKey][]point)
	for _, u := range meter.Utilities {
		err := queryOf(c, fmt.Sprintf("SELECT * FROM %q GROUP BY *", u), func(s seriesOf[any]) error {
			k := meterKey{u, s.Tags["zone"], s.Tags["meter"]}
			if city := c.registry.CityOf(k.zone); s.Tags["city"] != city && k != lastMeter {
				return fmt.Errorf("%v is in the city %q, want %q", k, s.Tags["city"], city)
			}
			for _, values := range s.Values {
				p := point{fields: make(map[string]any)}
				for i, name := range s.Columns {
					switch {
					case i == 0:
						p.ts = int64(values[i].(float64))
					case values[i] != nil:
						p.fields[name] = values[i]
					}
				}
				all[k] = append(all[k], p)
			}
			return nil
		})
		c.must("read "+string(u), err)
	}
	for _, list := range all {
		slices.SortFunc(list, func(a, b point) int { return cmp.Compare(a.ts, b.ts) })
	}
	return all
}

// lastMeter says the last word of a test. Messages of one connection come in
// order: when this is in the database, so is everything before it.
var lastMeter = meterKey{meter.Electricity, "elsewhere", "last"}

// waitLast lets it speak, and waits until it is heard and everything is
// delivered. The meters must be silent.
func (c *city) waitLast() {
	c.t.Helper()
	now := time.Now().UnixMilli()
	p := c.publisher("last")
	p.send(fmt.Sprintf("imdad/v1/%s/%s/%s", lastMeter.zone, lastMeter.utility, lastMeter.meter), fmt.Sprintf(`{"ts":%d,"values":{"active_power_kw":1}}`, now))
	p.wait()
	c.eventually("the last word", func() (heard bool, err error) {
		q := fmt.Sprintf("SELECT active_power_kw FROM electricity WHERE meter = '%s' AND time = %dms", lastMeter.meter, now)
		err = c.query(q, func(series) error { heard = true; return nil })
		return heard, err
	})
	c.waitLedger("everything delivered", func(l ledger) bool { return l["messages_in_flight"] == 0 && l["lines_pending"] == 0 })
}

// disturbances are the times, in ms, in which messages may come late, and twice.
type disturbances [][2]int64

func (d *disturbances) begin() { *d = append(*d, [2]int64{time.Now().UnixMilli(), math.MaxInt64}) }

// end closes the last one. What is on its way is at home by the time that the
// meters speak next.
func (d disturbances) end() { d[len(d)-1][1] = time.Now().Add(mixedEvery).UnixMilli() }

// latest is until when a message made at ts must have come.
func (d disturbances) latest(ts int64) int64 {
	until := ts + mixedEvery.Milliseconds()
	for _, w := range d {
		if until >= w[0] && ts <= w[1] {
			until = max(until, w[1])
		}
	}
	return until
}

// mayRepeat tells whether what was made at ts may have come again at a time.
func (d disturbances) mayRepeat(ts, at int64) bool {
	return slices.ContainsFunc(d, func(w [2]int64) bool { return ts >= w[0]-mixedEvery.Milliseconds() && w[0] <= at && at <= w[1] })
}

// judgement holds the database against the truth.
type judgement struct {
	c         *city
	away      disturbances
	told      map[meterKey][]*truth
	books     map[string]*book
	added     map[string]int // fields that were not sent, by name
	reasons   map[string]int // by profile
	qualities map[meter.Quality]int
	repeated  int

	missing, wrong, extra sample10
}

func newJudgement(c *city, away disturbances) *judgement {
	return &judgement{
		c: c, away: away, told: make(map[meterKey][]*truth), books: make(map[string]*book),
		added: make(map[string]int), reasons: make(map[string]int), qualities: make(map[meter.Quality]int),
	}
}

// take notes a line of the truth.
func (j *judgement) take(l *truth) {
	k := meterKey{l.Utility, l.Zone, l.Meter}
	if l.Profile == "" {
		l.Profile = "imdad"
	}
	if l.Unreadable {
		j.wrong.add(fmt.Sprintf("%v: its node published before its birth", k))
	}
	copied := *l
	j.told[k] = append(j.told[k], &copied)
	b := j.books[l.Profile]
	if b == nil {
		b = &book{meters: make(map[meterKey]bool)}
		j.books[l.Profile] = b
	}
	b.meters[k] = true
}

// compare goes through all meters.
func (j *judgement) compare(stored map[meterKey][]point) {
	for k := range stored {
		if j.told[k] == nil && k != lastMeter {
			j.extra.add(fmt.Sprintf("%v: %d points of a meter that is not there", k, len(stored[k])))
		}
	}
	for k, told := range j.told {
		slices.SortFunc(told, func(a, b *truth) int { return cmp.Compare(a.TS, b.TS) })
		for _, p := range stored[k] {
			j.qualities[meter.Quality(p.fields["quality"].(float64))]++
		}
		if told[0].Received {
			j.inOrder(k, told, stored[k])
		} else {
			j.byTime(k, told, stored[k])
		}
	}
}

// byTime compares the readings of a meter that tells the time.
func (j *judgement) byTime(k meterKey, told []*truth, stored []point) {
	at := make(map[int64]point, len(stored))
	for _, p := range stored {
		at[p.ts] = p
	}
	for _, l := range told {
		p, ok := at[l.TS]
		delete(at, l.TS)
		switch {
		case ok:
			j.reading(k, l, p)
		case l.Acked:
			j.missing.add(fmt.Sprintf("%s: %v", l.Profile, l.reading()))
		}
	}
	for _, ts := range slices.Sorted(maps.Keys(at)) {
		j.extra.add(fmt.Sprintf("%s: %v at %d: %v", told[0].Profile, k, ts, at[ts].fields))
	}
}

// reading compares one reading with its point.
func (j *judgement) reading(k meterKey, l *truth, p point) {
	b := j.books[l.Profile]
	b.readings++
	if q := p.fields["quality"]; q != float64(meter.Good) {
		j.wrong.add(fmt.Sprintf("%s: %v: quality = %v, %v", l.Profile, l.reading(), q, p.fields["reason"]))
	}
	for name, want := range l.Values {
		got, ok := p.fields[name].(float64)
		if !ok || !same(got, want) {
			j.wrong.add(fmt.Sprintf("%s: %v: %s = %v, want %v", l.Profile, l.reading(), name, p.fields[name], want))
		}
		b.values++
	}
	for name := range p.fields {
		if _, sent := l.Values[name]; !sent {
			j.addition(l, p, name)
		}
	}
}

// derived are the fields that vetting adds, each with what it must follow from.
var derived = map[string]func(map[string]any) bool{
	"energy_import_kwh": sumOf("energy_import_t1_kwh", "energy_import_t2_kwh"),
	"energy_export_kwh": sumOf("energy_export_t1_kwh", "energy_export_t2_kwh"),
	// Diesel of 5 to 55 °C, and no water.
	"volume15_l": func(fields map[string]any) bool {
		gross, ok := fields["volume_l"].(float64)
		net := fields["volume15_l"].(float64)
		return ok && net > 0.95*gross && net < 1.01*gross
	},
}

func sumOf(first, second string) func(map[string]any) bool {
	sum := first[:len(first)-len("_t1_kwh")] + "_kwh"
	return func(fields map[string]any) bool {
		a, ok := fields[first].(float64)
		b, alsoOK := fields[second].(float64)
		return ok && alsoOK && same(fields[sum].(float64), a+b)
	}
}

// addition judges a field that was not sent.
func (j *judgement) addition(l *truth, p point, name string) {
	j.added[name]++
	switch got := p.fields[name]; name {
	case "quality":
	case "reason":
		j.reasons[fmt.Sprintf("%s: %v", l.Profile, got)]++
	case "seq":
		if got != float64(l.Seq) {
			j.wrong.add(fmt.Sprintf("%s: %v: seq = %v, want %d", l.Profile, l.reading(), got, l.Seq))
		}
	default:
		if follows, known := derived[name]; known && follows(p.fields) {
			break
		}
		j.extra.add(fmt.Sprintf("%s: %v: %s = %v", l.Profile, l.reading(), name, got))
	}
}

// same tells whether two values are the same but for the rounding of units.
func same(a, b float64) bool { return math.Abs(a-b) <= 1e-12*math.Max(math.Abs(a), math.Abs(b)) }

// inOrder compares the readings of a meter that does not tell the time, and may
// send a register a message: each register for itself, in order.
func (j *judgement) inOrder(k meterKey, told []*truth, stored []point) {
	b := j.books[told[0].Profile]
	b.readings += len(told)
	registers := make(map[string]bool)
	for _, l := range told {
		for name := range l.Values {
			registers[name] = true
		}
	}
	for _, p := range stored {
		for name := range p.fields {
			if !registers[name] {
				j.addition(told[0], p, name)
			}
		}
	}
	for name := range registers {
		b.values += j.register(k, name, told, stored)
	}
}

// register matches the values of one register, and returns how many were found.
func (j *judgement) register(k meterKey, name string, told []*truth, stored []point) (found int) {
	next := 0
	miss := func(l *truth) {
		if _, said := l.Values[name]; said && l.Acked {
			j.missing.add(fmt.Sprintf("%s: %v: %s = %v", l.Profile, l.reading(), name, l.Values[name]))
		}
	}
	is := func(l *truth, p point) bool {
		want, said := l.Values[name]
		return said && same(p.fields[name].(float64), want) && p.ts >= l.TS-1 && p.ts <= j.away.latest(l.TS)
	}
	for _, p := range stored {
		if p.fields[name] == nil {
			continue
		}
		for next < len(told) && j.away.latest(told[next].TS) < p.ts {
			miss(told[next])
			next++
		}
		if n := slices.IndexFunc(told[next:], func(l *truth) bool { return is(l, p) }); n >= 0 && !slices.ContainsFunc(told[next:next+n], func(l *truth) bool { return l.Acked }) {
			next += n + 1
			found++
			continue
		}
		if slices.ContainsFunc(told, func(l *truth) bool { return is(l, p) && j.away.mayRepeat(l.TS, p.ts) }) {
			j.repeated++
			continue
		}
		j.extra.add(fmt.Sprintf("%s: %v: %s = %v at %s", told[0].Profile, k, name, p.fields[name], time.UnixMilli(p.ts).UTC().Format("15:04:05.000")))
	}
	for _, l := range told[next:] {
		miss(l)
	}
	return found
}
