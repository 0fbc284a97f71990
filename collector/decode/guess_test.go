package decode_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/meter"
)

const (
	tasmotaSays  = `{"Time":"2026-11-23T08:15:00","ENERGY":{"Power":5}}`
	shellySays   = `{"src":"em-12","dst":"em-12/events","method":"NotifyStatus","params":{"ts":1795421700.5,"em:0":{"id":0,"total_act_power":431.2}}}`
	tasmotaWants = "tasmota zone=ZONE tele/{meter}/SENSOR tele/{meter}/STATE tele/{meter}/LWT stat/{meter}/STATUS8 stat/{meter}/STATUS10"
	shellyWants  = "{meter}/events/rpc {meter}/status/+ {meter}/online"
)

// TestGuess has what a source for a message of each kind would be. Every
// proposed one is valid, and reads the message.
func TestGuess(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, topic, payload, want string }{
		{"native", "imdad/v1/z/water/m", `{"ts":1795421700000,"values":{"flow_m3h":1}}`, "imdad imdad/v1/#"},
		{"tasmota", "tele/plug/SENSOR", tasmotaSays, tasmotaWants},
		{"tasmota's will", "tele/plug/LWT", "Online", tasmotaWants},
		{"tasmota in the other order", "plug/tele/SENSOR", tasmotaSays, "tasmota zone=ZONE {meter}/tele/SENSOR {meter}/tele/STATE {meter}/tele/LWT {meter}/stat/STATUS8 {meter}/stat/STATUS10"},
		{"shelly", "em-12/events/rpc", shellySays, "shelly zone=ZONE " + shellyWants},
		{"shelly with a prefix", "hall/em-12/events/rpc", shellySays, "shelly zone=ZONE +/{meter}/events/rpc +/{meter}/status/+ +/{meter}/online"},
		{"shelly's status", "em-12/status/em:0", `{"id":0, "total_act_power": 431.2}`, "shelly zone=ZONE " + shellyWants},
		{"shelly's counters", "em-12/status/emdata:0", `{"id":0,"total_act_energy":431.2}`, "shelly zone=ZONE " + shellyWants},
		{"somebody's status", "a/status/b", `{"flow_m3h":1}`, "json zone=ZONE utility=water json a/status/{meter}"},
		{"chirpstack", "application/1/device/0102030405060708/event/up", `{"time":"2026-11-23T08:15:00Z","deviceInfo":{"devEui":"0102030405060708"},"object":{"flow_m3h":2}}`,
			"chirpstack zone=ZONE utility=water application/+/device/{meter}/event/+"},
		{"chirpstack elsewhere", "lora/up", `{"deduplicationId":"x","time":"2026-11-23T08:15:00Z","deviceInfo":{"devEui":"0102030405060708"},"object":{"flow_m3h":2}}`,
			"chirpstack zone=ZONE utility=water +/up"},
		{"ttn", "v3/app@ttn/devices/d/up", `{"received_at":"2026-11-23T08:15:00Z","uplink_message":{"decoded_payload":{"level_mm":5}}}`, "ttn zone=ZONE utility=fuel v3/+/devices/{meter}/up"},
		{"ttn elsewhere", "bridge/ttn", `{"end_device_ids":{"device_id":"d"},"received_at":"2026-11-23T08:15:00Z","uplink_message":{"f_port":1,"decoded_payload":{"x":5}}}`,
			"json zone=ZONE utility=electricity json bridge/{meter}"},
		{"thingsboard gateway", "v1/gateway/telemetry", `{"Device A":[{"ts":1795421700000,"values":{"power_kw":5}}]}`, "thingsboard zone=ZONE utility=electricity v1/gateway/telemetry"},
		{"thingsboard device", "v1/devices/me/telemetry", `{"power_kw":5}`, "thingsboard zone=ZONE meter=METER utility=electricity v1/devices/me/telemetry"},
		{"thingsboard device behind a prefix", "p4/v1/devices/me/telemetry", `{"press_bar":5}`, "thingsboard zone=ZONE utility=water {meter}/v1/devices/me/telemetry"},
		{"wmbusmeters", "water/1", `{"_":"telegram","media":"cold water","id":"00123456","total_m3":5,"timestamp":"2026-11-23T08:15:00Z"}`, "wmbusmeters zone=ZONE water/+"},
		{"wmbusmeters before the extra key", "water/1", `{"media":"cold water","meter":"multical21","id":"00123456","total_m3":5,"timestamp":"2026-11-23T08:15:00Z"}`, "wmbusmeters zone=ZONE water/+"},
		{"zigbee2mqtt", "zigbee2mqtt/hall 1/plug", `{"power":5}`, "zigbee2mqtt zone=ZONE zigbee2mqtt/{meter#}"},
		{"zigbee2mqtt elsewhere", "z/a", `{"power": 5, "linkquality": 80}`, "zigbee2mqtt zone=ZONE z/+"},
		{"dsmr", "dsmr/reading/electricity_delivered_1", `1234.5`, "dsmr zone=ZONE meter=METER dsmr/#"},
		{"dsmr elsewhere", "p1/hall-7", `{"timestamp":"2026-11-23T08:15:00Z","electricity_delivered_1":5}`, "dsmr zone=ZONE p1/{meter}"},
		{"victron", "N/c0619ab/grid/30/Ac/Power", `{"value":5}`, "victron zone=ZONE N/+/#"},
		{"senml", "s", `[{"bn":"urn:dev:x:","n":"volume","u":"m3","v":5}]`, "senml zone=ZONE utility=water s"},
		{"senml with its name in one piece", "packs/gw7", `[{"n":"t","u":"W","v":5}]`, "senml zone=ZONE utility=electricity packs/+"},
		{"senml in cbor", "s/1", "\x81\xa3\x21\x66dev:x:\x00\x61\x74\x02\x05", "senml zone=ZONE utility=electricity s/+"},
		{"a number", "a/volume_m3", " -12.5 ", "value zone=ZONE meter=METER utility=water a/{register}"},
		{"a number below a meter", "plc/hall/m1/power_kw", "12.5", "value zone=ZONE utility=electricity plc/hall/{meter}/{register}"},
		{"a number at the top", "level", "12.5", "value zone=ZONE meter=METER utility=electricity value=? level"},
		{"other JSON", "a/b", `{"flow":{"l_min":5}}`, "json zone=ZONE utility=electricity json a/{meter}"},
		{"other JSON, the device before", "a/b/sensor", `{"flow_m3h":5}`, "json zone=ZONE utility=water json a/{meter}/sensor"},
		{"other JSON at the top", "b", `{"x":5}`, "json zone=ZONE meter=METER utility=electricity json b"},
		{"a text", "a/b", `hello`, ""},
		{"nothing", "a/b", ``, ""},
		{"rubbish", "a/b", "\xff\x00", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g, ok := decode.GuessProfile(tt.topic, []byte(tt.payload))
			if !ok {
				if tt.want != "" {
					t.Errorf("like nothing, want %s", tt.want)
				}
				return
			}
			m := decode.Message{Topic: tt.topic, Payload: []byte(tt.payload), Received: 1795421700000}
			s := g.Propose("new", m)
			if got := brief(s); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if errs := s.Validate(); len(errs) > 0 {
				t.Errorf("%v", errs)
			}
			var out decode.Readings
			if _, err := decode.New([]decode.Source{s}, meter.NewCatalog(100)).Decode(m, &out); err != nil || len(out.All()) == 0 && tt.payload != "Online" {
				t.Errorf("%v, %d readings", err, len(out.All()))
			}
		})
	}
}

func brief(s decode.Source) string {
	words := []string{s.Profile}
	for _, k := range []struct{ key, value string }{{"zone", s.Zone}, {"meter", s.Meter}, {"utility", string(s.Utility)}} {
		if k.value != "" {
			words = append(words, k.key+"="+k.value)
		}
	}
	if s.JSON != nil {
		words = append(words, "json")
	}
	for _, r := range s.Registers {
		words = append(words, fmt.Sprintf("%s=?", r.Register))
	}
	return strings.Join(append(words, s.Topics...), " ")
}
