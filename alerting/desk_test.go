package alerting

import (
	"errors"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
)

// What a person reads after an answer on a channel.
func TestAnswers(t *testing.T) {
	t.Parallel()
	o := newOffice(t, t.TempDir(), rules(true, 0))
	defer o.close()
	o.fault = o.now
	o.cycle(time.Second)
	a, err := o.Alarm(t.Context(), spoolFault)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name       string
		alarm      string
		occurrence int64
		want       string
	}{
		{"another occurrence", spoolFault, a.Occurrence + 7, "انتهى هذا الإنذار"},
		{"an alarm that never was", "pipeline.fault:nothing", 1, "انتهى هذا الإنذار"},
		{"the alarm", spoolFault, a.Occurrence, "تم الإقرار بالاستلام"},
		{"the alarm again", spoolFault, a.Occurrence, "تم الإقرار بالاستلام"},
	} {
		got, err := o.Acknowledge(t.Context(), notify.Acknowledgement{Alarm: c.alarm, Occurrence: c.occurrence, Person: "rana", Via: "telegram"})
		if err != nil || got != c.want {
			t.Errorf("%s: %q, %v, want %q", c.name, got, err, c.want)
		}
	}
	o.expect(alarm.Acknowledged)
	lines, err := o.Journal(t.Context(), 1, 9)
	if err != nil || len(lines) != 1 || lines[0].By != "rana" || lines[0].Via != "telegram" {
		t.Errorf("%+v, %v", lines, err)
	}
}

// A link opens what it was signed for, in the language of its person, until it
// expires, after a restart too.
func TestOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := newOffice(t, dir, rules(true, 0))
	links, err := notify.NewLinks("", dir)
	if err != nil {
		t.Fatal(err)
	}
	token := links.Sign(notify.Link{Alarm: spoolFault, Occurrence: 1, Person: "rana", Expires: o.now.Add(time.Hour)})
	o.close()
	o = newOffice(t, dir, rules(true, 0))
	defer o.close()
	ticket, err := o.Open(token)
	if err != nil || ticket.Alarm != spoolFault || ticket.Occurrence != 1 || ticket.Person != "rana" || ticket.Language != message.Arabic {
		t.Errorf("%+v, %v", ticket, err)
	}
	o.now = o.now.Add(2 * time.Hour)
	if _, err := o.Open(token); !errors.Is(err, notify.ErrExpired) {
		t.Errorf("expired: %v", err)
	}
	if _, err := o.Open(token + "x"); !errors.Is(err, notify.ErrLink) {
		t.Errorf("forged: %v", err)
	}
}
