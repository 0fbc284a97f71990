package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/configs"
)

const (
	townFeeders = 10 // of one substation; the last one is never cut
	townSpeed   = 60
	townTick    = 100 * time.Millisecond // real time between the readings of a meter
	townSilence = 10 * time.Minute       // of the town's time: a busy machine is no silent meter
)

// townStart is a quiet hour: no text says another day.
var townStart = time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC)

// town is a city of ten feeders, each with a plant and a meter that lives on a
// battery. A test says what the meters see, and the clock runs so fast that
// delays of a minute pass in a second:
//
//	set ─► meters ─► broker ─► imdad run ─► channels ─► the test
//	                             ▲ API ──────────────────┘
//
// Whoever restarts the service finds the clock where it would be without.
type town struct {
	*city
	file  *zone.File
	began time.Time // real, when the clock showed townStart
	mqtt  paho.Client

	mu    sync.Mutex
	seen  map[string]supply // by feeder
	since map[string]int64  // ms, of the first reading that told of it; 0: none yet
	told  int64             // readings
}

// supply is what a meter sees.
type supply int

const (
	on      supply = iota
	off            // no phase has voltage
	oneLost        // the first has none
)

func (s supply) payload(ts int64) []byte {
	volts := [...][2]int{on: {230, 230}, off: {0, 0}, oneLost: {4, 230}}[s]
	return fmt.Appendf(nil, `{"ts":%d,"values":{"voltage_l1_v":%d,"voltage_l2_v":%d,"voltage_l3_v":%d,"active_power_kw":%d}}`,
		ts, volts[0], volts[1], volts[1], volts[0])
}

func feeder(n int) string { return fmt.Sprintf("f%02d", n) }

// townFile is the registry.
func townFile() *zone.File {
	name := func(en, ar string, n int) zone.Name {
		return zone.Name{En: fmt.Sprintf("%s %d", en, n), Ar: fmt.Sprintf("%s %d", ar, n)}
	}
	f := &zone.File{
		City:        zone.City{ID: "town", Name: zone.Name{En: "Town", Ar: "مدينة"}},
		Zones:       []zone.Zone{{ID: "z1", Name: name("Zone", "منطقة", 1)}},
		Substations: []zone.Substation{{ID: "ss1", Name: name("Station", "محطة", 1), RatingMVA: 30}},
	}
	for n := 1; n <= townFeeders; n++ {
		id := feeder(n)
		f.Feeders = append(f.Feeders, zone.Feeder{ID: id, Name: name("Feeder", "مخرج", n), Zone: "z1", From: "ss1", RatingA: 400})
		f.Meters = append(f.Meters, zone.Meter{
			ID: "m-" + id, Zone: "z1", Utility: meter.Electricity, At: id, NominalV: 230, Backup: true,
			IntervalS: townSilence.Seconds() / 3,
		})
	}
	return f
}

// townRules leaves the alarms that a test means: those of feeders, each for
// itself.
const townRules = `rules:
  - {kind: elec.ration_unannounced, enabled: false}
  - {kind: elec.voltage_low, enabled: false}
  - {kind: elec.unbalance, enabled: false}
  - {kind: elec.shortfall, enabled: false}
  - {kind: zone.inadequate, enabled: false}
  - {kind: meter.offline, enabled: false}
  - {kind: meter.stuck, enabled: false}
  - {kind: meter.clock, enabled: false}
  - {kind: pipeline.fault, enabled: false}
  - {kind: alarm.flood, enabled: false}
`

// newTown is a town with people; nothing runs yet but broker and database.
func newTown(t *testing.T, people string, change ...func(*town)) *town {
	t.Helper()
	w := &town{city: newCity(t), file: townFile(), seen: make(map[string]supply), since: make(map[string]int64)}
	w.config.Rules, w.config.People = w.write("rules.yaml", townRules), w.write("people.yaml", people)
	w.config.Alarms.Remind.Critical, w.config.Alarms.Remind.High, w.config.Alarms.Remind.Medium = 0, 0, 0
	w.config.Alerting.Interval = 50 * time.Millisecond
	for _, f := range change {
		f(w)
	}
	text, err := configs.MarshalRegistry(w.file)
	w.must("write the registry", err)
	w.config.Cities = []string{w.write("town.yaml", string(text))}
	return w
}

func (w *town) write(name, text string) (path string) {
	w.t.Helper()
	path = filepath.Join(w.dir, name)
	w.must("write "+name, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// now is what the clock of the town shows.
func (w *town) now() time.Time { return townStart.Add(townSpeed * time.Since(w.began)) }

// open starts the clock, the meters and the service.
func (w *town) open() {
	w.t.Helper()
	w.began = time.Now()
	w.flags = []string{"--clock-start", townStart.Format(time.RFC3339), "--clock-at", w.began.Format(time.RFC3339Nano), "--speed", fmt.Sprint(townSpeed)}
	w.start()
	w.mqtt = paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + w.broker.Addr()).SetClientID("town"))
	w.await(w.mqtt.Connect())
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { defer close(stopped); w.speak(stop) }()
	w.t.Cleanup(func() { close(stop); <-stopped; w.mqtt.Disconnect(250) })
}

// speak lets all meters speak at each tick, in the order of their feeders.
func (w *town) speak(stop <-chan struct{}) {
	tick := time.NewTicker(townTick)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		ts := w.now().UnixMilli()
		for _, f := range w.file.Feeders {
			w.mu.Lock()
			payload := w.seen[f.ID].payload(ts)
			if since, ok := w.since[f.ID]; ok && since == 0 {
				w.since[f.ID] = ts
			}
			w.told++
			w.mu.Unlock()
			w.mqtt.Publish("imdad/v1/"+f.Zone+"/electricity/m-"+f.ID, 1, false, payload)
		}
	}
}

// set changes what the meters of feeders see, from one tick on.
func (w *town) set(s supply, feeders ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range feeders {
		w.seen[id], w.since[id] = s, 0
	}
}

// readings is how many have been made.
func (w *town) readings() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.told
}

// first is the time of the reading that told of what was set last.
func (w *town) first(feeder string) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.UnixMilli(w.since[feeder])
}

// ask reads an answer of the API.
func (c *city) ask(path string, v any) error {
	code, body, err := c.get(path)
	if err == nil && code != http.StatusOK {
		err = fmt.Errorf("%s: %d %s", path, code, body)
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), v)
	}
	return err
}

// act posts an action on an alarm. What is answered is on disk.
func (c *city) act(action, id, body string) {
	c.t.Helper()
	res, err := c.client.Post("http://"+c.http+"/api/v1/alarms/"+id+"/"+action, "application/json", strings.NewReader(body))
	c.must(action+" "+id, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	c.must(action+" "+id, err)
	if res.StatusCode != http.StatusOK {
		c.t.Fatalf("%s %s: %d %s", action, id, res.StatusCode, text)
	}
}

// alarms returns what stands, one word each: its id and state.
func (c *city) alarms() ([]string, error) {
	var list []alarm.Alarm
	err := c.ask("/api/v1/alarms", &list)
	words := make([]string, len(list))
	for i, a := range list {
		words[i] = a.ID + " " + string(a.State)
	}
	slices.Sort(words)
	return words, err
}

// journal reads all of it. Its numbers have no gaps.
func (c *city) journal() []alarm.Transition {
	c.t.Helper()
	var all []alarm.Transition
	for {
		var page []alarm.Transition
		c.must("read the journal", c.ask(fmt.Sprintf("/api/v1/journal?limit=1000&after=%d", len(all)), &page))
		if len(page) == 0 {
			return all
		}
		for _, t := range page {
			if all = append(all, t); t.Seq != int64(len(all)) {
				c.t.Fatalf("line %d of the journal has the number %d", len(all), t.Seq)
			}
		}
	}
}

// wait waits until nothing is missing any more.
func (w *town) wait(what string, missing func() (string, error)) {
	w.t.Helper()
	last := ""
	err := eventually(w.t.Context(), happensWithin, what, func() (_ bool, err error) {
		last, err = missing()
		return err == nil && last == "", err
	})
	if err != nil {
		for _, l := range w.journal() {
			w.t.Logf("%d %s %s %s: %s to %s, under %q, since %v", l.Seq, l.Time.Format(time.TimeOnly), l.Event, l.Alarm.ID, l.From, l.To, l.Alarm.Under, l.Alarm.Since.Format(time.TimeOnly))
		}
		w.t.Fatalf("%v: %s", err, last)
	}
}

// standing tells how the alarms that stand differ from those wanted: "id
// state".
func (w *town) standing(want ...string) (difference string, err error) {
	got, err := w.alarms()
	slices.Sort(want)
	if err != nil || slices.Equal(got, want) {
		return "", err
	}
	return fmt.Sprintf("the alarms are %q instead of %q", got, want), nil
}
