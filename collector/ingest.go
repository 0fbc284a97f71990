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
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// atOnce is how many messages are added to a batch before the committer may
// look in again.
const atOnce = 256

// ingest turns queued messages into batches until the intake has closed and
// its queue is empty.
func (c *Collector) ingest() error {
	defer c.batches.close()
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
				c.take(b, &messages[i])
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
func (c *Collector) take(b *batch, m *mqtt.Message) {
	c.keeper.batch, c.keeper.message = b, m
	c.message = decode.Message{Topic: m.Topic, Payload: m.Payload, Retained: m.Retained, Received: m.Received}
	result, prints, err := c.stream.Take(&c.message, &c.keeper, b.Fingerprints)
	b.Fingerprints = prints
	switch {
	case err != nil:
		b.Ledger.MessagesQuarantined++
		b.Quarantine = append(b.Quarantine, entry(m, err))
		b.payload += len(m.Payload)
	case result == decode.Control:
		b.Ledger.MessagesControl++
	case result == decode.Ignored:
		b.Ledger.MessagesIgnored++
	default:
		b.Ledger.MessagesDecoded++
	}
}

// keeper puts what a message brings into the batch that is filling.
type keeper struct {
	collector *Collector
	batch     *batch
	message   *mqtt.Message
}

// Duplicate implements Keeper.
func (k *keeper) Duplicate(*meter.Reading) {
	k.batch.Ledger.ReadingsDecoded++
	k.batch.Ledger.ReadingsDuplicate++
}

// Keep implements Keeper.
func (k *keeper) Keep(r *meter.Reading, conflicting bool) {
	b := k.batch
	b.Ledger.ReadingsDecoded++
	if conflicting {
		b.Ledger.ReadingsConflicting++
	}
	b.Ledger.ReadingsSpooled++
	b.Lines = k.collector.encoder.append(b.Lines, r)
	b.LineCount++
}

// Remember implements Keeper.
func (k *keeper) Remember(s decode.Saved) {
	k.batch.State = append(k.batch.State, spool.State{Key: s.Key, Value: s.Value})
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

// encoder writes readings as line protocol. It remembers nothing of a meter: to
// write its tags anew takes no longer than to fetch 100 bytes of one among
// 100,000 from memory.
type encoder struct {
	registry *zone.Registry
	series   []byte // for reuse
}

// unregistered is the city of a zone that the registry does not know.
const unregistered = "unregistered"

// cityOf is the tag of the city that a zone lies in.
func cityOf(registry *zone.Registry, zoneID string) string {
	if city := registry.CityOf(zoneID); city != "" {
		return city
	}
	return unregistered
}

// use puts the registry in force: the city of a zone may have changed.
func (e *encoder) use(registry *zone.Registry) { e.registry = registry }

func (e *encoder) append(dst []byte, r *meter.Reading) []byte {
	s := r.Series
	e.series = influx.AppendSeries(e.series[:0], string(s.Utility), cityOf(e.registry, s.Zone), s.Zone, s.Meter)
	return influx.AppendReading(dst, e.series, r)
}
