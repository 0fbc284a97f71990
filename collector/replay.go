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

// ErrTimeless is returned for a retained message that has no time of its own
// that can be believed. It could be of any age, so nothing of it is stored.
var ErrTimeless = errors.New("retained, and without a time that can be believed; it can be shown or dropped")

// Replayer tries quarantined entries again, under the configuration it is
// given, beside a running collector or without one. It is not safe for
// concurrent use.
type Replayer struct {
	spool   *spool.Spool
	decoder *decode.Decoder
	vetter  *vet.Vetter
	encoder encoder
}

// NewReplayer returns a replayer for entries of the spool. It knows the births
// that the collector has kept there.
func NewReplayer(ctx context.Context, s *spool.Spool, sources []decode.Source, registry *zone.Registry) (*Replayer, error) {
	r := &Replayer{
		spool: s, decoder: decode.New(sources, meter.NewCatalog(MaxMeters)), vetter: vet.New(registry),
		encoder: encoder{registry: registry},
	}
	err := s.States(ctx, func(kept spool.State) error { return r.decoder.Restore(kept.Key, kept.Value) })
	if err != nil {
		return nil, fmt.Errorf("load what devices have said at their birth: %w", err)
	}
	return r, nil
}

// Replay puts what the entry says on its way to the database and removes it
// from quarantine, in one transaction. A message that is rejected again stays:
// the error is then a *decode.Reject, ErrTruncated or ErrTimeless.
func (r *Replayer) Replay(ctx context.Context, id int64) (lines int, err error) {
	tried, err := r.Try(ctx, id)
	if err != nil {
		return 0, err
	}
	b := &spool.Batch{Origin: spool.Replay}
	if tried.Entry.Kind == spool.KindLine {
		b.Lines, b.LineCount = append(bytes.TrimRight(tried.Entry.Payload, "\n"), '\n'), 1
	}
	for i := range tried.Readings {
		b.Lines = r.encoder.append(b.Lines, &tried.Readings[i])
		b.LineCount++
	}
	return b.LineCount, r.spool.Replay(ctx, id, b)
}

// Tried is what would be stored of an entry: a line as it stands, or the
// readings of a message. The readings are valid until the next call.
type Tried struct {
	Entry    spool.Entry
	Readings []meter.Reading
}

// Try does what Replay does, but for storing anything. Its errors are the same.
func (r *Replayer) Try(ctx context.Context, id int64) (Tried, error) {
	e, err := r.spool.Get(ctx, id)
	if err != nil {
		return Tried{}, err
	}
	t := Tried{Entry: e}
	switch {
	case e.Truncated():
		err = ErrTruncated
	case e.Kind == spool.KindMessage:
		t.Readings, err = r.decode(&e)
	}
	if err != nil {
		return Tried{}, fmt.Errorf("quarantine entry %d: %w", id, err)
	}
	return t, nil
}

// decode reads the message as if it arrived now, and judges its time by when
// it did arrive. Vetting sets times and qualities only: whoever replays an
// entry wants it stored, and twice the same is one point in the database.
func (r *Replayer) decode(e *spool.Entry) ([]meter.Reading, error) {
	var out decode.Readings
	result, err := r.decoder.Decode(decode.Message{Topic: e.Topic, Payload: e.Payload, Retained: e.Retained, Received: e.Received}, &out)
	if err != nil {
		return nil, err
	}
	if result == decode.Ignored || e.Retained && !clocksValid(out.All(), e.Received) {
		return nil, ErrTimeless
	}
	for i := range out.All() {
		r.vetter.Check(&out.All()[i], e.Received, nil)
	}
	return out.All(), nil
}
