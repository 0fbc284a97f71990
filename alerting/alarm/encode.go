package alarm

import (
	"encoding/json"
	"time"
)

// An alarm stands in the line of its journal and in its own row. In a storm
// encoding is half of the work: each alarm is encoded once, and the text put
// into both.

// head is a Transition without its alarm.
type head struct {
	Seq    int64     `json:"seq"`
	Time   time.Time `json:"time"`
	Event  Event     `json:"event"`
	From   State     `json:"from"`
	To     State     `json:"to"`
	By     string    `json:"by,omitempty"`
	Via    string    `json:"via,omitempty"`
	Reason string    `json:"reason,omitempty"`
}

// encodeLine is the JSON of a Transition, given that of its alarm.
func encodeLine(t *Transition, alarm []byte) (string, error) {
	return join(head{t.Seq, t.Time, t.Event, t.From, t.To, t.By, t.Via, t.Reason}, alarm)
}

// encodeRecord is the JSON of a record, given that of its alarm.
func encodeRecord(r *record, alarm []byte) (string, error) {
	return join(struct {
		Status *status `json:"status"`
	}{&r.Status}, alarm)
}

// join adds the alarm to an object that has at least one member.
func join(object any, alarm []byte) (string, error) {
	body, err := json.Marshal(object)
	if err != nil {
		return "", err
	}
	body = append(body[:len(body)-1], `,"alarm":`...)
	body = append(body, alarm...)
	return string(append(body, '}')), nil
}
