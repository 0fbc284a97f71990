package collector

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/influx"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/mqtt"
	"github.com/imdad-telemetry/imdad/collector/spool"
	"github.com/imdad-telemetry/imdad/collector/vet"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// atOnce is how many messages are added to a batch before the committer may
// look in again.
const atOnce = 256

// ingest turns queued messages into batches until the intake has closed and
// its queue is empty.
func (c *Collector) ingest() error {
	defer c.batches.close()
	var out decode.Readings
	buf := make([]mqtt.Message, 0, atOnce)
	for {
		// The intake closes on its own when Run's context ends.
		messages, err := c.intake.Receive(context.Background(), buf)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("receive messages: %w", err)
		}
		c.encoder.use(c.registry.Load())
		filled := c.batches.fill(func(b *batch) {
			if len(b.messages) == 0 {
				b.oldest = messages[0].Received
			}
			for i := range messages {
				c.take(b, &messages[i], &out)
			}
			b.messages = append(b.messages, messages...)
		})
		if !filled {
			return nil // commit has failed and says why
		}
	}
}

// take puts what one message says into the batch: every message ends as one
// of the ledger's results.
func (c *Collector) take(b *batch, m *mqtt.Message, out *decode.Readings) {
	result, err := c.decoder.Decode(decode.Message{Topic: m.Topic, Payload: m.Payload, Retained: m.Retained, Received: m.Received}, out)
	switch {
	case err != nil:
		b.Ledger.MessagesQuarantined++
		b.Quarantine = append(b.Quarantine, entry(m, err))
		b.payload += len(m.Payload)
	case result == decode.Control:
		b.Ledger.MessagesControl++
		if g := out.Gateway(); g != nil {
			c.live.Gateway(g.Zone, g.ID, g.Online, m.Received)
		}
	case result == decode.Ignored, m.Retained && !clocksValid(out.All(), m.Received):
		b.Ledger.MessagesIgnored++
	default:
		b.Ledger.MessagesDecoded++
		for i := range out.All() {
			c.store(b, &out.All()[i], m.Received)
		}
	}
}

// clocksValid tells whether all readings have a time of their own that can be
// believed. A retained message without one could be of any age.
func clocksValid(readings []meter.Reading, received int64) bool {
	for i := range readings {
		if !vet.ClockValid(readings[i].Time, received) {
			return false
		}
	}
	return true
}

func (c *Collector) store(b *batch, r *meter.Reading, received int64) {
	b.Ledger.ReadingsDecoded++
	var verdict vet.Verdict
	verdict, b.Fingerprints = c.vetter.Check(r, received, b.Fingerprints)
	switch verdict {
	case vet.Duplicate:
		b.Ledger.ReadingsDuplicate++
		return
	case vet.Conflict:
		b.Ledger.ReadingsConflicting++
	}
	b.Ledger.ReadingsSpooled++
	b.Lines = c.encoder.append(b.Lines, r)
	b.LineCount++
	c.live.Update(r, received)
}

// entry is the quarantine entry for a message that decoding rejected.
func entry(m *mqtt.Message, err error) spool.Entry {
	e := spool.Entry{
		Kind: spool.KindMessage, Topic: m.Topic, Payload: m.Payload,
		QoS: m.QoS, Retained: m.Retained, Received: m.Received, Reason: "unknown", Detail: err.Error(),
	}
	var reject *decode.Reject
	if errors.As(err, &reject) {
		e.Reason, e.Detail = string(reject.Reason), reject.Detail
	}
	return e
}

// encoder writes readings as line protocol. It remembers the part of the line
// that a meter's readings share.
type encoder struct {
	registry *zone.Registry
	series   [][]byte // by Series.Index
}

// unregistered is the city of a zone that the registry does not know.
const unregistered = "unregistered"

// use puts the registry in force: the city of a zone may have changed.
func (e *encoder) use(registry *zone.Registry) {
	if e.registry != registry {
		e.registry, e.series = registry, nil
	}
}

func (e *encoder) append(dst []byte, r *meter.Reading) []byte {
	s := r.Series
	for len(e.series) <= s.Index {
		e.series = append(e.series, nil)
	}
	if e.series[s.Index] == nil {
		city := e.registry.CityOf(s.Zone)
		if city == "" {
			city = unregistered
		}
		e.series[s.Index] = influx.AppendSeries(nil, string(s.Utility), city, s.Zone, s.Meter)
	}
	return influx.AppendReading(dst, e.series[s.Index], r)
}
