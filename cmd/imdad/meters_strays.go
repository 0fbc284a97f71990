package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strconv"
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
type strays struct {
	decoder *decode.Decoder // with the sources that there are
	kinds   map[decode.Guess]*stray
	more    int // messages of further kinds
	waiting int // in quarantine, which a source reads by now
}

const maxStrays = 1000

func newStrays(sources []decode.Source) *strays {
	return &strays{decoder: decode.New(sources, meter.NewCatalog(maxTriedMeters)), kinds: make(map[decode.Guess]*stray)}
}

// stray is one kind of messages that no source reads.
type stray struct {
	guess    decode.Guess // its profile is empty: like none
	Topic    string       // the last one
	Messages int
	Source   decode.Source // that would read it
	Refused  string        // why it does not read the last payload all the same
	Says     []string      // what it makes of it
	payload  []byte
	received int64
}

// add takes a message, which it copies.
func (s *strays) add(topic string, payload []byte, received int64) {
	guess, ok := decode.GuessProfile(topic, payload)
	if !ok {
		guess.Topic = topic
	}
	g := s.kinds[guess]
	if g == nil {
		if len(s.kinds) == maxStrays {
			s.more++
			return
		}
		g = &stray{guess: guess}
		s.kinds[guess] = g
	}
	g.Messages++
	g.Topic, g.payload, g.received = topic, bytes.Clone(payload), received
}

// fromQuarantine adds what waits there for a source. A service that has never
// run has none, which is no mistake where there is something else to look at.
func (s *strays) fromQuarantine(e *env, c *config, optional bool) (err error) {
	q, err := attach(e, c)
	if optional && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	return quarantineFilter{Reason: string(decode.NoSource)}.each(e.ctx, q, func(listed spool.Entry) error {
		if s.decoder.Reads(listed.Topic) {
			s.waiting++
			return nil
		}
		entry, err := q.Get(e.ctx, listed.ID)
		if errors.Is(err, spool.ErrNotFound) {
			return nil // replayed or dropped just now
		}
		if err != nil {
			return err
		}
		s.add(entry.Topic, entry.Payload, entry.Received)
		return nil
	})
}

// fromBroker adds what is heard of topics that no source has a filter for.
func (s *strays) fromBroker(e *env, m *metersDiscover, c *config) error {
	password, err := secret(c.MQTT.Password)()
	if err != nil {
		return fmt.Errorf("listen to the broker: %w", err)
	}
	ctx, cancel := context.WithTimeout(e.ctx, m.Listen)
	defer cancel()
	fmt.Fprintf(e.stderr, "listening to %s for %s …\n", m.Filter, m.Listen)
	var mu sync.Mutex // a message may come while the listener ends
	err = mqtt.Listen(ctx, c.MQTT, password, []string{m.Filter}, func(topic string, payload []byte, _ bool) {
		mu.Lock()
		defer mu.Unlock()
		if !s.decoder.Reads(topic) {
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

// list tries each with the source that it would have; the most frequent come
// first.
func (s *strays) list() []*stray {
	list := slices.SortedFunc(maps.Values(s.kinds), func(a, b *stray) int {
		return cmp.Or(b.Messages-a.Messages, strings.Compare(a.guess.Topic, b.guess.Topic), strings.Compare(a.guess.Profile, b.guess.Profile))
	})
	proposed := 0
	for _, g := range list {
		if g.guess.Profile != "" {
			proposed++
			g.try(fmt.Sprintf("new%d", proposed))
		}
	}
	return list
}

// try proposes a source and reads the last payload with it.
func (g *stray) try(name string) {
	m := decode.Message{Topic: g.Topic, Payload: g.payload, Received: g.received}
	if g.Source = g.guess.Propose(name, m); g.Source.Name == "" {
		g.guess.Profile = ""
		return
	}
	var out decode.Readings
	if _, err := trial([]decode.Source{g.Source}, m, &out); err != nil {
		g.Refused = err.Error()
		return
	}
	for _, r := range out.All() {
		for _, v := range r.Values {
			g.Says = append(g.Says, v.Register+"="+decimal(v.Value))
		}
	}
}

// sourceLine writes a proposed source as an entry of the configuration's.
func sourceLine(s *decode.Source) string {
	quoted := make([]string, len(s.Topics))
	for i, t := range s.Topics {
		quoted[i] = strconv.Quote(t)
	}
	line := fmt.Sprintf("- {name: %s, topics: [%s], profile: %s", s.Name, strings.Join(quoted, ", "), s.Profile)
	for _, k := range []struct{ key, value string }{{"zone", s.Zone}, {"meter", s.Meter}, {"utility", string(s.Utility)}} {
		if k.value != "" {
			line += fmt.Sprintf(", %s: %s", k.key, k.value)
		}
	}
	if s.JSON != nil {
		line += ", json: {}"
	}
	for _, r := range s.Registers {
		line += fmt.Sprintf(", registers: [{register: %s}]", r.Register)
	}
	return line + "}"
}

func proposedSources(w io.Writer, s *strays) error {
	var b strings.Builder
	if s.waiting > 0 {
		fmt.Fprintf(&b, "\n%s in quarantine as no_source, with a source by now: imdad quarantine replay --all --reason no_source\n", count(s.waiting, "message"))
	}
	topics := s.list()
	if len(topics) > 0 {
		fmt.Fprintf(&b, "\nno source reads %s of messages:\n", count(len(topics), "kind"))
	}
	proposed := false
	for _, g := range topics {
		fmt.Fprintf(&b, "\n%s, such as %s\n", count(g.Messages, "message"), printable(g.Topic))
		switch {
		case g.guess.Profile == "":
			fmt.Fprintf(&b, "  like no profile: %s\n", clipped(g.payload))
			continue
		case g.Refused != "":
			fmt.Fprintf(&b, "  like %s, which refuses the last one: %s\n  payload: %s\n", g.Source.Profile, printable(g.Refused), clipped(g.payload))
		case len(g.Says) == 0:
			fmt.Fprintf(&b, "  like %s, without a number in the last one: %s\n", g.Source.Profile, clipped(g.payload))
		default:
			fmt.Fprintf(&b, "  like %s; the last one says %s\n", g.Source.Profile, strings.Join(g.Says, " "))
		}
		fmt.Fprintf(&b, "  %s\n", sourceLine(&g.Source))
		proposed = true
	}
	if s.more > 0 {
		fmt.Fprintf(&b, "\n%s of further kinds; --filter looks at some topics alone\n", count(s.more, "message"))
	}
	if proposed {
		b.WriteString("\nPut the lines that you want under sources: in the configuration, with the id of your zone for ZONE, and of the meter for\n" +
			"METER; utility is a guess. Then: imdad check, a restart, and imdad quarantine replay --all --reason no_source.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// count writes a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// clipped is the beginning of a payload for people.
func clipped(payload []byte) string {
	const most = 200
	if len(payload) > most {
		return printable(string(payload[:most])) + "…"
	}
	return printable(string(payload))
}

func discoveryLines(w io.Writer, meters []proposal, s *strays) error {
	encoder := json.NewEncoder(w)
	for _, p := range meters {
		if err := encoder.Encode(struct {
			collector.Sighting
			At string `json:"at,omitempty"`
		}{p.Sighting, p.At}); err != nil {
			return err
		}
	}
	for _, g := range s.list() {
		line := strayJSON{NoSource: g.Topic, Messages: g.Messages, Profile: g.guess.Profile, Refused: g.Refused, Says: g.Says}
		if g.guess.Profile != "" {
			line.Source = sourceLine(&g.Source)
		}
		if err := encoder.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

// strayJSON is a kind of messages without a source, for scripts.
type strayJSON struct {
	NoSource string   `json:"no_source"` // the last topic
	Messages int      `json:"messages"`
	Profile  string   `json:"profile,omitempty"`
	Source   string   `json:"source,omitempty"` // a line for the configuration
	Refused  string   `json:"refused,omitempty"`
	Says     []string `json:"says,omitempty"`
}
