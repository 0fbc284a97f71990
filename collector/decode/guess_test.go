package decode_test

import (
	"slices"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
)

func TestGuessProfile(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, topic, payload, profile, filter string }{
		{"native", "imdad/v1/z/water/m/x", `{}`, "imdad", "imdad/v1/#"},
		{"sparkplug", "spBv1.0/g/DDATA/n/d", "\x08\x01", "sparkplug-b", "spBv1.0/#"},
		{"tasmota by topic", "tele/plug/SENSOR", `{}`, "tasmota", "tele/+/SENSOR"},
		{"tasmota elsewhere", "hall/plug/sensor", `{"Time":"2026-11-23T08:15:00","ENERGY":{"Power":5}}`, "tasmota", "hall/plug/+"},
		{"shelly by topic", "shellypro3em-1/events/rpc", `{}`, "shelly", "+/events/rpc"},
		{"shelly by words", "a/b/c/d", `{"src":"x","dst":"y","method":"NotifyStatus","params":{}}`, "shelly", "a/b/c/+"},
		{"chirpstack", "application/1/device/0102030405060708/event/up", `{}`, "chirpstack", "application/+/device/+/event/+"},
		{"ttn", "v3/app@ttn/devices/d/up", `{}`, "ttn", "v3/+/devices/+/up"},
		{"ttn elsewhere", "bridge/ttn", `{"end_device_ids":{},"uplink_message":{}}`, "ttn", "bridge/+"},
		{"thingsboard", "v1/gateway/telemetry", `{}`, "thingsboard", "v1/gateway/telemetry"},
		{"wmbusmeters", "water/1", `{"_":"telegram","id":"01"}`, "wmbusmeters", "water/+"},
		{"wmbusmeters before the extra key", "water/1", `{"media":"cold water","meter":"multical21","id":"01","timestamp":"x"}`, "wmbusmeters", "water/+"},
		{"zigbee2mqtt", "zigbee2mqtt/a/b", `{}`, "zigbee2mqtt", "zigbee2mqtt/#"},
		{"zigbee2mqtt elsewhere", "z/a", `{"power": 5, "linkquality": 80}`, "zigbee2mqtt", "z/+"},
		{"dsmr", "dsmr/reading/timestamp", `x`, "dsmr", "dsmr/#"},
		{"victron", "N/c0619ab/grid/30/Ac/Power", `{"value":5}`, "victron", "N/+/+/+/#"},
		{"senml", "s", `[{"bn":"urn:dev:x","n":"t","v":5}]`, "senml", "s"},
		{"senml in cbor", "s/1", "\x81\xa2\x00\x61\x74\x02\x05", "senml", "s/+"},
		{"a number", "a/b", " -12.5 ", "value", "a/+"},
		{"other JSON", "a/b", `{"flow":{"l_min":5}}`, "json", "a/+"},
		{"a text", "a/b", `hello`, "", ""},
		{"nothing", "a/b", ``, "", ""},
		{"rubbish", "a/b", "\xff\x00", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g, ok := decode.GuessProfile(tt.topic, []byte(tt.payload))
			if g.Profile != tt.profile || g.Topic != tt.filter || ok != (tt.profile != "") {
				t.Errorf("%+v, %v", g, ok)
			}
			if ok && !slices.Contains(decode.Profiles(), g.Profile) {
				t.Errorf("there is no profile %s", g.Profile)
			}
		})
	}
}
