package decode_test

import (
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
)

var zigbeeSource = decode.Source{Name: "z2m", Topics: []string{"zigbee2mqtt/#"}, Profile: "zigbee2mqtt", Zone: "sn-z1"}

// Payloads after https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html
// and the pages of devices there.
func TestZigbee2MQTT(t *testing.T) {
	testProfile(t, zigbeeSource, []profileTest{
		{name: "plug", topic: "zigbee2mqtt/plug", payload: `{"child_lock":"UNLOCK","current":0.5,"energy":1.86,"indicator_mode":"off/on","linkquality":84,"power":115,"power_outage_memory":"restore","state":"ON","update":{"installed_version":77,"latest_version":77,"state":"idle"},"voltage":229}`, want: "sn-z1/electricity/plug received current_l1_a=0.5 energy_import_kwh=1.86 linkquality=84 active_power_kw=0.115 state=1 update_installed_version=77 update_latest_version=77 voltage_l1_v=229"},
		{name: "three phases", topic: "zigbee2mqtt/em", payload: `{"ac_frequency":50,"current":1.5,"current_phase_b":2,"current_phase_c":3,"energy":1234.5,"power":345,"power_phase_b":460,"power_phase_c":690,"produced_energy":2.5,"voltage":230,"voltage_phase_b":231,"voltage_phase_c":229}`, want: "sn-z1/electricity/em received frequency_hz=50 current_l1_a=1.5 current_l2_a=2 current_l3_a=3 energy_import_kwh=1234.5 active_power_kw=0.345 active_power_l2_kw=0.46 active_power_l3_kw=0.69 energy_export_kwh=2.5 voltage_l1_v=230 voltage_l2_v=231 voltage_l3_v=229"},
		{name: "last_seen in ms", topic: "zigbee2mqtt/p", payload: `{"power":1000,"last_seen":1658136855775}`, want: "sn-z1/electricity/p 1658136855775 active_power_kw=1"},
		{name: "last_seen in ISO 8601", topic: "zigbee2mqtt/p", payload: `{"power":1000,"last_seen":"2022-07-18T09:34:15.775Z"}`, want: "sn-z1/electricity/p 1658136855775 active_power_kw=1"},
		{name: "last_seen in local ISO 8601", topic: "zigbee2mqtt/p", payload: `{"power":1000,"last_seen":"2022-07-18T12:34:15+03:00"}`, want: "sn-z1/electricity/p 1658136855000 active_power_kw=1"},
		{name: "water valve", topic: "zigbee2mqtt/valve", payload: `{"battery":100,"flow":0.5,"water_consumed":12.25,"state":"OFF","linkquality":120}`, want: "sn-z1/electricity/valve received battery_pct=100 state=0 linkquality=120\n" +
			"sn-z1/water/valve received flow_m3h=0.5 volume_m3=12.25"},
		{name: "two sockets", topic: "zigbee2mqtt/dual", payload: `{"state_l1":"ON","state_l2":"OFF","power_l1":10,"power_l2":0,"energy_l1":1.5,"energy_l2":0.5}`, want: "sn-z1/electricity/dual received state_l1=1 state_l2=0 active_power_l1_kw=0.01 active_power_l2_kw=0 energy_import_l1_kwh=1.5 energy_import_l2_kwh=0.5"},
		{name: "power quality", topic: "zigbee2mqtt/din", payload: `{"power":2000,"power_apparent":2100,"power_reactive":300,"power_factor":0.95}`, want: "sn-z1/electricity/din received active_power_kw=2 apparent_power_kva=2.1 reactive_power_kvar=0.3 power_factor=0.95"},
		{name: "temperature", topic: "zigbee2mqtt/t", payload: `{"temperature":27.34,"humidity":44.72,"pressure":993.5}`, want: "sn-z1/electricity/t received temperature_c=27.34 humidity=44.72 pressure=993.5"},
		{name: "nulls", topic: "zigbee2mqtt/p", payload: `{"power":null,"voltage":230}`, want: "sn-z1/electricity/p received voltage_l1_v=230"},
		{name: "an action", topic: "zigbee2mqtt/button", payload: `{"action":"single"}`, want: "control"},
		{name: "a command", topic: "zigbee2mqtt/p/set", payload: `{"state":"ON"}`, want: "control"},
		{name: "retained without a time", topic: "zigbee2mqtt/p", payload: `{"power":1}`, retained: true, want: "ignored"},
	})
}

// The traps of DOMAIN.md.
func TestZigbee2MQTTNameWithSlashes(t *testing.T) {
	testProfile(t, zigbeeSource, []profileTest{
		{name: "slash and space", topic: "zigbee2mqtt/hall 1/plug", payload: `{"power":1000}`, want: "sn-z1/electricity/hall%201%2Fplug received active_power_kw=1"},
		{name: "its availability", topic: "zigbee2mqtt/hall 1/plug/availability", payload: `{"state":"online"}`, retained: true, want: "control"},
	})
	source := zigbeeSource
	source.Names = map[string]string{"hall 1/plug": "h1-plug"}
	t.Run("named", func(t *testing.T) {
		testProfile(t, source, []profileTest{{name: "own name", topic: "zigbee2mqtt/hall 1/plug", payload: `{"power":1000}`, want: "sn-z1/electricity/h1-plug received active_power_kw=1"}})
	})
}

func TestZigbee2MQTTBridgeIsIgnored(t *testing.T) {
	testProfile(t, zigbeeSource, []profileTest{
		{name: "state", topic: "zigbee2mqtt/bridge/state", payload: `{"state":"online"}`, retained: true, want: "control"},
		{name: "devices", topic: "zigbee2mqtt/bridge/devices", payload: `[{"ieee_address":"0x00","network_address":0}]`, want: "control"},
		{name: "a device named after it", topic: "zigbee2mqtt/bridge-1", payload: `{"power":1}`, want: "sn-z1/electricity/bridge-1 received active_power_kw=0.001"},
	})
	source := zigbeeSource
	source.Topics = []string{"site/a/{meter#}"}
	t.Run("another base", func(t *testing.T) {
		testProfile(t, source, []profileTest{
			{name: "bridge", topic: "site/a/bridge/info", payload: `{"n":1}`, want: "control"},
			{name: "device", topic: "site/a/x/y", payload: `{"power":1}`, want: "sn-z1/electricity/x%2Fy received active_power_kw=0.001"},
		})
	})
}

// A battery's voltage is in mV, the grid's in V.
func TestZigbee2MQTTBatteryVoltage(t *testing.T) {
	testProfile(t, zigbeeSource, []profileTest{
		{name: "battery", topic: "zigbee2mqtt/p", payload: `{"voltage":2995,"battery":97}`, want: "sn-z1/electricity/p received battery_v=2.995 battery_pct=97"},
	})
}
