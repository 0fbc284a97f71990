package decode_test

import (
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/meter"
)

// What is known of a meter between its messages is kept for those alone that
// send what has changed, from their first reading on, whole or not.
func TestByException(t *testing.T) {
	t.Parallel()
	native := decode.Source{Name: "native", Topics: []string{"imdad/v1/#"}, Profile: "imdad"}
	tests := []struct {
		name           string
		source         decode.Source
		topic, payload string
		want           bool
	}{
		{"imdad", native, "imdad/v1/z/electricity/e1", `{"ts":1795421700000,"values":{"active_power_kw":1}}`, false},
		{"shelly, everything", shellySource, "d/events/rpc", `{"method":"NotifyFullStatus","params":{"ts":1675072985,"em:0":{"id":0,"b_act_power":250.5}}}`, true},
		{"shelly, what changed", shellySource, "d/events/rpc", `{"method":"NotifyStatus","params":{"ts":1675072985,"em:0":{"id":0,"b_act_power":250.5}}}`, true},
		{"sparkplug, a birth", sparkplugSource, "spBv1.0/g/NBIRTH/n", string(encode(t, nbirth(nodeX))), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := decode.New([]decode.Source{tt.source}, meter.NewCatalog(10))
			var out decode.Readings
			if _, err := d.Decode(decode.Message{Topic: tt.topic, Payload: []byte(tt.payload), Received: arrived}, &out); err != nil {
				t.Fatal(err)
			}
			for i := range out.All() {
				if got := out.All()[i].ByException; got != tt.want {
					t.Errorf("reading %d: by exception %t, want %t", i, got, tt.want)
				}
			}
			if len(out.All()) == 0 {
				t.Error("no readings")
			}
		})
	}
}
