package decode_test

import (
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
)

// FuzzGuess holds that whatever is proposed for a message is a valid source.
func FuzzGuess(f *testing.F) {
	for _, seed := range []struct{ topic, payload string }{
		{"tele/plug/SENSOR", tasmotaSays},
		{"em-12/events/rpc", shellySays},
		{"imdad/v1/z/water/m", `{"ts":1795421700000,"values":{"flow_m3h":1}}`},
		{"spBv1.0/g/NDATA/n", "\x08\x01"},
		{"s/1", "\x81\xa3\x21\x66dev:x:\x00\x61\x74\x02\x05"},
		{"plc/hall/m1/power_kw", "12.5"},
		{"level", "1"},
		{"a/b/sensor", `{"flow_m3h":5}`},
	} {
		f.Add(seed.topic, []byte(seed.payload))
	}
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		g, ok := decode.GuessProfile(topic, payload)
		if !ok {
			return
		}
		s := g.Propose("new", decode.Message{Topic: topic, Payload: payload, Received: 1795421700000})
		if errs := s.Validate(); s.Name != "" && len(errs) > 0 {
			t.Errorf("%+v: %v", s, errs)
		}
	})
}
