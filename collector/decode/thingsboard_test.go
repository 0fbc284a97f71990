package decode_test

import (
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
)

var (
	tbDevice = decode.Source{
		Name: "tb", Topics: []string{"{meter}/v1/devices/me/+"}, Profile: "thingsboard", Zone: "sn-z1", Utility: "water",
		Registers: []decode.Register{{Path: "press", Register: "pressure_bar", Unit: "kPa"}, {Path: "m3/h", Register: "flow_m3h"}},
	}
	tbGateway = decode.Source{Name: "gw", Topics: []string{"v1/gateway/#"}, Profile: "thingsboard", Zone: "sn-z1", Utility: "water"}
)

const tbDocs = "https://thingsboard.io/docs/reference/"

func TestThingsboard(t *testing.T) {
	const topic, gateway = "m1/v1/devices/me/telemetry", "v1/gateway/telemetry"
	var source = tbDevice
	source.Topics = []string{"{meter}/v1/devices/me/+", "{meter}/v2/+"}
	source.Meter = "{meter}"
	testDocumented(t, source, []profileTest{
		{name: "key and value", source: tbDocs + "mqtt-api/telemetry/", topic: topic, payload: `{"temperature": 22.5, "humidity": 61}`, want: "sn-z1/water/m1 received temperature=22.5 humidity=61"},
		{name: "with time", source: tbDocs + "mqtt-api/telemetry/", topic: topic, payload: `{"ts": 1451649600512, "values": {"temperature": 22.5, "humidity": 61}}`, want: "sn-z1/water/m1 1451649600512 temperature=22.5 humidity=61"},
		{name: "array with times", source: tbDocs + "mqtt-api/telemetry/", topic: topic, payload: `[ {"ts": 1451649600000, "values": {"temperature": 22.5, "humidity": 61}}, {"ts": 1451649601000, "values": {"temperature": 22.7, "humidity": 60}}]`, want: "sn-z1/water/m1 1451649600000 temperature=22.5 humidity=61\nsn-z1/water/m1 1451649601000 temperature=22.7 humidity=60"},
		{name: "short topic", source: tbDocs + "mqtt-api/telemetry/", topic: "m1/v2/t", payload: `{"temperature": 22.5, "humidity": 61}`, want: "sn-z1/water/m1 received temperature=22.5 humidity=61"},
		{name: "all types", source: "https://thingsboard.io/docs/user-guide/telemetry/", topic: topic, payload: `{"stringKey":"value1","booleanKey":true,"doubleKey":42.0,"longKey":73,"jsonKey":{"someNumber":42,"someArray":[1,2,3],"someNestedObject":{"key":"value"}}}`, want: "sn-z1/water/m1 received booleankey=1 doublekey=42 longkey=73 jsonkey_somenumber=42 jsonkey_somearray_0=1 jsonkey_somearray_1=2 jsonkey_somearray_2=3"},
		{name: "mixed", source: "https://thingsboard.io/docs/paas/reference/mqtt-api/", topic: topic, payload: `{"key1":"value1", "key2":true, "key3": 3.0, "key4": 4}`, want: "sn-z1/water/m1 received key2=1 key3=3 key4=4"},
		{name: "array", source: "https://thingsboard.io/docs/paas/reference/mqtt-api/", topic: topic, payload: `[{"key1":"value1"}, {"key2":true}]`, want: "sn-z1/water/m1 received key2=1"},
		{name: "words with time", source: "https://thingsboard.io/docs/paas/reference/mqtt-api/", topic: topic, payload: `{"ts":1451649600512, "values":{"key1":"value1", "key2":"value2"}}`, want: "!no_values"},
		{name: "as by HTTP", source: tbDocs + "http-api/telemetry/", topic: topic, payload: `{"ts": 1451649600512, "values": {"temperature": 42, "humidity": 73}}`, want: "sn-z1/water/m1 1451649600512 temperature=42 humidity=73"},
		{name: "attributes", source: tbDocs + "mqtt-api/", topic: "m1/v1/devices/me/attributes", payload: `{"attribute1":"value1", "attribute2":true, "attribute3":42.0, "attribute4":73}`, want: "control"},
	})
	t.Run("gateway", func(t *testing.T) {
		testProfile(t, tbGateway, []profileTest{
			{name: "two devices", source: tbDocs + "gateway-api/telemetry/", topic: gateway,
				payload: `{"Device A": [{"ts": 1483228800000, "values": {"temperature": 42, "humidity": 80}},{"ts": 1483228801000, "values": {"temperature": 43, "humidity": 82}}],"Device B": [{"ts": 1483228800000, "values": {"temperature": 42, "humidity": 80}}]}`,
				want:    "sn-z1/water/Device%20A 1483228800000 temperature=42 humidity=80\nsn-z1/water/Device%20A 1483228801000 temperature=43 humidity=82\nsn-z1/water/Device%20B 1483228800000 temperature=42 humidity=80"},
			{name: "one device", source: tbDocs + "gateway-api/telemetry/", topic: gateway, payload: `{"Device A":[{"ts":1700000000000,"values":{"temperature":23.5,"humidity":61}}]}`, want: "sn-z1/water/Device%20A 1700000000000 temperature=23.5 humidity=61"},
		})
	})
}

func TestThingsboardVariants(t *testing.T) {
	const topic, gateway = "m1/v1/devices/me/telemetry", "v1/gateway/telemetry"
	testProfile(t, tbDevice, []profileTest{
		{name: "names of the source", topic: topic, payload: `{"ts":1451649600512,"values":{"press":250,"m3/h":1.5}}`, want: "sn-z1/water/m1 1451649600512 pressure_bar=2.5 flow_m3h=1.5"},
		{name: "time after the values", topic: topic, payload: `{"values":{"a":1},"ts":1451649600512}`, want: "sn-z1/water/m1 1451649600512 a=1"},
		{name: "with and without time", topic: topic, payload: `[{"ts":1451649600512,"values":{"a":1}},{"a":2}]`, want: "sn-z1/water/m1 1451649600512 a=1\nsn-z1/water/m1 received a=2"},
		{name: "nothing", topic: topic, payload: `{}`, want: "!no_values"},
		{name: "retained without a time", topic: topic, payload: `{"a":1}`, retained: true, want: "ignored"},
		{name: "retained with one", topic: topic, payload: `{"ts":1451649600512,"values":{"a":1}}`, retained: true, want: "sn-z1/water/m1 1451649600512 a=1"},
		{name: "a bare number", topic: topic, payload: `5`, want: "!bad_json"},
	})
	t.Run("gateway", func(t *testing.T) {
		testProfile(t, tbGateway, []profileTest{
			{name: "without times", topic: gateway, payload: `{"DeviceA":[{"temperature":42}]}`, want: "sn-z1/water/DeviceA received temperature=42"},
			{name: "without an array", topic: gateway, payload: `{"DeviceA":{"ts":1483228800000,"values":{"temperature":42}}}`, want: "sn-z1/water/DeviceA 1483228800000 temperature=42"},
			{name: "connect", topic: "v1/gateway/connect", payload: `{"device":"Device A"}`, want: "control"},
			{name: "a number for a reading", topic: gateway, payload: `{"DeviceA":5}`, want: "!no_values"},
		})
	})
}

// The traps of DOMAIN.md.

func TestThingsboardTrapNumbersAsStrings(t *testing.T) {
	testProfile(t, tbDevice, []profileTest{
		{name: "all kinds", topic: "m1/v1/devices/me/telemetry", payload: `{"ts":1451649600512,"values":{"a":"73","b":"-4.5e1","c":"73 V","d":"","e":"0x10"}}`, want: "sn-z1/water/m1 1451649600512 a=73 b=-45"},
		{name: "the time as well", topic: "m1/v1/devices/me/telemetry", payload: `{"ts":"1451649600512","values":{"a":"73"}}`, want: "sn-z1/water/m1 1451649600512 a=73"},
		{name: "beyond a double", topic: "m1/v1/devices/me/telemetry", payload: `{"press":"1e400"}`, want: "!not_finite"},
		{name: "beyond a double, and perhaps no number", topic: "m1/v1/devices/me/telemetry", payload: `{"iccid":"89e49000000000000000","v":"1"}`, want: "sn-z1/water/m1 received v=1"},
	})
}
