package judge

import (
	"time"

	"github.com/imdad-telemetry/imdad/cmd/imdad/internal/simulated"
	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/metersim"
)

// sourcesOf returns the sources that read the meters of a play.
func sourcesOf(plan *metersim.Plan) ([]decode.Source, error) {
	text, err := plan.SourcesYAML()
	if err != nil {
		return nil, err
	}
	return simulated.Sources(text)
}

// commands are what the stream tells the devices: Sparkplug nodes to be born
// again, Victron portals to go on.
func (c *court) commands() []metersim.Command {
	if c.now.Sub(c.asked) < time.Second {
		return nil
	}
	c.asked = c.now
	var list []metersim.Command
	for _, x := range c.stream.Commands(c.now.UnixMilli(), nil) {
		if !x.Announce {
			list = append(list, metersim.Command{Topic: x.Topic, Payload: x.Payload})
		}
	}
	return list
}
