package metersim

import (
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/collector/metersim/score"
)

// incident is a cause at work: when, what it does to the model and to messages,
// and what the alarms must make of it. A cause may come to several.
type incident struct {
	Cause
	start, end int64 // ms since the epoch, on the grid of steps

	// What it does. Any may be nil.
	ready func(m *model) // before the play
	apply func(m *model, on bool)
	tick  func(m *model, ms int64)
	edit  *edit
	shots []shot

	// What is true of it.
	event     score.Event
	dark      []string // what it cuts off
	short     []string // plants whose unserved energy is its doing
	untold    bool     // it is no event, such as a tanker that comes in time
	plants    []*plant
	on        bool
	ensKWh    float64
	openEnded bool
}

// length is how long it lasts.
func (i *incident) length() time.Duration { return time.Duration(i.end-i.start) * time.Millisecond }

// expect adds that the alarm must be raised within so much of the start.
func (i *incident) expect(id, object string, within time.Duration) {
	i.event.Expect = append(i.event.Expect, score.Claim{ID: id, Object: object, WithinS: within.Seconds()})
}

// expectFrom is expect for what can be known only from a moment after the start.
func (i *incident) expectFrom(id, object string, from, within time.Duration) {
	i.event.Expect = append(i.event.Expect, score.Claim{ID: id, Object: object, FromS: from.Seconds(), WithinS: within.Seconds()})
}

// forbid adds that the alarm must not be raised for any of the objects while
// the cause lasts and slack longer.
func (i *incident) forbid(id string, slack time.Duration, objects ...string) {
	i.event.Forbid = i.claims(i.event.Forbid, id, slack, objects)
}

// allow adds that the alarm is a plausible consequence while the cause lasts
// and slack longer.
func (i *incident) allow(id string, slack time.Duration, objects ...string) {
	i.event.Allow = i.claims(i.event.Allow, id, slack, objects)
}

// claims adds one claim for all objects.
func (i *incident) claims(list []score.Claim, id string, slack time.Duration, objects []string) []score.Claim {
	if len(objects) == 0 {
		return list
	}
	until := i.length() + slack
	return append(list, score.Claim{ID: id, Object: strings.Join(objects, "|"), UntilS: until.Seconds()})
}

// shot is something that is sent at one moment, beside what the meters send.
type shot struct {
	at   int64
	fire func(*player) error
}

// edit changes the messages of some meters while its incident lasts.
type edit struct {
	probes map[string]bool // by zone/utility/id; nil: every meter
	do     func(*player, *reading)
}
