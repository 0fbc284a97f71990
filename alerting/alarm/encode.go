package alarm

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"
)

// An alarm stands in the line of its journal and in its own row. In a storm of
// thousands, encoding by reflection would be half of the work; so the texts are
// put together by hand, each alarm once. They are the same JSON as
// encoding/json's, which reads them; a test compares the two for every field.

// object is a JSON object under construction.
type object struct{ b []byte }

func (o *object) key(name string) {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(o.b, '"')
	o.b = append(o.b, name...)
	o.b = append(o.b, '"', ':')
}

func (o *object) text(name, v string) {
	o.key(name)
	o.b = appendText(o.b, v)
}

func (o *object) optional(name, v string) {
	if v != "" {
		o.text(name, v)
	}
}

func (o *object) time(name string, t time.Time) {
	o.key(name)
	o.b = append(o.b, '"')
	o.b = t.AppendFormat(o.b, time.RFC3339Nano)
	o.b = append(o.b, '"')
}

func (o *object) optionalTime(name string, t time.Time) {
	if !t.IsZero() {
		o.time(name, t)
	}
}

func (o *object) number(name string, n int64) {
	o.key(name)
	o.b = strconv.AppendInt(o.b, n, 10)
}

func (o *object) optionalNumber(name string, n int64) {
	if n != 0 {
		o.number(name, n)
	}
}

func (o *object) flag(name string, v bool) {
	if v {
		o.key(name)
		o.b = append(o.b, "true"...)
	}
}

// appendText quotes a string; only what needs escapes takes the slow way.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(s) // a string never fails
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// appendAlarm appends the JSON of an alarm. Its numbers are finite.
func appendAlarm(b []byte, a *Alarm) []byte {
	o := object{append(b, '{')}
	o.text("id", a.ID)
	o.text("kind", a.Kind)
	o.text("object", a.Object)
	o.optional("meter_zone", a.Zone)
	o.optional("utility", a.Utility)
	o.text("severity", a.Severity.String())
	o.text("state", string(a.State))
	o.optional("under", string(a.Under))
	o.time("since", a.Since)
	o.time("raised", a.Raised)
	o.time("changed", a.Changed)
	o.number("occurrence", a.Occurrence)
	o.text("city", a.City)
	o.text("zone", a.InZone)
	o.text("object_kind", string(a.ObjectKind))
	o.details(a)
	o.optional("cause", a.Cause)
	o.flag("latched", a.Latched)
	o.optional("acknowledged_by", a.AcknowledgedBy)
	o.optionalTime("acknowledged_at", a.AcknowledgedAt)
	o.optional("shelved_by", a.ShelvedBy)
	o.optionalTime("shelved_until", a.ShelvedUntil)
	o.optional("shelved_reason", a.ShelvedReason)
	return append(o.b, '}')
}

func (o *object) details(a *Alarm) {
	if len(a.Numbers) > 0 {
		o.key("numbers")
		in := object{append(o.b, '{')}
		for _, k := range sortedKeys(a.Numbers) {
			in.b = append(appendMember(in.b, k), ':')
			in.b = strconv.AppendFloat(in.b, a.Numbers[k], 'g', -1, 64)
		}
		o.b = append(in.b, '}')
	}
	if len(a.Words) > 0 {
		o.key("words")
		in := object{append(o.b, '{')}
		for _, k := range sortedKeys(a.Words) {
			in.b = append(appendMember(in.b, k), ':')
			in.b = appendText(in.b, a.Words[k])
		}
		o.b = append(in.b, '}')
	}
	if len(a.Stalls) > 0 {
		o.key("stalls")
		o.b = append(o.b, '[')
		for i, s := range a.Stalls {
			if i > 0 {
				o.b = append(o.b, ',')
			}
			o.b = appendText(o.b, s)
		}
		o.b = append(o.b, ']')
	}
}

// appendMember begins a member whose name may be anything.
func appendMember(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return appendText(b, name)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, 8)
	for k := range maps.Keys(m) {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// appendLine appends the JSON of a transition, given that of its alarm.
func appendLine(b []byte, t *Transition, alarm []byte) []byte {
	o := object{append(b, '{')}
	o.number("seq", t.Seq)
	o.time("time", t.Time)
	o.text("event", string(t.Event))
	o.text("from", string(t.From))
	o.text("to", string(t.To))
	o.optional("by", t.By)
	o.optional("via", t.Via)
	o.optional("reason", t.Reason)
	o.key("alarm")
	return append(append(o.b, alarm...), '}')
}

// appendRecord appends the JSON of a record, given that of its alarm.
func appendRecord(b []byte, r *record, alarm []byte) []byte {
	s := &r.Status
	o := object{append(b, `{"status":{`...)}
	if s.Phase != idle {
		o.text("phase", phases[s.Phase])
	}
	o.optionalNumber("since", s.Since)
	o.optionalNumber("start", s.Start)
	o.optionalNumber("lost", s.Lost)
	o.optionalNumber("stopped", s.Stopped)
	o.optionalNumber("on_ms", s.OnMS)
	o.optionalNumber("off_ms", s.OffMS)
	o.optionalNumber("spent", s.Spent)
	o.text("base", string(s.Base))
	o.flag("suppressed", s.Suppressed)
	o.flag("out", s.Out)
	if k := s.Cause; k.Kind != "" || k.Object != "" || k.Zone != "" || k.Utility != "" {
		o.key("cause")
		in := object{append(o.b, '{')}
		in.text("kind", k.Kind)
		in.text("object", k.Object)
		in.optional("meter_zone", k.Zone)
		in.optional("utility", k.Utility)
		o.b = append(in.b, '}')
	}
	o.optionalNumber("explained", s.Explained)
	o.optionalNumber("lower", s.Lower)
	o.optionalNumber("announced", s.Announced)
	o.b = append(o.b, '}')
	o.key("alarm")
	return append(append(o.b, alarm...), '}')
}
