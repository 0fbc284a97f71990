package influx

import (
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// AppendSeries appends the part of a line that is the same for all readings of
// the meter id: the measurement and its tags, in the order of their keys, which
// spares the database from sorting them. Keep it with the meter's state. An
// empty tag is left out, since line protocol has no empty values; the
// measurement must not be empty.
//
// Any text makes exactly one series. Line protocol can escape commas, spaces
// and equals signs only: control bytes, backslashes (which would escape what
// follows), bytes that are not UTF-8 and a leading number sign (a comment) are
// written as %XX. Names that pass meter.ValidID need neither.
func AppendSeries(dst []byte, measurement, city, zone, id string) []byte {
	if len(measurement) > 0 && measurement[0] == '#' {
		dst = appendPercent(dst, '#')
		measurement = measurement[1:]
	}
	dst = appendName(dst, measurement, &measurementBytes)
	dst = appendTag(dst, ",city=", city)
	dst = appendTag(dst, ",meter=", id)
	return appendTag(dst, ",zone=", zone)
}

func appendTag(dst []byte, key, value string) []byte {
	if value == "" {
		return dst
	}
	return appendName(append(dst, key...), value, &keyBytes)
}

// AppendReading appends one line with its newline: the series as made by
// AppendSeries, each register as a float, the quality and, where the meter sent
// or needs them, seq and device_time_ms as integers, and the time in
// milliseconds; reason is a text, where vetting gave one. Values must be finite: the database refuses a line with any
// other, and with an empty register name. It does not allocate if dst has room.
func AppendReading(dst, series []byte, r *meter.Reading) []byte {
	dst = append(dst, series...)
	separator := byte(' ')
	for i := range r.Values {
		v := &r.Values[i]
		dst = append(dst, separator)
		dst = appendName(dst, v.Register, &keyBytes)
		dst = append(dst, '=')
		dst = appendFloat(dst, v.Value)
		separator = ','
	}
	dst = append(dst, separator)
	dst = appendInteger(dst, "quality=", int64(r.Quality))
	if r.HasSeq {
		dst = appendInteger(dst, ",seq=", r.Seq)
	}
	if r.Stamped {
		dst = appendInteger(dst, ",device_time_ms=", r.DeviceTime)
	}
	if r.Reason != "" {
		dst = appendText(dst, ",reason=", r.Reason)
	}
	return appendTime(dst, r.Time)
}

func appendInteger(dst []byte, key string, v int64) []byte {
	dst = append(dst, key...)
	dst = strconv.AppendInt(dst, v, 10)
	return append(dst, 'i')
}

// maxExact is the greatest number of thousandths below which every integer is
// a float64 of its own.
const maxExact = 1 << 53

// appendFloat appends the shortest text that reads back as v. Meters send few
// decimals, so whole thousandths have a fast path: if n/1000, correctly rounded,
// is v, then so is the decimal text of n/1000.
func appendFloat(dst []byte, v float64) []byte {
	thousandths := math.RoundToEven(v * 1000)
	if math.Abs(thousandths) >= maxExact || thousandths/1000 != v || thousandths == 0 {
		return strconv.AppendFloat(dst, v, 'g', -1, 64)
	}
	n := int64(thousandths)
	if n < 0 {
		dst = append(dst, '-')
		n = -n
	}
	dst = strconv.AppendInt(dst, n/1000, 10)
	fraction := n % 1000
	if fraction == 0 {
		return dst
	}
	dst = append(dst, '.', byte('0'+fraction/100))
	if fraction %= 100; fraction != 0 {
		dst = append(dst, byte('0'+fraction/10))
		if fraction %= 10; fraction != 0 {
			dst = append(dst, byte('0'+fraction))
		}
	}
	return dst
}

// treatment says how a byte of a name is written.
type treatment uint8

const (
	plain   treatment = iota
	escape            // after a backslash
	percent           // as %XX
	wide              // part of a multi-byte character, or not UTF-8
)

// In a measurement an equals sign is plain, and an escaped one would keep its
// backslash.
var (
	measurementBytes = treatments(", ")
	keyBytes         = treatments(", =")
)

func treatments(escaped string) (t [256]treatment) {
	for b := range t {
		switch {
		case b < ' ' || b == 0x7f || b == '\\':
			t[b] = percent
		case b >= utf8.RuneSelf:
			t[b] = wide
		}
	}
	for _, b := range []byte(escaped) {
		t[b] = escape
	}
	return t
}

func appendName(dst []byte, name string, table *[256]treatment) []byte {
	for i := 0; i < len(name); i++ {
		if table[name[i]] != plain {
			return appendEscaped(append(dst, name[:i]...), name[i:], table)
		}
	}
	return append(dst, name...)
}

func appendEscaped(dst []byte, name string, table *[256]treatment) []byte {
	for i := 0; i < len(name); {
		size := 1
		switch b := name[i]; table[b] {
		case plain:
			dst = append(dst, b)
		case escape:
			dst = append(dst, '\\', b)
		case percent:
			dst = appendPercent(dst, b)
		case wide:
			var r rune
			if r, size = utf8.DecodeRuneInString(name[i:]); r == utf8.RuneError && size == 1 {
				dst = appendPercent(dst, b)
			} else {
				dst = append(dst, name[i:i+size]...)
			}
		}
		i += size
	}
	return dst
}

func appendPercent(dst []byte, b byte) []byte {
	const digits = "0123456789ABCDEF"
	return append(dst, '%', digits[b>>4], digits[b&15])
}
