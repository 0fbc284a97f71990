package dress

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
)

// senmlProfile is a sensor that sends a SenML pack under
// senml/ZONE/UTILITY/METER: every second one as JSON, the others as CBOR. A
// record's name is METER/ and the register, its unit one of RFC 8428 or RFC 8798.
//
// https://www.rfc-editor.org/rfc/rfc8428 (5: JSON, 6: CBOR, 4.5.3: relative times),
// https://www.rfc-editor.org/rfc/rfc8798 (kW, kWh and others)
var senmlProfile = profile{
	name: "senml", kinds: map[Kind]int{Network: 1, Load: 1, Pipe: 2, WaterTank: 1}, timed: true, keeps: true,
	make:  func(m Meter) Dress { return senml{m} },
	traps: []string{"relative", "carry"},
}

type senml struct{ Meter }

// binary tells whether the device sends CBOR.
func (m Meter) binary() bool { return m.Number%2 == 0 }

var senmlFields = []field{
	times("active_power_kw", "", 1, 3, "kW"), times("reactive_power_kvar", "", 1, 3, "kvar"), times("apparent_power_kva", "", 1, 3, "kVA"),
	times("demand_kw", "", 1, 3, "kW"),
	times("energy_import_kwh", "", 1, 3, "kWh"), times("energy_export_kwh", "", 1, 3, "kWh"), times("reactive_energy_import_kvarh", "", 1, 3, "kvarh"),
	times("voltage_l1_v", "", 1, 2, "V"), times("voltage_l2_v", "", 1, 2, "V"), times("voltage_l3_v", "", 1, 2, "V"),
	times("voltage_l12_v", "", 1, 2, "V"), times("voltage_l23_v", "", 1, 2, "V"), times("voltage_l31_v", "", 1, 2, "V"),
	times("current_l1_a", "", 1, 3, "A"), times("current_l2_a", "", 1, 3, "A"), times("current_l3_a", "", 1, 3, "A"),
	times("frequency_hz", "", 1, 3, "Hz"), times("power_factor", "", 1, 4, "/"),
	times("volume_m3", "", 1, 3, "m3"), times("tank_volume_m3", "", 1, 3, "m3"), over("flow_m3h", "", 3.6, 4, "l/s"),
	times("pressure_bar", "", 100000, 0, "Pa"), times("tank_level_m", "", 1, 4, "m"), times("temperature_c", "", 1, 1, "Cel"),
}

// record is one of a pack. Base fields are pointers: they are there or not.
type record struct {
	baseName, baseUnit, name, unit string
	baseTime, baseValue, time      *float64
	value                          float64
	text                           string // of the value
	field                          field
}

func (d senml) Put(r Reading) Sent {
	s := r.sent()
	pack := d.pack(&r, &s)
	payload := packJSON(pack)
	if d.binary() {
		payload = packCBOR(pack)
	}
	s.Messages = []Message{{Topic: "senml/" + d.Zone + "/" + string(d.Utility) + "/" + d.ID, Payload: payload}}
	return s
}

func (d senml) pack(r *Reading, s *Sent) []record {
	var pack []record
	at := float64(r.TS) / 1000
	for _, f := range has(senmlFields, r.Values) {
		text, seen := f.text(r.Values[f.register])
		s.Values[f.register] = seen
		pack = append(pack, record{name: f.register, unit: f.unit, value: parsed(text), text: text, field: f})
	}
	if len(pack) == 0 {
		return pack
	}
	pack[0].baseName = d.ID + "/"
	switch r.Trap {
	case "relative":
		// No base time, and a time below 2²⁸: it is relative to the receiver's now.
		ago := -1.0
		for i := range pack {
			pack[i].time = &ago
		}
		s.Received = true
		return pack
	case "carry":
		carry(pack, s.Values)
	}
	pack[0].baseTime = &at
	return pack
}

// carry says units by base units that hold until the next, and of the first
// large number its thousands by a base value, which the next record takes back.
func carry(pack []record, values map[string]float64) {
	unit := ""
	for i := range pack {
		if pack[i].unit != unit {
			unit, pack[i].baseUnit = pack[i].unit, pack[i].unit
		}
		pack[i].unit = ""
	}
	i := slices.IndexFunc(pack, func(r record) bool { return r.value >= 1000 })
	if i < 0 {
		return
	}
	large := &pack[i]
	base := math.Floor(large.value/1000) * 1000
	large.text = number(large.value-base, large.field.decimals)
	large.baseValue, large.value = &base, parsed(large.text)
	values[large.name] = large.field.back(base + large.value)
	if i+1 < len(pack) {
		pack[i+1].baseValue = new(float64)
	}
}

// seconds writes a time with its milliseconds.
func seconds(t float64) string { return strconv.FormatFloat(t, 'f', -1, 64) }

func packJSON(pack []record) []byte {
	var o object
	o.open("", '[')
	for _, r := range pack {
		o.open("", '{')
		if r.baseName != "" {
			o.str("bn", r.baseName)
		}
		if r.baseTime != nil {
			o.raw("bt", seconds(*r.baseTime))
		}
		if r.baseUnit != "" {
			o.str("bu", r.baseUnit)
		}
		if r.baseValue != nil {
			o.raw("bv", number(*r.baseValue, 0))
		}
		o.str("n", r.name)
		if r.unit != "" {
			o.str("u", r.unit)
		}
		if r.time != nil {
			o.raw("t", seconds(*r.time))
		}
		o.raw("v", r.text)
		o.close('}')
	}
	o.close(']')
	return o.buf
}

// The labels of the fields in CBOR (RFC 8428 section 6, table 4).
const (
	labelBaseName  = -2
	labelBaseTime  = -3
	labelBaseUnit  = -4
	labelBaseValue = -5
	labelName      = 0
	labelUnit      = 1
	labelValue     = 2
	labelTime      = 6
)

// packCBOR writes definite lengths, and numbers as doubles (RFC 8949).
func packCBOR(pack []record) []byte {
	b := cborHead(nil, 4, len(pack))
	for _, r := range pack {
		var members []byte
		n := 0
		add := func(label int, value []byte) {
			n++
			if label < 0 {
				members = cborHead(members, 1, -1-label)
			} else {
				members = cborHead(members, 0, label)
			}
			members = append(members, value...)
		}
		text := func(label int, s string) {
			if s != "" {
				add(label, append(cborHead(nil, 3, len(s)), s...))
			}
		}
		double := func(label int, x *float64) {
			if x != nil {
				add(label, binary.BigEndian.AppendUint64([]byte{7<<5 | 27}, math.Float64bits(*x)))
			}
		}
		text(labelBaseName, r.baseName)
		double(labelBaseTime, r.baseTime)
		text(labelBaseUnit, r.baseUnit)
		double(labelBaseValue, r.baseValue)
		text(labelName, r.name)
		text(labelUnit, r.unit)
		double(labelTime, r.time)
		double(labelValue, &r.value)
		b = append(cborHead(b, 5, n), members...)
	}
	return b
}

// cborHead writes the head of an item: its major type and a length or number.
func cborHead(b []byte, major byte, n int) []byte {
	switch {
	case n < 24:
		return append(b, major<<5|byte(n))
	case n < 1<<8:
		return append(b, major<<5|24, byte(n))
	}
	return binary.BigEndian.AppendUint16(append(b, major<<5|25), uint16(n))
}
