package console

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/notify"
)

// token signs a link for the present occurrence of an alarm.
func (f *face) token(id string) string {
	f.t.Helper()
	a, err := f.book.Get(f.t.Context(), id)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.links.Sign(notify.Link{Alarm: id, Occurrence: a.Occurrence, Person: "rana", Expires: f.now.Add(time.Hour)})
}

// follow opens a link, press its button.
func (f *face) follow(token string) answer {
	f.t.Helper()
	return f.ask(http.MethodGet, "/acknowledge?token="+url.QueryEscape(token), "")
}

func (f *face) press(token string) answer {
	f.t.Helper()
	return f.ask(http.MethodPost, "/acknowledge", url.Values{"token": {token}}.Encode(), func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	})
}

// shows expects a page, with what every page has.
func shows(t *testing.T, name string, a answer, code int, says ...string) {
	t.Helper()
	if a.code != code {
		t.Errorf("%s: %d, want %d", name, a.code, code)
	}
	for _, text := range says {
		if !strings.Contains(a.body, text) {
			t.Errorf("%s does not say %q:\n%s", name, text, a.body)
		}
	}
	for key, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
		"X-Content-Type-Options":  "nosniff",
		"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
	} {
		if got := a.header.Get(key); got != want {
			t.Errorf("%s: %s: %q", name, key, got)
		}
	}
	if loaded := regexp.MustCompile(`(?i)https?:|src=|url\(|<script|<link|@import`).FindString(a.body); loaded != "" {
		t.Errorf("%s has %q", name, loaded)
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	f.three()
	token := f.token(outage)
	for range 3 { // a program that reads mail
		shows(t, "asking", f.follow(token), http.StatusOK, `lang="en" dir="ltr"`, "Acknowledge this alarm?", "Power lost at f2", outage, "<form method=\"post\"", token)
	}
	if a := f.ask(http.MethodHead, "/acknowledge?token="+token, ""); a.code != http.StatusOK {
		t.Errorf("HEAD: %d", a.code)
	}
	if got := f.state(outage); got != alarm.Unacknowledged {
		t.Fatalf("looking has made it %s", got)
	}
	shows(t, "pressed", f.press(token), http.StatusOK, "<h1>Acknowledged</h1>", outage)
	a, err := f.book.Get(t.Context(), outage)
	if err != nil || a.State != alarm.Acknowledged || a.AcknowledgedBy != "rana" {
		t.Errorf("%+v, %v", a, err)
	}
	lines, err := f.book.Transitions(t.Context(), 3, 9)
	if err != nil || len(lines) != 1 || lines[0].Via != "email" {
		t.Errorf("%+v, %v", lines, err)
	}
	shows(t, "pressed again", f.press(token), http.StatusOK, "<h1>Acknowledged</h1>")
	shows(t, "opened again", f.follow(token), http.StatusOK, "<h1>Acknowledged</h1>")
	if lines, err = f.book.Transitions(t.Context(), 4, 9); err != nil || len(lines) != 0 {
		t.Errorf("%+v, %v", lines, err)
	}
}

func TestPageInArabic(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	f.arabic = true
	f.three()
	token := f.token(outage)
	shows(t, "asking", f.follow(token), http.StatusOK, `lang="ar" dir="rtl"`, "هل تقر باستلام الإنذار؟", "انقطاع f2", outage)
	shows(t, "pressed", f.press(token), http.StatusOK, "تم الإقرار بالاستلام")
	f.step()
	shows(t, "over", f.follow(token), http.StatusGone, "انتهى هذا الإنذار")
	f.three()
	shows(t, "newer", f.follow(token), http.StatusGone, "عاد هذا الإنذار من جديد")
	f.broken = errors.New("disk")
	shows(t, "broken", f.press(token), http.StatusInternalServerError, "تعذر الحفظ")
}

func TestPageRefuses(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	f.three()
	good := f.token(outage)
	a, err := f.book.Get(t.Context(), outage)
	if err != nil {
		t.Fatal(err)
	}
	link := notify.Link{Alarm: outage, Occurrence: a.Occurrence, Person: "rana", Expires: f.now}
	other, err := notify.NewLinks("another secret of enough letters", "")
	if err != nil {
		t.Fatal(err)
	}
	expired := f.links.Sign(link)
	link.Expires = f.now.Add(time.Hour)
	forged := other.Sign(link)
	half := good[:len(good)/2]
	foreign := strings.Split(f.token(overload), ".")[0] + "." + strings.Split(good, ".")[1]
	for name, token := range map[string]string{
		"none": "", "cut": half, "forged": forged, "expired": expired, "of another alarm": foreign,
		"no token": "<script>alert(1)</script>", "long": strings.Repeat("a", 5000),
	} {
		for _, answer := range []answer{f.follow(token), f.press(token)} {
			shows(t, name, answer, http.StatusForbidden, "This link is not valid", "الرابط غير صالح")
			if strings.Contains(answer.body, outage) || token != "" && strings.Contains(answer.body, token) {
				t.Errorf("%s: the page repeats what it was given:\n%s", name, answer.body)
			}
		}
	}
	if got := f.state(outage); got != alarm.Unacknowledged {
		t.Errorf("a bad link has made it %s", got)
	}
}

func TestPageOfWhatIsOver(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	f.three()
	token, unknown := f.token(outage), f.links.Sign(notify.Link{Alarm: "a.b:c", Occurrence: 1, Person: "rana", Expires: f.now.Add(time.Hour)})
	shows(t, "unknown", f.press(unknown), http.StatusGone, "This alarm is over")
	f.step()
	shows(t, "returned, unacknowledged", f.follow(token), http.StatusOK, "Acknowledge this alarm?")
	shows(t, "acknowledged at last", f.press(token), http.StatusOK, "<h1>Acknowledged</h1>")
	shows(t, "over", f.follow(token), http.StatusGone, "This alarm is over")
	shows(t, "over, pressed", f.press(token), http.StatusGone, "This alarm is over")
	f.three()
	shows(t, "come again", f.follow(token), http.StatusGone, "has come again")
	shows(t, "come again, pressed", f.press(token), http.StatusGone, "has come again")
	if got := f.state(outage); got != alarm.Unacknowledged {
		t.Errorf("the link of the first has made the second %s", got)
	}
	f.broken = errors.New("disk")
	shows(t, "broken", f.press(token), http.StatusInternalServerError, "Please try again")
	shows(t, "broken, opened", f.follow(token), http.StatusInternalServerError, "Please try again")
}

// What meters and people name is text, whatever it looks like.
func TestPageEscapes(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	f.three()
	f.wording = `<b onclick="x">"&`
	shows(t, "asking", f.follow(f.token(outage)), http.StatusOK, "&lt;b onclick=&#34;x&#34;&gt;&#34;&amp; at f2")
	f.wording = ""
	shows(t, "without words", f.follow(f.token(outage)), http.StatusOK, outage, "Acknowledge this alarm?")
}
