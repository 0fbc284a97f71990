package console

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
)

// shelf is an outbox of two rows.
type shelf struct{ err error }

func (s shelf) Notices(_ context.Context, after int64, limit int) ([]notify.Record, error) {
	rows := []notify.Record{
		{ID: 3, Notice: 3, Channel: "sms", Person: "rana", State: "sent", Attempts: 1, Created: time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC),
			Content: message.Content{Type: message.Digest, Alarms: []alarm.Alarm{{ID: "elec.outage:f1"}, {ID: "elec.outage:f2"}}}},
		{ID: 5, Notice: 4, Channel: "email", Person: "hadi", State: "waiting", Attempts: 2, Error: "busy",
			Content: message.Content{Type: message.Upcoming}},
	}
	for len(rows) > 0 && rows[0].ID <= after {
		rows = rows[1:]
	}
	return rows[:min(limit, len(rows))], s.err
}

func TestNotices(t *testing.T) {
	t.Parallel()
	ask := func(o Outbox, query string) (int, string) {
		mux := http.NewServeMux()
		Register(mux, Options{Outbox: o})
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/notices"+query, nil))
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	const (
		first  = `{"id":3,"notice":3,"time":"2026-11-23T06:00:00Z","person":"rana","channel":"sms","type":"digest","alarms":["elec.outage:f1","elec.outage:f2"],"state":"sent","attempts":1}`
		second = `{"id":5,"notice":4,"time":"0001-01-01T00:00:00Z","person":"hadi","channel":"email","type":"upcoming","alarms":[],"state":"waiting","attempts":2,"error":"busy"}`
	)
	for _, c := range []struct{ query, want string }{
		{"", "[" + first + "," + second + "]"},
		{"?limit=1", "[" + first + "]"},
		{"?after=3", "[" + second + "]"},
		{"?after=5", "[]"},
	} {
		if code, body := ask(shelf{}, c.query); code != http.StatusOK || body != c.want {
			t.Errorf("%q: %d\n%s, want\n%s", c.query, code, body, c.want)
		}
	}
	if code, _ := ask(shelf{}, "?limit=1001"); code != http.StatusUnprocessableEntity {
		t.Errorf("a page that is too long: %d", code)
	}
	if code, body := ask(shelf{err: errors.New("disk")}, ""); code != http.StatusInternalServerError || !strings.Contains(body, "outbox") {
		t.Errorf("an outbox that cannot be read: %d %s", code, body)
	}
}
