package alerting

import (
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/forecast"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// office is a manager without meters: what is wrong is a part of the service.
type office struct {
	*Manager
	t        *testing.T
	registry *zone.Registry
	now      time.Time
	fault    time.Time // since when the spool fails; zero: it does not
}

// Snapshot implements Source.
func (o *office) Snapshot(dst *snapshot.Snapshot) {
	dst.Registry, dst.Now = o.registry, o.now.UnixMilli()
}

// Object implements message.Names.
func (o *office) Object(id string) (zone.Object, bool) { return o.registry.Object(id) }

func newOffice(t *testing.T, dir string, rules rule.Config) *office {
	t.Helper()
	o := &office{t: t, registry: registry(t), now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	renderer, err := message.New(o)
	if err != nil {
		t.Fatal(err)
	}
	o.Manager, err = New(t.Context(), Options{
		DataDir: dir, Config: DefaultConfig(), Alarms: alarm.DefaultConfig(), Rules: rules, Forecast: forecast.DefaultConfig(),
		People: notify.DefaultConfig(), Renderer: renderer, Registry: o.registry, Source: o, Parts: o.parts,
		Now: func() time.Time { return o.now }, Log: zerolog.Nop(), Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func registry(t *testing.T) *zone.Registry {
	t.Helper()
	reg, err := zone.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

func (o *office) parts() []snapshot.Part {
	if o.fault.IsZero() {
		return []snapshot.Part{{Name: "spool"}}
	}
	return []snapshot.Part{{Name: "spool", Fault: "full", Since: o.fault.UnixMilli()}}
}

// cycle runs cycles some time apart.
func (o *office) cycle(after ...time.Duration) {
	o.t.Helper()
	for _, d := range append([]time.Duration{0}, after...) {
		o.now = o.now.Add(d)
		if err := o.Cycle(o.t.Context()); err != nil {
			o.t.Fatal(err)
		}
	}
}

// state is that of the one alarm there can be.
func (o *office) state() alarm.State {
	o.t.Helper()
	a, err := o.Alarm(o.t.Context(), spoolFault)
	if errors.Is(err, alarm.ErrUnknown) {
		return alarm.Normal
	}
	if err != nil {
		o.t.Fatal(err)
	}
	return a.State
}

func (o *office) expect(want alarm.State) {
	o.t.Helper()
	if got := o.state(); got != want {
		o.t.Errorf("%s is %s, want %s", spoolFault, got, want)
	}
}

func (o *office) close() {
	o.t.Helper()
	if err := o.Close(); err != nil {
		o.t.Error(err)
	}
}

const spoolFault = "pipeline.fault:spool"

// rules changes the one kind.
func rules(enabled bool, delay time.Duration) rule.Config {
	return rule.Config{Rules: []rule.Rule{{Kind: "pipeline.fault", Enabled: &enabled, OnDelay: &delay}}}
}

func TestReload(t *testing.T) {
	t.Parallel()
	o := newOffice(t, t.TempDir(), rules(true, 10*time.Minute))
	defer o.close()
	o.fault = o.now
	o.cycle(time.Minute)
	o.expect(alarm.Normal)

	wrong := rules(true, 0)
	wrong.Rules[0].Kind = "pipeline.falt"
	if err := o.Reload(wrong, notify.DefaultConfig(), o.registry); err == nil {
		t.Error("wrong rules are accepted")
	}
	people := notify.DefaultConfig()
	people.Pace.Burst = 0
	if err := o.Reload(rules(true, 0), people, o.registry); err == nil {
		t.Error("wrong people are accepted")
	}
	o.cycle(time.Minute)
	o.expect(alarm.Normal) // the delay is still that of the start

	if err := o.Reload(rules(true, time.Second), notify.DefaultConfig(), o.registry); err != nil {
		t.Fatal(err)
	}
	o.cycle(2*time.Second, 2*time.Second)
	o.expect(alarm.Unacknowledged)
}

// An alarm whose kind is disabled ends, with the registry that is in force and
// with a new one, and however it was covered.
func TestDisabledKindEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		newRegistry bool
		shelved     bool
	}{
		{"same registry", false, false},
		{"another registry", true, false},
		{"shelved", true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, t.TempDir(), rules(true, 0))
			defer o.close()
			o.fault = o.now
			o.cycle(time.Second)
			o.expect(alarm.Unacknowledged)
			if c.shelved {
				if _, err := o.Act(t.Context(), alarm.Action{
					Event: alarm.Shelve, ID: spoolFault, By: "rana", Via: "api", Reason: "known", For: time.Hour,
				}); err != nil {
					t.Fatal(err)
				}
			}
			next := o.registry
			if c.newRegistry {
				next = registry(t)
			}
			if err := o.Reload(rules(false, 0), notify.DefaultConfig(), next); err != nil {
				t.Fatal(err)
			}
			o.registry = next
			o.cycle()
			o.expect(alarm.Normal)
			if list := o.Alarms(); len(list) != 0 {
				t.Errorf("standing: %+v", list)
			}
		})
	}
}

// Rules that were changed while the service was down count as well.
func TestDisabledWhileDown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := newOffice(t, dir, rules(true, 0))
	o.fault = o.now
	o.cycle(time.Second)
	o.expect(alarm.Unacknowledged)
	o.close()

	o = newOffice(t, dir, rules(false, 0))
	defer o.close()
	o.fault = o.now
	o.cycle()
	o.expect(alarm.Normal)
}
