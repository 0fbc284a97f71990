package decode_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/imdad-telemetry/imdad/collector/decode"
	pb "github.com/imdad-telemetry/imdad/collector/decode/sparkplugpb"
	"github.com/imdad-telemetry/imdad/collector/meter"
)

// metersOf writes n metrics of a meter: with names, types and units, or by alias.
func metersOf(n int, named bool) string {
	var metrics []string
	for i := range n {
		if named {
			metrics = append(metrics, fmt.Sprintf(`{"name":"Phase %d/Active Power","alias":%d,"timestamp":%d,"dataType":"Float","properties":{"engUnit":{"type":"String","value":"W"}},"value":%d.5}`, i, i, arrived, i))
		} else {
			metrics = append(metrics, fmt.Sprintf(`{"alias":%d,"timestamp":%d,"as":"Float","value":%d.5}`, i, arrived, i))
		}
	}
	return strings.Join(metrics, ",")
}

// BenchmarkSparkplug decodes data by alias and births of 20 metrics; the target
// is 1.5 µs a metric.
func BenchmarkSparkplug(b *testing.B) {
	const metrics = 20
	birth := decode.Message{Topic: "spBv1.0/g/DBIRTH/n/d", Received: arrived,
		Payload: encode(b, fmt.Sprintf(`{"timestamp":%d,"seq":1,"metrics":[%s]}`, arrived, metersOf(metrics, true)))}
	data := decode.Message{Topic: "spBv1.0/g/DDATA/n/d", Received: arrived,
		Payload: encode(b, fmt.Sprintf(`{"timestamp":%d,"seq":1,"metrics":[%s]}`, arrived, metersOf(metrics, false)))}
	for name, m := range map[string]decode.Message{"data": data, "birth": birth} {
		b.Run(name, func(b *testing.B) {
			d := decode.New([]decode.Source{sparkplugSource}, meter.NewCatalog(10))
			var out decode.Readings
			if _, err := d.Decode(birth, &out); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(m.Payload)))
			for b.Loop() {
				if _, err := d.Decode(m, &out); err != nil || len(out.All()) != 1 {
					b.Fatal(err, out.All())
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/metrics, "ns/metric")
		})
	}
}

// BenchmarkSparkplugUnmarshal does the same to the same data with the generated
// types, without making readings of it; see sparkplug_wire.go.
func BenchmarkSparkplugUnmarshal(b *testing.B) {
	const metrics = 20
	payload := encode(b, fmt.Sprintf(`{"timestamp":%d,"seq":1,"metrics":[%s]}`, arrived, metersOf(metrics, false)))
	b.ReportAllocs()
	for b.Loop() {
		var p pb.Payload
		if err := proto.Unmarshal(payload, &p); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/metrics, "ns/metric")
}

// What is made to cost most stays within the bounds of the other profiles.
func TestSparkplugWorstPayloads(t *testing.T) {
	metric := func(fields ...[]byte) []byte {
		var m []byte
		for _, f := range fields {
			m = append(m, f...)
		}
		return protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), m)
	}
	varint := func(n protowire.Number, v uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, n, protowire.VarintType), v)
	}
	name := func(i int) []byte {
		return protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), fmt.Sprintf("%x", i))
	}
	repeat := func(n int, f func(i int) []byte) []byte {
		var p []byte
		for i := range n {
			p = append(p, f(i)...)
		}
		return p
	}
	for title, tt := range map[string]struct {
		verb    string
		payload []byte
		want    string
	}{
		"empty metrics":     {"NDATA", repeat(60_000, func(int) []byte { return metric() }), "no_birth"},
		"names and aliases": {"NBIRTH", repeat(2_500, func(i int) []byte { return metric(name(i), varint(2, uint64(i)), varint(4, 3), varint(10, 1)) }), ""},
		"too many names":    {"NBIRTH", repeat(4_000, func(i int) []byte { return metric(name(i), varint(4, 3), varint(10, 1)) }), "too_large"},
		"names of data":     {"NDATA", repeat(2_500, func(i int) []byte { return metric(name(i), varint(4, 3), varint(10, 1)) }), ""},
		"many times":        {"NDATA", repeat(4_500, func(i int) []byte { return metric(name(0), varint(3, uint64(i)), varint(4, 3), varint(10, 1)) }), ""},
		"too many times":    {"NDATA", repeat(6_000, func(i int) []byte { return metric(name(0), varint(3, uint64(i)), varint(4, 3), varint(10, 1)) }), "too_large"},
		"unknown fields":    {"NDATA", repeat(100_000, func(int) []byte { return varint(100, 1) }), ""},
		"keys of a set": {"NBIRTH", metric(name(0), varint(4, 3), varint(10, 1), protowire.AppendBytes(protowire.AppendTag(nil, 9, protowire.BytesType),
			[]byte(strings.Repeat("\x0a\x00", 100_000)))), ""},
	} {
		t.Run(title, func(t *testing.T) {
			d := decode.New([]decode.Source{sparkplugSource}, meter.NewCatalog(1000))
			m := decode.Message{Topic: "spBv1.0/g/" + tt.verb + "/n", Payload: tt.payload, Received: arrived}
			var out decode.Readings
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := d.Decode(m, &out)
			runtime.ReadMemStats(&after)
			n := after.TotalAlloc - before.TotalAlloc
			if t.Logf("%d bytes allocated for %d, %d readings", n, len(m.Payload), len(out.All())); n > 16*uint64(len(m.Payload))+constant {
				t.Error("too many")
			}
			var reject *decode.Reject
			if errors.As(err, &reject) != (tt.want != "") || reject != nil && string(reject.Reason) != tt.want {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// FuzzSparkplug feeds a decoder that knows births with anything: as fuzzProfile
// does, and what it saves can be restored.
func FuzzSparkplug(f *testing.F) {
	topics := []string{"NBIRTH/n", "NDATA/n", "NDEATH/n", "DBIRTH/n/d", "DDATA/n/d", "DDEATH/n/d", "NDATA/other", "DDATA/n/other"}
	for i := range topics {
		f.Add(uint8(i), []byte{}, i%2 == 0)
		f.Add(uint8(i), encode(f, nbirth(nodeX+`,{"name":"y/z","alias":2,"dataType":"Int8","isHistorical":true,"properties":{"engUnit":{"type":"String","value":"W"},"Quality":{"type":"Int32","value":0}},"value":-5}`)), false)
		f.Add(uint8(i), encode(f, values(1, arrived, 5, 6, 7)), false)
		f.Add(uint8(i), encode(f, ndeath(0)), false)
		f.Add(uint8(i), encode(f, `{"seq":2,"metrics":[{"name":"t","dataType":"Template","value":"x"},{"alias":2,"as":"DataSet","value":"x"}]}`), true)
	}
	birth := encode(f, nbirth(nodeX+`,{"name":"b","alias":2,"dataType":"Boolean","value":true}`))
	device := encode(f, `{"timestamp":1795421700000,"seq":1,"metrics":[`+nodeX+`,{"name":"Energy/Import","alias":3,"dataType":"UInt64","value":7}]}`)
	f.Fuzz(func(t *testing.T, topic uint8, payload []byte, retained bool) {
		d := decode.New([]decode.Source{sparkplugSource}, meter.NewCatalog(1000))
		var out decode.Readings
		for topic, payload := range map[string][]byte{"spBv1.0/g/NBIRTH/n": birth, "spBv1.0/g/DBIRTH/n/d": device} {
			if _, err := d.Decode(decode.Message{Topic: topic, Payload: payload, Received: arrived}, &out); err != nil {
				t.Fatal(err)
			}
		}
		m := decode.Message{Topic: "spBv1.0/g/" + topics[int(topic)%len(topics)], Payload: payload, Retained: retained, Received: arrived}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		result, err := d.Decode(m, &out)
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
		for _, s := range out.Saved() {
			if s.Value == nil {
				continue
			}
			if err := decode.New([]decode.Source{sparkplugSource}, meter.NewCatalog(1000)).Restore(s.Key, s.Value); err != nil {
				t.Fatalf("saved what cannot be restored: %v", err)
			}
		}
		d.Commands(arrived+10_000, nil)
	})
}
