package webhook

import (
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
)

// Payload is the body of a request. Fields may be added to it, never taken away.
type Payload struct {
	Version  int          `json:"version"` // 1
	Key      string       `json:"key"`     // as in Idempotency-Key
	Type     message.Type `json:"type"`
	Created  time.Time    `json:"created"`
	Repeated bool         `json:"repeated,omitempty"` // may have been sent before
	// Active tells whether the alarm is to be shown from now on.
	Active bool `json:"active"`
	// Alarms are the alarms after the change: one.
	Alarms []alarm.Alarm `json:"alarms"`
	// Texts are the words by language: en, ar.
	Texts map[message.Language]Text `json:"texts"`
}

// Text is a change in words.
type Text struct {
	Subject string `json:"subject"` // one line
	Text    string `json:"text"`    // several
	Short   string `json:"short"`   // as an SMS
}

func payload(n notify.Notice) Payload {
	p := Payload{
		Version: 1, Key: n.Key(), Type: n.Content.Type, Created: n.Created, Repeated: n.Repeated,
		Alarms: n.Content.Alarms, Texts: make(map[message.Language]Text, len(n.Texts)),
	}
	for _, a := range n.Content.Alarms {
		p.Active = p.Active || !notify.Over(a)
	}
	for language, t := range n.Texts {
		p.Texts[language] = Text{Subject: t.Subject, Text: t.Plain, Short: t.Short}
	}
	return p
}
