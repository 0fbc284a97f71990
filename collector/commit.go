package collector

import (
	"context"
	"fmt"
	"time"
)

// A batch that the spool refuses is tried again this often, and after the end
// of Run for at most the grace period.
const (
	commitRetry = 200 * time.Millisecond
	commitGrace = 5 * time.Second
)

// commit stores batches and acknowledges their messages until ingest has
// closed.
func (c *Collector) commit(running context.Context) error {
	giveUp, cancel := context.WithCancel(context.WithoutCancel(running))
	defer cancel()
	defer context.AfterFunc(running, func() { time.AfterFunc(commitGrace, cancel) })()
	for {
		b := c.batches.take()
		if b == nil {
			return nil
		}
		b.Ledger.MessagesDropped += c.intake.TakeDropped()
		if err := c.append(giveUp, b); err != nil {
			c.batches.close()
			return err
		}
		c.intake.Done(b.messages)
		c.sizes.Observe(float64(len(b.messages)))
		c.lag.Observe(float64(c.now().UnixMilli()-b.oldest) / 1000)
		c.batches.giveBack(b)
	}
}

// append stores the batch, however long that takes. If it must give up, the
// broker still has the messages.
func (c *Collector) append(giveUp context.Context, b *batch) error {
	for {
		err := c.spool.Append(giveUp, &b.Batch)
		if err == nil {
			return nil
		}
		c.deferred.Error().Err(err).Int("messages", len(b.messages)).
			Msg("the spool refuses; nothing is acknowledged until it accepts")
		select {
		case <-time.After(commitRetry):
		case <-giveUp.Done():
			return fmt.Errorf("store the last %d messages, which the broker keeps: %w", len(b.messages), err)
		}
	}
}
