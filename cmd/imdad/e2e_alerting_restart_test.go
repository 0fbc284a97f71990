package main

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

const (
	// The cut of f03, from 10 to 22 minutes after the start of the town's clock.
	rationStart = 10 * time.Minute
	rationOff   = 12 * time.Minute

	restartOnDelay = 3 * time.Minute
	restartRules   = townRules + `  - {kind: elec.outage, on_delay: 3m}
  - {kind: elec.ration_overrun, on_delay: 1m}
`
)

func rationed(w *town) {
	w.file.Rationing = []zone.Rationing{{ID: "r3", Feeders: []string{"f03"}, RRule: "FREQ=DAILY;BYHOUR=9;BYMINUTE=10", Off: rationOff, Source: "test"}}
	w.config.Rules = w.write("rules.yaml", restartRules)
}

// TestE2EAlarmRestart ends the service in the middle of an on-delay and of a
// planned cut, in good order and not. The timer goes on, the cut stays planned
// until it overruns, and what people have done stays done.
func TestE2EAlarmRestart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		end  func(*town)
	}{
		{"SIGTERM", func(w *town) { w.stop(happensWithin) }},
		{"SIGKILL", func(w *town) { w.kill() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := openPost(t)
			w := newTown(t, stormPeople, rationed, func(w *town) { p.serve(&w.config.Channels) })
			w.open()
			w.set(off, "f02", "f04")
			standing := func(want ...string) func() (string, error) {
				return func() (string, error) { return w.standing(want...) }
			}
			w.wait("two outages", standing(outageOf("f02")+stands, outageOf("f04")+stands))
			w.act("acknowledge", outageOf("f02"), `{"by":"amal"}`)
			w.act("shelve", outageOf("f04"), `{"by":"basem","reason":"works","for":"4h"}`)

			w.eventually("the planned cut", func() (bool, error) { return w.now().After(townStart.Add(rationStart + 30*time.Second)), nil })
			w.set(off, "f01", "f03")
			w.waitPending()
			test.end(w)
			w.start()
			acked, shelvedOne := outageOf("f02")+isAcked, outageOf("f04")+shelved
			w.wait("the alarm whose delay went on", standing(outageOf("f01")+stands, acked, shelvedOne))
			w.wait("the overrun", standing(outageOf("f01")+stands, acked, shelvedOne, "elec.ration_overrun:f03"+stands))
			w.checkJournal()
			w.set(on, "f02", "f03")
			w.wait("the end of two", standing(outageOf("f01")+stands, shelvedOne, "elec.ration_overrun:f03 returned"))
		})
	}
}

// waitPending waits until the delay of f01 is on disk: the service counts the
// condition, beside the two that stand, and has finished some cycles since.
func (w *town) waitPending() {
	w.t.Helper()
	counted, from := false, 0.0
	w.eventually("a delay that runs", func() (bool, error) {
		_, page, err := w.get("/metrics")
		if err != nil {
			return false, err
		}
		cycles := value(page, "imdad_alerting_cycle_duration_seconds_count")
		if !counted {
			counted, from = value(page, `imdad_alerting_conditions{state="raised"}`) == 3, cycles
			return false, nil
		}
		return cycles >= from+2, nil
	})
}

// checkJournal: f01 was raised when its delay was over that began before the
// restart; f03 never was an outage, and overran when its block had ended.
func (w *town) checkJournal() {
	w.t.Helper()
	journal := w.journal()
	raised := func(id string) alarm.Alarm {
		i := slices.IndexFunc(journal, func(t alarm.Transition) bool { return t.Alarm.ID == id && t.Event == alarm.Raise })
		if i < 0 {
			w.t.Fatalf("%s was not raised", id)
		}
		return journal[i].Alarm
	}
	a, since := raised(outageOf("f01")), w.first("f01")
	if delay := a.Raised.Sub(a.Since); !a.Since.Equal(since) || delay < restartOnDelay {
		w.t.Errorf("f01 is dead since %v; its alarm says %v, and was raised %v later", since, a.Since, delay)
	}
	if o, end := raised("elec.ration_overrun:f03"), townStart.Add(rationStart+rationOff); o.Raised.Before(end.Add(time.Minute)) {
		w.t.Errorf("the cut until %v overran at %v", end, o.Raised)
	}
	for _, t := range journal {
		if t.Alarm.ID == outageOf("f03") {
			w.t.Errorf("a planned cut became an outage: %+v", t)
		}
		if t.Event == alarm.Return {
			w.t.Errorf("%s returned", t.Alarm.ID)
		}
	}
}

// value reads a number from a page of metrics; not a number if it is not there.
func value(page, series string) float64 {
	_, after, _ := strings.Cut(page, "\n"+series+" ")
	text, _, _ := strings.Cut(after, "\n")
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN()
	}
	return v
}
