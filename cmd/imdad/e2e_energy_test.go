package main

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/configs"
)

// The month of TestE2EMonth.
const (
	monthMinutes = 30 * 24 * 60
	monthLate    = 6 * 60 // minutes, the most that a message is late
	monthWindow  = 512    // messages that the broker has not acknowledged
)

var monthStart = time.Date(2026, 10, 24, 0, 0, 0, 0, time.UTC)

// dial is a meter of the month: what its counter shows at first, and what it
// counts in an hour on the whole.
type dial struct {
	id       string
	utility  meter.Utility
	register string
	gauge    string  // the register of the rate
	rate     float64 // kW or m³/h
	shown    float64
	digits   int
	// exchanged is the minute before whose reading another device took its place,
	// which showed fresh; 0: none did.
	exchanged int
	fresh     float64

	counted []float64 // by each minute, since the start
}

// newDials gives the month's meters: a plain one, one that rolls over, one that
// is replaced, one with both, and one of water.
func newDials() []*dial {
	const energy, power = "energy_import_kwh", "active_power_kw"
	dials := []*dial{
		{id: "plain", utility: meter.Electricity, register: energy, gauge: power, rate: 400, shown: 120_000},
		{id: "rolling", utility: meter.Electricity, register: energy, gauge: power, rate: 420, shown: 948_500, digits: 6},
		{id: "exchanged", utility: meter.Electricity, register: energy, gauge: power, rate: 380, shown: 431_000, exchanged: 21*24*60 + 437, fresh: 120},
		{id: "both", utility: meter.Electricity, register: energy, gauge: power, rate: 300, shown: 962_000, digits: 6, exchanged: 24*24*60 + 902},
		{id: "water", utility: meter.Water, register: "volume_m3", gauge: "flow_m3h", rate: 25, shown: 7_000},
	}
	for i, d := range dials {
		d.run(rand.New(rand.NewPCG(30, uint64(i))))
	}
	return dials
}

// run lets a mill work on three shifts, six days a week.
func (d *dial) run(random *rand.Rand) {
	d.counted = make([]float64, monthMinutes+1)
	noise := 0.0
	for m := 1; m <= monthMinutes; m++ {
		hour := float64(m%1440) / 60
		noise = 0.95*noise + 0.1*random.NormFloat64()
		rate := d.rate * (1 + 0.15*math.Sin(hour/24*2*math.Pi)) * max(0.2, 1+0.2*noise)
		if math.Mod(hour, 8) < 0.25 || m/1440%7 == 5 {
			rate *= 0.3 // the change of shifts, and Fridays
		}
		d.counted[m] = d.counted[m-1] + rate/60
	}
}

// shows is what the display says at a minute, with two decimals.
func (d *dial) shows(m int) float64 {
	v := d.shown + d.counted[m]
	if d.exchanged > 0 && m >= d.exchanged {
		v = d.fresh + d.counted[m] - d.counted[d.exchanged-1]
	}
	if d.digits > 0 {
		v = math.Mod(v, math.Pow10(d.digits))
	}
	return math.Round(100*v) / 100
}

func (d *dial) payload(m int) []byte {
	rate := 60 * (d.counted[max(m, 1)] - d.counted[max(m, 1)-1])
	return fmt.Appendf(nil, `{"ts":%d,"values":{"%s":%.2f,"%s":%.3f}}`, monthStart.UnixMilli()+int64(m)*60_000, d.register, d.shows(m), d.gauge, rate)
}

// def is the meter as the registry knows it. The fitters wrote down what both
// devices showed.
func (d *dial) def() zone.Meter {
	m := zone.Meter{ID: d.id, Zone: "z1", Utility: d.utility, At: "mill", IntervalS: 60, Digits: d.digits, Serial: "a"}
	if d.exchanged > 0 {
		at := monthStart.Add(time.Duration(d.exchanged)*time.Minute - 30*time.Second)
		final := math.Mod(d.shown+d.counted[d.exchanged-1], math.Pow10(cmp.Or(d.digits, 9)))
		m.Serial = "b"
		m.Replacements = []zone.Replacement{{At: at, Serial: "b",
			Final: map[string]float64{d.register: math.Ceil(100*final) / 100}, Initial: map[string]float64{d.register: d.fresh}}}
	}
	return m
}

// monthFile is the registry.
func monthFile(dials []*dial) *zone.File {
	name := zone.Name{En: "Mill", Ar: "معمل"}
	f := &zone.File{
		City:            zone.City{ID: "month", Name: name},
		Zones:           []zone.Zone{{ID: "z1", Name: name}},
		Substations:     []zone.Substation{{ID: "ss1", Name: name, RatingMVA: 30}},
		Feeders:         []zone.Feeder{{ID: "f1", Name: name, Zone: "z1", From: "ss1", RatingA: 400}},
		PumpingStations: []zone.PumpingStation{{ID: "ps1", Name: name, CapacityM3H: 200}},
		WaterLines:      []zone.WaterLine{{ID: "w1", Name: name, Zone: "z1", From: "ps1"}},
		Plants:          []zone.Plant{{ID: "mill", Name: name, Zone: "z1", Feeder: "f1", WaterLine: "w1", Sector: zone.Weaving, ContractKVA: 1250}},
	}
	for _, d := range dials {
		f.Meters = append(f.Meters, d.def())
	}
	return f
}

// mailing is a message on its way: a minute's reading of a meter.
type mailing struct {
	at     float64 // minute at which it arrives
	dial   *dial
	minute int
}

// mailings are the messages in the order of their arrival. Of each twenty
// readings one is lost, one doubled and one late; the first and the last of a
// meter come as they should, so that the month has its ends. readings are those
// that are not lost.
func mailings(dials []*dial) (list []mailing, readings int64) {
	random := rand.New(rand.NewPCG(5, 5))
	for m := range monthMinutes + 1 {
		for _, d := range dials {
			l, p := mailing{float64(m), d, m}, random.Float64()
			switch {
			case m == 0 || m == monthMinutes:
			case p < 0.05:
				continue
			case p < 0.10:
				twin := l
				twin.at += 5 * random.Float64()
				list = append(list, twin)
			case p < 0.15:
				l.at += math.Exp(random.Float64() * math.Log(monthLate))
			}
			list = append(list, l)
			readings++
		}
	}
	slices.SortStableFunc(list, func(a, b mailing) int { return cmp.Compare(a.at, b.at) })
	return list, readings
}

// mailman publishes messages in their order, as fast as the broker takes them.
type mailman struct {
	sent atomic.Int64
	done chan struct{}
	err  error // once done
}

func (c *city) mail(list []mailing) *mailman {
	c.t.Helper()
	client := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + c.broker.Addr()).SetClientID("month"))
	connected := client.Connect()
	<-connected.Done()
	c.must("connect to the broker", connected.Error())
	p := &mailman{done: make(chan struct{})}
	stop := make(chan struct{})
	go func() {
		defer close(p.done)
		defer client.Disconnect(250)
		p.err = p.run(client, list, stop)
	}()
	c.t.Cleanup(func() { close(stop); <-p.done })
	return p
}

func (p *mailman) run(client paho.Client, list []mailing, stop <-chan struct{}) error {
	var window [monthWindow]paho.Token
	wait := func(t paho.Token) error {
		if t == nil {
			return nil
		}
		select {
		case <-t.Done():
			return t.Error()
		case <-stop:
			return fmt.Errorf("stopped after %d messages", p.sent.Load())
		}
	}
	for i, l := range list {
		slot := &window[i%monthWindow]
		if err := wait(*slot); err != nil {
			return err
		}
		*slot = client.Publish("imdad/v1/z1/"+string(l.dial.utility)+"/"+l.dial.id, 1, false, l.dial.payload(l.minute))
		p.sent.Add(1)
	}
	for _, t := range window {
		if err := wait(t); err != nil {
			return err
		}
	}
	return nil
}

// TestE2EMonth hands in a month of minutes at once, with messages lost, doubled
// and late, a counter that rolls over and a meter that is replaced; on the way
// the collector is killed once and stopped once. The quarters of an hour in the
// database are then what the meters have counted.
//
// The month takes seconds, so what the collector loses of its counters' past
// when it is killed, some seconds, would be weeks: it is killed soon after they
// are saved.
func TestE2EMonth(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	dials := newDials()
	text, err := configs.MarshalRegistry(monthFile(dials))
	c.must("write the registry", err)
	registry := filepath.Join(c.dir, "month.yaml")
	c.must("write the registry", os.WriteFile(registry, text, 0o600))
	c.config.Cities = []string{registry}
	end := monthStart.Add((monthMinutes + monthLate) * time.Minute)
	c.flags = []string{"--clock-start", end.Format(time.RFC3339), "--clock-at", time.Now().Format(time.RFC3339Nano)}
	c.start()

	list, readings := mailings(dials)
	begun := time.Now()
	half, most := len(list)/2, len(list)*4/5
	c.deliver(list[:half])
	c.waitSaved()
	p := c.mail(list[half:most])
	before, err := c.ledger()
	c.must("read the ledger", err)
	c.waitLedger("a part of what follows", func(l ledger) bool { return l["messages_decoded"] > before["messages_decoded"]+1000 })
	c.kill()
	c.start()
	c.waitPosted(p)
	p = c.mail(list[most:])
	c.eventually("some more messages", func() (bool, error) { return p.sent.Load() > int64(len(list)-most)/4, nil })
	c.stop(happensWithin)
	c.start()
	c.waitPosted(p)
	c.waitSpooled(readings)
	t.Logf("%d messages of %d readings in %v", len(list), readings, time.Since(begun).Round(time.Second))
	c.closeBooks()

	c.judgeMonth(dials)
	l, err := c.ledger()
	c.must("read the ledger", err)
	c.checkLedger(l, c.storedSince(monthStart), allowance{})
	if l["readings_spooled"] != readings {
		t.Errorf("%d readings are spooled, %d were sent", l["readings_spooled"], readings)
	}
}

// deliver publishes messages and waits until the collector has taken them all.
func (c *city) deliver(list []mailing) {
	c.t.Helper()
	p := c.mail(list)
	c.waitPosted(p)
	c.waitLedger("the messages so far", func(l ledger) bool {
		return l["messages_decoded"] >= int64(len(list)) && l["messages_in_flight"] == 0
	})
}

func (c *city) waitPosted(p *mailman) {
	c.t.Helper()
	select {
	case <-p.done:
		c.must("publish", p.err)
	case <-time.After(settleWithin):
		c.t.Fatalf("%d messages are published, the rest is not taken", p.sent.Load())
	}
}

// waitSaved waits until the collector has saved what it knows of counters now.
func (c *city) waitSaved() {
	c.t.Helper()
	now := time.Now()
	c.eventually("a state of the counters", func() (bool, error) {
		info, err := os.Stat(filepath.Join(c.config.DataDir, "vet.state"))
		if os.IsNotExist(err) {
			return false, nil
		}
		return err == nil && info.ModTime().After(now), err
	})
}

// waitSpooled waits until so many readings are stored.
func (c *city) waitSpooled(readings int64) {
	c.t.Helper()
	c.waitLedger(fmt.Sprintf("%d readings", readings), func(l ledger) bool {
		return l["readings_spooled"] >= readings && l["messages_in_flight"] == 0
	})
}

// closeBooks lets the collector store what its counters have counted so far, as
// it does when it ends, and waits until the database holds it.
func (c *city) closeBooks() {
	c.t.Helper()
	c.stop(happensWithin)
	c.start()
	c.waitLedger("everything delivered", func(l ledger) bool { return l["lines_pending"] == 0 })
}

func (c *city) judgeMonth(dials []*dial) {
	c.t.Helper()
	all := c.consumption()
	for _, d := range dials {
		id := counted{"month", "z1", d.utility, d.id, d.register}
		blocks := all[id]
		delete(all, id)
		for _, problem := range unsound(blocks) {
			c.t.Errorf("%v: %s", id, problem)
		}
		if len(blocks) != monthMinutes/15 || blocks[0].start != monthStart.UnixMilli() {
			c.t.Errorf("%v: %d blocks, want %d from %v", id, len(blocks), monthMinutes/15, monthStart)
			continue
		}
		c.judgeDial(d, blocks)
	}
	for id := range all {
		c.t.Errorf("nobody has counted %v", id)
	}
}

// judgeDial compares the blocks of a meter with what it has counted.
func (c *city) judgeDial(d *dial, blocks []quarter) {
	c.t.Helper()
	sum, by := 0.0, make(map[meter.Quality]int)
	var good, bridged []float64 // relative errors
	for i, b := range blocks {
		want := d.counted[15*i+15] - d.counted[15*i]
		off := math.Abs(b.amount-want) / want
		sum += b.amount
		switch by[b.quality]++; b.quality {
		case meter.Good:
			good = append(good, off)
			// A hundredth at each end, which the display does not show.
			if math.Abs(b.amount-want) > 0.0101 {
				c.t.Errorf("%s: block %d, %s: %v is good and should be %v", d.id, i, clock(b.start), b.amount, want)
			}
		case meter.Estimated:
			bridged = append(bridged, off)
		}
	}
	want := d.counted[monthMinutes]
	c.t.Logf("%-9s %10.2f of %10.2f, %+.5f %%; by quality %v; good ones off by %s; estimated ones by %s",
		d.id, sum, want, 100*(sum/want-1), by, quantiles(good), quantiles(bridged))
	if math.Abs(sum/want-1) > 0.001 {
		c.t.Errorf("%s: the month is off by %.4f %%", d.id, 100*(sum/want-1))
	}
	if short := 0.9 * float64(len(blocks)); float64(by[meter.Good]) < short/2 || float64(by[meter.Good]+by[meter.Estimated]) < short {
		c.t.Errorf("%s: too few blocks are good or estimated: %v", d.id, by)
	}
}

// quantiles writes relative errors in per cent.
func quantiles(errors []float64) string {
	if len(errors) == 0 {
		return "none"
	}
	slices.Sort(errors)
	n := len(errors)
	return fmt.Sprintf("p50 %.4f %%, p99 %.4f %%, max %.4f %%", 100*errors[n/2], 100*errors[n*99/100], 100*errors[n-1])
}

func clock(ms int64) string { return time.UnixMilli(ms).UTC().Format("Jan 2 15:04:05") }
