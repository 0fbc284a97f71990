package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/imdad-telemetry/imdad/collector"
	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/mqtt"
	"github.com/imdad-telemetry/imdad/collector/spool"
)

// strays are the messages that no source reads, by what they look like. They
// are bounded in number, and each keeps the last payload.
type strays map[decode.Guess]*stray

const maxStrays = 1000

// stray is one kind of messages that no source reads.
type stray struct {
	Profile  string // empty: like none
	Filter   string
	Topic    string // the last one
	Messages int
	Refused  string   // why the profile alone does not read the last payload
	Says     []string // what it makes of it
	payload  []byte
	received int64
}

// add takes a message, which it copies.
func (s strays) add(topic string, payload []byte, received int64) {
	guess, ok := decode.GuessProfile(topic, payload)
	if !ok {
		guess.Topic = topic
	}
	g := s[guess]
	if g == nil {
		if len(s) == maxStrays {
			return
		}
		g = &stray{Profile: guess.Profile, Filter: guess.Topic}
		s[guess] = g
	}
	g.Messages++
	g.Topic, g.payload, g.received = topic, bytes.Clone(payload), received
}

// fromQuarantine adds what waits there for a source.
func (s strays) fromQuarantine(ctx context.Context, q *quarantined) error {
	return quarantineFilter{Reason: string(decode.NoSource)}.each(ctx, q.Spool, func(listed spool.Entry) error {
		entry, err := q.Get(ctx, listed.ID)
		if errors.Is(err, spool.ErrNotFound) {
			return nil // replayed or dropped just now
		}
		s.add(entry.Topic, entry.Payload, entry.Received)
		return err
	})
}

// fromBroker adds what is heard of topics that no source has a filter for.
func (s strays) fromBroker(e *env, m *metersDiscover, c *config) error {
	password, err := secret(c.MQTT.Password)()
	if err != nil {
		return fmt.Errorf("listen to the broker: %w", err)
	}
	ctx, cancel := context.WithTimeout(e.ctx, m.Listen)
	defer cancel()
	fmt.Fprintf(e.stderr, "listening to %s for %s …\n", m.Filter, m.Listen)
	decoder := decode.New(c.Sources, meter.NewCatalog(maxTriedMeters))
	var mu sync.Mutex // a message may come while the listener ends
	err = mqtt.Listen(ctx, c.MQTT, password, []string{m.Filter}, func(topic string, payload []byte, _ bool) {
		mu.Lock()
		defer mu.Unlock()
		if !decoder.Reads(topic) {
			s.add(topic, payload, time.Now().UnixMilli())
		}
	})
	if err != nil {
		return fmt.Errorf("listen to the broker: %w", err)
	}
	mu.Lock()
	defer mu.Unlock()
	return nil
}

// list tries each with its profile; the most frequent come first.
func (s strays) list() []*stray {
	for _, g := range s {
		g.try()
	}
	return slices.SortedFunc(maps.Values(s), func(a, b *stray) int {
		return cmp.Or(b.Messages-a.Messages, strings.Compare(a.Filter, b.Filter))
	})
}

// try reads the last payload with the profile alone.
func (g *stray) try() {
	if g.Profile == "" {
		return
	}
	var out decode.Readings
	_, err := trial([]decode.Source{decode.Sketch(g.Profile, g.Topic)}, decode.Message{Topic: g.Topic, Payload: g.payload, Received: g.received}, &out)
	if err != nil {
		g.Refused = err.Error()
		return
	}
	for _, r := range out.All() {
		for _, v := range r.Values {
			g.Says = append(g.Says, v.Register+"="+decimal(v.Value))
		}
	}
}

// source proposes an entry of the configuration's sources.
func (g *stray) source(n int) string {
	return fmt.Sprintf("  - {name: new%d, topics: [%q], profile: %s, zone: ZONE}", n, g.Filter, g.Profile)
}

func proposedSources(w io.Writer, topics []*stray) error {
	if len(topics) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\nno source reads %d kinds of messages:\n", len(topics))
	for n, g := range topics {
		fmt.Fprintf(w, "\n%d messages, such as %s\n", g.Messages, printable(g.Topic))
		switch {
		case g.Profile == "":
			fmt.Fprintf(w, "  like no profile: %s\n", clipped(g.payload))
			continue
		case g.Refused != "":
			fmt.Fprintf(w, "  like %s, which would refuse the last one: %s\n  payload: %s\n", g.Profile, printable(g.Refused), clipped(g.payload))
		case len(g.Says) == 0:
			fmt.Fprintf(w, "  like %s, without a number in the last one: %s\n", g.Profile, clipped(g.payload))
		default:
			fmt.Fprintf(w, "  like %s; the last one says %s\n", g.Profile, strings.Join(g.Says, " "))
		}
		fmt.Fprintln(w, g.source(n+1))
	}
	_, err := fmt.Fprintln(w, "\nPut the lines under sources: in the configuration, with the zone, and with utility: where the profile does not tell; then\nimdad check, a restart, and imdad quarantine replay --all --reason no_source.")
	return err
}

// clipped is the beginning of a payload for people.
func clipped(payload []byte) string {
	const most = 200
	if len(payload) > most {
		return printable(string(payload[:most])) + "…"
	}
	return printable(string(payload))
}

func discoveryLines(w io.Writer, meters []proposal, topics []*stray) error {
	encoder := json.NewEncoder(w)
	for _, p := range meters {
		if err := encoder.Encode(struct {
			collector.Sighting
			At string `json:"at,omitempty"`
		}{p.Sighting, p.At}); err != nil {
			return err
		}
	}
	for _, g := range topics {
		if err := encoder.Encode(map[string]any{
			"no_source": g.Filter, "topic": g.Topic, "messages": g.Messages, "profile": g.Profile, "refused": g.Refused, "says": g.Says,
		}); err != nil {
			return err
		}
	}
	return nil
}
