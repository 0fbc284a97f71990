package collector

import (
	"context"
	"time"

	"github.com/imdad-telemetry/imdad/collector/influx"
	"github.com/imdad-telemetry/imdad/collector/spool"
)

// delivery shows the spool to the database writer as its log.
type delivery struct{ spool *spool.Spool }

func (d delivery) Next(ctx context.Context, maxLines int, linger time.Duration) (influx.Chunk, error) {
	c, err := d.spool.Next(ctx, spool.Sink, maxLines, linger)
	return influx.Chunk(c), err
}

func (d delivery) Done(ctx context.Context, c influx.Chunk, refused []influx.Refused) error {
	entries := make([]spool.Entry, len(refused))
	for i, r := range refused {
		entries[i] = spool.Entry{Kind: spool.KindLine, Payload: r.Line, Reason: r.Reason, Detail: r.Detail}
	}
	return d.spool.Done(ctx, spool.Sink, spool.Chunk(c), entries)
}
