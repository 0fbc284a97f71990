package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify/webhook"
)

const hookSecret = "a secret of the receiver"

// letter is a notice as it arrived.
type letter struct {
	to       string // a phone number, or "hook"
	key      string
	repeated bool // it says that it may be a repeat
	text     string
	payload  webhook.Payload // of the hook
}

// post takes notices: as an SMS gateway and as the receiver of a webhook. A
// trap takes the next one and never answers.
type post struct {
	t      *testing.T
	server *httptest.Server

	mu      sync.Mutex
	letters []letter
	trap    chan struct{} // closed when a notice is in it; nil: there is none
}

func openPost(t *testing.T) *post {
	p := &post{t: t}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /sms", p.sms)
	mux.HandleFunc("POST /hook", p.hook)
	p.server = httptest.NewServer(mux)
	t.Cleanup(p.server.Close)
	return p
}

// serve makes the service send here.
func (p *post) serve(c *channelsConfig) {
	c.SMS.URL = p.server.URL + "/sms"
	hook := webhook.DefaultConfig()
	hook.URL, hook.Secret = p.server.URL+"/hook", hookSecret
	c.Webhooks = map[string]webhook.Config{"hook": hook}
}

// repeats are the words that mark a notice that may be a repeat.
var repeats = strings.NewReplacer(" (may be a repeat)", "", " (قد تكون مكررة)", "")

func (p *post) sms(w http.ResponseWriter, r *http.Request) {
	var m struct{ To, Text, ID string }
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		p.t.Error(err)
	}
	text := repeats.Replace(m.Text)
	p.take(w, r, letter{to: m.To, key: m.ID, text: text, repeated: text != m.Text})
}

func (p *post) hook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = webhook.Verify(hookSecret, r.Header, body, time.Now())
	}
	l := letter{to: "hook"}
	if err == nil {
		err = json.Unmarshal(body, &l.payload)
	}
	if err != nil {
		p.t.Error(err)
	}
	a := &l.payload.Alarms[0]
	l.key, l.repeated = l.payload.Key, l.payload.Repeated
	l.text = repeats.Replace(fmt.Sprintf("%s %s %v %s by %q shelved by %q for %q, occurrence %d: %s / %s",
		l.payload.Type, a.ID, a.Severity, a.State, a.AcknowledgedBy, a.ShelvedBy, a.ShelvedReason, a.Occurrence,
		l.payload.Texts[message.English].Subject, l.payload.Texts[message.Arabic].Subject))
	p.take(w, r, l)
}

func (p *post) take(w http.ResponseWriter, r *http.Request, l letter) {
	p.mu.Lock()
	p.letters = append(p.letters, l)
	trap := p.trap
	p.trap = nil
	p.mu.Unlock()
	if trap != nil {
		close(trap)
		<-r.Context().Done() // whoever sent it is gone
		return
	}
	w.WriteHeader(http.StatusOK)
}

// setTrap catches the next notice on its way: it has arrived, and its sender
// does not hear so. The channel is closed when one is caught.
func (p *post) setTrap() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.trap == nil {
		p.trap = make(chan struct{})
	}
	return p.trap
}

// openTrap takes an empty trap away.
func (p *post) openTrap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trap = nil
}

// clocks are what a notice says of the time, which no two runs share.
var clocks = regexp.MustCompile(`\d\d:\d\d`)

// sorted returns what each address got, in order, each notice once. A notice
// that came twice must say so the second time.
func (p *post) sorted() (by map[string][]string, again int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	by = make(map[string][]string)
	keys := make(map[string]string)
	for _, l := range p.letters {
		id, text := l.to+" "+l.key, clocks.ReplaceAllString(l.text, "··:··")
		first, twice := keys[id]
		switch {
		case !twice:
			keys[id] = text
			by[l.to] = append(by[l.to], text)
		case !l.repeated:
			p.t.Errorf("%s got %q twice, and nothing says so", l.to, text)
		case first != text:
			p.t.Errorf("%s got %q first and then %q under one key", l.to, first, text)
		default:
			again++
		}
	}
	return by, again
}

// received is how many different notices each address has got.
func (p *post) received() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, keys := make(map[string]int), make(map[string]bool)
	for _, l := range p.letters {
		if id := l.to + " " + l.key; !keys[id] {
			keys[id] = true
			n[l.to]++
		}
	}
	return n
}
