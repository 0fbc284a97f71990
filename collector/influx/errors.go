package influx

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

// class is what an answer means for the lines that were sent.
type class uint8

const (
	stored    class = iota // answered with 204: every line is in the database
	refusal                // some line is wrong, and the database says what about it
	doubtful               // 400 or 422 in unknown words: a line, or the request itself
	tooLarge               // the request is too long
	busy                   // no answer, or one that asks for patience: try again
	denied                 // the credentials are wrong or have not the right
	condition              // something about the database that its operator must mend
)

// String returns the value of the label `result`.
func (c class) String() string {
	return [...]string{"stored", "refused", "refused", "too_large", "retry", "auth", "condition"}[c]
}

// verdict is what to do after an attempt.
type verdict struct {
	class   class
	words   string        // the other side's, for people
	after   time.Duration // the least pause that the server asked for
	missing bool          // the database, policy or bucket is not there
}

// waits tells whether the same lines are to be sent again, later.
func (v verdict) waits() bool { return v.class >= busy }

// judge decides what an error of the client library means. nil means stored:
// the transport lets no other success than 204 pass.
func (w *Writer) judge(err error) verdict { return judge(err, time.Now()) }

func judge(err error, now time.Time) verdict {
	if err == nil {
		return verdict{class: stored}
	}
	answer := &influxhttp.Error{}
	if !errors.As(err, &answer) || answer.StatusCode == 0 {
		return judgeConnection(err)
	}
	v := verdict{words: words(answer), after: retryAfter(answer.Header, now)}
	status := answer.StatusCode
	switch {
	case status == http.StatusBadRequest || status == http.StatusUnprocessableEntity:
		v.class = judgeWords(v.words)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		v.class = denied
	case status == http.StatusNotFound:
		v.class, v.missing = condition, true
	case status == http.StatusRequestEntityTooLarge:
		v.class = tooLarge
	case status == http.StatusInternalServerError && strings.HasPrefix(v.words, "retention policy not found"):
		v.class, v.missing = condition, true
	case status >= 500, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status == http.StatusTooEarly:
		v.class = busy
	default:
		v.class = condition
	}
	v.words = fmt.Sprintf("%d %s", status, v.words)
	return v
}

// judgeConnection is for attempts without an answer.
func judgeConnection(err error) verdict {
	var unfit unfitError
	if errors.As(err, &unfit) {
		return verdict{class: condition, words: unfit.Error()}
	}
	text := err.Error()
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		text = wrapped.Err.Error()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		text = "no answer in time"
	}
	return verdict{class: busy, words: text}
}

// judgeLog is for the durable log, whose troubles pass or need its operator.
func judgeLog(action string, err error) verdict {
	if err == nil {
		return verdict{class: stored}
	}
	return verdict{class: condition, words: fmt.Sprintf("%s: %v", action, err)}
}

// What a 400 or 422 may begin with, once the frames are taken off. A message
// can quote a line, so lines are recognised before anything is looked for
// inside a message.
var (
	frames = []string{"failure writing points to database: ", "partial write: "}

	aboutLine = []string{
		"unable to parse", "field type conflict", "points beyond retention policy", "dropped ",
		"invalid tag key", "invalid field name", "key contains invalid unicode", "max key length exceeded",
	}

	aboutDatabase = []string{
		"limit exceeded", "not found", "pending deletion", "retention policy", "timeout", "hinted handoff",
	}
)

// judgeWords decides whether a refused request is the fault of a line.
// "points beyond retention policy" is about a line: it is too old, will only
// grow older, and must not hold up the lines behind it.
func judgeWords(words string) class {
	for _, frame := range frames {
		words = strings.TrimPrefix(words, frame)
	}
	for _, prefix := range aboutLine {
		if strings.HasPrefix(words, prefix) {
			return refusal
		}
	}
	for _, part := range aboutDatabase {
		if strings.Contains(words, part) {
			return condition
		}
	}
	return doubtful
}

// maxWords bounds the words that are kept for logs and quarantine, in bytes.
const maxWords = 1024

func words(e *influxhttp.Error) string {
	text := e.Message
	if text == "" {
		text = http.StatusText(e.StatusCode)
	}
	text = strings.TrimSpace(text)
	if len(text) > maxWords {
		text = text[:maxWords]
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// retryAfter reads the header in both its forms: seconds and a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, date.Sub(now))
	}
	return 0
}
