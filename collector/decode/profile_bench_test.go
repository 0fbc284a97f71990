package decode_test

import (
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/meter"
)

// BenchmarkProfile decodes a usual message of each profile, again and again.
func BenchmarkProfile(b *testing.B) {
	for _, bench := range typical {
		b.Run(bench.source.Profile+" "+bench.source.Name, func(b *testing.B) {
			d := decode.New([]decode.Source{bench.source}, meter.NewCatalog(10))
			var out decode.Readings
			m := decode.Message{Topic: bench.topic, Payload: []byte(bench.payload), Received: arrived}
			b.ReportAllocs()
			b.SetBytes(int64(len(m.Payload)))
			readings := 0
			for b.Loop() {
				if _, err := d.Decode(m, &out); err != nil {
					b.Fatal(err)
				}
				readings += len(out.All())
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(readings), "ns/reading")
		})
	}
}

// typical is a usual message of each profile.
var typical = []struct {
	source         decode.Source
	topic, payload string
}{
	{tasmotaSource, "tele/sonoff_desk/SENSOR", `{"Time":"2023-05-19T20:52:56","ENERGY":{"TotalStartTime":"2022-03-20T15:20:48","Total":514.153,"Yesterday":1.495,"Today":0.537,"Period":0,"Power":56,"ApparentPower":92,"ReactivePower":73,"Factor":0.61,"Voltage":234,"Current":0.392}}`},
	{shellySource, "shellyproem50-x/events/rpc", `{"src":"shellyproem50-x","dst":"m","method":"NotifyStatus","params":{"ts":1788820998,"em1:0":{"id":0,"current":0.08,"voltage":234.9,"act_power":0,"aprt_power":18.7,"pf":0,"freq":50,"calibration":"factory"},"em1:1":{"id":1,"current":2.598,"voltage":234.9,"act_power":501.8,"aprt_power":612.4,"pf":0.84,"freq":50,"calibration":"factory"}}}`},
	{wmbusSource, "wmbusmeters/x", `{"_":"telegram","media":"cold water","meter":"multical21","name":"MyWater","id":"76348799","status":"DRY","total_m3":6.408,"target_m3":6.408,"flow_temperature_c":127,"external_temperature_c":19,"current_status":"DRY","time_dry":"22-31 days","time_reversed":"","timestamp":"2026-11-23T08:15:00Z"}`},
	{jsonSource, "city/sn-z1/gw7", `{"at":"23.11.2026 11:15:00","meters":[{"sn":"4711","e":12.5,"p":{"l1":100,"l2":200,"l3":300}},{"sn":"4712","e":13.5,"p":{"l1":100,"l2":200,"l3":300}}]}`},
	{zigbeeSource, "zigbee2mqtt/plug", `{"child_lock":"UNLOCK","current":0.5,"energy":1.86,"linkquality":84,"power":115,"state":"ON","update":{"installed_version":77,"latest_version":77,"state":"idle"},"voltage":229}`},
	{tbDevice, "m1/v1/devices/me/telemetry", `{"ts":1451649600512,"values":{"press":250,"m3/h":1.5,"volume_m3":"12.5"}}`},
	{tbGateway, "v1/gateway/telemetry", `{"Device A":[{"ts":1483228800000,"values":{"temperature":42,"humidity":80}},{"ts":1483228801000,"values":{"temperature":43,"humidity":82}}],"Device B":[{"ts":1483228800000,"values":{"temperature":42,"humidity":80}}]}`},
	{chirpstackSource, csTopic, csHead + `"fCnt":32,"fPort":85,"object":{"pulses":123,"battery":92,"leak":false,"status":"OK"},` + csTail},
	{ttnSource, ttnTopic, ttnHead + `"f_port":1,"f_cnt":7,"decoded_payload":{"distanceCm":150,"waterLevelCm":50,"batteryV":3.6,"status":"OK"},` + ttnTail},
	{dsmrSource, "dsmr/json", `{"id":1234,"timestamp":"2020-12-01T10:00:00+01:00","electricity_delivered_1":"1234.567","electricity_returned_1":"0.000","electricity_delivered_2":"2000.433","electricity_returned_2":"1.5","electricity_currently_delivered":"0.250","electricity_currently_returned":"0.000"}`},
	{victronSource, "N/e0ff50a097c0/grid/30/Ac/Power", `{"value": 1205.5}`},
	{valueSource, "plant/sn-z1/electricity/m1/P", "431200"},
}
