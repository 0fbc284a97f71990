package collector

import (
	"fmt"
	"strings"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/mqtt"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// TestForeignMessages follows messages of other profiles into lines: converted,
// named, with the time of receipt where they have none, and stored once.
func TestForeignMessages(t *testing.T) {
	t.Parallel()
	registry, err := zone.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := ingesting(registry, []decode.Source{
		{Name: "lora", Topics: []string{"application/+/device/+/event/+"}, Profile: "chirpstack", Zone: "z", Utility: "water"},
		{Name: "values", Topics: []string{"plc/{meter}/{register}"}, Profile: "value", Zone: "z", Utility: "water"},
	}, 10)
	uplink := mqtt.Message{
		Topic:   "application/a/device/0101010101010101/event/up",
		Payload: fmt.Appendf(nil, `{"deduplicationId":"3ac7","time":%q,"fCnt":4,"object":{"volume_m3":12.5}}`, noon.Format("2006-01-02T15:04:05.000000000Z07:00")),
	}
	value := mqtt.Message{Topic: "plc/hall 7/flow_m3h", Payload: []byte("1.5")}
	kept := mqtt.Message{Topic: "plc/hall 7/flow_m3h", Payload: []byte("1.5"), Retained: true}
	b := takeAll(c, uplink, uplink, value, kept, mqtt.Message{Topic: "elsewhere", Payload: []byte("1")})
	want := strings.Join([]string{
		fmt.Sprintf("water,city=unregistered,meter=0101010101010101,zone=z volume_m3=12.5,quality=0i,seq=4i %d", noon.UnixMilli()),
		fmt.Sprintf("water,city=unregistered,meter=hall%%207,zone=z flow_m3h=1.5,quality=0i %d", noon.UnixMilli()),
	}, "\n") + "\n"
	if got := string(b.Lines); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if l := b.Ledger; l.ReadingsDuplicate != 1 || l.MessagesIgnored != 1 || l.MessagesQuarantined != 1 || b.Quarantine[0].Reason != string(decode.NoSource) {
		t.Errorf("ledger %+v, quarantine %+v", l, b.Quarantine)
	}
}
