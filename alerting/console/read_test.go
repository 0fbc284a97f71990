package console

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
)

func TestList(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	if a := f.ask(http.MethodGet, "/api/v1/alarms", ""); strings.TrimSpace(a.body) != "[]" {
		t.Errorf("without alarms: %d %q", a.code, a.body)
	}
	f.three()
	if a := f.ask(http.MethodPost, "/api/v1/alarms/"+outage+"/acknowledge", `{"by": "rana"}`); a.code != http.StatusOK {
		t.Fatalf("%d %s", a.code, a.body)
	}
	for _, c := range []struct{ name, query, want string }{
		{"all, the worst first", "", burst + " " + outage + " " + overload},
		{"a zone", "?zone=z1", burst + " " + overload},
		{"a kind", "?kind=elec.outage", outage},
		{"a state", "?state=unacknowledged", burst + " " + overload},
		{"a severity", "?severity=high", burst + " " + outage},
		{"the highest", "?severity=critical", burst},
		{"together", "?zone=z1&severity=high", burst},
		{"nothing", "?zone=z3", ""},
	} {
		var ids []string
		for _, a := range into[[]alarm.Alarm](t, f.ask(http.MethodGet, "/api/v1/alarms"+c.query, "")) {
			ids = append(ids, a.ID)
		}
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	for _, query := range []string{"?sort=zone", "?state=gone", "?severity=worst", "?zone=z1&limit=3"} {
		if a := f.ask(http.MethodGet, "/api/v1/alarms"+query, ""); a.code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", query, a.code, a.body)
		}
	}
}

// Alarms of one severity: the oldest first.
func TestOrderByAge(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	old, middle, young := finding("a.b", "z", "z1", 2), finding("a.b", "a", "z1", 2), finding("a.b", "m", "z1", 2)
	f.step(old)
	f.step(old, middle)
	f.step(old, middle, young)
	list := into[[]alarm.Alarm](t, f.ask(http.MethodGet, "/api/v1/alarms", ""))
	if len(list) != 3 || list[0].Object != "z" || list[1].Object != "a" || list[2].Object != "m" {
		t.Errorf("%+v", list)
	}
}

func TestOne(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	f.three()
	if a := into[alarm.Alarm](t, f.ask(http.MethodGet, "/api/v1/alarms/"+outage, "")); a.ID != outage || a.InZone != "z2" || a.State != alarm.Unacknowledged {
		t.Errorf("%+v", a)
	}
	if a := f.ask(http.MethodGet, "/api/v1/alarms/elec.outage:f9", ""); a.code != http.StatusNotFound || !strings.Contains(a.body, "no such alarm") {
		t.Errorf("unknown: %d %s", a.code, a.body)
	}
	f.ask(http.MethodPost, "/api/v1/alarms/"+outage+"/acknowledge", `{"by": "rana"}`)
	f.step()
	if a := into[alarm.Alarm](t, f.ask(http.MethodGet, "/api/v1/alarms/"+outage, "")); a.State != alarm.Normal || a.AcknowledgedBy != "rana" {
		t.Errorf("a normal one: %+v", a)
	}
	f.broken = errors.New("disk")
	if a := f.ask(http.MethodGet, "/api/v1/alarms/"+outage, ""); a.code != http.StatusInternalServerError {
		t.Errorf("broken: %d %s", a.code, a.body)
	}
}

func TestJournal(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	if a := f.ask(http.MethodGet, "/api/v1/journal", ""); strings.TrimSpace(a.body) != "[]" {
		t.Errorf("empty: %d %q", a.code, a.body)
	}
	f.three()
	f.step()
	all := into[[]alarm.Transition](t, f.ask(http.MethodGet, "/api/v1/journal", ""))
	if len(all) < 5 {
		t.Fatalf("%d lines", len(all))
	}
	var paged []alarm.Transition
	for after := "0"; ; {
		part := into[[]alarm.Transition](t, f.ask(http.MethodGet, "/api/v1/journal?limit=2&after="+after, ""))
		if len(part) == 0 {
			break
		}
		paged = append(paged, part...)
		after = itoa(part[len(part)-1].Seq)
	}
	if len(paged) != len(all) {
		t.Fatalf("%d lines by pages, %d at once", len(paged), len(all))
	}
	for i, line := range paged {
		if line.Seq != int64(i+1) || line.Event != all[i].Event || line.Alarm.ID != all[i].Alarm.ID {
			t.Errorf("line %d: %+v, want %+v", i, line, all[i])
		}
	}
	for _, query := range []string{"?limit=0", "?limit=1001", "?after=-1", "?after=x", "?from=1"} {
		if a := f.ask(http.MethodGet, "/api/v1/journal"+query, ""); a.code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", query, a.code)
		}
	}
	f.broken = errors.New("disk")
	if a := f.ask(http.MethodGet, "/api/v1/journal", ""); a.code != http.StatusInternalServerError {
		t.Errorf("broken: %d", a.code)
	}
}
