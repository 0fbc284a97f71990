package decode_test

import (
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/meter"
)

var zigbeeSource = decode.Source{Name: "z2m", Topics: []string{"zigbee2mqtt/#"}, Profile: "zigbee2mqtt", Zone: "sn-z1"}

func TestZigbee2MQTT(t *testing.T) {
	const (
		docs   = "https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html"
		issues = "https://github.com/Koenkk/zigbee2mqtt/issues/"
	)
	testDocumented(t, zigbeeSource, []profileTest{
		{name: "temperature and humidity", source: docs, topic: "zigbee2mqtt/t", payload: `{"temperature":27.34,"humidity":44.72}`, want: "sn-z1/electricity/t received temperature_c=27.34 humidity_pct=44.72"},
		{name: "a button", source: docs, topic: "zigbee2mqtt/button", payload: `{"action":"single"}`, want: "control"},
		{name: "a movement", source: docs, topic: "zigbee2mqtt/pir", payload: `{"occupancy":true}`, want: "sn-z1/electricity/pir received occupancy=1"},
		{name: "a bulb", source: docs, topic: "zigbee2mqtt/bulb", payload: `{"state":"ON","brightness":215,"color_temp":325}`, want: "sn-z1/electricity/bulb received state=1 brightness=215 color_temp=325"},
		{name: "plug", source: issues + "32463", topic: "zigbee2mqtt/z1",
			payload: `{"child_lock":"UNLOCK","countdown":0,"current":0,"energy":12.05,"identify":null,"indicator_mode":"off/on","last_seen":"2026-07-27T09:41:41+02:00","linkquality":43,"power":0,"power_outage_memory":"off","state":"OFF","switch_type_button":null,"update":{"installed_version":268449287,"latest_release_notes":null,"latest_source":null,"latest_version":268449287,"state":"idle"},"voltage":243}`,
			want:    "sn-z1/electricity/z1 1785138101000 countdown=0 current_l1_a=0 energy_import_kwh=12.05 linkquality=43 active_power_kw=0 state=0 update_installed_version=268449287 update_latest_version=268449287 voltage_l1_v=243"},
		{name: "attribute: energy", source: issues + "32463", topic: "zigbee2mqtt/z1/energy", payload: "12.05", want: "sn-z1/electricity/z1 received partial energy_import_kwh=12.05"},
		{name: "attribute: power", source: issues + "32463", topic: "zigbee2mqtt/z1/power", payload: "0", want: "sn-z1/electricity/z1 received partial active_power_kw=0"},
		{name: "attribute: state", source: issues + "32463", topic: "zigbee2mqtt/z1/state", payload: "OFF", want: "sn-z1/electricity/z1 received partial state=0"},
		{name: "attribute: a mode", source: issues + "32463", topic: "zigbee2mqtt/z1/power_outage_memory", payload: "off", want: "control"},
		{name: "attribute: a word", source: issues + "32463", topic: "zigbee2mqtt/z1/child_lock", payload: "UNLOCK", want: "control"},
		{name: "three phases, the first by the bare name", source: issues + "32596", topic: "zigbee2mqtt/em",
			payload: `{"ac_frequency":49.96,"current":0.44,"current_neutral":0.03,"current_phase_b":1.85,"current_phase_c":0,"energy":299.7,"linkquality":180,"power":89,"power_apparent":95,"power_apparent_phase_b":354,"power_apparent_phase_c":0,"power_factor":0.92,"power_factor_phase_b":0.97,"power_factor_phase_c":0,"power_phase_b":384,"power_phase_c":0,"power_reactive":38,"power_reactive_phase_b":83,"power_reactive_phase_c":0,"voltage":231.2,"voltage_phase_b":230.5,"voltage_phase_c":228.4}`,
			want:    "sn-z1/electricity/em received frequency_hz=49.96 current_l1_a=0.44 current_n_a=0.03 current_l2_a=1.85 current_l3_a=0 energy_import_kwh=299.7 linkquality=180 active_power_l1_kw=0.089 apparent_power_l1_kva=0.095 apparent_power_l2_kva=0.354 apparent_power_l3_kva=0 power_factor=0.92 power_factor_l2=0.97 power_factor_l3=0 active_power_l2_kw=0.384 active_power_l3_kw=0 reactive_power_l1_kvar=0.038 reactive_power_l2_kvar=0.083 reactive_power_l3_kvar=0 voltage_l1_v=231.2 voltage_l2_v=230.5 voltage_l3_v=228.4 active_power_kw=0.473 reactive_power_kvar=0.121 apparent_power_kva=0.449"},
		{name: "two sockets, device information", source: "https://github.com/maziggy/bambuddy/issues/173", topic: "zigbee2mqtt/shelly-working-room",
			payload: `{"ac_frequency_l1":49.94,"ac_frequency_l2":49.98,"current_l1":0.125,"current_l2":0,"device":{"friendlyName":"shelly-working-room","ieeeAddr":"XXXXXXXXXXXXXXXX","manufacturerID":5264,"manufacturerName":"Shelly","model":"XXXX-XXXXXXXX-SWITCH","networkAddress":22486,"powerSource":"Mains (single phase)","type":"Router","zclVersion":8},"dhcp_enabled":true,"energy_l1":2.056,"energy_l2":0.006,"ip_address":"10.8.91.221","linkquality":87,"power_apparent_l1":9,"power_apparent_l2":0,"power_factor_l1":0,"power_factor_l2":0,"power_l1":8,"power_l2":0,"power_reactive_l1":0,"power_reactive_l2":0,"produced_energy_l1":0,"produced_energy_l2":0,"state_l1":"ON","state_l2":"OFF","voltage_l1":228.08,"voltage_l2":228.1}`,
			want:    "sn-z1/electricity/shelly-working-room received frequency_l1_hz=49.94 frequency_l2_hz=49.98 current_l1_a=0.125 current_l2_a=0 device_manufacturerid=5264 device_networkaddress=22486 device_zclversion=8 dhcp_enabled=1 energy_import_l1_kwh=2.056 energy_import_l2_kwh=0.006 linkquality=87 apparent_power_l1_kva=0.009 apparent_power_l2_kva=0 power_factor_l1=0 power_factor_l2=0 active_power_l1_kw=0.008 active_power_l2_kw=0 reactive_power_l1_kvar=0 reactive_power_l2_kvar=0 energy_export_l1_kwh=0 energy_export_l2_kwh=0 state_l1=1 state_l2=0 voltage_l1_v=228.08 voltage_l2_v=228.1"},
		{name: "a valve that knows no volume yet is a water meter", source: issues + "17561", topic: "zigbee2mqtt/valve",
			payload: `{"battery":50,"last_seen":"2023-05-04T09:28:35+02:00","last_valve_open_duration":0,"linkquality":255,"state":"ON","timer":60,"timer_state":"enabled","timer_time_left":41,"weather_delay":"disabled","cycle_timer_1":null,"cycle_timer_2":null,"cycle_timer_3":null,"cycle_timer_4":null,"normal_schedule_timer_1":null,"normal_schedule_timer_2":null,"normal_schedule_timer_3":null,"normal_schedule_timer_4":null,"water_consumed":null}`,
			want:    "sn-z1/water/valve 1683185315000 battery_pct=50 last_valve_open_duration=0 linkquality=255 state=1 timer=60 timer_time_left=41"},
		{name: "a volume in quotes", source: "https://github.com/Koenkk/zigbee2mqtt.io/pull/1538", topic: "zigbee2mqtt/arrosage_2",
			payload: `{"battery":100,"last_valve_open_duration":0,"linkquality":15,"state":"OFF","timer":2,"timer_state":"active","timer_time_left":2,"water_consumed":"0.00"}`,
			want:    "sn-z1/water/arrosage_2 received battery_pct=100 last_valve_open_duration=0 linkquality=15 state=0 timer=2 timer_time_left=2 volume_m3=0"},
		{name: "a French meter by tariff", source: issues + "13419", topic: "zigbee2mqtt/Linky",
			payload: `{"active_register_tier_delivered":"HP..","apparent_power":590,"available_power":45,"current_tarif":"HC..","current_tier1_summ_delivered":20479.253,"current_tier2_summ_delivered":16637.575,"linkquality":87,"meter_serial_number":"031662997326","rms_current":3,"rms_current_max":90,"schedule_h_p_h_c":null,"update":{"state":"idle"},"update_available":false,"warn_d_p_s":null}`,
			want:    "sn-z1/electricity/Linky received apparent_power_kva=0.59 available_power=45 energy_import_t1_kwh=20479.253 energy_import_t2_kwh=16637.575 linkquality=87 current_l1_a=3 rms_current_max=90 update_available=0"},
	})
}

// Features by the units of the devices' pages,
// https://www.zigbee2mqtt.io/devices/SPM02V3.html, …/PJ-1203A.html, …/TS0601_water_meter.html
func TestZigbee2MQTTVariants(t *testing.T) {
	testProfile(t, zigbeeSource, []profileTest{
		{name: "three phases with a total, factors in percent", topic: "zigbee2mqtt/em",
			payload: `{"voltage_a":231.5,"voltage_b":230.1,"voltage_c":229.9,"power_a":100,"power_b":200,"power_c":-50,"current_a":0.5,"current_b":1,"current_c":0.25,"energy":1234.5,"produced_energy":2.5,"power_factor":98,"power":250,"ac_frequency":50,"energy_a":400,"energy_produced_b":0.5,"power_factor_a":-97,"update_frequency":30}`,
			want:    "sn-z1/electricity/em received voltage_l1_v=231.5 voltage_l2_v=230.1 voltage_l3_v=229.9 active_power_l1_kw=0.1 active_power_l2_kw=0.2 active_power_l3_kw=-0.05 current_l1_a=0.5 current_l2_a=1 current_l3_a=0.25 energy_import_kwh=1234.5 energy_export_kwh=2.5 power_factor=0.98 active_power_kw=0.25 frequency_hz=50 energy_import_l1_kwh=400 energy_export_l2_kwh=0.5 power_factor_l1=-0.97 update_frequency=30"},
		{name: "two clamps", topic: "zigbee2mqtt/pj",
			payload: `{"ac_frequency":50,"voltage":230,"power_a":10,"power_b":20,"power_ab":30,"energy_flow_a":"consuming","energy_a":1.5,"energy_produced_b":2.5,"timestamp_a":"2026-01-01T00:00:00Z"}`,
			want:    "sn-z1/electricity/pj received frequency_hz=50 voltage_l1_v=230 active_power_l1_kw=0.01 active_power_l2_kw=0.02 active_power_kw=0.03 energy_import_l1_kwh=1.5 energy_export_l2_kwh=2.5"},
		{name: "water meter", topic: "zigbee2mqtt/w",
			payload: `{"water_consumed":12.345,"month_consumption":1.5,"daily_consumption":0.25,"flow_rate":0.5,"reverse_water_consumed":0.001,"meter_id":"12345678","temperature":18.5,"voltage":3.6,"fault":"no_fault","linkquality":120}`,
			want:    "sn-z1/water/w received volume_m3=12.345 month_consumption=1.5 daily_consumption=0.25 flow_m3h=0.5 volume_reverse_m3=0.001 temperature_c=18.5 battery_v=3.6 linkquality=120"},
		{name: "water valve", topic: "zigbee2mqtt/valve", payload: `{"battery":100,"flow":0.5,"water_consumed":12.25,"state":"OFF","linkquality":120}`, want: "sn-z1/water/valve received battery_pct=100 flow_m3h=0.5 volume_m3=12.25 state=0 linkquality=120"},
		{name: "a lock", topic: "zigbee2mqtt/l", payload: `{"state":"LOCK","battery":80}`, want: "sn-z1/electricity/l received battery_pct=80"},
		{name: "pressure", topic: "zigbee2mqtt/t", payload: `{"pressure":993.5,"device_temperature":31,"soil_moisture":40}`, want: "sn-z1/electricity/t received pressure_bar=0.9935 device_temperature_c=31 soil_moisture=40"},
		{name: "true is no power", topic: "zigbee2mqtt/p", payload: `{"power":true,"voltage":230,"energy":false}`, want: "sn-z1/electricity/p received voltage_l1_v=230"},
		{name: "a byte order mark", topic: "zigbee2mqtt/p", payload: "\ufeff" + `{"voltage":230}`, want: "sn-z1/electricity/p received voltage_l1_v=230"},
		{name: "nulls", topic: "zigbee2mqtt/p", payload: `{"power":null,"voltage":230}`, want: "sn-z1/electricity/p received voltage_l1_v=230"},
		{name: "a command", topic: "zigbee2mqtt/p/set", payload: `{"state":"ON"}`, want: "control"},
		{name: "a command for one attribute", topic: "zigbee2mqtt/p/set/state", payload: `ON`, want: "control"},
		{name: "retained without a time", topic: "zigbee2mqtt/p", payload: `{"power":1}`, retained: true, want: "ignored"},
	})
}

// The traps of DOMAIN.md.

func TestZigbee2MQTTTrapLastSeen(t *testing.T) {
	testProfile(t, zigbeeSource, []profileTest{
		{name: "epoch", topic: "zigbee2mqtt/p", payload: `{"power":1000,"last_seen":1658136855775}`, want: "sn-z1/electricity/p 1658136855775 active_power_kw=1"},
		{name: "ISO_8601", topic: "zigbee2mqtt/p", payload: `{"power":1000,"last_seen":"2022-07-18T09:34:15.775Z"}`, want: "sn-z1/electricity/p 1658136855775 active_power_kw=1"},
		{name: "ISO_8601_local", topic: "zigbee2mqtt/p", payload: `{"power":1000,"last_seen":"2022-07-18T12:34:15+03:00"}`, want: "sn-z1/electricity/p 1658136855000 active_power_kw=1"},
		{name: "disabled", topic: "zigbee2mqtt/p", payload: `{"power":1000}`, want: "sn-z1/electricity/p received active_power_kw=1"},
		{name: "not seen", topic: "zigbee2mqtt/p", payload: `{"power":1000,"last_seen":null}`, want: "sn-z1/electricity/p received active_power_kw=1"},
	})
}

func TestZigbee2MQTTTrapNameWithSlashes(t *testing.T) {
	tests := []profileTest{
		{name: "slash and space", topic: "zigbee2mqtt/hall 1/plug", payload: `{"power":1000}`, want: "sn-z1/electricity/hall%201%2Fplug received active_power_kw=1"},
		{name: "its availability", topic: "zigbee2mqtt/hall 1/plug/availability", payload: `{"state":"online"}`, retained: true, want: "control"},
		{name: "its attribute", topic: "zigbee2mqtt/hall 1/plug/power", payload: `1000`, want: "sn-z1/electricity/hall%201%2Fplug received partial active_power_kw=1"},
	}
	testProfile(t, zigbeeSource, tests)
	captured := zigbeeSource
	captured.Topics = []string{"zigbee2mqtt/{meter#}"}
	t.Run("captured", func(t *testing.T) { testProfile(t, captured, tests) })
	named := zigbeeSource
	named.Names = map[string]string{"hall 1/plug": "h1-plug"}
	t.Run("named", func(t *testing.T) {
		testProfile(t, named, []profileTest{{name: "own name", topic: "zigbee2mqtt/hall 1/plug", payload: `{"power":1000}`, want: "sn-z1/electricity/h1-plug received active_power_kw=1"}})
	})
}

func TestZigbee2MQTTTrapBridge(t *testing.T) {
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

// Attributes come one by one, and null as nothing.
func TestZigbee2MQTTAttributes(t *testing.T) {
	testProfile(t, zigbeeSource, []profileTest{
		{name: "number", topic: "zigbee2mqtt/p/voltage", payload: "243", want: "sn-z1/electricity/p received partial voltage_l1_v=243"},
		{name: "true", topic: "zigbee2mqtt/p/occupancy", payload: "true", want: "sn-z1/electricity/p received partial occupancy=1"},
		{name: "nested", topic: "zigbee2mqtt/p/update-installed_version", payload: "77", want: "sn-z1/electricity/p received partial update_installed_version=77"},
		{name: "null", topic: "zigbee2mqtt/p/power", payload: "", want: "control"},
		{name: "last_seen", topic: "zigbee2mqtt/p/last_seen", payload: "2026-07-27T09:41:41+02:00", want: "control"},
		{name: "a list", topic: "zigbee2mqtt/p/color_options", payload: "1,2,3", want: "control"},
		{name: "a position", topic: "zigbee2mqtt/p/state", payload: "LOCK", want: "control"},
	})
}

// Who is said to be offline is stale, by either form of the message.
func TestZigbee2MQTTAvailability(t *testing.T) {
	t.Parallel()
	d := decode.New([]decode.Source{zigbeeSource}, meter.NewCatalog(10))
	for _, step := range []struct{ topic, payload, want string }{
		{"zigbee2mqtt/a/b", `{"power":1}`, "sn-z1/electricity/a%2Fb received active_power_kw=0.001"},
		{"zigbee2mqtt/a/b/availability", "online", "control"},
		{"zigbee2mqtt/a/b/availability", "offline", "control a%2Fb"},
		{"zigbee2mqtt/a/b/availability", `{"state":"online"}`, "control"},
		{"zigbee2mqtt/a/b/availability", `{"state":"offline"}`, "control a%2Fb"},
		{"zigbee2mqtt/a/availability", `{"state":"offline"}`, "control"},
		{"zigbee2mqtt/a/b/availability", `{"state":"off`, "control"},
	} {
		if got := read(d, decode.Message{Topic: step.topic, Payload: []byte(step.payload), Received: arrived}); got != step.want {
			t.Errorf("%s %s: got %s, want %s", step.topic, step.payload, got, step.want)
		}
	}
}
