package decode_test

import (
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/meter"
)

// BenchmarkProfile decodes a usual message of each profile, again and again.
func BenchmarkProfile(b *testing.B) {
	for _, bench := range typical {
		b.Run(bench.source.Profile, func(b *testing.B) {
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
}
