package decode_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/meter"
)

var nativeSource = []decode.Source{{Name: "native", Topics: []string{"imdad/v1/#"}, Profile: "imdad"}}

const topic = "imdad/v1/sn-z1/electricity/m1"

func newDecoder() *decode.Decoder { return decode.New(nativeSource, meter.NewCatalog(1000)) }

func TestNativeReading(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, payload string
		want          string
	}{
		{"milliseconds", `{"ts":1763895600123,"values":{"active_power_kw":431.2}}`, "1763895600123 active_power_kw=431.2"},
		{"RFC 3339", `{"ts":"2025-11-23T11:00:00.1239Z","values":{"p":1}}`, "1763895600123 p=1"},
		{"RFC 3339 with an offset", `{"ts":"2025-11-23T14:00:00+03:00","values":{"p":1}}`, "1763895600000 p=1"},
		{"fraction of a millisecond is cut", `{"ts":1763895600123.9,"values":{"p":1}}`, "1763895600123 p=1"},
		{"exponent in ts", `{"ts":1.763895600123e12,"values":{"p":1}}`, "1763895600123 p=1"},
		{"absurdly late", `{"ts":1e300,"values":{"p":1}}`, fmt.Sprintf("%d p=1", int64(math.MaxInt64))},
		{"absurdly early", `{"ts":-99999999999999999999,"values":{"p":1}}`, fmt.Sprintf("%d p=1", int64(math.MinInt64))},
		{"seq", `{"ts":1,"seq":4711,"values":{"p":1}}`, "1 seq=4711 p=1"},
		{"booleans", `{"ts":1,"values":{"running":true,"closed":false}}`, "1 running=1 closed=0"},
		{"quality", `{"ts":1,"quality":"suspect","values":{"p":1}}`, "1 suspect p=1"},
		{"historical", `{"ts":1,"historical":true,"values":{"p":1}}`, "1 historical p=1"},
		{"not historical", `{"ts":1,"historical":false,"values":{"p":1}}`, "1 p=1"},
		{"unlisted register", `{"ts":1,"values":{"made_up_9":-0.5e-3}}`, "1 made_up_9=-0.0005"},
		{"unknown keys are passed over", `{"x":[1,{"y":null},[],"s"],"ts":1,"values":{"p":1},"z":-1.5e3}`, "1 p=1"},
		{"space everywhere", " {\n\"ts\" :\t1 ,\"values\" : { \"p\" : 1 } } \r\n", "1 p=1"},
		{"values first", `{"values":{"p":1},"ts":1}`, "1 p=1"},
		{"escaped key", `{"ts":1,"values":{"\u0070":1}}`, "1 p=1"},
		{"a double's edge", `{"ts":1,"values":{"p":1.7976931348623157e308,"q":5e-324}}`, "1 p=1.7976931348623157e+308 q=5e-324"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out decode.Readings
			result, err := newDecoder().Decode(decode.Message{Topic: topic, Payload: []byte(tt.payload)}, &out)
			if err != nil || result != decode.Decoded {
				t.Fatalf("result %d, error %v", result, err)
			}
			if len(out.All()) != 1 {
				t.Fatalf("%d readings, want 1", len(out.All()))
			}
			if got := format(&out.All()[0]); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func format(r *meter.Reading) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d", r.Time)
	if r.HasSeq {
		fmt.Fprintf(&b, " seq=%d", r.Seq)
	}
	if r.Quality != meter.Good {
		fmt.Fprintf(&b, " %s", r.Quality)
	}
	if r.Historical {
		b.WriteString(" historical")
	}
	for _, v := range r.Values {
		fmt.Fprintf(&b, " %s=%v", v.Register, v.Value)
	}
	return b.String()
}

func TestReject(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", meter.MaxNameLen+1)
	var many strings.Builder
	for i := range decode.MaxRegisters + 1 {
		fmt.Fprintf(&many, `"r%d":1,`, i)
	}
	tests := []struct {
		name, topic, payload string
		want                 decode.Reason
	}{
		{"empty", topic, ``, decode.Empty},
		{"only space", topic, ` `, decode.BadJSON},
		{"too large", topic, strings.Repeat(" ", decode.MaxPayload+1), decode.TooLarge},
		{"too many registers", topic, `{"ts":1,"values":{` + many.String() + `"z":1}}`, decode.TooLarge},
		{"not UTF-8", topic, "{\"ts\":1,\"values\":{\"p\xff\":1}}", decode.NotUTF8},
		{"truncated in a key", topic, `{"ts":1,"val`, decode.BadJSON},
		{"truncated in a number", topic, `{"ts":1,"values":{"p":1`, decode.BadJSON},
		{"truncated before the end", topic, `{"ts":1,"values":{"p":1}`, decode.BadJSON},
		{"text after the end", topic, `{"ts":1,"values":{"p":1}}x`, decode.BadJSON},
		{"array", topic, `[1]`, decode.BadJSON},
		{"trailing comma", topic, `{"ts":1,"values":{"p":1,}}`, decode.BadJSON},
		{"no comma", topic, `{"ts":1 "values":{"p":1}}`, decode.BadJSON},
		{"no colon", topic, `{"ts" 1}`, decode.BadJSON},
		{"leading zero", topic, `{"ts":1,"values":{"p":01}}`, decode.BadJSON},
		{"hexadecimal", topic, `{"ts":1,"values":{"p":0x10}}`, decode.BadJSON},
		{"underscore", topic, `{"ts":1,"values":{"p":1_000}}`, decode.BadJSON},
		{"bare point", topic, `{"ts":1,"values":{"p":.5}}`, decode.BadJSON},
		{"point without digits", topic, `{"ts":1,"values":{"p":5.}}`, decode.BadJSON},
		{"raw control character", topic, "{\"ts\":1,\"values\":{\"p\n\":1}}", decode.BadJSON},
		{"bad escape", topic, `{"ts":1,"values":{"\x":1}}`, decode.BadJSON},
		{"array with a trailing comma", topic, `{"x":[1,]}`, decode.BadJSON},
		{"deep array", topic, `{"x":` + strings.Repeat("[", 100_000), decode.TooDeep},
		{"deep value", topic, `{"ts":1,"values":{"p":` + strings.Repeat(`{"a":`, 1000) + `1`, decode.TooDeep},
		{"duplicate ts", topic, `{"ts":1,"ts":1,"values":{"p":1}}`, decode.DuplicateKey},
		{"duplicate values", topic, `{"ts":1,"values":{"p":1},"values":{"q":1}}`, decode.DuplicateKey},
		{"duplicate register", topic, `{"ts":1,"values":{"p":1,"p":1}}`, decode.DuplicateKey},
		{"duplicate register, once escaped", topic, `{"ts":1,"values":{"p":1,"\u0070":2}}`, decode.DuplicateKey},
		{"missing ts", topic, `{"values":{"p":1}}`, decode.NoTime},
		{"null ts", topic, `{"ts":null,"values":{"p":1}}`, decode.NoTime},
		{"ts without a zone", topic, `{"ts":"2026-11-23T08:15:00","values":{"p":1}}`, decode.NoTime},
		{"ts in words", topic, `{"ts":"yesterday","values":{"p":1}}`, decode.NoTime},
		{"missing values", topic, `{"ts":1}`, decode.NoValues},
		{"empty values", topic, `{"ts":1,"values":{}}`, decode.NoValues},
		{"values is an array", topic, `{"ts":1,"values":[1]}`, decode.BadValue},
		{"string for a number", topic, `{"ts":1,"values":{"p":"431.2"}}`, decode.BadValue},
		{"null for a number", topic, `{"ts":1,"values":{"p":null}}`, decode.BadValue},
		{"object for a number", topic, `{"ts":1,"values":{"p":{}}}`, decode.BadValue},
		{"fractional seq", topic, `{"ts":1,"seq":1.5,"values":{"p":1}}`, decode.BadValue},
		{"string seq", topic, `{"ts":1,"seq":"1","values":{"p":1}}`, decode.BadValue},
		{"unknown quality", topic, `{"ts":1,"quality":"late","values":{"p":1}}`, decode.BadValue},
		{"historical as a number", topic, `{"ts":1,"historical":1,"values":{"p":1}}`, decode.BadValue},
		{"NaN", topic, `{"ts":1,"values":{"p":NaN}}`, decode.NotFinite},
		{"Infinity", topic, `{"ts":1,"values":{"p":Infinity}}`, decode.NotFinite},
		{"-Infinity", topic, `{"ts":1,"values":{"p":-Infinity}}`, decode.NotFinite},
		{"1e400", topic, `{"ts":1,"values":{"p":1e400}}`, decode.NotFinite},
		{"-1e400", topic, `{"ts":1,"values":{"p":-1e400}}`, decode.NotFinite},
		{"reserved register", topic, `{"ts":1,"values":{"time":1}}`, decode.BadName},
		{"register in capitals", topic, `{"ts":1,"values":{"Power":1}}`, decode.BadName},
		{"empty register", topic, `{"ts":1,"values":{"":1}}`, decode.BadName},
		{"long register", topic, `{"ts":1,"values":{"` + long + `":1}}`, decode.BadName},
		{"line protocol in a register", topic, `{"ts":1,"values":{"p=1,q":1}}`, decode.BadName},
		{"escaped newline in a register", topic, `{"ts":1,"values":{"p\nq":1}}`, decode.BadName},
		{"too few levels", "imdad/v1/z/electricity", `{}`, decode.BadTopic},
		{"too many levels", "imdad/v1/z/electricity/m/x", `{}`, decode.BadTopic},
		{"unknown utility", "imdad/v1/z/gas/m", `{}`, decode.BadTopic},
		{"zone with a space", "imdad/v1/z 1/electricity/m", `{}`, decode.BadName},
		{"meter with line protocol", "imdad/v1/z/electricity/m,city=x p=1\n", `{}`, decode.BadName},
		{"meter with a control character", "imdad/v1/z/electricity/m\x01", `{}`, decode.BadName},
		{"empty meter", "imdad/v1/z/electricity/", `{}`, decode.BadName},
		{"long meter", "imdad/v1/z/electricity/" + long, `{}`, decode.BadName},
		{"no source", "elsewhere/z/electricity/m", `{}`, decode.NoSource},
		{"gateway status in words", "imdad/v1/z/gateway/g", `asleep`, decode.BadValue},
		{"gateway without status", "imdad/v1/z/gateway/g", ``, decode.Empty},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out decode.Readings
			_, err := newDecoder().Decode(decode.Message{Topic: tt.topic, Payload: []byte(tt.payload)}, &out)
			var reject *decode.Reject
			if !errors.As(err, &reject) {
				t.Fatalf("accepted, want %s", tt.want)
			}
			if reject.Reason != tt.want || reject.Detail == "" {
				t.Errorf("got %v, want reason %s with a detail", reject, tt.want)
			}
			if len(out.All()) != 0 {
				t.Errorf("a rejected message left %d readings", len(out.All()))
			}
		})
	}
}

func TestNotStored(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		message decode.Message
		want    decode.Result
		gateway *decode.Gateway
	}{
		{
			"gateway online", decode.Message{Topic: "imdad/v1/z/gateway/g", Payload: []byte("online"), Retained: true},
			decode.Control, &decode.Gateway{Zone: "z", ID: "g", Online: true},
		},
		{
			"gateway offline", decode.Message{Topic: "imdad/v1/z/gateway/g", Payload: []byte("offline")},
			decode.Control, &decode.Gateway{Zone: "z", ID: "g"},
		},
		{"retained without a time", decode.Message{Topic: topic, Payload: []byte(`{"values":{"p":1}}`), Retained: true}, decode.Ignored, nil},
		{"retained with a time", decode.Message{Topic: topic, Payload: []byte(`{"ts":1,"values":{"p":1}}`), Retained: true}, decode.Decoded, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out decode.Readings
			got, err := newDecoder().Decode(tt.message, &out)
			if err != nil || got != tt.want {
				t.Errorf("got %d, %v; want %d", got, err, tt.want)
			}
			if g := out.Gateway(); (g == nil) != (tt.gateway == nil) || g != nil && *g != *tt.gateway {
				t.Errorf("gateway %+v, want %+v", g, tt.gateway)
			}
			out.Reset()
			if g := out.Gateway(); g != nil {
				t.Errorf("gateway %+v after a reset", g)
			}
		})
	}
}

func TestMeterLimit(t *testing.T) {
	t.Parallel()
	d := decode.New(nativeSource, meter.NewCatalog(1))
	var out decode.Readings
	payload := []byte(`{"ts":1,"values":{"p":1}}`)
	for _, m := range []string{"a", "b", "a"} {
		_, err := d.Decode(decode.Message{Topic: "imdad/v1/z/water/" + m, Payload: payload}, &out)
		var reject *decode.Reject
		switch errors.As(err, &reject); {
		case m == "a" && reject != nil:
			t.Errorf("the first meter: %v", reject)
		case m == "b" && (reject == nil || reject.Reason != decode.TooManyMeters):
			t.Errorf("the meter beyond the limit: %v", err)
		}
	}
}

func TestSourceFilters(t *testing.T) {
	t.Parallel()
	tests := []struct {
		filter, topic string
		match         bool
	}{
		{"imdad/v1/#", "imdad/v1/z/water/m", true},
		{"#", "imdad/v1/z/water/m", true},
		{"imdad/v1/+/water/+", "imdad/v1/z/water/m", true},
		{"imdad/v1/+/water/+", "imdad/v1/z/fuel/m", false},
		{"imdad/v1/z/water/m", "imdad/v1/z/water/m", true},
		{"imdad/v1/z/water", "imdad/v1/z/water/m", false},
		{"imdad/v1/z/water/m/#", "imdad/v1/z/water/m", true},
		{"imdad/v1/z/water/m/+", "imdad/v1/z/water/m", false},
		{"+", "$SYS", false},
		{"#", "$SYS/broker", false},
		{"$SYS/#", "$SYS/broker", true},
	}
	for _, tt := range tests {
		t.Run(tt.filter+" "+tt.topic, func(t *testing.T) {
			t.Parallel()
			source := decode.Source{Name: "s", Topics: []string{tt.filter}, Profile: "imdad"}
			if errs := source.Validate(); len(errs) > 0 {
				t.Fatal(errs)
			}
			d := decode.New([]decode.Source{source}, meter.NewCatalog(1))
			var out decode.Readings
			_, err := d.Decode(decode.Message{Topic: tt.topic, Payload: []byte(`{"ts":1,"values":{"p":1}}`)}, &out)
			var reject *decode.Reject
			noSource := errors.As(err, &reject) && reject.Reason == decode.NoSource
			if noSource == tt.match {
				t.Errorf("match = %v (%v), want %v", !noSource, err, tt.match)
			}
		})
	}
}

func TestSourceValidate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		source decode.Source
		want   string
	}{
		{"right", decode.Source{Name: "a", Topics: []string{"x/+/#"}, Profile: "imdad"}, ""},
		{"no name", decode.Source{Topics: []string{"x"}, Profile: "imdad"}, "name: "},
		{"no topic", decode.Source{Name: "a", Profile: "imdad"}, "topics: "},
		{"empty filter", decode.Source{Name: "a", Topics: []string{""}, Profile: "imdad"}, "topics[0]: "},
		{"# in the middle", decode.Source{Name: "a", Topics: []string{"a", "#/x"}, Profile: "imdad"}, "topics[1]: "},
		{"+ in a word", decode.Source{Name: "a", Topics: []string{"a+/x"}, Profile: "imdad"}, "topics[0]: "},
		{"unknown profile", decode.Source{Name: "a", Topics: []string{"a"}, Profile: "imdat"}, "profile: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			errs := tt.source.Validate()
			if tt.want == "" {
				if len(errs) != 0 {
					t.Error(errs)
				}
				return
			}
			if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), tt.want) {
				t.Errorf("got %v, want one error at %q", errs, tt.want)
			}
		})
	}
}

// The manual's table and the code must name the same reasons.
func TestReasonsArePublished(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile("../../configs/quarantine-reasons.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range decode.Reasons {
		if row := fmt.Sprintf("| `%s` | %s |", r.Reason, r.Meaning); !strings.Contains(string(manual), row) {
			t.Errorf("the manual lacks the row %s", row)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, payload := range []string{
		`{"ts":1763895600123,"seq":4711,"values":{"active_power_kw":431.2,"running":true},"quality":"good","historical":false}`,
		`{"ts":"2026-11-23T08:15:00Z","values":{"p":-1.5e-3}}`,
		`{"x":[1,{"y":null},[],"s\u00e9"],"ts":1,"values":{"p":1}}`,
		`{"ts":1e300,"values":{"p":NaN}}`, `{"ts":1,"values":{"\u0070":1}}`, "", "{", `{"":`,
	} {
		f.Add(topic, []byte(payload), false)
	}
	f.Add("imdad/v1/z/gateway/g", []byte("online"), true)
	f.Add("imdad/v1//electricity/\n", []byte("{}"), true)
	f.Fuzz(func(t *testing.T, topic string, payload []byte, retained bool) {
		var out decode.Readings
		result, err := newDecoder().Decode(decode.Message{Topic: topic, Payload: payload, Retained: retained}, &out)
		var reject *decode.Reject
		if err != nil && !errors.As(err, &reject) {
			t.Fatalf("an error that is not a Reject: %v", err)
		}
		if stored := err == nil && result == decode.Decoded; stored != (len(out.All()) > 0) {
			t.Fatalf("result %d, error %v, %d readings", result, err, len(out.All()))
		}
		for _, r := range out.All() {
			checkAgainstStandardLibrary(t, payload, &r)
		}
	})
}

// checkAgainstStandardLibrary decodes the payload again, by other means.
func checkAgainstStandardLibrary(t *testing.T, payload []byte, r *meter.Reading) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(payload, &object); err != nil {
		t.Fatalf("accepted what encoding/json refuses: %v", err)
	}
	var values map[string]any
	if err := json.Unmarshal(object["values"], &values); err != nil {
		t.Fatalf("accepted values that encoding/json refuses: %v", err)
	}
	if !meter.ValidID(r.Series.Zone) || !meter.ValidID(r.Series.Meter) || !r.Series.Utility.Valid() {
		t.Fatalf("illegal series %+v", r.Series)
	}
	if len(r.Values) == 0 || len(r.Values) > len(values) {
		t.Fatalf("%d registers of %d", len(r.Values), len(values))
	}
	for _, v := range r.Values {
		var number float64
		switch x := values[v.Register].(type) {
		case float64:
			number = x
		case bool:
			if x {
				number = 1
			}
		default:
			t.Fatalf("register %q is %v to encoding/json", v.Register, x)
		}
		if number != v.Value || math.IsInf(v.Value, 0) || !meter.ValidRegister(v.Register) {
			t.Fatalf("register %q is %v, encoding/json says %v", v.Register, v.Value, number)
		}
	}
}

func BenchmarkDecodeNative(b *testing.B) {
	payload := []byte(`{"ts":1763895600123,"seq":4711,"values":{"active_power_kw":431.2,"reactive_power_kvar":120.5,"energy_import_kwh":1283445.75,"voltage_l1_v":229.8,"current_l1_a":612.4,"frequency_hz":49.98,"power_factor":0.92}}`)
	d := newDecoder()
	var out decode.Readings
	m := decode.Message{Topic: topic, Payload: payload}
	b.ReportAllocs()
	b.SetBytes(int64(len(payload)))
	for b.Loop() {
		if _, err := d.Decode(m, &out); err != nil {
			b.Fatal(err)
		}
	}
}
