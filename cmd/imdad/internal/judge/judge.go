// Package judge plays a scenario through everything between a message and a
// notice, on the scenario's own clock, and holds what alerting made of it
// against the truth:
//
//	metersim.Play ─► decode ─► vet ─► live ─► alerting.Manager ─► journal, notices
//	      └ truth ─────────────────────────────────► score ◄──────────┘
//
// Only the network and the spool are left out; the end-to-end tests have them.
package judge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/alerting"
	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/forecast"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/collector"
	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/live"
	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/metersim"
	"github.com/imdad-telemetry/imdad/collector/metersim/score"
	"github.com/imdad-telemetry/imdad/collector/vet"
)

// Options say what to judge and how.
type Options struct {
	Plan   *metersim.Plan
	Dir    string // for the journal and the outbox
	Rules  rule.Config
	People notify.Config
	// Every is the simulated time between two evaluations; 0: 5 s.
	Every time.Duration
	Log   zerolog.Logger
}

// Verdict is what came of it.
type Verdict struct {
	score.Report
	Truth   []score.Event
	Journal []alarm.Transition
	Notices []Notice
}

// Notice is a notice with its words.
type Notice struct {
	score.Notice
	Stalled []string // the plants that a digest names
	Text    map[message.Language]message.Text
}

// Judge plays the plan to its end. A plan is played once.
func Judge(ctx context.Context, o Options) (Verdict, error) {
	if o.Every == 0 {
		o.Every = 5 * time.Second
	}
	c := &court{Options: o, now: o.Plan.Start, truth: o.Plan.Events()}
	c.live = live.New(o.Plan.Registry, c.clock)
	sources, err := sourcesOf(o.Plan)
	if err != nil {
		return Verdict{}, err
	}
	c.stream = collector.NewStream(sources, meter.NewCatalog(1<<16), o.Plan.Registry, c.live)
	renderer, err := message.New(o.Plan.Registry)
	if err != nil {
		return Verdict{}, err
	}
	c.manager, err = alerting.New(ctx, alerting.Options{
		DataDir: o.Dir, Config: alerting.DefaultConfig(), Alarms: alarm.DefaultConfig(), Rules: o.Rules, People: o.People,
		Forecast: forecast.DefaultConfig(),
		Channels: c.channels(), Renderer: renderer, Registry: o.Plan.Registry, Source: c.live, Parts: c.parts,
		Now: c.clock, Log: o.Log, Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		return Verdict{}, err
	}
	v, err := c.play(ctx)
	return v, errors.Join(err, c.manager.Close())
}

// court is one play under judgement.
type court struct {
	Options
	now     time.Time
	truth   []score.Event
	stream  *collector.Stream
	prints  []byte
	blocks  []vet.Interval
	live    *live.State
	manager *alerting.Manager
	next    time.Time // of the next cycle
	asked   time.Time // when the stream was last asked for commands
	notices []Notice
}

func (c *court) clock() time.Time { return c.now }

func (c *court) play(ctx context.Context) (Verdict, error) {
	c.next = c.now
	events, err := metersim.Play(ctx, metersim.PlayOptions{Plan: c.Plan, Commands: c.commands, Emit: func(d metersim.Delivery) error {
		if err := c.until(ctx, d.At); err != nil {
			return err
		}
		c.now = d.At
		return c.take(&d)
	}})
	if err != nil {
		return Verdict{}, fmt.Errorf("play: %w", err)
	}
	if err := c.until(ctx, c.Plan.End); err != nil {
		return Verdict{}, err
	}
	return c.verdict(ctx, events)
}

// until runs the cycles that are due before t.
func (c *court) until(ctx context.Context, t time.Time) error {
	for !c.next.After(t) {
		c.now = c.next
		c.announce()
		c.blocks = c.stream.Blocks(c.blocks[:0]) // of no interest here
		if err := c.manager.Cycle(ctx); err != nil {
			return fmt.Errorf("evaluate at %v: %w", c.now, err)
		}
		if err := c.manager.Deliver(ctx); err != nil {
			return fmt.Errorf("deliver at %v: %w", c.now, err)
		}
		c.next = c.next.Add(c.Every)
	}
	return nil
}

// take does with a message what the collector does, but for storing it.
func (c *court) take(d *metersim.Delivery) error {
	var reject *decode.Reject
	_, prints, err := c.stream.Take(&decode.Message{
		Topic: d.Topic, Payload: d.Payload, Retained: d.Retained, Received: d.At.UnixMilli(),
	}, storeroom{}, c.prints[:0])
	c.prints = prints
	if errors.As(err, &reject) {
		return nil // quarantined
	}
	return err
}

// storeroom is where nothing is kept.
type storeroom struct{}

// Duplicate implements collector.Keeper.
func (storeroom) Duplicate(*meter.Reading) {}

// Keep implements collector.Keeper.
func (storeroom) Keep(*meter.Reading, bool) {}

// Remember implements collector.Keeper.
func (storeroom) Remember(decode.Saved) {}

// announce sets the stage of rationing that was announced last: over the API in
// a service.
func (c *court) announce() {
	stage := 0
	for _, e := range c.truth {
		if e.Cause == "stage" && !c.now.Before(e.Start) && c.now.Before(e.End) {
			stage, _ = strconv.Atoi(e.Object) // as metersim wrote it
		}
	}
	for _, city := range c.Plan.Registry.Cities() {
		c.live.SetStage(city.ID, stage)
	}
}

// parts are the service's own: what scenarios do to the broker and the database
// cannot be seen in messages.
func (c *court) parts() []snapshot.Part {
	parts := []snapshot.Part{{Name: "broker"}, {Name: "database"}, {Name: "spool"}}
	for _, e := range c.truth {
		if c.now.Before(e.Start) || !c.now.Before(e.End) {
			continue
		}
		switch e.Cause {
		case "broker_outage":
			parts[0].Fault, parts[0].Since = "connection refused", e.Start.UnixMilli()
		case "database_down":
			parts[1].Fault, parts[1].Since = "connection refused", e.Start.UnixMilli()
		}
	}
	return parts
}

// channels are those of the people, each of which takes every notice.
func (c *court) channels() []notify.Spec {
	names := make(map[string]bool)
	var specs []notify.Spec
	for _, p := range c.People.People {
		for name := range p.Contacts {
			if !names[name] {
				names[name] = true
				specs = append(specs, notify.Spec{Name: name, Channel: c})
			}
		}
	}
	return specs
}

// Send implements notify.Channel.
func (c *court) Send(_ context.Context, n notify.Notice) error {
	note := Notice{
		Notice:  score.Notice{Time: c.now, Person: n.Person, Channel: n.Channel, Type: string(n.Content.Type)},
		Stalled: n.Content.Stalled, Text: n.Texts,
	}
	for _, a := range n.Content.Alarms {
		note.Alarms = append(note.Alarms, a.ID)
	}
	c.notices = append(c.notices, note)
	return nil
}

func (c *court) verdict(ctx context.Context, events []score.Event) (Verdict, error) {
	v := Verdict{Truth: events, Notices: c.notices}
	for {
		lines, err := c.manager.Journal(ctx, int64(len(v.Journal)), 1000)
		if err != nil {
			return v, err
		}
		v.Journal = append(v.Journal, lines...)
		if len(lines) < 1000 {
			break
		}
	}
	plain := make([]score.Notice, len(c.notices))
	for i, n := range c.notices {
		plain[i] = n.Notice
	}
	journal, err := journalForScore(v.Journal)
	v.Report = score.Score(events, journal, plain)
	return v, err
}

// journalForScore takes the way through JSON, as for any other judge: what is
// read there is what the journal really says.
func journalForScore(lines []alarm.Transition) ([]score.Transition, error) {
	out := make([]score.Transition, len(lines))
	for i := range lines {
		text, err := json.Marshal(&lines[i])
		if err == nil {
			err = json.Unmarshal(text, &out[i])
		}
		if err != nil {
			return nil, fmt.Errorf("read transition %d: %w", lines[i].Seq, err)
		}
	}
	return out, nil
}
