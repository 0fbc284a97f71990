package collector

import (
	"context"
	"time"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/mqtt"
)

// converse tells devices what they need to hear to go on speaking, once in a
// second of the collector's clock, until ctx ends. What cannot be sent now is
// due again later.
func (c *Collector) converse(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var due []decode.Command
	last := int64(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := c.now()
		if now.Unix() == last {
			continue
		}
		last = now.Unix()
		due = c.stream.Commands(now.UnixMilli(), due[:0])
		for _, command := range due {
			if command.Announce {
				c.intake.Announce()
				continue
			}
			sent := c.intake.Publish(command.Topic, command.Payload)
			c.commands.WithLabelValues(result(sent)).Inc()
		}
	}
}

func result(sent bool) string {
	if sent {
		return "sent"
	}
	return "dropped"
}

// presence is the STATE of the Sparkplug host that the sources make us; nil if
// they do not.
func presence(sources []decode.Source) *mqtt.Presence {
	for _, s := range sources {
		if s.Host != "" {
			return &mqtt.Presence{Topic: decode.HostTopic(s.Host), Online: decode.HostBirth, Offline: decode.HostDeath}
		}
	}
	return nil
}
