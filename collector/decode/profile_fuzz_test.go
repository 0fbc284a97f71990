package decode_test

import (
	"errors"
	"math"
	"runtime"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/meter"
)

// fuzzProfile feeds one profile with anything: it must not panic, nor take more
// memory than 16 times the payload and a constant, nor make a reading without
// a meter or a time.
func fuzzProfile(f *testing.F, source decode.Source, topic string) {
	for _, t := range typical {
		if t.source.Profile == source.Profile {
			f.Add(topic, []byte(t.payload), false)
		}
	}
	f.Add(topic, []byte(`{"a":[1,{"b":null}],"":"1.5","time":"2026-11-23T08:15:00Z"}`), true)
	f.Add(topic, []byte(`[[{"ts":1,"values":{"p":"1e400"}}]]`), false)
	f.Add(topic, []byte(`{"p":NaN}`), false)
	f.Add(topic, []byte("431.2"), false)
	f.Fuzz(func(t *testing.T, topic string, payload []byte, retained bool) {
		d := decode.New([]decode.Source{source}, meter.NewCatalog(1000))
		var out decode.Readings
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		result, err := d.Decode(decode.Message{Topic: topic, Payload: payload, Retained: retained, Received: arrived}, &out)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 16*uint64(len(payload))+constant {
			t.Fatalf("%d bytes allocated for %d", n, len(payload))
		}
		var reject *decode.Reject
		if err != nil && !errors.As(err, &reject) {
			t.Fatalf("an error that is not a Reject: %v", err)
		}
		if stored := err == nil && result == decode.Decoded; stored != (len(out.All()) > 0) {
			t.Fatalf("result %d, error %v, %d readings", result, err, len(out.All()))
		}
		for i := range out.All() {
			checkReading(t, &out.All()[i])
		}
	})
}

// constant is what a message may cost besides: the paths it brings for the
// first time, of which there are at most 2·MaxRegisters, and the first
// reading's memory.
const constant = 8 << 20

func checkReading(t *testing.T, r *meter.Reading) {
	t.Helper()
	switch {
	case r.Series == nil || !meter.ValidMeterID(r.Series.Meter) || !meter.ValidMeterID(r.Series.Zone) || !r.Series.Utility.Valid():
		t.Fatalf("illegal series %+v", r.Series)
	case r.Time == 0 && r.Series == nil:
		t.Fatal("no time")
	case len(r.Values) == 0:
		t.Fatal("no values")
	}
	seen := make(map[string]bool)
	for _, v := range r.Values {
		if !meter.ValidRegister(v.Register) || seen[v.Register] || math.IsInf(v.Value, 0) || math.IsNaN(v.Value) {
			t.Fatalf("register %q = %v", v.Register, v.Value)
		}
		seen[v.Register] = true
	}
}

func FuzzTasmota(f *testing.F)     { fuzzProfile(f, tasmotaSource, "tele/p/SENSOR") }
func FuzzShelly(f *testing.F)      { fuzzProfile(f, shellySource, "d/events/rpc") }
func FuzzWmbusmeters(f *testing.F) { fuzzProfile(f, wmbusSource, "wmbusmeters/x") }
func FuzzJSON(f *testing.F)        { fuzzProfile(f, jsonSource, "city/sn-z1/gw7") }
func FuzzZigbee2MQTT(f *testing.F) { fuzzProfile(f, zigbeeSource, "zigbee2mqtt/plug") }
func FuzzThingsboardDevice(f *testing.F) {
	fuzzProfile(f, tbDevice, "m1/v1/devices/me/telemetry")
}
func FuzzThingsboardGateway(f *testing.F) { fuzzProfile(f, tbGateway, "v1/gateway/telemetry") }
func FuzzChirpstack(f *testing.F)         { fuzzProfile(f, chirpstackSource, csTopic) }
func FuzzTTN(f *testing.F)                { fuzzProfile(f, ttnSource, ttnTopic) }
func FuzzDSMRJSON(f *testing.F)           { fuzzProfile(f, dsmrSource, "dsmr/json") }
func FuzzDSMRValue(f *testing.F)          { fuzzProfile(f, dsmrSource, "dsmr/reading/electricity_delivered_1") }
func FuzzVictron(f *testing.F)            { fuzzProfile(f, victronSource, "N/p/grid/30/Ac/Power") }
func FuzzValue(f *testing.F)              { fuzzProfile(f, valueSource, "plant/sn-z1/electricity/m1/P") }
