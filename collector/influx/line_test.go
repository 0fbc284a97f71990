package influx

import (
	"bytes"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/influxdata/line-protocol/v2/lineprotocol"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

func TestAppendSeries(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                           string
		measurement, city, zone, meter string
		want                           string
	}{
		{"plain", "electricity", "adra", "z1", "M-1", `electricity,city=adra,meter=M-1,zone=z1`},
		{"empty tags", "water", "", "z1", "", `water,zone=z1`},
		{"escapes", "my water", "a,b", "c d", "e=f", `my\ water,city=a\,b,meter=e\=f,zone=c\ d`},
		{"equals sign in measurement", "a=b", "c", "", "", `a=b,city=c`},
		{"comment", "#water", "", "z#", "#m", `%23water,meter=#m,zone=z#`},
		{"newlines", "w\n", "a\nb", "\r", "\x00", `w%0A,city=a%0Ab,meter=%00,zone=%0D`},
		{"backslashes", "w", `a\`, `\,`, `\ x`, `w,city=a%5C,meter=%5C\ x,zone=%5C\,`},
		{"injected line", "w", "a", "z", "m v=1 1\nw,city=b v=2", `w,city=a,meter=m\ v\=1\ 1%0Aw\,city\=b\ v\=2,zone=z`},
		{"Arabic", "w", "حلب", "", "", `w,city=حلب`},
		{"not UTF-8", "w", "a\xffb", "", "", `w,city=a%FFb`},
		{"replacement character", "w", "\uFFFD", "", "", "w,city=\uFFFD"},
		{"quotes", "w", `"a"`, "", "", `w,city="a"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := string(AppendSeries([]byte("x"), tt.measurement, tt.city, tt.zone, tt.meter)); got != "x"+tt.want {
				t.Errorf("got  %s\nwant x%s", got, tt.want)
			}
		})
	}
}

func TestAppendReading(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		reading meter.Reading
		want    string
	}{
		{"no values", meter.Reading{Time: 1}, "s quality=0i 1\n"},
		{"values", meter.Reading{Time: 1763895600123, Values: []meter.Value{{Register: "a_kw", Value: 431.2}, {Register: "b_v", Value: 230}}},
			"s a_kw=431.2,b_v=230,quality=0i 1763895600123\n"},
		{"seq", meter.Reading{Time: 2, HasSeq: true, Seq: 4711, Quality: meter.Late}, "s quality=2i,seq=4711i 2\n"},
		{"seq zero", meter.Reading{Time: 2, HasSeq: true}, "s quality=0i,seq=0i 2\n"},
		{"a reason", meter.Reading{Time: 2, Quality: meter.Reset, Reason: "reset"}, "s quality=5i,reason=\"reset\" 2\n"},
		{"device time", meter.Reading{Time: 2, Stamped: true, DeviceTime: -5, Quality: meter.OutOfRange}, "s quality=6i,device_time_ms=-5i 2\n"},
		{"device time without meaning", meter.Reading{Time: 2, DeviceTime: 7, Quality: meter.Reset}, "s quality=5i 2\n"},
		{"before 1970", meter.Reading{Time: -1500}, "s quality=0i -1500\n"},
		{"odd register", meter.Reading{Values: []meter.Value{{Register: "a b=c,d\n", Value: 1}}}, `s a\ b\=c\,d%0A=1,quality=0i 0` + "\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := string(AppendReading(nil, []byte("s"), &tt.reading)); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestAppendFloat(t *testing.T) {
	t.Parallel()
	tests := map[float64]string{
		0: "0", 1: "1", -1: "-1", 0.1: "0.1", 0.12: "0.12", 0.123: "0.123", 0.001: "0.001", 0.01: "0.01", 1.05: "1.05", 1.005: "1.005",
		-0.5: "-0.5", 431.2: "431.2", 230: "230", 123456789.125: "123456789.125", 0.0001: "0.0001", 1e300: "1e+300", 1 << 53: "9.007199254740992e+15",
		math.Pi: "3.141592653589793", math.MaxFloat64: "1.7976931348623157e+308", math.SmallestNonzeroFloat64: "5e-324",
	}
	for v, want := range tests {
		if got := string(appendFloat(nil, v)); got != want {
			t.Errorf("%g: got %s, want %s", v, got, want)
		}
	}
	if got := string(appendFloat(nil, math.Copysign(0, -1))); got != "-0" {
		t.Errorf("negative zero: got %s", got)
	}
}

func TestEncodeAllocatesNothing(t *testing.T) {
	reading, series := sample()
	dst := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() {
		dst = AppendReading(dst[:0], series, reading)
		dst = AppendSeries(dst[:0], "electricity", "adra", "z1", "M-1")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func sample() (*meter.Reading, []byte) {
	return &meter.Reading{
		Time: 1763895600123, Seq: 4711, HasSeq: true,
		Values: []meter.Value{
			{Register: "active_power_kw", Value: 431.2}, {Register: "energy_import_kwh", Value: 1234567.89},
			{Register: "voltage_l1_v", Value: 229.87}, {Register: "current_l1_a", Value: 612.4}, {Register: "power_factor", Value: 0.93},
		},
	}, AppendSeries(nil, "electricity", "sheikh-najjar", "sn-zone-1", "SN-E-00042")
}

// FuzzAppendReading has a parser of others read what was encoded: it must find
// one line with the same names, values and time.
func FuzzAppendReading(f *testing.F) {
	f.Add("electricity", "adra", "z1", "M-1", "active_power_kw", 431.2, "voltage_v", 230.0, int64(4711), true, uint8(0), int64(1763895600123), int64(0))
	f.Add("#w", "a\nb", `c\`, "d, =e", `x"y`, -0.001, "z\\", 1e-300, int64(-1), true, uint8(4), int64(-1), int64(math.MinInt64))
	f.Add("w", "\xff", "\u2028", "m v=1 1\nw v=2 2", "a=1,b", math.MaxFloat64, "\t", 1e21, int64(0), false, uint8(7), int64(0), int64(9))
	f.Fuzz(func(t *testing.T, measurement, city, zone, id, r1 string, v1 float64, r2 string, v2 float64, seq int64, hasSeq bool, quality uint8, at, device int64) {
		const mostMilliseconds = math.MaxInt64 / int64(time.Millisecond)
		if measurement == "" || r1 == "" || r2 == "" || r1 == r2 || at > mostMilliseconds || at < -mostMilliseconds ||
			math.IsNaN(v1+v2) || math.IsInf(v1, 0) || math.IsInf(v2, 0) {
			return
		}
		r := meter.Reading{
			Time: at, Stamped: device != 0, DeviceTime: device, Seq: seq, HasSeq: hasSeq, Quality: meter.Quality(quality % uint8(meter.Qualities)),
			Values: []meter.Value{{Register: r1, Value: v1}, {Register: r2, Value: v2}},
		}
		series := AppendSeries(nil, measurement, city, zone, id)
		line := AppendReading(nil, series, &r)

		if bytes.Count(line, []byte{'\n'}) != 1 || line[len(line)-1] != '\n' {
			t.Fatalf("not one line: %q", line)
		}
		got, err := parse(line)
		if err != nil {
			t.Fatalf("%v: %q", err, line)
		}
		if want := expect(measurement, city, zone, id, &r); got != want {
			t.Fatalf("%q\ngot  %s\nwant %s", line, got, want)
		}
	})
}

// expect describes a reading as parse does. Its escaping is the plain form of
// what appendName does by table.
func expect(measurement, city, zone, id string, r *meter.Reading) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q", strings.Replace(percented(measurement[:1]), "#", "%23", 1)+percented(measurement[1:]))
	if measurement[0] >= utf8.RuneSelf { // its first byte is not a character
		b.Reset()
		fmt.Fprintf(&b, "%q", percented(measurement))
	}
	for _, tag := range [][2]string{{"city", city}, {"meter", id}, {"zone", zone}} {
		if tag[1] != "" {
			fmt.Fprintf(&b, " %q=%q", tag[0], percented(tag[1]))
		}
	}
	for _, v := range r.Values {
		fmt.Fprintf(&b, " %q:%s", percented(v.Register), exact(v.Value))
	}
	fmt.Fprintf(&b, ` "quality":%di`, r.Quality)
	if r.HasSeq {
		fmt.Fprintf(&b, ` "seq":%di`, r.Seq)
	}
	if r.Stamped {
		fmt.Fprintf(&b, ` "device_time_ms":%di`, r.DeviceTime)
	}
	fmt.Fprintf(&b, " @%d", r.Time)
	return b.String()
}

func percented(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"), r < ' ', r == 0x7f, r == '\\':
			fmt.Fprintf(&b, "%%%02X", s[i])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// exact tells all floats apart, the signs of zero too.
func exact(v float64) string { return strconv.FormatUint(math.Float64bits(v), 16) }

func parse(line []byte) (string, error) {
	var b strings.Builder
	d := lineprotocol.NewDecoderWithBytes(line)
	for lines := 0; d.Next(); lines++ {
		if lines > 0 {
			return "", fmt.Errorf("a second line")
		}
		measurement, err := d.Measurement()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%q", measurement)
		for {
			key, value, err := d.NextTag()
			if err != nil {
				return "", err
			}
			if key == nil {
				break
			}
			fmt.Fprintf(&b, " %q=%q", key, value)
		}
		for {
			key, value, err := d.NextField()
			if err != nil {
				return "", err
			}
			if key == nil {
				break
			}
			if value.Kind() == lineprotocol.Int {
				fmt.Fprintf(&b, " %q:%di", key, value.IntV())
			} else {
				fmt.Fprintf(&b, " %q:%s", key, exact(value.FloatV()))
			}
		}
		at, err := d.Time(lineprotocol.Millisecond, time.Time{})
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, " @%d", at.UnixMilli())
	}
	return b.String(), nil
}

// What is written as %XX can be had back with the usual tools.
func TestPercentIsReversible(t *testing.T) {
	t.Parallel()
	const name = "a\n\\\x00\xff\u2028"
	written := string(appendName(nil, name, &keyBytes))
	if back, err := url.PathUnescape(written); err != nil || back != name {
		t.Errorf("%q → %q → %q, %v", name, written, back, err)
	}
}

func BenchmarkAppendReading(b *testing.B) {
	reading, series := sample()
	dst := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendReading(dst[:0], series, reading)
	}
	b.SetBytes(int64(len(dst)))
}
