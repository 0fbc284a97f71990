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

// The events of ChirpStack's manual, and in the object of its uplink what public
// codecs make of the messages of devices.
func TestChirpstack(t *testing.T) {
	const (
		docs    = "https://www.chirpstack.io/docs/chirpstack/integrations/events.html"
		devices = "https://github.com/TheThingsNetwork/lorawan-devices/blob/master/vendor/"
	)
	object := func(json string) string {
		return csHead + `"dr":1,"fCnt":4,"fPort":1,"data":"qg==","object":` + json + `,` + csTail
	}
	testDocumented(t, chirpstackSource, []profileTest{
		{name: "no codec", source: docs, topic: csTopic, payload: csHead + `"dr":1,"fPort":1,"data":"qg==",` + csTail, want: "!no_values"},
		{name: "status", source: docs, topic: "application/17c82e96-be03-4f38-aef3-f83d48582d97/device/0101010101010101/event/status",
			payload: `{"deduplicationId":"bf2a9746-1c8b-49be-a92e-f0b89c8534e4","time":"2022-07-18T09:35:06.927172638+00:00","deviceInfo":{"tenantId":"52f14cd4-c6f1-4fbd-8f87-4025e1d49242","tenantName":"ChirpStack","deviceName":"Test device","devEui":"0101010101010101"},"margin":10,"batteryLevel":88.3}`,
			want:    "sn-z1/water/0101010101010101 1658136906927 margin=10 battery_pct=88.3"},
		{name: "join", source: docs, topic: "application/x/device/0101010101010101/event/join", payload: `{"deduplicationId":"c9dbe358-2578-4fb7-b295-66b44edc45a6","time":"2022-07-18T09:33:28.823500726+00:00","deviceInfo":{"devEui":"0101010101010101"},"devAddr":"00189440"}`, want: "control"},
		{name: "ack", source: docs, topic: "application/x/device/0101010101010101/event/ack", payload: `{"deduplicationId":"856a03e7-80f6-4c26-b971-9dcb34a59c2e","time":"2022-07-18T09:38:49.235700766+00:00","queueItemId":"1bbcab1d-6ec6-4136-b3f5-d63be1dc08de","acknowledged":true,"fCntDown":3}`, want: "control"},
		{name: "txack", source: docs, topic: "application/x/device/0101010101010101/event/txack", payload: `{"downlinkId":3461958127,"time":"2022-07-18T09:37:48.929184085+00:00","fCntDown":2,"gatewayId":"0016c001f153a14c"}`, want: "control"},
		{name: "log", source: docs, topic: "application/x/device/0101010101010101/event/log", payload: `{"time":"2022-07-18T09:39:57.311414029+00:00","level":"ERROR","code":"UPLINK_MIC","description":"MIC of join-request is invalid, make sure keys are correct"}`, want: "control"},
		{name: "location", source: docs, topic: "application/x/device/0101010101010101/event/location", payload: `{"deduplicationId":"63d870b9-b769-4d88-8b33-8e43f58851a7","time":"2022-07-18T09:55:11.059481003+00:00","location":{"latitude":37.344214,"longitude":-8.839375,"altitude":2}}`, want: "control"},
		{name: "objects and lists in the object", source: docs + "#integration---integration-event", topic: csTopic,
			payload: object(`{"stream_records":[[43.0,"0815a7f492bf248575caf492bf248725c874acb96799de"]],"dnlink":null,"pending_requests":{"id":10.0,"requests":[],"upcount":0.0,"updelay":32.0},"info_fields":{"voltage":{"timestamp":1648481184.757,"value":3.04},"temp":{"timestamp":1648481184.757,"value":25.0},"interval":null}}`),
			want:    "sn-z1/water/0101010101010101 1658136855775 seq=4 stream_records_0_0=43 pending_requests_id=10 pending_requests_upcount=0 pending_requests_updelay=32 info_fields_voltage_timestamp=1648481184.76 info_fields_voltage_value=3.04 info_fields_temp_timestamp=1648481184.76 info_fields_temp_value=25"},
		{name: "a mapper", source: "https://github.com/helium/mappers/pull/130", topic: "application/x/device/818b1b730405d0cf/event/up",
			payload: `{"deduplicationId":"xxx","time":"2024-07-23T03:15:37.161+00:00","deviceInfo":{"deviceName":"GK Mapper","devEui":"818b1b730405d0cf","deviceClassEnabled":"CLASS_A","tags":{}},"devAddr":"78000003","adr":false,"dr":3,"fCnt":12,"fPort":2,"confirmed":false,"data":"xxx","object":{"altitude":29.0,"speed":0.0,"battery":3.98,"sats":12.0,"accuracy":2.5},"rxInfo":[{"gatewayId":"464060cab5062e5a","uplinkId":57654,"gwTime":"2024-07-23T03:15:36.161+00:00","rssi":-106,"snr":-3.0}]}`,
			want:    "sn-z1/water/818b1b730405d0cf 1721704537161 seq=12 altitude=29 speed=0 battery_pct=3.98 sats=12 accuracy=2.5"},
		{name: "a water meter with its day", source: devices + "axioma/qalcosonic-w1-codec.yaml", topic: csTopic,
			payload: object(`{"payload_format":"AXIOMA_W1_ENHANCED_24H","frame_version":1,"payload_bytes":51,"timestamp_unix":1788390574,"timestamp_utc":"2026-09-02T23:09:34.000Z","status":0,"low_battery":false,"leakage":false,"log_volume_m3":5.938,"delta_1_m3":0,"delta_6_m3":0.014,"history_count":23,"history_total_m3":0.116,"current_volume_m3":6.054}`),
			want:    "sn-z1/water/0101010101010101 1658136855775 seq=4 frame_version=1 payload_bytes=51 timestamp_unix=1788390574 status=0 low_battery=0 leakage=0 log_volume_m3=5.938 delta_1_m3=0 delta_6_m3=0.014 history_count=23 history_total_m3=0.116 current_volume_m3=6.054"},
		{name: "a thermometer", source: devices + "dragino/lht65-codec.yaml", topic: csTopic,
			payload: object(`{"BatV": 3.062,"Bat_status": 3,"Ext_sensor": "Temperature Sensor","Hum_SHT": 88.6,"TempC_DS": 27.81,"TempC_SHT": 28.29}`),
			want:    "sn-z1/water/0101010101010101 1658136855775 seq=4 batv=3.062 bat_status=3 hum_sht=88.6 tempc_ds=27.81 tempc_sht=28.29"},
	})
}

func TestChirpstackVariants(t *testing.T) {
	testProfile(t, chirpstackSource, []profileTest{
		{name: "temperature", topic: csTopic, payload: csHead + `"dr":1,"fCnt":4,"fPort":1,"data":"qg==","object":{"temperatureSensor":{"1":25.0}},` + csTail, want: "sn-z1/water/0101010101010101 1658136855775 seq=4 temperaturesensor_1=25"},
		{name: "pulses", topic: csTopic, payload: csHead + `"fCnt":32,"fPort":85,"object":{"pulses":123,"battery":92,"leak":false,"status":"OK"},` + csTail, want: "sn-z1/water/0101010101010101 1658136855775 seq=32 volume_m3=1.23 battery_pct=92 leak=0"},
		{name: "native names", topic: csTopic, payload: csHead + `"fCnt":5,"object":{"volume_m3":12.5,"flow_m3h":0.25,"temperature_c":18},` + csTail, want: "sn-z1/water/0101010101010101 1658136855775 seq=5 volume_m3=12.5 flow_m3h=0.25 temperature_c=18"},
		{name: "array in the object", topic: csTopic, payload: csHead + `"fCnt":6,"object":{"adc":[1.5,2.5],"m":[{"v":1},{"v":2}]},` + csTail, want: "sn-z1/water/0101010101010101 1658136855775 seq=6 adc_0=1.5 adc_1=2.5 m_0_v=1 m_1_v=2"},
		{name: "texts of numbers", topic: csTopic, payload: csHead + `"fCnt":6,"object":{"TempC":"21.50","sn":"6785D"},` + csTail, want: "sn-z1/water/0101010101010101 1658136855775 seq=6 tempc=21.5"},
		{name: "a serial number that looks like a number", topic: csTopic, payload: csHead + `"fCnt":6,"object":{"sn":"6136e4308906","eui":"24E1241360502217","battery":92},` + csTail, want: "sn-z1/water/0101010101010101 1658136855775 seq=6 battery_pct=92"},
		{name: "a register that is beyond a double", topic: csTopic, payload: csHead + `"fCnt":6,"object":{"pulses":"6136e4308906"},` + csTail, want: "!not_finite"},
		{name: "null in the object", topic: csTopic, payload: csHead + `"fCnt":6,"object":{"a":null,"b":1},` + csTail, want: "sn-z1/water/0101010101010101 1658136855775 seq=6 b=1"},
		{name: "first uplink", topic: csTopic, payload: csHead + `"object":{"b":0},` + csTail, want: "sn-z1/water/0101010101010101 1658136855775 seq=0 b=0"},
		{name: "cut short", topic: csTopic, payload: csHead, want: "!bad_json"},
	})
}

// The trap of DOMAIN.md: an event that comes twice, with one deduplicationId, is
// one reading: same meter, time and number, which vetting drops.
func TestChirpstackTrapDeduplicationID(t *testing.T) {
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

// Uplinks of the manual and of users, and in the payload of the manual's what the
// Device Repository says codecs make of the messages of devices.
func TestTTN(t *testing.T) {
	const (
		docs    = "https://www.thethingsindustries.com/docs/integrations/data-formats/"
		devices = "https://github.com/TheThingsNetwork/lorawan-devices/blob/master/vendor/"
	)
	uplink := func(payload string) string {
		return ttnHead + `"f_port":1,"f_cnt":7,"frm_payload":"gkHe","decoded_payload":` + payload + `,` + ttnTail
	}
	testDocumented(t, ttnSource, []profileTest{
		{name: "uplink", source: docs, topic: ttnTopic,
			payload: `{"end_device_ids":{"device_id":"dev1","application_ids":{"application_id":"app1"},"dev_eui":"0004A30B001C0530","join_eui":"800000000000000C","dev_addr":"00BCB929"},"correlation_ids":["as:up:01E0WZGT6Y7657CPFPE5WEYDSQ"],"received_at":"2020-02-12T15:15:46.014773143Z","uplink_message":{"session_key_id":"AXA50tHUGUucuzS/bCGMNw==","f_cnt":1,"frm_payload":"gkHe","decoded_payload":{"temperature":1.0,"luminosity":0.64},"rx_metadata":[{"gateway_ids":{"gateway_id":"gtw1","eui":"9C5C8E00001A05C4"},"time":"2020-02-12T15:15:45.787Z","timestamp":2463457000,"rssi":-35,"channel_rssi":-35,"snr":5}],"settings":{"data_rate":{"lora":{"bandwidth":125000,"spreading_factor":7}},"coding_rate":"4/6","frequency":"868300000","timestamp":2463457000,"time":"2020-02-12T15:15:45.787Z"},"consumed_airtime":"0.056576s","locations":{"user":{"latitude":37.97155556731436,"longitude":23.72678801175413,"altitude":10}},"received_at":"2020-02-12T15:15:45.789585559Z"}}`,
			want:    "sn-z1/water/dev1 1581520546014 seq=1 temperature=1 luminosity=0.64"},
		{name: "join", source: docs, topic: "v3/app1@tenant1/devices/dev1/join", payload: `{"end_device_ids":{"device_id":"dev1"},"received_at":"2020-02-17T07:49:09.935284891Z","join_accept":{"session_key_id":"AXBSH1Pk6Z0G166RlH16CQ==","received_at":"2020-02-17T07:49:09.736532315Z"}}`, want: "control"},
		{name: "downlink acknowledged", source: docs, topic: "v3/app1@tenant1/devices/dev1/down/ack", payload: `{"end_device_ids":{"device_id":"dev1"},"received_at":"2020-02-17T10:32:24.590413417Z","downlink_ack":{"f_port":15,"f_cnt":1,"frm_payload":"vu8="}}`, want: "control"},
		{name: "downlink failed", source: docs, topic: "v3/app1@tenant1/devices/dev1/down/failed", payload: `{"end_device_ids":{"device_id":"dev1"},"downlink_failed":{"error":{"namespace":"pkg/networkserver","code":3}}}`, want: "control"},
		{name: "no formatter", source: docs, topic: ttnTopic, payload: ttnHead + `"f_port":1,"f_cnt":1,"frm_payload":"gkHe",` + ttnTail, want: "!no_values"},
		{name: "what the formatter returns", source: "https://www.thethingsindustries.com/docs/integrations/payload-formatters/javascript/uplink/", topic: ttnTopic, payload: uplink(`{"bytes":[1,2,3]}`), want: "sn-z1/water/dev1 1629132078188 seq=7 bytes_0=1 bytes_1=2 bytes_2=3"},
		{name: "a water meter with its day", source: devices + "axioma/qalcosonic-w1-codec.yaml", topic: ttnTopic,
			payload: uplink(`{"payload_format":"AXIOMA_W1_ENHANCED_24H","timestamp_unix":1788390574,"timestamp_utc":"2026-09-02T23:09:34.000Z","status":0,"pipe_empty":false,"burst":false,"log_volume_m3":5.938,"delta_8_m3":0.021,"history_total_m3":0.116,"current_volume_m3":6.054}`),
			want:    "sn-z1/water/dev1 1629132078188 seq=7 timestamp_unix=1788390574 status=0 pipe_empty=0 burst=0 log_volume_m3=5.938 delta_8_m3=0.021 history_total_m3=0.116 current_volume_m3=6.054"},
		{name: "a thermometer", source: devices + "dragino/lht65-codec.yaml", topic: ttnTopic, payload: uplink(`{"BatV": 3.062,"Bat_status": 3,"Ext_sensor": "Temperature Sensor","Hum_SHT": 88.6,"TempC_DS": 27.81,"TempC_SHT": 28.29}`), want: "sn-z1/water/dev1 1629132078188 seq=7 batv=3.062 bat_status=3 hum_sht=88.6 tempc_ds=27.81 tempc_sht=28.29"},
		{name: "normalized", source: "https://github.com/TheThingsNetwork/lorawan-devices/blob/master/lib/payload.json", topic: ttnTopic,
			payload: ttnHead + `"f_cnt":7,"decoded_payload":{"t":21.5},"normalized_payload":[{"air":{"temperature":21.5,"relativeHumidity":40,"pressure":990.1,"co2":600},"time":"2021-08-16T16:41:18Z"},{"soil":{"temperature":15,"moisture":33.5,"depth":10}}],` + ttnTail,
			want:    "sn-z1/water/dev1 1629132078188 seq=7 t=21.5 normalized_air_temperature_c=21.5 normalized_air_relativehumidity_pct=40 normalized_air_pressure_bar=0.9901 normalized_air_co2=600 normalized_2_soil_temperature_c=15 normalized_2_soil_moisture_pct=33.5 normalized_2_soil_depth_mm=100"},
		{name: "normalized, a message of its own", source: "https://www.thethingsindustries.com/docs/integrations/other-integrations/mqtt/", topic: "v3/app1@tenant1/devices/dev1/up/normalized",
			payload: `{"end_device_ids":{"device_id":"dev1"},"received_at":"2021-08-16T16:41:18.188927828Z","uplink_normalized":{"f_port":1,"f_cnt":7,"frm_payload":"gkHe","normalized_payload":{"air":{"temperature":21.5}},"rx_metadata":[{"rssi":-35}]}}`,
			want:    "sn-z1/water/dev1 1629132078188 seq=7 normalized_air_temperature_c=21.5"},
	})
}

func TestTTNVariants(t *testing.T) {
	testProfile(t, ttnSource, []profileTest{
		{name: "environment", topic: ttnTopic, payload: ttnHead + `"f_port":85,"f_cnt":32,"frm_payload":"A2f2AARofQ==","decoded_payload":{"activity":1,"co2":569,"humidity":62.5,"pressure":966.6,"temperature":24.6},` + ttnTail, want: "sn-z1/water/dev1 1629132078188 seq=32 activity=1 co2=569 humidity=62.5 pressure=966.6 temperature=24.6"},
		{name: "level", topic: ttnTopic, payload: ttnHead + `"f_port":1,"f_cnt":7,"decoded_payload":{"distanceCm":150,"waterLevelCm":50,"batteryV":3.6,"status":"OK","timestamp":1628000000},` + ttnTail, want: "sn-z1/water/dev1 1629132078188 seq=7 distancecm=150 tank_level_m=0.5 batteryv=3.6 timestamp=1628000000"},
		{name: "texts of numbers", topic: ttnTopic, payload: ttnHead + `"f_cnt":8,"decoded_payload":{"TempC_SHT":"25.30","mode":"A"},` + ttnTail, want: "sn-z1/water/dev1 1629132078188 seq=8 tempc_sht=25.3"},
		{name: "nested", topic: ttnTopic, payload: ttnHead + `"f_cnt":8,"decoded_payload":{"gps":{"lat":33.5,"lon":36.3},"list":[1]},` + ttnTail, want: "sn-z1/water/dev1 1629132078188 seq=8 gps_lat=33.5 gps_lon=36.3 list_0=1"},
		{name: "boolean", topic: ttnTopic, payload: ttnHead + `"f_cnt":8,"decoded_payload":{"leak":true},` + ttnTail, want: "sn-z1/water/dev1 1629132078188 seq=8 leak=1"},
		{name: "names with signs", topic: ttnTopic, payload: ttnHead + `"f_cnt":8,"decoded_payload":{"Water Level (mm)":5,"°C":20},` + ttnTail, want: "sn-z1/water/dev1 1629132078188 seq=8 water_level_mm=5 c=20"},
		{name: "several warnings", topic: ttnTopic, payload: ttnHead + `"f_cnt":9,"decoded_payload":{"a":1},"decoded_payload_warnings":["x"],` + ttnTail, want: "sn-z1/water/dev1 1629132078188 seq=9 a=1"},
		{name: "cut short", topic: ttnTopic, payload: ttnHead, want: "!bad_json"},
	})
}

// The trap of DOMAIN.md: what is zero may be left out.
func TestTTNTrapZeroIsLeftOut(t *testing.T) {
	testProfile(t, ttnSource, []profileTest{
		{name: "no f_cnt, no f_port", topic: ttnTopic, payload: ttnHead + `"decoded_payload":{"a":0},` + ttnTail, want: "sn-z1/water/dev1 1629132078188 seq=0 a=0"},
	})
}
