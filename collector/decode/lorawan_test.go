package decode_test

import (
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/meter"
)

var chirpstackSource = decode.Source{
	Name: "cs", Topics: []string{"application/+/device/+/event/+"}, Profile: "chirpstack", Zone: "sn-z1", Utility: "water",
	Registers: []decode.Register{{Path: "object.pulses", Register: "volume_m3", Unit: "l", Scale: 10}, {Path: "battery", Register: "battery_pct"}},
}

const (
	csTopic = "application/17c82e96-be03-4f38-aef3-f83d48582d97/device/0101010101010101/event/up"
	csHead  = `{"deduplicationId":"3ac7e3c4-4401-4b8d-9386-a5c902f9202d","time":"2022-07-18T09:34:15.775023242+00:00","deviceInfo":{"tenantId":"52f14cd4-c6f1-4fbd-8f87-4025e1d49242","tenantName":"ChirpStack","applicationId":"17c82e96-be03-4f38-aef3-f83d48582d97","applicationName":"Test application","deviceProfileId":"14855bf7-d10d-4aee-b618-ebfcb64dc7ad","deviceProfileName":"Test device-profile","deviceName":"Test device","devEui":"0101010101010101","tags":{"key":"value"}},"devAddr":"00189440",`
	csTail  = `"rxInfo":[{"gatewayId":"0016c001f153a14c","uplinkId":4217106255,"rssi":-36,"snr":10.5,"context":"E3OWOQ==","metadata":{"region_name":"eu868"}}],"txInfo":{"frequency":867100000,"modulation":{"lora":{"bandwidth":125000,"spreadingFactor":11,"codeRate":"CR_4_5"}}}}`
)

// Payloads after https://www.chirpstack.io/docs/chirpstack/integrations/events.html.
func TestChirpstack(t *testing.T) {
	testProfile(t, chirpstackSource, []profileTest{
		{name: "no codec", topic: csTopic, payload: csHead + `"dr":1,"fPort":1,"data":"qg==",` + csTail, want: "!no_values"},
		{name: "temperature", topic: csTopic, payload: csHead + `"dr":1,"fCnt":4,"fPort":1,"data":"qg==","object":{"temperatureSensor":{"1":25.0}},` + csTail, want: "sn-z1/water/0101010101010101 1658136855775 seq=4 temperaturesensor_1=25"},
		{name: "pulses", topic: csTopic, payload: csHead + `"fCnt":32,"fPort":85,"object":{"pulses":123,"battery":92,"leak":false,"status":"OK"},` + csTail, want: "sn-z1/water/0101010101010101 1658136855775 seq=32 volume_m3=1.23 battery_pct=92 leak=0"},
		{name: "native names", topic: csTopic, payload: csHead + `"fCnt":5,"object":{"volume_m3":12.5,"flow_m3h":0.25,"temperature_c":18},` + csTail, want: "sn-z1/water/0101010101010101 1658136855775 seq=5 volume_m3=12.5 flow_m3h=0.25 temperature_c=18"},
		{name: "milesight", topic: csTopic, payload: csHead + `"fCnt":6,"object":{"battery":100,"laeq":58.2,"laiMax":80.4},` + csTail, want: "sn-z1/water/0101010101010101 1658136855775 seq=6 battery_pct=100 laeq=58.2 laimax=80.4"},
		{name: "array in the object", topic: csTopic, payload: csHead + `"fCnt":6,"object":{"adc":[1.5,2.5]},` + csTail, want: "sn-z1/water/0101010101010101 1658136855775 seq=6 adc_0=1.5 adc_1=2.5"},
		{name: "null in the object", topic: csTopic, payload: csHead + `"fCnt":6,"object":{"a":null,"b":1},` + csTail, want: "sn-z1/water/0101010101010101 1658136855775 seq=6 b=1"},
		{name: "first uplink", topic: csTopic, payload: csHead + `"object":{"b":0},` + csTail, want: "sn-z1/water/0101010101010101 1658136855775 seq=0 b=0"},
		{name: "status", topic: "application/x/device/0101010101010101/event/status",
			payload: `{"deduplicationId":"3ac7e3c4","time":"2022-07-18T09:34:15.775023242+00:00","deviceInfo":{"devEui":"0101010101010101"},"margin":20,"externalPowerSource":false,"batteryLevelUnavailable":false,"batteryLevel":75.59}`,
			want:    "sn-z1/water/0101010101010101 1658136855775 margin=20 externalpowersource=0 battery_pct=75.59"},
		{name: "join", topic: "application/x/device/0101010101010101/event/join", payload: `{"devAddr":"00189440"}`, want: "control"},
		{name: "ack", topic: "application/x/device/0101010101010101/event/ack", payload: `{}`, want: "control"},
		{name: "cut short", topic: csTopic, payload: csHead, want: "!bad_json"},
	})
}

// The trap of DOMAIN.md: an event that comes twice, with one deduplicationId, is
// one reading: same meter, time and number, which vetting drops.
func TestChirpstackSameDeduplicationID(t *testing.T) {
	t.Parallel()
	d := decode.New([]decode.Source{chirpstackSource}, meter.NewCatalog(10))
	payload := []byte(csHead + `"fCnt":4,"object":{"a":1},` + csTail)
	first := read(d, decode.Message{Topic: csTopic, Payload: payload, Received: arrived})
	if again := read(d, decode.Message{Topic: csTopic, Payload: payload, Received: arrived + 60_000}); again != first {
		t.Errorf("first %s\nagain %s", first, again)
	}
	if want := "sn-z1/water/0101010101010101 1658136855775 seq=4 a=1"; first != want {
		t.Errorf("got %s, want %s", first, want)
	}
}

var ttnSource = decode.Source{
	Name: "ttn", Topics: []string{"v3/+/devices/#"}, Profile: "ttn", Zone: "sn-z1", Utility: "water",
	Registers: []decode.Register{{Path: "waterLevelCm", Register: "tank_level_m", Unit: "cm"}},
}

const (
	ttnTopic = "v3/app1@tenant1/devices/dev1/up"
	ttnHead  = `{"end_device_ids":{"device_id":"dev1","application_ids":{"application_id":"app1"},"dev_eui":"4200000000000000","join_eui":"4200000000000000","dev_addr":"00E6F42A"},"correlation_ids":["my-correlation-id"],"received_at":"2021-08-16T16:41:18.188927828Z","uplink_message":{"session_key_id":"AXtPqDjSMDh6BzrefzF9zQ==",`
	ttnTail  = `"rx_metadata":[{"gateway_ids":{"gateway_id":"gtw1"},"time":"2020-02-12T15:15:45.787Z","timestamp":2463457000,"rssi":-35,"channel_rssi":-35,"snr":5}],"settings":{"data_rate":{"lora":{"bandwidth":125000,"spreading_factor":7}},"frequency":"868300000","timestamp":2463457000},"received_at":"2021-08-16T16:41:17.979Z"}}`
)

// Payloads after https://www.thethingsindustries.com/docs/integrations/data-formats/
// and uplinks that users have published.
func TestTTN(t *testing.T) {
	testProfile(t, ttnSource, []profileTest{
		{name: "environment", topic: ttnTopic, payload: ttnHead + `"f_port":85,"f_cnt":32,"frm_payload":"A2f2AARofQ==","decoded_payload":{"activity":1,"co2":569,"humidity":62.5,"pressure":966.6,"temperature":24.6},` + ttnTail, want: "sn-z1/water/dev1 1629132078188 seq=32 activity=1 co2=569 humidity=62.5 pressure=966.6 temperature=24.6"},
		{name: "level", topic: ttnTopic, payload: ttnHead + `"f_port":1,"f_cnt":7,"decoded_payload":{"distanceCm":150,"waterLevelCm":50,"batteryV":3.6,"status":"OK","timestamp":1628000000},` + ttnTail, want: "sn-z1/water/dev1 1629132078188 seq=7 distancecm=150 tank_level_m=0.5 batteryv=3.6 timestamp=1628000000"},
		{name: "native names", topic: ttnTopic, payload: ttnHead + `"f_cnt":8,"decoded_payload":{"volume_m3":99.5},` + ttnTail, want: "sn-z1/water/dev1 1629132078188 seq=8 volume_m3=99.5"},
		{name: "nested", topic: ttnTopic, payload: ttnHead + `"f_cnt":8,"decoded_payload":{"gps":{"lat":33.5,"lon":36.3},"list":[1]},` + ttnTail, want: "sn-z1/water/dev1 1629132078188 seq=8 gps_lat=33.5 gps_lon=36.3 list_0=1"},
		{name: "boolean", topic: ttnTopic, payload: ttnHead + `"f_cnt":8,"decoded_payload":{"leak":true},` + ttnTail, want: "sn-z1/water/dev1 1629132078188 seq=8 leak=1"},
		{name: "names with signs", topic: ttnTopic, payload: ttnHead + `"f_cnt":8,"decoded_payload":{"Water Level (mm)":5,"°C":20},` + ttnTail, want: "sn-z1/water/dev1 1629132078188 seq=8 water_level_mm=5 c=20"},
		{name: "several warnings", topic: ttnTopic, payload: ttnHead + `"f_cnt":9,"decoded_payload":{"a":1},"decoded_payload_warnings":["x"],` + ttnTail, want: "sn-z1/water/dev1 1629132078188 seq=9 a=1"},
		{name: "no formatter", topic: ttnTopic, payload: ttnHead + `"f_port":1,"f_cnt":1,"frm_payload":"dGVzdA==",` + ttnTail, want: "!no_values"},
		{name: "join", topic: "v3/app1@tenant1/devices/dev1/join", payload: `{"join_accept":{}}`, want: "control"},
		{name: "down", topic: "v3/app1@tenant1/devices/dev1/down/ack", payload: `{}`, want: "control"},
		{name: "cut short", topic: ttnTopic, payload: ttnHead, want: "!bad_json"},
	})
}

// The trap of DOMAIN.md: what is zero may be left out.
func TestTTNZeroIsLeftOut(t *testing.T) {
	testProfile(t, ttnSource, []profileTest{
		{name: "no f_cnt, no f_port", topic: ttnTopic, payload: ttnHead + `"decoded_payload":{"a":0},` + ttnTail, want: "sn-z1/water/dev1 1629132078188 seq=0 a=0"},
	})
}
