package influx

import (
	"math"
	"strconv"
)

// SupplyPoint is a row of the derived measurement supply: what reaches a zone,
// a feeder or a plant. Numbers that are not finite are unknown.
type SupplyPoint struct {
	City, Zone    string
	Feeder, Plant string // at most one of them
	Utility       string
	Time          int64 // ms

	Required, Delivered float64 // kW, m³/h or l/h
	ShortfallRatio      float64
	AdequacyRatio       float64
	CoverHours          float64
}

// AppendSupply appends the point as one line with its newline. Unknown fields
// are left out; with none known there is no line, and ok is false.
func AppendSupply(dst []byte, p *SupplyPoint) (line []byte, ok bool) {
	begin := len(dst)
	dst = append(dst, "supply"...)
	dst = appendTag(dst, ",city=", p.City)
	dst = appendTag(dst, ",feeder=", p.Feeder)
	dst = appendTag(dst, ",plant=", p.Plant)
	dst = appendTag(dst, ",utility=", p.Utility)
	dst = appendTag(dst, ",zone=", p.Zone)
	separator := byte(' ')
	for _, f := range [...]struct {
		key   string
		value float64
	}{
		{"required=", p.Required}, {"delivered=", p.Delivered}, {"shortfall_ratio=", p.ShortfallRatio},
		{"adequacy=", p.AdequacyRatio}, {"cover=", p.CoverHours},
	} {
		if math.IsNaN(f.value) || math.IsInf(f.value, 0) {
			continue
		}
		dst = appendFloat(append(append(dst, separator), f.key...), f.value)
		separator = ','
	}
	if separator == ' ' {
		return dst[:begin], false
	}
	return appendTime(dst, p.Time), true
}

// AlarmPoint is a row of the measurement alarm: one transition of one alarm.
type AlarmPoint struct {
	City, Zone   string // the zone is empty where it lies in none
	Kind, Object string
	Time         int64 // ms

	State, Event string
	Severity     int
	Seq          int64 // of the journal
}

// AppendAlarm appends the point as one line with its newline.
func AppendAlarm(dst []byte, p *AlarmPoint) []byte {
	dst = append(dst, "alarm"...)
	dst = appendTag(dst, ",city=", p.City)
	dst = appendTag(dst, ",kind=", p.Kind)
	dst = appendTag(dst, ",object=", p.Object)
	dst = appendTag(dst, ",zone=", p.Zone)
	dst = appendText(dst, " state=", p.State)
	dst = appendText(dst, ",event=", p.Event)
	dst = appendInteger(dst, ",severity=", int64(p.Severity))
	dst = appendInteger(dst, ",seq=", p.Seq)
	return appendTime(dst, p.Time)
}

// appendText appends a field that is a string.
func appendText(dst []byte, key, value string) []byte {
	dst = append(append(dst, key...), '"')
	for i := range len(value) {
		switch b := value[i]; b {
		case '"', '\\':
			dst = append(dst, '\\', b)
		case '\n': // would end the line for whoever splits at newlines
			dst = append(dst, ' ')
		default:
			dst = append(dst, b)
		}
	}
	return append(dst, '"')
}

func appendTime(dst []byte, ms int64) []byte {
	dst = strconv.AppendInt(append(dst, ' '), ms, 10)
	return append(dst, '\n')
}
