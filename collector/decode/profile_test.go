package decode_test

import (
	"errors"
	"fmt"
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
