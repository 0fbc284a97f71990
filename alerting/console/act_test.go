package console

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// do asks for an action on an alarm.
func (f *face) do(id, verb, body string, change ...func(*http.Request)) answer {
	f.t.Helper()
	return f.ask(http.MethodPost, "/api/v1/alarms/"+id+"/"+verb, body, change...)
}

// refused expects an answer that explains itself.
func refused(t *testing.T, name string, a answer, code int, says string) {
	t.Helper()
	if a.code != code || !strings.Contains(a.body, says) {
		t.Errorf("%s: %d %s, want %d %q", name, a.code, a.body, code, says)
	}
	if kind := a.header.Get("Content-Type"); kind != "application/problem+json" {
		t.Errorf("%s: %s", name, kind)
	}
}

func TestAcknowledge(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	f.three()
	a := into[alarm.Alarm](t, f.do(outage, "acknowledge", `{"by": "rana", "reason": "crew sent"}`))
	if a.State != alarm.Acknowledged || a.AcknowledgedBy != "rana" {
		t.Errorf("%+v", a)
	}
	again := into[alarm.Alarm](t, f.do(outage, "acknowledge", `{"by": "samir", "occurrence": `+itoa(a.Occurrence)+`}`))
	if again.AcknowledgedBy != "rana" {
		t.Errorf("a second time: %+v", again)
	}
	lines, err := f.book.Transitions(t.Context(), 3, 10)
	if err != nil || len(lines) != 1 || lines[0].By != "rana" || lines[0].Via != "api" || lines[0].Reason != "crew sent" {
		t.Errorf("journal: %+v, %v", lines, err)
	}
	refused(t, "another occurrence", f.do(outage, "acknowledge", `{"by": "rana", "occurrence": 77}`), http.StatusConflict, "occurred again")
	refused(t, "an unknown alarm", f.do("elec.outage:f9", "acknowledge", `{"by": "rana"}`), http.StatusNotFound, "no such alarm")
	refused(t, "nobody", f.do(outage, "acknowledge", `{}`), http.StatusUnprocessableEntity, "by: say who acts")
	refused(t, "no body", f.do(outage, "acknowledge", ""), http.StatusUnprocessableEntity, "by: say who acts")
	refused(t, "an unknown key", f.do(outage, "acknowledge", `{"by": "rana", "who": "x"}`), http.StatusUnprocessableEntity, "unexpected property")
	refused(t, "no JSON", f.do(outage, "acknowledge", `{`), http.StatusBadRequest, "")
	refused(t, "an unknown parameter", f.do(outage, "acknowledge?force=1", `{"by": "rana"}`), http.StatusUnprocessableEntity, "force")
	f.broken = errors.New("disk")
	refused(t, "a broken journal", f.do(outage, "acknowledge", `{"by": "rana"}`), http.StatusInternalServerError, "cannot be used")
}

// An acknowledgement of what has ended and come again is for the old one.
func TestAcknowledgeOldOccurrence(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	f.three()
	seen := into[alarm.Alarm](t, f.ask(http.MethodGet, "/api/v1/alarms/"+outage, ""))
	f.step()
	f.three()
	refused(t, "old", f.do(outage, "acknowledge", `{"by": "rana", "occurrence": `+itoa(seen.Occurrence)+`}`), http.StatusConflict, "occurred again")
	if got := f.state(outage); got != alarm.Unacknowledged {
		t.Errorf("now %s", got)
	}
}

func TestAuthor(t *testing.T) {
	t.Parallel()
	as := func(name string) func(*http.Request) { return func(r *http.Request) { r.SetBasicAuth(name, "secret") } }
	cli := func(r *http.Request) { r.Header.Set("User-Agent", CommandLine+"1.0") }
	for _, c := range []struct {
		name, body, by, via string
		change              []func(*http.Request)
	}{
		{"by the request", `{"by": "rana"}`, "rana", "api", nil},
		{"by the password", `{}`, "hadi", "api", []func(*http.Request){as("hadi")}},
		{"the password has the last word", `{"by": "rana"}`, "hadi", "api", []func(*http.Request){as("hadi")}},
		{"without a body", "", "hadi", "api", []func(*http.Request){as("hadi")}},
		{"from the command line", `{"by": "rana"}`, "rana", "cli", []func(*http.Request){cli}},
	} {
		f := newFace(t)
		f.three()
		if a := into[alarm.Alarm](t, f.do(outage, "acknowledge", c.body, c.change...)); a.AcknowledgedBy != c.by {
			t.Errorf("%s: by %s, want %s", c.name, a.AcknowledgedBy, c.by)
		}
		lines, err := f.book.Transitions(t.Context(), 3, 1)
		if err != nil || len(lines) != 1 || lines[0].Via != c.via {
			t.Errorf("%s: %+v, %v", c.name, lines, err)
		}
	}
}

func TestShelve(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	f.three()
	for _, c := range []struct{ name, body, says string }{
		{"too long", `{"by": "rana", "reason": "works", "for": "8h1s"}`, "at most 8h"},
		{"no time at all", `{"by": "rana", "reason": "works", "for": "0s"}`, "more than nothing"},
		{"no time given", `{"by": "rana", "reason": "works"}`, "for"},
		{"no duration", `{"by": "rana", "reason": "works", "for": "2 hours"}`, "write a time such as 2h30m"},
		{"an empty reason", `{"by": "rana", "reason": "", "for": "2h"}`, "reason"},
		{"no reason", `{"by": "rana", "for": "2h"}`, "reason"},
		{"nobody", `{"reason": "works", "for": "2h"}`, "say who acts"},
	} {
		refused(t, c.name, f.do(overload, "shelve", c.body), http.StatusUnprocessableEntity, c.says)
	}
	refused(t, "unknown", f.do("a:b", "shelve", `{"by": "rana", "reason": "works", "for": "2h"}`), http.StatusNotFound, "no such alarm")
	refused(t, "not shelved", f.do(overload, "unshelve", `{"by": "rana"}`), http.StatusConflict, "not shelved")

	a := into[alarm.Alarm](t, f.do(overload, "shelve", `{"by": "rana", "reason": "works", "for": "8h"}`))
	if a.State != alarm.Shelved || a.ShelvedBy != "rana" || a.ShelvedReason != "works" || !a.ShelvedUntil.Equal(f.now.Add(8*time.Hour)) {
		t.Errorf("%+v", a)
	}
	a = into[alarm.Alarm](t, f.do(overload, "unshelve", `{"by": "samir", "reason": "done"}`))
	if a.State != alarm.Unacknowledged || !a.ShelvedUntil.IsZero() {
		t.Errorf("%+v", a)
	}
}

func TestReset(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	f.three()
	refused(t, "not latched", f.do(outage, "reset", `{"by": "rana"}`), http.StatusConflict, "not latched")
	f.step() // the condition is over; the latched one stays
	if got := f.state(burst); got != alarm.Unacknowledged {
		t.Fatalf("a latched alarm is %s", got)
	}
	if a := into[alarm.Alarm](t, f.do(burst, "reset", `{"by": "rana", "reason": "pipe mended"}`)); a.State != alarm.Normal {
		t.Errorf("%+v", a)
	}
	refused(t, "twice", f.do(burst, "reset", `{"by": "rana"}`), http.StatusConflict, "not raised")
}

func TestOutOfService(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	f.three()
	refused(t, "no reason", f.do(overload, "take-out", `{"by": "rana"}`), http.StatusUnprocessableEntity, "give a reason")
	refused(t, "in service", f.do(overload, "put-back", `{"by": "rana"}`), http.StatusConflict, "in service")
	if a := into[alarm.Alarm](t, f.do(overload, "take-out", `{"by": "rana", "reason": "feeder rebuilt"}`)); a.State != alarm.OutOfService {
		t.Errorf("%+v", a)
	}
	refused(t, "shelving it", f.do(overload, "shelve", `{"by": "rana", "reason": "x", "for": "1h"}`), http.StatusConflict, "out of service")
	if a := into[alarm.Alarm](t, f.do(overload, "put-back", `{"by": "rana"}`)); a.State != alarm.Unacknowledged {
		t.Errorf("%+v", a)
	}
}

func TestStage(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	if a := f.ask(http.MethodPost, "/api/v1/cities/aleppo/stage", `{"stage": 2}`); a.code != http.StatusNoContent || f.stages["aleppo"] != 2 {
		t.Errorf("%d %s, %v", a.code, a.body, f.stages)
	}
	refused(t, "no such city", f.ask(http.MethodPost, "/api/v1/cities/nowhere/stage", `{"stage": 2}`), http.StatusNotFound, "nowhere")
	for _, body := range []string{`{"stage": -1}`, `{"stage": 100}`, `{"stage": "two"}`, `{"stage": 1.5}`, `{}`} {
		refused(t, body, f.ask(http.MethodPost, "/api/v1/cities/aleppo/stage", body), http.StatusUnprocessableEntity, "stage")
	}
	if f.stages["aleppo"] != 2 {
		t.Errorf("%v", f.stages)
	}
}
