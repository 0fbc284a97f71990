package decode_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/meter"
)

// arrived is when the messages of these tests are received: 2026-11-23T08:15:00Z.
const arrived = 1795421700000

// profileTest is one message of a profile and what comes of it.
type profileTest struct {
	name, topic, payload string
	source               string // the public page that has the payload
	// want has a line for each reading, as write makes them; or one of the
	// words control and ignored; or ! and the reason for refusing.
	want     string
	retained bool
}

func testProfile(t *testing.T, source decode.Source, tests []profileTest) {
	t.Helper()
	t.Parallel()
	if errs := source.Validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := decode.New([]decode.Source{source}, meter.NewCatalog(1000))
			// What a path means is learned with the first message: the second must
			// say the same.
			for range 2 {
				if got := read(d, decode.Message{Topic: tt.topic, Payload: []byte(tt.payload), Retained: tt.retained, Received: arrived}); got != tt.want {
					t.Errorf("got\n%s\nwant\n%s", got, tt.want)
				}
			}
		})
	}
}

// testDocumented tests messages that are published somewhere: at least ten a
// profile, and each says where.
func testDocumented(t *testing.T, source decode.Source, tests []profileTest) {
	t.Helper()
	pages := 0
	for _, tt := range tests {
		if !strings.HasPrefix(tt.source, "https://") {
			t.Errorf("%s: the payload is from %q; want a public address", tt.name, tt.source)
		}
		pages++
	}
	if pages < 10 {
		t.Errorf("%d documented payloads; want ten or more", pages)
	}
	testProfile(t, source, tests)
	for _, tt := range tests {
		var payload any
		if strings.Contains(tt.want, "=") && !strings.HasPrefix(source.Profile, "senml") && json.Unmarshal([]byte(tt.payload), &payload) == nil {
			testKept(t, tt.name, payload, digits(tt.want))
		}
	}
}

// about are the keys whose numbers are about the device, the message or the
// radio, and total_mj, which is converted by no power of ten.
var about = map[string]bool{
	"id": true, "ts": true, "meter_serial_number": true, "parameter_set": true, "supplier_info": true, "fabrication_no": true, "customer": true, "ADCO": true, "total_mj": true,
	"end_device_ids": true, "rx_metadata": true, "settings": true, "locations": true, "f_port": true,
	"deviceInfo": true, "rxInfo": true, "txInfo": true, "devAddr": true, "adr": true, "dr": true, "fPort": true, "confirmed": true, "data": true,
}

// testKept tests that each number in a payload, quoted or not, has a register
// of these digits.
func testKept(t *testing.T, name string, v any, kept map[string]bool) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			if !about[key] {
				testKept(t, name+": "+key, member, kept)
			}
		}
	case []any:
		for _, member := range v {
			testKept(t, name, member, kept)
		}
	case bool:
		if v {
			testKept(t, name, 1.0, kept)
		}
	case string:
		if f, err := strconv.ParseFloat(v, 64); err == nil {
			testKept(t, name, f, kept)
		}
	case float64:
		if !kept[significant(v)] {
			t.Errorf("%s: %v is lost", name, v)
		}
	}
}

// digits are those of the values in want.
func digits(want string) map[string]bool {
	kept := map[string]bool{}
	for field := range strings.FieldsSeq(want) {
		if _, value, ok := strings.Cut(field, "="); ok {
			if f, err := strconv.ParseFloat(value, 64); err == nil {
				kept[significant(f)] = true
			}
		}
	}
	return kept
}

// significant writes a number without its sign and power of ten.
func significant(f float64) string {
	mantissa, _, _ := strings.Cut(strconv.FormatFloat(math.Abs(f), 'e', 9, 64), "e")
	return mantissa
}

// read decodes and writes down what came of it.
func read(d *decode.Decoder, m decode.Message) string {
	var out decode.Readings
	result, err := d.Decode(m, &out)
	var reject *decode.Reject
	switch {
	case errors.As(err, &reject):
		return "!" + string(reject.Reason)
	case result == decode.Control:
		return "control" + stale(&out)
	case result == decode.Ignored:
		return "ignored"
	}
	var lines []string
	for i := range out.All() {
		r := &out.All()[i]
		at := fmt.Sprint(r.Time)
		if r.Time == arrived {
			at = "received"
		}
		line := fmt.Sprintf("%s/%s/%s %s%s", r.Series.Zone, r.Series.Utility, r.Series.Meter, at, attributes(r))
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// stale names the meters that a message says are gone.
func stale(out *decode.Readings) string {
	text := ""
	for _, s := range out.Stale() {
		text += " " + s.Meter
	}
	return text
}

// attributes writes down everything but whose reading it is and when; numbers
// to the twelve digits that conversion keeps.
func attributes(r *meter.Reading) string {
	var b strings.Builder
	if r.HasSeq {
		fmt.Fprintf(&b, " seq=%d", r.Seq)
	}
	if r.Partial {
		b.WriteString(" partial")
	}
	if r.Quality != meter.Good {
		fmt.Fprintf(&b, " %s", r.Quality)
	}
	for _, v := range r.Values {
		fmt.Fprintf(&b, " %s=%.12g", v.Register, v.Value)
	}
	return b.String()
}
