package influx

import (
	"context"
	"time"
)

// Log is the durable log that the writer empties. Its methods are called from
// several goroutines at once.
type Log interface {
	// Next blocks until there are lines that no earlier Next has handed out,
	// and returns a run of them: as soon as there are maxLines, or when the
	// oldest has waited for linger. It returns ctx's error when ctx ends.
	Next(ctx context.Context, maxLines int, linger time.Duration) (Chunk, error)

	// Done tells the log that every line of the chunk is settled: the refused
	// ones go to quarantine, the others are in the database. Chunks are done
	// in any order; the log moves its cursor over the unbroken front. A chunk
	// that is never done comes again after a restart.
	Done(ctx context.Context, c Chunk, refused []Refused) error
}

// Chunk is a run of encoded lines from the log.
type Chunk struct {
	First, Last int64 // the log's own positions, not interpreted here
	Round       int   // likewise
	// Lines is line protocol, each line ended by a newline. It must never be
	// written to again, not even after Done: it is sent without a copy, and
	// the connection of a request that was given up may still be reading.
	Lines []byte
	Count int // number of lines
}

// Refused is a line that the database will never take.
type Refused struct {
	Line   []byte // without the newline; part of the chunk's Lines
	Reason string // reason code of the quarantine: ReasonRefused
	Detail string // the database's words
}

// ReasonRefused is the reason code of every line that InfluxDB refused.
const ReasonRefused = "refused"
