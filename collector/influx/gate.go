package influx

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Status is the writer's health, for people and for readiness.
type Status struct {
	Degraded bool
	Since    time.Time // of the first failure; zero when not degraded
	Cause    string    // what is wrong now, in the words of whoever said it
}

// gate is open while lines go to the database. After a failure one worker
// holds it shut and probes; it is the only one that opens it again. The zero
// gate is open.
type gate struct {
	logger zerolog.Logger

	mu     sync.Mutex
	opened chan struct{} // closed when the gate opens; nil while it is open
	since  time.Time
	cause  string
}

// shut shuts the gate and returns true, which obliges the caller to open it;
// or returns false, since somebody else has shut it.
func (g *gate) shut(cause string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened != nil {
		return false
	}
	g.opened, g.since, g.cause = make(chan struct{}), time.Now(), cause
	g.logger.Warn().Str("cause", cause).Msg("writing to InfluxDB is held up")
	return true
}

// says replaces the cause of a gate that the caller has shut.
func (g *gate) says(cause string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cause == cause {
		return
	}
	g.cause = cause
	g.logger.Warn().Str("cause", cause).Time("since", g.since).Msg("writing to InfluxDB is still held up")
}

// open opens a gate that the caller has shut. At the end of ctx it only lets
// the others go.
func (g *gate) open(ctx context.Context) {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.opened)
	g.opened = nil
	if ctx.Err() == nil {
		g.logger.Info().Dur("after", time.Since(g.since)).Msg("writing to InfluxDB goes on")
	}
}

// wait blocks while the gate is shut. Its error means that ctx has ended.
func (g *gate) wait(ctx context.Context) error {
	for ctx.Err() == nil {
		g.mu.Lock()
		opened := g.opened
		g.mu.Unlock()
		if opened == nil {
			return nil
		}
		select {
		case <-opened:
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

func (g *gate) status() Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened == nil {
		return Status{}
	}
	return Status{Degraded: true, Since: g.since, Cause: g.cause}
}

// pause is the time between two attempts of a probe: it doubles from first to
// most, and half of it is random, so that many collectors do not beat in time.
type pause struct {
	first, most time.Duration
	mostAsked   time.Duration // bounds what a server may ask for with Retry-After
}

var defaultPause = pause{first: 100 * time.Millisecond, most: 5 * time.Second, mostAsked: 5 * time.Minute}

// length returns the pause after the given number of failed attempts, never
// less than the server asked for.
func (p pause) length(attempt int, asked time.Duration) time.Duration {
	d := p.most
	if attempt < 16 { // 2^16 × first is beyond any most
		d = min(p.first<<attempt, p.most)
	}
	d = d/2 + rand.N(d/2+1)
	return max(d, min(asked, p.mostAsked))
}

// wait pauses. Its error means that ctx has ended.
func (p pause) wait(ctx context.Context, attempt int, asked time.Duration) error {
	timer := time.NewTimer(p.length(attempt, asked))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
