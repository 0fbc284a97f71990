// Package message puts notices into words, in Arabic and in English. It is
// pure: the texts are in the catalogues active.*.yaml, time comes from the
// content, names from the registry.
package message

import (
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
)

// Language is the language a person reads.
type Language string

// The languages there are texts in.
const (
	English Language = "en"
	Arabic  Language = "ar"
)

// Type is the kind of a notice.
type Type string

// The types of notices.
const (
	Alarm      Type = "alarm"
	Step       Type = "step"       // an alarm got worse, or better
	Reminder   Type = "reminder"   // nobody has acknowledged yet
	Escalation Type = "escalation" // the same, to the next in line
	Returned   Type = "returned"   // to normal
	Digest     Type = "digest"     // many alarms in one
	Upcoming   Type = "upcoming"   // rationing is planned
)

// UpcomingKind stands for Upcoming notices where kinds of alarms are named.
const UpcomingKind = "ration.upcoming"

// Content is what a notice is about, before it is put into words.
type Content struct {
	Type Type `json:"type"`
	// Now is when the notice was made: "today" and "so long" count from it.
	// Zero: the newest time in Alarms.
	Now time.Time `json:"now,omitzero"`
	// Alarms has one alarm, or all of a group or digest, the worst first.
	Alarms []alarm.Alarm `json:"alarms,omitempty"`
	Total  int           `json:"total,omitempty"` // of a digest, if more than are listed
	// Stalled lists the plants that stand still, for a digest: all of them; or
	// those that an Upcoming will cut off.
	Stalled []string `json:"stalled,omitempty"`
	Feeder  string   `json:"feeder,omitempty"` // of an Upcoming, with
	// Feeders are all of an Upcoming, Feeder first, where several share the window.
	Feeders  []string  `json:"feeders,omitempty"`
	From     time.Time `json:"from,omitzero"`
	To       time.Time `json:"to,omitzero"`
	Repeated bool      `json:"repeated,omitempty"` // may have been sent before a crash
	AckURL   string    `json:"ack_url,omitempty"`  // a signed link; empty: none
}

// Text is a notice in words.
type Text struct {
	Subject string // one line
	Plain   string // what, where, since when, what it stalls, what to do first
	Short   string // for SMS: one paragraph, no bidi isolates
	HTML    string // a whole page, right to left where the language is
}
