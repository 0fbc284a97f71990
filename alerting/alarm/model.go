package alarm

import (
	"time"

	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// State of an alarm, after ISA-18.2.
type State string

// The states. Shelved, suppressed and out-of-service alarms go on following
// their condition, unseen; Alarm.Under is the state beneath.
const (
	Normal         State = "normal"
	Unacknowledged State = "unacknowledged"
	Acknowledged   State = "acknowledged"
	Returned       State = "returned" // to normal, unacknowledged
	Shelved        State = "shelved"
	Suppressed     State = "suppressed" // by design: rationing or a parent cause
	OutOfService   State = "out_of_service"
)

// Event is what moved an alarm.
type Event string

// The events.
const (
	Raise       Event = "raise"
	Step        Event = "step" // the severity changed
	Acknowledge Event = "acknowledge"
	Return      Event = "return" // to normal
	Reset       Event = "reset"  // a latched alarm was ended by hand
	Shelve      Event = "shelve"
	Unshelve    Event = "unshelve" // by hand or because its time was up
	Suppress    Event = "suppress"
	Unsuppress  Event = "unsuppress"
	TakeOut     Event = "take_out_of_service"
	PutBack     Event = "put_back_in_service"
	Remind      Event = "remind" // still unacknowledged after the re-alarm time
)

// Alarm is one alarm: a condition with a history. It is a value: copies are
// independent but for the maps and slices, which nobody changes.
type Alarm struct {
	ID string `json:"id"` // Key.ID()
	rule.Key
	Severity   rule.Severity      `json:"severity"`
	State      State              `json:"state"`
	Under      State              `json:"under,omitempty"` // the state beneath, while covered
	Since      time.Time          `json:"since"`           // the condition began
	Raised     time.Time          `json:"raised"`          // the on-delay had passed
	Changed    time.Time          `json:"changed"`
	Occurrence int64              `json:"occurrence"` // Seq of the transition that raised it: this very occurrence
	City       string             `json:"city"`
	InZone     string             `json:"zone"`
	ObjectKind zone.Kind          `json:"object_kind"`
	Numbers    map[string]float64 `json:"numbers,omitempty"`
	Words      map[string]string  `json:"words,omitempty"`
	Stalls     []string           `json:"stalls,omitempty"`
	Cause      string             `json:"cause,omitempty"` // ID of the alarm that suppresses it
	Latched    bool               `json:"latched,omitempty"`

	AcknowledgedBy string    `json:"acknowledged_by,omitempty"`
	AcknowledgedAt time.Time `json:"acknowledged_at,omitzero"`
	ShelvedBy      string    `json:"shelved_by,omitempty"`
	ShelvedUntil   time.Time `json:"shelved_until,omitzero"`
	ShelvedReason  string    `json:"shelved_reason,omitempty"`
}

// Transition is one line of the journal: what happened to an alarm, and the
// alarm after it. Seq grows by one from 1 and has no gaps.
type Transition struct {
	Seq    int64     `json:"seq"`
	Time   time.Time `json:"time"`
	Event  Event     `json:"event"`
	From   State     `json:"from"`
	To     State     `json:"to"`
	By     string    `json:"by,omitempty"`  // a person's id, or empty for the system
	Via    string    `json:"via,omitempty"` // cli, api, telegram, email
	Reason string    `json:"reason,omitempty"`
	Alarm  Alarm     `json:"alarm"`
}
