package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
)

// attempts lists when a channel was tried, from the first time.
type attempts struct {
	box
	at  []time.Duration
	was time.Time
}

func (a *attempts) Send(ctx context.Context, n Notice) error {
	if a.was.IsZero() {
		a.was = time.Now()
	}
	a.at = append(a.at, time.Since(a.was))
	return a.box.Send(ctx, n)
}

// live runs a rig in a bubble of its own time for a while.
func live(r *rig, d time.Duration) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan error)
	go func() { done <- r.n.Run(ctx) }()
	time.Sleep(d) //nolint:forbidigo // a bubble's time
	cancel()
	if err := <-done; err != nil {
		r.t.Error(err)
	}
}

// bubble runs a test in its own time; the file is closed before it ends.
func bubble(t *testing.T, test func(*testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		ch := &attempts{box: *newBox()}
		ch.fail = func(Notice) error { return errors.New("down") }
		r := newRig(t, func(o *Options) { o.Channels[1].Channel = ch })
		r.raise("elec.outage:f3")
		live(r, 10*time.Minute)
		want := []time.Duration{0, 1, 3, 7, 15, 31, 63, 127, 255, 511}
		for i := range want {
			want[i] *= time.Second
		}
		if !slices.Equal(ch.at, want) {
			t.Errorf("tried at %v, want %v", ch.at, want)
		}
		expect(t, "outbox", r.states(), "2 basem email waiting 10")
	})
}

func TestLater(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		ch := &attempts{box: *newBox()}
		ch.fail = func(Notice) error {
			return fmt.Errorf("busy: %w", &Later{After: 90 * time.Second, Err: errors.New("429")})
		}
		r := newRig(t, func(o *Options) { o.Channels[1].Channel = ch })
		r.raise("elec.outage:f3")
		live(r, 4*time.Minute)
		if want := []time.Duration{0, 90 * time.Second, 180 * time.Second}; !slices.Equal(ch.at, want) {
			t.Errorf("tried at %v, want %v", ch.at, want)
		}
	})
}

// TestHandOver: a channel that stays dead hands a person's notice on.
func TestHandOver(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		r.telegram.setFail(func(Notice) error { return errors.New("blocked") })
		r.raise("water.stopped:z1")
		live(r, 5*time.Minute)
		expect(t, "outbox", r.states(), "2 amal telegram failed 8", "3 amal email sent 1")
	})
}

func TestGiveUp(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		r.email.setFail(func(Notice) error { return errors.New("down") })
		r.raise("elec.outage:f3")
		live(r, giveUpAfter+10*time.Minute)
		list, err := r.n.Notices(t.Context(), 0, 10)
		if err != nil || list[1].State != "failed" || list[1].Error != errTooOld.Error() {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

// hanging is a channel that answers nothing until its context ends.
type hanging struct{}

func (hanging) Send(ctx context.Context, _ Notice) error { <-ctx.Done(); return ctx.Err() }

func TestTimeoutAndShutdown(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		r := newRig(t, func(o *Options) { o.Channels[1].Channel, o.Channels[1].Timeout = hanging{}, 20*time.Second })
		r.raise("elec.outage:f3")
		r.raise("water.stopped:z1")
		live(r, 50*time.Second) // in the third attempt
		expect(t, "outbox", r.states(), "2 basem email sending 3", "4 amal telegram sent 1")
		if err := r.n.Close(); err != nil {
			t.Fatal(err)
		}
		r.open()
		r.deliver()
		if got := r.email.all(); len(got) != 1 || !got[0].Repeated {
			t.Errorf("after the restart: %+v", got)
		}
	})
}

// forgetful is a stream that wants to be told again.
type forgetful struct {
	box
	told [][]string
	err  error
}

func (f *forgetful) Every() time.Duration { return time.Minute }

func (f *forgetful) Refresh(_ context.Context, standing []alarm.Alarm) error {
	var ids []string
	for _, a := range standing {
		ids = append(ids, a.ID)
	}
	f.told = append(f.told, ids)
	return f.err
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		f := &forgetful{box: *newBox(), err: errors.New("down")}
		r := newRig(t, func(o *Options) { o.Channels[3].Channel = f })
		r.raise("elec.outage:f3")
		r.raise("elec.outage:f1")
		r.journal.add(r.w.event(alarm.Raise, "water.stopped:z1", alarm.Suppressed))
		live(r, 150*time.Second)
		want := []string{"elec.outage:f1", "elec.outage:f3"}
		if len(f.told) != 2 || !slices.Equal(f.told[0], want) || !slices.Equal(f.told[1], want) {
			t.Errorf("refreshed with %v", f.told)
		}
		if len(f.all()) != 2 {
			t.Errorf("%d notices", len(f.all()))
		}
	})
}

// ear is a channel on which people answer.
type ear struct {
	box
	answers []Acknowledgement
	said    []string
}

func (e *ear) Listen(ctx context.Context, take func(context.Context, Acknowledgement) (string, error)) error {
	for _, a := range e.answers {
		text, err := take(ctx, a)
		e.said = append(e.said, fmt.Sprintf("%s %v", text, err))
	}
	e.answers = nil
	return errors.New("connection lost")
}

type clerk struct{ took []Acknowledgement }

func (c *clerk) Acknowledge(_ context.Context, a Acknowledgement) (string, error) {
	c.took = append(c.took, a)
	return "noted", nil
}

func TestListen(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		e, c := &ear{box: *newBox()}, &clerk{}
		e.answers = []Acknowledgement{{Alarm: "a", Occurrence: 1, Person: "1"}, {Alarm: "b", Person: "amal", Via: "bot"}, {Alarm: "c", Person: "666"}}
		r := newRig(t, func(o *Options) { o.Channels[0].Channel, o.Acknowledger = e, c })
		live(r, time.Minute)
		expect(t, "said", e.said, "noted <nil>", "noted <nil>", " acknowledge c over telegram: "+ErrStranger.Error())
		want := []Acknowledgement{{"a", 1, "amal", "telegram"}, {"b", 0, "amal", "bot"}}
		if !slices.Equal(c.took, want) {
			t.Errorf("took %+v", c.took)
		}
	})
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for person, want := range map[string]message.Language{"amal": message.Arabic, "basem": message.English, "nobody": message.Arabic} {
		if got := r.n.Language(person); got != want {
			t.Errorf("%s reads %s", person, got)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	good := func() Options {
		return Options{Dir: t.TempDir(), Config: DefaultConfig(), Registry: registry(t), Journal: &fakeJournal{}, Renderer: plain{}}
	}
	for name, mutate := range map[string]func(*Options){
		"no journal":              func(o *Options) { o.Journal = nil },
		"a channel twice":         func(o *Options) { o.Channels = []Spec{{Name: "a", Channel: newBox()}, {Name: "a", Channel: newBox()}} },
		"a listener, no listener": func(o *Options) { o.Channels = []Spec{{Name: "a", Channel: &ear{}}} },
		"a bad configuration":     func(o *Options) { o.Config.Keep = 0 },
		"people without channels": func(o *Options) { o.Config = config() },
	} {
		o := good()
		mutate(&o)
		if n, err := New(o); err == nil {
			t.Errorf("%s: accepted", name)
			_ = n.Close()
		}
	}
}
