package decode_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/imdad-telemetry/imdad/collector/decode"
	pb "github.com/imdad-telemetry/imdad/collector/decode/sparkplugpb"
	"github.com/imdad-telemetry/imdad/collector/meter"
)

// written is a payload as the specification writes them down: JSON that stands
// for protocol buffers (section 6.4.2).
type written struct {
	Timestamp *uint64         `json:"timestamp"`
	Seq       *uint64         `json:"seq"`
	Metrics   []writtenMetric `json:"metrics"`
}

type writtenMetric struct {
	Name         *string                    `json:"name"`
	Alias        *uint64                    `json:"alias"`
	Timestamp    *uint64                    `json:"timestamp"`
	DataType     string                     `json:"dataType"`
	As           string                     `json:"as"` // the type of the value, where the message does not say it
	IsHistorical bool                       `json:"isHistorical"`
	IsTransient  bool                       `json:"isTransient"`
	IsNull       bool                       `json:"isNull"`
	Properties   map[string]writtenProperty `json:"properties"`
	Value        any                        `json:"value"`
}

type writtenProperty struct {
	Type  string `json:"type"`
	Value any    `json:"value"`
}

// encode makes the bytes that the text stands for.
func encode(t testing.TB, text string) []byte {
	t.Helper()
	var w written
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	d.UseNumber()
	if err := d.Decode(&w); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	p := &pb.Payload{Timestamp: w.Timestamp, Seq: w.Seq}
	for _, m := range w.Metrics {
		p.Metrics = append(p.Metrics, m.message(t))
	}
	payload, err := proto.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

func (w writtenMetric) message(t testing.TB) *pb.Payload_Metric {
	t.Helper()
	m := &pb.Payload_Metric{Name: w.Name, Alias: w.Alias, Timestamp: w.Timestamp}
	flag := func(set bool) *bool {
		if set {
			return proto.Bool(true)
		}
		return nil
	}
	m.IsHistorical, m.IsTransient, m.IsNull = flag(w.IsHistorical), flag(w.IsTransient), flag(w.IsNull)
	if w.DataType != "" {
		m.Datatype = proto.Uint32(uint32(dataType(t, w.DataType)))
	}
	if len(w.Properties) > 0 {
		m.Properties = &pb.Payload_PropertySet{}
		for key, v := range w.Properties {
			m.Properties.Keys = append(m.Properties.Keys, key)
			m.Properties.Values = append(m.Properties.Values, v.message(t))
		}
	}
	if w.Value == nil {
		return m
	}
	kind := dataType(t, w.DataType+w.As)
	number, _ := w.Value.(json.Number)
	switch kind {
	case pb.DataType_Int8, pb.DataType_Int16, pb.DataType_Int32, pb.DataType_UInt8, pb.DataType_UInt16, pb.DataType_UInt32:
		m.Value = &pb.Payload_Metric_IntValue{IntValue: uint32(integer(t, number))}
	case pb.DataType_Int64, pb.DataType_UInt64, pb.DataType_DateTime:
		m.Value = &pb.Payload_Metric_LongValue{LongValue: integer(t, number)}
	case pb.DataType_Float, pb.DataType_Double:
		v, err := number.Float64()
		if err != nil {
			t.Fatal(err)
		}
		if m.Value = (&pb.Payload_Metric_DoubleValue{DoubleValue: v}); kind == pb.DataType_Float {
			m.Value = &pb.Payload_Metric_FloatValue{FloatValue: float32(v)}
		}
	case pb.DataType_Boolean:
		m.Value = &pb.Payload_Metric_BooleanValue{BooleanValue: w.Value.(bool)}
	case pb.DataType_String, pb.DataType_Text, pb.DataType_UUID:
		m.Value = &pb.Payload_Metric_StringValue{StringValue: w.Value.(string)}
	case pb.DataType_DataSet:
		m.Value = &pb.Payload_Metric_DatasetValue{DatasetValue: &pb.Payload_DataSet{
			NumOfColumns: proto.Uint64(1), Columns: []string{"a"}, Types: []uint32{uint32(pb.DataType_Double)},
			Rows: []*pb.Payload_DataSet_Row{{Elements: []*pb.Payload_DataSet_DataSetValue{{Value: &pb.Payload_DataSet_DataSetValue_DoubleValue{DoubleValue: 1}}}}},
		}}
	case pb.DataType_Template:
		m.Value = &pb.Payload_Metric_TemplateValue{TemplateValue: &pb.Payload_Template{
			TemplateRef: proto.String("motor"), IsDefinition: proto.Bool(false),
			Metrics: []*pb.Payload_Metric{{Name: proto.String("rpm"), Value: &pb.Payload_Metric_DoubleValue{DoubleValue: 1500}}},
		}}
	default:
		m.Value = &pb.Payload_Metric_BytesValue{BytesValue: []byte(w.Value.(string))}
	}
	return m
}

func (w writtenProperty) message(t testing.TB) *pb.Payload_PropertyValue {
	t.Helper()
	v := &pb.Payload_PropertyValue{Type: proto.Uint32(uint32(dataType(t, w.Type)))}
	switch x := w.Value.(type) {
	case string:
		v.Value = &pb.Payload_PropertyValue_StringValue{StringValue: x}
	case json.Number:
		v.Value = &pb.Payload_PropertyValue_IntValue{IntValue: uint32(integer(t, x))}
	}
	return v
}

// integer returns the two's complement of a signed number, as it travels.
func integer(t testing.TB, n json.Number) uint64 {
	t.Helper()
	var v uint64
	if _, err := fmt.Sscan(strings.TrimPrefix(n.String(), "-"), &v); err != nil {
		t.Fatalf("%q: %v", n, err)
	}
	if strings.HasPrefix(n.String(), "-") {
		return -v
	}
	return v
}

func dataType(t testing.TB, name string) pb.DataType {
	t.Helper()
	v, ok := pb.DataType_value[name]
	if !ok {
		t.Fatalf("no datatype %q", name)
	}
	return pb.DataType(v)
}

// plant is a collector with what it has saved.
type plant struct {
	t     testing.TB
	d     *decode.Decoder
	saved map[string][]byte
	now   int64
}

var sparkplugSource = decode.Source{Name: "plant", Topics: []string{"spBv1.0/#"}, Profile: "sparkplug-b", Host: "imdad"}

func newPlant(t testing.TB, source decode.Source) *plant {
	t.Helper()
	if errs := source.Validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	return &plant{t: t, d: decode.New([]decode.Source{source}, meter.NewCatalog(1000)), saved: make(map[string][]byte), now: arrived}
}

// gets takes a message and writes down what came of it.
func (p *plant) gets(topic, text string) string {
	p.t.Helper()
	return p.take(decode.Message{Topic: topic, Payload: encode(p.t, text), Received: p.now})
}

func (p *plant) take(m decode.Message) string {
	p.t.Helper()
	var out decode.Readings
	result, err := p.d.Decode(m, &out)
	var reject *decode.Reject
	if errors.As(err, &reject) {
		return "!" + string(reject.Reason)
	}
	for _, s := range out.Saved() {
		if s.Value == nil {
			delete(p.saved, s.Key)
		} else {
			p.saved[s.Key] = append([]byte(nil), s.Value...)
		}
	}
	var lines []string
	if g := out.Gateway(); g != nil {
		lines = append(lines, fmt.Sprintf("gateway %s/%s online=%v", g.Zone, g.ID, g.Online))
	}
	for _, s := range out.Stale() {
		lines = append(lines, fmt.Sprintf("stale %s/%s/%s", s.Zone, s.Utility, s.Meter))
	}
	for i := range out.All() {
		r := &out.All()[i]
		at := fmt.Sprint(r.Time)
		if r.Time == p.now {
			at = "received"
		}
		line := fmt.Sprintf("%s/%s/%s %s", r.Series.Zone, r.Series.Utility, r.Series.Meter, at)
		if r.Historical {
			line += " historical"
		}
		lines = append(lines, line+attributes(r))
	}
	switch {
	case result == decode.Ignored:
		lines = append(lines, "ignored")
	case result == decode.Control && len(lines) == 0:
		lines = append(lines, "control")
	}
	return strings.Join(lines, "\n")
}

// expect takes a message and compares.
func (p *plant) expect(topic, text, want string) {
	p.t.Helper()
	if got := p.gets(topic, text); got != want {
		p.t.Errorf("%s\ngot\n%s\nwant\n%s", topic, got, want)
	}
}

// asks returns the topics of the commands due after some ms.
func (p *plant) asks(after int64) []string {
	p.t.Helper()
	p.now += after
	var topics []string
	for _, c := range p.d.Commands(p.now, nil) {
		if c.Announce {
			topics = append(topics, "announce")
			continue
		}
		topics = append(topics, c.Topic)
	}
	return topics
}

// restarts replaces the collector by a new one that is given what was saved.
func (p *plant) restarts(source decode.Source) {
	p.t.Helper()
	p.d = decode.New([]decode.Source{source}, meter.NewCatalog(1000))
	for key, value := range p.saved {
		if err := p.d.Restore(key, value); err != nil {
			p.t.Fatal(err)
		}
	}
}
