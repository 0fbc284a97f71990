package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/spool"
	"github.com/imdad-telemetry/imdad/collector/vet"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// ErrTruncated is returned for an entry of which only the start was kept.
var ErrTruncated = errors.New("only the start of the payload was kept; it can be shown or dropped")

// Replayer tries quarantined entries again, under the configuration it is
// given, beside a running collector or without one.
type Replayer struct {
	spool    *spool.Spool
	sources  []decode.Source
	registry *zone.Registry
}

// NewReplayer returns a replayer for entries of the spool.
func NewReplayer(s *spool.Spool, sources []decode.Source, registry *zone.Registry) *Replayer {
	return &Replayer{spool: s, sources: sources, registry: registry}
}

// Replay puts what the entry says on its way to the database and removes it
// from quarantine, in one transaction. A message that is rejected again stays;
// the error is then a *decode.Reject.
func (r *Replayer) Replay(ctx context.Context, id int64) (lines int, err error) {
	e, err := r.spool.Get(ctx, id)
	if err != nil {
		return 0, err
	}
	if e.Truncated() {
		return 0, fmt.Errorf("quarantine entry %d: %w", id, ErrTruncated)
	}
	b := &spool.Batch{Origin: spool.Replay}
	if e.Kind == spool.KindLine {
		b.Lines, b.LineCount = append(bytes.TrimRight(e.Payload, "\n"), '\n'), 1
	} else if err := r.decode(&e, b); err != nil {
		return 0, fmt.Errorf("quarantine entry %d: %w", id, err)
	}
	return b.LineCount, r.spool.Replay(ctx, id, b)
}

// decode reads the message as if it arrived now, and judges its time by when
// it did arrive. Each entry gets a decoder and a vetter of its own: a replay
// is rare, and must not take its neighbour for a duplicate.
func (r *Replayer) decode(e *spool.Entry, b *spool.Batch) error {
	var out decode.Readings
	decoder := decode.New(r.sources, meter.NewCatalog(MaxMeters))
	_, err := decoder.Decode(decode.Message{Topic: e.Topic, Payload: e.Payload, Retained: e.Retained}, &out)
	if err != nil {
		return err
	}
	vetter := vet.New()
	encoder := encoder{registry: r.registry}
	for i := range out.All() {
		reading := &out.All()[i]
		vetter.Check(reading, e.Received, nil)
		b.Lines = encoder.append(b.Lines, reading)
		b.LineCount++
	}
	return nil
}
