package console

import (
	"embed"
	"errors"
	"html/template"
	"net/http"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
)

// Links opens the signed links in notices.
type Links interface {
	// Open returns what a token allows. An error means that it allows nothing,
	// or no longer.
	Open(token string) (Ticket, error)
}

// Ticket allows one person to acknowledge one occurrence of one alarm.
type Ticket struct {
	Alarm      string
	Occurrence int64
	Person     string
	Language   message.Language
}

// pagePath is where the links in notices lead.
const pagePath = "/acknowledge"

//go:embed page.html
var files embed.FS

var pageTemplate = template.Must(template.ParseFS(files, "page.html"))

// page is what a link opens: GET asks, POST does. Programs that read mail
// before people do follow links but press no buttons.
type page struct{ Options }

// pageData is what the template shows.
type pageData struct {
	Ticket
	Token string
	ID    string // of the alarm
	Text  string // the alarm in the person's language; empty where there are no words
	Show  view
}

// view is what a page says.
type view string

// The pages, with the status that each is answered with.
const (
	asking  view = "asking"
	done    view = "done"
	invalid view = "invalid" // the link is forged, cut or too old
	over    view = "over"    // the alarm is
	newer   view = "newer"   // the alarm is over and has come again
	later   view = "later"   // nothing could be stored or read
)

var statuses = map[view]int{
	asking: http.StatusOK, done: http.StatusOK, invalid: http.StatusForbidden,
	over: http.StatusGone, newer: http.StatusGone, later: http.StatusInternalServerError,
}

// Arabic tells the template which texts to use.
func (d pageData) Arabic() bool { return d.Language == message.Arabic }

// serve answers with the page that a valid link leads to, as decide has it. The
// token is in the address: it is to be neither stored nor passed on, and the
// page is not to be put under another one's buttons.
func (p page) serve(decide func(page, *http.Request, alarm.Alarm, Ticket) view) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		d := pageData{Token: r.FormValue("token")}
		var err error
		if d.Ticket, err = p.Links.Open(d.Token); err != nil {
			d.Ticket, d.Show = Ticket{}, invalid
		} else {
			d.ID, d.Show = d.Alarm, p.open(r, &d, decide)
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'")
		w.WriteHeader(statuses[d.Show])
		_ = pageTemplate.Execute(w, d) // the client has gone: nobody to tell
	}
}

// open looks the alarm of a valid link up, and lets decide go on if that
// occurrence still is.
func (p page) open(r *http.Request, d *pageData, decide func(page, *http.Request, alarm.Alarm, Ticket) view) view {
	a, err := p.Desk.Alarm(r.Context(), d.Alarm)
	switch {
	case errors.Is(err, alarm.ErrUnknown): // longer ago than the journal is kept
		return over
	case err != nil:
		return later
	case a.State == alarm.Normal:
		return over
	case a.Occurrence != d.Occurrence:
		return newer
	}
	if texts, err := p.Texts(a); err == nil { // without words it can be acknowledged all the same
		d.Text = texts[d.Language].Subject
	}
	return decide(p, r, a, d.Ticket)
}

// ask changes nothing.
func (p page) ask(_ *http.Request, a alarm.Alarm, _ Ticket) view {
	if !a.AcknowledgedAt.IsZero() {
		return done
	}
	return asking
}

func (p page) acknowledge(r *http.Request, _ alarm.Alarm, t Ticket) view {
	_, err := p.Desk.Act(r.Context(), alarm.Action{
		Event: alarm.Acknowledge, ID: t.Alarm, Occurrence: t.Occurrence, By: t.Person, Via: "email",
	})
	switch {
	case err == nil:
		return done
	case errors.Is(err, alarm.ErrOld):
		return newer
	case errors.Is(err, alarm.ErrUnknown), errors.Is(err, alarm.ErrState):
		return over
	}
	return later
}
