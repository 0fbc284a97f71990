package collector

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/imdad-telemetry/imdad/collector/influx"
	"github.com/imdad-telemetry/imdad/collector/live"
	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/spool"
	"github.com/imdad-telemetry/imdad/collector/vet"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// The derived series has a point a minute of the collector's clock, which may
// be faster than ours: it is looked at every lookEvery. The state is saved
// every saveLeast to saveMost of our time, and for 1/saveShare of it at most: a
// city's often, a country's seldom. It is what a crash costs of it.
const (
	deriveEvery = time.Minute
	saveLeast   = 10 * time.Second
	saveMost    = time.Minute
	saveShare   = 200
	blocksEvery = time.Second
	lookEvery   = 50 * time.Millisecond
)

// derive spools the supply of each minute as it begins and the blocks that
// counters have ended, and saves the state, until ctx ends.
func (c *Collector) derive(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	last, save, blocks := c.now().Truncate(deriveEvery), time.Now().Add(saveLeast), time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if minute := c.now().Truncate(deriveEvery); !minute.Equal(last) {
			last = minute
			c.spoolSupply(ctx, minute)
			c.spoolTanks(ctx)
		}
		if time.Since(blocks) >= blocksEvery {
			blocks = time.Now()
			if err := c.spoolBlocks(ctx); err != nil {
				c.deferred.Warn().Err(err).Int("blocks", len(c.blocks)).Msg("blocks of consumption wait for the spool")
			}
		}
		if begun := time.Now(); begun.After(save) {
			c.saveState(ctx, runningName)
			took := time.Since(begun)
			save = time.Now().Add(min(max(saveLeast, saveShare*took), saveMost))
		}
	}
}

// spoolSupply stores the supply as of a minute. What the spool refuses is let
// go: readings need the room more, and it can be worked out from them again.
func (c *Collector) spoolSupply(ctx context.Context, minute time.Time) {
	b := spool.Batch{Origin: spool.Derived, Lines: c.derived[:0]}
	c.live.EachPoint(func(p *live.Point) {
		var ok bool
		if b.Lines, ok = influx.AppendSupply(b.Lines, supplyPoint(p, minute)); ok {
			b.LineCount++
		}
	})
	c.derived = b.Lines
	if b.LineCount == 0 {
		return
	}
	if err := c.spool.Append(ctx, &b); err != nil && ctx.Err() == nil {
		c.deferred.Warn().Err(err).Time("minute", minute).Int("lines", b.LineCount).Msg("the derived series has a gap")
	}
}

func supplyPoint(p *live.Point, at time.Time) *influx.SupplyPoint {
	finite := func(v snapshot.Value) float64 {
		if math.IsInf(float64(v), 0) {
			return math.NaN()
		}
		return float64(v)
	}
	return &influx.SupplyPoint{
		City: p.City, Zone: p.Zone, Feeder: p.Feeder, Plant: p.Plant, Utility: string(p.Utility), Time: at.UnixMilli(),
		Required: finite(p.Required), Delivered: finite(p.Delivered), ShortfallRatio: finite(p.Shortfall),
		AdequacyRatio: finite(p.Adequacy), CoverHours: finite(p.Cover),
	}
}

// spoolBlocks stores what counters have counted in the blocks that ended or
// changed. What the spool refuses waits; meanwhile little more comes, since
// readings wait as well.
func (c *Collector) spoolBlocks(ctx context.Context) error {
	if c.blocks = c.stream.Blocks(c.blocks); len(c.blocks) == 0 {
		return nil
	}
	registry := c.registry.Load()
	b := spool.Batch{Origin: spool.Derived, Lines: c.derived[:0], LineCount: len(c.blocks)}
	for i := range c.blocks {
		b.Lines = influx.AppendConsumption(b.Lines, consumptionPoint(registry, &c.blocks[i]))
	}
	c.derived = b.Lines
	if err := c.spool.Append(ctx, &b); err != nil {
		return fmt.Errorf("store blocks of consumption: %w", err)
	}
	c.blocks = c.blocks[:0]
	return nil
}

func consumptionPoint(registry *zone.Registry, i *vet.Interval) *influx.ConsumptionPoint {
	return &influx.ConsumptionPoint{
		City: cityOf(registry, i.Series.Zone), Zone: i.Series.Zone, Meter: i.Series.Meter,
		Utility: string(i.Series.Utility), Register: i.Register, Time: i.Start,
		Amount: i.Amount, Total: i.Total, Raw: i.Raw, Quality: int(i.Quality), Reason: i.Reason,
	}
}

// spoolTanks stores the deliveries and draw-offs that have ended. As with the
// supply, what the spool refuses is let go.
func (c *Collector) spoolTanks(ctx context.Context) {
	b := spool.Batch{Origin: spool.Derived}
	c.live.TankEvents(func(e *live.TankEvent) {
		b.Lines = influx.AppendTank(b.Lines, &influx.TankPoint{
			City: e.City, Zone: e.Zone, Tank: e.Tank, Kind: e.Kind, Time: e.Start, End: e.End, VolumeL: e.VolumeL,
		})
		b.LineCount++
	})
	if b.LineCount == 0 {
		return
	}
	if err := c.spool.Append(ctx, &b); err != nil {
		c.log.Warn().Err(err).Int("events", b.LineCount).Msg("deliveries and draw-offs of tanks are not stored")
	}
}

// StoreAlarms puts transitions of alarms on their way to the database, all or
// none; once it returns they are on disk. Points of one alarm and one time
// would overwrite each other there, so later ones are put a millisecond on.
func (c *Collector) StoreAlarms(ctx context.Context, points []influx.AlarmPoint) error {
	if len(points) == 0 {
		return nil
	}
	b := spool.Batch{Origin: spool.Alarm, LineCount: len(points)}
	taken := make(map[influx.AlarmPoint]bool, len(points))
	for _, p := range points {
		at := influx.AlarmPoint{City: p.City, Zone: p.Zone, Kind: p.Kind, Object: p.Object, Time: p.Time}
		for taken[at] {
			at.Time++
		}
		taken[at] = true
		p.Time = at.Time
		b.Lines = influx.AppendAlarm(b.Lines, &p)
	}
	if err := c.spool.Append(ctx, &b); err != nil {
		return fmt.Errorf("store %d transitions of alarms: %w", len(points), err)
	}
	return nil
}
