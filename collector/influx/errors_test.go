package influx

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	tests := []struct {
		name    string
		status  int
		message string
		after   string // Retry-After
		want    verdict
	}{
		{"1.8 malformed", 400, `unable to parse 'garbage': missing fields`, "", verdict{class: refusal}},
		{"1.8 malformed among good", 400, `partial write: unable to parse 'x y': invalid field format dropped=0`, "", verdict{class: refusal}},
		{"1.8 malformed that quotes a condition", 400, `partial write: unable to parse 'database not found, limit exceeded': x dropped=0`, "", verdict{class: refusal}},
		{"1.8 type conflict", 400, `partial write: field type conflict: input field "a" on measurement "limit exceeded" is type float, already exists as type string dropped=1`, "", verdict{class: refusal}},
		{"1.8 beyond retention", 400, `partial write: points beyond retention policy dropped=1`, "", verdict{class: refusal}},
		{"1.8 time tag", 400, `partial write: invalid tag key: input tag "time" on measurement "m" is invalid dropped=1`, "", verdict{class: refusal}},
		{"1.8 values per tag", 400, `partial write: max-values-per-tag limit exceeded (100000/100000): measurement="unable to parse" tag="meter" value="x" dropped=1`, "", verdict{class: condition}},
		{"1.8 series per database", 400, `partial write: max-series-per-database limit exceeded: (1000000) dropped=1`, "", verdict{class: condition}},
		{"1.8 dropped shard", 400, `partial write: shard 7 is pending deletion dropped=3`, "", verdict{class: condition}},
		{"1.8 missing database", 404, `database not found: "utility"`, "", verdict{class: condition, missing: true}},
		{"1.8 missing policy", 500, `retention policy not found: year`, "", verdict{class: condition, missing: true}},
		{"1.8 timeout", 500, `timeout`, "", verdict{class: busy}},
		{"1.8 password", 401, ``, "", verdict{class: denied}},
		{"1.8 right", 403, `"u" user is not authorized to write to database "d"`, "", verdict{class: denied}},
		{"2.x malformed", 400, `unable to parse 'x': missing fields`, "", verdict{class: refusal}},
		{"2.x type conflict", 422, `failure writing points to database: partial write: field type conflict: input field "a" on measurement "m" is type integer, already exists as type float dropped=1`, "", verdict{class: refusal}},
		{"2.x beyond retention", 422, `failure writing points to database: partial write: points beyond retention policy dropped=1`, "", verdict{class: refusal}},
		{"unknown 400", 400, `<html>bad request</html>`, "", verdict{class: doubtful}},
		{"empty 422", 422, ``, "", verdict{class: doubtful}},
		{"2.x missing bucket", 404, `bucket "utility" not found`, "", verdict{class: condition, missing: true}},
		{"too large", 413, `request entity too large`, "", verdict{class: tooLarge}},
		{"too many, in seconds", 429, ``, "12", verdict{class: busy, after: 12 * time.Second}},
		{"too many, by date", 429, ``, now.Add(time.Minute).Format(http.TimeFormat), verdict{class: busy, after: time.Minute}},
		{"too many, by a past date", 429, ``, now.Add(-time.Minute).Format(http.TimeFormat), verdict{class: busy}},
		{"unreadable Retry-After", 503, ``, "soon", verdict{class: busy}},
		{"negative Retry-After", 503, ``, "-3", verdict{class: busy}},
		{"internal error", 500, `unexpected`, "", verdict{class: busy}},
		{"bad gateway", 502, ``, "", verdict{class: busy}},
		{"request timeout", 408, ``, "", verdict{class: busy}},
		{"method not allowed", 405, ``, "", verdict{class: condition}},
		{"payment required", 402, ``, "", verdict{class: condition}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{}
			if tt.after != "" {
				header.Set("Retry-After", tt.after)
			}
			got := judge(&influxhttp.Error{StatusCode: tt.status, Message: tt.message, Header: header}, now)
			if !strings.Contains(got.words, tt.message) || got.words == "" {
				t.Errorf("words %q", got.words)
			}
			got.words = ""
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestJudgeConnection(t *testing.T) {
	t.Parallel()
	wrap := func(err error) error {
		return influxhttp.NewError(&url.Error{Op: "Post", URL: "http://db/api/v2/write?bucket=b", Err: err})
	}
	tests := []struct {
		name string
		err  error
		want verdict
	}{
		{"stored", nil, verdict{class: stored}},
		{"refused", wrap(errors.New("connection refused")), verdict{class: busy, words: "connection refused"}},
		{"deadline", wrap(context.DeadlineExceeded), verdict{class: busy, words: "no answer in time"}},
		{"not InfluxDB", influxhttp.NewError(errors.Join(unfitError("200 OK: no"))), verdict{class: condition, words: "200 OK: no"}},
		{"any other", errors.New("odd"), verdict{class: busy, words: "odd"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := judge(tt.err, time.Now()); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestWordsAreBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 2000)
	if got := words(&influxhttp.Error{StatusCode: 400, Message: " x" + long}); len(got) > maxWords+3 || !strings.HasPrefix(got, "xé") {
		t.Errorf("%d bytes: %.20s", len(got), got)
	}
}
