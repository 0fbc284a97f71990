package console

import (
	"embed"
	"errors"
	"html/template"
	"net/http"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
)

// Links opens the signed links in notices.
type Links interface {
	// Open returns what a token allows. An error says, to the person, why it
	// no longer does.
	Open(token string) (Ticket, error)
}

// Ticket allows one person to acknowledge one occurrence of one alarm.
type Ticket struct {
	Alarm      string
	Occurrence int64
	Person     string
	Arabic     bool
}

//go:embed page.html
var files embed.FS

var pageTemplate = template.Must(template.ParseFS(files, "page.html"))

// page is what a link opens: GET asks, POST does. Programs that read mail
// before people do follow links but press no buttons.
type page struct {
	Options
	do bool
}

type pageData struct {
	Ticket
	Token  string
	Alarm  *alarm.Alarm
	Done   bool
	Failed string // "expired", "gone" or "later"
}

func (p page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d := pageData{Token: r.FormValue("token")}
	code := http.StatusOK
	var err error
	if d.Ticket, err = p.Links.Open(d.Token); err != nil {
		d.Failed, code = "expired", http.StatusForbidden
	} else if a, err := p.Desk.Alarm(r.Context(), d.Ticket.Alarm); err != nil || a.Occurrence != d.Occurrence {
		d.Failed, code = "gone", http.StatusGone
	} else {
		d.Alarm = &a
		code = p.perform(r, &d)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer") // the token is in the address
	w.WriteHeader(code)
	_ = pageTemplate.Execute(w, d) // the client has gone: nobody to tell
}

func (p page) perform(r *http.Request, d *pageData) int {
	if !p.do {
		d.Done = d.Alarm.State == alarm.Acknowledged
		return http.StatusOK
	}
	changed, err := p.Desk.Act(r.Context(), alarm.Action{
		Event: alarm.Acknowledge, ID: d.Ticket.Alarm, Occurrence: d.Occurrence, By: d.Person, Via: "email",
	})
	switch {
	case err == nil:
		d.Alarm, d.Done = &changed, true
		return http.StatusOK
	case errors.Is(err, alarm.ErrUnknown), errors.Is(err, alarm.ErrOld), errors.Is(err, alarm.ErrState):
		d.Failed = "gone"
		return http.StatusGone
	}
	d.Failed = "later"
	return http.StatusInternalServerError
}
