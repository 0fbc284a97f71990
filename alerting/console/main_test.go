package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

var update = flag.Bool("update", false, "write what is found into the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

const (
	burst    = "water.burst:w1"
	overload = "elec.feeder_overload:f1"
	outage   = "elec.outage:f2"
)

// face is a console over a real alarm book, whose clock stands.
type face struct {
	t       *testing.T
	book    *alarm.Book
	now     time.Time
	links   *notify.Links
	mux     *http.ServeMux
	broken  error          // what the desk answers, if it is to fail
	stages  map[string]int // as announced
	arabic  bool           // what people read
	wording string         // what alarms say
}

func newFace(t *testing.T) *face {
	t.Helper()
	book, err := alarm.Open(t.Context(), alarm.Options{
		Path: filepath.Join(t.TempDir(), "alarms.db"), Config: alarm.DefaultConfig(), Log: zerolog.Nop(), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := book.Close(); err != nil {
			t.Error(err)
		}
	})
	links, err := notify.NewLinks("a secret of enough letters", "")
	if err != nil {
		t.Fatal(err)
	}
	f := &face{t: t, book: book, now: start, links: links, mux: http.NewServeMux(), stages: make(map[string]int), wording: "Power lost"}
	Register(f.mux, Options{Desk: f, Stages: f, Links: f, Texts: f.texts, Version: "1.2.3"})
	return f
}

// The face is its own desk, links and stages.

func (f *face) Alarms() []alarm.Alarm { return f.book.List() }

func (f *face) Alarm(ctx context.Context, id string) (alarm.Alarm, error) {
	if f.broken != nil {
		return alarm.Alarm{}, f.broken
	}
	return f.book.Get(ctx, id)
}

func (f *face) Journal(ctx context.Context, after int64, limit int) ([]alarm.Transition, error) {
	if f.broken != nil {
		return nil, f.broken
	}
	return f.book.Transitions(ctx, after, limit)
}

func (f *face) Act(ctx context.Context, a alarm.Action) (alarm.Alarm, error) {
	if f.broken != nil {
		return alarm.Alarm{}, f.broken
	}
	return f.book.Act(ctx, f.now, a)
}

func (f *face) Open(token string) (Ticket, error) {
	link, err := f.links.Verify(token, f.now)
	if err != nil {
		return Ticket{}, err
	}
	ticket := Ticket{Alarm: link.Alarm, Occurrence: link.Occurrence, Person: link.Person, Language: message.English}
	if f.arabic {
		ticket.Language = message.Arabic
	}
	return ticket, nil
}

func (f *face) SetStage(city string, stage int) error {
	if city != "aleppo" {
		return fmt.Errorf("there is no city %q", city)
	}
	f.stages[city] = stage
	return nil
}

func (f *face) texts(a alarm.Alarm) (map[message.Language]message.Text, error) {
	if f.wording == "" {
		return nil, errors.New("no words")
	}
	return map[message.Language]message.Text{
		message.English: {Subject: f.wording + " at " + a.Object}, message.Arabic: {Subject: "انقطاع " + a.Object},
	}, nil
}

// step lets conditions hold, and all others be clear.
func (f *face) step(findings ...rule.Finding) {
	f.t.Helper()
	f.now = f.now.Add(time.Second)
	if _, err := f.book.Step(f.t.Context(), f.now, findings); err != nil {
		f.t.Fatal(err)
	}
}

func finding(kind, object, in string, s rule.Severity) rule.Finding {
	return rule.Finding{
		Key: rule.Key{Kind: kind, Object: object}, State: rule.Raised, Severity: s,
		City: "aleppo", InZone: in, ObjectKind: zone.FeederKind, Latched: kind == "water.burst",
	}
}

// three raises an alarm of each kind of severity.
func (f *face) three() {
	f.t.Helper()
	load := finding("elec.feeder_overload", "f1", "z1", rule.Medium)
	f.step(load)
	f.step(load, finding("elec.outage", "f2", "z2", rule.High), finding("water.burst", "w1", "z1", rule.Critical))
}

// answer is what came back.
type answer struct {
	code   int
	header http.Header
	body   string
}

// ask makes a request. Bodies are JSON; change may turn it into something else.
func (f *face) ask(method, target, body string, change ...func(*http.Request)) answer {
	f.t.Helper()
	r := httptest.NewRequestWithContext(f.t.Context(), method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	f.mux.ServeHTTP(w, r)
	text, err := io.ReadAll(w.Result().Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return answer{w.Code, w.Header(), string(text)}
}

// into decodes an answer that must be 200.
func into[T any](t *testing.T, a answer) T {
	t.Helper()
	var out T
	if a.code != http.StatusOK {
		t.Fatalf("%d %s", a.code, a.body)
	}
	d := json.NewDecoder(bytes.NewReader([]byte(a.body)))
	if err := d.Decode(&out); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	return out
}

// state is that of an alarm, in the book.
func (f *face) state(id string) alarm.State {
	f.t.Helper()
	a, err := f.book.Get(f.t.Context(), id)
	if err != nil {
		f.t.Fatal(err)
	}
	return a.State
}
