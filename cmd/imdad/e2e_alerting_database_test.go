package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const (
	databaseRules = `  - {kind: pipeline.fault, enabled: true}
`
	databasePeople = `people:
  - {id: amal, name: {en: Amal, ar: أمل}, role: zone_manager, language: en, zones: [z1], contacts: {sms: "+1"}}
  - {id: omar, name: {en: Omar, ar: عمر}, role: operations, language: en, contacts: {sms: "+9"}}
`
	databaseFault = "pipeline.fault:database"
)

// TestE2EAlarmDatabaseDown stops the database. Alarms leave all the same, and
// the fault itself is one; later the database has every transition.
func TestE2EAlarmDatabaseDown(t *testing.T) {
	t.Parallel()
	p := openPost(t)
	w := newTown(t, databasePeople, func(w *town) {
		p.serve(&w.config.Channels)
		w.config.Rules = w.write("rules.yaml", strings.Replace(townRules, "  - {kind: pipeline.fault, enabled: false}\n", databaseRules, 1))
	})
	w.open()
	w.waitLedger("something is written", func(l ledger) bool { return l["lines_written"] > 0 })
	w.must("stop the database", w.database.Stop())
	w.waitDegraded("connection refused")
	w.set(off, "f01")
	w.wait("an outage and the fault", func() (string, error) {
		return w.standing(outageOf("f01")+stands, databaseFault+stands)
	})
	w.wait("their notices", func() (string, error) {
		got, _ := p.sorted()
		if len(got["+1"]) > 0 && strings.HasPrefix(got["+1"][0], "Power lost at Feeder 1") &&
			slices.ContainsFunc(got["+9"], func(s string) bool { return strings.HasPrefix(s, "Collector fault: ") }) {
			return "", nil
		}
		return fmt.Sprintf("%q", got), nil
	})
	for _, l := range w.journal() {
		if delay := l.Alarm.Raised.Sub(l.Alarm.Since).Seconds(); l.Alarm.ID == databaseFault && delay < 60 {
			t.Errorf("the fault was raised after %v s", delay)
		}
	}
	w.waitLedger("transitions wait for the database", func(l ledger) bool { return l["lines_alarm"] >= 2 && l["lines_pending"] > 0 })
	w.startDatabase()
	w.set(on, "f01")
	w.wait("the end of both", func() (string, error) { return w.standing(databaseFault+" returned", outageOf("f01")+" returned") })
	w.waitAlarmPoints()
}

// waitAlarmPoints waits until the database has as many points of alarms as the
// journal has lines, each with its number, and checks the books.
func (w *town) waitAlarmPoints() {
	w.t.Helper()
	lines := w.journal()
	w.waitLedger("every transition in the database", func(l ledger) bool {
		return l["lines_alarm"] == int64(len(lines)) && w.count("alarm", "seq") == int64(len(lines))
	})
	w.eventually("books that balance", func() (bool, error) {
		l, err := w.ledger()
		return err == nil && len(l.problems()) == 0 && l["lines_refused"] == 0, err
	})
}

// count is how many points of a measurement have a field.
func (w *town) count(measurement, field string) (n int64) {
	w.t.Helper()
	w.must("count "+measurement, w.query(fmt.Sprintf("SELECT count(%q) FROM %q", field, measurement), func(s series) error {
		n += int64(*s.Values[0][1])
		return nil
	}))
	return n
}
