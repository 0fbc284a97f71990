package dress

import (
	"math"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// Sparkplug is the profile of the meters behind a Sparkplug node.
const Sparkplug = "sparkplug-b"

// Node is an edge node of Sparkplug B 3.0: a gateway whose meters are its
// devices, in the group of its zone.
//
//	NBIRTH seq 0, bdSeq, Node Control/Rebirth    then a DBIRTH for each device: names, aliases, datatypes
//	DDATA  seq 1…255, 0…                         aliases alone; every fourth with datatypes
//	NDEATH bdSeq                                 the will of its connection
//
// A birth repeats each device's last values with their times; a device that
// has none yet is born with null. Its methods may be called from several
// goroutines.
//
// https://sparkplug.eclipse.org/specification/version/3.0/documents/sparkplug-specification-3.0.0.pdf
// (chapters 4.1 topics, 6.4 payloads; appendix: sparkplug_b.proto)
type Node struct {
	Group, ID string

	mu      sync.Mutex
	devices []*device
	byID    map[string]*device
	metrics int    // of all devices
	bdSeq   uint64 // of the session at hand, or to come
	begun   bool   // some session has been
	born    bool   // somebody may have heard a birth
	seq     uint64 // of the next message
	shift   int    // by how much the aliases are turned
	data    int    // messages of data so far
}

// device is a meter behind a node.
type device struct {
	Meter
	node    *Node
	first   int // index of its first metric among all of the node
	metrics []metric
	last    map[string]float64 // by metric, as sent
	ts      int64
}

// datatype is one of the specification's table of data types.
type datatype uint64

const (
	typeInt32   datatype = 3
	typeInt64   datatype = 4
	typeFloat   datatype = 9
	typeDouble  datatype = 10
	typeBoolean datatype = 11
	typeString  datatype = 12
)

// metric is a register as a node names and types it. Names are alike in all
// devices of a utility and unlike between utilities.
type metric struct {
	field
	datatype
}

var sparkplugMetrics = map[meter.Utility][]metric{
	meter.Electricity: {
		{times("active_power_kw", "active_power_w", 1000, 0, "W"), typeInt32}, {as("reactive_power_kvar", "reactive_power_kvar", 3), typeFloat},
		{as("apparent_power_kva", "apparent_power_kva", 3), typeFloat}, {as("demand_kw", "demand_kw", 3), typeFloat},
		{as("energy_import_kwh", "energy_import_kwh", 3), typeDouble}, {times("energy_export_kwh", "energy_export_wh", 1000, 0, "Wh"), typeInt64},
		{as("reactive_energy_import_kvarh", "reactive_energy_import_kvarh", 3), typeDouble},
		{as("voltage_l1_v", "voltage_l1_v", 2), typeFloat}, {as("voltage_l2_v", "voltage_l2_v", 2), typeFloat}, {as("voltage_l3_v", "voltage_l3_v", 2), typeFloat},
		{as("voltage_l12_v", "voltage_l12_v", 2), typeFloat}, {as("voltage_l23_v", "voltage_l23_v", 2), typeFloat}, {as("voltage_l31_v", "voltage_l31_v", 2), typeFloat},
		{as("current_l1_a", "current_l1_a", 3), typeFloat}, {as("current_l2_a", "current_l2_a", 3), typeFloat}, {as("current_l3_a", "current_l3_a", 3), typeFloat},
		{as("frequency_hz", "frequency_hz", 3), typeFloat}, {as("power_factor", "power_factor", 4), typeFloat},
	},
	meter.Water: {
		{times("volume_m3", "water_total_l", 1000, 0, "l"), typeInt64}, {as("flow_m3h", "water_flow_m3h", 3), typeFloat},
		{as("pressure_bar", "water_pressure_bar", 3), typeFloat}, {as("temperature_c", "water_temperature_c", 1), typeFloat},
		{as("tank_level_m", "water_tank_level_m", 4), typeFloat}, {as("tank_volume_m3", "water_tank_volume_m3", 4), typeFloat},
	},
	meter.Fuel: {
		{as("volume_l", "fuel_volume_l", 1), typeFloat}, {as("volume15_l", "fuel_volume15_l", 1), typeFloat}, {as("level_mm", "fuel_level_mm", 1), typeFloat},
		{as("water_level_mm", "fuel_water_level_mm", 1), typeFloat}, {as("delivered_l", "fuel_delivered_l", 1), typeDouble},
		{as("flow_lph", "fuel_flow_lph", 3), typeFloat}, {as("consumed_l", "fuel_consumed_l", 3), typeDouble}, {as("temperature_c", "fuel_temperature_c", 2), typeFloat},
	},
	meter.Generator: {
		{as("running", "genset_running", 0), typeBoolean}, {times("active_power_kw", "genset_active_power_w", 1000, 0, "W"), typeInt32},
		{as("energy_export_kwh", "genset_energy_export_kwh", 3), typeDouble}, {as("run_hours_h", "genset_run_hours_h", 2), typeDouble},
		{as("fuel_rate_lph", "genset_fuel_rate_lph", 3), typeFloat}, {as("battery_v", "genset_battery_v", 2), typeFloat},
	},
}

// NewNode returns a node with the meters as its devices, whose first session is
// to come.
func NewNode(group, id string, meters []Meter) *Node {
	n := &Node{Group: group, ID: id, byID: make(map[string]*device)}
	for _, m := range meters {
		d := &device{Meter: m, node: n, first: n.metrics, metrics: metricsOf(m), last: make(map[string]float64)}
		n.metrics += len(d.metrics)
		n.devices = append(n.devices, d)
		n.byID[m.ID] = d
	}
	return n
}

// metricsOf leaves out what a meter of its kind does not have.
func metricsOf(m Meter) []metric {
	var list []metric
	for _, x := range sparkplugMetrics[m.Utility] {
		if kindHas(m.Kind, x.register) {
			list = append(list, x)
		}
	}
	return list
}

// kindHas tells whether meters of a kind have the register.
func kindHas(k Kind, register string) bool {
	switch register {
	case "apparent_power_kva", "reactive_energy_import_kvarh", "voltage_l12_v", "voltage_l23_v", "voltage_l31_v":
		return k == Network
	case "energy_export_kwh":
		return k == Network || k == Generator
	case "volume_m3", "flow_m3h", "pressure_bar":
		return k == Pipe
	case "tank_level_m", "tank_volume_m3":
		return k == WaterTank
	case "volume_l", "volume15_l", "level_mm", "water_level_mm", "delivered_l":
		return k == FuelTank
	case "flow_lph", "consumed_l":
		return k == Burner
	}
	return true
}

// Device returns the dress of one of its meters. What that puts on must be
// sealed.
func (n *Node) Device(id string) Dress { return n.byID[id] }

// Connect begins a session: the next births and deaths are its own.
func (n *Node) Connect() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.begun {
		n.bdSeq = (n.bdSeq + 1) % 256
	}
	n.begun = true
}

// Next returns the NDEATH of the session that Connect would begin, which has to
// be the will of its connection.
func (n *Node) Next(now int64) Message {
	n.mu.Lock()
	defer n.mu.Unlock()
	bdSeq := n.bdSeq
	if n.begun {
		bdSeq = (bdSeq + 1) % 256
	}
	return n.death(now, bdSeq)
}

// Death returns the NDEATH of the session at hand, or of the one so many before.
func (n *Node) Death(now int64, before uint64) Message {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.death(now, (n.bdSeq+256-before%256)%256)
}

func (n *Node) death(now int64, bdSeq uint64) Message {
	b := protowire.AppendVarint(protowire.AppendTag(nil, payloadTimestamp, protowire.VarintType), uint64(now))
	b = appendMetric(b, sample{name: "bdSeq", datatype: typeInt64, value: float64(bdSeq)})
	return Message{Topic: "spBv1.0/" + n.Group + "/NDEATH/" + n.ID, Payload: b}
}

// Births returns the NBIRTH and the DBIRTHs of all devices: with them the
// numbers of messages begin anew.
func (n *Node) Births(now int64) []Message {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seq, n.born = 0, true
	b := protowire.AppendVarint(protowire.AppendTag(nil, payloadTimestamp, protowire.VarintType), uint64(now))
	b = appendMetric(b, sample{name: "bdSeq", datatype: typeInt64, value: float64(n.bdSeq), ts: now})
	b = appendMetric(b, sample{name: "Node Control/Rebirth", datatype: typeBoolean, ts: now})
	b = appendMetric(b, sample{name: "Properties/Hardware Make", datatype: typeString, text: "metersim", ts: now})
	births := []Message{{Topic: "spBv1.0/" + n.Group + "/NBIRTH/" + n.ID, Payload: n.seal(b)}}
	for _, d := range n.devices {
		b := protowire.AppendVarint(protowire.AppendTag(nil, payloadTimestamp, protowire.VarintType), uint64(now))
		for i, m := range d.metrics {
			s := sample{name: m.key, alias: n.alias(d.first + i), datatype: m.datatype, unit: m.unit, ts: now, null: true}
			if x, ok := d.last[m.key]; ok {
				s.value, s.ts, s.null = x, d.ts, false
			}
			b = appendMetric(b, s)
		}
		births = append(births, Message{Topic: "spBv1.0/" + n.Group + "/DBIRTH/" + n.ID + "/" + d.ID, Payload: n.seal(b)})
	}
	return births
}

// alias is the number of a metric, from 1, that is its own in the whole node.
func (n *Node) alias(i int) uint64 { return uint64(1 + (i+n.shift)%n.metrics) }

// Turn gives every metric the alias of another from the next births on.
func (n *Node) Turn() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.shift++
}

// Skip loses so many numbers of messages.
func (n *Node) Skip(count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seq = (n.seq + uint64(count)) % 256
}

// Seal numbers a payload of the node: what is sealed is to be sent next.
func (n *Node) Seal(payload []byte) []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.seal(payload)
}

func (n *Node) seal(payload []byte) []byte {
	b := make([]byte, len(payload), len(payload)+3)
	copy(b, payload)
	b = protowire.AppendVarint(protowire.AppendTag(b, payloadSeq, protowire.VarintType), n.seq)
	n.seq = (n.seq + 1) % 256
	return b
}

// Put makes a DDATA, without its number: see Seal.
func (d *device) Put(r Reading) Sent {
	d.node.mu.Lock()
	defer d.node.mu.Unlock()
	s := r.sent()
	s.Historical, s.Unreadable = r.Historical, !d.node.born
	d.node.data++
	b := protowire.AppendVarint(protowire.AppendTag(nil, payloadTimestamp, protowire.VarintType), uint64(r.TS))
	for i, m := range d.metrics {
		x, ok := r.Values[m.register]
		if !ok {
			continue
		}
		_, s.Values[m.register] = m.text(x)
		v := sample{alias: d.node.alias(d.first + i), ts: r.TS, value: parsed(number(x*m.times/m.over, m.decimals)), kind: m.datatype, historical: r.Historical}
		if m.datatype == typeFloat {
			v.value = float64(float32(v.value))
			s.Values[m.register] = m.back(v.value)
		}
		if d.node.data%4 == 0 {
			v.datatype = m.datatype
		}
		b = appendMetric(b, v)
		if !r.Historical {
			d.last[m.key], d.ts = v.value, r.TS
		}
	}
	s.Messages = []Message{{Topic: "spBv1.0/" + d.node.Group + "/DDATA/" + d.node.ID + "/" + d.ID, Payload: b}}
	return s
}

// The numbers of the fields in sparkplug_b.proto.
const (
	payloadTimestamp = 1
	payloadMetrics   = 2
	payloadSeq       = 3

	metricName       = 1
	metricAlias      = 2
	metricTimestamp  = 3
	metricDatatype   = 4
	metricHistorical = 5
	metricNull       = 7
	metricProperties = 9
	metricInt        = 10
	metricLong       = 11
	metricFloat      = 12
	metricDouble     = 13
	metricBoolean    = 14
	metricString     = 15

	propertyKeys        = 1
	propertyValues      = 2
	propertyValueType   = 1
	propertyValueString = 8
)

// sample is one metric of a message.
type sample struct {
	name       string
	alias      uint64
	ts         int64
	datatype   datatype // as told; 0: it is left out
	kind       datatype // as written; 0: the datatype
	unit       string   // told as the property engUnit
	historical bool
	null       bool
	value      float64
	text       string
}

func appendMetric(b []byte, s sample) []byte {
	var m []byte
	number := func(field protowire.Number, x uint64) {
		m = protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), x)
	}
	if s.name != "" {
		m = protowire.AppendString(protowire.AppendTag(m, metricName, protowire.BytesType), s.name)
	}
	if s.alias != 0 {
		number(metricAlias, s.alias)
	}
	if s.ts != 0 {
		number(metricTimestamp, uint64(s.ts))
	}
	if s.datatype != 0 {
		number(metricDatatype, uint64(s.datatype))
	}
	if s.historical {
		number(metricHistorical, 1)
	}
	if s.unit != "" {
		m = protowire.AppendBytes(protowire.AppendTag(m, metricProperties, protowire.BytesType), engUnit(s.unit))
	}
	if s.null {
		number(metricNull, 1)
	} else {
		m = s.appendValue(m)
	}
	return protowire.AppendBytes(protowire.AppendTag(b, payloadMetrics, protowire.BytesType), m)
}

// appendValue writes the value in the field of its type. Int32 is written in
// two's complement of 32 bits, as the proto's int_value is unsigned.
func (s sample) appendValue(m []byte) []byte {
	kind := s.kind
	if kind == 0 {
		kind = s.datatype
	}
	switch kind {
	case typeInt32:
		return protowire.AppendVarint(protowire.AppendTag(m, metricInt, protowire.VarintType), uint64(uint32(int32(s.value))))
	case typeInt64:
		return protowire.AppendVarint(protowire.AppendTag(m, metricLong, protowire.VarintType), uint64(int64(s.value)))
	case typeFloat:
		return protowire.AppendFixed32(protowire.AppendTag(m, metricFloat, protowire.Fixed32Type), math.Float32bits(float32(s.value)))
	case typeBoolean:
		on := uint64(0)
		if s.value != 0 {
			on = 1
		}
		return protowire.AppendVarint(protowire.AppendTag(m, metricBoolean, protowire.VarintType), on)
	case typeString:
		return protowire.AppendString(protowire.AppendTag(m, metricString, protowire.BytesType), s.text)
	}
	return protowire.AppendFixed64(protowire.AppendTag(m, metricDouble, protowire.Fixed64Type), math.Float64bits(s.value))
}

// engUnit is the property set that names a unit.
func engUnit(unit string) []byte {
	value := protowire.AppendVarint(protowire.AppendTag(nil, propertyValueType, protowire.VarintType), uint64(typeString))
	value = protowire.AppendString(protowire.AppendTag(value, propertyValueString, protowire.BytesType), unit)
	set := protowire.AppendString(protowire.AppendTag(nil, propertyKeys, protowire.BytesType), "engUnit")
	return protowire.AppendBytes(protowire.AppendTag(set, propertyValues, protowire.BytesType), value)
}

// Commands is the topic filter of what a host tells the node.
func (n *Node) Commands() string { return "spBv1.0/" + n.Group + "/NCMD/" + n.ID }

// IsRebirth tells whether an NCMD asks for births: it sets Node Control/Rebirth.
func IsRebirth(payload []byte) bool {
	for len(payload) > 0 {
		field, kind, n := protowire.ConsumeTag(payload)
		if n < 0 {
			return false
		}
		payload = payload[n:]
		if field == payloadMetrics && kind == protowire.BytesType {
			m, n := protowire.ConsumeBytes(payload)
			if n < 0 {
				return false
			}
			if name, on := command(m); name == "Node Control/Rebirth" && on {
				return true
			}
			payload = payload[n:]
			continue
		}
		if n = protowire.ConsumeFieldValue(field, kind, payload); n < 0 {
			return false
		}
		payload = payload[n:]
	}
	return false
}

// command reads a metric's name and whether it is true.
func command(m []byte) (name string, on bool) {
	for len(m) > 0 {
		field, kind, n := protowire.ConsumeTag(m)
		if n < 0 {
			return name, on
		}
		m = m[n:]
		switch {
		case field == metricName && kind == protowire.BytesType:
			text, _ := protowire.ConsumeString(m)
			name = text
		case field == metricBoolean && kind == protowire.VarintType:
			x, _ := protowire.ConsumeVarint(m)
			on = x != 0
		}
		if n = protowire.ConsumeFieldValue(field, kind, m); n < 0 {
			return name, on
		}
		m = m[n:]
	}
	return name, on
}
