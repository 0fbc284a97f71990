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

// Payloads after https://thingsboard.io/docs/reference/mqtt-api/ and
// https://thingsboard.io/docs/reference/gateway-mqtt-api/.
func TestThingsboardDevice(t *testing.T) {
	const topic = "m1/v1/devices/me/telemetry"
	testProfile(t, tbDevice, []profileTest{
		{name: "key and value", topic: topic, payload: `{"key1":"value1", "key2":true, "key3": 3.0, "key4": 4}`, want: "sn-z1/water/m1 received key2=1 key3=3 key4=4"},
		{name: "array", topic: topic, payload: `[{"key1":"value1"}, {"key2":true}]`, want: "sn-z1/water/m1 received key2=1"},
		{name: "with time", topic: topic, payload: `{"ts":1451649600512, "values":{"key1":"value1", "key2":2}}`, want: "sn-z1/water/m1 1451649600512 key2=2"},
		{name: "array with times", topic: topic, payload: `[{"ts":1451649600512,"values":{"a":1}},{"ts":1451649601512,"values":{"a":2}}]`, want: "sn-z1/water/m1 1451649600512 a=1\n" +
			"sn-z1/water/m1 1451649601512 a=2"},
		{name: "nested JSON", topic: topic, payload: `{"stringKey":"v","booleanKey":true,"doubleKey":42.5,"longKey":73,"jsonKey":{"someNumber":42,"someArray":[1,2,3],"someNestedObject":{"key":"value"}}}`, want: "sn-z1/water/m1 received booleankey=1 doublekey=42.5 longkey=73 jsonkey_somenumber=42 jsonkey_somearray_0=1 jsonkey_somearray_1=2 jsonkey_somearray_2=3"},
		{name: "names of the source", topic: topic, payload: `{"ts":1451649600512,"values":{"press":250,"m3/h":1.5}}`, want: "sn-z1/water/m1 1451649600512 pressure_bar=2.5 flow_m3h=1.5"},
		{name: "time after the values", topic: topic, payload: `{"values":{"a":1},"ts":1451649600512}`, want: "sn-z1/water/m1 1451649600512 a=1"},
		{name: "attributes", topic: "m1/v1/devices/me/attributes", payload: `{"firmware":"1"}`, want: "control"},
		{name: "nothing", topic: topic, payload: `{}`, want: "!no_values"},
		{name: "retained without a time", topic: topic, payload: `{"a":1}`, retained: true, want: "ignored"},
		{name: "retained with one", topic: topic, payload: `{"ts":1451649600512,"values":{"a":1}}`, retained: true, want: "sn-z1/water/m1 1451649600512 a=1"},
		{name: "a bare number", topic: topic, payload: `5`, want: "!bad_json"},
	})
}

func TestThingsboardGateway(t *testing.T) {
	const topic = "v1/gateway/telemetry"
	testProfile(t, tbGateway, []profileTest{
		{name: "two devices", topic: topic,
			payload: `{"Device A":[{"ts":1483228800000,"values":{"temperature":42,"humidity":80}},{"ts":1483228801000,"values":{"temperature":43,"humidity":82}}],"Device B":[{"ts":1483228800000,"values":{"temperature":42,"humidity":80}}]}`,
			want: "sn-z1/water/Device%20A 1483228800000 temperature=42 humidity=80\n" +
				"sn-z1/water/Device%20A 1483228801000 temperature=43 humidity=82\n" +
				"sn-z1/water/Device%20B 1483228800000 temperature=42 humidity=80"},
		{name: "without times", topic: topic, payload: `{"DeviceA":[{"temperature":42}]}`, want: "sn-z1/water/DeviceA received temperature=42"},
		{name: "without an array", topic: topic, payload: `{"DeviceA":{"ts":1483228800000,"values":{"temperature":42}}}`, want: "sn-z1/water/DeviceA 1483228800000 temperature=42"},
		{name: "connect", topic: "v1/gateway/connect", payload: `{"device":"Device A"}`, want: "control"},
		{name: "a number for a reading", topic: topic, payload: `{"DeviceA":5}`, want: "!no_values"},
	})
}

// The traps of DOMAIN.md.
func TestThingsboardNumbersAsStrings(t *testing.T) {
	testProfile(t, tbDevice, []profileTest{
		{name: "all kinds", topic: "m1/v1/devices/me/telemetry", payload: `{"ts":1451649600512,"values":{"a":"73","b":"-4.5e1","c":"73 V","d":"","e":"0x10"}}`, want: "sn-z1/water/m1 1451649600512 a=73 b=-45"},
		{name: "beyond a double", topic: "m1/v1/devices/me/telemetry", payload: `{"a":"1e400"}`, want: "!not_finite"},
	})
}
