package notify

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// bookRig is a notifier on a real journal.
type bookRig struct {
	*rig
	book *alarm.Book
}

func newBookRig(t *testing.T) *bookRig {
	t.Helper()
	book, err := alarm.Open(t.Context(), alarm.Options{
		Path: filepath.Join(t.TempDir(), "alarms.db"), Config: alarm.DefaultConfig(), Log: zerolog.Nop(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := book.Close(); err != nil {
			t.Error(err)
		}
	})
	return &bookRig{newRig(t, func(o *Options) { o.Journal = book }), book}
}

// goOn lets time pass in steps of ten seconds with the same findings.
func (r *bookRig) goOn(d time.Duration, findings ...rule.Finding) {
	r.t.Helper()
	for end := r.w.now.Add(d); r.w.now.Before(end); {
		r.w.now = r.w.now.Add(10 * time.Second)
		if _, err := r.book.Step(r.t.Context(), r.w.now, findings); err != nil {
			r.t.Fatal(err)
		}
		r.plan()
		r.deliver()
	}
}

func raised(kind, object, cause string) rule.Finding {
	f := rule.Finding{
		Key: rule.Key{Kind: kind, Object: object}, State: rule.Raised, Severity: rule.High,
		OnDelay: time.Minute, OffDelay: time.Minute, City: "c", InZone: place(object),
	}
	if cause != "" {
		f.Cause = rule.Key{Kind: kind, Object: cause}
	}
	return f
}

// TestBook tells what a real journal says: a cause hides its effect, an
// acknowledgement stops the reminders, a shelved alarm comes back.
func TestBook(t *testing.T) {
	t.Parallel()
	r := newBookRig(t)
	feeder, plant := raised("elec.outage", "f3", ""), raised("elec.outage", "z2-p1", "f3")
	r.goOn(35*time.Minute, feeder, plant)
	expect(t, "outage and reminder", r.email.subjects(),
		"en alarm elec.outage:f3 Asia/Damascus", "en reminder elec.outage:f3 Asia/Damascus")
	if err := r.book.Acknowledge(t.Context(), r.w.now, "elec.outage:f3", 0, "basem", "email"); err != nil {
		t.Fatal(err)
	}
	r.goOn(time.Hour, feeder, plant)
	r.goOn(30 * time.Minute)
	expect(t, "the end", r.email.subjects()[2:], "en returned elec.outage:f3 Asia/Damascus")

	r.goOn(10*time.Minute, feeder)
	if err := r.book.Shelve(t.Context(), r.w.now, "elec.outage:f3", time.Hour, "basem", "api", "works"); err != nil {
		t.Fatal(err)
	}
	r.goOn(50*time.Minute, feeder)
	expect(t, "shelved", r.email.subjects()[3:], "en alarm elec.outage:f3 Asia/Damascus")
	r.goOn(20*time.Minute, feeder)
	expect(t, "back from the shelf", r.email.subjects()[4:], "en alarm elec.outage:f3 Asia/Damascus")
	last := r.hub.all()
	if a := last[len(last)-1].Content.Alarms[0]; Over(a) {
		t.Errorf("the stream believes that %s is %s", a.ID, a.State)
	}
}
