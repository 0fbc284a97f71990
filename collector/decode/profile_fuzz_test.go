package decode_test

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
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
	f.Add(topic, []byte(`[{"n":"k1","v":1,"t":1795421700},{"v":2,"n":7,"t":1795421700},{"n":"","v":3}]`), false)
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
const constant = 4 << 20

// What is made to cost most must stay within the same bounds.
func TestWorstPayloads(t *testing.T) {
	var paths, long, named strings.Builder
	for i := range 1020 {
		fmt.Fprintf(&paths, `"k%d":1,`, i)
		fmt.Fprintf(&long, `"%s%d":1,`, strings.Repeat("k", 200), i)
	}
	for i := range 680 {
		fmt.Fprintf(&named, `{"n":"k%d","v":1,"t":1795421700},`, i)
	}
	tests := map[string]struct {
		source         decode.Source
		topic, payload string
		want           string
	}{
		"many readings":  {tbGateway, "v1/gateway/telemetry", `{"D":[` + strings.Repeat(`{"a":1},`, decode.MaxReadings) + `{"a":1}]}`, "!too_large"},
		"many devices":   {tbGateway, "v1/gateway/telemetry", `{` + strings.Repeat(`"D":[{"a":1}],`, 4000) + `"D":[{"a":1}]}`, ""},
		"many registers": {zigbeeSource, "zigbee2mqtt/x", `{` + paths.String() + `"z":1}`, ""},
		"long names":     {zigbeeSource, "zigbee2mqtt/x", `{` + long.String() + `"z":1}`, ""},
		"deep":           {zigbeeSource, "zigbee2mqtt/x", strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), "!too_deep"},
		"a long path":    {zigbeeSource, "zigbee2mqtt/x", `{"` + strings.Repeat("a", 600) + `":1}`, "!bad_name"},
		"many notes":     {tasmotaSource, "tele/x/SENSOR", `{` + strings.Repeat(`"TempUnit":"C",`, 10_000) + `"a":{"Temperature":1}}`, "!duplicate_key"},
		"many names":     {namedSource, "gw/z/m", `[` + named.String() + `{"n":"z","v":1,"t":1795421700}]`, ""},
		"many channels":  {shellySource, "d/status/em:0", `{"id":0,` + paths.String() + `"z":1}`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := decode.New([]decode.Source{tt.source}, meter.NewCatalog(1<<16))
			m := decode.Message{Topic: tt.topic, Payload: []byte(tt.payload), Received: arrived}
			var out decode.Readings
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := d.Decode(m, &out)
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > 16*uint64(len(m.Payload))+constant {
				t.Errorf("%d bytes allocated for %d", n, len(m.Payload))
			} else {
				t.Logf("%d bytes allocated for %d", n, len(m.Payload))
			}
			if got := read(d, m); tt.want != "" && got != tt.want || tt.want == "" && err != nil {
				t.Errorf("got %.80s, %v; want %s", got, err, tt.want)
			}
		})
	}
}

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
func FuzzJSONNames(f *testing.F)   { fuzzProfile(f, namedSource, "gw/z/m") }
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
