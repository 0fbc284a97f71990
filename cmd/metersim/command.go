package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/term"

	"github.com/imdad-telemetry/imdad/collector/metersim"
	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/configs"
)

// defaultCity is the shipped city that plays without --fleet.
const defaultCity = metersim.DefaultCity

// errUnacknowledged makes the exit code tell what the summary says.
var errUnacknowledged = errors.New("not everything was acknowledged by the broker")

// command is the command line.
type command struct {
	Broker   string `required:"" placeholder:"URL" help:"Where to publish: tcp://host:port, or ssl://host:port with the system's certificate authorities."`
	Username string `env:"METERSIM_USERNAME" placeholder:"NAME" help:"User name at the broker."`
	Password string `env:"METERSIM_PASSWORD" placeholder:"TEXT" help:"Password at the broker; better given in the environment."`
	ClientID string `default:"metersim" placeholder:"ID" help:"MQTT client id; connection i is called ID-i. Two simulators at one broker need two ids."`

	Fleet    []string `placeholder:"FILE" help:"Registry files of the city to play (default: the built-in Sheikh Najjar)."`
	Meters   int      `placeholder:"N" help:"Scale the fleet to N meters by copying its networks and plants under new ids."`
	Profiles []string `placeholder:"LIST" help:"Payload profiles that the meters speak, each that suits it: names with commas, or mixed for all (default: mixed; what the scenario says with --scenario; imdad, the native one, with --rate). --sources tells the service how to read them."`
	Sources  string   `type:"path" placeholder:"FILE" help:"First write what the service needs to read this fleet to FILE: the section sources:, to be appended to its configuration."`
	Seed     *int64   `placeholder:"N" help:"Of everything that looks random (default: 1). A scenario is played as written at its own seed, which is its default, and varied at any other."`

	Scenario string `placeholder:"NAME" help:"Play a scenario: one that ships with metersim, or a file that ends in .yaml."`
	Events   string `type:"path" placeholder:"FILE" help:"With --scenario: write what happened, and what the alarms must make of it, to FILE as JSON lines."`
	Registry string `type:"path" placeholder:"FILE" help:"With --scenario: first write the city, with the programme and the orders of the scenario, to FILE; the service under test is to load it."`

	ClockStart time.Time     `placeholder:"T" help:"What the simulated clock shows at the start, as RFC 3339 (default: now)."`
	ClockAt    time.Time     `placeholder:"T" help:"The real time, as RFC 3339, at which it shows that: with the same three flags imdad run agrees. Nothing is sent before (default: the start of the program)."`
	Speed      float64       `default:"1" placeholder:"N" help:"Simulated seconds in a real one (default: 1). imdad run takes the same three flags; without them the meters' clocks soon are wrong to it."`
	Interval   time.Duration `placeholder:"D" help:"Simulated time between the messages of a meter (default: the registry's)."`
	Jitter     time.Duration `placeholder:"D" help:"Let each message come up to D later."`
	Rate       float64       `placeholder:"N" help:"Instead of intervals: N messages a second of real time in all, the meters taking turns."`

	For         time.Duration `placeholder:"D" help:"Stop after this much real time (default: on Ctrl-C)."`
	Messages    int64         `placeholder:"N" help:"Stop after N messages."`
	QoS         byte          `name:"qos" default:"1" placeholder:"N" help:"0 or 1 (default: 1). With 0 the broker acknowledges nothing."`
	Connections int           `default:"1" placeholder:"N" help:"Spread the meters over N connections (default: 1)."`
	Truth       string        `type:"path" placeholder:"FILE" help:"Write every reading to FILE as a JSON line, with acked true or false: as its device rounds it, in Imdad's registers. received: true says that its messages carry no time; ts is then when they were made."`
}

func (c *command) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	o, err := c.options(stderr)
	if err != nil {
		return err
	}
	if c.Truth != "" {
		f, err := os.Create(c.Truth)
		if err != nil {
			return fmt.Errorf("write truth: %w", err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		o.Truth = f
	}
	if err := c.writeRegistry(o.Plan); err != nil {
		return err
	}
	fleet, err := metersim.New(o)
	if err != nil {
		return err
	}
	if err := c.writeSources(fleet); err != nil {
		return err
	}
	if o.Plan != nil {
		fmt.Fprintf(stderr, "%s plays from %s to %s; the service's clock must say the same: --clock-start %s --speed %v, best with the same --clock-at\n",
			o.Plan.Scenario.Name, o.Plan.Start.Format(time.RFC3339), o.Plan.End.Format(time.RFC3339), o.Plan.Start.Format(time.RFC3339), c.Speed)
	}
	shown := make(chan struct{})
	watching, done := context.WithCancel(context.Background())
	go func() { defer close(shown); progress(watching, stderr, fleet) }()
	summary, err := fleet.Run(ctx)
	done()
	<-shown
	fmt.Fprintln(stdout, summary)
	err = errors.Join(err, c.writeEvents(o.Plan))
	if err == nil && c.QoS > 0 && summary.Acknowledged < summary.Published {
		err = errUnacknowledged
	}
	return err
}

func (c *command) options(stderr io.Writer) (metersim.Options, error) {
	o := metersim.DefaultOptions()
	if err := c.stageOrCity(&o); err != nil {
		return o, err
	}
	o.Meters = c.Meters
	o.Broker, o.ClientID, o.Username, o.Password = c.Broker, c.ClientID, c.Username, c.Password
	o.QoS, o.Connections = c.QoS, c.Connections
	o.Start, o.Begin, o.Speed, o.Rate, o.Interval, o.Jitter = c.ClockStart, c.ClockAt, c.Speed, c.Rate, c.Interval, c.Jitter
	o.Duration, o.Messages = c.For, c.Messages
	o.Log = zerolog.New(zerolog.ConsoleWriter{Out: stderr, TimeFormat: time.TimeOnly, NoColor: !isTerminal(stderr)}).With().Timestamp().Logger()
	return o, nil
}

func (c *command) registry() (*zone.Registry, error) {
	if len(c.Fleet) == 0 {
		return configs.ShippedRegistry(defaultCity)
	}
	return configs.LoadRegistry(c.Fleet)
}

// progress shows once a second how far the fleet is: one line that refreshes on
// a terminal, else one line after another.
func progress(ctx context.Context, w io.Writer, f *metersim.Fleet) {
	before, after := "", "\n"
	if isTerminal(w) {
		before, after = "\r\x1b[K", ""
		defer fmt.Fprint(w, before)
	}
	fmt.Fprintf(w, "%d meters are publishing; Ctrl-C ends it\n", f.Meters())
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	last := f.Progress()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := f.Progress()
		rate := float64(now.Published-last.Published) / (now.Elapsed - last.Elapsed).Seconds()
		fmt.Fprintf(w, "%s%s  published %d (%.0f/s), acknowledged %d, open %d%s",
			before, now.Elapsed.Round(time.Second), now.Published, rate, now.Acknowledged, now.Published-now.Acknowledged, after)
		last = now
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
