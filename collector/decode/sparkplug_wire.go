package decode

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	pb "github.com/imdad-telemetry/imdad/collector/decode/sparkplugpb"
)

// Messages are read field by field and not with proto.Unmarshal, births as well.
// It would make objects of a hundred times what a small hostile payload has in
// bytes (an empty metric is two bytes there, and about 200 in memory) and build
// the data sets and templates that nobody reads. It also costs about three times as
// much: 210 ns and 4.5 allocations a metric for the objects alone, where 76 ns and
// one allocation a message are enough to make the reading (BenchmarkSparkplug,
// BenchmarkSparkplugUnmarshal, in one run).

// sparkplugMessage is what the collector reads of a payload. Its metrics are read
// one at a time, each time anew: nothing is kept of a message that may have
// hundreds of thousands of them.
type sparkplugMessage struct {
	payload []byte
	time    uint64
	seq     uint64
	timed   bool
	hasSeq  bool
	metric  sparkplugMetric // reused
}

// carrier is the field of a metric that has the value.
type carrier uint8

const (
	carriesNothing carrier = iota
	carriesInt             // of 32 bits
	carriesLong            // of 64 bits
	carriesFloat
	carriesDouble
	carriesBool
	carriesText
	carriesOther // bytes, a data set, a template or something newer
)

// sparkplugMetric is one metric. Its slices alias the payload.
type sparkplugMetric struct {
	name       []byte
	text       []byte
	properties []byte
	alias      uint64
	time       uint64
	bits       uint64 // of the value
	datatype   uint32
	carrier    carrier
	hasAlias   bool
	timed      bool
	typed      bool
	historical bool
	transient  bool
	null       bool
}

// Field numbers of the messages, as in sparkplug.proto.
const (
	payloadTimestamp protowire.Number = 1
	payloadMetrics   protowire.Number = 2
	payloadSeq       protowire.Number = 3

	metricName       protowire.Number = 1
	metricAlias      protowire.Number = 2
	metricTimestamp  protowire.Number = 3
	metricDatatype   protowire.Number = 4
	metricHistorical protowire.Number = 5
	metricTransient  protowire.Number = 6
	metricNull       protowire.Number = 7
	metricProperties protowire.Number = 9
	metricInt        protowire.Number = 10
	metricLong       protowire.Number = 11
	metricFloat      protowire.Number = 12
	metricDouble     protowire.Number = 13
	metricBool       protowire.Number = 14
	metricString     protowire.Number = 15
	metricBytes      protowire.Number = 16
	metricExtension  protowire.Number = 19 // the last of the values

	setKeys   protowire.Number = 1
	setValues protowire.Number = 2

	propertyInt    protowire.Number = 3
	propertyLong   protowire.Number = 4
	propertyString protowire.Number = 8
)

// eachField calls do for every field of a message: with its number where it is
// a varint or fixed (bits) or of a length (data).
func eachField(message []byte, do func(n protowire.Number, t protowire.Type, bits uint64, data []byte)) *Reject {
	for at := 0; at < len(message); {
		n, t, size := protowire.ConsumeTag(message[at:])
		if size < 0 {
			return badProtobuf(size)
		}
		at += size
		var bits uint64
		var data []byte
		switch t {
		case protowire.VarintType:
			bits, size = protowire.ConsumeVarint(message[at:])
		case protowire.Fixed32Type:
			var v uint32
			v, size = protowire.ConsumeFixed32(message[at:])
			bits = uint64(v)
		case protowire.Fixed64Type:
			bits, size = protowire.ConsumeFixed64(message[at:])
		case protowire.BytesType:
			data, size = protowire.ConsumeBytes(message[at:])
		default:
			size = protowire.ConsumeFieldValue(n, t, message[at:])
		}
		if size < 0 {
			return badProtobuf(size)
		}
		at += size
		do(n, t, bits, data)
	}
	return nil
}

func badProtobuf(size int) *Reject {
	return &Reject{BadProtobuf, fmt.Sprintf("not a Sparkplug B payload: %v", protowire.ParseError(size))}
}

// read reads what is common to all metrics of a payload.
func (m *sparkplugMessage) read(payload []byte) *Reject {
	*m = sparkplugMessage{payload: payload}
	return eachField(payload, func(n protowire.Number, t protowire.Type, bits uint64, _ []byte) {
		switch {
		case t != protowire.VarintType:
		case n == payloadTimestamp:
			m.time, m.timed = bits, true
		case n == payloadSeq:
			m.seq, m.hasSeq = bits, true
		}
	})
}

// each calls do for every metric, until it refuses one. The metric is valid
// during the call.
func (m *sparkplugMessage) each(do func(*sparkplugMetric) *Reject) *Reject {
	var inner *Reject
	reject := eachField(m.payload, func(n protowire.Number, t protowire.Type, _ uint64, data []byte) {
		if n != payloadMetrics || t != protowire.BytesType || inner != nil {
			return
		}
		m.metric = sparkplugMetric{}
		if inner = m.metric.read(data); inner == nil {
			inner = do(&m.metric)
		}
	})
	if reject == nil {
		reject = inner
	}
	return reject
}

// read reads a metric; where a field comes twice, the last one counts.
func (m *sparkplugMetric) read(data []byte) *Reject {
	return eachField(data, func(n protowire.Number, t protowire.Type, bits uint64, data []byte) {
		switch t {
		case protowire.VarintType:
			m.varint(n, bits)
		case protowire.Fixed32Type:
			if n == metricFloat {
				m.carrier, m.bits = carriesFloat, bits
			}
		case protowire.Fixed64Type:
			if n == metricDouble {
				m.carrier, m.bits = carriesDouble, bits
			}
		case protowire.BytesType:
			m.bytes(n, data)
		}
	})
}

func (m *sparkplugMetric) varint(n protowire.Number, bits uint64) {
	switch n {
	case metricAlias:
		m.alias, m.hasAlias = bits, true
	case metricTimestamp:
		m.time, m.timed = bits, true
	case metricDatatype:
		m.datatype, m.typed = uint32(bits), true
	case metricHistorical:
		m.historical = bits != 0
	case metricTransient:
		m.transient = bits != 0
	case metricNull:
		m.null = bits != 0
	case metricInt:
		m.carrier, m.bits = carriesInt, bits&math.MaxUint32
	case metricLong:
		m.carrier, m.bits = carriesLong, bits
	case metricBool:
		m.carrier, m.bits = carriesBool, bits
	}
}

func (m *sparkplugMetric) bytes(n protowire.Number, data []byte) {
	switch {
	case n == metricName:
		m.name = data
	case n == metricProperties:
		m.properties = data
	case n == metricString:
		m.carrier, m.text = carriesText, data
	case n >= metricBytes && n <= metricExtension:
		m.carrier = carriesOther
	}
}

// number returns the value, read as datatype says; false if it is none. A
// signed integer of n bits is the low n bits of what carries it, since some
// send its two's complement in n bits and some in 32 or 64. Without a datatype
// an integer that could be a negative one is no number yet.
func (m *sparkplugMetric) number(datatype uint32) (float64, bool) {
	switch m.carrier {
	case carriesBool:
		if m.bits != 0 {
			return 1, true
		}
		return 0, true
	case carriesFloat:
		return float64(math.Float32frombits(uint32(m.bits))), true
	case carriesDouble:
		return math.Float64frombits(m.bits), true
	case carriesInt, carriesLong:
		return m.integer(pb.DataType(datatype))
	}
	return 0, false
}

func (m *sparkplugMetric) integer(datatype pb.DataType) (float64, bool) {
	switch datatype {
	case pb.DataType_Int8:
		return float64(int8(m.bits)), true
	case pb.DataType_Int16:
		return float64(int16(m.bits)), true
	case pb.DataType_Int32:
		return float64(int32(m.bits)), true
	case pb.DataType_Int64:
		return float64(int64(m.bits)), true
	case pb.DataType_Boolean:
		if m.bits != 0 {
			return 1, true
		}
		return 0, true
	case pb.DataType_Unknown:
		if m.carrier == carriesInt && m.bits > math.MaxInt32 || m.bits > math.MaxInt64 {
			return 0, false
		}
	}
	return float64(m.bits), true
}

// unitKeys are the properties that name a metric's unit, small letters alone:
// engUnit is Ignition's, the others are in use as well.
var unitKeys = map[string]bool{
	"engunit": true, "engunits": true, "engineeringunit": true, "engineeringunits": true, "unit": true, "units": true,
	"uom": true, "unitofmeasure": true,
}

// unit returns the unit that the metric's properties name; empty if none.
func (m *sparkplugMetric) unit() (unit []byte) {
	if len(m.properties) == 0 {
		return nil
	}
	at := m.property(namesUnit)
	_ = eachField(at, func(n protowire.Number, t protowire.Type, _ uint64, data []byte) {
		if n == propertyString && t == protowire.BytesType {
			unit = data
		}
	})
	return unit
}

// goodQuality is the one quality code of three (0 bad, 192 good, 500 stale)
// that leaves nothing to doubt.
const goodQuality = 192

// doubted tells whether the metric's properties have a quality that is not good.
func (m *sparkplugMetric) doubted() bool {
	if len(m.properties) == 0 {
		return false
	}
	at := m.property(func(key []byte) bool { return string(key) == "Quality" })
	doubted := false
	_ = eachField(at, func(n protowire.Number, t protowire.Type, bits uint64, _ []byte) {
		if t == protowire.VarintType && (n == propertyInt || n == propertyLong) {
			doubted = bits != goodQuality
		}
	})
	return doubted
}

// property returns the PropertyValue whose key is wanted, nil if there is none.
// Properties that cannot be read are as good as none: the metric is worth more.
func (m *sparkplugMetric) property(wanted func(key []byte) bool) []byte {
	key, keys, values := -1, 0, 0
	reject := eachField(m.properties, func(n protowire.Number, t protowire.Type, _ uint64, data []byte) {
		if n == setKeys && t == protowire.BytesType {
			if key < 0 && wanted(data) {
				key = keys
			}
			keys++
		}
	})
	if reject != nil || key < 0 {
		return nil
	}
	var found []byte
	_ = eachField(m.properties, func(n protowire.Number, t protowire.Type, _ uint64, data []byte) {
		if n == setValues && t == protowire.BytesType {
			if values == key {
				found = data
			}
			values++
		}
	})
	return found
}

// namesUnit tells whether a property is one of unitKeys, whatever its spaces and
// capitals.
func namesUnit(key []byte) bool {
	var letters [16]byte // as long as the longest
	n := 0
	for _, c := range key {
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c < 'a' || c > 'z':
			continue
		}
		if n == len(letters) {
			return false
		}
		letters[n] = c
		n++
	}
	return unitKeys[string(letters[:n])]
}
