package metersim

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/collector/metersim/dress"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// Options says what to simulate and where to. Begin with DefaultOptions;
// Registry and Broker are needed beside them.
type Options struct {
	// Registry is the fleet: its plants' sectors fix the load shapes, its
	// meters publish.
	Registry *zone.Registry
	Meters   int   // scale the fleet to so many meters; 0: as it is
	Seed     int64 // of everything that looks random

	// Profiles are the payload profiles that the meters are to speak, chosen
	// among by what suits each: names, or "mixed" for all. None: all speak
	// natively, which alone is fast enough for a load test.
	Profiles []string

	Broker      string // tcp://host:port, or ssl:// with the system's authorities
	ClientID    string // default "metersim"; connection i is called ID-i
	Username    string
	Password    string
	QoS         byte // 0 or 1; default 1
	Connections int  // meters are spread over them; default 1

	Start time.Time // where the simulated clock starts; zero: now
	Begin time.Time // the real time at which it does so; zero: when Run is called
	Speed float64   // simulated seconds in a real one; default 1

	// Rate is the messages a second, in real time, in all: the meters take
	// turns. 0: every meter at its own interval of simulated time.
	Rate     float64
	Interval time.Duration // replaces every meter's interval; 0: the registry's
	Jitter   time.Duration // up to so much after its interval does a meter report

	// The fleet stops after Duration of real time or after Messages, whichever
	// comes first; 0 is without end. It then waits up to Drain (default 10 s)
	// for what the broker has not acknowledged.
	Duration time.Duration
	Messages int64
	Drain    time.Duration

	// Plan is a scenario to play instead of the registry as it is: it brings its
	// own registry, start and intervals, and ends the fleet when it is over.
	Plan *Plan

	// Truth takes one JSON line a reading: zone, utility, meter, ts, seq,
	// values, acked; see Truth for those of foreign profiles. Nil: none. At QoS 0
	// nothing is ever acknowledged.
	Truth io.Writer
	Log   zerolog.Logger
}

// DefaultOptions returns what applies where nothing else is said.
func DefaultOptions() Options {
	return Options{ClientID: "metersim", QoS: 1, Connections: 1, Speed: 1, Drain: 10 * time.Second}
}

// validate returns everything that is wrong with the options.
func (o *Options) validate() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if o.Registry == nil && o.Plan == nil {
		wrong("registry: missing; give the fleet to simulate")
	}
	if o.Plan != nil && (o.Meters > 0 || o.Rate > 0 || o.Interval > 0 || o.Jitter > 0) {
		wrong("plan: excludes meters, rate, interval and jitter; a scenario brings its own")
	}
	if o.Plan != nil && len(o.Profiles) > 0 {
		wrong("plan: excludes profiles; a scenario brings its own")
	}
	if o.Rate > 0 && len(o.Profiles) > 0 {
		wrong("rate: excludes profiles; a load test speaks natively")
	}
	if err := dress.Check(o.Profiles); err != nil {
		wrong("profiles: %w", err)
	}
	if err := checkBroker(o.Broker); err != nil {
		errs = append(errs, err)
	}
	if o.ClientID == "" {
		wrong("client id: missing; connections are told apart by it")
	}
	if o.QoS > 1 {
		wrong("qos: %d is not supported; use 0 or 1", o.QoS)
	}
	if o.Connections < 1 {
		wrong("connections: %d is impossible; use at least 1", o.Connections)
	}
	if !(o.Speed > 0) {
		wrong("speed: %v is impossible; time runs forward", o.Speed)
	}
	if o.Meters < 0 || o.Rate < 0 || o.Interval < 0 || o.Jitter < 0 || o.Duration < 0 || o.Messages < 0 || o.Drain < 0 {
		wrong("meters, rate, interval, jitter, for, messages and drain must not be negative")
	}
	if o.Rate > 0 && (o.Interval > 0 || o.Jitter > 0) {
		wrong("rate: excludes interval and jitter; at a rate the meters take turns")
	}
	return errors.Join(errs...)
}

func checkBroker(broker string) error {
	if broker == "" {
		return errors.New("broker: missing; give a URL such as tcp://127.0.0.1:1883")
	}
	u, err := url.Parse(broker)
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	if _, known := schemes[u.Scheme]; !known {
		return fmt.Errorf("broker: unknown scheme %q; use tcp, mqtt, ssl, tls or mqtts", u.Scheme)
	}
	if u.Port() == "" {
		return fmt.Errorf("broker: %q has no port; give one such as 1883", broker)
	}
	return nil
}
