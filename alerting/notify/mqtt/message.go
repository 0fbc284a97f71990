package mqtt

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
)

// Prefix stands before {zone}/{id}. Meters publish under imdad/v1, so that no filter takes alarms for readings.
const Prefix = "imdad/alarm/v1/"

// Payload is what is published. Fields may be added to it, never taken away.
type Payload struct {
	alarm.Alarm
	// Published is the time, by the clock of the alarms, of the change that this tells of; zero if it only repeats.
	Published time.Time `json:"published,omitzero"`
	// Texts are the words by language: en, ar.
	Texts map[message.Language]Text `json:"texts"`
}

// Text is an alarm in words.
type Text struct {
	Subject string `json:"subject"` // one line
	Text    string `json:"text"`    // several
}

// topic is where an alarm is published. Ids that a topic cannot hold come from custom rules only, and are refused.
func topic(a alarm.Alarm) (string, error) {
	place := a.InZone
	if place == "" {
		place = a.City
	}
	if place == "" || a.ID == "" || strings.ContainsAny(place+a.ID, "/+#\x00") {
		return "", fmt.Errorf("%w: no topic for alarm %q in %q", notify.ErrPermanent, a.ID, place)
	}
	return Prefix + place + "/" + a.ID, nil
}

// payload is empty, which clears the topic, once the alarm is shown no longer.
func payload(a alarm.Alarm, at time.Time, texts map[message.Language]message.Text) ([]byte, error) {
	if notify.Over(a) {
		return nil, nil
	}
	p := Payload{Alarm: a, Published: at, Texts: make(map[message.Language]Text, len(texts))}
	for language, t := range texts {
		p.Texts[language] = Text{Subject: t.Subject, Text: t.Plain}
	}
	raw, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("%w: encode alarm %s: %w", notify.ErrPermanent, a.ID, err)
	}
	return raw, nil
}
