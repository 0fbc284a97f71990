package notify

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// chaos plays random stories and remembers every notice that was planned.
type chaos struct {
	*teller
	planned map[string]map[int64]time.Time // by person and notice
	dead    bool                           // the channels take nothing
}

// happen makes a random thing happen to a random alarm.
func (c *chaos) happen(t *rapid.T) {
	kinds := []string{"elec.outage", "water.stopped", "elec.phase_loss", "zone.inadequate"}
	id := fmt.Sprintf("%s:z2-%d", rapid.SampledFrom(kinds).Draw(t, "kind"), rapid.IntRange(1, 12).Draw(t, "object"))
	a, stands := c.live[id]
	worse := severity(rapid.SampledFrom([]rule.Severity{rule.Low, rule.Medium, rule.High, rule.Critical}).Draw(t, "severity"))
	var e alarm.Transition
	switch what := rapid.IntRange(0, 9).Draw(t, "event"); {
	case !stands:
		e = c.event(alarm.Raise, id, alarm.Unacknowledged, worse)
	case a.State == alarm.Shelved:
		e = c.event(alarm.Unshelve, id, alarm.Unacknowledged)
	case what < 4:
		e = c.event(alarm.Return, id, alarm.Normal)
	case what == 4 && a.State == alarm.Unacknowledged:
		e = c.event(alarm.Acknowledge, id, alarm.Acknowledged)
	case what == 5:
		e = c.event(alarm.Shelve, id, alarm.Shelved)
	case what == 6 && a.State == alarm.Unacknowledged:
		e = c.event(alarm.Remind, id, alarm.Unacknowledged)
	default:
		e = c.event(alarm.Step, id, a.State, worse)
	}
	c.plan(e)
}

// sweep notes what was planned and lets the channels take it, if they are alive.
func (c *chaos) sweep() {
	for _, r := range c.rows() {
		if c.planned[r.Person] == nil {
			c.planned[r.Person] = make(map[int64]time.Time)
		}
		c.planned[r.Person][r.Notice] = r.Created
	}
	if !c.dead {
		c.send()
	}
}

// TestPaceHolds: whatever happens, nobody gets more than 10 notices in any hour,
// and in the end everybody has been told of every alarm that stands, and of
// nothing that waits.
func TestPaceHolds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		conf := config()
		escalate(&conf)
		c := &chaos{teller: newTeller(t, conf), planned: make(map[string]map[int64]time.Time)}
		for range rapid.IntRange(1, 150).Draw(rt, "events") {
			c.happen(rt)
			c.sweep()
			c.dead = rapid.IntRange(0, 3).Draw(rt, "dead") == 0
			c.creep(time.Duration(rapid.IntRange(0, 300).Draw(rt, "seconds")) * time.Second)
		}
		c.dead = false
		c.creep(2 * time.Hour)
		for person, notices := range c.planned {
			if most := busiestHour(notices); most > 10 {
				rt.Errorf("%s got %d notices in an hour", person, most)
			}
		}
		for id, th := range c.s.threads {
			if who := c.dir.byID["basem"]; th.shown() && routed(c.dir, who, th) && th.Told["basem"] == nil {
				rt.Errorf("basem was never told of %s", id)
			}
		}
		for id, box := range c.s.inboxes {
			if len(box.Items) > 0 {
				rt.Errorf("%d pieces of news for %s never left", len(box.Items), id)
			}
		}
	})
}

// creep passes time in short steps, each followed by a sweep.
func (c *chaos) creep(d time.Duration) {
	for ; d > 0; d -= time.Minute {
		c.pass(min(d, time.Minute))
		c.sweep()
	}
}

func routed(d *directory, who *person, th *thread) bool {
	_, ok := d.route(who, &th.Alarm)
	return ok
}

func busiestHour(notices map[int64]time.Time) int {
	most := 0
	for _, from := range notices {
		n := 0
		for _, at := range notices {
			if !at.Before(from) && at.Sub(from) < time.Hour {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}
